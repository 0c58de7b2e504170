"""Tokens and enrolment codes as the store's desk keeps them: hashed, with subject, role, grant and expiry.

A token is ``cmdb_<prefix>_<secret>``: the prefix finds it, its hash proves it. An enrolment code buys one agent's
token, once. Every look-up reads the store, so that a revocation holds at once in every process.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from cmdb_server.errors import NotFound, Unauthenticated
from cmdb_server.ingest.caller import Caller, Grant
from cmdb_server.store.port import Reading, Row, Store, Writing
from cmdb_server.store.tables import ENROLMENT, TOKEN

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret. ``sees``: the selector of the CIs it may see; None: all. Times are ms since 1970."""

    id: str
    prefix: str
    subject: str
    role: str
    grant: Grant | None
    sees: str | None
    created_at: int
    expires_at: int
    revoked_at: int | None

    @property
    def caller(self) -> Caller:
        return Caller(self.subject, self.role, self.grant, self.sees)


def mint(
    subject: str, role: str, grant: Grant | None, now_ms: int, lifetime_ms: int, sees: str | None = None
) -> tuple[str, Row]:
    """A new token's text, told once and never kept, and its row of TOKEN."""
    prefix, secret = secrets.token_hex(4), secrets.token_hex(32)
    text = f"cmdb_{prefix}_{secret}"
    told = None if grant is None else asdict(grant)
    row = (str(uuid.uuid4()), prefix, digest(text), subject, role, told, sees, now_ms, now_ms + lifetime_ms, None)
    return text, row


def create(
    store: Store, subject: str, role: str, grant: Grant | None, now_ms: int, lifetime_ms: int, sees: str | None = None
) -> tuple[str, Token]:
    """Mint and keep a token; returns its text and what is kept of it. ``sees``: a selector that was read."""
    text, row = mint(subject, role, grant, now_ms, lifetime_ms, sees)
    store.write(lambda tx: tx.insert(TOKEN, [row]))
    return text, _token(row)


def find(store: Store, text: str, now_ms: int) -> Token:
    """The valid token of this text. Raises Unauthenticated, in the same words whatever is wrong with it."""
    parts = text.split("_")
    rows: list[Row] = []
    if len(parts) == 3 and parts[0] == "cmdb" and text.isascii():
        rows = store.read(lambda tx: tx.find(TOKEN, ("prefix",), [(parts[1],)]))
    presented = digest(text)
    matching = [row for row in rows if hmac.compare_digest(row[TOKEN.position("hash")], presented)]
    token = _token(matching[0]) if matching else None
    if token is None or token.revoked_at is not None or token.expires_at <= now_ms:
        raise Unauthenticated("the token is unknown, expired or revoked")
    return token


def every(store: Store) -> list[Token]:
    """All tokens, expired and revoked ones too, newest first."""

    def work(tx: Reading) -> list[Row]:
        found = page = tx.scan(TOKEN)
        while page:
            page = tx.scan(TOKEN, after=(page[-1][0],))
            found = found + page
        return found

    found = store.read(work)
    return sorted((_token(row) for row in found), key=lambda token: (-token.created_at, token.id))


def revoke(store: Store, id_: str, now_ms: int) -> Token:
    """End a token now; a second time changes nothing. Raises NotFound."""

    def work(tx: Writing) -> Row:
        row = _of(tx, TOKEN, id_)
        if row is None:
            raise NotFound(f"there is no token {id_}")
        if row[-1] is None:
            row = (*row[:-1], now_ms)
            tx.put(TOKEN, [row])
        return row

    return _token(store.write(work))


def offer(store: Store, grant: Grant, now_ms: int, lifetime_ms: int) -> tuple[str, str, int]:
    """A new enrolment code for an agent with this grant: (code, id, expires at)."""
    code, id_ = f"enrol_{secrets.token_hex(20)}", str(uuid.uuid4())
    row = (id_, digest(code), asdict(grant), now_ms + lifetime_ms, None)
    store.write(lambda tx: tx.insert(ENROLMENT, [row]))
    return code, id_, now_ms + lifetime_ms


def enrol(store: Store, code: str, now_ms: int, lifetime_ms: int, agent: str | None = None) -> tuple[str, Token]:
    """Buy the token that a code was made for. ``agent``: who pays, if told. Raises Unauthenticated when the code is
    unknown, expired, used or another agent's; it is then as good as before."""
    wanted = digest(code)
    store.read(lambda tx: _valid_code(tx, wanted, now_ms, agent))

    def work(tx: Writing) -> tuple[str, Row]:
        offer, grant = _valid_code(tx, wanted, now_ms, agent)
        text, row = mint(grant.agent, "agent", grant, now_ms, lifetime_ms)
        tx.insert(TOKEN, [row])
        tx.put(ENROLMENT, [(*offer[:-1], now_ms)])
        return text, row

    text, row = store.write(work)
    return text, _token(row)


def _valid_code(tx: Reading, wanted: str, now_ms: int, agent: str | None) -> tuple[Row, Grant]:
    for row in tx.find(ENROLMENT, ("hash",), [(wanted,)]):
        grant = _grant(row[ENROLMENT.position("grant")])
        open_ = row[ENROLMENT.position("used_at")] is None and row[ENROLMENT.position("expires_at")] > now_ms
        if open_ and grant is not None and agent in (None, grant.agent):
            return row, grant
    raise Unauthenticated("the enrolment code is unknown, expired, used or another agent's")


def _of(tx: Reading, table: Any, id_: str) -> Row | None:
    return tx.get(table, [(id_,)]).get((id_,))


def digest(text: str) -> str:
    """What is kept of a secret. It has 256 random bits, so a fast hash does."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _token(row: Row) -> Token:
    id_, prefix, _, subject, role, grant, sees, created_at, expires_at, revoked_at = row
    return Token(id_, prefix, subject, role, _grant(grant), sees, created_at, expires_at, revoked_at)


def _grant(told: dict[str, Any] | None) -> Grant | None:
    if told is None:
        return None
    return Grant(told["agent"], _names(told["sites"]), _names(told["sources"]), _names(told["networks"]))


def _names(told: Iterable[str]) -> tuple[str, ...]:
    return tuple(told)
