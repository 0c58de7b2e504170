"""Who delivers a report, and what their token allows them to speak of."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

from cmdb_schemas.report import Observation, Report
from cmdb_server.errors import Forbidden
from cmdb_server.ingest.entries import is_told_by_people

LOCAL = "local:"
"""Targets that begin so are the agent's own host, named by the agent."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What an agent may report on. Empty ``networks``: no address is refused; the others must name what they allow
    (``*`` is any, but no source by which people speak: that one is granted by its name)."""

    agent: str
    sites: tuple[str, ...] = ("*",)
    sources: tuple[str, ...] = ("*",)
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """The subject of a token. ``grant`` None: a person or system whose role alone decides. ``sees``: the selector of
    the CIs that it may see; None: all of them."""

    subject: str
    role: str
    grant: Grant | None = None
    sees: str | None = None


def check_scope(caller: Caller, report: Report) -> None:
    """Raise Forbidden when the report speaks for another agent, or of a site, source or network not granted."""
    grant = caller.grant
    if grant is None:
        return
    if report.agent != grant.agent:
        raise Forbidden(f"agent: this token speaks for {grant.agent!r}, not for {report.agent!r}")
    for field, value, allowed in (("site", report.site, grant.sites), ("source", report.source, grant.sources)):
        peoples = field == "source" and is_told_by_people(value)
        if value not in allowed and (peoples or "*" not in allowed):
            raise Forbidden(f"{field}: {value!r} is not granted to {grant.agent!r}")
    target = report.scope.target
    if target.startswith(LOCAL):
        if target != LOCAL + grant.agent:
            raise Forbidden(f"scope.target: {target!r} is another agent's own host")
    else:
        check_address(grant, target, "scope.target")


def check_address(grant: Grant, address: str, path: str) -> None:
    """Raise Forbidden when an address or range lies outside of the granted networks."""
    if grant.networks and not any(_within(address, network) for network in grant.networks):
        raise Forbidden(f"{path}: {address!r} is outside of the networks granted to {grant.agent!r}")


def check_observation(grant: Grant, seen: Observation, path: str) -> None:
    """Raise Forbidden when an agent observed outside of its networks, or names a CI by its id."""
    if seen.address is not None:
        check_address(grant, seen.address, f"{path}.address")
    for at, relation in enumerate(seen.relations):
        if relation.to.ci is not None or relation.from_.ci is not None:
            raise Forbidden(f"{path}.relations[{at}]: an agent names no CI, only what it observed")


_PORT = re.compile(r"(?:\[(?P<bracketed>[^\[\]]+)\]|(?P<plain>[^:\[\]]+))(?::\d{1,5})?", re.ASCII)


@lru_cache(maxsize=4096)
def _within(address: str, network: str) -> bool:
    """Whether an address, a range or a name, which may come with a port (``10.0.0.5:2222``, ``[::1]:2222``), lies
    in a network or is that name."""
    if found := _PORT.fullmatch(address):
        address = found["bracketed"] or found["plain"]
    try:
        inner, outer = ipaddress.ip_network(address, strict=False), ipaddress.ip_network(network, strict=False)
    except ValueError:
        return address == network
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]
