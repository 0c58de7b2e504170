"""What differs between two times, as a report."""

from __future__ import annotations

from collections.abc import Iterable

from cmdb_server.answers.diff import Difference, DiffPage, Moment
from cmdb_server.answers.graphml import cell
from cmdb_server.answers.render.report import Cell, Report, Row, Section, asked_of
from cmdb_server.answers.told import moment


def diff_report(answer: DiffPage, before: Moment, after: Moment) -> Report:
    """Of a page of differences between two moments."""
    counts = tuple(
        Row((str(count), change, f"{kind} {class_}")) for (kind, class_, change), count in sorted(answer.counts.items())
    )
    details = tuple(Row((one.change, one.class_, one.name, _values(one), " ".join(one.id))) for one in answer.items)
    more = "there are more: ask with a larger limit, or narrow by change and class" if answer.cursor else ""
    total = sum(answer.counts.values())
    return Report(
        f"What differs between {_when(before)} and {_when(after)}",
        f"{total} differences." if total else "Nothing differs.",
        tuple(_facts(before, after, answer.revision)),
        (
            Section("Counts", ("Count", "Change", "What"), counts),
            Section("Details", ("Change", "Class", "Name", "What", "Id"), details, more),
        ),
    )


def _when(one: Moment) -> str:
    return moment(one.at) or (f"revision {one.revision}" if one.revision is not None else "now")


def _facts(before: Moment, after: Moment, revision: int) -> Iterable[tuple[str, Cell]]:
    for label, one in (("Before", before), ("After", after)):
        known = moment(one.known_at)
        yield label, _when(one) + (f", as known at {known}" if known else "")
    yield from asked_of(revision)


def _values(one: Difference) -> str:
    if one.into:
        return f"into {one.into}"
    if one.change in ("created", "removed"):
        return ""
    return ", ".join(
        f"{name}: {cell(old) or 'nothing'} → {cell(new) or 'nothing'}" for name, (old, new) in one.values.items()
    )
