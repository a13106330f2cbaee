"""Keeps one core busy at normal priority until its standard input ends."""

import os
import sys
import threading


def main() -> None:
    """Burn."""

    def leave_at_the_end() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=leave_at_the_end, daemon=True).start()
    print("ready", flush=True)
    while True:
        pass


if __name__ == "__main__":
    main()
