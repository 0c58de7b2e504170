"""Targets times probes: each target becomes one report, whatever happens to it.

A host that cannot be read is a report too: its coverage is ``failed``, it says why, and it observes nothing, so it
ends nothing on the server.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import chain
from typing import NamedTuple

import msgspec

from cmdb_agent import credentials, device, script, sockets, transports
from cmdb_agent.delivery import rfc3339
from cmdb_agent.errors import AgentError, TransportError
from cmdb_agent.mibs import mibs
from cmdb_agent.observation import CoverageStatus, Sample, SnmpTransport, Transcript, Transport
from cmdb_agent.probes import probes
from cmdb_agent.redact import redact_text
from cmdb_agent.settings import Limits, Settings
from cmdb_agent.targets import Target
from cmdb_agent.transports import walker
from cmdb_agent.transports.snmp import SnmpTarget, SnmpUser, open_snmp
from cmdb_agent.unite import carried_samples, short_of, unite, within_bounds
from cmdb_schemas.report import VERSION, Content, Coverage, Observation, Report, Scan, ScanError, Scope, encode_content

HOST_CLASS = "server"
SCOPE = "scope"
"""The section that stands for everything within the scope."""
APPLICATIONS = "applications"
"""The section of what is drawn from several probes: applications and their dependencies."""
_DRAWN_FROM = frozenset({"processes", "listeners", "connections"})
_BROKEN: frozenset[CoverageStatus] = frozenset({"failed", "truncated", "loop", "timeout", "undecodable"})


class Reach(NamedTuple):
    """How targets are reached: over the network, or whatever stands in for it (a recording)."""

    shell: Callable[[Target, Limits], Transport] = transports.open_shell
    snmp: Callable[[SnmpTarget, walker.Limits], SnmpTransport] = open_snmp


NETWORK = Reach()


class Found(msgspec.Struct, frozen=True):
    """What reading one target came to, before it is put into an envelope."""

    coverage: list[Coverage]
    observations: list[Observation] = []
    samples: list[Sample] = []
    errors: list[ScanError] = []


def scan(
    targets: Iterable[Target],
    settings: Settings,
    stopping: Callable[[], bool] = lambda: False,
    reach: Reach = NETWORK,
) -> Iterator[Report]:
    """One report per target, in the order in which they are done, ``settings.concurrency`` at a time. Targets are
    taken from the iterable as places come free; none is begun once ``stopping()`` says so."""
    waiting = iter(targets)
    with ThreadPoolExecutor(max(1, settings.concurrency), "scan") as pool:
        running: set[Future[Report]] = set()
        while True:
            while len(running) < settings.concurrency and not stopping() and (target := next(waiting, None)):
                running.add(pool.submit(scan_one, target, settings, reach))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()


def scan_one(target: Target, settings: Settings, reach: Reach = NETWORK) -> Report:
    """The report on one target. Never raises: what goes wrong stands in the report."""
    started = time.time()
    try:
        read = _read_device if target.kind == "snmp" else _read_host
        found = read(target, settings, reach)
    except AgentError as error:
        found = _failed(target, error.kind, str(error))
    except Exception as error:  # noqa: BLE001 - a fault of ours on one host must not cost the others theirs
        found = _failed(target, "internal", f"{type(error).__name__}: {error}")
    return envelope(target, settings, found, started)


def envelope(target: Target, settings: Settings, found: Found, at: float) -> Report:
    """``found`` as a report, observed at ``at`` (seconds since 1970)."""
    content = Content([_whole(found), *found.coverage], sorted(found.observations, key=lambda one: one.ref))
    return Report(
        version=VERSION,
        id=str(uuid.uuid4()),
        agent=settings.agent,
        site=settings.site,
        source=target.kind,
        scope=Scope(_scope(target, settings), _probe_set(target)),
        scan=Scan(str(uuid.uuid4())),
        observed_at=rfc3339(at),
        sent_at=rfc3339(at),
        content=msgspec.Raw(encode_content(content)),
        samples=found.samples,
        errors=[_line(error, target) for error in found.errors],
    )


def _scope(target: Target, settings: Settings) -> str:
    """An address means the same to every agent; its own host is another one for each."""
    return f"local:{settings.agent}" if target.kind == "local" else target.name


def _whole(found: Found) -> Coverage:
    """Whether all that the target holds was looked at: only then does a thing's absence mean that it is gone."""
    if not found.observations:
        return Coverage(SCOPE, "failed")
    broken = next((one for one in found.coverage if one.status in _BROKEN), None)
    return Coverage(SCOPE, "partial", broken.section) if broken else Coverage(SCOPE, "complete")


def failed(report: Report) -> bool:
    """Whether a target could not be read at all."""
    return not msgspec.json.decode(report.content, type=Content).observations


