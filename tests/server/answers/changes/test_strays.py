"""What of the feed is a change that nobody booked, on either store's rows."""

from __future__ import annotations

import pytest

from cmdb_server.answers.changes.strays import Cis, strays
from cmdb_server.ingest.declare import edit
from cmdb_server.store.port import Store
from tests.estate import Estate, minute
from tests.factories import host

WEB = {"name": ["web"], "serial": ["SN1"], "mac": ["3c:ec:ef:00:00:01"]}


@pytest.fixture
def store(each_store: Store) -> Store:
    return each_store


def found(store: Store, since: int) -> list[tuple[str, str]]:
    told = store.read(lambda tx: strays(tx, since, minute(999)))
    return [(one.difference.change, one.difference.name) for one in told.items]


def test_every_revision_is_looked_at_as_a_whole_and_once(store: Store) -> None:
    estate = Estate(store)
    for at, version in ((0, "1"), (10, "2"), (20, "3"), (30, "4")):
        estate.tell(at, *(host(f"h{n}", f"10.0.0.{n}", os_version=version) for n in range(1, 4)))
    since, all_, looks = 0, 0, 0
    while (told := store.read(lambda tx, since=since: strays(tx, since, minute(99), most=2))).rows:
        all_, looks, since = all_ + len(told.items), looks + 1, told.until
    assert (all_, looks, since) == (9, 4, store.revision())
    assert len(found(store, 0)) == 9


def test_what_another_source_says_of_it_decides(store: Store) -> None:
    """A value that does not win changes nothing."""
    estate = Estate(store)
    estate.tell(0, host("web", "10.0.0.1", identifiers=WEB, environment="test"))
    web = estate.ci("web")
    edit(store, "ann", web["id"], {"environment": "production"}, web["revision"], now_ms=minute(5))
    since = store.revision()
    estate.tell(10, host("web", "10.0.0.1", identifiers=WEB, environment="development"))
    assert found(store, since) == []


def test_what_came_back_is_told(store: Store) -> None:
    estate = Estate(store)
    for at, names in ((0, "ab"), (10, "a"), (20, "ab")):
        since = store.revision()
        estate.tell(at, *(host(name, f"10.0.0.{place}") for place, name in enumerate(names, 1)))
        if at == 10:
            assert found(store, since) == [("ended", "b")]
    assert found(store, since) == [("returned", "b")]
    assert found(store, 0) == [("ended", "b"), ("returned", "b")], "that it was gone is told though it is back"


def test_what_is_found_of_a_revision_is_the_same_beside_others(store: Store) -> None:
    estate = Estate(store)
    estate.tell(0, host("a", "10.0.0.1"))
    for at, uses in ((10, []), (20, [("10.0.0.1", 80)])):
        estate.tell(at, host("a", "10.0.0.1", listens=[80]), host("b", "10.0.0.2", listens=[80], uses=uses))
    told = store.read(lambda tx: strays(tx, 0, minute(99)))
    each = [store.read(lambda tx, n=n: strays(tx, n - 1, minute(99), until=n)) for n in range(1, store.revision() + 1)]
    assert {one.difference.kind for one in told.items} == {"ci", "relation"}
    assert [one.until for one in each] == [*range(1, store.revision() + 1)]
    alone = [(one.revision, one.difference.place) for part in each for one in part.items]
    assert sorted(alone) == sorted((one.revision, one.difference.place) for one in told.items)


def test_parts_are_of_the_outermost(store: Store) -> None:
    estate = Estate(store)
    estate.tell(0, host("web", "10.0.0.1"))
    part, whole = estate.part("web", "eth0")["id"], estate.ci("web")["id"]
    assert store.read(lambda tx: Cis(tx, [part]).lineage(part)) == [part, whole]
