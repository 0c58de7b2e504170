"""Who stands at the far end of a connection, given all who held its address."""

from __future__ import annotations

import pytest

from cmdb_server.model.connections import (
    Endpoint,
    Holder,
    Listener,
    resolve_end,
)


def host(ci: str, *listens: str, group: bool = False) -> Holder:
    """A holder whose applications are written ``app=tcp:0.0.0.0:80``."""
    parsed = [Listener.parse(*text.split("=")) for text in listens]
    return Holder(ci, tuple(listener for listener in parsed if listener), group)


@pytest.mark.parametrize(
    ("listens", "address", "ci", "how"),
    [
        (["pg=tcp:10.0.0.7:5432"], "10.0.0.7", "pg", "listener"),
        (["pg=tcp:0.0.0.0:5432"], "10.0.0.7", "pg", "listener"),
        (["pg=tcp:*:5432"], "10.0.0.7", "pg", "listener"),
        (["pg=tcp:[::]:5432"], "10.0.0.7", "pg", "listener"),
        (["pg=tcp:[::]:5432"], "2001:db8::7", "pg", "listener"),
        (["pg=tcp:[::ffff:10.0.0.7]:5432"], "10.0.0.7", "pg", "listener"),
        (["pg=tcp:0.0.0.0:5432"], "2001:db8::7", "host", "host"),
        (["pg=tcp:127.0.0.1:5432"], "10.0.0.7", "host", "host"),
        (["pg=tcp:10.0.0.8:5432"], "10.0.0.7", "host", "host"),
        (["pg=udp:0.0.0.0:5432"], "10.0.0.7", "host", "host"),
        (["pg=tcp:0.0.0.0:5433"], "10.0.0.7", "host", "host"),
        (["any=tcp:0.0.0.0:5432", "pg=tcp:10.0.0.7:5432"], "10.0.0.7", "pg", "listener"),
        (["v6=tcp:[::]:5432", "v4=tcp:0.0.0.0:5432"], "10.0.0.7", "v4", "listener"),
        (["a=tcp:0.0.0.0:5432", "b=tcp:0.0.0.0:5432"], "10.0.0.7", "host", "host"),
    ],
)
def test_narrowest_listener_stands_at_the_end(listens: list[str], address: str, ci: str, how: str) -> None:
    found = resolve_end(Endpoint(address, 5432), [host("host", *listens)])
    assert (found.ci, found.host, found.how) == (ci, "host", how)


def test_two_listeners_of_equal_width_are_candidates_on_their_host() -> None:
    found = resolve_end(Endpoint("10.0.0.7", 80), [host("h", "b=tcp:0.0.0.0:80", "a=tcp:0.0.0.0:80")])
    assert (found.ci, found.candidates, found.maybe_translated) == ("h", ("a", "b"), False)


def test_an_address_nobody_listens_on_may_be_translated() -> None:
    found = resolve_end(Endpoint("10.0.0.1", 443), [host("gateway", "sshd=tcp:0.0.0.0:22")])
    assert (found.ci, found.maybe_translated) == ("gateway", True)
    assert not resolve_end(Endpoint("10.0.0.1"), [host("gateway")]).maybe_translated


def test_several_holders_are_not_guessed_even_if_one_listens() -> None:
    found = resolve_end(Endpoint("10.0.0.7", 80), [host("b", "nginx=tcp:0.0.0.0:80"), host("a")])
    assert (found.ci, found.host, found.how, found.candidates) == (None, None, "ambiguous", ("a", "b"))


def test_a_group_owns_the_address_its_members_share() -> None:
    found = resolve_end(Endpoint("10.0.0.1", 80), [host("a"), host("vrrp", group=True), host("b")])
    assert (found.ci, found.how) == ("vrrp", "group")


def test_one_ci_told_twice_is_one_holder() -> None:
    assert resolve_end(Endpoint("10.0.0.7"), [host("a"), host("a")]).ci == "a"


def test_nobody_and_loopback_resolve_to_nothing() -> None:
    assert resolve_end(Endpoint("10.0.0.7", 80), []).how == "unknown"
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.5"):
        assert resolve_end(Endpoint(address, 80), [host("a", "x=tcp:*:80")]).how == "local"


@pytest.mark.parametrize("text", ["", "tcp", "tcp:0.0.0.0:", "tcp:0.0.0.0:http", ":0.0.0.0:80"])
def test_what_is_no_listener_is_none(text: str) -> None:
    assert Listener.parse("x", text) is None


def test_a_scoped_listener_is_compared_without_its_scope() -> None:
    assert Listener.parse("x", "udp:[fe80::1%eth0]:546") == Listener("x", "udp", "fe80::1", 546)
