"""Selectors compiled to masks over the typed columns.

A mask of what may be true and one of what may be false: where both are unset a condition is unknown, where both are
set the projection cannot decide it (which stage a CI has reached, of those that it may have, is the store's to say). So
``candidates`` are never too few; that they fit is for certain once each was held against the selector on its own. Only
the masks that a selector needs are computed: that a condition is false matters below a negation alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import numpy as np

from cmdb_server.model.selector_evaluation import COMPARE
from cmdb_server.model.selector_tree import (
    All,
    Compare,
    CompareFields,
    Field,
    Has,
    Holds,
    IsA,
    Known,
    Moment,
    Node,
    Not,
    OneOf,
    Related,
    Same,
    Some,
    TextTest,
    Truth,
    fields,
    parts,
)
from cmdb_server.projection.attributes import (
    OWN_PLACES,
    AttributeColumns,
    Attributes,
    Flags,
    Lists,
    Numbers,
    Present,
    Texts,
)
from cmdb_server.projection.columns import Bools, Column, Interned, Ints
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.sightings import STAGES, asks
from cmdb_server.store.port import Reading

FEW = 3
"""Up to so many codes are compared one by one; more are looked up."""
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def candidates(
    attributes: Attributes, projection: Projection, reading: Reading, tree: Node, now: float
) -> Bools | None:
    """Which CIs may fit, by number. ``now``: ms since 1970 UTC. None where the columns have gone on to a newer
    revision than ``reading`` sees."""
    wanted = {one for one in fields(tree) if not one.own or one.name in OWN_PLACES}
    relations = any(isinstance(part, Related) for part in parts(tree))
    seen = int(now) if asks({one.name for one in fields(tree) if one.own}) else None
    columns = attributes.columns(projection, reading, wanted, relations=relations, seen=seen)
    return None if columns is None else Masks(projection, columns, now).candidates(tree)


@dataclass(frozen=True, slots=True)
class Masks:
    """Masks of one revision."""

    projection: Projection
    columns: AttributeColumns
    now: float

    def candidates(self, tree: Node) -> Bools:
        mask = self.true(tree)
        mask[self.columns.gone] = False
        return mask

    def true(self, node: Node) -> Bools:
        """Which CIs may fit the condition. The mask is the caller's own."""
        return self._mask(node, True)

    def false(self, node: Node) -> Bools:
        """Which CIs may not fit it."""
        return self._mask(node, False)

    def _mask(self, node: Node, side: bool) -> Bools:
        match node:
            case Known(value):
                return self._every(value == side)
            case All(items):
                return _joined((self._mask(item, side) for item in items), both=side)
            case Some(items):
                return _joined((self._mask(item, side) for item in items), both=not side)
            case Not(item):
                return self._mask(item, not side)
            case Same(left, right):
                return self._same(left, right, side)
            case IsA(classes):
                return self._text(self._class(), lambda name: name in classes, side)
            case Has(field):
                return self._has(field, side)
            case Related():
                return self._related(node, side)
            case CompareFields():
                return self._compare_fields(node, side)
            case Truth(field):
                column = self.columns.held[field]
                assert isinstance(column, Flags)
                return np.equal(column.values, int(side))
            case Holds():
                return self._holds(node, side)
            case Compare() | OneOf() | TextTest():
                return self._leaf(node, side)

    def _every(self, value: bool) -> Bools:
        return np.full(len(self.projection), value)

    def _same(self, left: Node, right: Node, side: bool) -> Bools:
        one, other = self.true(left), self.false(left)
        one &= self._mask(right, side)
        other &= self._mask(right, not side)
        one |= other
        return one

    def _class(self) -> Texts:
        return Texts(self.projection.class_of, self.projection.rules.classes)

    def _texts(self, field: Field) -> Texts | None:
        """The field's column; None where the projection has none."""
        if field.own and field.name == "class":
            return self._class()
        if field.own and field.name == "site" and (seen := self.columns.sightings) is not None:
            return Texts(seen.site, seen.sites)
        column = self.columns.held.get(field)
        return column if isinstance(column, Texts) else None

    def _leaf(self, node: Compare | OneOf | TextTest, side: bool) -> Bools:
        if node.field.kind != "string":
            return self._number(node, side)
        if node.field.own and node.field.name == "stage" and (seen := self.columns.sightings) is not None:
            found = [seen.reached(stage, self.now) for stage in STAGES if _holds(node, stage) == side]
            return _joined(found, both=False) if found else self._every(False)
        wanted = _equal_to(node)
        if node.field.own and node.field.name == "id" and wanted is not None:
            return self._ids(wanted, side)
        texts = self._texts(node.field)
        if texts is None:
            return self._every(True)
        if wanted is not None:
            codes = [code for value in wanted if (code := texts.values.find(str(value))) is not None]
            return _coded(texts.codes, codes, len(texts.values), side)
        return self._text(texts, lambda text: _holds(node, text), side)

    def _text(self, texts: Texts, holds: Callable[[str], bool], side: bool) -> Bools:
        values = list(texts.values.values)
        return _coded(texts.codes, [code for code, value in enumerate(values) if holds(value)], len(values), side)

    def _number(self, node: Compare | OneOf | TextTest, side: bool) -> Bools:
        column = self.columns.held[node.field]
        assert isinstance(column, Numbers)
        if isinstance(node, OneOf):
            found: Bools = np.isin(column.values, np.asarray(node.values, np.float64))
        else:
            assert isinstance(node, Compare)
            value = node.value.at(self.now) if isinstance(node.value, Moment) else node.value
            if not side and node.sign != "==":
                return np.asarray(COMPARE[_OPPOSITE[node.sign]](column.values, value))
            found = np.asarray(COMPARE[node.sign](column.values, value))
        if not side:
            np.logical_not(found, out=found)
            found &= column.known
        return found

    def _ids(self, wanted: Iterable[str | float], side: bool) -> Bools:
        found = self._every(not side)
        for id_ in wanted:
            try:
                place = int(self.projection.index.find([str(id_)])[0])
            except ValueError:
                continue
            if place >= 0 and self.projection.id(place) == id_:
                found[place] = side
        return found

    def _has(self, field: Field, side: bool) -> Bools:
        if field.own and field.name in ("id", "class", "first_discovered"):
            return self._every(side)
        column = self.columns.held.get(field)
        if not isinstance(column, Present):
            return self._every(True)
        return column.values.copy() if side else ~column.values

    def _holds(self, node: Holds, side: bool) -> Bools:
        column = self.columns.held[node.field]
        assert isinstance(column, Lists)
        found = self._every(False)
        code = column.values.find(node.value)
        if code is not None:
            found[column.owner[column.codes == code]] = True
        return found if side else ~found & column.known

    def _related(self, node: Related, side: bool) -> Bools:
        """Some related CI fits: false when each of them may be false, none at all included."""
        type_ = self.projection.rules.types.find(node.type)
        if self.columns.relations is None or type_ is None:
            return self._every(True)
        here, far = self.columns.ends(type_)
        if node.incoming:
            here, far = far, here
        inner = self._mask(node.other, side).take(far)
        found = self._every(not side)
        found[here[inner if side else ~inner]] = side
        return found

    def _compare_fields(self, node: CompareFields, side: bool) -> Bools:
        if node.left.kind == "string":
            left, right = self._texts(node.left), self._texts(node.right)
            if left is None or right is None:
                return self._every(True)
            one: Column
            other: Column
            one, other = _ranked(left, right)
            known = (left.codes >= 0) & (right.codes >= 0)
        else:
            a, b = self.columns.held[node.left], self.columns.held[node.right]
            assert isinstance(a, Numbers) and isinstance(b, Numbers)
            one, other = a.values, b.values
            known = a.known & b.known
        found: Bools = np.asarray(COMPARE[node.sign](one, other))
        known &= found if side else ~found
        return known


