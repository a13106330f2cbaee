"""Tables of TOML read by control."""

import tomllib
from types import MappingProxyType
from typing import Any

import pytest

from livevae import parameters
from livevae.checks import by_control
from livevae.parameters import Kind, Parameter


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a control whose name is the beginning of another's."""
    names = ("x", "fill", "fill.every", "lfo.1.rate")
    table = {name: Parameter(name, Kind.CONTINUOUS, 0, 1, 0, "", "") for name in names}
    monkeypatch.setattr(parameters, "PARAMETERS", MappingProxyType(table))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1", {"x": 1}),
        ("x = { cc = 1 }", {"x": {"cc": 1}}),
        ("fill = true", {"fill": True}),
        ("fill.every = 4", {"fill.every": 4}),
        ("'fill.every' = 4\nfill = true", {"fill.every": 4, "fill": True}),
        ("fill = { note = 36 }", {"fill": {"note": 36}}),
        (
            "fill = { note = 36, every = { cc = 1 } }",
            {"fill": {"note": 36}, "fill.every": {"cc": 1}},
        ),
        ("lfo.1.rate = { cc = 1 }", {"lfo.1.rate": {"cc": 1}}),
        ("lfo.1.rat = 3", {"lfo.1.rat": 3}),
        ("lfo.3.rate = 3", {"lfo.3": {"rate": 3}}),
        ("y.z = 3", {"y": {"z": 3}}),
    ],
)
def test_dotted_names_are_found_however_toml_nests_them(text: str, found: dict[str, Any]) -> None:
    """Also where one control's name begins another's; unknown ones pass as they are."""
    assert dict(by_control(tomllib.loads(text))) == found
