"""Keys that fit the wire, and only what says something."""

from __future__ import annotations

from cmdb_agent.component import component, component_ref, far_end, in_bytes, local_key, told
from cmdb_agent.observation import End


def test_long_keys_are_cut_but_stay_apart() -> None:
    one, other = local_key("/" + "a" * 400), local_key("/" + "a" * 401)
    assert one != other
    assert max(len(component_ref("file_system", "/" + "a" * 4000)), len(one)) <= 256
    assert local_key("/var") == "/var"


def test_component() -> None:
    made = component(
        "disk", "sda", {"size": in_bytes(5), "model": "", "x": None, "l": [], "zero": 0}, {"serial": [], "wwn": ["1"]}
    )
    assert (made.ref, made.local_key) == ("disk:sda", "sda")
    assert made.attributes == {"size": {"value": 5, "unit": "By"}, "zero": 0}
    assert made.identifiers == {"wwn": ["1"]}
    assert in_bytes(None) is None
    assert told({"a": False, "b": ""}) == {"a": False}


def test_far_end() -> None:
    assert far_end("2001:DB8::1", 80) == End(address="2001:db8::1", port=80, protocol="tcp")
    assert far_end("DB1.example.com", 80) == End(identifiers={"fqdn": ["db1.example.com"]}, port=80, protocol="tcp")
    assert far_end("db1", 80) == End(identifiers={"name": ["db1"]}, port=80, protocol="tcp")
