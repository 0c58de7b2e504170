"""How much two records speak for being one thing, term by term."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cmdb_server.model.record import Record, Value
from cmdb_server.model.weighing import Family, Kind, Weights


@dataclass(frozen=True, slots=True)
class Term:
    """One kind's part in a score. ``points`` > 0 speaks for one thing. ``ours`` and ``theirs``: what was compared."""

    kind: str
    points: float
    ours: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()


class View:
    """A record's evidence without what is distrusted."""

    __slots__ = ("full", "hosts", "labels", "record", "short", "strong", "values")

    def __init__(self, record: Record, weights: Weights, without: frozenset[Value] = frozenset()) -> None:
        identifiers = record.identifiers
        if without:
            identifiers = {k: tuple(v for v in vs if (k, v) not in without) for k, vs in identifiers.items()}
        self.record = record
        self.values = {kind: frozenset(values) for kind, values in identifiers.items() if values}
        self.strong = not weights.strong.isdisjoint(self.values)
        names = {*identifiers.get("name", ()), *identifiers.get("fqdn", ())}
        self.labels = identifiers.get("label", ())
        if record.declared:  # a file keeps the old name long after a host was given another
            self.labels, names = (*self.labels, *sorted(names)), set()
        self.full = {name for name in names if "." in name}
        self.short = names - self.full
        self.hosts = {name.partition(".")[0] for name in names}

    def called(self, other: View) -> bool:
        """Whether a name of one is a name of the other; a short name is the first label of a full one."""
        return not (
            self.full.isdisjoint(other.full)
            and self.short.isdisjoint(other.hosts)
            and self.hosts.isdisjoint(other.short)
        )

    def labelled(self, other: View) -> bool:
        """Whether a label that people gave one is a name or a label of the other."""
        return any(
            label in other.full or label in other.short or label in other.labels or label.partition(".")[0] in other.short
            or ("." not in label and label in other.hosts)
            for label in self.labels
        )  # fmt: skip


Points = tuple[str, float]


def points(a: View, b: View, family: Family) -> list[Points]:
    """What the kinds that both have say, kind by kind; kinds only one has say nothing. The order is fixed."""
    found, opposed, agreed = bearing(a, b, family)
    standing(a.record, b.record, family, found, placed=agreed and not opposed)
    return found


def bearing(a: View, b: View, family: Family) -> tuple[list[Points], bool, bool]:
    """What they bear says, wherever they stand; whether their hardware disagrees, and whether their names agree."""
    found: list[Points] = []
    software: list[float] = []
    opposed = False
    ours, theirs = a.values, b.values
    for kind in family.kinds:
        mine, other = ours.get(kind.name), theirs.get(kind.name)
        if mine is None or other is None:
            continue
        worth = _worth(kind, mine, other)
        if worth > 0 and kind.qualifier and _unlike(ours.get(kind.qualifier), theirs.get(kind.qualifier)):
            continue
        found.append((kind.name, worth))
        if kind.group == "installation":
            software.append(worth)
        elif kind.group == "hardware" and worth < 0:
            opposed = True
    if len(software) > 1:
        total = sum(software)
        capped = max(family.least, min(family.most, total))
        if capped != total:
            found.append(("installation", capped - total))
    agreed = _naming(a, b, family, found)
    return found, opposed, agreed


def _worth(kind: Kind, mine: frozenset[str], other: frozenset[str]) -> float:
    shared = mine & other
    if not shared:
        return kind.differ
    if kind.measure == "any":
        return kind.agree
    least = min(len(mine), len(other))
    burnt_in = sum([not is_local(mac) for mac in shared])
    weight = kind.agree if burnt_in else kind.agree * kind.local
    if burnt_in > 1 and len(shared) == least:
        weight += kind.several
    return weight * len(shared) / least


def _unlike(mine: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    """Whether both are told and differ: makers number their boxes without regard to each other."""
    return mine is not None and other is not None and mine.isdisjoint(other)


def is_local(mac: str) -> bool:
    """Whether a MAC was not burnt in: the locally administered bit of its first octet is set."""
    return mac[1:2] in ("2", "3", "6", "7", "a", "b", "e", "f")


def _naming(a: View, b: View, family: Family, found: list[Points]) -> bool:
    agreed = a.called(b)
    if a.hosts and b.hosts:
        found.append(("name", family.name_agree if agreed else family.name_differ))
    if not agreed and (a.labels or b.labels) and (a.labelled(b) or b.labelled(a)):
        found.append(("label", family.name_agree))
    return agreed


def standing(one: Record, two: Record, family: Family, found: list[Points], *, placed: bool) -> None:
    """Add what their places say, which count where ``placed``, and the keys that their source gave them."""
    if placed and one.address and one.address == two.address and one.site == two.site:
        found.append(("place", family.place))
    if one.native_key is not None and one.native_key == two.native_key and one.source == two.source:
        found.append(("native_key", family.native_key))


def score(found: Iterable[Points]) -> float:
    """The sum of the points."""
    return round(sum([worth for _, worth in found]), 6)


def breakdown(a: View, b: View, family: Family) -> tuple[Term, ...]:
    """The points with what was compared, for people to read."""
    return tuple(Term(kind, worth, _told(a, kind), _told(b, kind)) for kind, worth in points(a, b, family))


def _told(view: View, kind: str) -> tuple[str, ...]:
    record = view.record
    special = {
        "name": sorted(view.full | view.short), "label": [*view.labels, *sorted(view.full | view.short)],
        "place": [record.address or ""], "native_key": [record.native_key or ""],
    }  # fmt: skip
    return tuple(special[kind] if kind in special else sorted(view.values.get(kind, ())))
