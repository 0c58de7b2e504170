"""The graph is a pure function of the observations: any order, any repeats, any lateness give the same digest."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmdb_schemas.report import Component, End, Observation, Relation
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store.digest import graph_digest
from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI
from tests.factories import START, host, report

MINUTE = 60_000
CALLER = Caller("tests", "admin")
NOW = START + 100 * MINUTE

names = st.sampled_from(["a", "b", "c"])
addresses = st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.3"])


@st.composite
def things(draw: Any) -> Any:
    name = draw(names)
    kinds: dict[str, list[str]] = {"name": [name]}
    if draw(st.booleans()):
        kinds["fqdn"] = [f"{name}.{draw(st.sampled_from(['x', 'y']))}.net"]
        if draw(st.booleans()):
            del kinds["name"]
    if draw(st.booleans()):
        kinds["serial"] = [draw(st.sampled_from(["CZ3412AB01", "CZ3412AB02", "CZ3412AB03"]))]
    if draw(st.booleans()):
        kinds["mac"] = draw(
            st.lists(st.sampled_from([f"3c:ec:ef:00:00:0{n}" for n in (1, 2, 3)]), min_size=1, unique=True)
        )
    told = host(
        name, draw(addresses), identifiers=kinds, listens=draw(st.lists(st.sampled_from([80, 443]), unique=True)),
        uses=draw(st.lists(st.tuples(addresses, st.sampled_from([80, 443])), max_size=2, unique=True)),
        packages=draw(st.lists(st.sampled_from(["pkg:deb/x@1", "pkg:deb/x@2"]), max_size=2, unique=True)),
        **draw(st.dictionaries(st.sampled_from(["os_name", "os_version"]), st.sampled_from(["1", "2", ""]))),
    )  # fmt: skip
    for called in draw(st.lists(st.sampled_from(["a", "b", "a.x.net", "b.y.net"]), max_size=2, unique=True)):
        told.relations.append(Relation("monitored_by", End(identifiers={"name": [called]})))
    for other in draw(st.lists(st.sampled_from(["p", "q"]), max_size=2, unique=True)):
        told.components.append(Component(other, "web_server", other, attributes={"listens": ["tcp:0.0.0.0:80"]}))
    return told


def seen_as(thing: Any) -> str:
    """What tells one sighting of a scan from another."""
    return repr((thing.address, sorted((kind, sorted(values)) for kind, values in thing.identifiers.items())))


@st.composite
def reports(draw: Any) -> list[bytes]:
    """Scans of three scopes by two sources, whole, partial or failed; no two of a scope at one moment."""
    told = []
    moments = draw(st.lists(st.tuples(st.integers(0, 8), st.sampled_from(["x", "y", "z"])), max_size=7, unique=True))
    for number, (minute, scope) in enumerate(moments):
        seen = draw(st.lists(things(), max_size=3, unique_by=seen_as))
        told.append(
            report(
                f"r{number}", START + minute * MINUTE, seen, target=f"scope-{scope}",
                source="snmp" if scope == "z" else "ssh",
                sent=NOW, coverage={"scope": draw(st.sampled_from(["complete", "complete", "partial"]))},
            )
        )  # fmt: skip
    return told


def digest_after(store: Store, bodies: list[bytes]) -> str:
    for body in bodies:
        ingest(store, body, CALLER, NOW)
    return store.read(graph_digest)


def assert_order_is_nothing(folder: Path, told: list[bytes], rng: random.Random) -> None:
    """Told as they are, and in another order with some of them repeated, they give the same graph."""
    shuffled = told + [body for body in told if rng.random() < 0.3]
    rng.shuffle(shuffled)
    one, other = open_store(folder / "one"), open_store(folder / "other")
    assert digest_after(one, told) == digest_after(other, shuffled)
    one.close(), other.close()


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=reports(), seed=st.integers(0, 2**32))
def test_any_order_and_any_repeats_give_the_same_graph(
    tmp_path_factory: pytest.TempPathFactory, told: list[bytes], seed: int
) -> None:
    assert_order_is_nothing(tmp_path_factory.mktemp("order"), told, random.Random(seed))


def test_who_held_an_address_does_not_depend_on_when_a_holder_was_heard_of_again(tmp_path: Path) -> None:
    """One answers there before and after the claim; in between, in another scope, somebody without a name did."""
    there = "10.0.0.3"
    named = host("c", there, identifiers={"name": ["c"]})
    unnamed = host("a", there, identifiers={})
    claimant = host("b", "10.0.0.1", identifiers={}, listens=[80], uses=[(there, 443)])
    told = [
        report("r0", START, [named], target="scope-z", source="snmp", sent=NOW),
        report("r1", START + MINUTE, [unnamed], target="scope-x", sent=NOW),
        report("r2", START + 5 * MINUTE, [named], target="scope-z", source="snmp", sent=NOW),
        report("r3", START + 2 * MINUTE, [claimant], target="scope-x", sent=NOW),
    ]
    stores = [open_store(tmp_path / str(number)) for number in range(24)]
    orders = itertools.permutations(told)
    digests = {digest_after(store, list(order)) for store, order in zip(stores, orders, strict=True)}
    for store in stores:
        store.close()
    assert len(digests) == 1


def test_a_word_about_what_is_named_goes_with_who_said_it(tmp_path: Path) -> None:
    """What a claim says of the thing it names counts while it says so, whichever of its words came first."""

    def naming(**told: str) -> Observation:
        seen = host("a", "10.0.0.1")
        named = End(class_="software_package", key="pkg:k", attributes=told)
        seen.relations.append(Relation("depends_on", End(ref=seen.ref), named))
        return seen

    for first, then in (({"version": "2"}, {"version": "1"}), ({"vendor": "x"}, {})):
        told = [report(f"r{n}", START + n * MINUTE, [naming(**said)], sent=NOW) for n, said in enumerate((first, then))]
        stores = [open_store(tmp_path / f"{first} {way}") for way in ("onward", "back", "last alone")]
        one, other, last = (
            digest_graph(store, bodies)
            for store, bodies in zip(stores, (told, told[::-1], told[1:]), strict=True)
        )  # fmt: skip
        for store in stores:
            store.close()
        assert one == other
        assert one["pkg:k"] == last["pkg:k"] == {"purl": "pkg:k"} | then


def digest_graph(store: Store, bodies: list[bytes]) -> dict[str, Any]:
    """The digest, and what is known of each CI by its name."""
    told: dict[str, Any] = {"digest": digest_after(store, bodies)}
    return told | {row[2]: row[5] for row in store.read(lambda tx: tx.scan(CI))}


def open_store(path: Path) -> SqliteStore:
    return SqliteStore(path)
