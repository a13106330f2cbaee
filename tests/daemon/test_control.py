"""The control socket: a real server on a real Unix socket."""

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from livevae.daemon.control import (
    MAX_LINE_BYTES,
    ControlServer,
    Reply,
    Request,
    ask,
    make_private,
    runtime_folder,
)
from livevae.errors import UsageError, WorkError


def answer(request: Request) -> object:
    """Answer as a daemon might."""
    if request.ask == "panic":
        raise WorkError("the player does not answer")
    if request.name == "z":
        raise UsageError("there is no control 'z'")
    return {"asked": request.ask, "name": request.name, "value": request.value}


async def later(request: Request) -> object:
    """Answer after a turn of the loop."""
    await asyncio.sleep(0)
    return answer(request)


@contextlib.asynccontextmanager
async def served(
    folder: Path, reply: Callable[[Request], object] = answer
) -> AsyncIterator[ControlServer]:
    """Serve in ``folder`` for a while."""
    make_private(folder)
    server = ControlServer(folder, reply)
    await server.open()
    try:
        yield server
    finally:
        await server.close()


def against_server(folder: Path, client: Callable[[], Awaitable[None]], **kwargs: object) -> None:
    """Run ``client`` while a server serves in ``folder``."""

    async def run() -> None:
        async with served(folder, **kwargs):  # type: ignore[arg-type]
            await client()

    asyncio.run(run())


async def exchange(folder: Path, *lines: bytes) -> list[Reply]:
    """Send raw lines and return the replies until the server hangs up or all are answered."""
    reader, writer = await asyncio.open_unix_connection(str(folder / "control.sock"))
    replies = []
    for line in lines:
        with contextlib.suppress(ConnectionError):
            writer.write(line + b"\n")
            await writer.drain()
        with contextlib.suppress(ConnectionError):
            if received := await reader.readline():
                replies.append(msgspec.json.decode(received, type=Reply))
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return replies


@pytest.mark.parametrize("reply", [answer, later])
def test_a_request_gets_its_answer(reply: Callable[[Request], object], tmp_path: Path) -> None:
    """From a plain function or from one that waits."""

    async def client() -> None:
        result = await asyncio.to_thread(ask, Request("set", "x", "0.5"), tmp_path)
        assert msgspec.json.decode(result) == {"asked": "set", "name": "x", "value": "0.5"}

    against_server(tmp_path, client, reply=reply)


def test_errors_come_back_as_the_errors_they_were(tmp_path: Path) -> None:
    """Usage as usage, work as work, with their sentences."""

    async def client() -> None:
        with pytest.raises(UsageError, match="there is no control 'z'"):
            await asyncio.to_thread(ask, Request("set", "z", "1"), tmp_path)
        with pytest.raises(WorkError, match="the player does not answer"):
            await asyncio.to_thread(ask, Request("panic"), tmp_path)

    against_server(tmp_path, client)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b"{",
        b"[]",
        b"null",
        b'{"ask": "explode"}',
        b'{"ask": "status", "more": 1}',
        b'{"name": "x"}',
        b'{"ask": "set", "value": 1}',
        b'{"ask": "set", "name": "\xff"}',
        b"\x00\x01\x02",
        b"[" * 5000,
        '{"ask": "status", "token": "é"}'.encode(),
    ],
)
def test_garbage_gets_a_reply_in_words_and_the_connection_lives_on(
    line: bytes, tmp_path: Path
) -> None:
    """A usage error; the next request is answered as ever."""

    async def client() -> None:
        refused, served_next = await exchange(tmp_path, line, b'{"ask": "status"}')
        assert refused.error
        assert refused.exit_code == 2
        assert not served_next.error

    against_server(tmp_path, client)


def test_a_line_longer_than_any_request_ends_that_connection_and_no_other(tmp_path: Path) -> None:
    """And costs no more memory than the limit."""

    async def client() -> None:
        assert await exchange(tmp_path, b"x" * (3 * MAX_LINE_BYTES)) == []
        (reply,) = await exchange(tmp_path, b'{"ask": "status"}')
        assert not reply.error

    against_server(tmp_path, client)