def _read_host(target: Target, settings: Settings, reach: Reach) -> Found:
    """Runs the script on one host and reads what it printed."""
    marker, chosen = secrets.token_hex(16), probes()
    text = script.build(
        chosen,
        marker=marker,
        sudo=target.ssh.sudo != "none",
        limit_s=settings.limits.command_s,
        sudo_password=_sudo_password(target),
    )
    transport = reach.shell(target, settings.limits)
    try:
        transcript = transport.run(text)
    finally:
        transport.close()
    outputs = script.read_sections(transcript.text, marker)
    if not outputs:
        raise TransportError(f"{target.name}: no shell: {_first_line(transcript)}", transcript.cut or "channel")
    reading = script.facts(chosen, outputs)
    applications = sockets.from_facts(chain.from_iterable(reading.facts.values()), script.own_session(outputs))
    address = None if target.kind == "local" else transcript.address or target.host
    united = unite(target.name, HOST_CLASS, address, {**reading.facts, APPLICATIONS: applications})
    errors = [*reading.errors, *united.errors, *_cut(transcript)]
    coverage = _covered(reading.coverage, ended=any(output.section == script.SESSION for output in outputs))
    return Found(short_of(united.errors, coverage), [united.observation], united.samples, errors)


def _covered(read: Sequence[Coverage], ended: bool) -> list[Coverage]:
    """The coverage with that of the applications: it is as good as the worst of what they were drawn from. A script
    that did not reach its end has not told with which rights it read, so that nothing counts as complete."""
    worst = next((one for one in read if one.section in _DRAWN_FROM and one.status != "complete"), None)
    status: CoverageStatus = "partial" if worst else "complete"
    applications = Coverage(APPLICATIONS, status, f"{worst.section}: {worst.status}" if worst else "")
    coverage = [*read, applications]
    if ended:
        return coverage
    cut = "the script did not reach its end"
    return [Coverage(one.section, "partial", cut) if one.status == "complete" else one for one in coverage]


def _read_device(target: Target, settings: Settings, reach: Reach) -> Found:
    """Walks one device by SNMP."""
    transport = reach.snmp(_snmp_target(target), walker.Limits(seconds=settings.limits.script_s))
    try:
        reading = device.read_device(transport)
    finally:
        transport.close()
    observation, coverage, samples = device.device_observation(reading.walks, reading.facts, target.host)
    united = [within_bounds(one) for one in (observation, *device.guests(reading.walks, target.host))]
    errors = [error for one in united for error in one.errors]
    errors += [ScanError(one.status, one.detail, one.section) for one in coverage if one.status in _BROKEN]
    observations = [one.observation for one in united]
    return Found(short_of(errors, coverage), observations, carried_samples(samples), errors)


def _snmp_target(target: Target) -> SnmpTarget:
    """The device and the way in with its secrets, which live no longer than this scan."""
    way = target.snmp
    if way.version == "2c":
        if not way.community:
            raise TransportError(f"{target.name}: no community is configured", "auth")
        return SnmpTarget(target.host, target.port, credentials.resolve(way.community))
    if not way.user:
        raise TransportError(f"{target.name}: no user is configured", "auth")
    user = SnmpUser(
        way.user,
        way.auth or None,
        credentials.resolve(way.auth_password) if way.auth_password else "",
        way.privacy or None,
        credentials.resolve(way.privacy_password) if way.privacy_password else "",
    )
    return SnmpTarget(target.host, target.port, user=user, context=way.context)


def _sudo_password(target: Target) -> str | None:
    return credentials.resolve(target.ssh.sudo_password) if target.ssh.sudo == "password" else None


def _cut(transcript: Transcript) -> list[ScanError]:
    if not transcript.cut:
        return []
    return [ScanError(transcript.cut, "the script was cut off; the sections before it count")]


def _first_line(transcript: Transcript) -> str:
    """What a host says instead of running a script: a nologin notice, a forced command's output."""
    said = (transcript.errors or transcript.text).strip().splitlines()
    return said[0][:200] if said else f"nothing was printed (exit code {transcript.code})"


def _failed(target: Target, kind: str, message: str) -> Found:
    return Found([Coverage(section, "failed") for section in _sections(target)], errors=[ScanError(kind, message)])


def _sections(target: Target) -> Sequence[str]:
    return (
        [mib.name for mib in mibs()] if target.kind == "snmp" else [*(probe.name for probe in probes()), APPLICATIONS]
    )


def _probe_set(target: Target) -> str:
    return "snmp" if target.kind == "snmp" else "host"


def _line(error: ScanError, target: Target) -> ScanError:
    message = redact_text(error.message.replace("\0", ""))[:2000].encode("utf-8", "replace").decode()
    return msgspec.structs.replace(error, message=message, target=target.name)
