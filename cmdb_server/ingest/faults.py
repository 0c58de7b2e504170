"""What is wrong with a part of a report, in its sender's words: where, by the names that it has there, and what."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$?(?P<path>[^`]*)`)?$", re.DOTALL)
_EXPECTED = re.compile(r"Expected `(?P<wanted>[^`]+)`(?:, got `(?P<found>[^`]+)`)?")
_STEP = re.compile(r"\.(?P<member>[^.\[]+)|\[(?P<index>\d+)\]|(?P<any>\[\.\.\.\])")
_ANY = "[...]"
"""How the decoder tells of a member of a mapping with free names."""
_WORDS = {
    "bool": "true or false", "int": "a whole number", "float": "a number", "str": "a text", "null": "null",
    "object": "an object", "array": "a list",
}  # fmt: skip


def fault_of(error: msgspec.ValidationError, raw: bytes, decoder: Callable[[bytes], Any]) -> tuple[str, str]:
    """The path within ``raw`` and the message of what ``decoder`` refused."""
    path, what = _read(error)
    if _ANY in path:
        # What has one name twice, is nested too deeply behind the fault or has numbers of no size is left unnamed.
        with suppress(ValueError, LookupError, TypeError, RecursionError):
            path = _named(json.loads(raw), path, decoder)
    return path, _EXPECTED.sub(_in_words, what)


def _read(error: msgspec.ValidationError) -> tuple[str, str]:
    found = _PLACE.match(str(error))
    return (found["path"] or "", found["what"]) if found else ("", str(error))


def _in_words(told: re.Match[str]) -> str:
    wanted = [_WORDS.get(one, one) for one in told["wanted"].split(" | ")]
    several = f"{', '.join(wanted[:-1])} or {wanted[-1]}" if len(wanted) > 1 else wanted[0]
    found = told["found"]
    return f"must be {several}, not {_WORDS.get(found, found)}" if found else f"must be {several}"


def _named(plain: Any, path: str, decoder: Callable[[bytes], Any]) -> str:
    """The path with the names of the members that are refused."""
    told, place = "", plain
    for step in _STEP.finditer(path):
        if step["any"] is None:
            told += step[0]
            place = place[int(step["index"])] if step["index"] else place[step["member"]]
            continue
        name = _refused(plain, place, path, decoder)
        told += f".{name}"
        place = place[name]
    return told


def _refused(plain: Any, mapping: dict[str, Any], path: str, decoder: Callable[[bytes], Any]) -> str:
    """The member of ``mapping``, a part of ``plain``, that is refused at ``path``: halved until one is left, so that
    one with many members takes no square of the time. The mapping keeps that one alone."""
    members = list(mapping.items())
    while len(members) > 1:
        half = members[: len(members) // 2]
        _keep(mapping, dict(half))
        members = half if _refuses(plain, path, decoder) else members[len(half) :]
    _keep(mapping, dict(members))
    return members[0][0]


def _keep(mapping: dict[str, Any], members: Mapping[str, Any]) -> None:
    mapping.clear()
    mapping.update(members)


def _refuses(plain: Any, path: str, decoder: Callable[[bytes], Any]) -> bool:
    try:
        decoder(json.dumps(plain).encode())
    except msgspec.ValidationError as error:
        return _read(error)[0] == path
    return False
