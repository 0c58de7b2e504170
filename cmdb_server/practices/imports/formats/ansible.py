"""Ansible facts: what ``ansible HOSTS -m setup`` prints, one file of a fact cache, or an object of them by host."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cmdb_server.practices.imports.entry import Entry, Fault, Options

TITLE = "Facts of the module setup"
MEDIA = "application/json"
_PRINTED = re.compile(r"^(\S+) \| (?:SUCCESS|CHANGED) => ", re.MULTILINE)
_REFUSED = re.compile(r"^(\S+) \| (FAILED|UNREACHABLE)!", re.MULTILINE)
_CLASSES = {"Linux": "linux_server", "Win32NT": "windows_server"}
_TEXTS = {
    "fqdn": "fqdn", "domain": "domain", "hostname": "host.name", "architecture": "host.arch",
    "machine_id": "machine_id", "product_uuid": "machine_uuid", "product_serial": "serial_number",
    "product_name": "model_number", "system_vendor": "manufacturer", "bios_version": "bios_version",
    "bios_vendor": "bios_vendor", "bios_date": "bios_date", "board_serial": "baseboard_serial",
    "distribution": "os_name", "distribution_version": "os_version", "kernel": "kernel_release",
    "system": "kernel_name", "kernel_version": "kernel_version", "pkg_mgr": "package_manager",
}  # fmt: skip
_NUMBERS = {"processor_vcpus": "cpu_count", "processor_count": "cpu_sockets",
            "processor_threads_per_core": "cpu_threads_per_core"}  # fmt: skip
_NOTHING = ("", "NA", "None", "(none)", None)


def read(text: str, options: Options) -> Iterator[Entry | Fault]:
    """One entry a host, with its interfaces and file systems; hosts are counted from 1."""
    del options
    try:
        hosts = list(_hosts(text))
    except (ValueError, RecursionError) as error:
        yield Fault(0, "", f"not the output of the module setup: {error}")
        return
    for row, (name, facts) in enumerate(hosts, 1):
        yield from _entries(row, name, facts)
    for match in _REFUSED.finditer(text):
        yield Fault(0, match[1], f"Ansible could not read this host: {match[2]}")


def _hosts(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(name, facts without their prefix) of each host."""
    printed = list(_PRINTED.finditer(text))
    if printed:
        for match in printed:
            told, _ = json.JSONDecoder().raw_decode(text, match.end())
            yield match[1], _facts(told)
        return
    whole = json.loads(text)
    for one in whole if isinstance(whole, list) else [whole]:
        if not isinstance(one, dict):
            raise ValueError("must be an object")  # noqa: TRY004  a ValueError is what this file is refused with
        if _facts(one):
            yield "", _facts(one)
        else:
            yield from ((name, _facts(told)) for name, told in one.items() if isinstance(told, dict))


def _facts(told: Mapping[str, Any]) -> dict[str, Any]:
    inner = told.get("ansible_facts", told)
    found = inner if isinstance(inner, dict) else {}
    named = {name.removeprefix("ansible_"): value for name, value in found.items() if name.startswith("ansible_")}
    return named or ({} if "ansible_facts" not in told else found)


def _entries(row: int, name: str, facts: Mapping[str, Any]) -> Iterator[Entry | Fault]:
    host = name or _text(facts.get("fqdn")) or _text(facts.get("hostname"))
    if not host or not facts:
        yield Fault(row, name, "no facts of a host")
        return
    key = f"host:{host}"
    yield Entry(row, _CLASSES.get(str(facts.get("system")), "computer"), key, dict(_attributes(host, facts)),
                {"mac": macs} if (macs := _macs(facts)) else {})  # fmt: skip
    for one in _listed(facts.get("interfaces")):
        told = facts.get(re.sub(r"[^A-Za-z0-9_]", "_", str(one)))
        if isinstance(told, dict):
            attributes = dict(_interface(str(one), told))
            yield Entry(row, "network_interface", f"{key}/if:{one}", attributes, parent=key)
    yield from _file_systems(row, key, facts)


def _attributes(host: str, facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "name", _text(facts.get("hostname")) or host
    for fact, attribute in _TEXTS.items():
        if (value := _text(facts.get(fact))) is not None:
            yield attribute, value
    for fact, attribute in _NUMBERS.items():
        if isinstance(value := facts.get(fact), int) and value:
            yield attribute, value
    for fact, attribute in (("memtotal_mb", "memory"), ("swaptotal_mb", "swap")):
        if isinstance(value := facts.get(fact), int) and value:
            yield attribute, {"value": value, "unit": "MiB"}
    addresses = [*_listed(facts.get("all_ipv4_addresses")), *_listed(facts.get("all_ipv6_addresses"))]
    yield "ip_addresses", sorted(str(one) for one in addresses if not str(one).startswith(("127.", "fe80:")))
    gateway = facts.get("default_ipv4")
    if isinstance(gateway, dict) and (via := _text(gateway.get("gateway"))) is not None:
        yield "default_gateway", via
    if facts.get("virtualization_role") == "guest":
        yield "is_virtual", True
        yield "virtualization", str(facts.get("virtualization_type"))


def _interface(name: str, told: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "name", name
    yield "if_name", name
    if (mac := _text(told.get("macaddress"))) is not None:
        yield "mac_address", mac
    if isinstance(mtu := told.get("mtu"), int):
        yield "mtu", mtu
    if isinstance(speed := told.get("speed"), int) and speed > 0:
        yield "speed", {"value": speed, "unit": "Mbit/s"}
    if isinstance(active := told.get("active"), bool):
        yield "oper_status", "up" if active else "down"
    four = [told.get("ipv4"), *_listed(told.get("ipv4_secondaries"))]
    held = [one for one in (*four, *_listed(told.get("ipv6"))) if isinstance(one, dict)]
    addresses = [f"{one['address']}/{one['prefix']}" for one in held if one.get("address") and one.get("prefix")]
    if addresses:
        yield "ip_addresses", addresses


def _file_systems(row: int, key: str, facts: Mapping[str, Any]) -> Iterator[Entry]:
    met: set[str] = set()
    for told in _listed(facts.get("mounts")):
        point = _text(told.get("mount")) if isinstance(told, dict) else None
        if point is None or point in met:
            continue
        met.add(point)
        attributes = {"name": point, "mount_point": point, "device": _text(told.get("device")),
                      "fs_type": _text(told.get("fstype"))}  # fmt: skip
        size = told.get("size_total")
        told_size = {"size": {"value": size, "unit": "By"}} if isinstance(size, int) and size else {}
        yield Entry(row, "file_system", f"{key}/fs:{point}", {**attributes, **told_size}, parent=key)


def _macs(facts: Mapping[str, Any]) -> list[str]:
    told = [facts.get(re.sub(r"[^A-Za-z0-9_]", "_", str(one))) for one in _listed(facts.get("interfaces"))]
    return sorted({str(one["macaddress"]) for one in told
                   if isinstance(one, dict) and one.get("macaddress") and one.get("type") == "ether"})  # fmt: skip


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return None if value in _NOTHING or not isinstance(value, str) else value
