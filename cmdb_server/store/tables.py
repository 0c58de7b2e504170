"""The tables of the store, declared once; both engines derive their schema, keys and queries from here.

Three kinds of table, told apart by ``kind``:

- ``log``: what was said, append-only: reports, contents, decisions. Replaying it gives everything else again.
- ``history``: append-only rows in two times, ``at`` (valid, observed) and ``revision`` (known, recorded).
- ``state``: derived from the log; the current view, replaceable.
- ``desk``: what people and agents hold that is no part of the graph: tokens, enrolment codes.

Times are integer milliseconds since 1970 in UTC. ``json`` columns hold plain Python values at the port. Ids are
UUID strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any, Literal

from cmdb_server.errors import Conflict

ColumnType = Literal["text", "integer", "real", "json", "blob"]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One table, compared by identity since stores look their statements up by it. ``columns`` is (name, type) in row order; ``key`` and every tuple of ``indexes`` name columns."""

    name: str
    kind: Literal["log", "history", "state", "desk"]
    columns: tuple[tuple[str, ColumnType], ...]
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()

    def position(self, column: str) -> int:
        """The column's place in a row."""
        return [name for name, _ in self.columns].index(column)


REPORT = Table(
    "report", "log",
    (
        ("revision", "integer"), ("id", "text"), ("scope", "text"), ("source", "text"), ("site", "text"),
        ("target", "text"), ("probe", "text"), ("agent", "text"), ("scan", "text"), ("part", "integer"),
        ("parts", "integer"), ("observed_at", "integer"), ("received_at", "integer"), ("digest", "text"),
        ("errors", "json"),
    ),
    key=("revision",), indexes=(("id",), ("scope", "observed_at"), ("observed_at",)),
)
"""One accepted report. ``scope`` is the digest of (source, site, target, probe); ``digest`` names its content."""

CONTENT = Table(
    "content", "log", (("digest", "text"), ("coverage", "json"), ("members", "blob")), key=("digest",),
)
"""What a report contained: ``members`` holds, for each observation in order, the 16 bytes of its record's id and the
16 bytes of the digest of its own bytes, so that two contents are compared without decoding them."""

THING = Table(
    "thing", "log", (("digest", "text"), ("body", "blob")), key=("digest",),
)
"""One observation as it was sent, once however often it was seen; compressed when ``body`` begins with 0x78."""

DECISION = Table(
    "decision", "log",
    (
        ("id", "text"), ("revision", "integer"), ("verb", "text"), ("body", "json"), ("subject", "text"),
        ("at", "integer"), ("reason", "text"), ("undoes", "text"),
    ),
    key=("id",), indexes=(("revision",),),
)

FACT = Table(
    "fact", "history",
    (("record", "text"), ("attribute", "text"), ("at", "integer"), ("revision", "integer"), ("value", "json")),
    key=("record", "attribute", "at", "revision"), indexes=(("revision",),),
)
"""A record's attribute has ``value`` from ``at`` until its next row. The attribute ``""`` is the record's presence:
``1`` since a sighting, ``[0, last]`` gone, having last been seen at ``last``."""

CLAIM = Table(
    "claim", "history",
    (
        ("record", "text"), ("key", "text"), ("at", "integer"), ("revision", "integer"), ("far", "text"),
        ("value", "json"),
    ),
    key=("record", "key", "at", "revision"), indexes=(("revision",),),
)
"""A record claims a relation from ``at`` until the next row of the same key; ``value`` null ends it. ``far`` is the
far end in canonical text."""

MEMBERSHIP = Table(
    "membership", "history", (("record", "text"), ("revision", "integer"), ("ci", "text")),
    key=("record", "revision"), indexes=(("ci",), ("revision",)),
)
"""Since ``revision`` the record is held to be part of ``ci``."""

LANE = Table(
    "lane", "state",
    (
        ("scope", "text"), ("part", "integer"), ("source", "text"), ("site", "text"), ("target", "text"),
        ("probe", "text"), ("agent", "text"), ("parts", "integer"), ("scan", "text"), ("digest", "text"),
        ("observed_at", "integer"), ("revision", "integer"), ("lost", "json"), ("contested", "json"),
        ("pending", "json"),
    ),
    key=("scope", "part"), indexes=(("target",),),
)
"""The newest report of one part of a scope: what an unchanged report advances instead of every record it confirms.
``lost``: records no longer confirmed, which the next complete scan ends. ``pending``: record -> from when (ms) a
further sighting of it may end parts or claims that its last one lacked; 0: one that is more complete. ``contested``:
records whose further sightings may change who is who, or which value wins."""

