"""Regular expressions without backtracking: the time grows with the text, whatever the pattern.

A subset that all engines share: characters, ``.``, classes, escapes ``\\d \\w \\s`` and their opposites, groups, ``|``,
``* + ? {m,n}``, and ``^ $`` for the ends of the text. A pattern is found anywhere in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

LONGEST = 200
"""Characters of a pattern."""
MOST_STEPS = 1000
MOST_REPEATS = 100
_KEPT = 512
"""Sets of steps remembered; a pattern that meets more starts over."""
_START, _END, _SPLIT, _ACCEPT = "^", "$", "split", "accept"
_ATOM = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]|\\[dDwWsStnr]|\\[^A-Za-z0-9]|[^\\()\[\]{}*+?|^$]", re.DOTALL)
_SIGNS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_SET, _ESCAPED = re.compile(r"\[|--|&&|~~|\|\|"), re.compile(r"\\.", re.DOTALL)
_TIMES = re.compile(r"[*+?]|\{(\d{1,3})(,?)(\d{0,3})\}", re.ASCII)


class PatternError(ValueError):
    """``at``: the place in the pattern, from 0."""

    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.at = at


@dataclass(slots=True)
class _Step:
    """``test``: one character, an end of the text, or nothing; ``next``: the steps after it."""

    test: re.Pattern[str] | str
    next: list[int]


@dataclass(slots=True, eq=False)
class Pattern:
    """A pattern, ready to search. Equal when its text is."""

    text: str
    steps: list[_Step] = field(repr=False)
    _moves: dict[tuple[frozenset[int], str], frozenset[int]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, text: str) -> Pattern:
        """Raises PatternError."""
        if len(text) > LONGEST:
            raise PatternError(LONGEST, f"a pattern has at most {LONGEST} characters")
        return cls(text, _Builder(text).built())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def found_in(self, text: str) -> bool:
        """Whether some part of the text fits."""
        accept = len(self.steps) - 1
        here = self._reached((0,), first=True, last=not text)
        again = self._reached((0,), first=False, last=False)
        for place, character in enumerate(text):
            if accept in here:
                return True
            if place + 1 == len(text):
                last = [step for at in here for step in self._after(at, character)]
                return accept in self._reached((*last, 0), first=False, last=True)
            here = self._moved(here, character) | again
        return accept in here

    def _moved(self, here: frozenset[int], character: str) -> frozenset[int]:
        found = self._moves.get((here, character))
        if found is None:
            after = [step for at in here for step in self._after(at, character)]
            found = self._reached(after, first=False, last=False)
            if len(self._moves) >= _KEPT:
                self._moves.clear()
            self._moves[here, character] = found
        return found

    def _after(self, at: int, character: str) -> list[int]:
        step = self.steps[at]
        return step.next if isinstance(step.test, re.Pattern) and step.test.fullmatch(character) else []

    def _reached(self, steps: tuple[int, ...] | list[int], *, first: bool, last: bool) -> frozenset[int]:
        """All steps that are reached from these without another character."""
        met: set[int] = set()
        left = list(steps)
        while left:
            at = left.pop()
            if at not in met:
                met.add(at)
                test = self.steps[at].test
                if test == _SPLIT or (test == _START and first) or (test == _END and last):
                    left += self.steps[at].next
        return frozenset(met)


@dataclass(slots=True)
class _Piece:
    """Part of a pattern: where it begins, and the steps whose ``next`` is still open."""

    first: int
    open: list[int]


class _Builder:
    """Thompson's construction. Step 0 leads to the pattern, the last one accepts."""

    def __init__(self, text: str) -> None:
        self.text, self.place, self.steps = text, 0, [_Step(_SPLIT, [])]

    def built(self) -> list[_Step]:
        whole = self.either(0)
        if self.place < len(self.text):
            raise PatternError(self.place, "a ) without its (")
        self.steps[0].next.append(whole.first)
        self.close(whole, self.step(_ACCEPT))
        return self.steps

    def step(self, test: re.Pattern[str] | str, *after: int) -> int:
        if len(self.steps) >= MOST_STEPS:
            raise PatternError(self.place, "the pattern is too large; repeat less")
        self.steps.append(_Step(test, list(after)))
        return len(self.steps) - 1

    def close(self, piece: _Piece, to: int) -> None:
        for at in piece.open:
            self.steps[at].next.append(to)

    def either(self, depth: int) -> _Piece:
        if depth > 20:
            raise PatternError(self.place, "groups are nested too deep")
        pieces = [self.row(depth)]
        while self.text[self.place : self.place + 1] == "|":
            self.place += 1
            pieces.append(self.row(depth))
        if len(pieces) == 1:
            return pieces[0]
        return _Piece(self.step(_SPLIT, *(piece.first for piece in pieces)), [at for p in pieces for at in p.open])

    def row(self, depth: int) -> _Piece:
        first = self.step(_SPLIT)
        row = _Piece(first, [first])
        while self.place < len(self.text) and self.text[self.place] not in "|)":
            for piece in self.repeated(depth):
                self.close(row, piece.first)
                row = _Piece(first, piece.open)
        return row

    def repeated(self, depth: int) -> Iterator[_Piece]:
        """The next atom as often as it is asked for; read anew for each copy, since steps cannot be shared."""
        start = self.place
        piece = self.atom(depth)
        after = self.place
        match = _TIMES.match(self.text, after)
        if match is None:
            yield piece
            return
        if _TIMES.match(self.text, match.end()):
            raise PatternError(match.end(), "two repetitions in a row")
        low, high = self.times(match)
        for copy in range(max(low, high or low, 1)):
            if copy:
                self.place = start
                piece = self.atom(depth)
            optional, endless = copy >= low, high is None and copy + 1 >= max(low, 1)
            yield self.looped(piece, optional=optional, endless=endless) if high != 0 else self.skipped()
        self.place = match.end()

    def times(self, match: re.Match[str]) -> tuple[int, int | None]:
        if match[1] is None:
            return _SIGNS[match[0]]
        low = int(match[1])
        high = low if not match[2] else int(match[3]) if match[3] else None
        if max(low, high or 0) > MOST_REPEATS or (high is not None and high < low):
            raise PatternError(match.start(), f"repeat from fewer to more, at most {MOST_REPEATS} times")
        return low, high

    def looped(self, piece: _Piece, *, optional: bool, endless: bool) -> _Piece:
        if not optional and not endless:
            return piece
        fork = self.step(_SPLIT, piece.first)
        if endless:
            self.close(piece, fork)
        return _Piece(fork if optional else piece.first, [fork] if endless else [fork, *piece.open])

    def skipped(self) -> _Piece:
        nothing = self.step(_SPLIT)
        return _Piece(nothing, [nothing])

    def atom(self, depth: int) -> _Piece:
        if self.text[self.place] == "(":
            return self.group(depth)
        if self.text[self.place] in "^$":
            self.place += 1
            end = self.step(_START if self.text[self.place - 1] == "^" else _END)
            return _Piece(end, [end])
        match = _ATOM.match(self.text, self.place)
        if match is None:
            raise PatternError(self.place, f"{self.text[self.place]!r} is not understood here")
        if match[0].startswith("[") and _SET.search(_ESCAPED.sub("", match[0][1:])):
            raise PatternError(self.place, "within brackets write \\ before [ and before doubled signs")
        try:
            one = re.compile(match[0], re.DOTALL)
        except re.error as error:
            raise PatternError(self.place, str(error)) from None
        self.place = match.end()
        at = self.step(one)
        return _Piece(at, [at])

    def group(self, depth: int) -> _Piece:
        start = self.place
        self.place += 3 if self.text.startswith("(?:", start) else 1
        if self.text.startswith("?", self.place):
            raise PatternError(start, "only plain groups and (?: ) are understood")
        piece = self.either(depth + 1)
        if self.text[self.place : self.place + 1] != ")":
            raise PatternError(start, "a ( without its )")
        self.place += 1
        return piece
