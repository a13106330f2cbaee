"""The control socket: how `livevae status`, `set`, `get`, `learn` and `panic` speak to the daemon.

One JSON request a line, one JSON reply a line. On POSIX it is a Unix socket in the private
runtime folder; where there is none (Windows) a loopback TCP port, whose number and secret token
lie in a file of that folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import secrets
import socket
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import msgspec
import platformdirs

from livevae.errors import LiveVAEError, UsageError, WorkError

MAX_LINE_BYTES: Final = 64 << 10
PATIENCE_S: Final = 5.0


class NotRunningError(WorkError):
    """There is no daemon to ask."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client asks for.

    ``set`` has ``name`` and ``value``; ``capture`` the number of bars for a name, and the file;
    ``scene`` what to do for a name, and the scene's; ``learn`` has the value ``on`` or ``off``, and
    its answer is the path of livevae.toml; ``map`` has the path of the livevae.toml whose map to
    take.
    """

    ask: Literal["status", "set", "panic", "capture", "scene", "learn", "map"]
    name: str = ""
    value: str = ""
    token: str = ""


class Reply(msgspec.Struct, frozen=True):
    """The answer: ``result`` is JSON of the asker's kind, or ``error`` says why there is none."""

    result: msgspec.Raw = msgspec.Raw(b"null")
    error: str = ""
    exit_code: int = 0


class Door(msgspec.Struct, frozen=True):
    """Where a TCP control socket listens, and what it wants to hear."""

    port: int
    token: str


def runtime_folder() -> Path:
    """Return the private folder of the running daemon; ``LIVEVAE_RUNTIME_DIR`` moves it."""
    if chosen := os.environ.get("LIVEVAE_RUNTIME_DIR"):
        return Path(chosen)
    with warnings.catch_warnings(action="ignore"):
        # Without a desktop session it falls back to /tmp and warns; make_private checks that.
        return platformdirs.user_runtime_path("livevae", appauthor=False)


def make_private(folder: Path) -> None:
    """Make ``folder``, or check that it is ours alone.

    Raises:
        WorkError: it cannot be made, or belongs to somebody else.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid"):
            found, parent = folder.stat(), folder.parent.stat()
            if found.st_uid != os.getuid() or parent.st_uid not in (os.getuid(), 0):
                raise WorkError(f"{folder} belongs to another user; set LIVEVAE_RUNTIME_DIR")
            if found.st_mode & 0o077:
                raise WorkError(f"{folder} is open to other users; `chmod 700` it, or remove it")
    except OSError as error:
        raise WorkError(f"{folder} cannot be made: {error.strerror}") from error


def ask(request: Request, folder: Path | None = None, patience_s: float = PATIENCE_S) -> bytes:
    """Send a request to the running daemon and return the JSON of its result.

    Args:
        request: what to ask for.
        folder: the daemon's runtime folder, if it is not the usual one.
        patience_s: how long to wait for an answer.

    Raises:
        NotRunningError: no daemon runs.
        WorkError: the daemon does not answer.
        UsageError: the daemon refused the request.
    """
    folder = folder or runtime_folder()
    try:
        with _connected(folder) as (connection, token):
            connection.settimeout(patience_s)
            line = msgspec.json.encode(msgspec.structs.replace(request, token=token))
            connection.sendall(line + b"\n")
            with connection.makefile("rb") as stream:
                reply = msgspec.json.decode(stream.readline(MAX_LINE_BYTES), type=Reply)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise NotRunningError("LiveVAE is not running; start it with `livevae run`") from error
    except (OSError, msgspec.MsgspecError) as error:
        raise WorkError(f"the running LiveVAE does not answer ({error}); restart it") from error
    if reply.error:
        raise (UsageError if reply.exit_code == UsageError.exit_code else WorkError)(reply.error)
    return bytes(reply.result)


@contextlib.contextmanager
def _connected(folder: Path):  # type: ignore[no-untyped-def]
    if hasattr(socket, "AF_UNIX"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(folder / "control.sock"))
            yield connection, ""
    else:
        door = msgspec.json.decode((folder / "control.json").read_bytes(), type=Door)
        with socket.create_connection(("127.0.0.1", door.port)) as connection:
            yield connection, door.token


class ControlServer:
    """Serves requests with ``answer`` until closed."""

    def __init__(self, folder: Path, answer: Callable[[Request], object]) -> None:
        """Serve in ``folder``. ``answer`` may be awaitable; LiveVAEErrors go to the asker."""
        self._folder = folder
        self._answer = answer
        self._token = ""
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen."""
        if hasattr(asyncio, "start_unix_server"):
            path = self._folder / "control.sock"
            path.unlink(missing_ok=True)
            try:
                self._server = await asyncio.start_unix_server(
                    self._serve, path, limit=MAX_LINE_BYTES
                )
            except OSError as error:
                sentence = f"{path} cannot be listened on ({error}); set LIVEVAE_RUNTIME_DIR"
                raise WorkError(sentence) from error
            path.chmod(0o600)
            return
        self._token = secrets.token_hex(16)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MAX_LINE_BYTES)
        door = Door(self._server.sockets[0].getsockname()[1], self._token)
        (self._folder / "control.json").write_bytes(msgspec.json.encode(door))

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
        for name in ("control.sock", "control.json"):
            (self._folder / name).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(msgspec.json.encode(await self._reply(line)) + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError, asyncio.CancelledError):
            # Gone, a line longer than any request, or everybody leaves: that client is done. For a
            # handler that ends as cancelled asyncio's streams print a traceback.
            pass
        finally:
            writer.close()

    async def _reply(self, line: bytes) -> Reply:
        try:
            request = msgspec.json.decode(line, type=Request)
            if not hmac.compare_digest(request.token.encode(), self._token.encode()):
                raise UsageError("the token is wrong")
            result = self._answer(request)
            if asyncio.iscoroutine(result):
                result = await result
            return Reply(result=msgspec.Raw(msgspec.json.encode(result)))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return Reply(error=f"that is no request: {error}", exit_code=UsageError.exit_code)
        except LiveVAEError as error:
            return Reply(error=str(error), exit_code=error.exit_code)
