"""The situations identity must tell apart, each as scans with its outcome: the table of the identity specification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.observed import Scan, Thing

DAY = 86_400_000
BOX = {
    "serial": ["CZ3411AB0C"], "uuid": ["45709961-232d-4ed8-b219-28947dbdd047"],
    "mac": ["3c:ec:ef:92:dc:74", "3c:ec:ef:03:70:c6"], "machine_id": ["b8f690fa40e54cdbdc371dfb2210f28b"],
    "ssh_host_key": ["SHA256:8dc118edcd492f0c", "SHA256:fce10181e6bac205"], "name": ["web.example.net"],
}  # fmt: skip
OTHER = {
    "serial": ["MX88420XYZ"], "uuid": ["9f2a5843-af33-4720-9f7b-8a2e04aa72d1"],
    "mac": ["3c:ec:ef:20:42:a2", "3c:ec:ef:8f:96:e7"], "machine_id": ["7dbcc5f769d144d1860e7019579dc1fb"],
    "ssh_host_key": ["SHA256:debec7588431e88c", "SHA256:5503513e88c24eab"], "name": ["db.example.net"],
}  # fmt: skip
HARDWARE = ("serial", "uuid", "mac")
SOFTWARE = ("machine_id", "ssh_host_key")
SWITCH = {"serial": ["FOC1A2B3C4D"], "mac": ["70:6d:15:01:02:03"], "engine_id": ["800000090300706d15010203"]}


def of(box: Mapping[str, Sequence[str]], *kinds: str, **changed: Sequence[str]) -> dict[str, Sequence[str]]:
    """A box's identifiers of these kinds (all, without any), with changes."""
    return {**{k: v for k, v in box.items() if not kinds or k in kinds}, **changed}


def ssh(at: int, *things: Thing, complete: bool = True, scope: str = "10.0.0.0/24") -> Scan:
    return Scan("ssh", scope, at * DAY, things, complete)


def snmp(at: int, *things: Thing, complete: bool = True) -> Scan:
    return Scan("snmp", "10.0.0.0/24", at * DAY, things, complete)


def vcenter(at: int, *things: Thing, scope: str = "c1") -> Scan:
    return Scan("vcenter:prod", scope, at * DAY, things)


def ping(at: int, *things: Thing) -> Scan:
    return Scan("ping", "10.0.0.0/24", at * DAY, things)


def box(id_: str, identifiers: Mapping[str, Sequence[str]], address: str | None = "10.0.0.1", **more: Any) -> Thing:
    return Thing(id_, identifiers, address, **more)


@dataclass(frozen=True)
class Situation:
    """``cis``: the sightings of each CI, one letter each. ``distrusted``: kinds of distrusted values. ``reviews``:
    how many pairs a person is asked about. ``events``: what befell CIs, each with the first sighting that shows it.
    ``replaces``: the CIs, new and old, of which a person is asked whether one took the other's place."""

    title: str
    scans: tuple[Scan, ...]
    cis: frozenset[str]
    distrusted: frozenset[str] = frozenset()
    reviews: int = 0
    events: frozenset[str] = frozenset()
    replaces: frozenset[str] = frozenset()


def situation(
    title: str, cis: str, *scans: Scan, distrusted: Sequence[str] = (), reviews: int = 0, events: Sequence[str] = (),
    replaces: Sequence[str] = (),
) -> Situation:  # fmt: skip
    return Situation(
        title, scans, frozenset(cis.split()), frozenset(distrusted), reviews, frozenset(events), frozenset(replaces)
    )


