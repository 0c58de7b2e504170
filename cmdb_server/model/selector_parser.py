"""From words to syntax, by recursive descent. Signs bind as in CEL: ``!`` closest, then ``+ -``, then comparisons,
then ``&&``, then ``||``."""

from __future__ import annotations

from collections.abc import Callable

from cmdb_server.model.selector_lexer import SelectorError, Word, words
from cmdb_server.model.selector_syntax import Binary, Call, Joined, Listed, Literal, Member, Name, Syntax, Unary

DEEPEST = 24
"""Parentheses, lists and negations within one another."""
_COMPARING = ("==", "!=", "<", "<=", ">", ">=")
_CONSTANTS = {"true": True, "false": False}


def parse(text: str) -> Syntax:
    """The syntax of a selector. Raises SelectorError."""
    return _Parser(words(text)).whole()


class _Parser:
    def __init__(self, told: tuple[Word, ...]) -> None:
        self.words, self.place, self.depth = told, 0, 0

    @property
    def word(self) -> Word:
        return self.words[self.place]

    def ended(self) -> bool:
        return self.word.kind == "end"

    def whole(self) -> Syntax:
        if self.ended():
            raise SelectorError(1, "nothing is selected; leave the selector out to select everything")
        found = self.any_of()
        if not self.ended():
            raise self.unexpected("&&, || or the end")
        return found

    def any_of(self) -> Syntax:
        self.depth += 1
        self.bound(self.depth, self.word)
        found = self.joined("||", lambda: self.joined("&&", self.comparison))
        self.depth -= 1
        return found

    def joined(self, sign: str, one: Callable[[], Syntax]) -> Syntax:
        column, items = self.word.column, [one()]
        while self.took(sign):
            items.append(one())
        return items[0] if len(items) == 1 else Joined(sign, tuple(items), column)

    def comparison(self) -> Syntax:
        left, sign = self.sum(), self.word
        if (sign.kind == "sign" and sign.text in _COMPARING) or (sign.kind == "name" and sign.text == "in"):
            self.place += 1
            left = Binary(sign.text, left, self.sum(), sign.column)
            if self.word.kind == "sign" and self.word.text in _COMPARING:
                raise SelectorError(self.word.column, "comparisons do not follow one another; join them by &&")
        return left

    def sum(self) -> Syntax:
        found, count = self.unary(), 0
        while self.word.kind == "sign" and self.word.text in "+-":
            sign, count = self.taken(), count + 1
            self.bound(count, sign)
            found = Binary(sign.text, found, self.unary(), sign.column)
        return found

    def unary(self) -> Syntax:
        if self.word.kind == "sign" and self.word.text in "!-":
            sign = self.taken()
            self.depth += 1
            self.bound(self.depth, sign)
            found: Syntax = Unary(sign.text, self.unary(), sign.column)
            self.depth -= 1
            return found
        return self.member()

    def member(self) -> Syntax:
        found, count = self.primary(), 0
        while self.took("."):
            name, count = self.taken(), count + 1
            self.bound(count, name)
            if name.kind != "name":
                raise SelectorError(name.column, 'expected a name after "."; write attr("a.b") for names with dots')
            if self.took("("):
                found = Call(name.text, self.until(")"), name.column, found)
            else:
                found = Member(found, name.text, name.column)
        return found

    def primary(self) -> Syntax:
        word = self.word
        if word.kind == "string":
            self.place += 1
            return Literal(word.text, word.column)
        if word.kind == "number":
            self.place += 1
            return Literal(float(word.text), word.column)
        if word.kind == "name" and word.text != "in":
            self.place += 1
            if word.text in _CONSTANTS:
                return Literal(_CONSTANTS[word.text], word.column)
            return Call(word.text, self.until(")"), word.column) if self.took("(") else Name(word.text, word.column)
        if self.took("["):
            return Listed(self.until("]"), word.column)
        if self.took("("):
            found = self.any_of()
            self.must(")")
            return found
        raise self.unexpected("a name, a value or a parenthesis")

    def until(self, end: str) -> tuple[Syntax, ...]:
        items: list[Syntax] = []
        while not self.took(end):
            if items:
                self.must(",")
            items.append(self.any_of())
        return tuple(items)

    def bound(self, depth: int, word: Word) -> None:
        if depth > DEEPEST:
            raise SelectorError(word.column, f"nested more than {DEEPEST} deep")

    def took(self, sign: str) -> bool:
        if self.word.kind == "sign" and self.word.text == sign:
            self.place += 1
            return True
        return False

    def taken(self) -> Word:
        word = self.word
        if word.kind != "end":
            self.place += 1
        return word

    def must(self, sign: str) -> None:
        if not self.took(sign):
            raise self.unexpected(sign)

    def unexpected(self, wanted: str) -> SelectorError:
        found = self.word.text if self.word.kind == "end" else repr(self.word.text)
        return SelectorError(self.word.column, f"expected {wanted}, found {found}")
