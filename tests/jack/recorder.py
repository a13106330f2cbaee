"""An independent recorder: every message that reaches its port, with its JACK frame.

Run as a program of its own (it shares no code with LiveVAE): prints "FRAME HEX" lines until its
standard input ends.
"""

import sys
import threading
from collections import deque

import jack


def main(name: str) -> None:
    client = jack.Client(name, no_start_server=True)
    port = client.midi_inports.register("in")
    seen: deque[tuple[int, bytes]] = deque()

    @client.set_process_callback
    def process(frames: int) -> None:
        begin = client.last_frame_time
        for offset, message in port.incoming_midi_events():
            seen.append((begin + offset, bytes(message)))

    leave = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), leave.set()), daemon=True).start()
    with client:
        print("ready", flush=True)
        while not leave.wait(0.02):
            while seen:
                frame, message = seen.popleft()
                print(frame, message.hex(), flush=True)


if __name__ == "__main__":
    sys.setswitchinterval(0.0005)
    main(sys.argv[1])
