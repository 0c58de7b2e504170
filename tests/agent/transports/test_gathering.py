"""Reading ahead: the same bytes in the same order, in fewer awakenings, and an end that is told at once."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from cmdb_agent.transports.gathering import GatheringSocket


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, GatheringSocket]]:
    """A TCP connection on loopback: the far end, and ours."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    ours.settimeout(5)
    gathering = GatheringSocket(ours)
    with far:
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield far, gathering
    gathering.close()


def test_pieces_of_any_size_come_in_their_order(ends: tuple[socket.socket, GatheringSocket]) -> None:
    far, ours = ends
    ours.gather(0.05)
    sent = bytes(range(256)) * 300
    far.sendall(sent)
    far.shutdown(socket.SHUT_WR)
    got = b""
    for size in [1, 16, 5, 1000, 70_000] * 1000:
        try:
            piece = ours.recv(size)
        except TimeoutError:
            continue
        assert len(piece) <= size
        if not piece:
            break
        got += piece
    assert got == sent


def test_small_packets_gather_into_one_reading(ends: tuple[socket.socket, GatheringSocket]) -> None:
    far, ours = ends
    ours.gather(0.5)
    for _ in range(10):
        far.sendall(b"x" * 20)
        time.sleep(0.005)
    assert ours.recv(65_536) == b"x" * 200


def test_nothing_to_read_is_a_timeout_and_no_end(ends: tuple[socket.socket, GatheringSocket]) -> None:
    _, ours = ends
    ours.gather(0.01)
    with pytest.raises(TimeoutError):
        ours.recv(16)


def test_closing_wakes_who_waits(ends: tuple[socket.socket, GatheringSocket]) -> None:
    _, ours = ends
    ours.settimeout(60)
    seen: list[bytes | OSError] = []

    def wait() -> None:
        try:
            seen.append(ours.recv(16))
        except OSError as error:
            seen.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.1)
    ours.close()
    waiting.join(30)
    assert not waiting.is_alive()
    assert len(seen) == 1
    assert not isinstance(seen[0], TimeoutError)
