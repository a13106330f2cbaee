"""A plain follower: from RtMidi's callback, a note whenever another sixth tick arrives.

What a tool does that has no model of the clock; a reference for `livevae bench timing`.
``python -m livevae.bench.plain_follower SOURCE DESTINATION NOTE`` says ``ready`` once both JACK
ports are connected and stays until its standard input ends.
"""

import sys
from typing import Final

import rtmidi

CLOCK: Final = 0xF8
START: Final = 0xFA
TICKS_PER_STEP: Final = 6


class PlainFollower:
    """Counts ticks; state: how many have come in since Start."""

    def __init__(self, midi_out: rtmidi.MidiOut, note: int) -> None:
        """Send ``note`` to ``midi_out`` at each sixth tick."""
        self._out = midi_out
        self._note = note
        self._ticks = 0

    def receive(self, event: tuple[list[int], float], _data: object = None) -> None:
        """Take a message as RtMidi hands it over."""
        status = event[0][0]
        if status == START:
            self._ticks = 0
        elif status == CLOCK:
            if self._ticks % TICKS_PER_STEP == 0:
                self._out.send_message([0x99, self._note, 100])
            self._ticks += 1


def main(source: str, destination: str, note: str) -> None:
    """Follow until standard input ends."""
    midi_out = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, "plain-follower")
    midi_out.open_port(midi_out.get_ports().index(destination))
    midi_in = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, "plain-follower")
    midi_in.ignore_types(timing=False)
    midi_in.set_callback(PlainFollower(midi_out, int(note)).receive)
    midi_in.open_port(midi_in.get_ports().index(source))
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
