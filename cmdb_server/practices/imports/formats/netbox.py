"""NetBox: the answers of its REST API under ``sites``, ``racks``, ``devices``, ``interfaces`` and ``ip_addresses``.

Each is a list of objects or a whole answer (``{"count": ..., "results": [...]}``), as ``/api/dcim/sites/`` and the
others give it. Rows are counted from 1 within each.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cmdb_schemas.report import End
from cmdb_server.practices.imports.entry import Entry, Fault, Link, Options

TITLE = "Answers of NetBox's REST API: sites, racks, devices, interfaces and addresses"
MEDIA = "application/json"
PARTS = ("sites", "racks", "devices", "interfaces", "ip_addresses")
ROLES = (
    ("firewall", "firewall"), ("load-balancer", "load_balancer"), ("router", "router"), ("switch", "switch"),
    ("leaf", "switch"), ("spine", "switch"), ("wireless", "wireless_ap"), ("access-point", "wireless_ap"),
    ("hypervisor", "hypervisor"), ("server", "server"), ("storage", "storage_device"), ("pdu", "pdu"), ("ups", "ups"),
)  # fmt: skip
"""Words in a role's slug, and the class they stand for; NetBox leaves roles to its users."""
STATUS = {
    "active": "installed", "planned": "on_order", "staged": "pending_install", "inventory": "in_stock",
    "decommissioning": "retired",
}  # fmt: skip
Thing = Mapping[str, Any]


def read(text: str, options: Options) -> Iterator[Entry | Fault]:
    """Sites and racks, devices with their interfaces and addresses, and the cables between them."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield Fault(0, "", f"not JSON: {error}")
        return
    if not isinstance(told, dict) or not any(part in told for part in PARTS):
        yield Fault(0, "", f"must be an object with some of {', '.join(PARTS)}")
        return
    parts = {part: _results(told.get(part)) for part in PARTS}
    held = _addresses(parts["ip_addresses"])
    for part, entry in (("sites", _site), ("racks", _rack), ("devices", _device), ("interfaces", _interface)):
        for row, one in enumerate(map(_named, parts[part]), 1):
            if not isinstance(one, dict) or not isinstance(one.get("id"), int) or not isinstance(one.get("name"), str):
                yield Fault(row, part, "an object has an id and a name")
            else:
                yield entry(row, one, options, held)


def _results(told: Any) -> list[Any]:
    listed = told.get("results") if isinstance(told, dict) else told
    return listed if isinstance(listed, list) else []


def _addresses(told: list[Any]) -> dict[int, list[str]]:
    """Interface -> the addresses assigned to it, with their prefix lengths."""
    found: dict[int, list[str]] = {}
    for one in told:
        if isinstance(one, dict) and one.get("assigned_object_type") == "dcim.interface":
            id_, address = one.get("assigned_object_id"), one.get("address")
            if isinstance(id_, int) and isinstance(address, str):
                found.setdefault(id_, []).append(address)
    return found


def _named(thing: Any) -> Any:
    """NetBox lets devices go without a name, and shows them by what they are."""
    return {**thing, "name": thing.get("display")} if isinstance(thing, dict) and thing.get("name") is None else thing


def _site(row: int, site: Thing, options: Options, held: Mapping[int, list[str]]) -> Entry:
    del options, held
    return Entry(row, "site", f"site:{site['id']}", _texts(site, name="name", code="slug", description="description"))


def _rack(row: int, rack: Thing, options: Options, held: Mapping[int, list[str]]) -> Entry:
    del options, held
    attributes: dict[str, Any] = _texts(rack, name="name", description="description")
    if isinstance(rack.get("u_height"), int):
        attributes["height_units"] = rack["u_height"]
    return Entry(row, "rack", f"rack:{rack['id']}", attributes, links=_located(rack, "site"))


def _device(row: int, device: Thing, options: Options, held: Mapping[int, list[str]]) -> Entry:
    del held
    slug = str(_at(device, "role", "slug") or _at(device, "device_role", "slug") or "")
    class_ = options.kinds[next((class_ for word, class_ in ROLES if word in slug), "hardware")]
    attributes: dict[str, Any] = _texts(
        device, name="name", serial_number="serial", asset_tag="asset_tag", description="description"
    )  # fmt: skip
    address = _at(device, "primary_ip", "address")
    further = {
        "manufacturer": _at(device, "device_type", "manufacturer", "name"),
        "model_number": _at(device, "device_type", "model"), "os_name": _at(device, "platform", "name"),
        "install_status": STATUS.get(str(_at(device, "status", "value"))),
        "ip_address": address.partition("/")[0] if isinstance(address, str) else None,
    }  # fmt: skip
    attributes |= {name: value for name, value in further.items() if value and class_.attribute(name)}
    links = _located(device, "rack") or _located(device, "site")
    return Entry(row, class_.name, f"device:{device['id']}", attributes, links=links)


def _interface(row: int, interface: Thing, options: Options, held: Mapping[int, list[str]]) -> Entry | Fault:
    del options
    device = _at(interface, "device", "id")
    if not isinstance(device, int):
        return Fault(row, "interfaces", "an interface has a device")
    name = interface["name"]
    attributes: dict[str, Any] = _texts(interface, name="name", if_name="name", if_alias="description",
                                        mac_address="mac_address")  # fmt: skip
    if isinstance(interface.get("mtu"), int):
        attributes["mtu"] = interface["mtu"]
    if isinstance(interface.get("speed"), int):
        attributes["speed"] = {"value": interface["speed"], "unit": "kbit/s"}
    if isinstance(interface.get("enabled"), bool):
        attributes["admin_status"] = "up" if interface["enabled"] else "down"
    if addresses := held.get(interface["id"]):
        attributes["ip_addresses"] = sorted(addresses)
    key = f"device:{device}"
    links = tuple(_cables((device, name), interface))
    return Entry(row, "network_interface", f"{key}/if:{name}", attributes, links=links, parent=key)


def _cables(here: tuple[int, str], interface: Thing) -> Iterator[Link]:
    """NetBox tells a cable at both of its ends; it is taken from the first."""
    far = interface.get("connected_endpoints")
    if interface.get("connected_endpoints_type") != "dcim.interface" or not isinstance(far, list):
        return
    for end in far:
        device, name = _at(end, "device", "id"), _at(end, "name")
        if isinstance(device, int) and isinstance(name, str) and here < (device, name):
            yield Link("connects_to", End(native_key=f"device:{device}", identifiers={"if_name": [name]}))


def _located(thing: Thing, part: str) -> tuple[Link, ...]:
    id_ = _at(thing, part, "id")
    return (Link("located_in", End(native_key=f"{part}:{id_}")),) if isinstance(id_, int) else ()


def _at(thing: Any, *path: str) -> Any:
    for name in path:
        thing = thing.get(name) if isinstance(thing, dict) else None
    return thing


def _texts(thing: Thing, **names: str) -> dict[str, Any]:
    """Attribute -> the text of the member that is named."""
    return {name: value for name, member in names.items() if isinstance(value := thing.get(member), str) and value}
