"""From syntax to a tree of known names and types. What does not fit together is refused with its column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cmdb_schemas.units import comparable, convert
from cmdb_server.model.selector_lexer import SelectorError
from cmdb_server.model.selector_pattern import Pattern, PatternError
from cmdb_server.model.selector_syntax import Binary, Call, Joined, Listed, Literal, Member, Name, Syntax, Unary
from cmdb_server.model.selector_tree import (
    All,
    Compare,
    CompareFields,
    Field,
    Has,
    Holds,
    IsA,
    Kind,
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
)
from cmdb_server.model.selector_values import quantity, span_ms, time_ms
from cmdb_server.model.selector_vocabulary import Vocabulary, Ways, meant

TESTS = ("startsWith", "endsWith", "contains", "matches")
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_ORDERED = ("string", "number", "time", "duration")
_SAID = {"strings": "a list of strings", "numbers": "a list of numbers", "other": "a value that is only there or not"}


Told = str | float | bool | Moment | tuple[float, str]


@dataclass(frozen=True, slots=True)
class Path:
    """A value of the CI, or (``via``) of those a relation leads to. ``fields`` by kind."""

    name: str
    fields: Mapping[Kind, Field]
    column: int
    via: Ways | None = None

    def wrapped(self, node: Node) -> Node:
        return node if self.via is None else _related(self.via, node)


@dataclass(frozen=True, slots=True)
class Constant:
    """``kind`` is ``quantity`` for a number with a unit, whose ``value`` is then both."""

    value: Told
    kind: str
    column: int


@dataclass(frozen=True, slots=True)
class Values:
    items: tuple[Constant, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Condition:
    node: Node
    column: int


@dataclass(frozen=True, slots=True)
class Ends:
    """``rel(type)`` before it is known what of them is asked."""

    ways: Ways
    column: int


Term = Path | Constant | Values | Condition | Ends


def check(syntax: Syntax, vocabulary: Vocabulary) -> Node:
    """The tree of a selector. Raises SelectorError."""
    return _Checker(vocabulary).condition(syntax)


class _Checker:
    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary

    def condition(self, syntax: Syntax) -> Node:
        if isinstance(syntax, Joined):
            items = tuple(self.condition(item) for item in syntax.items)
            return All(items) if syntax.sign == "&&" else Some(items)
        term = self.term(syntax)
        if (node := _as_condition(term)) is None:
            raise SelectorError(term.column, f"expected a condition, found {_described(term)}")
        return node

    def term(self, syntax: Syntax) -> Term:
        match syntax:
            case Joined():
                return Condition(self.condition(syntax), syntax.column)
            case Literal(value, column):
                kind = "boolean" if isinstance(value, bool) else "number" if isinstance(value, float) else "string"
                return Constant(value, kind, column)
            case Listed(items, column):
                return Values(tuple(self.constant(item) for item in items), column)
            case Name(name, column):
                return Constant(Moment(0, after_now=True), "time", column) if name == "now" else self.path(name, column)
            case Unary(sign, of, column):
                return self.unary(sign, of, column)
            case Binary(sign, left, right, column):
                if sign in ("+", "-"):
                    return _sum(sign, self.constant(left), self.constant(right), column)
                return Condition(self.comparison(sign, self.term(left), self.term(right), column), left.column)
            case Member(of, name, column):
                return self.member(self.term(of), name, column)
            case Call():
                return self.function(syntax) if syntax.of is None else self.method(syntax, self.term(syntax.of))

    def constant(self, syntax: Syntax) -> Constant:
        term = self.term(syntax)
        if not isinstance(term, Constant):
            raise SelectorError(term.column, f"expected a value, found {_described(term)}")
        return term

    def unary(self, sign: str, of: Syntax, column: int) -> Term:
        if sign == "!":
            return Condition(Not(self.condition(of)), column)
        term = self.constant(of)
        if term.kind != "number" or not isinstance(term.value, float):
            raise SelectorError(column, "- stands before numbers alone")
        return Constant(-term.value, "number", column)

    def path(self, name: str, column: int, *, attribute_only: bool = False) -> Path:
        fields = self.vocabulary.fields(name, attribute_only=attribute_only)
        if not fields:
            raise SelectorError(column, f"no class has an attribute {name!r}{self.vocabulary.near(name)}")
        return Path(name, fields, column)

    def member(self, of: Term, name: str, column: int) -> Path:
        if isinstance(of, Ends):
            path = self.path(name, column)
            return Path(path.name, path.fields, column, of.ways)
        raise SelectorError(column, f'nothing has parts here; a name with dots is written attr("...{name}")')

    # Functions -------------------------------------------------------------------------------------------------------

    def function(self, call: Call) -> Term:
        match call.name:
            case "has":
                path = self.argument(call, Path, "a name")
                field = next(iter(path.fields.values()))
                return Condition(path.wrapped(Has(Field(field.name, "other", field.own))), call.column)
            case "attr":
                return self.path(self.text(call), call.arguments[0].column, attribute_only=True)
            case "isa":
                return Condition(self.isa(call), call.column)
            case "rel":
                return Ends(self.ways(call), call.column)
            case "timestamp":
                return _constant(call, time_ms(self.text(call)), "time", "a date or an RFC 3339 time with its offset")
            case "duration":
                return _constant(call, span_ms(self.text(call)), "duration", "a duration such as P30D or 12h30m")
            case "quantity":
                return _constant(call, quantity(self.text(call)), "quantity", "a quantity such as 16 GiB")
        known = ("has", "attr", "isa", "rel", "timestamp", "duration", "quantity")
        hint = f"; write NAME.{call.name}(...)" if call.name in TESTS else meant(call.name, known)
        raise SelectorError(call.column, f"there is no function {call.name}{hint}")

    def method(self, call: Call, of: Term) -> Term:
        if call.name == "isa" and isinstance(of, Ends):
            return Condition(_related(of.ways, self.isa(call)), call.column)
        if call.name == "attr" and isinstance(of, Ends):
            path = self.path(self.text(call), call.arguments[0].column, attribute_only=True)
            return Path(path.name, path.fields, call.column, of.ways)
        if call.name not in TESTS:
            raise SelectorError(call.column, f"there is no function .{call.name}{meant(call.name, TESTS)}")
        if not isinstance(of, Path) or "string" not in of.fields:
            raise SelectorError(of.column, f".{call.name} looks at texts, not at {_described(of)}")
        argument = self.text(call)
        pattern = None
        if call.name == "matches":
            try:
                pattern = Pattern.of(argument)
            except PatternError as error:
                raise SelectorError(call.arguments[0].column + 1 + error.at, str(error)) from None
        return Condition(of.wrapped(TextTest(of.fields["string"], call.name, argument, pattern)), call.column)

    def argument(self, call: Call, kind: type[Path], wanted: str) -> Path:
        if len(call.arguments) != 1:
            raise SelectorError(call.column, f"{call.name} takes one argument")
        term = self.term(call.arguments[0])
        if not isinstance(term, kind):
            raise SelectorError(term.column, f"{call.name} takes {wanted}, not {_described(term)}")
        return term

    def text(self, call: Call) -> str:
        if len(call.arguments) != 1:
            raise SelectorError(call.column, f"{call.name} takes one argument")
        given = call.arguments[0]
        if not isinstance(given, Literal) or not isinstance(given.value, str):
            raise SelectorError(given.column, f"{call.name} takes a text in quotes")
        return given.value

    def isa(self, call: Call) -> IsA:
        name = self.text(call)
        if name not in self.vocabulary.classes:
            hint = meant(name, self.vocabulary.classes)
            raise SelectorError(call.arguments[0].column, f"there is no class {name!r}{hint}")
        return IsA(self.vocabulary.classes[name])

    def ways(self, call: Call) -> Ways:
        name = self.text(call)
        if name not in self.vocabulary.relations:
            hint = meant(name, self.vocabulary.relations)
            raise SelectorError(call.arguments[0].column, f"there is no relation type {name!r}{hint}")
        return self.vocabulary.relations[name]

    # Comparisons -----------------------------------------------------------------------------------------------------

    def comparison(self, sign: str, left: Term, right: Term, column: int) -> Node:
        if sign == "in":
            return self.within(left, right, column)
        if isinstance(left, Path) and isinstance(right, Path) and not _both_boolean(left, right):
            return _compare_fields(sign, left, right, column)
        if isinstance(left, Constant) and isinstance(right, Path) and left.kind != "boolean":
            left, right, sign = right, left, _TURNED[sign]
        if isinstance(left, Path) and isinstance(right, Constant) and right.kind != "boolean":
            return self.compared(sign, left, right)
        one, other = _as_condition(left), _as_condition(right)
        if one is None or other is None or sign not in ("==", "!="):
            raise SelectorError(column, f"{_described(left)} and {_described(right)} cannot be compared by {sign}")
        return Same(one, other) if sign == "==" else Not(Same(one, other))

    def compared(self, sign: str, path: Path, constant: Constant) -> Node:
        field, value = _fitting(path, constant)
        if field.kind not in _ORDERED:
            raise SelectorError(constant.column, f"{path.name} is {_said(field.kind)}; write VALUE in {path.name}")
        if field == Field("class", "string", own=True) and sign in ("==", "!="):
            self.known_class(constant)
        if sign == "!=":
            return path.wrapped(Not(Compare(field, "==", value)))
        return path.wrapped(Compare(field, sign, value))

    def known_class(self, constant: Constant) -> None:
        name = str(constant.value)
        if name not in self.vocabulary.classes:
            raise SelectorError(constant.column, f"there is no class {name!r}{meant(name, self.vocabulary.classes)}")

    def within(self, left: Term, right: Term, column: int) -> Node:
        if isinstance(left, Path) and isinstance(right, Values):
            return self.one_of(left, right)
        if isinstance(left, Constant) and isinstance(right, Path):
            wanted: Kind = "numbers" if left.kind == "number" else "strings"
            if wanted in right.fields and isinstance(left.value, str | float):
                return right.wrapped(Holds(right.fields[wanted], left.value))
            raise SelectorError(right.column, f"{right.name} is no list of such values")
        raise SelectorError(column, "write NAME in [VALUE, ...] or VALUE in NAME")

    def one_of(self, path: Path, told: Values) -> Node:
        fitted = [_fitting(path, item) for item in told.items]
        for item in told.items if path.name == "class" and path.fields.get("string", Field("", "other")).own else ():
            self.known_class(item)
        if len({field for field, _ in fitted}) > 1:
            raise SelectorError(told.column, "a list holds values of one type")
        if not fitted:
            return Known(False)
        field = fitted[0][0]
        if any(isinstance(value, Moment) for _, value in fitted) or field.kind not in ("string", "number"):
            raise SelectorError(told.column, "a list holds texts or numbers")
        return path.wrapped(OneOf(field, tuple(v for _, v in fitted if not isinstance(v, Moment))))


def _as_condition(term: Term) -> Node | None:
    match term:
        case Condition(node):
            return node
        case Constant(bool() as value):
            return Known(value)
        case Path() if "boolean" in term.fields:
            return term.wrapped(Truth(term.fields["boolean"]))
        case Ends(ways):
            return _related(ways, Known(True))
    return None


def _related(ways: Ways, node: Node) -> Node:
    """Some CI that these ways lead to fits."""
    found = tuple(Related(type_, incoming, node) for type_, incoming in ways)
    return found[0] if len(found) == 1 else Some(found)


def _both_boolean(left: Path, right: Path) -> bool:
    return "boolean" in left.fields and "boolean" in right.fields


def _compare_fields(sign: str, left: Path, right: Path, column: int) -> Node:
    if left.via is not None or right.via is not None:
        raise SelectorError(column, "what a relation leads to is compared with values, not with names")
    shared = [kind for kind in _ORDERED if kind in left.fields and kind in right.fields]
    if len(shared) != 1:
        raise SelectorError(column, f"{left.name} and {right.name} are not of one type")
    one, other = (path.fields[shared[0]] for path in (left, right))  # type: ignore[index]
    if one.units[:1] != other.units[:1]:
        raise SelectorError(column, f"{left.name} and {right.name} are told in different units")
    node = CompareFields(one, "==" if sign == "!=" else sign, other)
    return Not(node) if sign == "!=" else node


def _fitting(path: Path, constant: Constant) -> tuple[Field, str | float | Moment]:
    """The field of the path that the constant is of the kind of, and the constant as it is compared."""
    value = constant.value
    if isinstance(value, tuple) and "number" in path.fields:
        return _quantity(path, value, constant.column)
    if constant.kind == "number" and len(path.fields.get("number", Field("", "other")).units) > 1:
        raise SelectorError(constant.column, f'classes tell {path.name} in different units; write quantity("...")')
    if constant.kind in path.fields and isinstance(value, str | float | Moment):
        return path.fields[constant.kind], value  # type: ignore[index]
    hint = ""
    if constant.kind == "string":
        hint = next((f"; write {name}(...)" for name in ("timestamp", "duration") if _wants(path, name)), "")
    kinds = " or ".join(_said(kind) for kind in path.fields)
    raise SelectorError(constant.column, f"{path.name} is {kinds}, not {_said(constant.kind)}{hint}")


def _quantity(path: Path, told: tuple[float, str], column: int) -> tuple[Field, float]:
    """A field that takes in only what converts to the unit asked for, so that no MHz is held against bit/s."""
    units = path.fields["number"].units
    unit = next((one for one in units if comparable(told[1], one)), None)
    if unit is None:
        known = " or ".join(units) or "plain numbers"
        raise SelectorError(column, f"{path.name} is told in {known}, not in {told[1]}")
    return replace(path.fields["number"], units=(unit,)), convert(told[0], told[1], unit)


def _wants(path: Path, function: str) -> bool:
    return {"timestamp": "time", "duration": "duration"}[function] in path.fields


def _constant(call: Call, value: Told | None, kind: str, wanted: str) -> Constant:
    if value is None:
        raise SelectorError(call.arguments[0].column, f"expected {wanted}")
    return Constant(Moment(value) if kind == "time" and isinstance(value, float | int) else value, kind, call.column)


def _sum(sign: str, left: Constant, right: Constant, column: int) -> Constant:
    way = 1 if sign == "+" else -1
    match left.value, right.value:
        case Moment(ms, after_now), float(span) if right.kind == "duration":
            return Constant(Moment(ms + way * span, after_now), "time", left.column)
        case float(one), float(other) if left.kind == right.kind and left.kind in ("number", "duration"):
            return Constant(one + way * other, left.kind, left.column)
    raise SelectorError(column, f"{_described(left)} {sign} {_described(right)} makes no sense")


def _said(kind: str) -> str:
    return _SAID.get(kind, f"a {kind}")


def _described(term: Term) -> str:
    match term:
        case Path(name, fields):
            return f"{name} ({' or '.join(_said(kind) for kind in fields)})"
        case Constant(_, kind):
            return _said(kind)
        case Values():
            return "a list"
        case Condition():
            return "a condition"
        case Ends():
            return "related CIs"
