"""A made estate as reports: hosts with interfaces, a file system and an application each, that depend on one another.

Of every 5 CIs one is a server and four are its components; every CI has four relations: one by its class, three and
more claimed by endpoint, by native key and by package.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

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
from tests.factories import START, rfc3339

COMPONENTS, CLAIMS = 4, 16
PER_HOST = 1 + COMPONENTS
HOSTS_A_REPORT = 100
"""500 CIs a report."""


def address(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def host(number: int, hosts: int, rng: random.Random, changed: str = "") -> Observation:
    """Host ``number`` of ``hosts``. ``changed``: another OS version, for what changes between two scans."""
    return Observation(
        ref=f"host-{number}", class_="server", address=address(number), native_key=f"host-{number}",
        identifiers={
            "name": [f"host{number}.example.net"], "serial": [f"{number:08X}"],
            "mac": [f"3c:ec:00:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"],
            "machine_id": [f"{number:032x}"],
        },
        attributes={
            "name": f"host{number}.example.net", "os_name": "Debian GNU/Linux", "os_version": changed or "13",
            "manufacturer": "Dell Inc.", "model_number": "PowerEdge R640", "kernel_version": "6.12.0",
        },
        components=_parts(number), relations=_relations(hosts, rng),
    )  # fmt: skip


def _parts(number: int) -> list[Component]:
    parts = [
        Component(
            f"if:eth{i}", "network_interface", f"eth{i}", section="interfaces",
            attributes={
                "mac_address": f"3c:ec:{i:02x}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}",
                "ip_addresses": [f"{address(number)}/8"] if i == 0 else [], "mtu": 1500,
            },
        )
        for i in range(2)
    ]  # fmt: skip
    root = {"type": "ext4", "mount_point": "/"}
    parts.append(Component("fs:/", "file_system", "/", section="filesystems", attributes=root))
    web = {"product": "nginx", "version": "1.24", "listens": ["tcp:0.0.0.0:80"]}
    parts.append(Component("app", "web_server", "nginx:80", section="applications", attributes=web))
    return parts


def _relations(hosts: int, rng: random.Random) -> list[Relation]:
    peers = rng.sample(range(hosts), min(hosts, 10))
    relations = [
        Relation(
            "depends_on", End(address=address(peer), port=80, protocol="tcp"), from_=End(ref="app"),
            section="connections",
        )
        for peer in peers[:6]
    ]  # fmt: skip
    relations += [Relation("uses_storage", End(native_key=f"host-{peer}"), section="storage") for peer in peers[6:10]]
    relations += [
        Relation(
            "installs", End(class_="software_package", key=f"pkg:deb/debian/p{n}@1", attributes={"name": f"p{n}"}),
            section="packages",
        )
        for n in rng.sample(range(2000), CLAIMS - 10)
    ]  # fmt: skip
    return relations


def reports(cis: int, *, round_: int = 0, changed: float = 0.0, seed: int = 7) -> Iterator[bytes]:
    """All reports of one round of scans. ``changed``: the share of hosts that another round finds changed."""
    hosts = cis // PER_HOST
    at = START + round_ * 3_600_000
    for first in range(0, hosts, HOSTS_A_REPORT):
        numbers = range(first, min(hosts, first + HOSTS_A_REPORT))
        seen = []
        for number in numbers:
            rng = random.Random(seed * 1_000_003 + number)
            now_changed = random.Random(f"{round_} {number}").random() < changed
            seen.append(host(number, hosts, rng, f"13.{round_}" if now_changed else ""))
        content = Content(coverage=[Coverage("scope", "complete")], observations=seen)
        samples = [Sample(f"host-{number}", "system.uptime", at / 1000 + number, "s") for number in numbers]
        yield msgspec.json.encode(
            Report(
                version=1, id=f"round{round_}-{first}", agent="bench", site="dc1", source="inventory",
                scope=Scope(f"range-{first}", "inventory"), scan=Scan(f"round{round_}-{first}"), observed_at=rfc3339(at),
                sent_at=rfc3339(at), content=msgspec.Raw(encode_content(content)), samples=samples,
            )
        )  # fmt: skip
