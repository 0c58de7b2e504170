"""From entries to observations: checked against the classes and relation types, every fault with its row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from cmdb_schemas.ci_class import CIClass, check_value
from cmdb_schemas.relations import relation_types
from cmdb_schemas.report import Component, End, Observation, Relation
from cmdb_server.ingest.identifying import identifiers_of
from cmdb_server.practices.imports.entry import Entry, Fault, Link


@dataclass(slots=True)
class Checked:
    """``observations`` in order of their keys. ``rows``: key -> row; ``ids``: key -> the CI that the row names as its
    own."""

    observations: list[Observation] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)


def observations(told: Iterable[Entry | Fault], kinds: Mapping[str, CIClass]) -> Checked:
    """All entries as observations; those with faults are left out, and what an export lists though it comes to be by
    being named in a relation."""
    checked = Checked()
    entries: dict[str, Entry] = {}
    for one in told:
        if isinstance(one, Fault):
            checked.faults.append(one)
        elif _uuid(one.id) and (class_ := kinds.get(one.class_)) is not None and class_.identity == "key":
            continue
        elif one.key in entries:
            checked.faults.append(Fault(one.row, "key", f"row {entries[one.key].row} has the key {one.key!r} too"))
        else:
            entries[one.key] = one
    builder = _Builder(entries, kinds)
    for key in sorted(builder.faulty(checked.faults)):
        builder.tops.remove(key)
    for key in sorted(builder.tops):
        try:
            seen = builder.observation(entries[key])
            checked.observations.append(msgspec.convert(msgspec.to_builtins(seen), Observation))
        except msgspec.ValidationError as error:
            checked.faults.append(Fault(entries[key].row, "", str(error)))
    checked.rows = {key: entry.row for key, entry in entries.items()}
    checked.ids = {key: id_ for key, entry in entries.items() if (id_ := _uuid(entry.id)) is not None}
    checked.faults.sort(key=lambda fault: (fault.row, fault.column))
    return checked


class _Builder:
    def __init__(self, entries: Mapping[str, Entry], kinds: Mapping[str, CIClass]) -> None:
        self.entries, self.kinds = entries, kinds
        self.ids = {entry.id: key for key, entry in entries.items() if entry.id}
        self.parts: dict[str, list[Entry]] = {}
        self.tops = []
        for key, entry in entries.items():
            if entry.parent:
                self.parts.setdefault(self.ids.get(entry.parent, entry.parent), []).append(entry)
            else:
                self.tops.append(key)

    # Checks ----------------------------------------------------------------------------------------------------------

    def faulty(self, faults: list[Fault]) -> set[str]:
        """Check all entries into ``faults``. Gives the keys of the things that have one, in a component or themselves."""
        found = set()
        for entry in self.entries.values():
            of_entry = list(self.faults(entry))
            faults += of_entry
            if of_entry and (top := self._top(entry)) is not None and not top.parent:
                found.add(top.key)
        return found

    def faults(self, entry: Entry) -> Iterator[Fault]:
        class_ = self.kinds.get(entry.class_)
        if class_ is None:
            yield Fault(entry.row, "class", f"unknown class {entry.class_!r}" if entry.class_ else "is missing")
            return
        yield from self._place_faults(entry, class_)
        if not isinstance(entry.attributes.get("name"), str):
            yield Fault(entry.row, "name", "is missing")
        for name, value in entry.attributes.items():
            attribute = class_.attribute(name)
            if attribute is None:
                yield Fault(entry.row, name, f"{class_.title} has no such attribute")
            elif (problem := check_value(attribute, value)) is not None:
                yield Fault(entry.row, name, problem)
        for link in entry.links:
            if (fault := self._link_fault(class_, link)) is not None:
                yield Fault(entry.row, link.type, fault)

    def _place_faults(self, entry: Entry, class_: CIClass) -> Iterator[Fault]:
        if class_.identity == "key":
            yield Fault(entry.row, "class", f"{class_.title} comes to be by being named in a relation, not by a row")
        elif entry.parent and class_.identity != "component":
            yield Fault(entry.row, "parent", f"{class_.title} is no component")
        elif class_.identity == "component" and not entry.parent:
            yield Fault(entry.row, "parent", f"{class_.title} is a component: name what it is part of")
        elif entry.parent and self._top(entry) is None:
            yield Fault(entry.row, "parent", f"no row has the key {entry.parent!r}, or rows are parts of one another")

    def _top(self, entry: Entry) -> Entry | None:
        """The thing that the entry is a component of, however deep; None where there is none."""
        met = set()
        while entry.parent:
            above = self._entry(entry.parent)
            if above is None or above.key in met:
                return None
            met.add(above.key)
            entry = above
        return entry

    def _entry(self, name: str) -> Entry | None:
        return self.entries.get(name) or self.entries.get(self.ids.get(name, ""))

    def _link_fault(self, class_: CIClass, link: Link) -> str | None:
        type_ = relation_types().get(link.type)
        if type_ is None:
            return f"unknown relation type {link.type!r}"
        try:
            end = self._end(link, None)
        except ValueError as error:
            return str(error)
        other = self._entry(link.to) if isinstance(link.to, str) else None
        far = self.kinds.get(other.class_ if other is not None else end.class_ or "")
        if far is None:
            return None
        return type_.refuses(far, class_) if link.reverse else type_.refuses(class_, far)

    # Observations ----------------------------------------------------------------------------------------------------

    def observation(self, top: Entry) -> Observation:
        components: list[Component] = []
        relations = [*self._relations(top, top)]
        left = sorted(self.parts.get(top.key, ()), key=lambda entry: entry.key, reverse=True)
        while left:
            part = left.pop()
            above = self._entry(part.parent)
            parent = "" if above is None or above.key == top.key else above.key
            local = str(part.attributes.get("name", part.key))
            components.append(
                Component(part.key, part.class_, local, parent=parent, attributes=dict(part.attributes))
            )  # fmt: skip
            relations += self._relations(part, top)
            left += sorted(self.parts.get(part.key, ()), key=lambda entry: entry.key, reverse=True)
        return Observation(
            ref=top.key, class_=top.class_, native_key=top.key, identifiers=identifiers_of(top.attributes, top.identifiers),
            attributes=dict(top.attributes), components=components, relations=relations,
        )  # fmt: skip

    def _relations(self, entry: Entry, top: Entry) -> Iterator[Relation]:
        near = End(ref="" if entry is top else entry.key)
        for link in entry.links:
            try:
                far = self._end(link, top)
            except ValueError:
                continue
            ends = (far, near) if link.reverse else (near, far)
            yield Relation(link.type, ends[1], from_=ends[0], group=link.group, weight=link.weight, evidence="imported")

    def _end(self, link: Link, top: Entry | None) -> End:
        """The far end of a link. Raises ValueError, in words, for one that nothing is found by."""
        if isinstance(link.to, End):
            return link.to
        entry = self._entry(link.to)
        if entry is not None:
            return self._within(entry, top)
        if (id_ := _uuid(link.to)) is not None:
            return End(ci=id_)
        name, _, rest = link.to.partition(":")
        class_ = self.kinds.get(name)
        if class_ is None or not rest:
            raise ValueError(f"no row has the key {link.to!r}; write a key, class:name, or a CI's id")
        if class_.identity == "component":
            raise ValueError(f"{class_.title} is found by the key of its row alone")
        if class_.identity == "declared":
            return End(class_=name, name=rest)
        if class_.identity == "key":
            return End(class_=name, key=rest)
        return End(class_=name, identifiers={"name": [rest]})

    def _within(self, entry: Entry, top: Entry | None) -> End:
        if not entry.parent:
            return End(ref="") if top is entry else End(native_key=entry.key)
        home = self._top(entry)
        if home is None or (top is not None and home is top):
            return End(ref=entry.key)
        name = entry.attributes.get("name")
        return End(native_key=home.key, identifiers={"if_name": [str(name)]})


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text)) if len(text) == 36 else None
    except ValueError:
        return None
