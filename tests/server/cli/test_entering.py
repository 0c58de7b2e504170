"""What a person enters at the command line, as another person meets it."""

from __future__ import annotations

import json


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


def test_what_is_wrong_is_told(cmdb) -> None:
    assert cmdb("create", "spaceship", "x").code == 1
    assert cmdb("create", "server", "x", "--set", "cpu_count").code == 2
    assert cmdb("create", "server", "x", "--relate", "depends_on").code == 2
    assert cmdb("create", "server", "x", "--relate", "depends_on=nobody").code == 5
    assert cmdb("edit", "nobody", "--set", "cpu_count=1").code == 5
