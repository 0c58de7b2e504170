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
from pathlib import Path
from typing import NamedTuple

import msgspec

from cmdb_agent import credentials, device, script, sockets, transports
from cmdb_agent.delivery import rfc3339
from cmdb_agent.errors import AgentError, TransportError
from cmdb_agent.mibs import mibs
from cmdb_agent.observation import CoverageStatus, Sample, SnmpTransport, Transcript, Transport
from cmdb_agent.probes import probes, probes_for
from cmdb_agent.profile import profiles
from cmdb_agent.redact import redact_text
from cmdb_agent.settings import Limits, Settings
from cmdb_agent.software import signatures
from cmdb_agent.targets import DEFAULT_PORTS, Target
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
    answers: Callable[[Target, Limits], bool] = transports.answers
    resolve: Callable[[str], str] = transports.resolve


NETWORK = Reach()


class Found(msgspec.Struct, frozen=True):
    """What reading one target came to, before it is put into an envelope. ``silent``: an address of a range was asked,
    and nobody answered there."""

    coverage: list[Coverage]
    observations: list[Observation] = []
    samples: list[Sample] = []
    errors: list[ScanError] = []
    silent: bool = False


class Read(NamedTuple):
    """A target as it was read, begun at ``at`` (seconds since 1970)."""

    target: Target
    found: Found
    at: float


def scan(
    targets: Iterable[Target],
    settings: Settings,
    stopping: Callable[[], bool] = lambda: False,
    reach: Reach = NETWORK,
) -> Iterator[Report]:
    """One report per target, in the order in which they are done, ``settings.concurrency`` at a time. Targets are
    taken from the iterable as places come free; none is begun once ``stopping()`` says so. Silent addresses of a range
    are told once all of it was asked."""
    waiting, rounds = iter(targets), dict[tuple[str, str, int], Round]()
    with ThreadPoolExecutor(max(1, settings.concurrency), "scan") as pool:
        running: set[Future[Read]] = set()
        while True:
            while len(running) < settings.concurrency and not stopping() and (target := next(waiting, None)):
                running.add(pool.submit(_read, target, settings, reach))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for read in [future.result() for future in done]:
                if (sweep := read.target.sweep) is None:
                    yield envelope(read.target, settings, read.found, read.at)
                    continue
                swept = rounds.setdefault((read.target.kind, sweep.asked, read.target.port), Round(sweep.addresses))
                for one in swept.told(read):
                    yield envelope(one.target, settings, one.found, one.at, swept.scan_id(one))


def scan_one(target: Target, settings: Settings, reach: Reach = NETWORK) -> Report:
    """The report on one target. Never raises: what goes wrong stands in the report."""
    read = _read(target, settings, reach)
    return envelope(target, settings, read.found, read.at)


def _read(target: Target, settings: Settings, reach: Reach) -> Read:
    started = time.time()
    try:
        if target.sweep is not None and target.kind == "ssh" and not reach.answers(target, settings.limits):
            return Read(target, _SILENCE, started)
        reader = _read_device if target.kind == "snmp" else _read_host
        found = reader(target, settings, reach)
    except AgentError as error:
        if target.sweep is not None and target.kind == "snmp" and error.kind in ("timeout", "unreachable"):
            return Read(target, _SILENCE, started)
        found = _failed(target, error.kind, str(error))
    except Exception as error:  # noqa: BLE001 - a fault of ours on one host must not cost the others theirs
        found = _failed(target, "internal", f"{type(error).__name__}: {error}")
    return Read(target, found, started)


class Round:
    """One sweep of a range. What is silent there is gone only if the silence is the range's: when not one address
    answered, the way there is at fault, and nothing is told of any."""

    def __init__(self, addresses: int) -> None:
        self._ids: dict[str, str] = {}
        self._left = addresses
        self._silent: list[Read] = []
        self._answered = False

    def scan_id(self, read: Read) -> str:
        """One for each piece of the range, which is a scope of its own."""
        assert read.target.sweep is not None
        return self._ids.setdefault(read.target.sweep.range, str(uuid.uuid4()))

    def told(self, read: Read) -> Iterator[Read]:
        """What can be told now that this one is read."""
        self._left -= 1
        if read.found.silent:
            self._silent.append(read)
        else:
            self._answered = True
            yield read
        if self._left == 0:
            yield from self._silent if self._answered else _unheard(self._silent)


