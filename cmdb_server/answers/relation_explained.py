"""Why is this relation here, and why is it not that: who claims it by what evidence, how each claim's far end was found
among all who bear what it names, and which claims name another or nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, cast

from cmdb_schemas.relations import relation_types
from cmdb_server.answers.past_state import past_of
from cmdb_server.answers.seen import as_seen
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Invalid
from cmdb_server.ingest.batch import Batch, Held, Tie
from cmdb_server.ingest.cables import told_better
from cmdb_server.ingest.counts import spoken_for
from cmdb_server.ingest.declare import resolve
from cmdb_server.ingest.ends import groups_of
from cmdb_server.ingest.sighting import sought
from cmdb_server.model import ids
from cmdb_server.model.holding import owners
from cmdb_server.model.links import narrowed
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row, Store, Writing

Why = Literal["claimed", "class", "application", "port", "ended", "elsewhere", "unclaimed"]
"""``claimed``: claims that count carry it. ``class``: it follows from a component's class. ``application``: only a host
is told to have it, of which an application is known to. ``port``: it tells of a device, and the link between ports that
it means is known. ``ended``: what claimed it does so no more. ``elsewhere``:
what could mean it is held to mean another, or could mean several. ``unclaimed``: nobody ever told of it."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A CI that bears what a claim names, or did. ``since``, ``until``: ms. ``chosen``: none came nearer to the moment
    when the claim was last made."""

    ci: str
    class_: str
    name: str
    since: int
    until: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class ClaimTold:
    """One record's claim. ``record`` made it, about ``near``, a CI; ``far`` is the other end as it was told, ``to`` the
    CI that it is held to be, None where nobody or several could be it. ``counts``: it carries the relation; not where
    its record went while another of the same CI tells what holds since. ``ended``: since when it is not made any
    more, ms."""

    record: str
    source: str
    agent: str
    section: str | None
    near: str
    far: str
    to: str | None
    evidence: str
    confidence: float
    transient: bool
    first: int
    last: int
    ended: int | None
    counts: bool
    bearers: tuple[Bearer, ...]


@dataclass(frozen=True, slots=True)
class RelationExplained:
    """``stands``: the relation is in the graph. ``claims`` are for it, ``others`` of the same type and of either end
    name something that the other end bears or bore, and mean another or nobody."""

    from_: str
    type: str
    to: str
    stands: bool
    why: Why
    group: str | None
    confidence: float | None
    since: int | None
    claims: tuple[ClaimTold, ...]
    others: tuple[ClaimTold, ...]


def explain_relation(
    store: Store, viewer: Viewer, from_: str, type_: str, to: str, at: int | None = None, known_at: int | None = None,
    *, now_ms: int,
) -> RelationExplained:  # fmt: skip
    """Explain a relation that is there, or why it is not, as of a time too. ``type_`` may be a reverse name, as in web-1
    runs nginx. Raises NotFound for an end, Invalid for an unknown type."""
    name = next((one.name for one in relation_types().values() if type_ in (one.name, one.reverse)), None)
    if name is None:
        raise Invalid(f"type: unknown relation type {type_!r}", errors=[{"path": "type", "message": "unknown"}])

    def work(reading: Reading) -> RelationExplained:
        past = past_of(reading, viewer, at, known_at, now_ms)
        batch = Batch(cast(Writing, past.tx), viewer.kinds, dict(relation_types()), past.now)
        ends = [resolve(past.tx, from_), resolve(past.tx, to)]
        if relation_types()[name].symmetric:
            ends.sort()
        elif name != type_:
            ends.reverse()
        return _Explaining(batch, (ends[0], name, ends[1])).told()

    return as_seen(store, viewer).read(work)


class _Explaining:
    """One relation being explained; only reads."""

    def __init__(self, batch: Batch, relation: tuple[str, str, str]) -> None:
        self.batch, self.tx, self.relation = batch, batch.tx, relation
        self.symmetric = batch.types[relation[1]].symmetric
        members = batch.of_cis({relation[0], relation[2]})
        self.records = {held.id: held for some in members.values() for held in some}
        self.things = {batch.top(held).id for held in self.records.values()}

    def told(self) -> RelationExplained:
        row = self.tx.get(tables.RELATION, [self.relation]).get(self.relation)
        standing, ended = self._ties(), list(self._ended())
        mine = [tie for tie in standing if tie.relation == self.relation]
        others = [tie for tie in standing if tie.relation != self.relation and self._could_mean(tie)]
        silent = self.batch.silent({tie.record for tie in mine})
        claims = [self._claim(tie, counts=tie.record not in silent) for tie in mine]
        past = [self._claim(tie, counts=False, ended=at) for tie, at in ended]
        rest = [self._claim(tie, counts=False) for tie in others]
        why = self._why(row, claims, past, rest)
        group, confidence, since = (row[3], row[5], row[6]) if row is not None else (None, None, None)
        return RelationExplained(
            *self.relation, row is not None, why, group, confidence, since, tuple(_ordered([*claims, *past])),
            tuple(_ordered(rest)),
        )  # fmt: skip

    def _why(self, row: Row | None, claims: list[ClaimTold], past: list[ClaimTold], rest: list[ClaimTold]) -> Why:
        counted = [claim for claim in claims if claim.counts]
        if row is not None:
            return "claimed" if counted and row[7] else "class"
        if counted and spoken_for(self.batch, [self.relation]):
            return "application"
        if counted and told_better(self.batch, [self.relation]):
            return "port"
        if claims or past:
            return "ended"
        return "elsewhere" if rest else "unclaimed"

    # Claims ----------------------------------------------------------------------------------------------------------

    def _ties(self) -> list[Tie]:
        """The claims of this type that either end's records make, or that end at either."""
        rows = self.tx.find(tables.TIE, ("record",), [(id_,) for id_ in sorted(self.things)])
        rows += self.tx.find(tables.TIE, ("from_ci", "type", "to_ci"), [self.relation])
        ties = {(row[0], row[1]): Tie(*row) for row in rows if row[2] == self.relation[1]}
        self.batch.load({id_ for tie in ties.values() for id_ in (tie.record, tie.near)})
        return [tie for tie in ties.values() if tie.relation == self.relation or self._near_end(tie) is not None]

    def _near_end(self, tie: Tie) -> str | None:
        """The end of the relation that the claim is about, seen from the side it is told from; None: neither."""
        from_, _, to = self.relation
        wanted = (from_, to) if self.symmetric else (from_,) if tie.value["way"] == "out" else (to,)
        near = self.batch.records[tie.near].ci
        return near if near in wanted else None

    def _could_mean(self, tie: Tie) -> bool:
        """Whether the other end bears what the claim names, or did."""
        from_, _, to = self.relation
        wanted = to if self._near_end(tie) == from_ else from_
        hosts = {wanted, *(self.batch.top(held).ci for held in self.records.values() if held.ci == wanted)}
        return not hosts.isdisjoint(self._meant(tie))

    def _meant(self, tie: Tie) -> set[str]:
        """The CIs that the far end names outright, or that bear what it names."""
        kind, _, value = tie.far.partition(":")
        if kind == "key":
            class_, _, key = value.partition("|")
            return {ids.keyed_id(class_, key)}
        if kind in ("r", "ci"):
            self.batch.load((value,))
            return {self.batch.records[value].ci if value in self.batch.records else value}
        return {bearer.ci for bearer in self._bearers(tie)}

    def _ended(self) -> Iterator[tuple[Tie, int]]:
        """Claims of this relation that are not made any more, and since when, as the history tells."""
        told: dict[tuple[str, str], Row] = {}
        rows = self.tx.find(tables.CLAIM, ("record",), [(id_,) for id_ in sorted(self.things)])
        live = {(row[0], row[1]) for row in self.tx.find(tables.TIE, ("record",), [(row[0],) for row in rows])}
        for row in sorted(rows, key=lambda row: (row[2], row[3])):
            key = (row[0], row[1])
            if row[5] is not None:
                told[key] = row
            elif key in told and key not in live:
                tie = self._former(told.pop(key), row[2])
                if tie is not None:
                    yield tie, row[2]

    def _former(self, row: Row, ended: int) -> Tie | None:
        """A claim as it was, if it was about this relation."""
        value = row[5]
        self.batch.load((value["near"],))
        near = self.batch.records.get(value["near"])
        if value["type"] != self.relation[1] or near is None:
            return None
        tie = Tie(row[0], row[1], value["type"], near.id, row[4], value, None, row[2], ended, None, None)
        if self._near_end(tie) is None or not self._could_mean(tie):
            return None
        return tie

    def _claim(self, tie: Tie, *, counts: bool, ended: int | None = None) -> ClaimTold:
        held = self.batch.records[tie.record]
        self.batch.load_lanes([held])
        lane = self.batch.lane(held.scope, held.part)
        value = tie.value
        return ClaimTold(
            tie.record, held.source, lane.agent, tie.section, self.batch.records[tie.near].ci, _far(tie),
            tie.far_ci(self.batch.records[tie.near].ci), value.get("evidence") or "",
            float(value.get("confidence", 1.0)), bool(value.get("transient")), tie.first_at, self._made_last(tie), ended,
            counts, tuple(self._bearers(tie)),
        )  # fmt: skip

    def _made_last(self, tie: Tie) -> int:
        return tie.last_at if tie.last_at is not None else self.batch.seen_last(self.batch.records[tie.record])

    # Far ends --------------------------------------------------------------------------------------------------------

    def _bearers(self, tie: Tie) -> list[Bearer]:
        """All CIs that bear what the claim names, or did, and which of them was nearest when it was made."""
        if tie.far.partition(":")[0] in ("r", "ci", "key"):
            return []
        found: list[Bearer] = []
        for name in sought(tie.value, self.batch.records[tie.record].site):
            bearing = self._bearing(tie, name)
            left = narrowed(*([one.ci for one in some if one.chosen] for some in (found, bearing)))
            found = [replace(one, chosen=one.ci in left) for one in found or bearing]
            if sum(bearer.chosen for bearer in found) == 1:
                break
        return found

    def _bearing(self, tie: Tie, name: str) -> list[Bearer]:
        kind, _, value = name.partition(":")
        rows = self.tx.find(tables.IDENTIFIER, ("kind", "value"), [(kind, value)])
        self.batch.load({row[2] for row in rows})
        held = [(self.batch.records[row[2]], row) for row in rows if row[2] in self.batch.records]
        self.batch.load_lanes(one for one, _ in held)
        spans = [(one.ci, row[3], self._until(one, row[4])) for one, row in held]
        chosen = set(owners(spans, groups_of(self.batch, held), self._made_last(tie)))
        found = self.tx.get(tables.CI, [(ci,) for ci, _, _ in spans])
        return [
            Bearer(ci, found[(ci,)][1], found[(ci,)][2], first, until, ci in chosen)
            for ci, first, until in _widest(spans) if (ci,) in found
        ]  # fmt: skip

    def _until(self, held: Held, last: int | None) -> int:
        seen = self.batch.seen_last(held)
        return seen if last is None else min(last, seen)


def _widest(spans: Iterable[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """One span a CI, from the first to the last of its records."""
    found: dict[str, tuple[int, int]] = {}
    for ci, first, until in spans:
        known = found.get(ci, (first, until))
        found[ci] = (min(first, known[0]), max(until, known[1]))
    return sorted((ci, *span) for ci, span in found.items())


def _far(tie: Tie) -> str:
    """The far end in words: what kind of name, which, and the port."""
    kind, _, value = tie.far.partition(":")
    port = f" {tie.value['protocol']}/{tie.value['port']}" if "port" in tie.value else ""
    return f"{kind} {value}{port}"


def _ordered(claims: Collection[ClaimTold]) -> list[ClaimTold]:
    """What counts first, then what was said last."""
    return sorted(
        claims, key=lambda claim: (not claim.counts, claim.ended is not None, -claim.last, claim.record, claim.far)
    )