RECORD = Table(
    "record", "state",
    (
        ("id", "text"), ("source", "text"), ("site", "text"), ("target", "text"), ("native_key", "text"),
        ("class", "text"), ("evidence", "text"), ("parent", "text"), ("local_key", "text"), ("section", "text"),
        ("ci", "text"), ("scope", "text"), ("part", "integer"), ("first_at", "integer"), ("last_at", "integer"),
        ("ended_at", "integer"), ("attributes", "json"), ("identifiers", "json"),
    ),
    key=("id",), indexes=(("ci",), ("parent",), ("scope",), ("source", "site", "target")),
)
"""What one source observed in one scope and place with one set of identifying evidence. ``last_at`` null: confirmed
whenever its lane (scope, part) is. ``evidence``: the digest of the observation last applied. ``attributes``: name ->
[value, since, confirmed | null], null following the record. ``parent`` is a record's id for a component."""

IDENTIFIER = Table(
    "identifier", "state",
    (("kind", "text"), ("value", "text"), ("record", "text"), ("first_at", "integer"), ("last_at", "integer")),
    key=("kind", "value", "record"), indexes=(("record",),),
)
"""The inverted index of what records bear: identity evidence and also addresses, names, native keys, listeners."""

CI = Table(
    "ci", "state",
    (
        ("id", "text"), ("class", "text"), ("name", "text"), ("parent", "text"), ("first_at", "integer"),
        ("attributes", "json"), ("revision", "integer"), ("ended_at", "integer"), ("deleted", "integer"),
    ),
    key=("id",), indexes=(("class", "name"), ("name",), ("parent",), ("revision",)),
)
"""A configuration item with its winning values. ``ended_at`` null: some source still claims it; ``deleted``: 1 if it is
people who ended it then, else 0. Neo4j keeps it as a node labelled ``CI`` and with its class and all ancestors, its
attributes as properties."""

DEADLINE = Table("deadline", "state", (("ci", "text"), ("at", "integer")), key=("ci",), indexes=(("at",),))
"""When a winning value of a CI goes stale unless it is confirmed: to be looked at then, or sooner for nothing."""

TIE = Table(
    "tie", "state",
    (
        ("record", "text"), ("key", "text"), ("type", "text"), ("near", "text"), ("far", "text"), ("value", "json"),
        ("section", "text"), ("first_at", "integer"), ("last_at", "integer"), ("from_ci", "text"), ("to_ci", "text"),
    ),
    key=("record", "key"), indexes=(("far",), ("from_ci", "type", "to_ci"), ("to_ci",)),
)
"""A claim as it stands, with its ends resolved; an end not (or not uniquely) known is null, and found again by ``far``
when something appears. ``near``: the record, of the thing or a component, that the claim is about."""

RELATION = Table(
    "relation", "state",
    (
        ("from_ci", "text"), ("type", "text"), ("to_ci", "text"), ("group", "text"), ("weight", "integer"),
        ("confidence", "real"), ("first_at", "integer"), ("claims", "integer"), ("revision", "integer"),
    ),
    key=("from_ci", "type", "to_ci"), indexes=(("to_ci",), ("revision",)),
)
"""A relation between two CIs, carried by so many ties; 0 claims: it follows from a component's class. Neo4j keeps it as
a relationship of that type."""

FEED = Table(
    "feed", "state",
    (("revision", "integer"), ("kind", "text"), ("id", "text"), ("deleted", "integer")),
    key=("revision", "kind", "id"),
)
"""What each revision changed: kind ``ci`` (its id) or ``relation`` (from, type and to, joined by spaces)."""

TASK = Table(
    "task", "state",
    (("id", "text"), ("kind", "text"), ("subject", "json"), ("revision", "integer"), ("state", "text")),
    key=("id",), indexes=(("state",),),
)
"""Something a person should look at: ``review``, ``distrusted``, ``duplicate-address``."""

SAMPLE = Table(
    "sample", "state", (("scope", "text"), ("part", "integer"), ("at", "integer"), ("mark", "text")),
    key=("scope", "part"),
)
"""Which row of SAMPLED holds the newest samples of a part of a scope."""

