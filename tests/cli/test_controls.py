"""The printed reference: every control, and never behind the registry."""

from pathlib import Path

from livevae.cli.controls import as_markdown, controls
from livevae.parameters import PARAMETERS
from tests.cli.offline import call

REFERENCE = Path(__file__).parents[2] / "docs" / "controls.md"


def test_the_reference_in_docs_is_what_the_registry_says() -> None:
    """Else: livevae controls --markdown > docs/controls.md."""
    assert REFERENCE.read_text() == as_markdown()


def test_every_control_has_a_line_with_range_default_and_message() -> None:
    """At the terminal."""
    lines = call(controls).output.splitlines()
    assert [line.split()[0] for line in lines] == list(PARAMETERS)
    by_name = {line.split()[0]: " ".join(line.split()[1:]) for line in lines}
    assert by_name["x"].startswith("0 to 1 0.5 cc 20 Position")
    assert by_name["swing"].startswith("50 to 75 % 50 - Delay")
    assert by_name["kick.mute"].startswith("on, off off - Silence")
    assert by_name["undo"].startswith("pull - - Go back")
    assert by_name["clock"].startswith("midi, internal, link midi - Whose")
    assert by_name["model"].startswith("a name groove-4bar - The model")


def test_markdown_is_a_table_of_as_many_rows_and_five_columns() -> None:
    """And two rows of head."""
    rows = [line for line in call(controls, "--markdown").output.splitlines() if line[:1] == "|"]
    assert len(rows) == len(PARAMETERS) + 2
    assert {row.count(" | ") for row in rows} == {4}
