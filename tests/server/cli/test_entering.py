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


def test_what_is_wrong_is_told(cmdb) -> None:
    assert cmdb("create", "spaceship", "x").code == 1
    assert cmdb("create", "server", "x", "--set", "cpu_count").code == 2
    assert cmdb("create", "server", "x", "--relate", "depends_on").code == 2
    assert cmdb("create", "server", "x", "--relate", "depends_on=nobody").code == 5
    assert cmdb("edit", "nobody", "--set", "cpu_count=1").code == 5
