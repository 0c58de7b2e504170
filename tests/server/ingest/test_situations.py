"""The situations identity must tell apart, from observations through ingest, in every order of arrival."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations
from pathlib import Path

import pytest

from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore
from tests.delivered import Outcome, bodies, deliver, sighted
from tests.observed import Scan, Thing
from tests.situations import SITUATIONS, Situation

MOST = 5
"""Of up to so many reports every order is tried; of more, a sample."""
SAMPLE = 120


def orders(told: Sequence[bytes], most: int = MOST, sample: int = SAMPLE) -> Iterable[Sequence[bytes]]:
    if len(told) <= most:
        yield from permutations(told)
        return
    rng = random.Random(len(told))
    yield told
    for _ in range(sample):
        yield rng.sample(told, len(told))


def expected(case: Situation) -> set[str]:
    """The sightings by CI: all of one record are where its last one belongs."""
    letter_of = {letter: group for group in case.cis for letter in group}
    latest: dict[object, tuple[int, str]] = {}
    record_of: dict[str, object] = {}
    for scan in case.scans:
        for thing in scan.things:
            record_of[thing.id] = key = _record(scan, thing)
            latest[key] = max(latest.get(key, (-1, "")), (scan.at, thing.id))
    return grouped({id_: letter_of[latest[key][1]] for id_, key in record_of.items()})


def _record(scan: Scan, thing: Thing) -> object:
    evidence = tuple((kind, tuple(values)) for kind, values in sorted(thing.identifiers.items()))
    return scan.source, scan.scope, thing.key or thing.address, thing.class_, evidence


def grouped(ci_of: Mapping[str, str]) -> set[str]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for sighting in sorted(ci_of):
        groups[ci_of[sighting]].append(sighting)
    return {"".join(group) for group in groups.values()}


def check(case: Situation, store: Store, told: Sequence[bytes]) -> Outcome:
    found = deliver(store, told)
    assert grouped(sighted(store, bodies(case.scans), case.scans)) == expected(case)
    assert {task["value"][0] for task in found.tasks.get("distrusted", ())} == case.distrusted  # type: ignore[index]
    assert len(found.tasks.get("review", ())) == case.reviews
    return found


@pytest.mark.parametrize("case", SITUATIONS, ids=lambda case: case.title)
def test_every_situation_comes_out_the_same_in_every_order(case: Situation, tmp_path: Path) -> None:
    first: Outcome | None = None
    for n, told in enumerate(orders(bodies(case.scans))):
        store = SqliteStore(tmp_path / f"{n}.sqlite")
        found = check(case, store, told)
        store.close()
        first = first or found
        assert found == first


@pytest.mark.neo4j
@pytest.mark.parametrize("case", SITUATIONS, ids=lambda case: case.title)
def test_every_situation_on_neo4j(case: Situation, neo4j_opener: Callable[[], Store], tmp_path: Path) -> None:
    """Told backwards, which is the hardest order; the digest is the embedded store's."""
    told = bodies(case.scans)
    embedded, graph = SqliteStore(tmp_path / "cmdb.sqlite"), neo4j_opener()
    assert check(case, graph, told[::-1]) == check(case, embedded, told)
    embedded.close(), graph.close()
