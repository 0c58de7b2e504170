"""HOST-RESOURCES-MIB: file systems, memory, processors, disks, installed software."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from cmdb_agent.component import component, component_ref, in_bytes, told
from cmdb_agent.observation import End, Fact, HostFacts, Relation, Sample
from cmdb_agent.probe import Mib
from cmdb_agent.smi import Row, Walks, last_arc, number, oid, rows, scalar, text

SYSTEM = oid("1.3.6.1.2.1.25.1")
MEMORY_SIZE = oid("1.3.6.1.2.1.25.2.2")
STORAGE_TABLE = oid("1.3.6.1.2.1.25.2.3")
DEVICE_TABLE = oid("1.3.6.1.2.1.25.3.2")
FILE_SYSTEM_TABLE = oid("1.3.6.1.2.1.25.3.8")
SOFTWARE_TABLE = oid("1.3.6.1.2.1.25.6.3")

_TYPE, _DESCR, _UNITS, _SIZE, _USED = 2, 3, 4, 5, 6
_RAM, _FIXED_DISK, _REMOVABLE, _NETWORK_DISK = 2, 4, 5, 10
_PROCESSOR, _DISK = 3, 6
_MOUNT, _FS_TYPE, _FS_STORAGE = 2, 4, 7
_FS_TYPES = {
    3: "ffs", 4: "sysv", 5: "fat", 6: "hpfs", 7: "hfs", 8: "mfs", 9: "ntfs", 10: "vnode", 11: "journaled",
    12: "iso9660", 13: "rockridge", 14: "nfs", 15: "netware", 16: "afs", 17: "dfs", 18: "appleshare", 20: "dgfs",
    21: "bfs", 22: "fat32", 23: "ext2",
}  # fmt: skip
_NOT_OURS = re.compile(r"/(?:proc|sys|dev|run)(?:/|$)|/var/lib/(?:docker|containers|kubelet)/|/snap/")
_JUNOS_MOUNT = re.compile(r"(\S+), mounted on: (.+)")
_WINDOWS_DRIVE = re.compile(r"([A-Z]:\\)(?:\s*Label:(.*?)\s+Serial Number (\w+))?", re.DOTALL)
_LINUX_DISK = re.compile(r"\(/dev/((?:sd|vd|xvd|hd|nvme)\w+)\)")
_CPU_VENDOR = re.compile(r"^(?:GenuineIntel|AuthenticAMD): ")
_PACKAGE = re.compile(
    r"[a-z0-9][a-z0-9.+-]*_\S+_\S+|.+-[^-]+-[^-]+(?:\.(?:noarch|x86_64|i[3-6]86|aarch64|ppc64le|s390x))?"
)
_NAME_AND_VERSION = re.compile(r"(.+?)[ ,_-]+v?(\d[\w.+-]*)(?: .*)?")


def parse(walks: Walks) -> Iterator[Fact]:
    yield from _file_systems(walks)
    yield from _memory(walks)
    yield from _devices(walks)
    yield from _software(walks)
    for name, arc, unit in (("system.users", 5, "{user}"), ("system.processes.count", 6, "{process}")):
        if (value := number(scalar(walks, (*SYSTEM, arc)))) is not None:
            yield Sample("", name, float(value), unit)


def _file_systems(walks: Walks) -> Iterator[Fact]:
    kinds = {number(row.get(_FS_STORAGE)): row for row in rows(walks, FILE_SYSTEM_TABLE).values()}
    seen = set()
    for index, row in rows(walks, STORAGE_TABLE).items():
        kind = last_arc(row.get(_TYPE))
        point, device, label = _mount(text(row.get(_DESCR)))
        size = _octets(row, _SIZE)
        is_ours = kind in (_FIXED_DISK, _REMOVABLE, _NETWORK_DISK) and size and not _NOT_OURS.match(point)
        if not is_ours or not point or point in seen:
            continue
        seen.add(point)
        yield component(
            "file_system",
            point,
            {
                "name": point, "mount_point": point, "device": device, "label": label, "size": in_bytes(size),
                "fs_type": _FS_TYPES.get(last_arc(kinds.get(index[0], {}).get(_FS_TYPE)) or 0),
                "remote": True if kind == _NETWORK_DISK else None,
            },
        )  # fmt: skip
        if (used := _octets(row, _USED)) is not None:
            yield Sample("", "system.filesystem.usage", float(used), "By", "gauge", component_ref("file_system", point))


def _mount(descr: str) -> tuple[str, str, str]:
    """Mount point, device and label, as Linux, Junos and Windows describe a file system."""
    if found := _JUNOS_MOUNT.fullmatch(descr):
        return found[2], found[1], ""
    if found := _WINDOWS_DRIVE.match(descr):
        return found[1], "", (found[2] or "").strip()
    return descr, "", ""


def _octets(row: Row, column: int) -> int | None:
    """A size in octets. Beyond 2^31 units agents let the signed integer run over."""
    units, count = number(row.get(_UNITS)), number(row.get(column))
    return None if not units or count is None else units * (count + 2**32 if count < 0 else count)


def _memory(walks: Walks) -> Iterator[Fact]:
    kilobytes = number(scalar(walks, MEMORY_SIZE))
    physical = [row for row in rows(walks, STORAGE_TABLE).values() if last_arc(row.get(_TYPE)) == _RAM]
    size = kilobytes * 1024 if kilobytes and kilobytes > 0 else next((_octets(row, _SIZE) for row in physical), None)
    if size:
        yield HostFacts(attributes={"memory": in_bytes(size)})
    if physical and (used := _octets(physical[0], _USED)) is not None:
        yield Sample("", "system.memory.usage", float(used), "By")


def _devices(walks: Walks) -> Iterator[Fact]:
    processors = []
    for row in rows(walks, DEVICE_TABLE).values():
        kind, descr = last_arc(row.get(_TYPE)), text(row.get(_DESCR))
        if kind == _PROCESSOR:
            processors.append(_CPU_VENDOR.sub("", descr))
        elif kind == _DISK and (disk := _LINUX_DISK.search(descr)):
            name = disk[1]
            yield component("disk", name, {"name": name, "device": f"/dev/{name}", "description": descr})
    if processors:
        model = processors[0] if processors[0] not in ("", "Processor", "Unknown Processor Type") else None
        yield HostFacts(attributes=told({"cpu_count": len(processors), "cpu_model": model}))


def _software(walks: Walks) -> Iterator[Fact]:
    """Packages of a Linux distribution are only counted: SNMP tells neither distribution nor source package, so they
    would be other CIs than those a scan over SSH names."""
    names = sorted({text(row.get(_TYPE)) for row in rows(walks, SOFTWARE_TABLE).values()} - {""})
    if names:
        yield Sample("", "system.packages.count", float(len(names)), "{package}")
    for name in names:
        if not _PACKAGE.fullmatch(name):
            yield _installs(name)


def _installs(name: str) -> Relation:
    found = _NAME_AND_VERSION.fullmatch(name)
    product, version = (found[1].strip(), found[2]) if found else (name, "")
    purl = f"pkg:generic/{quote(product, safe='.-_~')}" + (f"@{quote(version, safe='.-_~:')}" if version else "")
    attributes = told({"name": product, "version": version, "purl": purl[:256]})
    return Relation("installs", End(class_="software_package", key=purl[:256], attributes=attributes))


MIB = Mib(
    "host_resources",
    (SYSTEM, MEMORY_SIZE, STORAGE_TABLE, DEVICE_TABLE, FILE_SYSTEM_TABLE, SOFTWARE_TABLE),
    parse,
)
