"""Agents as administrators see them: what each looks after, who is retired, and how one is.

Retiring says something of the agent and nothing of the hosts: its tokens are revoked and its codes void at once, and it
can buy no other. What it alone looked after is confirmed by nobody any more and ages as its classes say (ageing,
missing, retired) unless another agent takes the scope over; whoever does, confirms the very same records.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from cmdb_server.errors import Conflict, NotFound
from cmdb_server.ingest.entries import DECLARED
from cmdb_server.store.digest import pages
from cmdb_server.store.port import Reading, Row, Store, Writing
from cmdb_server.store.tables import CONTENT, ENROLMENT, LANE, RECORD, RETIREMENT, TOKEN

L = {name: LANE.position(name) for name, _ in LANE.columns}
R = {name: RECORD.position(name) for name, _ in RECORD.columns}
T = {name: TOKEN.position(name) for name, _ in TOKEN.columns}
E = {name: ENROLMENT.position(name) for name, _ in ENROLMENT.columns}
MEMBER = 32
"""Bytes of one observation in a content's members."""


@dataclass(frozen=True, slots=True)
class Retired:
    """Since when (ms) an agent is retired, by whom, and why."""

    at: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of a scope whose newest report is the agent's. ``things``: how many it told of. ``at``: ms."""

    source: str
    site: str
    target: str
    probe: str
    part: int
    at: int
    things: int


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent. ``last_report``: ms, None if nothing is known of one. ``tokens``: how many are valid."""

    name: str
    retired: Retired | None
    last_report: int | None
    scopes: int
    things: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Work:
    """An agent with all it looks after. ``alone``: the CIs of hosts that are there and that nobody else confirms."""

    agent: Agent
    scopes: tuple[Scope, ...]
    alone: tuple[str, ...]


def every(store: Store, now_ms: int) -> list[Agent]:
    """All agents that ever held a token or delivered, by name."""
    return store.read(lambda tx: _agents(tx, now_ms))


def work(store: Store, name: str, now_ms: int) -> Work:
    """One agent and its work. Raises NotFound."""

    def read(tx: Reading) -> Work:
        lanes = [row for row in pages(tx, LANE) if row[L["agent"]] == name and not _is_peoples(row[L["source"]])]
        agent = next((one for one in _agents(tx, now_ms) if one.name == name), None)
        if agent is None:
            raise NotFound(f"there is no agent {name!r}")
        return Work(agent, tuple(_scopes(tx, lanes)), tuple(sorted(_alone(tx, lanes, name))))

    return store.read(read)


def retire(store: Store, name: str, subject: str, reason: str, now_ms: int) -> Work:
    """Retire an agent now. Raises NotFound, and Conflict when it is retired already."""

    def write(tx: Writing) -> None:
        if name not in {one.name for one in _agents(tx, now_ms)}:
            raise NotFound(f"there is no agent {name!r}")
        if tx.get(RETIREMENT, [(name,)]):
            raise Conflict(f"agent {name!r} is retired already")
        tx.put(RETIREMENT, [(name, now_ms, subject, reason)])
        tokens = [row for row in pages(tx, TOKEN) if _of(row[T["grant"]], name) and row[T["revoked_at"]] is None]
        tx.put(TOKEN, [_with(row, T["revoked_at"], now_ms) for row in tokens])
        codes = [row for row in pages(tx, ENROLMENT) if _of(row[E["grant"]], name) and row[E["used_at"]] is None]
        tx.put(ENROLMENT, [_with(row, E["used_at"], now_ms) for row in codes])

    store.write(write)
    return work(store, name, now_ms)


def restore(store: Store, name: str, now_ms: int) -> Work:
    """Take a retirement back: the agent may be enrolled again. Revoked tokens stay so. Raises NotFound when it is not
    retired."""

    def write(tx: Writing) -> None:
        if not tx.get(RETIREMENT, [(name,)]):
            raise NotFound(f"no agent {name!r} is retired")
        tx.delete(RETIREMENT, [(name,)])

    store.write(write)
    return work(store, name, now_ms)


def check_serving(tx: Reading, name: str) -> None:
    """Raises Conflict for an agent that is retired."""
    if tx.get(RETIREMENT, [(name,)]):
        raise Conflict(f"agent {name!r} is retired: restore it first")


def _agents(tx: Reading, now_ms: int) -> list[Agent]:
    retired = {row[0]: Retired(*row[1:]) for row in pages(tx, RETIREMENT)}
    tokens: defaultdict[str, int] = defaultdict(int)
    for row in pages(tx, TOKEN):
        if row[T["grant"]]:
            tokens[row[T["grant"]]["agent"]] += row[T["revoked_at"]] is None and row[T["expires_at"]] > now_ms
    lanes: defaultdict[str, list[Row]] = defaultdict(list)
    for row in pages(tx, LANE):
        if not _is_peoples(row[L["source"]]):
            lanes[row[L["agent"]]].append(row)
    sizes = _sizes(tx, [row for rows in lanes.values() for row in rows])
    return [
        Agent(
            name, retired.get(name), max((row[L["observed_at"]] for row in lanes[name]), default=None),
            len(lanes[name]), sum(sizes.get(row[L["digest"]], 0) for row in lanes[name]), tokens[name],
        )
        for name in sorted(tokens.keys() | lanes.keys() | retired.keys())
    ]  # fmt: skip


def _sizes(tx: Reading, lanes: Iterable[Row]) -> dict[str, int]:
    """Content -> how many things it tells of."""
    contents = tx.get(CONTENT, {(row[L["digest"]],) for row in lanes if row[L["digest"]]})
    return {key[0]: len(row[2]) // MEMBER for key, row in contents.items()}


def _scopes(tx: Reading, lanes: list[Row]) -> list[Scope]:
    sizes = _sizes(tx, lanes)
    return sorted(
        (
            Scope(
                row[L["source"]], row[L["site"]], row[L["target"]], row[L["probe"]], row[L["part"]],
                row[L["observed_at"]], sizes.get(row[L["digest"]], 0),
            )
            for row in lanes
        ),
        key=lambda scope: (scope.site, scope.source, scope.target, scope.probe, scope.part),
    )  # fmt: skip


def _alone(tx: Reading, lanes: Iterable[Row], name: str) -> set[str]:
    scopes = {(row[L["scope"]],) for row in lanes}
    mine = {row[R["ci"]] for row in tx.find(RECORD, ("scope",), scopes) if _stands(row)}
    rows = [row for row in tx.find(RECORD, ("ci",), [(ci,) for ci in mine]) if _stands(row)]
    agents = {
        key: row[L["agent"]] if row[L["source"]] != DECLARED else None
        for key, row in tx.get(LANE, {(row[R["scope"]], row[R["part"]]) for row in rows}).items()
    }
    others = {row[R["ci"]] for row in rows if agents.get((row[R["scope"]], row[R["part"]])) not in (name, None)}
    return mine - others


def _is_peoples(source: str) -> bool:
    """Whether a person told, by hand or with a file; who did is no agent."""
    return source == DECLARED or source.startswith("import:")


def _stands(record: Row) -> bool:
    """Whether it is a thing that is there."""
    return not record[R["parent"]] and record[R["ended_at"]] is None


def _of(grant: dict[str, str] | None, name: str) -> bool:
    return grant is not None and grant["agent"] == name


def _with(row: Row, place: int, value: int) -> Row:
    return (*row[:place], value, *row[place + 1 :])
