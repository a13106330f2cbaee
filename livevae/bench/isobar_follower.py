"""isobar on its MIDI-in clock, playing sixteenths: a reference for `livevae bench timing`.

``python -m livevae.bench.isobar_follower SOURCE DESTINATION NOTE`` says ``ready`` once both JACK
ports are connected and stays until its standard input ends.
"""

import sys

import isobar
import mido


def main(source: str, destination: str, note: str) -> None:
    """Follow until standard input ends."""
    mido.set_backend("mido.backends.rtmidi/UNIX_JACK")
    timeline = isobar.Timeline(
        clock_source=isobar.MidiInputDevice(source),
        output_device=isobar.MidiOutputDevice(destination),
    )
    timeline.schedule({"note": int(note), "duration": 0.25})
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
