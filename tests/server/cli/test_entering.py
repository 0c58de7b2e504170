"""What a person enters at the command line, as another person meets it."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from cmdb_server.api.context import now_ms
from tests.factories import host, report
from tests.serving import Served


def test_a_ci_is_created_edited_and_retired_by_hand(cmdb) -> None:
    assert cmdb("create", "server", "db-1").code == 0
    made = cmdb(
        "create", "server", "web-1", "--set", "cpu_count=4", "--set", "role=shop", "--relate", "depends_on=db-1"
    )
    assert made.code == 0 and "cpu_count: 4" in made.out and "server db-1" in made.out, made.err
    shown = json.loads(cmdb("show", "web-1", "--json").out)
    edited = cmdb("edit", "web-1", "--set", "cpu_count=8", "--unset", "role", "--revision", str(shown["revision"]))
    assert edited.code == 0 and "cpu_count: 8" in edited.out and "role" not in edited.out, edited.err
    assert "server db-1" in edited.out, "relations are left as they are"
    late = cmdb("edit", "web-1", "--set", "cpu_count=9", "--revision", str(shown["revision"]))
    assert late.code == 1 and "is at revision" in late.err
    apart = cmdb("edit", "web-1", "--name", "web-9", "--unrelate")
    assert apart.code == 0 and "db-1" not in apart.out and "web-9" in apart.out
    revision = json.loads(cmdb("show", "web-9", "--json").out)["revision"]
    late = cmdb("decide", "delete", "web-9", "--reason", "sold", "--revision", str(revision - 1))
    assert late.code == 1 and "is at revision" in late.err
    assert cmdb("decide", "delete", "web-9", "--reason", "sold", "--revision", str(revision)).code == 0
    assert json.loads(cmdb("list", "--life", "retired", "--json").out)[0]["name"] == "web-9"
    assert "web-9" not in cmdb("list").out
    assert json.loads(cmdb("show", "web-9", "--json").out)["life"] == "retired", "who names it is told"


def test_an_address_is_one_and_is_told_in_one_spelling(cmdb) -> None:
    made = cmdb("create", "server", "web-1", "--set", "ip_address=2001:DB8:0::7")
    assert made.code == 0 and "ip_address: 2001:db8::7" in made.out, made.err
    for wrong in (("create", "server", "web-2"), ("edit", "web-1")):
        refused = cmdb(*wrong, "--set", "ip_address=not-an-ip")
        assert refused.code == 1 and "ip_address" in refused.err and "not-an-ip" in refused.err
    ci = json.loads(cmdb("show", "web-1", "--json").out)["id"]
    assert cmdb("decide", "pin", ci, "ip_address", "FE80::1%eth0", "--reason", "x").code == 0
    assert json.loads(cmdb("show", ci, "--json").out)["attributes"]["ip_address"] == "fe80::1%eth0"
    assert cmdb("decide", "pin", ci, "ip_address", "nowhere", "--reason", "x").code == 1


GATES = {
    '{"kind": "at_least"}': "at_least takes k or percent",
    '{"depends_on": {"kind": "at_least", "k": "2"}}': "depends_on: k must be a whole number, 0 or more",
    '{"depends_upon": {"kind": "all"}}': "depends_upon: failure follows no relation type of that name; did you mean depends_on?",
    "one of them": "must be a gate, or gates by relation type",
}


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_that_is_none_is_told_alike_wherever_it_is_said(cmdb, server: Served, tmp_path: Path, gate: str) -> None:
    gated = json.loads(cmdb("create", "load_balancer", "gated", "--json").out)["id"]
    fault, value = f"gate: {GATES[gate]}", json.loads(gate) if gate.startswith("{") else gate
    (tmp_path / "gates.csv").write_text('class,name,gate\nload_balancer,other,"' + gate.replace('"', '""') + '"\n')
    for said in (("create", "server", "x", "--set", f"gate={gate}"), ("edit", gated, "--set", f"gate={gate}"),
                 ("import", "gates.csv", "--name", "gates")):  # fmt: skip
        refused = cmdb(*said)
        assert refused.code == 1 and fault in refused.out + refused.err and "observations" not in refused.err, said
    bearer = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    body = report("gates", now_ms(), [host("web-1", "10.0.0.1", gate=value)])
    answer = httpx.post(f"{server.url}/api/v1/reports", content=body, headers=bearer)
    (told,) = answer.json()["errors"]
    assert told == {"path": "content.observations[0].attributes.gate", "message": GATES[gate]}


def test_gates_by_relation_type_are_entered_and_count(cmdb) -> None:
    for name in ("node-1", "node-2"):
        assert cmdb("create", "server", name).code == 0
    gate = 'gate={"depends_on": {"kind": "at_least", "k": 1}}'
    both = ("--relate", "depends_on=node-1", "--relate", "depends_on=node-2")
    made = cmdb("create", "application_service", "either", *both, "--set", gate)
    assert made.code == 0, made.err
    assert json.loads(cmdb("impact", "node-1", "--json").out)["services"] == []
    assert len(json.loads(cmdb("impact", "node-1", "node-2", "--json").out)["services"]) == 1
    assert (
        cmdb("edit", "either", "--set", gate.replace("depends_on", "depends_on/server").replace("1}", "2}")).code == 0
    )
    assert len(json.loads(cmdb("impact", "node-1", "--json").out)["services"]) == 1


def test_a_value_is_read_by_its_attributes_type(cmdb) -> None:
    said = ("--set", "os_version=12", "--set", "serial_number=true", "--set", 'os_name="Plan 9"', "--set", "role=[1]")
    made = cmdb("create", "server", "typed-1", *said, "--set", "cpu_count=4", "--set", 'ip_addresses=["10.0.0.7"]')
    assert made.code == 0, made.err
    told = json.loads(cmdb("show", "typed-1", "--json").out)["attributes"]
    expected = {"os_version": "12", "serial_number": "true", "os_name": "Plan 9", "role": "[1]", "cpu_count": 4,
                "ip_addresses": ["10.0.0.7"]}  # fmt: skip
    assert {name: told[name] for name in expected} == expected
    assert cmdb("edit", "typed-1", "--set", "os_version=13").code == 0
    assert cmdb("decide", "pin", "typed-1", "os_name", "9", "--reason", "x").code == 0
    told = json.loads(cmdb("show", "typed-1", "--json").out)["attributes"]
    assert (told["os_version"], told["os_name"]) == ("13", "9")
    for wrong in ("cpu_count=many", "cpu_count=true", "ip_addresses=10.0.0.7", "nonsense=1"):
        for command in (("create", "server", "typed-2"), ("edit", "typed-1")):
            refused = cmdb(*command, "--set", wrong)
            assert refused.code == 1 and wrong.partition("=")[0] in refused.err, (wrong, refused)
    assert cmdb("decide", "pin", "typed-1", "cpu_count", "many", "--reason", "x").code == 1


def test_what_is_wrong_is_told(cmdb) -> None:
    assert cmdb("create", "spaceship", "x").code == 1
    assert cmdb("create", "server", "x", "--set", "cpu_count").code == 2
    assert cmdb("create", "server", "x", "--relate", "depends_on").code == 2
    assert cmdb("create", "server", "x", "--relate", "depends_on=nobody").code == 5
    assert cmdb("edit", "nobody", "--set", "cpu_count=1").code == 5
