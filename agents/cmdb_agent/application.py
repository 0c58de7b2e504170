"""An application of one host as it is told: one component, the claims of what it needs, and of who uses it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from cmdb_agent.component import component, component_ref
from cmdb_agent.instances import Instance
from cmdb_agent.observation import Component, End, Relation, Value
from cmdb_agent.scheduled_jobs import Job

_CLIENTS_AT_MOST = 256
"""An application with more clients than this serves the public; its clients are not told one by one."""
_COMMAND_AT_MOST = 2000
_MOVING = re.compile(r"\[listener\].*|-s[ft](?: \d+)+|\bpid[=: ]\d+")

Far = tuple[str, int]
"""Address and port of a provider."""


@dataclass(slots=True)
class Claim:
    evidence: set[str] = field(default_factory=set)
    confidence: float = 0.0
    lasting: bool = False
    groups: set[str] = field(default_factory=set)
    section: str = "connections"

    def add(self, evidence: str, confidence: float, *, lasting: bool, group: str = "", section: str = "") -> None:
        """``section``: where it is written; without one it was seen among the connections, where once not seen does
        not mean gone."""
        self.evidence.add(evidence)
        self.confidence = max(self.confidence, confidence)
        self.lasting |= lasting
        self.section = section or self.section
        if group:
            self.groups.add(group)


@dataclass(slots=True)
class Application:
    """What becomes one component: instances of one key, or a scheduled job."""

    key: str
    class_: str
    instances: list[Instance] = field(default_factory=list)
    job: Job | None = None
    needs: dict[Far, Claim] = field(default_factory=dict)
    clients: dict[str, Claim] = field(default_factory=dict)
    configs: set[str] = field(default_factory=set)

    @property
    def ref(self) -> str:
        return component_ref(self.class_, self.key)

    @property
    def administrative(self) -> bool:
        return any(instance.is_administrative for instance in self.instances)

    def need(self, far: Far) -> Claim:
        return self.needs.setdefault(far, Claim())

    @property
    def section(self) -> str:
        """Whose completeness decides whether its absence means anything."""
        if self.job is not None:
            return "cron"
        if any(instance.listens for instance in self.instances):
            return "listeners"
        return "processes" if self.runs_always else "connections"

    @property
    def runs_always(self) -> bool:
        return any(instance.is_known or instance.is_local for instance in self.instances)

    @property
    def matters(self) -> bool:
        return self.section != "connections" or bool(self.needs or self.clients)


def relations_of(near: End, far: End, claim: Claim) -> Iterator[Relation]:
    """A claim as relations, one for each pool the far end stands in."""
    groups: list[str | None] = [*sorted(claim.groups)] or [None]
    for group in groups:
        yield Relation(
            type="depends_on", from_=near, to=far, evidence="; ".join(sorted(claim.evidence)),
            confidence=claim.confidence, transient=not claim.lasting, group=group, section=claim.section,
        )  # fmt: skip


def used_by(application: Application) -> Iterator[Relation]:
    """Claims of clients whose own side is not known here."""
    if len(application.clients) > _CLIENTS_AT_MOST:
        return
    for address in sorted(application.clients):
        yield from relations_of(End(address=address), End(ref=application.ref), application.clients[address])


def as_component(application: Application, packages: Mapping[str, str]) -> Component:
    """The component, with the section by whose completeness its absence is judged."""
    told = component(application.class_, application.key, _attributes(application, packages))
    return replace(told, section=application.section)


def _attributes(application: Application, packages: Mapping[str, str]) -> dict[str, Value]:
    if application.job is not None:
        job = application.job
        return {
            "name": job.name, "schedule": job.schedule, "user": job.user, "command": job.command[:_COMMAND_AT_MOST],
            "config_paths": [job.path], "identified_by": "configuration",
        }  # fmt: skip
    first = application.instances[0]
    signature, main = first.signature, first.main
    package = next((name for name in (signature.packages if signature else ()) if name in packages), "")
    sockets = sorted({socket for instance in application.instances for socket in instance.listens})
    lasting = [port for protocol, _, port in sockets if protocol == "tcp"] or [port for _, _, port in sockets]
    return {
        **(signature.attributes if signature else {}),
        "name": application.key,
        "product": first.name,
        "vendor": signature.vendor if signature else "",
        "package": package,
        "version": _upstream(packages.get(package, "")),
        "listens": sorted({f"{protocol}:{_bracketed(address)}:{port}" for protocol, address, port in sockets}),
        "port": min(lasting, default=None),
        "user": main.user if main else "",
        "executable": main.executable if main else "",
        "command": _MOVING.sub("", " ".join(main.command)).strip()[:_COMMAND_AT_MOST] if main else "",
        "unit": main.unit if main else "",
        "container": main.container if main else "",
        "process_names": sorted({p.name for instance in application.instances for p in instance.processes}),
        "config_paths": sorted(application.configs - {""}),
        "identified_by": first.how,
    }


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _upstream(version: str) -> str:
    """A package's version as its makers count: without epoch and the distribution's revision."""
    return re.sub(r"^\d+:", "", version).rsplit("-", 1)[0]
