"""Dependencies that work over the network and whose ends have come into different parts of it.

An end stands where its links are; without any, where its providers by a placing relation (``runs_on``, say) stand. Two
ends are in touch while some place of the one is wired, through forwarding devices, to some place of the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmdb_server.projection.columns import Bools, Ints, Longs, spans
from cmdb_server.projection.network import Labels, Network, alive
from cmdb_server.projection.ordered import distinct, united, within, without
from cmdb_server.projection.projection import Projection

NOTHING: Longs = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Dependencies:
    """Ways in which a consumer has a provider. ``row``: of ``projection.counted`` where the ``gate`` counts, else of
    ``projection.direct``; ``slot`` -1 in the latter case."""

    consumer: Longs
    provider: Longs
    gate: Longs
    slot: Longs
    row: Longs

    def __len__(self) -> int:
        return len(self.consumer)

    def rows(self, which: Longs | Bools) -> Dependencies:
        """Some of them."""
        return Dependencies(*(getattr(self, name)[which] for name in NAMES))


NAMES = ("consumer", "provider", "gate", "slot", "row")
NONE = Dependencies(NOTHING, NOTHING, NOTHING, NOTHING, NOTHING)


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """``dependencies`` partitioned, in order of ``rank``: of the round in which they were found so."""

    dependencies: Dependencies
    rank: Longs

    @classmethod
    def of(cls, parts: list[tuple[Dependencies, int]]) -> Cut:
        """One part a round."""
        if not parts:
            return UNCUT
        found = [np.concatenate([getattr(part, name) for part, _ in parts]) for name in NAMES]
        rank = np.repeat(np.asarray([rank for _, rank in parts], np.int64), [len(part) for part, _ in parts])
        return cls(Dependencies(*found), rank)

    def __len__(self) -> int:
        return len(self.rank)


UNCUT = Cut(NONE, NOTHING)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """The network at one moment: ``label``, the part of each forwarding CI, and who is ``down``; None: nobody."""

    network: Network
    label: Labels
    down: Bools | None

    @classmethod
    def well(cls, network: Network) -> Sight:
        """While nothing has failed."""
        return cls(network, network.whole(), None)


def partitioned(
    projection: Projection, now: Sight, touched: Longs, standing: Bools, spared: Longs = NOTHING
) -> Dependencies:
    """The dependencies, of consumers ``standing`` on providers that are not down, whose ends were in touch while all
    was well and are not ``now``. ``touched``: devices of which anything else may have changed. ``spared``: providers that
    serve whatever happens, ascending."""
    crosses = _types(projection, "crosses")
    if not crosses.any() or not len(touched):
        return NONE
    asked = _crossing(projection, _residents(projection, now.network, touched), crosses)
    asked = asked.rows(standing[asked.consumer] & ~within(asked.provider, spared))
    if now.down is not None:
        asked = asked.rows(~now.down[asked.provider])
    if not len(asked):
        return NONE
    places = Places.of(projection, now.network, united(asked.consumer, asked.provider))
    asked = asked.rows(~in_touch(asked, places, now))
    return asked.rows(in_touch(asked, places, Sight.well(now.network)))


def way(projection: Projection, network: Network, consumer: int, provider: int) -> list[list[int]]:
    """Of each pair of places of theirs, the devices and ports between them on the forest, the consumer's end first."""
    places = Places.of(projection, network, np.asarray([consumer, provider]))
    of = [places.device[places.ci == end].tolist() for end in (consumer, provider)]
    return [list(found) for one in of[0] for other in of[1] for found in network.between(one, other)]


def _types(projection: Projection, what: str) -> Bools:
    """By relation type."""
    return np.asarray([getattr(flow, what) for flow in projection.rules.flows], bool)


def _linked(network: Network, cis: Longs) -> Bools:
    linked: Bools = network.links.last[cis] > network.links.first[cis]
    return linked


def _residents(projection: Projection, network: Network, devices: Longs) -> Longs:
    """``devices``, which ascend, and all that stand where they are, ascending."""
    places, seen, frontier = _types(projection, "places"), devices, devices
    while len(frontier):
        above = _dependents(projection, frontier)
        frontier = without(above.consumer[places[projection.gates.type[above.gate]]], seen)
        frontier = frontier[~_linked(network, frontier)]
        seen = united(seen, frontier) if len(frontier) else seen
    return seen


