"""Why is this here, and why does it say that: the records of a CI, what tied them, and every source's word on every
attribute with the one that won."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cmdb_server.answers.lives import Lives
from cmdb_server.answers.past_state import past_of
from cmdb_server.answers.seen import as_seen
from cmdb_server.answers.testimony import as_evidence, void
from cmdb_server.answers.viewer import Viewer
from cmdb_server.answers.views import SourceView
from cmdb_server.errors import NotFound
from cmdb_server.ingest import ruling
from cmdb_server.ingest.declare import resolve
from cmdb_server.ingest.decode import stored_observation
from cmdb_server.ingest.late import unpacked
from cmdb_server.ingest.ruling import D, in_transaction
from cmdb_server.ingest.sighting import Kinds, as_json
from cmdb_server.model import identity
from cmdb_server.model.decisions import pins
from cmdb_server.model.precedence import Candidate, Verdict, shipped, winner
from cmdb_server.model.record import Record
from cmdb_server.model.weighing import shipped as weights
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row, Store

R = {name: tables.RECORD.position(name) for name, _ in tables.RECORD.columns}


@dataclass(frozen=True, slots=True)
class Word:
    """One source's word on an attribute. ``section``: the probe or table of the scan that told it."""

    value: Any
    record: str
    source: str
    agent: str
    section: str | None
    since: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class AttributeExplained:
    """``why``: pinned, only, precedence, newest or stale. ``losers``: best first."""

    name: str
    value: Any
    why: str
    winner: Word | None
    losers: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Tied:
    """Why two records are held to be one thing: what each kind of evidence weighed, what is distrusted left out, and
    the sum. ``how``: by evidence, decision (of people), version (of one source's key), place or name."""

    records: tuple[str, str]
    terms: tuple[Mapping[str, Any], ...]
    score: float
    how: str
    decision: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is known of how a CI came to be what it is."""

    ci: str
    class_: str
    name: str
    sources: tuple[SourceView, ...]
    ties: tuple[Tied, ...]
    attributes: tuple[AttributeExplained, ...]
    decisions: tuple[Mapping[str, Any], ...]


def explain(
    store: Store, viewer: Viewer, ci: str, attribute: str | None = None, at: int | None = None,
    known_at: int | None = None, *, now_ms: int,
) -> Explanation:  # fmt: skip
    """Explain a CI, or one attribute of it, as of a time too. Raises NotFound, for an attribute that its class has not,
    too."""

    def work(reading: Reading) -> Explanation:
        past = past_of(reading, viewer, at, known_at, now_ms)
        tx, now = past.tx, past.now
        id_ = resolve(tx, ci)
        row = tx.get(tables.CI, [(id_,)])[(id_,)]
        lives = Lives(tx, now, viewer.kinds)
        lives.load([id_])
        sources = {source.record: source for source in lives.sources(id_)}
        records = sorted(tx.find(tables.RECORD, ("ci",), [(id_,)]), key=lambda r: (r[R["first_at"]], r[0]))
        attributes = tuple(_attributes(tx, row, records, sources, attribute, now, viewer.kinds))
        class_ = viewer.kinds[row[1]]
        if attribute is not None and not attributes and class_.attribute(attribute) is None:
            raise NotFound(f"{class_.title} has no attribute {attribute!r}")
        return Explanation(
            id_, row[1], row[2], tuple(sources[r[0]] for r in records), tuple(_ties(tx, records, sources, viewer.kinds)),
            attributes, tuple(_decisions(tx, {r[0] for r in records})),
        )  # fmt: skip

    return as_seen(store, viewer).read(work)


def _attributes(
    tx: Reading,
    row: Row,
    records: Iterable[Row],
    sources: Mapping[str, SourceView],
    only: str | None,
    now: int,
    kinds: Kinds,
) -> Iterable[AttributeExplained]:
    told: dict[str, list[tuple[Candidate, Word]]] = {}
    for record in records:
        source, sections = sources[record[0]], _sections(tx, record)
        for name, (value, since, confirmed) in record[R["attributes"]].items():
            last = confirmed if confirmed is not None else source.last
            word = Word(value, record[0], source.source, source.agent, sections.get(name), since, last)
            told.setdefault(name, []).append((Candidate(source.source, record[0], value, since, last), word))
    pinned = pins(in_transaction(tx).decisions, frozenset(sources))
    class_ = kinds[row[1]]
    for name in sorted(told.keys() | pinned.keys()):
        if only not in (None, name):
            continue
        words = told.get(name, [])
        verdict = winner(
            [candidate for candidate, _ in _standing(words, sources)], shipped(), now,
            lineage=(class_.name, *class_.ancestors), attribute=name,
            pinned=pinned[name].pinned if name in pinned else None,
        )  # fmt: skip
        yield _explained(name, verdict, words)


def _standing(told: list[tuple[Candidate, Word]], sources: Mapping[str, SourceView]) -> list[tuple[Candidate, Word]]:
    """The words of what is still there; of what is gone only where nothing else speaks."""
    present = [one for one in told if sources[one[1].record].ended_at is None]
    return present or told


def _explained(name: str, verdict: Verdict, told: list[tuple[Candidate, Word]]) -> AttributeExplained:
    words = {candidate.record: word for candidate, word in told}
    first = words.get(verdict.winner.record) if verdict.winner is not None else None
    losers = [words.pop(one.record) for one in verdict.losers]
    if first is not None:
        words.pop(first.record)
    losers += sorted(words.values(), key=lambda word: (-word.confirmed, as_json(word.value), word.record))
    return AttributeExplained(name, verdict.value, verdict.why, first, tuple(losers))


def _sections(tx: Reading, record: Row) -> Mapping[str, str]:
    """attribute -> section, as the record's last observation told."""
    if record[R["parent"]]:
        section = record[R["section"]]
        return {name: section for name in record[R["attributes"]]} if section else {}  # noqa: C420
    thing = tx.get(tables.THING, [(record[R["evidence"]],)]).get((record[R["evidence"]],))
    return stored_observation(unpacked(thing[1])).sections if thing is not None else {}


