"""The test plan and the tests: neither has what the other lacks."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
PLAN = TESTS / "TEST-PLAN.md"
OF_THE_CLOCKS = (
    "clock/test_follower.py",
    "clock/test_habits.py",
    "clock/test_link.py",
    "clock/test_link_peers.py",
    "clock/test_loop.py",
    "clock/test_sources.py",
    "midi/test_wire.py",
    "player/test_bad_input.py",
    "player/test_clock_out.py",
    "player/test_link.py",
    "player/test_loops.py",
)
"""Files whose every test belongs to a case of the plan."""


def cases() -> list[tuple[str, list[str]]]:
    """Return the number of every case and the tests it names."""
    rows = re.findall(r"^\| (\d[\d.]*) \|.*\| (.*) \|$", PLAN.read_text(), re.MULTILINE)
    return [(number, re.findall(r"`([^`]+::[^`]+)`", named)) for number, named in rows]


def defined_in(file: str) -> set[str]:
    """Return the tests that a file defines, as the plan names them."""
    tree = ast.parse((TESTS / file).read_text())
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {f"{file}::{name}" for name in functions if name.startswith("test_")}


def test_every_case_names_tests_that_exist() -> None:
    """At least one each."""
    for number, named in cases():
        assert named, f"case {number} has no test"
        for test in named:
            file = test.partition("::")[0]
            assert (TESTS / file).exists(), f"case {number}: there is no {file}"
            assert test in defined_in(file), f"case {number}: there is no {test}"


def test_every_test_of_the_clocks_belongs_to_a_case() -> None:
    """A behaviour worth a test is worth a line of the plan."""
    named = {test for _, tests in cases() for test in tests}
    for file in OF_THE_CLOCKS:
        assert defined_in(file) <= named, f"{sorted(defined_in(file) - named)} are in no case"


def test_cases_are_numbered_in_order_by_section() -> None:
    """1.1, 1.2, ... so that a number found in a note finds its case."""
    sections: dict[int, list[int]] = {}
    for number, _ in cases():
        section, case = number.split(".")
        sections.setdefault(int(section), []).append(int(case))
    assert list(sections) == sorted(sections)
    for section, found in sections.items():
        assert found == list(range(1, len(found) + 1)), f"section {section}"
