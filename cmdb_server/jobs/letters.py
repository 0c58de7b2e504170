"""Tells the owners of services by mail, each at least once; a repeat bears the same Message-ID. Of a change that did not
leave what was expected, who asked for it is told as well, and whose it is.

Whom to tell is found in one job, and each of them is told in a job of their own: one address that is refused keeps
nobody else from being told, and is tried again alone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from cmdb_server.answers.changes.shortfall import Shortfall, shortfall
from cmdb_server.answers.directory import address_of, directory
from cmdb_server.answers.impact import AffectedService, impact
from cmdb_server.answers.letters import UNKNOWN, Event, letter, recipients
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import NotFound
from cmdb_server.ingest.declare import resolve_all
from cmdb_server.jobs.timed import Running, job
from cmdb_server.notify import mail
from cmdb_server.practices import kept_rows, notices
from cmdb_server.practices.assessments import APPROVAL
from cmdb_server.practices.booked import CHANGE, OUTAGE, booking_of
from cmdb_server.practices.kept_rows import Kept, Version
from cmdb_server.practices.notices import LETTER, OWNERS
from cmdb_server.practices.timed import Job
from cmdb_server.practices.unplanned import KIND as UNPLANNED
from cmdb_server.practices.verifications import VERIFICATION
from cmdb_server.settings import Settings, secret

LOG = logging.getLogger(__name__)
MOST = 10_000
"""Services told of."""
AHEAD_MS = 366 * 86_400_000


@job(OWNERS)
def tell_owners(running: Running, mine: Job, now_ms: int) -> None:
    """Find out whom to tell, and have each of them told."""
    if not running.settings.smtp_host:
        return
    number = mine.subject["number"]
    version = _as_of(running, number, mine.subject["version"])
    services = _services(running, version)
    known = running.store.read(lambda tx: directory(tx, running.kinds))
    found = recipients(services, known).keys() | _asked_for(running, version, known)
    if _kind(running, version) == APPROVAL:
        waits = kept_rows.one(running.store, number).state == version.state
        found = {one for one in found if waits and one == address_of(version.body["approver"], known)}
    LOG.info("%s: %d services are hit, %d are told", number, len(services), len(found))
    if found:
        running.store.write(lambda tx: [notices.tell(tx, number, version.version, to, now_ms) for to in sorted(found)])


@job(LETTER)
def tell_one(running: Running, mine: Job, now_ms: int) -> None:
    """Tell one recipient of those of their services that are hit now; of none, nothing, but to who asked for it."""
    if not running.settings.smtp_host:
        return
    version, to = _as_of(running, mine.subject["number"], mine.subject["version"]), mine.subject["to"]
    known = running.store.read(lambda tx: directory(tx, running.kinds))
    theirs = recipients(_services(running, version), known).get(to, ())
    if theirs or to in _asked_for(running, version, known):
        told = letter(_event(running, version, now_ms), to, theirs)
        mail.send(_server(running.settings), lambda: secret(running.settings.smtp_password), told, now_ms // 1000)


def _asked_for(running: Running, version: Version, known: Mapping[str, str]) -> set[str]:
    """The addresses of who is to look after a change that was verified: its requester and its owner."""
    if _kind(running, version) != VERIFICATION:
        return set()
    change = kept_rows.one(running.store, version.body["change"])
    told = {address_of(one, known) for one in (change.subject, change.body.get("owner"))}
    return {one for one in told if one is not None}


def _server(told: Settings) -> mail.MailServer:
    return mail.MailServer(
        told.smtp_host, told.smtp_from, told.smtp_security, told.smtp_port, told.smtp_user, told.smtp_ca
    )


def _as_of(running: Running, number: str, version: int) -> Version:
    for one in kept_rows.history(running.store, number):
        if one.version == version:
            return one
    raise NotFound(f"{number} has no version {version}")


def _kind(running: Running, version: Version) -> str:
    return kept_rows.one(running.store, version.number).kind


def _services(running: Running, version: Version) -> tuple[AffectedService, ...]:
    """The services hit by what it says is down then; CIs that are no more hit none. An approval is about its change."""
    kind = _kind(running, version)
    if kind == APPROVAL:
        changes = kept_rows.history(running.store, version.body["change"])
        return _services(running, max(changes, key=lambda one: one.version))
    cis = version.cis.get("down" if kind == OUTAGE else "changed", ())
    if kind == CHANGE and version.body.get("interruption") == "none":
        return ()
    there = set(running.store.read(lambda tx: resolve_all(tx, cis)).values())
    if not there:
        return ()
    viewer = Viewer("cmdb", "admin", running.kinds)
    return impact(running.projections, viewer, sorted(there), limit=MOST).services


def _event(running: Running, version: Version, now_ms: int) -> Event:
    kind = _kind(running, version)
    if kind == VERIFICATION:
        return _shortfall(running, version)
    if kind == APPROVAL:
        return _asking(running, version, now_ms)
    spans: tuple[tuple[int, int | None], ...] = ()
    effect = UNKNOWN if kind == UNPLANNED else str(version.body.get("interruption", ""))
    if kind == CHANGE:
        thing = Kept(version.number, kind, version.state, version.version, version.subject, version.at, version.at,
                     version.revision, version.body, version.cis)  # fmt: skip
        spans = booking_of(thing, (now_ms, now_ms + AHEAD_MS), now_ms).spans
    return Event(
        version.number, version.version, kind, version.transition, version.state, str(version.body.get("summary", "")),
        version.subject, version.note, effect, spans,
    )  # fmt: skip


def _asking(running: Running, version: Version, now_ms: int) -> Event:
    """Told of the change, in whose thread it stands."""
    change = kept_rows.one(running.store, version.body["change"])
    return Event(
        version.number, version.version, APPROVAL, "asks for your approval", version.state,
        str(change.body.get("summary", "")), change.subject, effect=str(change.body.get("interruption", "")),
        spans=booking_of(change, (now_ms, now_ms + AHEAD_MS), now_ms).spans, change=change.number,
    )  # fmt: skip


def _shortfall(running: Running, version: Version) -> Event:
    """Told of the change, in whose thread it stands."""
    change = kept_rows.one(running.store, version.body["change"])
    found: Shortfall = running.store.read(lambda tx: shortfall(tx, version.body, change.cis.get("changed", ())))
    return Event(
        version.number, version.version, VERIFICATION, "not as expected", version.state,
        str(change.body.get("summary", "")), change.subject, effect=UNKNOWN, change=change.number, shortfall=found,
    )  # fmt: skip