def _holds(node: Compare | OneOf | TextTest, text: str) -> bool:
    if isinstance(node, TextTest):
        return node.holds(text)
    return text in node.values if isinstance(node, OneOf) else bool(COMPARE[node.sign](text, node.value))


def _equal_to(node: Compare | OneOf | TextTest) -> Collection[str | float] | None:
    """The values that alone fit, where it is so."""
    if isinstance(node, OneOf):
        return node.values
    if isinstance(node, Compare) and node.sign == "==" and not isinstance(node.value, Moment):
        return (node.value,)
    return None


def _joined(masks: Iterable[Bools], *, both: bool) -> Bools:
    whole: Bools | None = None
    for mask in masks:
        if whole is None:
            whole = mask
        elif both:
            whole &= mask
        else:
            whole |= mask
    assert whole is not None
    return whole


def _coded(codes: Ints, wanted: Collection[int], size: int, side: bool) -> Bools:
    """Which codes are among ``wanted``, or known and not among them."""
    if len(wanted) <= FEW:
        found: Bools = (
            np.zeros(len(codes), bool) if not wanted else _joined((codes == one for one in wanted), both=False)
        )
        if not side:
            np.logical_not(found, out=found)
            found &= codes >= 0
        return found
    table = np.full(size + 1, not side)
    table[list(wanted)] = side
    table[size] = False
    return table.take(codes, mode="wrap")


def _ranked(left: Texts, right: Texts) -> tuple[Ints, Ints]:
    """The texts of both as numbers in one order, so that they compare as the texts do."""
    values = sorted({*left.values.values, *right.values.values})
    rank = {value: place for place, value in enumerate(values)}
    return _ranks(left.codes, left.values, rank), _ranks(right.codes, right.values, rank)


def _ranks(codes: Ints, values: Interned[str], rank: dict[str, int]) -> Ints:
    table = np.asarray([*(rank[value] for value in values.values), -1], np.int32)
    return table[codes]
