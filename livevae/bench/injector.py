"""A clock source that keeps a script: every message leaves at its frame, to the frame.

A program of its own. ``python -m livevae.bench.injector NAME LEAD`` opens ``NAME:out`` and says
``ready``. It reads one line of JSON, a list of ``[frame, hex]`` in order of their frames, prints
the JACK frame that frame 0 of the script will be, LEAD frames from now, plays, says ``done`` and
stays until its standard input ends. (How long that takes only JACK's frames can tell: a server that
waits for a client lets the time of the day pass.)
"""

import json
import os
import sys
import time
from collections import deque
from typing import Final

import jack

LOOK_EVERY_S: Final = 0.02
FRAME_MASK: Final = 0xFFFFFFFF


def main(name: str, lead: str) -> None:
    """Play one script."""
    client = jack.Client(name, no_start_server=True)
    port = client.midi_outports.register("out")
    due: deque[tuple[int, bytes]] = deque()

    def process(frames: int) -> None:
        port.clear_buffer()
        begin = client.last_frame_time
        while due and due[0][0] < begin + frames:
            frame, message = due.popleft()
            # Frames that the server has skipped cannot be written to: what they held comes late.
            port.write_midi_event(max(frame - begin, 0), message)

    client.set_process_callback(process)
    client.set_shutdown_callback(lambda _status, _reason: os._exit(1))
    with client:
        print("ready", flush=True)
        script = json.loads(sys.stdin.readline())
        zero = client.last_frame_time + int(lead) & FRAME_MASK
        due.extend((zero + frame, bytes.fromhex(message)) for frame, message in script)
        print(zero, flush=True)
        while due:
            time.sleep(LOOK_EVERY_S)
        print("done", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    sys.setswitchinterval(0.0005)
    main(*sys.argv[1:])
