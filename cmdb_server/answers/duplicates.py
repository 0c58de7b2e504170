"""Addresses that several CIs hold at once: a fault of the network, or of the estate's data, that no one else reports. A
group's address is also its members', any of which may answer there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.deleted import deleted_of
from cmdb_server.ingest.sighting import GROUP
from cmdb_server.ingest.tasks import task_id
from cmdb_server.store import tables
from cmdb_server.store.digest import PAGE
from cmdb_server.store.port import Reading, Row

R = {name: tables.RECORD.position(name) for name, _ in tables.RECORD.columns}
CLASS = tables.CI.position("class")
ADDRESS, MEMBER = "address", "member_of"


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An address within a site, the CIs that hold it now and the records that say so, each sorted."""

    site: str
    address: str
    cis: tuple[str, ...]
    records: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The id of the task that it is: the same for as long as the address is held by several."""
        return task_id("duplicate-address", self.site, self.address)


def duplicates_in(tx: Reading) -> Iterator[Duplicate]:
    """All of them, sorted by site and address. Work follows the number of addresses."""
    for value, rows in groupby(_entries(tx), key=lambda row: row[1]):
        borne = [(row[2],) for row in rows if row[4] is None]
        if len(borne) < 2:
            continue
        held = [row for row in tx.get(tables.RECORD, borne).values() if row[R["ended_at"]] is None]
        cis = {row[R["ci"]] for row in held}
        if len(cis) > 1 and (gone := deleted_of(tx, cis)):
            cis, held = cis - gone, [row for row in held if row[R["ci"]] not in gone]
        if len(cis) > 1:
            cis -= _of_group(tx, cis)
            held = [row for row in held if row[R["ci"]] in cis]
        if len(cis) > 1:
            site, _, address = value.partition("|")
            yield Duplicate(site, address, tuple(sorted(cis)), tuple(sorted(row[0] for row in held)))


def _of_group(tx: Reading, cis: set[str]) -> set[str]:
    """Those of the CIs that hold a group's address as its members, where one of them is the group."""
    groups = [key[0] for key, row in tx.get(tables.CI, [(ci,) for ci in cis]).items() if row[CLASS] in _groups()]
    if len(groups) != 1:
        return set()
    return {key[0] for key in tx.get(tables.RELATION, [(ci, MEMBER, groups[0]) for ci in cis])}


@cache
def _groups() -> frozenset[str]:
    return frozenset(name for name, class_ in classes().items() if class_.is_a(GROUP))


def _entries(tx: Reading) -> Iterator[Row]:
    """The index's rows of addresses, in order."""
    after = (ADDRESS, "", "")
    while page := tx.scan(tables.IDENTIFIER, after, PAGE):
        yield from (row for row in page if row[0] == ADDRESS)
        if page[-1][0] != ADDRESS or len(page) < PAGE:
            return
        after = page[-1][:3]
