"""livevae.toml as validated structs; an error names the file, the key and what would be right."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from livevae import parameters
from livevae.errors import UsageError
from livevae.midi.kit import kit_notes
from livevae.resources import user_config

MAX_FILE_BYTES = 1 << 20

Cc = Annotated[int, msgspec.Meta(ge=0, le=119)]
Channel = Annotated[int, msgspec.Meta(ge=1, le=16)]


class Midi(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ports and notes."""

    backend: Literal["auto", "jack", "rtmidi"] = "auto"
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=32)] = "LiveVAE"
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    channel: Channel = 10
    kit: str | tuple[int, ...] = "gm"


class Binding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The MIDI message that moves a control; without a channel, any channel does."""

    cc: Cc
    channel: Channel | None = None


class Decoder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the neural network runs."""

    device: Annotated[str, msgspec.Meta(pattern=r"^(auto|cpu|cuda(:\d+)?|mps)$")] = "auto"
    threads: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1


def _default_map() -> dict[str, Binding]:
    return {"x": Binding(20), "y": Binding(21)}


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything livevae.toml can say; the defaults are those of the shipped file."""

    model: str = "groove-4bar"
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 0
    midi: Midi = Midi()
    decoder: Decoder = Decoder()
    map: dict[str, Binding] = msgspec.field(default_factory=_default_map)
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
    found = path or next((p for p in (Path("livevae.toml"), user_config()) if p.is_file()), None)
    document = _read(found) if found else {}
    config = _checked(document, str(found))
    if not overrides:
        return config
    for name, text in overrides:
        _override(document, name, text)
    return _checked(document, "--set")


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_FILE_BYTES:
        raise UsageError(f"{path} is larger than 1 MiB, so it is no livevae.toml")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))  # Windows writes a BOM
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from error


def _checked(document: Mapping[str, Any], origin: str) -> Config:
    _refuse_unknown_keys(document, Config, origin)
    try:
        controls = {
            name: parameters.find(name).to_float(value)
            for name, value in _flattened(document, "controls")
        }
        bindings = _bindings(document)
    except UsageError as error:
        raise UsageError(f"{origin}: {error}") from error
    plain = {key: value for key, value in document.items() if key not in ("controls", "map")}
    try:
        config = msgspec.convert(plain, Config)
        kit_notes(config.midi.kit)
    except msgspec.ValidationError as error:
        problem, where = _located(error)
        raise UsageError(f"{origin}: {where or 'file'}: {problem}") from error
    except ValueError as error:
        raise UsageError(f"{origin}: midi.kit: {error}") from error
    return msgspec.structs.replace(config, controls=controls, map=bindings)


def _located(error: msgspec.ValidationError) -> tuple[str, str]:
    """Return what is wrong, and the key at which it is."""
    problem, _, where = str(error).partition(" - at `$")
    return problem, where.strip(".`")


def _flattened(document: Mapping[str, Any], section: str) -> Iterator[tuple[str, Any]]:
    """Yield controls and what a section says of them; TOML reads ``kick.mute`` as two tables."""
    table = document.get(section, {})
    if not isinstance(table, Mapping):
        raise UsageError(f"{section} must be a table of controls")
    for name, value in table.items():
        group = any(control.startswith(f"{name}.") for control in parameters.PARAMETERS)
        if isinstance(value, Mapping) and group:
            yield from ((f"{name}.{part}", inner) for part, inner in value.items())
        else:
            yield name, value


def _bindings(document: Mapping[str, Any]) -> dict[str, Binding]:
    """Return the map: what is given, and the defaults whose message that leaves free."""
    given: dict[str, Binding] = {}
    for name, value in _flattened(document, "map"):
        parameters.find(name)
        try:
            binding = msgspec.convert(value, Binding)
        except msgspec.ValidationError as error:
            problem, where = _located(error)
            at = f"map.{name}.{where}".strip(".")
            raise UsageError(f"{at}: {problem}; write {name} = {{ cc = 22 }}") from error
        for other, taken in given.items():
            if binding == taken:
                raise UsageError(f"map.{name}: cc {binding.cc} moves {other} already")
        given[name] = binding
    free = {name: b for name, b in _default_map().items() if b not in given.values()}
    return free | given


def _refuse_unknown_keys(
    document: Mapping[str, Any], struct: type[msgspec.Struct], origin: str, prefix: str = ""
) -> None:
    fields = {field.name: field.type for field in msgspec.structs.fields(struct)}
    for key, value in document.items():
        if key not in fields:
            close = difflib.get_close_matches(key, fields, n=1)
            hint = f"did you mean {prefix}{close[0]}?" if close else f"known: {', '.join(fields)}"
            raise UsageError(f"{origin}: there is no key {prefix}{key}; {hint}")
        inner = fields[key]
        nested = isinstance(inner, type) and issubclass(inner, msgspec.Struct)
        if nested and isinstance(value, Mapping):
            _refuse_unknown_keys(value, inner, origin, f"{prefix}{key}.")


def _override(document: dict[str, Any], name: str, text: str) -> None:
    control = name.removeprefix("controls.")
    if control in parameters.PARAMETERS:
        parameter = parameters.PARAMETERS[control]
        value = parameter.to_value(parameter.parse(text))
        document["controls"] = {**dict(_flattened(document, "controls")), control: value}
        return
    head = name.partition(".")[0]
    if head not in {field.name for field in msgspec.structs.fields(Config)}:
        known = [field.name for field in msgspec.structs.fields(Config)]
        close = difflib.get_close_matches(name, [*parameters.PARAMETERS, *known], n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "see livevae.toml."
        raise UsageError(f"--set: there is no key or control {name!r}; {hint}")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        value = text
    table = document
    *path, last = name.split(".")
    for key in path:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            raise UsageError(f"--set: there is no key {name!r}; {key} is not a table")
    table[last] = value
