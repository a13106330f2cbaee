"""An independent recorder: every message that reaches its port, with its JACK frame.

A program of its own that shares no code with the player. ``python -m livevae.bench.recorder NAME
[SOURCE ...]`` opens ``NAME:in``, connects it to the sources, says ``ready`` and prints "FRAME HEX"
lines until its standard input ends.
"""

import sys
import threading
from collections import deque

import jack


def main(name: str, *sources: str) -> None:
    """Record until standard input ends."""
    client = jack.Client(name, no_start_server=True)
    port = client.midi_inports.register("in")
    seen: deque[tuple[int, bytes]] = deque()

    def process(_frames: int) -> None:
        begin = client.last_frame_time
        for offset, message in port.incoming_midi_events():
            seen.append((begin + offset, bytes(message)))

    client.set_process_callback(process)
    leave = threading.Event()

    def leave_at_the_end() -> None:
        sys.stdin.read()
        leave.set()

    threading.Thread(target=leave_at_the_end, daemon=True).start()
    with client:
        for source in sources:
            client.connect(source, port)
        print("ready", flush=True)
        while not leave.wait(0.02):
            while seen:
                frame, message = seen.popleft()
                print(frame, message.hex(), flush=True)


if __name__ == "__main__":
    sys.setswitchinterval(0.0005)
    main(*sys.argv[1:])
