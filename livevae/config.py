"""livevae.toml as validated structs; an error names the file, the key and what would be right."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from livevae import parameters
from livevae.checks import by_control, check_table
from livevae.errors import UsageError
from livevae.mapping import DEFAULT_MAP, Bindings, read_map
from livevae.midi.binding import Channel
from livevae.midi.kit import KITS, kit_notes
from livevae.pattern.pattern import N_VOICES
from livevae.resources import user_config

MAX_FILE_BYTES = 1 << 20

PortNames = Annotated[
    tuple[str, ...], msgspec.Meta(description='a list of port names, like ["Live"]')
]
# A description says what would be right where the type alone does not: see livevae.checks.


class Midi(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ports and notes."""

    backend: Literal["auto", "jack", "rtmidi"] = "auto"
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=32)] = "LiveVAE"
    inputs: PortNames = ()
    outputs: PortNames = ()
    clock: Annotated[str, msgspec.Meta(description="a port's name")] = ""
    channel: Channel = 10
    kit: Annotated[
        str | tuple[int, ...],
        msgspec.Meta(description=f"a kit ({', '.join(KITS)}) or a list of {N_VOICES} notes"),
    ] = "gm"


class Decoder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the neural network runs."""

    device: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^(auto|cpu|cuda(:\d+)?|mps)$", description="auto, cpu, cuda, cuda:N or mps"
        ),
    ] = "auto"
    threads: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1


class Scenes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The kept scenes that the control ``scene`` recalls by number, from 1."""

    list: Annotated[
        tuple[str, ...],
        msgspec.Meta(max_length=128, description="a list of at most 128 names of scenes"),
    ] = ()


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything livevae.toml can say; the defaults are those of the shipped file."""

    model: Annotated[str, msgspec.Meta(description="a model's name or folder")] = "groove-4bar"
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] = 0
    midi: Midi = Midi()
    decoder: Decoder = Decoder()
    scenes: Scenes = Scenes()
    map: Bindings = msgspec.field(default_factory=lambda: dict(DEFAULT_MAP))
    controls: dict[str, float] = {}

    def control(self, name: str) -> float:
        """Return the float that the control ``name`` starts with."""
        return self.controls.get(name, parameters.PARAMETERS[name].default)


def load(path: Path | None = None, overrides: Sequence[tuple[str, str]] = ()) -> Config:
    """Read livevae.toml and apply ``--set`` overrides.

    Args:
        path: the file; None looks for ``./livevae.toml``, then the user's own, then defaults.
        overrides: pairs of a dotted key of livevae.toml, or a control, and its value as typed.

    Raises:
        UsageError: file, key or value is wrong.
    """
    found = find_file(path)
    document = _read(found) if found else {}
    config = _checked(document, f"{found}: ")
    if not overrides:
        return config
    for name, text in overrides:
        _override(document, name, text)
    return _checked(document)


def find_file(path: Path | None = None) -> Path | None:
    """Return the livevae.toml that counts: ``path``, the one here, one's own, or None."""
    return path or next((p for p in (Path("livevae.toml"), user_config()) if p.is_file()), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_FILE_BYTES:
        raise UsageError(f"{path} is larger than 1 MiB, so it is no livevae.toml")
    try:
        return _parsed(content.decode("utf-8-sig"))  # Windows writes a BOM
    except ValueError as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from error


def _parsed(text: str) -> dict[str, Any]:
    """Parse TOML, whose whole numbers have 64 bits where Python's have no end."""
    try:
        document = tomllib.loads(text)
        msgspec.msgpack.encode(document)  # refuses what has more
    except tomllib.TOMLDecodeError:
        raise
    except (ValueError, OverflowError) as error:
        raise ValueError("a number in it is too large") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return document


def _checked(document: Mapping[str, Any], origin: str = "") -> Config:
    """Return the config that a document is; ``origin`` stands before what is wrong with it."""
    plain = {key: value for key, value in document.items() if key not in ("controls", "map")}
    try:
        check_table(plain, Config)
        controls = {
            name: parameters.find(name).to_float(value) for name, value in _controls(document)
        }
        bindings = read_map(document.get("map", {}))
        config = msgspec.convert(plain, Config)
        kit_notes(config.midi.kit)
    except UsageError as error:
        raise UsageError(f"{origin}{error}") from error
    except ValueError as error:
        raise UsageError(f"{origin}midi.kit: {error}") from error
    return msgspec.structs.replace(config, controls=controls, map=bindings)


def _controls(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    table = document.get("controls", {})
    if not isinstance(table, Mapping):
        raise UsageError("controls must be a table of controls")
    return by_control(table)


def _override(document: dict[str, Any], name: str, text: str) -> None:
    control = name.removeprefix("controls.")
    parameter = parameters.PARAMETERS.get(control)
    # A name is a key of livevae.toml itself.
    if parameter is not None and parameter.kind is not parameters.Kind.NAME:
        value = parameter.to_value(parameter.parse(text))
        document["controls"] = {**dict(_controls(document)), control: value}
        return
    head = name.partition(".")[0]
    if head not in {field.name for field in msgspec.structs.fields(Config)}:
        known = [field.name for field in msgspec.structs.fields(Config)]
        close = difflib.get_close_matches(name, {*parameters.PARAMETERS, *known}, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "see livevae.toml."
        raise UsageError(f"--set: there is no key or control {name!r}; {hint}")
    try:
        value = _parsed(f"value = {text}")["value"]
    except ValueError:
        value = text
    table = document
    *path, last = name.split(".")
    for key in path:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise UsageError(f"--set: there is no key {name!r}; {key} is not a table")
    table[last] = value