def _unheard(silent: Sequence[Read]) -> Iterator[Read]:
    """None of them was read; that nothing answered is told once."""
    for number, read in enumerate(silent):
        assert read.target.sweep is not None
        error = ScanError("unreachable", f"nothing in {read.target.sweep.asked} answered")
        yield read._replace(found=Found([], errors=[] if number else [error]))


def envelope(target: Target, settings: Settings, found: Found, at: float, scan_id: str = "") -> Report:
    """``found`` as a report, observed at ``at`` (seconds since 1970). An address of a range is a part of the range's
    scan ``scan_id``: only once all parts are there, and all were asked, does absence tell anything."""
    content = Content([_whole(found), *found.coverage], sorted(found.observations, key=lambda one: one.ref))
    sweep, id_ = target.sweep, scan_id or str(uuid.uuid4())
    return Report(
        version=VERSION,
        id=str(uuid.uuid4()),
        agent=settings.agent,
        site=settings.site,
        source=target.kind,
        scope=Scope(sweep.range if sweep else _scope(target, settings), _probe_set(target)),
        scan=Scan(id_, sweep.part, sweep.parts) if sweep else Scan(id_),
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
    if found.silent:
        return Coverage(SCOPE, "complete")
    if not found.observations:
        return Coverage(SCOPE, "failed")
    broken = next((one for one in found.coverage if one.status in _BROKEN), None)
    return Coverage(SCOPE, "partial", broken.section) if broken else Coverage(SCOPE, "complete")


def failed(report: Report) -> bool:
    """Whether a target could not be read at all. Nobody at an address of a range is an answer."""
    content = msgspec.json.decode(report.content, type=Content)
    return not content.observations and any(one.status != "complete" for one in content.coverage)


def silent(report: Report) -> bool:
    """Whether it tells of nothing but that nobody answered at an address of a range."""
    return bytes(report.content) == _SILENT_CONTENT


_SILENCE = Found([], silent=True)
_SILENT_CONTENT = encode_content(Content([_whole(_SILENCE)]))


def _read_host(target: Target, settings: Settings, reach: Reach) -> Found:
    """Runs the script on one host and reads what it printed."""
    known = signatures(*_folders(settings.software))
    marker, chosen = secrets.token_hex(16), probes_for(known)
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
    told = chain.from_iterable(reading.facts.values())
    applications = sockets.from_facts(told, script.own_session(outputs), known)
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
    known = profiles(*_folders(settings.profiles))
    address = reach.resolve(target.host)
    transport = reach.snmp(_snmp_target(target, address), walker.Limits(seconds=settings.limits.script_s))
    try:
        reading = device.read_device(transport, known)
    finally:
        transport.close()
    observation, coverage, samples = device.device_observation(reading.walks, reading.facts, address)
    united = [within_bounds(one) for one in (observation, *device.guests(reading.walks, address))]
    errors = [error for one in united for error in one.errors]
    errors += [ScanError(one.status, one.detail, one.section) for one in coverage if one.status in _BROKEN]
    observations = [one.observation for one in united]
    return Found(short_of(errors, coverage), observations, carried_samples(samples), errors)


def _folders(named: Iterable[str]) -> list[Path]:
    return [Path(folder).expanduser() for folder in named]


def _snmp_target(target: Target, address: str) -> SnmpTarget:
    """The device and the way in with its secrets, which live no longer than this scan."""
    way = target.snmp
    if way.version == "2c":
        if not way.community:
            raise TransportError(f"{target.name}: no community is configured", "auth")
        return SnmpTarget(address, target.port, credentials.resolve(way.community))
    if not way.user:
        raise TransportError(f"{target.name}: no user is configured", "auth")
    user = SnmpUser(
        way.user,
        way.auth or None,
        credentials.resolve(way.auth_password) if way.auth_password else "",
        way.privacy or None,
        credentials.resolve(way.privacy_password) if way.privacy_password else "",
    )
    return SnmpTarget(address, target.port, user=user, context=way.context)


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
    """The set of probes; of a range at another port than the usual the port too, which the range does not name."""
    name = "snmp" if target.kind == "snmp" else "host"
    return f"{name}:{target.port}" if target.sweep and target.port != DEFAULT_PORTS[target.kind] else name


def _line(error: ScanError, target: Target) -> ScanError:
    message = redact_text(error.message.replace("\0", ""))[:2000].encode("utf-8", "replace").decode()
    return msgspec.structs.replace(error, message=message, target=target.name)