def _ties(tx: Reading, records: list[Row], sources: Mapping[str, SourceView], kinds: Kinds) -> Iterable[Tied]:
    """The strongest bonds that hold the records together: a tree of them, each record tied to its best earlier one."""
    if len(records) < 2 or records[0][R["parent"]]:
        return
    views = [as_evidence(record, sources[record[0]], kinds[record[R["class"]]].family) for record in records]
    ruled = in_transaction(tx).decisions
    resolution = identity.resolve(views, ruled, void=void(tx, views))
    merges = [(d.id, {id_ for side in d.sides for id_ in side}) for d in ruled if d.verb == "merge"]
    for at, view in enumerate(views[1:], 1):
        bonds = []
        for other in views[:at]:
            terms = resolution.evidence(other.id, view.id)
            bonds.append((sum(term.points for term in terms), other.id, terms))
        score, other_id, terms = max(bonds, key=lambda bond: (bond[0], bond[1]))
        how, decision = _how(resolution, view, score, merges)
        yield Tied((other_id, view.id), tuple(_term(term) for term in terms), score, how, decision)


def _how(
    resolution: identity.Resolution, view: Record, score: float, merges: list[tuple[str, set[str]]]
) -> tuple[str, str | None]:
    """By what a record belongs with the others, and the decision that says so."""
    if view.id not in resolution.weak and score >= weights().default.join:
        return "evidence", None
    if view.id in resolution.withdrawn or view.id in resolution.withdrawn.values():
        return "version", None
    mine = next((group for group in resolution.groups if view.id in group), ())
    decision = next((id_ for id_, named in merges if not named.isdisjoint(mine)), None)
    if decision is not None:
        return "decision", decision
    if view.id in resolution.weak:
        return ("name" if view.declared else "place"), None
    return "evidence", None  # by way of a third record


def _term(term: identity.Term) -> Mapping[str, Any]:
    return {name: getattr(term, name) for name in term.__slots__}


def _decisions(tx: Reading, records: set[str]) -> Iterable[Mapping[str, Any]]:
    rows = ruling.rows(tx)
    standing = {row[D["id"]] for row in ruling.in_effect(rows)}
    told = {"by": "subject", **{name: name for name in ("id", "verb", "at", "reason", "undoes")}}
    for row in rows:
        if not records.isdisjoint(ruling.named(row)):
            yield {name: row[D[column]] for name, column in told.items()} | {"in_effect": row[D["id"]] in standing}
