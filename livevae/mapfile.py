"""Writing a binding into livevae.toml, whose comments and layout stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any, Final

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, InlineTable

from livevae.errors import UsageError
from livevae.mapping import read_map
from livevae.midi.binding import Binding

_KEYS: Final = frozenset(Binding.__struct_fields__)
_MESSAGES: Final = frozenset(("cc", "cc14", "nrpn", "pitch_bend", "pressure", "note", "program"))


def bound(text: str, name: str, binding: Binding, *, add: bool = False) -> tuple[str, list[str]]:
    """Return the text of a livevae.toml with ``binding`` moving the control ``name``.

    Args:
        text: the file as it is; it may be empty.
        name: a control.
        binding: what is to move it; whatever else the same message moved, it moves no more.
        add: whether to keep what the file binds to the control already.

    Returns:
        The new text, and the other controls that have lost the message.

    Raises:
        UsageError: the file is no livevae.toml.
    """
    try:
        document: Any = tomlkit.parse(text)
    except TOMLKitError as error:
        raise UsageError(f"it is not valid TOML: {error}") from error
    table = document.setdefault("map", tomlkit.table())
    if not isinstance(table, MutableMapping):
        raise UsageError("map must be a table of controls")
    lost = []
    for where, key, control in list(_entries(table)):
        if control != name and _release(where, key, binding):
            lost.append(control)
    _put(table, name, binding, add)
    read_map(document.unwrap()["map"])
    return tomlkit.dumps(document), lost


def _entries(
    table: MutableMapping[str, Any], prefix: str = ""
) -> Iterator[tuple[MutableMapping[str, Any], str, str]]:
    """Yield each control that is bound: the table and the key it stands under, and its name."""
    for key in list(table):
        value, name = table[key], f"{prefix}{key}"
        if isinstance(value, list):
            yield table, key, name
        elif isinstance(value, MutableMapping):
            if _MESSAGES & value.keys():
                yield table, key, name
            yield from _entries(value, f"{name}.")


def _release(table: MutableMapping[str, Any], key: str, binding: Binding) -> bool:
    """Take the message of ``binding`` from a control; return whether it had it."""
    entries = _listed(table[key])
    kept = [entry for entry in entries if not _same(entry, binding)]
    if len(kept) == len(entries):
        return False
    if kept:
        table[key] = kept[0] if len(kept) == 1 else _array(kept)
    else:
        _clear(table, key)
    return True


def _clear(table: MutableMapping[str, Any], key: str) -> None:
    """Remove a control's own binding; controls below its name stay."""
    value = table[key]
    below = [] if isinstance(value, list) else [part for part in value if part not in _KEYS]
    if not below:
        del table[key]
        return
    for part in [part for part in value if part in _KEYS]:
        del value[part]


def _same(entry: object, binding: Binding) -> bool:
    own = (
        {k: v for k, v in entry.items() if k in _KEYS} if isinstance(entry, MutableMapping) else {}
    )
    try:
        other = msgspec.convert(own, Binding)
    except msgspec.ValidationError:
        return False
    return (
        len(other.kinds()) == 1
        and other.where() == binding.where()
        and not set(other.messages()).isdisjoint(binding.messages())
    )


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _put(table: Any, name: str, binding: Binding, add: bool) -> None:
    """Write ``name = { ... }`` where the control stands already, else at the end of the table."""
    item = _inline(_written(binding))
    standing = [(where, key) for where, key, control in _entries(table) if control == name]
    for where, key in standing:
        others = [e for e in _listed(where[key]) if not _same(e, binding)] if add else []
        if not others and not isinstance(where[key], (list, InlineTable)):
            _clear(where, key)
            break
        where[key] = _array([*others, item]) if others else item
        return
    parts = name.split(".")
    taken: Any = table
    for part in parts[:-1]:
        taken = taken.get(part, {})
    if isinstance(taken.get(parts[-1]), MutableMapping):  # controls below it: fill.every
        taken[parts[-1]].update(_written(binding))
    elif len(parts) > 1 and isinstance(table.get(parts[0]), InlineTable):
        table.add(name, item)
    else:
        table.add(tomlkit.key(parts) if len(parts) > 1 else name, item)


def _written(binding: Binding) -> dict[str, Any]:
    """Return what a binding says, the message first."""
    keys = msgspec.to_builtins(binding)
    return dict(sorted(keys.items(), key=lambda item: item[0] not in _MESSAGES))


def _inline(entry: Mapping[str, Any]) -> InlineTable:
    item = tomlkit.inline_table()
    item.update(entry)
    return item


def _array(entries: Sequence[Mapping[str, Any]]) -> Array:
    array = tomlkit.array()
    array.extend(_inline(entry) for entry in entries)
    return array