def _dependents(projection: Projection, providers: Longs) -> Dependencies:
    """All ways in which anyone has these providers."""
    direct_of, counted_of = projection.direct_of, projection.counted_of
    direct = spans(direct_of.first, direct_of.last, providers).astype(np.int64)
    counted = spans(counted_of.first, counted_of.last, providers).astype(np.int64)
    slot = projection.counted.slot[counted].astype(np.int64)
    return Dependencies(
        np.append(projection.direct.consumer[direct], projection.slots.consumer[slot]).astype(np.int64),
        np.append(
            np.repeat(providers, direct_of.last[providers] - direct_of.first[providers]),
            np.repeat(providers, counted_of.last[providers] - counted_of.first[providers]),
        ),
        np.append(projection.direct.gate[direct], projection.slots.gate[slot]).astype(np.int64),
        np.append(np.full(len(direct), -1), slot),
        np.append(direct, counted),
    )


def _crossing(projection: Projection, near: Longs, crosses: Bools) -> Dependencies:
    """The dependencies over the network of which either end is ``near``, which ascend."""
    gate, provider = projection.providers_of(near)
    theirs = provider[crosses[projection.gates.type[gate]]]
    found = _dependents(projection, united(near, theirs.astype(np.int64)) if len(theirs) else near)
    found = found.rows(crosses[projection.gates.type[found.gate]])
    return found.rows(within(found.consumer, near) | within(found.provider, near))


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Pairs: each ``ci`` with every linked ``device`` that it stands on."""

    ci: Longs
    device: Longs

    @classmethod
    def of(cls, projection: Projection, network: Network, cis: Longs) -> Places:
        size, places = len(projection), _types(projection, "places")
        pair, seen, found = cis * size + cis, NOTHING, []
        while len(pair):
            seen = united(seen, pair)
            linked = _linked(network, pair % size)
            found.append(pair[linked])
            pair = pair[~linked]
            below, which = np.unique(pair % size, return_inverse=True)
            owner, provider = _stands_on(projection, below, places)
            # Every CI that stands here stands on what this place stands on.
            order = np.argsort(which, kind="stable")
            bounds = np.searchsorted(which[order], np.arange(len(below) + 1))
            place = np.searchsorted(below, owner)
            at = spans(bounds[:-1].astype(np.int32), bounds[1:].astype(np.int32), place)
            root = pair[order[at]] // size
            pair = without(root * size + np.repeat(provider, bounds[place + 1] - bounds[place]), seen)
        pairs = np.concatenate([NOTHING, *found])
        return cls(pairs // size, pairs % size)


def _stands_on(projection: Projection, cis: Longs, places: Bools) -> tuple[Longs, Longs]:
    """(CI, provider by a placing relation)."""
    gate, provider = projection.providers_of(cis)
    kept = places[projection.gates.type[gate]]
    return projection.gates.consumer[gate[kept]].astype(np.int64), provider[kept].astype(np.int64)


def in_touch(asked: Dependencies, places: Places, sight: Sight) -> Bools:
    """By dependency."""
    size = len(sight.label)
    ci, device = places.ci, places.device
    if sight.down is not None:
        up = np.flatnonzero(~sight.down[device])
        ci, device = ci[up], device[up]
    owner, at = _own_links(sight, device)
    far = sight.network.links.to[at]
    passing = sight.network.forwards[far] & ~sight.network.forwards[device[owner]]
    forwards = sight.network.forwards[device]
    # A part of the network has its number; a device among those wired to it directly has its own beyond them.
    own = (np.append(ci, ci[forwards]), np.append(2 * size + device, sight.label.of(device[forwards])))
    reached = (ci[owner[passing]], sight.label.of(far[passing]))
    consumer, word = np.append(own[0], reached[0]), np.append(own[1], reached[1])
    provider = distinct(np.append(consumer, ci[owner]) * (3 * size) + np.append(word, 2 * size + far))
    order = np.argsort(consumer, kind="stable")
    first, last = (
        np.searchsorted(consumer[order], asked.consumer, side).astype(np.int32) for side in ("left", "right")
    )
    each = np.arange(len(asked))
    rows = order[spans(first, last, each)]
    which: Ints = np.repeat(each, last - first)
    touch = np.zeros(len(asked), bool)
    touch[which[within(asked.provider[which] * (3 * size) + word[rows], provider)]] = True
    return touch


def _own_links(sight: Sight, device: Longs) -> tuple[Longs, Longs]:
    """(place in ``device``, row) of the links that are up at both ends."""
    links = sight.network.links
    at = spans(links.first, links.last, device).astype(np.int64)
    owner = np.repeat(np.arange(len(device)), links.last[device] - links.first[device])
    kept = alive(sight.network, at, sight.down)
    return owner[kept], at[kept]
