"""How the command ends."""

from __future__ import annotations

from typing import NoReturn

OK, REFUSED, USAGE, UNREACHABLE, DENIED, ABSENT = range(6)
MEANING = {
    OK: "done",
    REFUSED: "the server or the store refused, as told on stderr",
    USAGE: "the command line or a setting is wrong",
    UNREACHABLE: "no server answers at that address",
    DENIED: "the token is missing, invalid, or may not do this",
    ABSENT: "there is no such thing, or its name is several things'",
}


class CommandError(Exception):
    """Ends the command with ``code``; the message is told on stderr."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def fail(code: int, message: str) -> NoReturn:
    raise CommandError(code, message)
