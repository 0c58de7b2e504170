"""The probes over real outputs of many systems, collected by others: nothing raises, and what we read is what is there.

The files are others' property and lie beside the repository; without them this is skipped. Some were printed by
commands that no probe gives (``df -h``, names instead of port numbers): of those only what can be read is compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_agent.observation import Component, Fact, HostFacts, Process, Relation, Socket
from cmdb_agent.probes import (
    conntrack,
    containers,
    cpu,
    dmi,
    filesystems,
    interfaces,
    memory,
    os,
    packages,
    processes,
    routes,
    uptime,
)
from cmdb_agent.socket_tables import parse_netstat, parse_proc_net, parse_ss

SHARED = Path(__file__).parents[2] / "../shared/host-outputs"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED} is not there")
MANIFEST: list[dict[str, Any]] = json.loads((SHARED / "manifest.json").read_text()) if SHARED.is_dir() else []

Expected = dict[str, Any]
Wrong = Iterator[str]


def output(entry: dict[str, Any]) -> str:
    return (SHARED / entry["category"] / f"{entry['id']}.out").read_text(encoding="utf-8", errors="replace")


def neutral(entry: dict[str, Any]) -> Expected:
    found: Expected = json.loads((SHARED / entry["category"] / f"{entry['id']}.expected.json").read_text())["neutral"]
    return found


def parser_of(entry: dict[str, Any]) -> Callable[[str], Any] | None:
    """The parsing function for an output, or None when no probe asks for that form."""
    category, command, system = entry["category"], entry["command"], entry["os"]
    if category == "packaging":
        return {"pacman": packages.parse_pacman}.get(command)
    if category == "solaris-pkg":
        return packages.parse_ips if "oi" in system else packages.parse_pkginfo
    if category == "proc":
        return {
            "meminfo": memory.parse_meminfo, "cpuinfo": cpu.parse_cpuinfo, "cpuinfo2": cpu.parse_cpuinfo,
            "net_tcp": parse_proc_net, "net_tcp6": parse_proc_net, "uptime": uptime.parse_proc,
            "mounts": filesystems.parse_mounts, "net_route": routes.parse_proc,
        }.get(command)  # fmt: skip
    if category == "ps":
        ef = {"ps-ef": processes.parse_ef, "ps-axu": processes.parse_aux}.get(command)
        return ef or (processes.parse_busybox if system == "busybox" else processes.parse_aux)
    return {
        "dmidecode": dmi.parse, "ip_addr": interfaces.parse_ip_text, "ifconfig": interfaces.parse_ifconfig,
        "df": filesystems.parse_df, "mount": filesystems.parse_mounts, "ss": parse_ss, "netstat": parse_netstat,
        "hpux-netstat": parse_netstat, "route": routes.parse_table, "ip_route": routes.parse_ip_text,
        "cpuinfo": cpu.parse_cpuinfo, "aix-lslpp": packages.parse_lslpp, "bsd-pkg": packages.parse_bsd,
        "hpux-swlist": packages.parse_swlist, "os-release": os.parse, "uptime": uptime.parse_uptime,
        "docker": containers.parse_table, "iptables": conntrack.parse_conntrack,
    }.get(category)  # fmt: skip


PARSED = [entry for entry in MANIFEST if parser_of(entry)]


def facts_of(entry: dict[str, Any]) -> list[Fact]:
    parse = parser_of(entry)
    return list(parse(output(entry))) if parse else []


@pytest.mark.parametrize("entry", PARSED, ids=lambda entry: entry["id"])
def test_nothing_raises(entry: dict[str, Any]) -> None:
    facts_of(entry)


def attributes(facts: list[Fact]) -> dict[str, Any]:
    return {name: value for fact in facts if isinstance(fact, HostFacts) for name, value in fact.attributes.items()}


def wrong_dmidecode(facts: list[Fact], expected: Expected) -> Wrong:
    told = attributes(facts)
    names = {
        "system.manufacturer": "manufacturer", "system.product_name": "model_number", "system.uuid": "machine_uuid",
        "system.serial_number": "serial_number", "bios.version": "bios_version", "bios.vendor": "bios_vendor",
        "base_board.serial_number": "baseboard_serial",
    }  # fmt: skip
    for theirs, ours in names.items():
        want, have = expected.get(theirs), told.get(ours)
        if want and have is not None and str(want).strip().lower() != have.lower():
            yield f"{ours}: {have!r}, not {want!r}"
        if want and have is None:
            yield f"{ours} is missing: {want!r}"


def wrong_interfaces(facts: list[Fact], expected: Expected) -> Wrong:
    told = {fact.local_key: fact.attributes for fact in facts if isinstance(fact, Component)}
    for row in expected["interfaces"]:
        name, mac, ipv4 = re.split("[:@]", row["name"])[0], row.get("mac"), row.get("ipv4")
        if name.startswith("lo") or row["name"] in ("sit0",):
            continue
        if name not in told:
            yield f"{name} is missing"
            continue
        if mac and len(mac) == 17 and mac != "00:00:00:00:00:00" and told[name].get("mac_address") != mac.lower():
            yield f"{name}: {told[name].get('mac_address')}, not {mac}"
        if (
            ipv4
            and not ipv4.startswith(("127.", "169.254.", "0.0.0.0"))
            and ipv4 not in told[name].get("ip_addresses", [])
        ):
            yield f"{name}: {told[name].get('ip_addresses')} without {ipv4}"


def holds_data(row: dict[str, Any]) -> bool:
    device, kind = row["device"], row.get("type")
    unseen = ("/proc", "/sys", "/dev", "/run/", "/snap/")
    local = device.startswith("/dev/") or ":/" in device
    return (
        local
        and not row["mount"].startswith((*unseen, "/var/lib/docker/"))
        and kind not in ("squashfs", "devfs", "fusectl")
    )


def wrong_mounts(facts: list[Fact], expected: Expected) -> Wrong:
    told = {fact.local_key for fact in facts if isinstance(fact, Component)}
    for row in expected.get("filesystems") or expected.get("mounts") or []:
        if holds_data(row) and row["mount"] not in told:
            yield f"{row['mount']} is missing"


def wrong_sockets(facts: list[Fact], expected: Expected) -> Wrong:
    told = [fact for fact in facts if isinstance(fact, Socket)]
    listening = {(fact.protocol, str(fact.local_port)) for fact in told if not fact.peer_port}
    wanted = [tuple(pair) for pair in expected.get("listening", ())]
    wanted += [("tcp", port) for port in expected.get("tcp_listen", ())]
    for protocol, port in wanted:
        if str(port).isdigit() and (protocol, str(port)) not in listening:
            yield f"{protocol} {port} is missing"


def wrong_proc_sockets(facts: list[Fact], expected: Expected) -> Wrong:
    told = {(fact.local_address, fact.local_port) for fact in facts if isinstance(fact, Socket)}
    for row in expected["sockets"]:
        host, _, port = row["local"].rpartition(":")
        if host.count(".") == 3 and ":" not in host and (host, int(port)) not in told:
            yield f"{row['local']} is missing"


def wrong_processes(facts: list[Fact], expected: Expected) -> Wrong:
    told = {fact.pid for fact in facts if isinstance(fact, Process)}
    for row in expected["processes"]:
        command = row["command"]
        if row["pid"] not in told and not command.startswith(("[", "{")) and command:
            yield f"{row['pid']} {command[:40]} is missing"


def wrong_packages(facts: list[Fact], expected: Expected) -> Wrong:
    """They tell no epoch."""
    told = {
        (str(fact.to.attributes["name"]), re.sub(r"^\d+:", "", str(fact.to.attributes["version"])))
        for fact in facts
        if isinstance(fact, Relation)
    }
    for row in expected["packages"]:
        if (row["name"], row["version"]) not in told:
            yield f"{row['name']} {row['version']} is missing"


def wrong_os(facts: list[Fact], expected: Expected) -> Wrong:
    told = attributes(facts)
    for theirs, ours in {"ID": "os_id", "NAME": "os_name", "VERSION_ID": "os_version"}.items():
        if told.get(ours) != expected[theirs]:
            yield f"{ours}: {told.get(ours)!r}, not {expected[theirs]!r}"


WRONG: dict[str, Callable[[list[Fact], Expected], Wrong]] = {
    "dmidecode": wrong_dmidecode, "ip_addr": wrong_interfaces, "ifconfig": wrong_interfaces, "df": wrong_mounts,
    "mount": wrong_mounts, "ss": wrong_sockets, "netstat": wrong_sockets, "proc": wrong_proc_sockets,
    "ps": wrong_processes, "aix-lslpp": wrong_packages, "solaris-pkg": wrong_packages, "bsd-pkg": wrong_packages,
    "hpux-swlist": wrong_packages, "packaging": wrong_packages, "os-release": wrong_os,
}  # fmt: skip
NEVER_ASKED = {
    "df-h": "sizes for people", "df-hh": "sizes for people", "netstat-sudo-aeep": "names instead of addresses",
}  # fmt: skip
COMPARED = [
    entry for entry in PARSED
    if entry["neutral"] and entry["category"] in WRONG
    and entry["command"] not in NEVER_ASKED
    and not entry["id"].startswith("glpi-macos-ifconfig")  # named there by another command's titles
]  # fmt: skip


@pytest.mark.parametrize("entry", COMPARED, ids=lambda entry: entry["id"])
def test_values(entry: dict[str, Any]) -> None:
    assert list(WRONG[entry["category"]](facts_of(entry), neutral(entry))) == []


def test_enough_is_compared() -> None:
    assert len(PARSED) >= 180
    assert len(COMPARED) >= 120
