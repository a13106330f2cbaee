"""The map of livevae.toml: which messages move which control, its ready maps and its defaults."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

import msgspec

from livevae import parameters
from livevae.checks import by_control, check_table
from livevae.errors import UsageError
from livevae.midi.binding import Binding, Message, describe

Bindings = dict[str, tuple[Binding, ...]]
"""A control's name, and all that moves it."""

DEFAULT_MAP: Final[Mapping[str, tuple[Binding, ...]]] = {"x": (Binding(20),), "y": (Binding(21),)}
USE: Final = "use"
"""The key of [map] that names a ready map, and no control."""


def read_map(table: Any) -> Bindings:
    """Return the map that the table ``[map]`` stands for.

    What it does not say comes from the ready map it names, else from the defaults; of these only
    what is bound to messages that the table leaves free.

    Raises:
        UsageError: something of it is wrong, or one message is to move two things.
    """
    if not isinstance(table, Mapping):
        raise UsageError("map must be a table of controls")
    written = {key: value for key, value in table.items() if key != USE}
    given = _bindings(written)
    taken = {claim for bindings in given.values() for b in bindings for claim in _claims(b)}
    ready = ready_map(table[USE]) if USE in table else DEFAULT_MAP
    left = {
        name: tuple(b for b in bindings if not taken.intersection(_claims(b)))
        for name, bindings in ready.items()
        if name not in given
    }
    return {name: bindings for name, bindings in left.items() if bindings} | given


def ready_maps() -> tuple[str, ...]:
    """Return the names of the maps that come with LiveVAE."""
    folder = files("livevae.midi") / "maps"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def ready_map(name: object) -> Bindings:
    """Return one of the maps that come with LiveVAE.

    Raises:
        UsageError: there is none of that name; the sentence lists those there are.
    """
    known = ready_maps()
    if name not in known:
        close = difflib.get_close_matches(str(name), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"
        raise UsageError(f"map.use: there is no ready map {name!r}; {hint}")
    text = (files("livevae.midi") / "maps" / f"{name}.toml").read_text(encoding="utf-8")
    return _bindings(tomllib.loads(text))


def _bindings(table: Mapping[str, Any]) -> Bindings:
    given: Bindings = {}
    owners: dict[tuple[Message, tuple[int | None, str]], str] = {}
    for name, value in by_control(table):
        if parameters.find(name).kind is parameters.Kind.NAME:
            raise UsageError(
                f"map.{name}: no knob can choose a {name}; say `livevae set {name} NAME` instead"
            )
        entries = value if isinstance(value, list) else [value]
        given[name] = tuple(_binding(name, entry) for entry in entries)
        for binding in given[name]:
            for claim in _claims(binding):
                if claim in owners:
                    words = describe(*claim)
                    raise UsageError(f"map.{name}: {words} moves {owners[claim]} already")
                owners[claim] = name
    return given


def _claims(binding: Binding) -> list[tuple[Message, tuple[int | None, str]]]:
    return [(message, binding.where()) for message in binding.messages()]


def _binding(name: str, value: object) -> Binding:
    """Return one binding of the control ``name``.

    Raises:
        UsageError: it names no message or several, or what it says does not go together.
    """
    if not isinstance(value, Mapping):
        raise UsageError(f"map.{name} names no message; write {name} = {{ cc = 22 }}")
    check_table(value, Binding, f"map.{name}.")
    binding = msgspec.convert(value, Binding)
    kinds = binding.kinds()
    if not kinds:
        raise UsageError(f"map.{name} names no message; write {name} = {{ cc = 22 }}")
    if len(kinds) > 1:
        raise UsageError(
            f"map.{name} names several messages ({', '.join(kinds)}); write a list: "
            f"{name} = [{{ cc = 22 }}, {{ note = 36 }}]"
        )
    if binding.relative and kinds != ["cc"]:
        raise UsageError(f"map.{name}: only a control change (cc) can be relative")
    if binding.mode and kinds[0] not in ("cc", "note"):
        raise UsageError(f"map.{name}: only a note or a control change (cc) has a mode")
    for key in value.keys() & {"low", "high"}:
        try:
            parameters.find(name).to_float(value[key])
        except UsageError as error:
            raise UsageError(f"map.{name}.{key}: {error}") from error
    return binding
