from __future__ import annotations

import json
from pathlib import Path

from cmdb_schemas.ci_class import classes
from cmdb_schemas.report import End
from cmdb_server.practices.imports.entry import Entry, Fault, Link, Options
from cmdb_server.practices.imports.formats.netbox import read

CASE = (Path(__file__).parents[4] / "cases/imports/netbox.json").read_text(encoding="utf-8")
OPTIONS = Options(classes())


def test_sites_racks_devices_interfaces_and_addresses() -> None:
    told = list(read(CASE, OPTIONS))
    entries = {one.key: one for one in told if isinstance(one, Entry)}
    assert [one for one in told if isinstance(one, Fault)] == [Fault(3, "interfaces", "an object has an id and a name")]
    assert {key: entry.class_ for key, entry in entries.items()} == {
        "site:1": "site", "rack:7": "rack", "device:11": "switch", "device:12": "server",
        "device:11/if:Gi1/0/1": "network_interface", "device:12/if:eth0": "network_interface",
    }  # fmt: skip
    switch, port = entries["device:11"], entries["device:11/if:Gi1/0/1"]
    assert switch.attributes == {
        "name": "sw-1", "serial_number": "FOC1234X0AB", "asset_tag": "A-100", "manufacturer": "Cisco",
        "model_number": "C9300-48P", "os_name": "IOS-XE", "install_status": "installed", "ip_address": "192.0.2.2",
    }  # fmt: skip
    assert switch.links == (Link("located_in", End(native_key="rack:7")),)
    assert entries["device:12"].links == (Link("located_in", End(native_key="site:1")),)
    assert port.parent == "device:11" and port.attributes["ip_addresses"] == ["192.0.2.2/24"]
    assert port.attributes["speed"] == {"value": 1000000, "unit": "kbit/s"}
    assert port.links == (Link("connects_to", End(native_key="device:12", identifiers={"if_name": ["eth0"]})),)
    assert entries["device:12/if:eth0"].links == (), "a cable is told once"


def test_what_is_no_dump_is_refused() -> None:
    for text in ("[", "[]", json.dumps({"other": []}), "[" * 100_000):
        (fault,) = read(text, OPTIONS)
        assert isinstance(fault, Fault) and fault.row == 0
    assert [type(one) for one in read('{"devices": [1, {"id": "x", "name": 3}]}', OPTIONS)] == [Fault, Fault]


def test_devices_without_a_name_are_called_what_netbox_shows() -> None:
    (told,) = read('{"devices": [{"id": 4, "name": null, "display": "Panel (4)"}]}', OPTIONS)
    assert isinstance(told, Entry) and told.attributes["name"] == "Panel (4)"


def test_addresses_that_are_assigned_to_nothing_known_are_left_out() -> None:
    wrong = [{"assigned_object_type": "dcim.interface", "assigned_object_id": id_} for id_ in ("x", None, 99)]
    (told,) = read(json.dumps({"sites": [{"id": 1, "name": "Oslo"}], "ip_addresses": wrong}), OPTIONS)
    assert isinstance(told, Entry) and told.class_ == "site"
