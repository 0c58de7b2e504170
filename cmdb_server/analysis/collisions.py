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

from cmdb_server.analysis.impact import Impact, impact
from cmdb_server.projection.columns import Longs, spans
from cmdb_server.projection.ordered import distinct, shared, united, without
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


def neighbourhood(projection: Projection, mine: Footprint, theirs: Longs) -> Neighbourhood:
    """What CIs that are booked too are to mine. Who stands directly above or below is so whatever a gate spares;
    further off only who takes mine along, or is taken along."""
    common = shared(mine.cis, theirs)
    others = without(theirs, common)
    consumers = united(shared(others, mine.affected), _consumers(projection, mine.cis, others))
    providers = [ci for ci in others.tolist() if _carries(projection, ci, mine.cis)]
    return Neighbourhood(common, np.asarray(providers, np.int64), consumers)


def _carries(projection: Projection, ci: int, mine: Longs) -> bool:
    """Whether any of mine stands on ``ci`` itself, or suffers of its failure."""
    if len(_consumers(projection, np.asarray([ci]), mine)):
        return True
    return bool(np.isin(mine, impact(projection, [ci]).ci).any())


def _consumers(projection: Projection, providers: Longs, among: Longs) -> Longs:
    """Those of ``among`` that have one of ``providers`` as a member of a gate."""
    direct, counted = projection.direct_of, projection.counted_of
    one = projection.direct.consumer.take(spans(direct.first, direct.last, providers))
    slots = projection.counted.slot.take(spans(counted.first, counted.last, providers))
    other = projection.slots.consumer.take(slots)
    return shared(among, np.concatenate((one, other)).astype(np.int64))


def collide(
    projection: Projection,
    mine: Footprint,
    booked: Mapping[str, Iterable[int]],
    pieces: Iterable[frozenset[str]],
) -> tuple[Collision, ...]:
    """The collisions of ``mine`` with ``booked``, CIs by name, of which in turn those in one of ``pieces`` are active
    at once. None of them: no subset of what is active at any time takes anything down with mine that neither takes."""
    told = sorted({piece for piece in pieces if piece}, key=lambda piece: (-len(piece), sorted(piece)))
    if not told:
        return ()
    clean: list[frozenset[str]] = []
    found = []
    known = _Known(projection, mine, {name: np.asarray(list(cis), np.int64) for name, cis in booked.items()})
    everything = frozenset().union(*told)
    for active in told if everything in told else [everything, *told]:
        if any(active <= other for other in clean):
            continue
        piece = _Piece(known, active)
        if not piece.may_collide():
            clean.append(active)
        elif active in told and (met := piece.collision()).meetings:
            found.append(met)
    return tuple(found)


class _Known:
    """Mine, what is booked by name, and what was found out so far."""

    def __init__(self, projection: Projection, mine: Footprint, booked: Mapping[str, Longs]) -> None:
        self.projection, self.mine, self._booked = projection, mine, booked
        consumer = projection.slots.consumer.take(mine.weakened)
        self.spared: Longs = mine.weakened[~np.isin(consumer, mine.down)]
        self._theirs: dict[frozenset[str], Footprint] = {}
        self._both: dict[frozenset[str], Longs] = {}

    def theirs(self, names: frozenset[str]) -> Footprint:
        """What falls of ``names`` without mine."""
        if names not in self._theirs:
            self._theirs[names] = footprint(self.projection, self._cis(names))
        return self._theirs[names]

    def joint(self, names: frozenset[str]) -> Impact:
        return impact(self.projection, np.concatenate((self._cis(names), self.mine.cis)))

    def falls_only_with(self, ci: int, names: frozenset[str]) -> bool:
        """Whether ``ci``, which does not fall of mine, falls of mine and ``names`` and not of these alone."""
        return self.falls(ci, names) and not _has(self.theirs(names).down, ci)

    def falls(self, ci: int, names: frozenset[str]) -> bool:
        """Whether ``ci`` falls of mine and ``names``."""
        if names not in self._both:
            self._both[names] = np.sort(self.joint(names).down)
        return _has(self._both[names], ci)

    def weakened(self, name: str) -> bool:
        """Whether a booking weakens alone what mine weakens too, or may cut off who mine may."""
        theirs = self.theirs(frozenset((name,)))
        return bool(len(shared(self.spared, theirs.weakened))) or (self.mine.network and theirs.network)

    def _cis(self, names: frozenset[str]) -> Longs:
        return np.concatenate([self._booked[name] for name in sorted(names)])


