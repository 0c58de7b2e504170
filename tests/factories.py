"""Reports and estates for tests, in as few words as they can be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from cmdb_schemas.report import (
    Component,
    Content,
    Coverage,
    End,
    Observation,
    Relation,
    Report,
    Sample,
    Scan,
    Scope,
    encode_content,
)

START = 1_700_000_000_000
"""When made-up estates begin, ms."""
ADMIN = ("tests", "admin")


def rfc3339(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


def report(
    id_: str,
    at: int,
    observations: Sequence[Observation],
    *,
    target: str = "10.0.0.0/24",
    source: str = "ssh",
    site: str = "lab",
    agent: str = "agent-1",
    scan: str | None = None,
    part: int = 1,
    parts: int = 1,
    coverage: Mapping[str, str] | None = None,
    samples: Sequence[Sample] = (),
    sent: int | None = None,
) -> bytes:
    """The body of a report observed at ``at`` ms and sent at ``sent``, by default at once."""
    content = Content(
        coverage=[Coverage(section, status) for section, status in (coverage or {}).items()],  # type: ignore[arg-type]
        observations=list(observations),
    )
    return msgspec.json.encode(
        Report(
            version=1, id=id_, agent=agent, site=site, source=source, scope=Scope(target),
            scan=Scan(scan or id_, part, parts), observed_at=rfc3339(at), sent_at=rfc3339(at if sent is None else sent),
            content=msgspec.Raw(encode_content(content)), samples=list(samples),
        )
    )  # fmt: skip


def host(
    name: str,
    address: str,
    *,
    serial: str | None = None,
    mac: str | None = None,
    listens: Sequence[int] = (),
    uses: Sequence[tuple[str, int]] = (),
    packages: Sequence[str] = (),
    identifiers: Mapping[str, list[str]] | None = None,
    class_: str = "server",
    **attributes: Any,
) -> Observation:
    """A server with one interface and one application, which listens on some ports and depends on some endpoints."""
    last = int(address.rpartition(".")[2])
    told = {"name": [name], "serial": [serial or f"SN{name}"], "mac": [mac or f"3c:ec:ef:00:00:{last:02x}"]}
    parts = [Component("if:eth0", "network_interface", "eth0", attributes={"ip_addresses": [f"{address}/24"]})]
    if listens or uses:
        sockets = [f"tcp:0.0.0.0:{port}" for port in listens]
        parts.append(Component("app", "web_server", "app", attributes={"listens": sockets, "product": "nginx"}))
    relations = [
        Relation("depends_on", End(address=far, port=port), from_=End(ref="app"), section="connections")
        for far, port in uses
    ]
    relations += [
        Relation("installs", End(class_="software_package", key=purl, attributes={"name": purl})) for purl in packages
    ]
    return Observation(
        ref=name, class_=class_, address=address, identifiers=dict(identifiers) if identifiers is not None else told,
        attributes={"name": name, **attributes}, components=parts, relations=relations,
    )  # fmt: skip
