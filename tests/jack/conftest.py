"""One JACK server for all tests of this folder."""

import sys
from collections.abc import Iterator

import pytest

from tests.jack import peers

collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]


@pytest.fixture(scope="session", autouse=True)
def server() -> Iterator[None]:
    with peers.jack_server():
        yield