SAMPLED = Table(
    "sampled", "state",
    (
        ("scope", "text"), ("at", "integer"), ("part", "integer"), ("mark", "text"), ("revision", "integer"),
        ("content", "text"), ("values", "blob"),
    ),
    key=("scope", "at", "part", "mark"), indexes=(("revision",), ("at",)),
)
"""The samples of one report, outside of the history: [ref, component, name, value, unit, kind, at] each, as compressed
JSON that ``mark`` is the digest of. ``content`` tells whose the refs are."""


def _series(resolution: str) -> Table:
    return Table(
        f"series_{resolution}", "state", (("record", "text"), ("start", "integer"), ("values", "blob")),
        key=("record", "start"), indexes=(("start",),),
    )  # fmt: skip


SERIES_5MIN, SERIES_1H, SERIES_1D = _series("5min"), _series("1h"), _series("1d")
"""What was measured of a thing and its components in the bucket that begins at ``start``: component's record or ``""``
-> name -> aggregate (``model.series.packed``), as compressed JSON."""

BOUND = Table(
    "bound", "desk", (("name", "text"), ("at", "integer"), ("revision", "integer"), ("told", "json")), key=("name",),
)
"""How far something has got, or reaches back: ``series`` (folded up to a revision), each table of samples (thinned out
until a time), ``history`` (what came before was dropped)."""

TOKEN = Table(
    "token", "desk",
    (
        ("id", "text"), ("prefix", "text"), ("hash", "text"), ("subject", "text"), ("role", "text"),
        ("grant", "json"), ("sees", "text"), ("created_at", "integer"), ("expires_at", "integer"),
        ("revoked_at", "integer"),
    ),
    key=("id",), indexes=(("prefix",),),
)
"""``sees``: the selector of the CIs that it may see; null: all of them."""
ENROLMENT = Table(
    "enrolment", "desk",
    (("id", "text"), ("hash", "text"), ("grant", "json"), ("expires_at", "integer"), ("used_at", "integer")),
    key=("id",), indexes=(("hash",),),
)

RETIREMENT = Table(
    "retirement", "desk", (("agent", "text"), ("at", "integer"), ("subject", "text"), ("reason", "text")),
    key=("agent",),
)
"""Agents that are to deliver nothing any more: since when, by whose word, and why."""

ACT = Table(
    "act", "desk",
    (
        ("back", "integer"), ("id", "text"), ("subject", "text"), ("role", "text"), ("action", "text"),
        ("thing", "text"), ("revision", "integer"), ("detail", "json"), ("request", "text"),
    ),
    key=("back", "id"),
)
"""Who did what through the API. ``back``: minus its time in ms, so that the newest is the first. ``thing``: what it was
done to; ``revision``: the store's when it was done; ``request``: the id under which the server's log knows it."""

BASELINE = Table(
    "baseline", "desk",
    (
        ("name", "text"), ("at", "integer"), ("revision", "integer"), ("subject", "text"), ("made_at", "integer"),
        ("note", "text"),
    ),
    key=("name",),
)
"""A state of the graph by name: how things were at ``at`` as known in ``revision``. The history keeps the state itself."""

WEBHOOK = Table(
    "webhook", "desk",
    (
        ("id", "text"), ("url", "text"), ("secret", "text"), ("kinds", "json"), ("subject", "text"),
        ("created_at", "integer"), ("since", "integer"), ("cursor", "text"), ("attempts", "integer"),
        ("due_at", "integer"), ("claimed_until", "integer"), ("fence", "integer"), ("fault", "text"),
    ),
    key=("id",),
)
"""Who is told of changes. ``secret``: a reference. ``since`` and ``cursor``: how far in the feed it has been told.
``fence`` counts the claims on it: only the newest one may say how its delivery ended."""

KEPT = Table(
    "kept", "desk",
    (
        ("number", "text"), ("kind", "text"), ("state", "text"), ("version", "integer"), ("subject", "text"),
        ("created_at", "integer"), ("changed_at", "integer"), ("revision", "integer"), ("body", "json"),
        ("cis", "json"),
    ),
    key=("number",), indexes=(("kind", "state"), ("subject",)),
)
"""What people keep of their work, as it stands: a change, an outage, a freeze; its kind's file tells its fields and
states. ``number``, such as CHG0000001, is its name everywhere. ``subject`` opened it. ``body``: field -> value.
``cis``: role -> ids as they were given, each of which may have become another CI since."""

