"""`livevae learn`: move a knob, choose a control, and it is bound, in the file and at once."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import click
import msgspec

from livevae.cli.options import config_option
from livevae.config import find_file, load
from livevae.daemon.control import NotRunningError, Request, ask
from livevae.daemon.supervisor import Report
from livevae.errors import UsageError
from livevae.files import make_folder, write_atomically
from livevae.mapfile import bound
from livevae.midi.binding import Binding, Move, describe
from livevae.midi.learning import recognised
from livevae.midi.ports import SYSTEM, PortRequest, choose_backend, list_ports, open_port
from livevae.midi.wire import heard
from livevae.parameters import Kind, find
from livevae.resources import user_config

LOOK_EVERY_S: Final = 0.1
QUIET_S: Final = 0.7
"""A hand that pauses for so long has moved what it wanted to move."""
BOTH_WAYS: Final = "move it further, and both ways"


@click.command(short_help="Bind a knob, wheel or pad to a control.")
@click.argument("control", required=False)
@click.option("--add", is_flag=True, help="Keep what moves the control already.")
@config_option
def learn(control: str | None, add: bool, config: Path | None) -> None:
    """Move a knob, wheel or pad, and it moves CONTROL from now on; without CONTROL, be asked."""
    name = _bindable(control) if control else None
    with _ears(config) as (file, moves, running):
        click.echo("Move a knob, wheel or pad (Ctrl-C gives up).", err=True)
        binding = listen(moves, time.monotonic, time.sleep, _say)
        _say(f"heard {_words(binding)}")
        while name is None:
            try:
                name = _bindable(click.prompt("Which control is it to move?", err=True))
            except UsageError as error:
                _say(str(error))
        if find(name).kind is not Kind.TOGGLE:
            binding = msgspec.structs.replace(binding, mode=None)
        lost = _write(file, name, binding, add)
        if running:
            ask(Request("map", value=str(file.absolute())))
    for other in lost:
        _say(f"{other} is not moved by it any more")
    click.echo(f"{name}: {_words(binding)}, in {file}")


def listen(
    moves: Callable[[], Sequence[Move]],
    now_s: Callable[[], float],
    rest: Callable[[float], None],
    say: Callable[[str], None],
) -> Binding:
    """Return the binding for what is moved, as soon as the hand pauses and it is clear.

    Args:
        moves: returns what has come in so far.
        now_s: a clock, in seconds.
        rest: waits for so many seconds.
        say: tells the person what is still needed; it is said once.
    """
    known: Sequence[Move] = ()
    since_s, said = now_s(), False
    while True:
        rest(LOOK_EVERY_S)
        latest = moves()
        if latest != known:
            known, since_s = latest, now_s()
        elif known and now_s() - since_s >= QUIET_S:
            binding = recognised(known)
            if binding is not None:
                return binding
            if not said:
                say(BOTH_WAYS)
                said = True


_Ears = tuple[Path, Callable[[], Sequence[Move]], bool]
"""The file to write, what comes in, and whether a daemon is to hear of it."""


@contextlib.contextmanager
def _ears(config: Path | None) -> Iterator[_Ears]:
    """Listen through the running LiveVAE, which has the ports already, or on a port of our own."""
    try:
        its_file = msgspec.json.decode(ask(Request("learn", value="on")), type=str)
    except NotRunningError:
        with _own_port(config) as moves:
            yield config or find_file() or user_config(), moves, False
        return
    try:
        yield config or Path(its_file or user_config()), _its_moves, True
    finally:
        ask(Request("learn", value="off"))


def _its_moves() -> Sequence[Move]:
    return msgspec.json.decode(ask(Request("status")), type=Report).player.moves


@contextlib.contextmanager
def _own_port(config: Path | None) -> Iterator[Callable[[], Sequence[Move]]]:
    """Listen to the ports of livevae.toml, or to all where it names none."""
    if sys.platform == "win32":
        raise UsageError("start LiveVAE first (`livevae run`): on Windows a port has one listener")
    midi = load(config).midi
    backend = choose_backend(midi.backend)
    inputs = midi.inputs or list_ports(backend).sources
    port = open_port(backend, PortRequest(f"{midi.name} learn", inputs, must_exist=False))
    known: list[Move] = []

    def moves() -> Sequence[Move]:
        for _, packet, source in iter(port.receive, None):
            known.extend((source, m) for m in heard(packet) if m[0] < SYSTEM)
        return tuple(known)

    try:
        yield moves
    finally:
        port.close()


def _bindable(name: str) -> str:
    if find(name).kind is Kind.NAME:
        raise UsageError(f"no knob can choose a {name}; say `livevae set {name} NAME` instead")
    return name


def _words(binding: Binding) -> str:
    message = describe(binding.messages()[0], binding.where())
    halves = " (14 bits)" if binding.cc14 is not None else ""
    endless = f" (endless, {binding.relative})" if binding.relative else ""
    return f"{message}{halves}{endless}"


def _write(file: Path, name: str, binding: Binding, add: bool) -> list[str]:
    """Write the binding into the file and return the controls that have lost its message."""
    if not file.exists():
        make_folder(file.parent)
    try:
        text = file.read_bytes().decode("utf-8-sig") if file.exists() else ""
        changed, lost = bound(text, name, binding, add=add)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from error
    write_atomically(file, changed.encode())
    return lost


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
