"""The words of a selector, each with the column it begins at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cmdb_server.errors import Invalid

LONGEST = 4096
"""Characters of a selector."""
MOST = 2000
"""Words of a selector."""

Kind = Literal["name", "string", "number", "sign", "end"]
_KINDS: tuple[Kind, ...] = ("name", "number", "sign")
_WORD = re.compile(
    r"""\s+
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<sign>&&|\|\||==|!=|<=|>=|[<>!()\[\],.+-])""",
    re.VERBOSE | re.ASCII,
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}


class SelectorError(Invalid):
    """A selector that cannot be read, or asks what cannot be asked. ``column`` counts characters from 1."""

    def __init__(self, column: int, message: str) -> None:
        fault = {"path": "select", "message": message, "column": column}
        super().__init__(f"select, column {column}: {message}", errors=[fault])
        self.column = column


@dataclass(frozen=True, slots=True)
class Word:
    """``text``: of a string what it stands for, without quotes and escapes."""

    kind: Kind
    text: str
    column: int


def words(text: str) -> tuple[Word, ...]:
    """All words and an end. Raises SelectorError."""
    if len(text) > LONGEST:
        raise SelectorError(LONGEST + 1, f"a selector has at most {LONGEST} characters")
    found = tuple(_words(text))
    if len(found) > MOST:
        raise SelectorError(found[MOST].column, f"a selector has at most {MOST} words")
    return found


def _words(text: str) -> Iterator[Word]:
    place = 0
    while place < len(text):
        match = _WORD.match(text, place)
        if match is None:
            raise SelectorError(place + 1, _stray(text[place]))
        if match["string"] is not None:
            yield Word("string", _unescaped(match["string"][1:-1], place + 2), place + 1)
        else:
            for kind in _KINDS:
                if match[kind] is not None:
                    yield Word(kind, match[kind], place + 1)
        place = match.end()
    yield Word("end", "the end", len(text) + 1)


def _stray(character: str) -> str:
    if character in "\"'":
        return "this text does not end"
    hint = {"=": "; write ==", "&": "; write &&", "|": "; write ||"}.get(character, "")
    return f"{character!r} means nothing here{hint}"


def _unescaped(text: str, column: int) -> str:
    def plain(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] == "u" and len(code) == 5:
            return chr(int(code[1:], 16))
        if code not in _PLAIN:
            raise SelectorError(column + match.start(), f"\\{code} is no escape; write \\\\ for a backslash")
        return _PLAIN[code]

    return _ESCAPE.sub(plain, text) if "\\" in text else text