KEPT_VERSION = Table(
    "kept_version", "history",
    (
        ("number", "text"), ("version", "integer"), ("revision", "integer"), ("at", "integer"), ("subject", "text"),
        ("transition", "text"), ("state", "text"), ("note", "text"), ("body", "json"), ("cis", "json"),
    ),
    key=("number", "version"), indexes=(("revision",),),
)
"""Every version of what is kept, from 1: who made it, by which transition (``open``, ``edit`` or one of the kind's)."""

KEPT_CI = Table(
    "kept_ci", "desk", (("ci", "text"), ("kind", "text"), ("number", "text"), ("role", "text")),
    key=("number", "role", "ci"), indexes=(("ci", "kind"),),
)
"""Which CIs are named by what is kept, found from either side."""

KEPT_LINK = Table(
    "kept_link", "desk", (("about", "text"), ("kind", "text"), ("number", "text"), ("field", "text")),
    key=("number", "field", "about"), indexes=(("about", "kind"),),
)
"""Which kept things another one names in its fields of type ``thing``, found from either side."""

KEPT_COUNT = Table("kept_count", "desk", (("prefix", "text"), ("last", "integer")), key=("prefix",))
"""The last number given out with each prefix; a number is never given twice."""

JOB = Table(
    "job", "desk",
    (
        ("id", "text"), ("kind", "text"), ("subject", "json"), ("due_at", "integer"), ("claimed_until", "integer"),
        ("fence", "integer"), ("attempts", "integer"), ("fault", "text"), ("done_at", "integer"),
    ),
    key=("id",), indexes=(("due_at",), ("done_at",)),
)
"""What is to be done at a time. ``due_at`` null: it was done. ``fence`` counts the claims on it: only the newest one may
say how it ended."""

HEALTH_COURSE = Table(
    "health_course", "desk", (("at", "integer"), ("revision", "integer"), ("figures", "blob")), key=("at",),
)
"""The figures of the CMDB's health at a time: check -> class -> owner -> [failing, of], as compressed JSON."""

SNAPSHOT = Table(
    "snapshot", "desk", (("mark", "text"), ("revision", "integer"), ("at", "integer")), key=("mark",),
)
"""Projections in files that this store vouches for: ``mark`` is a digest of all that is in them, ``revision`` the one
they are of, since when the change feed tells the rest. No part of a dump: another store vouches for its own."""

TABLES: tuple[Table, ...] = (
    REPORT, CONTENT, THING, DECISION, FACT, CLAIM, MEMBERSHIP, LANE, RECORD, IDENTIFIER, CI, DEADLINE, TIE, RELATION, FEED, TASK, SAMPLE,
    SAMPLED, SERIES_5MIN, SERIES_1H, SERIES_1D, BOUND, HEALTH_COURSE,
    TOKEN, ENROLMENT, RETIREMENT, ACT, BASELINE, WEBHOOK, KEPT, KEPT_VERSION, KEPT_CI, KEPT_LINK, KEPT_COUNT, JOB,
    SNAPSHOT,
)
SCHEMA_VERSION = 1


@cache
def picker(table: Table, columns: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Gives these columns of a row as a tuple."""
    positions = [table.position(column) for column in columns]
    if len(positions) == 1:
        only = positions[0]
        return lambda row: (row[only],)
    return itemgetter(*positions)


def findable(table: Table, columns: tuple[str, ...]) -> None:
    """Raises ``ValueError`` unless ``columns`` are leading columns of the table's key or of one of its indexes."""
    if not columns or not any(columns == way[: len(columns)] for way in (table.key, *table.indexes)):
        raise ValueError(f"{table.name} has no index that begins with {', '.join(columns)}")


def forgettable(table: Table) -> None:
    """Raises ``Conflict`` unless the table's rows are such as only retention removes."""
    if table.kind not in {"history", "log"}:
        raise Conflict(f"rows of {table.name} are not for retention alone: delete them")


RELATION_TYPE = re.compile(r"[a-z][a-z0-9_]{0,63}")
"""What a relation's type looks like: a graph store has it as a name, where nothing may be quoted."""
