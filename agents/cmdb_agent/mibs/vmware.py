"""VMWARE-VMINFO-MIB: the virtual machines of an ESXi host, each a thing of its own that the host only sees."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cmdb_agent.component import in_bytes, told
from cmdb_agent.observation import End, Fact, Observation, Relation, Sample
from cmdb_agent.probe import Mib
from cmdb_agent.smi import Row, Walks, number, oid, rows, text

VM_TABLE = oid("1.3.6.1.4.1.6876.2.1")

_NAME, _GUEST_OS, _MEMORY, _STATE, _PROCESSORS, _UUID = 2, 4, 5, 6, 9, 10
_UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STATES = {"powered on": "running", "poweredon": "running", "powered off": "stopped", "poweredoff": "stopped",
           "suspended": "suspended"}  # fmt: skip


def guests(walks: Walks, address: str) -> list[Observation]:
    """One observation for each virtual machine that has a uuid; ``address`` is that of the host."""
    found = {}
    for row in rows(walks, VM_TABLE).values():
        uuid = text(row.get(_UUID)).lower()
        if _UUID_FORM.fullmatch(uuid):
            found[uuid] = _guest(uuid, row, address)
    return [found[uuid] for uuid in sorted(found)]


def parse(walks: Walks) -> Iterator[Fact]:
    if count := len(rows(walks, VM_TABLE)):
        yield Sample("", "vmware.vm.count", float(count), "{vm}")


def _guest(uuid: str, row: Row, address: str) -> Observation:
    memory, guest_os = number(row.get(_MEMORY)), text(row.get(_GUEST_OS))
    name = text(row.get(_NAME))
    return Observation(
        ref=f"vm:{uuid}",
        class_="virtual_machine",
        native_key=uuid,
        identifiers={"uuid": [uuid], **({"label": [name]} if name else {})},
        attributes=told(
            {
                "name": name,
                "vm_instance_uuid": uuid,
                # What stands here while the guest's tools are silent is a message, not a system.
                "guest_os": None if guest_os.startswith("E:") else guest_os,
                "power_state": _STATES.get(text(row.get(_STATE)).lower(), "unknown"),
                "memory": in_bytes(memory * 2**20 if memory else None),
                "cpu_count": number(row.get(_PROCESSORS)),
            }
        ),
        relations=[Relation("virtualized_by", End(address=address), evidence="vmwVmTable", section="vmware")],
    )


MIB = Mib("vmware", (VM_TABLE,), parse)
