"""Who stands at the far end of a connection, and one relation of what both sides claim."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.model.connections import (
    ONE_SIDED,
    Connection,
    Endpoint,
    Holder,
    Listener,
    join,
    resolve_end,
    translate,
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


def test_translation_is_followed_through_devices_and_out_of_loops() -> None:
    vip, inner, a, b = (Endpoint(f"10.0.0.{n}", 80) for n in (1, 2, 3, 4))
    assert translate(vip, {}) == (vip,)
    assert translate(vip, {vip: [inner], inner: [b, a]}) == (a, b)
    assert translate(vip, {vip: [inner, a], inner: [vip]}) == (a,)
    assert translate(vip, {vip: [inner], inner: [vip]}) == (vip,)


CLIENT = Connection("c1", "client", "app", "H", "pg", "D", 5432)
SERVER = Connection("s1", "server", "H", "H", "pg", "D", 5432)


def test_both_sides_of_one_connection_are_one_relation() -> None:
    (one,) = join([CLIENT, SERVER])
    assert (one.consumer, one.provider, one.claims, one.confidence) == ("app", "pg", ("c1", "s1"), 1.0)


def test_one_side_is_kept_with_less_confidence() -> None:
    (one,) = join([SERVER])
    assert (one.consumer, one.provider, one.confidence) == ("H", "pg", ONE_SIDED)


def test_the_servers_word_names_the_application_the_client_could_not_see() -> None:
    (one,) = join([Connection("c1", "client", "app", "H", "D", "D", 5432), SERVER])
    assert (one.consumer, one.provider, one.claims) == ("app", "pg", ("c1", "s1"))


def test_another_port_of_the_same_host_is_another_relation() -> None:
    redis = Connection("s2", "server", "H", "H", "redis", "D", 6379)
    assert [(one.consumer, one.provider) for one in join([CLIENT, SERVER, redis])] == [("H", "redis"), ("app", "pg")]


def test_a_servers_word_supports_every_application_that_named_it() -> None:
    worker = Connection("c2", "client", "worker", "H", "pg", "D", 5432)
    assert [(one.consumer, one.claims) for one in join([CLIENT, worker, SERVER])] == [
        ("app", ("c1", "s1")),
        ("worker", ("c2", "s1")),
    ]


def test_a_relay_is_no_consumer_by_a_servers_word_but_by_its_own() -> None:
    assert join([SERVER], relays={"H"}) == []
    assert len(join([CLIENT], relays={"H"})) == 1


def test_nothing_depends_on_itself() -> None:
    assert join([Connection("c", "client", "app", "H", "app", "H", 80)]) == []


def test_transient_only_while_every_claim_is() -> None:
    passing = Connection("c1", "client", "job", "H", "pg", "D", 5432, transient=True)
    assert join([passing])[0].transient
    assert not join([passing, SERVER])[0].transient


claims = st.builds(
    Connection,
    key=st.sampled_from("abcdef"),
    side=st.sampled_from(["client", "server"]),
    consumer=st.sampled_from(["H", "app", "job"]),
    consumer_host=st.just("H"),
    provider=st.sampled_from(["D", "pg", "redis"]),
    provider_host=st.just("D"),
    port=st.sampled_from([5432, 6379]),
    confidence=st.sampled_from([0.5, 1.0]),
)


@given(st.lists(claims, max_size=8), st.randoms())
def test_order_and_repetition_say_nothing(told: list[Connection], random: object) -> None:
    shuffled = [*told, *told[:3]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert join(shuffled) == join(told)
