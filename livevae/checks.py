"""Tables of TOML against structs: an error names the key and what would be right."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from livevae import parameters
from livevae.errors import UsageError


def check_table(table: Mapping[str, Any], struct: type[msgspec.Struct], prefix: str = "") -> None:
    """Refuse keys that the struct has not, and values that its fields do not take.

    Raises:
        UsageError: the sentence begins with the key, ``prefix`` before it.
    """
    fields = {field.name: field.type for field in msgspec.structs.fields(struct)}
    for key, value in table.items():
        if key not in fields:
            close = difflib.get_close_matches(key, fields, n=1)
            hint = f"did you mean {prefix}{close[0]}?" if close else f"known: {', '.join(fields)}"
            raise UsageError(f"there is no key {prefix}{key}; {hint}")
        inner = fields[key]
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            if not isinstance(value, Mapping):
                raise UsageError(
                    f"{prefix}{key} is {reprlib.repr(value)}, but must be a table: [{prefix}{key}]"
                )
            check_table(value, inner, f"{prefix}{key}.")
            continue
        try:
            msgspec.convert(value, inner)
        except msgspec.ValidationError as error:
            given, right = reprlib.repr(value), _right(msgspec.inspect.type_info(inner))
            raise UsageError(f"{prefix}{key} is {given}, but must be {right}") from error


def _right(kind: msgspec.inspect.Type) -> str:
    """Say in words what a field takes; a description says it where the type alone does not."""
    match kind:
        case msgspec.inspect.Metadata(extra_json_schema={"description": str(words)}):
            return words
        case msgspec.inspect.LiteralType(values):
            return f"one of: {', '.join(map(str, values))}"
        case msgspec.inspect.IntType(ge=int(low), le=int(high)):
            return f"a whole number from {low} to {high}"
        case msgspec.inspect.StrType(min_length=int(low), max_length=int(high)):
            return f"text of {low} to {high} characters"
        case msgspec.inspect.UnionType(types=(first, *_)):
            return _right(first)
    raise NotImplementedError(kind)


def by_control(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield controls and what a table says of them; TOML reads ``kick.mute`` as two tables.

    A table under the name of a control that has others below it, ``fill`` and ``fill.every``, is
    about those it names, and for the rest about the control itself.
    """
    for key, value in table.items():
        name = f"{prefix}{key}"
        below = tuple(c for c in parameters.PARAMETERS if c.startswith(f"{name}."))
        if not isinstance(value, Mapping) or not below:
            yield name, value
            continue
        own = {
            part: inner
            for part, inner in value.items()
            if name in parameters.PARAMETERS
            and not any(f"{c}.".startswith(f"{name}.{part}.") for c in below)
        }
        if own:
            yield name, own
        parts = {part: inner for part, inner in value.items() if part not in own}
        yield from by_control(parts, f"{name}.")
