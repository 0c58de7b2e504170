"""One claim at a time on any row that can be claimed."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

from cmdb_server.practices.claims import CLAIM_MS, FIRST_RETRY_MS, Claims
from cmdb_server.store.port import Store
from cmdb_server.store.tables import JOB

NOW = 1_700_000_000_000


@dataclass(frozen=True)
class Thing:
    id: str
    kind: str = "x"
    subject: str = ""
    due_at: int | None = NOW
    claimed_until: int = 0
    fence: int = 0
    attempts: int = 0
    fault: str | None = None
    done_at: int | None = None


CLAIMS = Claims(JOB, lambda row: Thing(*row), astuple)


def put(store: Store, thing: Thing) -> None:
    store.write(lambda tx: tx.put(JOB, [astuple(thing)]))


def test_claimed_when_due_and_by_one_alone(store: Store) -> None:
    put(store, Thing("a"))
    put(store, Thing("never", due_at=None))
    assert CLAIMS.claim(store, "a", NOW - 1) is None
    assert CLAIMS.claim(store, "never", NOW) is None and CLAIMS.claim(store, "nothing", NOW) is None
    mine = CLAIMS.claim(store, "a", NOW)
    assert mine == Thing("a", claimed_until=NOW + CLAIM_MS, fence=1)
    before = store.revision()
    assert CLAIMS.claim(store, "a", NOW + CLAIM_MS - 1) is None
    assert store.revision() == before, "who comes too late writes nothing"
    other = CLAIMS.claim(store, "a", NOW + CLAIM_MS)
    assert other is not None and other.fence == 2


def test_only_the_newest_claim_says_how_it_ended(store: Store) -> None:
    put(store, Thing("a"))
    slow, quick = CLAIMS.claim(store, "a", NOW), CLAIMS.claim(store, "a", NOW + CLAIM_MS)
    assert slow is not None and quick is not None
    before = store.read(lambda tx: CLAIMS.find(tx, "a"))
    assert not CLAIMS.end(store, replace(slow, done_at=1)) and not CLAIMS.failed(store, slow, "late", NOW)
    assert store.read(lambda tx: CLAIMS.find(tx, "a")) == before
    assert CLAIMS.failed(store, quick, "no", NOW)
    found = store.read(lambda tx: CLAIMS.find(tx, "a"))
    assert found == Thing("a", due_at=NOW + FIRST_RETRY_MS, fence=2, attempts=1, fault="no")
    store.write(lambda tx: tx.delete(JOB, [("a",)]))
    assert not CLAIMS.end(store, quick)


def test_a_claim_is_extended_by_who_has_it(store: Store) -> None:
    put(store, Thing("a"))
    slow = CLAIMS.claim(store, "a", NOW)
    assert slow is not None and CLAIMS.extend(store, slow, NOW + 10)
    assert CLAIMS.claim(store, "a", NOW + CLAIM_MS) is None
    quick = CLAIMS.claim(store, "a", NOW + CLAIM_MS + 10)
    assert quick is not None and not CLAIMS.extend(store, slow, NOW + CLAIM_MS + 10)
    assert store.read(lambda tx: CLAIMS.find(tx, "a")) == quick
    assert CLAIMS.end(store, quick)
