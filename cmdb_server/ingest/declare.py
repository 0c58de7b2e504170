"""What people enter: a source like any other, whose word is weighed by precedence and kept in the history.

An entry about a CI that is already there ties the entry's record to it by a merge, which can be undone like every
other decision.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from cmdb_schemas.ci_class import CIClass, check_value, classes
from cmdb_schemas.relations import relation_types
from cmdb_schemas.report import Content, End, Observation, Relation, Report, Scan, Scope, encode_content
from cmdb_server.errors import Conflict, Invalid, NotFound, PreconditionFailed
from cmdb_server.ingest.accepted import Accepted, accept
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.entries import DECLARED
from cmdb_server.ingest.identifying import identifiers_of
from cmdb_server.ingest.pipeline import take_in
from cmdb_server.ingest.service_tree import check_service
from cmdb_server.ingest.sighting import EVERYWHERE, read
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row, Store, Writing

SITE = EVERYWHERE
"""People's entries hold at every site."""


@dataclass(frozen=True, slots=True)
class DeclaredRelation:
    """A relation that a person enters: to or from (``reverse``) the CI with that id."""

    type: str
    ci: str
    reverse: bool = False
    group: str | None = None
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Declared:
    """The CI that holds an entry, and the revision it is in."""

    ci: str
    revision: int


def create(
    store: Store, subject: str, class_name: str, attributes: Mapping[str, Any],
    relations: Sequence[DeclaredRelation] = (), *, now_ms: int, kinds: Mapping[str, CIClass] | None = None,
) -> Declared:  # fmt: skip
    """Enter a CI of a class. Raises Invalid by attribute, Conflict when a declared class has that name already."""
    known = kinds or classes()
    class_ = known.get(class_name)
    if class_ is None:
        raise Invalid(f"class: unknown class {class_name!r}", errors=[_fault("class", f"unknown class {class_name!r}")])
    _check(class_, attributes)
    key = f"{class_name}:{uuid.uuid4()}"

    def work(tx: Writing) -> Declared:
        name = attributes.get("name")
        if not class_.discovered and tx.find(tables.CI, ("class", "name"), [(class_name, name)]):
            raise Conflict(f"name: there is already the {class_.title} {name!r}")
        _check_relations(tx, relations, known, class_)
        check_service(tx, class_, attributes, relations, known, lambda id_: resolve(tx, id_))
        return _enter(tx, subject, key, class_name, attributes, relations, now_ms, known)

    return store.write(work)


def edit(
    store: Store, subject: str, ci: str, changes: Mapping[str, Any], expected_revision: int,
    relations: Sequence[DeclaredRelation] | None = None, *, now_ms: int, kinds: Mapping[str, CIClass] | None = None,
) -> Declared:  # fmt: skip
    """Change what people say of a CI. ``changes``: attribute -> value, None takes the person's word back.
    ``relations``: all that people say of it; None leaves them. Raises PreconditionFailed when the CI changed since
    ``expected_revision``."""
    known = kinds or classes()

    def work(tx: Writing) -> Declared:
        row = unchanged(tx, ci, expected_revision)
        class_ = known[row[1]]
        _check(class_, {name: value for name, value in changes.items() if value is not None}, partial=True)
        _check_relations(tx, relations or (), known, class_)
        record = _own_record(tx, row[0])
        attributes: dict[str, Any] = {n: e[0] for n, e in record[16].items()} if record is not None else {}
        proved = _proofs(attributes)
        attributes |= changes
        told = {name: value for name, value in attributes.items() if value is not None}
        if relations is None:
            kept = _relations(tx, record)
        else:
            kept = list(relations)
        said = {"name": row[2], **changes}
        check_service(tx, class_, said, relations or (), known, lambda id_: resolve(tx, id_), row[0])
        key = record[4] if record is not None else f"{class_.name}:{uuid.uuid4()}"
        # Who corrects what proves a thing still speaks of that thing.
        onto = row[0] if record is None or proved - _proofs(told) else None
        return _enter(tx, subject, key, class_.name, told, kept, now_ms, known, onto=onto)

    return store.write(work)


def _proofs(attributes: Mapping[str, Any]) -> set[tuple[str, str]]:
    found = identifiers_of(attributes)
    return {(kind, value) for kind, values in found.items() for value in values if kind not in ("name", "fqdn")}


def unchanged(tx: Reading, ci: str, expected_revision: int) -> Row:
    """The CI with that id. Raises NotFound, and PreconditionFailed when it changed since ``expected_revision``."""
    row = _row(tx, ci)
    if row[6] != expected_revision:
        raise PreconditionFailed(f"{row[0]} is at revision {row[6]}, not {expected_revision}")
    return row


def _fault(path: str, message: str) -> dict[str, str]:
    return {"path": path, "message": message}


def _check(class_: CIClass, attributes: Mapping[str, Any], *, partial: bool = False) -> None:
    faults = []
    for name, value in attributes.items():
        attribute = class_.attribute(name)
        if attribute is None:
            faults.append(_fault(f"attributes.{name}", f"{class_.title} has no such attribute"))
        elif (problem := check_value(attribute, value)) is not None:
            faults.append(_fault(f"attributes.{name}", problem))
    if not partial and not isinstance(attributes.get("name"), str):
        faults.append(_fault("attributes.name", "a CI that is entered by hand needs a name"))
    if faults:
        raise Invalid("; ".join(f"{f['path']}: {f['message']}" for f in faults), errors=faults)


