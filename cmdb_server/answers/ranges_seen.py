"""The ranges of addresses of an estate: told of by networks and by interfaces in them, judged by what was seen there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cmdb_server.answers.lives import Sought
from cmdb_server.answers.ranges import Range, Ranges, network_of
from cmdb_server.ingest.sighting import EVERYWHERE
from cmdb_server.store import tables
from cmdb_server.store.digest import pages
from cmdb_server.store.port import Reading, Row

C = {name: tables.CI.position(name) for name, _ in tables.CI.columns}
L = {name: tables.LANE.position(name) for name, _ in tables.LANE.columns}
NETWORK, INTERFACE, ADDRESS = "ip_network", "network_interface", "ip_address"
BEARERS = (NETWORK, INTERFACE, ADDRESS)
"""Classes of which a CI stands for a range: the network's own, or who bears an address in it."""
TOLD = 3
NOBODY = Sought(frozenset(), False, False, frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class RangeSeen:
    """A range in which somebody was seen whom no scan looked for. ``ci`` stands for it. ``entered``: whether a scan set
    out for some of it. ``seen``, ``scanned``: addresses. ``tellers``: who told of those that were not scanned."""

    network: str
    site: str
    ci: str
    entered: bool
    seen: int
    scanned: int
    tellers: tuple[str, ...]

    def told(self) -> str:
        """In one line."""
        where = self.network if self.site == EVERYWHERE else f"{self.network} at {self.site}"
        more = len(self.tellers) - TOLD
        who = ", ".join(self.tellers[:TOLD]) + (f" and {more} more" if more > 0 else "")
        return f"{where}: {self.scanned} of {self.seen} addresses seen there were scanned; the others told by {who}"


def ranges_in(
    tx: Reading,
    living: Sequence[Row],
    rows: Mapping[str, Row],
    sought: Mapping[str, Sought],
    spoken: Iterable[tuple[str, str]],
) -> Iterator[RangeSeen]:
    """Those of the ``living`` CIs. ``rows``: all CIs by id. ``sought``: who looked for each that is no component.
    ``spoken``: CI and ``site|address`` of the addresses that nothing was found at. Work follows the number of CIs,
    scopes and addresses; only the scopes are read."""
    ranges = Ranges()
    _networks(ranges, living, rows, sought)
    for lane in pages(tx, tables.LANE):
        if lane[L["site"]] != EVERYWHERE:
            ranges.target(lane[L["target"]], lane[L["site"]])
    for row in living:
        _addresses(ranges, row, rows, sought)
    for ci, where in spoken:
        if (top := _top(ci, rows)) is not None:
            site, _, address = where.rpartition("|")
            ranges.address(address, site, [_name(top)], scanned=False, known=False)
    return (_told(one) for one in ranges.every() if one.unknown)


def _networks(ranges: Ranges, living: Iterable[Row], rows: Mapping[str, Row], sought: Mapping[str, Sought]) -> None:
    """Networks of their own first: an interface stands only for what has none, and of several the first."""
    scan_sites = {site for one in sought.values() for site in one.sites} - {EVERYWHERE}
    bearers = []
    for row in living:
        told = row[C["attributes"]]
        if row[C["class"]] == NETWORK and (network := network_of(told.get("prefix"))):
            domain = told.get("routing_domain")
            ranges.network(network, domain if domain in scan_sites else _site(row, rows, sought), row[0])
        elif row[C["class"]] in BEARERS:
            bearers.append(row)
    for row in bearers:
        for address in _borne(row):
            if network := network_of(address):
                ranges.network(network, _site(row, rows, sought), row[0])


def _addresses(ranges: Ranges, row: Row, rows: Mapping[str, Row], sought: Mapping[str, Sought]) -> None:
    borne = {str(address).partition("/")[0] for address in _borne(row)}
    top = _top(row[0], rows) if borne or not row[C["parent"]] else None
    if top is None:
        return
    holder = sought.get(top[0], NOBODY)
    if row is top:
        borne |= holder.addresses
    tellers = [_name(top)] if holder.asked else sorted(holder.tellers)
    for address in borne:
        is_scanned = holder.at_home or address in holder.addresses
        ranges.address(address, _site(top, rows, sought), tellers, scanned=is_scanned, known=holder.asked)


def _borne(row: Row) -> Iterator[object]:
    """The addresses that a CI says it has, some with the length of their network's prefix."""
    told = row[C["attributes"]]
    if row[C["class"]] == ADDRESS and isinstance(told.get("address"), str):
        length = told.get("prefix_length")
        yield told["address"] if length is None else f"{told['address'].partition('/')[0]}/{length}"
    if isinstance(told.get("ip_address"), str):
        yield told["ip_address"]
    for name in ("ip_addresses", "prefixes"):
        if isinstance(told.get(name), list):
            yield from told[name]


def _top(ci: str, rows: Mapping[str, Row]) -> Row | None:
    """What a CI is a component of in the end; None where that is not to be told."""
    row = rows.get(ci)
    while row is not None and row[C["parent"]]:
        row = rows.get(row[C["parent"]])
    return row


def _site(row: Row, rows: Mapping[str, Row], sought: Mapping[str, Sought]) -> str:
    """Where a CI is: where its scans were, else everywhere."""
    top = _top(row[0], rows)
    sites = sought.get(top[0], NOBODY).sites - {EVERYWHERE} if top is not None else ()
    return min(sites, default=EVERYWHERE)


def _name(row: Row) -> str:
    return str(row[C["name"]] or row[0])


def _told(one: Range) -> RangeSeen:
    others = one.seen.keys() - one.scanned - one.known
    tellers = {name for number in others for name in one.seen[number]}
    return RangeSeen(
        str(one.network), one.site, one.ci, one.entered, len(one.seen), len(one.scanned), tuple(sorted(tellers))
    )