def test_a_client_that_hangs_up_half_way_harms_nobody(tmp_path: Path) -> None:
    """Before the end of its line, or before its answer."""

    async def client() -> None:
        for line in (b'{"ask": "sta', b'{"ask": "status"}\n'):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(tmp_path / "control.sock"))
            connection.sendall(line)
            connection.close()
        (reply,) = await exchange(tmp_path, b'{"ask": "status"}')
        assert not reply.error

    against_server(tmp_path, client)


def test_many_clients_are_served_at_once(tmp_path: Path) -> None:
    """One that says nothing keeps no other waiting."""

    async def client() -> None:
        silent = socket.socket(socket.AF_UNIX)
        silent.connect(str(tmp_path / "control.sock"))
        replies = await asyncio.gather(*(exchange(tmp_path, b'{"ask": "status"}') for _ in "x" * 9))
        assert [len(reply) for reply in replies] == [1] * 9
        silent.close()

    against_server(tmp_path, client)


def test_the_folder_and_the_socket_are_their_owners_alone(tmp_path: Path) -> None:
    """0700 and 0600, whatever the umask; the socket goes when the server does."""
    folder = tmp_path / "a" / "b"

    async def client() -> None:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "control.sock").stat().st_mode) == 0o600

    umask = os.umask(0)
    try:
        against_server(folder, client)
    finally:
        os.umask(umask)
    assert not (folder / "control.sock").exists()


def test_a_folder_open_to_others_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    """Closing a folder that somebody else uses, /tmp say, would break their work."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o755)
    with pytest.raises(WorkError, match="open to other users"):
        make_private(folder)
    assert folder.stat().st_mode & 0o777 == 0o755


def test_a_socket_that_a_killed_daemon_left_behind_is_replaced(tmp_path: Path) -> None:
    """It refuses connections, so nobody is running."""
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(tmp_path / "control.sock"))
    with pytest.raises(WorkError, match="not running"):
        ask(Request("status"), tmp_path)

    async def client() -> None:
        (reply,) = await exchange(tmp_path, b'{"ask": "status"}')
        assert not reply.error

    against_server(tmp_path, client)


def test_without_a_daemon_the_sentence_says_how_to_start_one(tmp_path: Path) -> None:
    """Not which file was missing."""
    with pytest.raises(WorkError, match="LiveVAE is not running; start it with `livevae run`"):
        ask(Request("status"), tmp_path / "nowhere")


def test_a_daemon_that_hangs_up_without_a_word_is_an_error_in_words(tmp_path: Path) -> None:
    """Restart it, says the sentence."""

    async def client() -> None:
        server = await asyncio.start_unix_server(
            lambda _, writer: writer.close(), tmp_path / "control.sock"
        )
        with pytest.raises(WorkError, match="does not answer"):
            await asyncio.to_thread(ask, Request("status"), tmp_path)
        server.close()

    asyncio.run(client())


def test_a_folder_whose_name_is_too_long_for_a_socket_is_refused_in_a_sentence(
    tmp_path: Path,
) -> None:
    """The limit is some hundred bytes."""
    folder = tmp_path / ("x" * 120)

    async def client() -> None:
        raise AssertionError("it listens")

    with pytest.raises(WorkError, match="set LIVEVAE_RUNTIME_DIR"):
        against_server(folder, client)


def test_a_folder_that_is_a_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """Nothing is overwritten."""
    (tmp_path / "file").write_text("mine")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(WorkError, match="cannot be made"):
            make_private(path)
    assert (tmp_path / "file").read_text() == "mine"


def test_the_environment_moves_the_runtime_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two instruments on one machine."""
    monkeypatch.setenv("LIVEVAE_RUNTIME_DIR", str(tmp_path))
    assert runtime_folder() == tmp_path
    monkeypatch.delenv("LIVEVAE_RUNTIME_DIR")
    assert runtime_folder() != tmp_path
