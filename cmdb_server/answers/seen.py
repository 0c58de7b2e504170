"""The store as a viewer sees it: rows that tell of a CI that is not seen are left out, of whatever table, and where one
of two ends is not seen a token stands in its place. Every table has its rule here.

So what reads the store needs to know nothing of rights. What computes on the whole graph (``asked_graph``) hides in its
answer instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from cmdb_server.answers.guarded import guarded
from cmdb_server.answers.history import Graph
from cmdb_server.answers.seen_kept import kept_links, kept_rows, kept_versions
from cmdb_server.answers.sight import HIDDEN, Eyes, Now, Sight, Then
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Forbidden, Invalid
from cmdb_server.ingest import ruling
from cmdb_server.ingest.declare import DeclaredRelation, resolve_all
from cmdb_server.ingest.service_tree import ITSELF
from cmdb_server.model.member_rule import ATTRIBUTE as MEMBERS
from cmdb_server.model.replacements import ATTRIBUTE as REPLACES
from cmdb_server.practices.kept_rows import Kept, one_in
from cmdb_server.store import tables
from cmdb_server.store.partial import Partial, whole
from cmdb_server.store.port import Reading, Row, Store, Writing
from cmdb_server.store.tables import Table

T = TypeVar("T")
CI_OF = tables.RECORD.position("ci")
SAID = tables.CI.position("attributes")
FROM, TO, GROUP = (tables.RELATION.position(name) for name in ("from_ci", "to_ci", "group"))
D = {name: tables.DECISION.position(name) for name, _ in tables.DECISION.columns}
ENDS = tuple(tables.TIE.position(name) for name in ("from_ci", "to_ci"))
CLAIMED = tables.CLAIM.position("value")
WORDS = ("type", "way", "near", "confidence", "transient", "weight")
"""What a claim says that names nobody else."""


class SeenReading(Partial):
    """``whole`` as ``sight`` has it."""

    def __init__(self, whole_: Reading, sight: Sight, eyes: Eyes | None = None) -> None:
        super().__init__(whole_, self._told)
        self.sight = sight
        self.eyes = Now(sight, whole_) if eyes is None else eyes

    def _told(self, table: Table, rows: Sequence[Row]) -> Sequence[Row | None]:
        return RULES[table](self, rows) if rows else rows

    def seen(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        """What is told of rows of the whole."""
        return [row for row in self._told(table, rows) if row is not None]


class SeenStore:
    """A store that tells a viewer what it sees, and lets it write there."""

    def __init__(self, store: Store, sight: Sight) -> None:
        self.store, self.sight = store, sight

    def read(self, work: Callable[[Reading], T]) -> T:
        return self.store.read(lambda tx: work(SeenReading(tx, self.sight)))

    def write(self, work: Callable[[Writing], T]) -> T:
        try:
            return self.store.write(lambda tx: guarded(tx, self.sight, work))
        except Invalid as refusal:
            raise self._told(refusal) from None

    def _told(self, refusal: Invalid) -> Invalid:
        """Without the names on a way that leads over what is not seen."""
        way = set(refusal.extra.pop("way", ()))
        if way and way != self.store.read(lambda tx: Now(self.sight, tx).sees(way)):
            path = refusal.extra["errors"][0]["path"]
            return Invalid(f"{path}: {ITSELF}", errors=[{"path": path, "message": ITSELF}])
        return refusal

    def revision(self) -> int:
        return self.store.revision()

    def durable_revision(self) -> int:
        return self.store.durable_revision()

    def close(self) -> None:
        self.store.close()


def as_seen(store: Store, viewer: Viewer) -> Store:
    """The store as the viewer sees it; itself for one who sees everything."""
    return store if viewer.sight is None or isinstance(store, SeenStore) else SeenStore(store, viewer.sight)


def graph_seen(
    tx: Reading, at: int | None, known_at: int | None, viewer: Viewer, *, revision: int | None = None
) -> Graph:
    """``history.graph_at``, of which what ``tx`` does not tell is left out. It is made of everything: who a claim means is no
    question of who looks."""
    graph = viewer.past.at(whole(tx), at, known_at, viewer.kinds, revision=revision)
    if not isinstance(tx, SeenReading):
        return graph
    now = next((one for one in (at, known_at) if one is not None), tx.sight.projections.clock())
    return seen_of(graph, Then(tx.sight, tx.whole, graph, now))


def seen_of(graph: Graph, eyes: Eyes) -> Graph:
    """A graph as it is seen: with tokens at the far ends of relations to what is not."""
    seen = eyes.sees(graph.cis)
    holders = {id_: record.ci for id_, record in graph.records.items()}
    return replace(
        graph,
        cis={id_: _replacing(row, holders, seen, eyes) for id_, row in graph.cis.items() if id_ in seen},
        relations=[told for row in graph.relations if (told := _related(row, seen, eyes)) is not None],
        records={id_: record for id_, record in graph.records.items() if record.ci in seen},
        _of={},
    )


def check_entry(store: Store, attributes: Mapping[str, Any], relations: Sequence[DeclaredRelation]) -> None:
    """What somebody may enter who does not see everything: relations to what is not seen are refused like such to what
    is not there, by Invalid with their paths; a rule of members, which is held against everything, by Forbidden."""
    if not isinstance(store, SeenStore):
        return
    if attributes.get(MEMBERS):
        raise Forbidden(f"attributes.{MEMBERS}: a rule is held against everything, of which you see a part")
    known = store.read(lambda tx: resolve_all(tx, [one.ci for one in relations]))
    faults = [
        {"path": f"relations[{at}].ci", "message": f"no CI {one.ci!r}"}
        for at, one in enumerate(relations)
        if one.ci not in known
    ]
    if faults:
        raise Invalid("; ".join(f"{one['path']}: {one['message']}" for one in faults), errors=faults)


def in_whole(tx: Reading, number: str) -> Kept:
    """What is kept under a number, all of it. Raises NotFound, and Forbidden where some of it is not for who asks."""
    told = one_in(tx, number)
    if told != one_in(whole(tx), number):
        raise Forbidden(f"{number} names CIs that you do not see")
    return told


# Rules -----------------------------------------------------------------------------------------------------------------

Told = list[Row | None]
Rule = Callable[["SeenReading", Sequence[Row]], Told]
"""For each row what is told of it; None: nothing."""


def _all(_: SeenReading, rows: Sequence[Row]) -> Told:
    return list(rows)


def _none(_: SeenReading, rows: Sequence[Row]) -> Told:
    return [None] * len(rows)


def _by_ci(place: int) -> Rule:
    def rule(tx: SeenReading, rows: Sequence[Row]) -> Told:
        seen = tx.eyes.sees({row[place] for row in rows})
        return [row if row[place] in seen else None for row in rows]

    return rule


def _cis(tx: SeenReading, rows: Sequence[Row]) -> Told:
    seen = tx.eyes.sees({row[0] for row in rows})
    replaced = {old for row in rows if row[0] in seen and (old := row[SAID].get(REPLACES)) is not None}
    holders = resolve_all(tx.whole, replaced) if replaced else {}
    known = tx.eyes.sees(holders.values()) if holders else set()
    return [_replacing(row, holders, known, tx.eyes) if row[0] in seen else None for row in rows]


def _replacing(row: Row, holders: Mapping[str, str], seen: set[str], eyes: Eyes) -> Row:
    """A CI, with a token for what it replaced where that is not seen. ``holders``: any id -> the CI it stands for."""
    old = holders.get(row[SAID].get(REPLACES))
    if old is None or old in seen:
        return row
    return (*row[:SAID], row[SAID] | {REPLACES: eyes.token(old)}, *row[SAID + 1 :])


def _by_record(place: int) -> Rule:
    def rule(tx: SeenReading, rows: Sequence[Row]) -> Told:
        seen = records_seen(tx, {row[place] for row in rows})
        return [row if row[place] in seen else None for row in rows]

    return rule


def records_seen(tx: SeenReading, records: Iterable[str]) -> set[str]:
    """Those that belong to CIs that are seen."""
    found = {key[0]: row[CI_OF] for key, row in tx.whole.get(tables.RECORD, [(id_,) for id_ in set(records)]).items()}
    seen = tx.eyes.sees({ci for ci in found.values() if ci})
    return {id_ for id_, ci in found.items() if ci in seen}


def _relations(tx: SeenReading, rows: Sequence[Row]) -> Told:
    seen = tx.eyes.sees({row[place] for row in rows for place in (FROM, TO)})
    return [_related(row, seen, tx.eyes) for row in rows]


def _related(row: Row, seen: set[str], eyes: Eyes) -> Row | None:
    hidden = [place for place in (FROM, TO) if row[place] not in seen]
    if len(hidden) != 1:
        return None if hidden else row
    told = list(row)
    told[hidden[0]] = eyes.token(row[hidden[0]])
    told[GROUP] = HIDDEN if row[GROUP] else row[GROUP]
    return tuple(told)


def _memberships(tx: SeenReading, rows: Sequence[Row]) -> Told:
    """Of the CIs that a record belonged to before, a token where they are not seen."""
    mine = records_seen(tx, {row[0] for row in rows})
    seen = tx.eyes.sees({row[2] for row in rows if row[2]})

    def told(row: Row) -> Row:
        return row if not row[2] or row[2] in seen else (*row[:2], tx.eyes.token(row[2]))

    return [told(row) if row[0] in mine else None for row in rows]


def _ties(tx: SeenReading, rows: Sequence[Row]) -> Told:
    """A claim that ends at what is not seen names it in its own words, by address or name: it is left out."""
    mine = records_seen(tx, {row[0] for row in rows})
    seen = tx.eyes.sees({row[place] for row in rows for place in ENDS if row[place]})

    def is_told(row: Row) -> bool:
        return row[0] in mine and all(not row[place] or row[place] in seen for place in ENDS)

    return [row if is_told(row) else None for row in rows]


def _claims(tx: SeenReading, rows: Sequence[Row]) -> Told:
    """Claims that are made no more, or whose other end is not seen, tell neither their far end nor their evidence."""
    mine = records_seen(tx, {row[0] for row in rows})
    standing = tx.get(tables.TIE, {(row[0], row[1]) for row in rows})

    def told(row: Row) -> Row:
        if (row[0], row[1]) in standing or row[CLAIMED] is None:
            return row
        words = {name: row[CLAIMED][name] for name in WORDS if name in row[CLAIMED]}
        return (*row[: CLAIMED - 1], "", words | {"far": "", "evidence": "", "group": None})

    return [told(row) if row[0] in mine else None for row in rows]


def _decisions(tx: SeenReading, rows: Sequence[Row]) -> Told:
    """Those about records of CIs that are seen, or about values that nobody else bears; and what undid them."""
    return [row if _concerns_seen(tx, row) else None for row in rows]


def _concerns_seen(tx: SeenReading, row: Row) -> bool:
    while row[D["undoes"]]:  # which was there before it
        undone = tx.whole.get(tables.DECISION, [(row[D["undoes"]],)]).get((row[D["undoes"]],))
        if undone is None:
            return False
        row = undone
    body, named = row[D["body"]], set(ruling.named(row))
    return named == records_seen(tx, named) and (not body.get("value") or bearers_seen(tx, *body["value"]))


def bearers_seen(tx: SeenReading, kind: str, value: str) -> bool:
    """Whether all who bear an identifier are seen."""
    bearers = {row[2] for row in tx.whole.find(tables.IDENTIFIER, ("kind", "value"), [(kind, value)])}
    return bearers == records_seen(tx, bearers)


def _tasks(tx: SeenReading, rows: Sequence[Row]) -> Told:
    """Those of which everything is seen."""

    def is_told(subject: Mapping[str, Any]) -> bool:
        records, cis = (set(subject.get(name, ())) for name in ("records", "cis"))
        return records == records_seen(tx, records) and cis == tx.eyes.sees(cis)

    return [row if is_told(row[2] or {}) else None for row in rows]


def _feed(tx: SeenReading, rows: Sequence[Row]) -> Told:
    """What is no more is not seen any more either."""
    ends = [_named(row) for row in rows]
    seen = tx.eyes.sees({id_ for ids in ends for id_ in ids})
    return [row if seen.issuperset(ids) else None for row, ids in zip(rows, ends, strict=True)]


def _named(row: Row) -> Sequence[str]:
    words = row[2].split(" ")
    return (words[0], words[-1]) if row[1] == "relation" else (row[2],)


RULES: Mapping[Table, Rule] = {
    tables.CI: _cis, tables.DEADLINE: _by_ci(0), tables.RELATION: _relations, tables.FEED: _feed,
    tables.RECORD: _by_ci(CI_OF), tables.IDENTIFIER: _by_record(2), tables.FACT: _by_record(0),
    tables.CLAIM: _claims, tables.MEMBERSHIP: _memberships, tables.TIE: _ties,
    tables.SERIES_5MIN: _by_record(0), tables.SERIES_1H: _by_record(0), tables.SERIES_1D: _by_record(0),
    tables.DECISION: _decisions, tables.TASK: _tasks,
    # Found by what is seen: the reports of its records, and samples that are told apart by their records.
    tables.REPORT: _all, tables.CONTENT: _all, tables.THING: _all, tables.LANE: _all, tables.SAMPLE: _all,
    tables.SAMPLED: _all,
    # Names and times, of no CI.
    tables.BASELINE: _all, tables.BOUND: _all, tables.KEPT_COUNT: _all,
    tables.KEPT: kept_rows, tables.KEPT_VERSION: kept_versions, tables.KEPT_CI: _by_ci(0), tables.KEPT_LINK: kept_links,
    # Sums over everything, and what administrators look after.
    tables.HEALTH_COURSE: _none, tables.TOKEN: _none, tables.ENROLMENT: _none, tables.RETIREMENT: _none,
    tables.ACT: _none, tables.WEBHOOK: _none, tables.JOB: _none,
}  # fmt: skip
