"""Mounted file systems that hold data: where, of what kind, how large; how full is a sample."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cmdb_agent.component import component, component_ref, far_end, in_bytes
from cmdb_agent.observation import Component, End, Relation, Sample
from cmdb_agent.probe import Probe, Variant

_PSEUDO = frozenset(
    [
        "anon_inodefs",
        "autofs",
        "bdev",
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "cpuset",
        "debugfs",
        "devfs",
        "devpts",
        "devtmpfs",
        "dax",
        "efivarfs",
        "fdescfs",
        "fuse.gvfsd-fuse",
        "fuse.lxcfs",
        "fuse.portal",
        "fuse.snapfuse",
        "fusectl",
        "hugetlbfs",
        "ipathfs",
        "kernfs",
        "mqueue",
        "nfsd",
        "none",
        "nsfs",
        "objfs",
        "overlay-boot",
        "pipefs",
        "proc",
        "procfs",
        "pstore",
        "ptyfs",
        "ramfs",
        "rootfs",
        "rpc_pipefs",
        "securityfs",
        "selinuxfs",
        "sharefs",
        "sockfs",
        "squashfs",
        "sysfs",
        "tmpfs",
        "tracefs",
        "usbfs",
        "linprocfs",
        "linsysfs",
        "ctfs",
        "mntfs",
        "lofs",
        "devfsd",
        "fd",
        "swap",
    ]
)
_NOT_OURS = re.compile(
    r"/(?:proc|sys|dev)(?:/|$)|/var/lib/(?:docker|containers|kubelet|containerd|lxc)/|/run/|/snap/|/etc/(?:hosts|hostname|resolv\.conf)$"
)
_NETWORK = frozenset({"nfs", "nfs3", "nfs4", "cifs", "smbfs", "smb3", "glusterfs", "fuse.glusterfs", "ceph"})
_PORT = {"cifs": 445, "smbfs": 445, "smb3": 445, "glusterfs": 24007, "fuse.glusterfs": 24007, "ceph": 6789}

Found = Component | Relation | Sample


@dataclass(frozen=True, slots=True)
class _Mount:
    point: str
    device: str
    kind: str = ""
    size: int | None = None
    used: int | None = None
    uuid: str = ""
    label: str = ""
    options: str = ""


def _facts(mounts: Iterable[_Mount]) -> Iterator[Found]:
    """The last mount on a point is the one that is seen."""
    seen = {mount.point: mount for mount in mounts if _holds_data(mount)}
    for point in sorted(seen):
        yield from _mount_facts(seen[point])


def _holds_data(mount: _Mount) -> bool:
    if mount.kind in _PSEUDO or not mount.point.startswith("/") or _NOT_OURS.match(mount.point):
        return False
    return mount.kind != "" or mount.device.startswith("/") or ":" in mount.device


def _mount_facts(mount: _Mount) -> Iterator[Found]:
    ref = component_ref("file_system", mount.point)
    attributes = {
        "name": mount.point, "mount_point": mount.point, "fs_type": mount.kind, "device": mount.device,
        "label": mount.label, "size": in_bytes(mount.size or None),
    }  # fmt: skip
    yield component("file_system", mount.point, attributes, {"fs_uuid": [mount.uuid] if mount.uuid else []})
    if mount.used is not None and mount.size:
        yield Sample(ref="", component=ref, name="system.filesystem.usage", value=mount.used, unit="By")
    if server := _server(mount):
        port = _PORT.get(mount.kind, 2049)
        yield Relation(
            type="uses_storage", from_=End(ref=ref), to=far_end(server, port),
            evidence=f"{mount.point} is mounted from {mount.device}",
        )  # fmt: skip


def _server(mount: _Mount) -> str:
    """Who exports a network file system; the address from its options is surer than the name."""
    if mount.kind not in _NETWORK:
        return ""
    told = re.search(r"(?:^|,)addr=([0-9A-Fa-f.:]+)", mount.options)
    if told:
        return told[1]
    named = re.match(r"//([^/]+)/|\[?([^/\]]+?)\]?:/", mount.device)
    return (named[1] or named[2]) if named else ""


def parse_findmnt(text: str) -> Iterator[Found]:
    """``findmnt -J -b``, as tree or list; before util-linux 2.33 numbers are texts."""
    rows = json.loads(text).get("filesystems", [])
    return _facts(
        _Mount(
            row.get("target") or "", _device(row.get("source") or ""), row.get("fstype") or "", _number(row.get("size")),
            _number(row.get("used")), row.get("uuid") or "", row.get("label") or "", row.get("options") or "",
        )
        for row in _flat(rows)
    )  # fmt: skip


def _flat(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield row
        yield from _flat(row.get("children", []))


def _device(source: str) -> str:
    """Without the path inside it that a bind mount or a subvolume shows (``/dev/sda1[/home]``)."""
    return re.sub(r"\[.*\]$", "", source)


def _number(value: object) -> int | None:
    return int(str(value)) if str(value).isdecimal() else None


_DF_ROW = re.compile(
    r"^(\S.*?)\s+(?:([A-Za-z][\w.-]*)\s+)?(\d+)\s+(-?\d+)\s+(-?\d+)\s+(?:-?\d+(?:\.\d+)?%|-)\s+(?:\d+\s+\d+\s+-?\d+%\s+)?(/.*)$"
)


def parse_df(text: str) -> Iterator[Found]:
    """``df -PTk`` and ``df -Pk``: sizes in KiB; a row that was broken after a long device name is put together."""
    joined = re.sub(r"^(\S+)\n\s+(?=\S)", r"\1 ", text, flags=re.MULTILINE)
    scale = 512 if re.search(r"\b512-blocks\b", joined) else 1024
    rows = filter(None, map(_DF_ROW.match, joined.splitlines()))
    return _facts(
        _Mount(row[6], row[1], row[2] or "", int(row[3]) * scale, max(int(row[4]), 0) * scale) for row in rows
    )


_MOUNT_LINUX = re.compile(r"^(.+?) on (/.*?) type (\S+)(?: \((.*)\))?")
_MOUNT_BSD = re.compile(r"^(.+?) on (/.*?) \(([\w.-]+)[,)](.*)")


def parse_mounts(text: str) -> Iterator[Found]:
    """/proc/mounts, or what ``mount`` prints on Linux, the BSDs and macOS. No sizes."""
    return _facts(filter(None, map(_mount_of_line, text.splitlines())))


def _mount_of_line(line: str) -> _Mount | None:
    if found := _MOUNT_LINUX.match(line):
        return _Mount(found[2], found[1], found[3], options=found[4] or "")
    if found := _MOUNT_BSD.match(line):
        return _Mount(found[2], found[1], found[3], options=found[4])
    words = line.split()
    if len(words) < 4 or not words[1].startswith("/"):
        return None
    point, device = (
        re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), word) for word in (words[1], words[0])
    )
    return _Mount(point, device, words[2], options=words[3])


_COLUMNS = "TARGET,SOURCE,FSTYPE,SIZE,USED,UUID,LABEL,OPTIONS"

PROBE = Probe(
    "filesystems",
    (
        Variant(f"findmnt -J -b -l -o {_COLUMNS}", parse_findmnt, when=f"findmnt -J -b -l -o {_COLUMNS} /"),
        Variant("df -PTk", parse_df, when="df -PTk /", codes=(0, 1)),
        Variant("cat /proc/mounts", parse_mounts, when="[ -r /proc/mounts ]"),
        Variant("df -Pk", parse_df, when="df -Pk /", codes=(0, 1)),
        Variant("mount", parse_mounts, when="command -v mount"),
    ),
)
