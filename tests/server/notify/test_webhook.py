"""Deliveries go to where they may, signed, once, and nowhere else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from cmdb_server.notify.webhook import RefusedError, check, resolved, send, sign
from tests.receiver import Receiver

HERE = ("127.0.0.0/8",)
BODY = b'{"id": "an event"}'  # the receiver reads single documents


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.stop()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_refused_unless_allowed(address: str) -> None:
    with pytest.raises(RefusedError, match="CMDB_WEBHOOK_NETWORKS"):
        check(address, ())
    check(address, ("0.0.0.0/0", "::/0"))


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111"])
def test_public_addresses_are_not(address: str) -> None:
    check(address, ())


def test_a_delivery_is_signed_and_names_itself(receiver: Receiver) -> None:
    send(receiver.url, BODY, "d1", "hush", 1700000000, HERE)
    (headers,) = receiver.headers
    assert headers["Content-Type"] == "application/cloudevents-batch+json"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("d1", "1700000000")
    mark = hmac.new(b"hush", b"d1.1700000000." + BODY, hashlib.sha256).digest()
    assert headers["webhook-signature"] == sign("hush", "d1", 1700000000, BODY)
    assert headers["webhook-signature"] == "v1," + base64.b64encode(mark).decode()


def test_loopback_is_refused_before_anything_is_sent(receiver: Receiver) -> None:
    with pytest.raises(RefusedError):
        send(receiver.url, BODY, "d1", "hush", 0, ())
    assert receiver.received == []


def test_a_name_is_resolved_once_and_all_its_addresses_are_judged(receiver: Receiver) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    url = receiver.url.replace("127.0.0.1", "hooks.example.net")
    send(url, BODY, "d1", "hush", 0, HERE, resolve)
    assert asked == ["hooks.example.net"]
    assert receiver.headers[0]["Host"].startswith("hooks.example.net:")
    with pytest.raises(RefusedError):
        send(url, BODY, "d2", "hush", 0, HERE, lambda *_: ["127.0.0.1", "10.0.0.1"])
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 500])
def test_anything_but_success_is_a_failure_and_redirects_are_not_followed(receiver: Receiver, status: int) -> None:
    receiver.reply = lambda _: (status, {"Location": receiver.url + "/elsewhere"}, b"")
    with pytest.raises(RefusedError, match=str(status)):
        send(receiver.url, BODY, "d1", "hush", 0, HERE)
    assert [headers[":path"] for headers in receiver.headers] == ["/"]


def test_a_failure_never_tells_the_secret() -> None:
    with pytest.raises(RefusedError) as refused:
        send("http://127.0.0.1:1", BODY, "d1", "hush-hush", 0, HERE)
    assert "hush" not in str(refused.value)


def test_a_name_without_an_address() -> None:
    with pytest.raises(RefusedError):
        resolved("no-such-host.invalid", 80)


def test_whoever_answers_too_slowly_or_without_end_is_not_waited_for() -> None:
    """One tells its headers a byte at a time, the other a body that never ends: a status is all that is wanted."""
    with answering(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a") as slow, pytest.raises(RefusedError):
        send(slow, BODY, "d1", "hush", 0, HERE, whole=0.5)
    with answering(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 65536) as endless:
        send(endless, BODY, "d1", "hush", 0, HERE)


@contextmanager
def answering(first: bytes, again: bytes) -> Iterator[str]:
    """The URL of a server that says ``first``, and then ``again`` and again."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ended = threading.Event()

        def serve() -> None:
            with suppress(OSError), listening.accept()[0] as peer:
                peer.sendall(first)
                while not ended.wait(0.01):
                    peer.sendall(again)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            ended.set()
            thread.join()