SITUATIONS = (
    situation("one box scanned at two addresses at once", "ab", ssh(1, box("a", BOX), box("b", BOX, "10.0.0.2"))),
    situation(
        "one box told by two scans at once, its names spelt differently", "ab",
        ssh(1, box("a", of(BOX, name=["web"]))), ssh(1, box("b", of(BOX, name=["WEB.example.net."]), "10.0.0.2"),
            scope="10.0.0.2"),
    ),
    situation(
        "seen by SSH and by SNMP", "ab",
        ssh(1, box("a", BOX)), snmp(2, box("b", of(BOX, "mac", name=["WEB.EXAMPLE.NET"]))),
    ),
    situation(
        "hypervisor's and guest's view of a VM, uuid in the other byte order", "ab",
        ssh(1, box("a", {"uuid": ["BC4C4D56-A9C6-6919-3FEE-FA0F3887B6A5"], "name": ["web.example.net"],
                         "serial": ["VMware-56 4d 4c bc c6 a9 19 69-3f ee fa 0f 38 87 b6 a5"],
                         "machine_id": BOX["machine_id"]})),
        vcenter(2, box("b", {"uuid": ["564d4cbc-c6a9-1969-3fee-fa0f3887b6a5"], "label": ["Web front (old)"]}, None,
                       key="vm-17", class_="virtual_machine")),
    ),
    situation(
        "hypervisor's and guest's view of a VM, with nothing in common but the uuid in the other byte order", "ab",
        ssh(1, box("a", {"uuid": ["BC4C4D56-A9C6-6919-3FEE-FA0F3887B6A5"], "name": ["web.example.net"]})),
        vcenter(2, box("b", {"uuid": ["564d4cbc-c6a9-1969-3fee-fa0f3887b6a5"], "label": ["Web front (old)"]}, None,
                       key="vm-17", class_="virtual_machine")),
    ),
    situation(
        "renamed and re-addressed", "abc",
        ssh(1, box("a", BOX)), ssh(3, box("b", of(BOX, name=["front.example.net"]), "10.0.0.9")),
        snmp(4, box("c", of(BOX, "mac", name=["front.example.net"]), "10.0.0.9")),
        events=["renamed b"],
    ),
    situation(
        "reinstalled", "ab",
        ssh(1, box("a", BOX)), ssh(3, box("b", {**BOX, **of(OTHER, *SOFTWARE), "name": ["new.example.net"]})),
        events=["reinstalled b", "renamed b"],
    ),
    situation(
        "reinstalled, then seen without root", "abc",
        ssh(1, box("a", BOX)), ssh(3, box("b", {**BOX, **of(OTHER, *SOFTWARE)})),
        ssh(5, box("c", {**of(BOX, "mac", "name"), **of(OTHER, *SOFTWARE)})), events=["reinstalled b"],
    ),
    situation("root to read hardware lost and regained", "abc",
        ssh(1, box("a", BOX)), ssh(3, box("b", of(BOX, "mac", *SOFTWARE, "name"))), ssh(5, box("c", BOX)),
    ),
    situation(
        "host keys drawn anew, the installation kept", "ab",
        ssh(1, box("a", BOX)), ssh(3, box("b", {**BOX, **of(OTHER, "ssh_host_key")})),
    ),
    situation(
        "reinstalled back to what it was", "abc",
        ssh(1, box("a", BOX)), ssh(3, box("b", {**BOX, **of(OTHER, *SOFTWARE)})), ssh(5, box("c", BOX)),
    ),
    situation(
        "reinstalled under another name, no root to read hardware, two burnt-in NICs", "ab",
        ssh(1, box("a", of(BOX, "mac", *SOFTWARE, "name"))),
        ssh(3, box("b", {**of(BOX, "mac"), **of(OTHER, *SOFTWARE), "name": ["new.example.net"]})),
        events=["reinstalled b", "renamed b"],
    ),
    situation(
        "mainboard replaced", "ab",
        ssh(1, box("a", BOX)), ssh(3, box("b", {**BOX, **of(OTHER, "uuid", "mac")})), events=["mainboard-replaced b"],
    ),
    situation(
        "mainboard replaced, SNMP first to see it", "abcd",
        ssh(1, box("a", BOX)), snmp(2, box("b", of(BOX, "mac", "name"))), snmp(3, box("c", of(OTHER, "mac", name=BOX["name"]))),
        ssh(4, box("d", {**BOX, **of(OTHER, "uuid", "mac")})), events=["mainboard-replaced c"],
    ),
    situation(
        "mainboard replaced, then renamed, seen by SNMP too", "abcde",
        ssh(1, box("a", BOX)), snmp(2, box("b", of(BOX, "mac", "name"))),
        ssh(3, box("c", {**BOX, **of(OTHER, "uuid", "mac")})),
        ssh(5, box("d", {**BOX, **of(OTHER, "uuid", "mac"), "name": ["front.example.net"]})),
        snmp(6, box("e", {**of(OTHER, "mac"), "name": ["front.example.net"]})),
        events=["mainboard-replaced c", "renamed d"],
    ),
    situation(
        "mainboard replaced, without root to read the serial", "a b",
        ssh(1, box("a", of(BOX, "mac", *SOFTWARE, "name"))),
        ssh(3, box("b", {**of(BOX, *SOFTWARE, "name"), **of(OTHER, "mac")})), reviews=1,
    ),
    situation(
        "hardware replaced, name and host keys kept", "a b",
        ssh(1, box("a", BOX)), ssh(3, box("b", {**BOX, **of(OTHER, *HARDWARE)})), replaces=["b a"],
    ),
    situation(
        "hardware replaced, and the old machine still there elsewhere", "ac b",
        ssh(1, box("a", BOX)), ssh(3, box("b", {**BOX, **of(OTHER, *HARDWARE)})), ssh(5, box("c", BOX, "10.0.0.2")),
    ),
    situation(
        "hardware replaced twice", "a b c",
        ssh(1, box("a", BOX)), ssh(3, box("b", {**BOX, **of(OTHER, *HARDWARE)})),
        ssh(5, box("c", {**BOX, "serial": ["PF3KLM0099"], "uuid": ["1b4e28ba-2fa1-11d2-883f-0016d3cca427"],
                         "mac": ["3c:ec:ef:77:01:02"]})),
        replaces=["b a", "c b"],
    ),
    situation(
        "hardware and name replaced, host keys kept", "a b",
        ssh(1, box("a", BOX)), ssh(3, box("b", {**BOX, **of(OTHER, *HARDWARE, "name")})),
    ),
    situation(
        "cloned image, both alive", "ab cd",
        ssh(1, box("a", BOX), box("c", {**BOX, **of(OTHER, *HARDWARE)}, "10.0.0.2")),
        ssh(3, box("b", BOX), box("d", {**BOX, **of(OTHER, *HARDWARE)}, "10.0.0.2")),
        distrusted=SOFTWARE,
    ),
    situation(
        "cloned image, no root, MACs only", "ab cd",
        ssh(1, box("a", of(BOX, "mac", *SOFTWARE)), box("c", {**of(BOX, *SOFTWARE), **of(OTHER, "mac")}, "10.0.0.2")),
        ssh(3, box("b", of(BOX, "mac", *SOFTWARE)), box("d", {**of(BOX, *SOFTWARE), **of(OTHER, "mac")}, "10.0.0.2")),
        distrusted=SOFTWARE,
    ),
    situation(
        "shared bogus serial", "a b",
        ssh(1, box("a", BOX), box("b", of(OTHER, serial=BOX["serial"]), "10.0.0.2")), distrusted=["serial"],
    ),
    situation(
        "shared bogus serial and uuid", "a b",
        ssh(1, box("a", BOX), box("b", of(OTHER, serial=BOX["serial"], uuid=BOX["uuid"]), "10.0.0.2")),
        distrusted=["serial", "uuid"],
    ),
    situation(
        "a placeholder in place of serial and uuid", "a b",
        ssh(1, box("a", {"serial": ["To be filled by O.E.M."], "uuid": ["03000200-0400-0500-0006-000700080009"],
                         "mac": ["02:42:ac:11:00:02"]}),
            box("b", {"serial": ["To be filled by O.E.M."], "uuid": ["03000200-0400-0500-0006-000700080009"],
                      "mac": ["02:42:ac:11:00:02"]}, "10.0.0.2")),
    ),
    situation(
        "a dock's NIC used by two laptops in turn", "ac bd",
        ssh(1, box("a", of(BOX, mac=["3c:ec:ef:92:dc:74", "00:e0:4c:11:22:33"])), box("b", OTHER, "10.0.0.2")),
        ssh(2, box("c", BOX), box("d", of(OTHER, mac=["3c:ec:ef:20:42:a2", "00:e0:4c:11:22:33"]), "10.0.0.2")),
    ),
    situation(
        "two hosts called localhost, no root to read hardware", "a b",
        ssh(1, box("a", {"name": ["localhost"], "mac": BOX["mac"]})),
        ssh(2, box("b", {"name": ["localhost"], "mac": OTHER["mac"]})),
    ),
    situation(
        "HA pair with a floating address", "ac bd",
        snmp(1, box("a", of(SWITCH, name=["core"]), "10.0.0.3", class_="switch"),
             box("b", of(SWITCH, serial=["FOC9Z8Y7X6W"], mac=["70:6d:15:0a:0b:0c"], name=["core"]), "10.0.0.4",
                 class_="switch"),
             box("c", of(SWITCH, name=["core"]), "10.0.0.5", class_="switch")),
        snmp(2, box("d", of(SWITCH, serial=["FOC9Z8Y7X6W"], mac=["70:6d:15:0a:0b:0c"], name=["core"]), "10.0.0.5",
                    class_="switch")),
        distrusted=["engine_id"],
    ),
    situation(
        "stack with one member exchanged", "ab",
        snmp(1, box("a", of(SWITCH, serial=["FOC1", "FOC2", "FOC3"], name=["st"]), class_="stack")),
        snmp(2, box("b", of(SWITCH, serial=["FOC1", "FOC2", "FOC9"], name=["st"]), class_="stack")),
    ),
    situation(
        "VM moved to another hypervisor, under a new key", "ab",
        vcenter(1, box("a", of(BOX, "uuid", "mac", label=["web"]), None, key="vm-17", class_="virtual_machine")),
        vcenter(2, box("b", of(BOX, "uuid", "mac", label=["web"]), None, key="vm-99", class_="virtual_machine"),
                scope="c2"),
    ),
    situation(
        "a key of its source given to another machine", "a b",
        vcenter(1, box("a", of(BOX, "uuid", "mac"), None, key="vm-17", class_="virtual_machine")),
        vcenter(2, box("b", of(OTHER, "uuid", "mac"), None, key="vm-17", class_="virtual_machine")),
    ),
    situation(
        "DHCP gives the address to another machine", "ac b",
        ssh(1, box("a", BOX)), ssh(2, box("b", OTHER)), ssh(3, box("c", BOX, "10.0.0.7")),
    ),
    situation("known only by ping, scanned later", "ab", ping(1, box("a", {})), ssh(2, box("b", BOX))),
    situation("known only by ARP, scanned later", "ab", ping(1, box("a", {"mac": BOX["mac"][:1]})), ssh(2, box("b", BOX))),
    situation(
        "a ping belongs to whoever last proved its address", "ab cde",
        ssh(1, box("a", BOX)), ping(2, box("b", {})), ssh(3, box("c", OTHER)), ping(4, box("d", {})),
        ping(5, box("e", {})),
    ),
    situation(
        "a name that contradicts belongs to nobody there", "a b",
        ssh(1, box("a", BOX)), snmp(2, box("b", {"name": ["printer.example.net"]})),
    ),
    situation(
        "a name alone, seen elsewhere, never attaches", "a b",
        ssh(1, box("a", BOX)), snmp(2, box("b", of(BOX, "name"), "10.0.0.8")),
    ),
    situation(
        "declared by its full name", "ab",
        ssh(1, box("a", BOX)), Scan("manual", "anna", 0, (box("b", of(BOX, "name"), None, key="1"),)),
    ),
    situation(
        "imported by its full name, and declared by hand", "abc",
        ssh(2, box("a", BOX)), Scan("import:assets", "assets", 1 * DAY, (box("b", of(BOX, "name"), None, key="1"),)),
        Scan("manual", "anna", 0, (box("c", of(BOX, "name"), None, key="1"),)),
    ),
    situation(
        "imported by its full name from two files, seen by nobody", "ab",
        Scan("import:assets", "assets", 1 * DAY, (box("a", of(BOX, "name"), None, key="1"),)),
        Scan("import:netbox", "netbox", 2 * DAY, (box("b", of(BOX, "name"), None, key="7"),)),
    ),
    situation(
        "imported with its serial and full name, no root to read the serial", "ab",
        ssh(1, box("a", of(BOX, "mac", *SOFTWARE, "name"))),
        Scan("import:assets", "assets", 2 * DAY, (box("b", of(BOX, "serial", "name"), None, key="1"),)),
    ),
    situation(
        "imported with another serial than the host of that name has", "a b",
        ssh(1, box("a", BOX)),
        Scan("import:assets", "assets", 2 * DAY, (box("b", of(BOX, "name", serial=["MX88420XYZ"]), None, key="1"),)),
    ),
    situation(
        "declared with a serial and imported with it, seen without", "abc",
        ssh(3, box("a", of(BOX, "mac", "name"))),
        Scan("manual", "anna", 0, (box("b", of(BOX, "serial", name=["WEB"]), None, key="1"),)),
        Scan("import:assets", "assets", 2 * DAY, (box("c", of(BOX, "serial", "name"), None, key="1"),)),
    ),
    situation(
        "two of one name in one file", "a b",
        Scan("import:assets", "assets", 1 * DAY, (box("a", of(BOX, "name"), None, key="1"),
                                                  box("b", of(BOX, "name"), None, key="2"))),
    ),
    situation(
        "declared by a short name", "a b",
        ssh(1, box("a", BOX)), Scan("manual", "anna", 0, (box("b", {"name": ["web"]}, None, key="1"),)),
    ),
)  # fmt: skip