def _row(tx: Reading, ci: str) -> tuple[Any, ...]:
    canonical = resolve(tx, ci)
    return tx.get(tables.CI, [(canonical,)])[(canonical,)]


def resolve(tx: Reading, ci: str) -> str:
    """The CI that an id stands for now: its own, or that of any record it holds. Raises NotFound."""
    found = resolve_all(tx, [ci])
    if ci not in found:
        raise NotFound(f"no CI {ci!r}")
    return found[ci]


def resolve_all(tx: Reading, cis: Iterable[str]) -> dict[str, str]:
    """The same for many at once; ids that stand for nothing are absent."""
    asked = set(cis)
    found = {key[0]: key[0] for key in tx.get(tables.CI, [(ci,) for ci in asked])}
    records = tx.get(tables.RECORD, [(ci,) for ci in asked - found.keys()])
    place = tables.RECORD.position("ci")
    return found | {key[0]: row[place] for key, row in records.items() if row[place]}


def _check_relations(
    tx: Reading, relations: Iterable[DeclaredRelation], kinds: Mapping[str, CIClass], class_: CIClass
) -> None:
    faults = []
    for at, relation in enumerate(relations):
        type_ = relation_types().get(relation.type)
        if type_ is None:
            faults.append(_fault(f"relations[{at}].type", f"unknown relation type {relation.type!r}"))
            continue
        try:
            other = kinds[_row(tx, relation.ci)[1]]
        except NotFound as fault:
            faults.append(_fault(f"relations[{at}].ci", fault.detail))
            continue
        ends = (other, class_) if relation.reverse else (class_, other)
        if (problem := type_.refuses(*ends)) is not None:
            faults.append(_fault(f"relations[{at}]", problem))
    if faults:
        raise Invalid("; ".join(f"{f['path']}: {f['message']}" for f in faults), errors=faults)


def _own_record(tx: Reading, ci: str) -> tuple[Any, ...] | None:
    """The newest record by which people speak of a CI."""
    mine = [row for row in tx.find(tables.RECORD, ("ci",), [(ci,)]) if row[1] == DECLARED and not row[7]]
    return max(mine, key=lambda row: (row[tables.RECORD.position("first_at")], row[0]), default=None)


def _relations(tx: Reading, record: tuple[Any, ...] | None) -> list[DeclaredRelation]:
    if record is None:
        return []
    return [
        DeclaredRelation(
            row[2], row[4].removeprefix("ci:"), row[5]["way"] == "in", row[5].get("group"), row[5].get("weight", 1)
        )
        for row in tx.find(tables.TIE, ("record",), [(record[0],)])
    ]


def _enter(
    tx: Writing, subject: str, key: str, class_name: str, attributes: Mapping[str, Any],
    relations: Iterable[DeclaredRelation], now_ms: int, kinds: Mapping[str, CIClass], onto: str | None = None,
) -> Declared:  # fmt: skip
    accepted = _as_report(subject, key, class_name, attributes, relations, now_ms)
    seen = Observation(ref="it", class_=class_name, native_key=key, identifiers=identifiers_of(attributes))
    record = accepted_record(accepted, seen, kinds)
    if onto is not None:
        body = {"sides": [[onto], [record]]}
        tx.insert(
            tables.DECISION,
            [(str(uuid.uuid4()), tx.revision, "merge", body, subject, now_ms, "an entry about this CI", None)],
        )
    take_in(tx, accepted, kinds)
    return Declared(resolve(tx, record), tx.revision)


def accepted_record(accepted: Accepted, seen: Observation, kinds: Mapping[str, CIClass]) -> str:
    """The id that the entry's record will have."""
    return read(seen, accepted.origin, kinds, b"", "entry").thing.record


def _as_report(
    subject: str, key: str, class_name: str, attributes: Mapping[str, Any], relations: Iterable[DeclaredRelation],
    now_ms: int,
) -> Accepted:  # fmt: skip
    def end(relation: DeclaredRelation, *, far: bool) -> End:
        return End(ci=relation.ci) if far else End(ref="")

    observation = Observation(
        ref="it", class_=class_name, native_key=key, identifiers=identifiers_of(attributes), attributes=dict(attributes),
        relations=[
            Relation(
                r.type, end(r, far=not r.reverse), from_=end(r, far=r.reverse), group=r.group, weight=r.weight,
                evidence=f"entered by {subject}",
            )
            for r in relations
        ],
    )  # fmt: skip
    now = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
    id_ = str(uuid.uuid4())
    report = Report(
        version=1, id=id_, agent=subject, site=SITE, source=DECLARED, scope=Scope(key, "entry"), scan=Scan(id_),
        observed_at=now, sent_at=now, content=msgspec.Raw(encode_content(Content(observations=[observation]))),
    )  # fmt: skip
    return accept(report, msgspec.json.encode(report), Caller(subject, "operator"), now_ms)
