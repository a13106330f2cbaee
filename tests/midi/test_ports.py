"""Ports by name, and which backend ``auto`` stands for."""

import sys

import pytest

from livevae.errors import LiveVAEError, UsageError
from livevae.midi.ports import Connections, PortRequest, choose_backend, matching, same

NAMES = ["Midi Through:0", "Bitwig:in", "Bitwig:in 2", "Live (virtual)"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("Bitwig:in", "Bitwig:in"),
        ("through", "Midi Through:0"),
        ("in 2", "Bitwig:in 2"),
        ("LIVE", "Live (virtual)"),
        ("(virtual)", "Live (virtual)"),
    ],
)
def test_a_port_is_found_by_its_name_or_by_a_part_that_no_other_has(
    wanted: str, found: str
) -> None:
    """Exactly first, in any case of letters otherwise."""
    assert matching(wanted, NAMES, "input") == found


@pytest.mark.parametrize(
    ("wanted", "names", "sentence"),
    [
        ("bitwig", NAMES, "several MIDI input ports match 'bitwig'; there are: Bitwig:in, Bitwig"),
        ("Reaper", NAMES, "there is no MIDI input port 'Reaper'; there are: Midi Through:0, Bit"),
        ("Reaper", [], "there is no MIDI input port 'Reaper'; there are: none"),
    ],
)
def test_a_port_that_is_not_there_or_not_the_only_one_is_refused_with_those_there_are(
    wanted: str, names: list[str], sentence: str
) -> None:
    """So that the next try is right."""
    with pytest.raises(UsageError) as caught:
        matching(wanted, names, "input")
    assert str(caught.value).startswith(sentence)


def test_a_request_resolves_every_name_or_waits_for_what_is_not_there_now() -> None:
    """A restarted player must not die because the DAW has."""
    request = PortRequest("LiveVAE", ("through",), must_exist=True)
    assert request.resolve(request.inputs, NAMES, "output") == ["Midi Through:0"]
    with pytest.raises(UsageError):
        request.resolve(["gone"], NAMES, "output")
    patient = PortRequest("LiveVAE", ("gone", "through", "Midi Through:0"), must_exist=False)
    assert patient.resolve(patient.inputs, NAMES, "output") == ["gone", "Midi Through:0"]


def test_a_new_port_takes_the_place_of_the_last_one() -> None:
    """With all that was connected to it, each once, and what it had waited for."""
    request = PortRequest("LiveVAE", ("through", "gone"), ("Live",), "MPC")
    last = Connections(("Midi Through:0", "Bitwig:in"), ())
    assert request.succeed(last) == PortRequest(
        "LiveVAE", ("Midi Through:0", "Bitwig:in", "gone"), ("Live",), "MPC", must_exist=False
    )


def test_on_alsa_a_device_is_found_under_another_number() -> None:
    """It gets one each time it is plugged in."""
    names = ["MPC:MPC MIDI 1 24:0", "MPC:MPC MIDI 10 24:1"]
    assert matching("MPC:MPC MIDI 1 20:0", names, "output") == names[0]
    assert same("MPC:MPC MIDI 10 20:1", names) == names[1]
    assert same("MPC:MPC MIDI 2 20:1", names) is None


def test_auto_takes_jack_only_where_a_server_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says how to get MIDI where there is none at all."""
    monkeypatch.setattr("livevae.midi.jack_port.server_runs", lambda: True)
    assert choose_backend("auto") == "jack"
    assert choose_backend("jack") == "jack"
    monkeypatch.setattr("livevae.midi.jack_port.server_runs", lambda: False)
    with pytest.raises(UsageError, match="no JACK server runs; start one"):
        choose_backend("jack")
    monkeypatch.setattr("livevae.midi.ports.Path.exists", lambda _: False)
    monkeypatch.setattr(sys, "platform", "linux")
    for wanted in ("auto", "rtmidi"):
        with pytest.raises(LiveVAEError, match="there is no MIDI here"):
            choose_backend(wanted)
    monkeypatch.setattr("livevae.midi.ports.Path.exists", lambda _: True)
    assert choose_backend("auto") == choose_backend("rtmidi") == "rtmidi"


def test_jack_without_its_binding_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setattr("livevae.midi.ports.importlib.util.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'livevae\[jack\]'"):
        choose_backend("jack")
