"""The case was recorded from this product's build machine with ansible-core's module setup, and shortened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.practices.imports.entry import Entry, Fault, Options
from cmdb_server.practices.imports.formats.ansible import read

CASE = (Path(__file__).parents[4] / "cases/imports/ansible.txt").read_text(encoding="utf-8")
OPTIONS = Options(classes())


def test_a_recorded_host() -> None:
    entries = {one.key: one for one in read(CASE, OPTIONS) if isinstance(one, Entry)}
    host = entries["host:localhost"]
    facts = json.loads(CASE[CASE.index("{") :])["ansible_facts"]
    assert host.class_ == "linux_server" and host.attributes["name"] == facts["ansible_hostname"]
    assert host.attributes["os_name"] == facts["ansible_distribution"]
    assert host.attributes["memory"] == {"value": facts["ansible_memtotal_mb"], "unit": "MiB"}
    assert "NA" not in host.attributes.values()
    loopback = entries["host:localhost/if:lo"]
    assert loopback.parent == "host:localhost" and "127.0.0.1/8" in loopback.attributes["ip_addresses"]
    assert {entry.class_ for entry in entries.values()} == {"linux_server", "network_interface", "file_system"}


@pytest.mark.parametrize("wrap", ["{}", "[{}]", '{{"web-1": {}}}'])
def test_a_fact_cache_and_facts_by_host(wrap: str) -> None:
    facts = wrap.format('{"ansible_facts": {"ansible_hostname": "web-1", "ansible_system": "Linux"}}')
    (host,) = read(facts, OPTIONS)
    assert isinstance(host, Entry) and host.key == "host:web-1"


def test_hosts_that_could_not_be_read_are_told() -> None:
    text = 'a | SUCCESS => {"ansible_facts": {"ansible_hostname": "a"}}\nb | UNREACHABLE! => {"msg": "no"}\n'
    entry, fault = read(text, OPTIONS)
    assert isinstance(entry, Entry) and isinstance(fault, Fault) and fault.column == "b"
    for text in ("x", "[1]", "{}", "[" * 100_000):
        assert all(isinstance(one, Fault) for one in read(text, OPTIONS))