class _Piece:
    """Mine and what is booked at one time."""

    def __init__(self, known: _Known, active: frozenset[str]) -> None:
        self._known, self._active, self._names = known, active, sorted(active)
        self._mine, self._projection, self._all = known.mine, known.projection, known.theirs(active)
        self._shared = shared(known.spared, self._all.weakened)
        self._cuts = known.mine.network and self._all.network

    def may_collide(self) -> bool:
        """False: nothing can, whatever part of the bookings is left out."""
        return bool(len(self._shared)) or self._cuts

    def collision(self) -> Collision:
        """Without meetings: nothing does collide."""
        joint = self._known.joint(self._active)
        more = without(joint.down, self._mine.down)
        met = (
            self._masked(ci, gate) if masked else self._meeting(ci, gate)
            for ci, gate, masked in self._roots(joint, more)
        )  # fmt: skip
        together = without(more, self._all.down)
        return Collision(tuple(self._names), together, tuple(one for one in met if one))

    def _roots(self, joint: Impact, more: Longs) -> list[tuple[int, int | None, bool]]:
        """(CI, gate, masked) of those with which a fall of both begins."""
        slots, shared = self._projection.slots, self._shared
        consumer = slots.consumer.take(shared).astype(np.int64)
        masked = np.isin(consumer, self._all.down)
        roots: dict[int, tuple[int, int | None, bool]] = {
            int(consumer[at]): (int(consumer[at]), int(slots.gate[shared[at]]), bool(masked[at]))
            for at in np.flatnonzero(np.isin(consumer, joint.down)).tolist()
        }
        if self._cuts:
            roots |= {ci: (ci, None, masked) for ci, masked in self._cut(joint, more) if ci not in roots}
        return [roots[ci] for ci in sorted(roots)]

    def _cut(self, joint: Impact, more: Longs) -> Iterable[tuple[int, bool]]:
        """Who falls without a counting gate that both weaken: the way there was cut, or hid behind what fell anyway."""
        rank = dict(zip(joint.ci.tolist(), joint.rank.tolist(), strict=True))
        only = without(more, self._all.down).tolist()
        first = min((rank[ci] for ci in only), default=0)
        yield from ((ci, False) for ci in only if rank[ci] == first)
        yield from ((ci, True) for ci in shared(more, self._all.down).tolist())

    def _sufficient(self, ci: int) -> tuple[str, ...]:
        """Those with each of whom alone mine takes ``ci`` down."""
        known = self._known
        return tuple(
            name for name in self._names if known.weakened(name) and known.falls_only_with(ci, frozenset((name,)))
        )

    def _meeting(self, ci: int, gate: int | None) -> Meeting:
        single = self._sufficient(ci)
        if single:
            return Meeting(ci, gate, single, group=False, masked=False)
        group = minimal(self._names, lambda names: self._known.falls(ci, frozenset(names)))
        return Meeting(ci, gate, tuple(group), group=True, masked=False)

    def _masked(self, ci: int, gate: int | None) -> Meeting | None:
        """Among the parts of what is booked, one that spares ``ci`` unless mine comes to it."""
        single = self._sufficient(ci)
        if single:
            return Meeting(ci, gate, single, group=False, masked=True)
        if len(self._names) > TRIED:
            return Meeting(ci, gate, tuple(self._names), group=True, masked=True, certain=False)
        parts = map(frozenset, _parts(self._names))
        group = next((part for part in parts if self._known.falls_only_with(ci, part)), None)
        return Meeting(ci, gate, tuple(sorted(group)), group=True, masked=True) if group else None


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
