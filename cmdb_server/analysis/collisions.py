"""Which booked changes mine collides with through redundancy: each harmless alone, together fatal, also in threes.

A booking's *footprint* is what falls with it and which counting gates lose members by that; it can be kept as long as
the graph stands. If no gate that mine weakens and that still holds is weakened by anything booked at the same time, no
subset of that can collide with mine: the first CI to fall only together would fall by such a gate. Else the bookings of
each piece of time are run together, and whoever falls is attributed to those that suffice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from cmdb_server.analysis.fixpoint import distinct
from cmdb_server.analysis.impact import Impact, impact
from cmdb_server.projection.columns import Longs, spans
from cmdb_server.projection.projection import Projection

TRIED = 6
"""Where all that is booked takes a CI down anyway, the parts of so many bookings are tried one by one; of more it is
said that they may collide."""


@dataclass(frozen=True, slots=True, eq=False)
class Footprint:
    """``cis``: what the booking takes down itself, ``down``: all that falls with it, ``affected``: and all it degrades.
    ``weakened``: slots that lose a member, be it out of reach. ``network``: whether it can cut anybody off. All ascending."""

    cis: Longs
    down: Longs
    affected: Longs
    weakened: Longs
    network: bool


@dataclass(frozen=True, slots=True)
class Meeting:
    """``ci`` falls of mine and ``names`` together, of neither alone: of each of the names with mine alone, or, with
    ``group``, of all of them, others being possible. ``gate``: the first gate to fall so, None where a way is cut.
    ``masked``: all that is booked takes ``ci`` down without mine too; only a part of it does not. ``certain``: False
    where masked by so many that not every part was tried."""

    ci: int
    gate: int | None
    names: tuple[str, ...]
    group: bool
    masked: bool
    certain: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Collision:
    """What meets while ``active`` are booked. ``together``: all who fall of mine and them, of neither alone."""

    active: tuple[str, ...]
    together: Longs
    meetings: tuple[Meeting, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Neighbourhood:
    """What a booking that overlaps touches of mine. ``same``: CIs of both. ``providers``: CIs of theirs that mine
    stands on, directly or through others. ``consumers``: CIs of theirs that stand on mine."""

    same: Longs
    providers: Longs
    consumers: Longs

    def __bool__(self) -> bool:
        return bool(len(self.same) or len(self.providers) or len(self.consumers))


def footprint(projection: Projection, cis: Iterable[int]) -> Footprint:
    """What ``cis`` failing together take down and weaken."""
    answer = impact(projection, cis)
    down = np.sort(answer.down)
    lists, network = projection.counted_of, projection.network()
    cut = answer.cut.dependencies.slot
    weakened = projection.counted.slot.take(spans(lists.first, lists.last, down)).astype(np.int64)
    weakened = np.concatenate((weakened, cut[cut >= 0]))
    cuts = network is not None and bool(network.matters.take(down).any())
    return Footprint(answer.failed, down, np.sort(answer.ci), distinct(weakened), cuts)


def neighbourhood(projection: Projection, mine: Footprint, theirs: Footprint) -> Neighbourhood:
    """A direct provider or consumer counts whatever its gate spares."""
    common = np.intersect1d(mine.cis, theirs.cis)
    below = np.union1d(np.intersect1d(theirs.cis, mine.affected), _direct_consumers(projection, mine.cis, theirs.cis))
    above = _direct_consumers(projection, theirs.cis, mine.cis)
    falling = np.intersect1d(mine.cis, theirs.affected)
    # Theirs takes some of mine along: those of theirs that do so stand below mine.
    providers = theirs.cis if len(np.setdiff1d(falling, common)) else _providers_of(projection, above, theirs.cis)
    return Neighbourhood(common, np.setdiff1d(providers, common), np.setdiff1d(below, common))


def _direct_consumers(projection: Projection, providers: Longs, among: Longs) -> Longs:
    """Those of ``among`` that have one of ``providers`` as a member of a gate."""
    direct, counted = projection.direct_of, projection.counted_of
    one = projection.direct.consumer.take(spans(direct.first, direct.last, providers))
    slots = projection.counted.slot.take(spans(counted.first, counted.last, providers))
    other = projection.slots.consumer.take(slots)
    return np.intersect1d(among, np.concatenate((one, other)).astype(np.int64))


def _providers_of(projection: Projection, consumers: Longs, among: Longs) -> Longs:
    if not len(consumers):
        return consumers
    keep = [len(_direct_consumers(projection, among[at : at + 1], consumers)) > 0 for at in range(len(among))]
    return among.take(np.flatnonzero(np.asarray(keep, bool)))


def collide(
    projection: Projection,
    mine: Footprint,
    booked: Mapping[str, Footprint],
    pieces: Sequence[frozenset[str]],
) -> tuple[Collision, ...]:
    """The collisions of ``mine`` with ``booked``, by name, of which in turn those in one of ``pieces`` are active at
    once. None of them: no subset of what is active at any time takes anything down with mine that neither takes."""
    clean: list[frozenset[str]] = []
    found = []
    for active in sorted({piece for piece in pieces if piece}, key=lambda piece: (-len(piece), sorted(piece))):
        if any(active <= other for other in clean):
            continue
        met = _Piece(projection, mine, {name: booked[name] for name in sorted(active)}).collision()
        if met is None:
            clean.append(active)
        elif met.meetings:
            found.append(met)
    return tuple(found)


class _Piece:
    """Mine and what is booked at one time."""

    def __init__(self, projection: Projection, mine: Footprint, booked: Mapping[str, Footprint]) -> None:
        self._projection, self._mine = projection, mine
        self._spared = self._weak_but_holding()
        cuts = [theirs for theirs in booked.values() if theirs.network] if mine.network else []
        # Who weakens nothing of mine may do so with others: such a one counts unless all of them together do not.
        self._booked, self._cuts = booked, len(cuts) > 0
        self._falls: dict[frozenset[str], Longs] = {}
        self._alone: dict[frozenset[str], Longs] = {}

    def _weak_but_holding(self) -> Longs:
        consumer = self._projection.slots.consumer.take(self._mine.weakened)
        standing = ~np.isin(consumer, self._mine.down)
        return self._mine.weakened[standing]

    def collision(self) -> Collision | None:
        """None: nothing can collide, whatever part of the bookings is left out. Without meetings: nothing does, but a
        part of them might."""
        everyone = frozenset(self._booked)
        theirs = footprint(self._projection, self._failed(everyone, mine=False)) if len(everyone) > 1 else None
        weakened = (theirs or next(iter(self._booked.values()))).weakened
        shared = np.intersect1d(self._spared, weakened)
        if not len(shared) and not self._cuts:
            return None
        joint = impact(self._projection, self._failed(everyone))
        anyway = theirs.down if theirs else next(iter(self._booked.values())).down
        self._alone[everyone], self._falls[everyone] = anyway, np.sort(joint.down)
        more = np.setdiff1d(self._falls[everyone], self._mine.down)
        roots = self._roots(joint, shared, more)
        together = np.setdiff1d(more, anyway)
        if not roots and not self._cuts:
            return None
        met = (self._masked(ci, gate) if masked else self._meeting(ci, gate) for ci, gate, masked in roots)
        return Collision(tuple(sorted(everyone)), together, tuple(one for one in met if one))

    def _roots(self, joint: Impact, shared: Longs, more: Longs) -> list[tuple[int, int | None, bool]]:
        """(CI, gate, masked) of those with which a fall of both begins."""
        slots = self._projection.slots
        anyway = self._alone[frozenset(self._booked)]
        consumer = slots.consumer.take(shared).astype(np.int64)
        fell = np.isin(consumer, joint.down)
        masked = np.isin(consumer, anyway)
        roots: dict[int, tuple[int, int | None, bool]] = {
            int(consumer[at]): (int(consumer[at]), int(slots.gate[shared[at]]), bool(masked[at]))
            for at in np.flatnonzero(fell).tolist()
        }
        if self._cuts:
            roots |= {ci: (ci, None, masked) for ci, masked in self._cut(joint, more) if ci not in roots}
        return [roots[ci] for ci in sorted(roots)]

    def _cut(self, joint: Impact, more: Longs) -> Iterable[tuple[int, bool]]:
        """Who falls without a counting gate that both weaken: the way there was cut, or hid behind what fell anyway."""
        rank = dict(zip(joint.ci.tolist(), joint.rank.tolist(), strict=True))
        anyway = self._alone[frozenset(self._booked)]
        only = np.setdiff1d(more, anyway).tolist()
        first = min((rank[ci] for ci in only), default=0)
        yield from ((ci, False) for ci in only if rank[ci] == first)
        yield from ((ci, True) for ci in np.intersect1d(more, anyway).tolist())

    def _failed(self, names: frozenset[str], mine: bool = True) -> Longs:
        parts = [self._booked[name].cis for name in names]
        return distinct(np.concatenate([*parts, self._mine.cis] if mine else parts))

    def _fallen(self, names: frozenset[str], mine: bool) -> Longs:
        """Who falls of ``names``, with mine or without."""
        if not mine and len(names) == 1:
            return self._booked[next(iter(names))].down
        known = self._falls if mine else self._alone
        if names not in known:
            known[names] = np.sort(impact(self._projection, self._failed(names, mine)).down)
        return known[names]

    def _falls_only_with(self, ci: int, names: frozenset[str]) -> bool:
        return _has(self._fallen(names, mine=True), ci) and not _has(self._fallen(names, mine=False), ci)

    def _sufficient(self, ci: int) -> tuple[str, ...]:
        """Those with each of whom alone mine takes ``ci`` down."""
        return tuple(
            name
            for name, theirs in self._booked.items()
            if (len(np.intersect1d(self._spared, theirs.weakened)) or (self._cuts and theirs.network))
            and self._falls_only_with(ci, frozenset((name,)))
        )

    def _meeting(self, ci: int, gate: int | None) -> Meeting:
        single = self._sufficient(ci)
        if single:
            return Meeting(ci, gate, single, group=False, masked=False)
        group = minimal(sorted(self._booked), lambda names: _has(self._fallen(frozenset(names), mine=True), ci))
        return Meeting(ci, gate, tuple(group), group=True, masked=False)

    def _masked(self, ci: int, gate: int | None) -> Meeting | None:
        """Among the parts of what is booked, one that spares ``ci`` unless mine comes to it."""
        single = self._sufficient(ci)
        if single:
            return Meeting(ci, gate, single, group=False, masked=True)
        if len(self._booked) > TRIED:
            return Meeting(ci, gate, tuple(sorted(self._booked)), group=True, masked=True, certain=False)
        group = next(
            (part for part in _parts(sorted(self._booked)) if self._falls_only_with(ci, frozenset(part))), None
        )
        return Meeting(ci, gate, group, group=True, masked=True) if group else None


def _parts(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Of two and more, the smallest first, but not all."""
    for size in range(2, len(names)):
        yield from combinations(names, size)


def _has(ascending: Longs, value: int) -> bool:
    at = int(np.searchsorted(ascending, value))
    return at < len(ascending) and int(ascending[at]) == value


def minimal(names: Sequence[str], suffices: Callable[[Sequence[str]], bool]) -> list[str]:
    """A subset of ``names``, all of which suffice, none of which can be left out."""
    group = list(names)
    for name in names:
        rest = [one for one in group if one != name]
        if rest and suffices(rest):
            group = rest
    return group
