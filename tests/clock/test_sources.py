"""Whose clock counts, where several programs send one."""

from livevae.clock.sources import SILENT_NS, ClockSources
from livevae.clock.timeline import NS_PER_MS

CLOCK, START, STOP = 0xF8, 0xFA, 0xFC


def test_the_first_that_sends_clock_is_followed_and_the_other_named() -> None:
    """Transport of the other counts no more than its clock."""
    sources = ClockSources()
    assert sources.counts(0, CLOCK, "live")
    assert not sources.counts(1, CLOCK, "mpc")
    assert not sources.counts(2, STOP, "mpc")
    assert sources.counts(3, STOP, "live")
    assert sources.followed == "live"
    assert sources.others(4) == ["mpc"]


def test_while_none_sends_clock_the_transport_of_all_counts() -> None:
    """Start comes before the first clock."""
    sources = ClockSources()
    assert sources.counts(0, START, "live")
    assert sources.counts(1, START, "mpc")
    assert sources.counts(2, CLOCK, "mpc")
    assert sources.followed == "mpc"


def test_another_is_followed_only_once_the_first_has_been_silent() -> None:
    """A short drop-out is ridden out, and the song it comes back to is the same."""
    sources = ClockSources()
    sources.counts(0, CLOCK, "live")
    assert not sources.counts(SILENT_NS, CLOCK, "mpc")
    assert sources.counts(SILENT_NS + 1, CLOCK, "mpc")
    assert not sources.counts(SILENT_NS + 2, CLOCK, "live")
    assert sources.others(SILENT_NS + 3) == ["live"]


def test_the_configured_source_alone_counts_whoever_came_first() -> None:
    """And the other is named at once."""
    sources = ClockSources("mpc")
    assert not sources.counts(0, CLOCK, "live")
    assert sources.others(1) == ["live"]
    assert sources.counts(2, CLOCK, "mpc")
    assert sources.others(3) == ["live"]


def test_a_configured_source_that_is_absent_is_waited_for() -> None:
    """However long: drums must not go on in another machine's song."""
    sources = ClockSources("mpc")
    sources.counts(0, CLOCK, "mpc")
    assert not sources.counts(100 * SILENT_NS, CLOCK, "live")
    assert not sources.counts(100 * SILENT_NS, START, "live")
    assert sources.followed == "mpc"


def test_a_source_that_has_fallen_silent_is_no_longer_named() -> None:
    """There is nothing to ignore."""
    sources = ClockSources()
    sources.counts(0, CLOCK, "live")
    sources.counts(0, CLOCK, "mpc")
    sources.counts(SILENT_NS, CLOCK, "live")
    assert sources.others(SILENT_NS + NS_PER_MS) == []
