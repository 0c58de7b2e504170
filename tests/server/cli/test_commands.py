from __future__ import annotations

import json
import stat
from pathlib import Path

import httpx
import pytest

from cmdb_server.api.context import now_ms
from cmdb_server.practices.audit import Wanted, acts
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import host, report
from tests.serving import Served


@pytest.fixture(scope="module")
def estate(server: Served) -> None:
    hosts = [
        host("web-1", "10.0.0.1", listens=[80], uses=[("10.0.0.3", 5432)]),
        host("db-1", "10.0.0.3", listens=[5432], os_name="[bold]Debian[/bold]\x1b[2J"),
    ]
    bearer = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    answer = httpx.post(f"{server.url}/api/v1/reports", content=report("r1", now_ms(), hosts), headers=bearer)
    assert answer.status_code == 200, answer.text


def test_tokens_are_made_used_listed_and_revoked(cmdb) -> None:
    made = cmdb("token", "create", "ann", "--role", "reader")
    assert made.code == 0, made.err
    text = made.out.splitlines()[0].strip()
    assert cmdb("list", CMDB_TOKEN=text).code == 0
    assert cmdb("token", "list", CMDB_TOKEN=text).code == 4
    prefix = text.split("_")[1]
    assert prefix in cmdb("token", "list").out
    assert text not in cmdb("token", "list", "--json").out
    assert cmdb("token", "revoke", prefix).code == 0
    assert cmdb("list", CMDB_TOKEN=text).code == 4
    assert cmdb("token", "revoke", "unknown").code == 5


def test_the_first_token_is_made_in_the_store_and_only_once(cmdb, tmp_path: Path) -> None:
    lost = cmdb("token", "bootstrap", "--to", "nowhere/token")
    assert lost.code == 2 and "nowhere/token" in lost.err
    assert cmdb("token", "bootstrap", "--to", "token").code == 0
    (line,) = acts(SqliteStore(tmp_path / "own.db"), Wanted()).items
    assert (line.action, line.thing, line.role) == ("tokens.bootstrap", "admin", "admin")
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    again = cmdb("token", "bootstrap")
    assert again.code == 1 and "already" in again.err and "cmdb_" not in again.out


def test_an_enrolment_code_buys_a_token(cmdb, server: Served) -> None:
    told = json.loads(cmdb("enrol-code", "agent-7", "--site", "lab", "--network", "10.0.0.0/8", "--json").out)
    bought = httpx.post(f"{server.url}/api/v1/enrol", json={"code": told["code"], "agent": "agent-7"})
    assert bought.json()["grant"] == {
        "agent": "agent-7",
        "sites": ["lab"],
        "sources": ["*"],
        "networks": ["10.0.0.0/8"],
    }


@pytest.mark.usefixtures("estate")
def test_who_sees_a_part_is_shown_a_part(cmdb) -> None:
    made = cmdb("token", "create", "bob", "--role", "reader", "--sees", '!name.startsWith("db")')
    text = made.out.splitlines()[0].strip()
    assert made.code == 0 and "startsWith" in made.out and "startsWith" in cmdb("token", "list").out
    shown = cmdb("show", "web-1", CMDB_TOKEN=text)
    assert shown.code == 0 and "10.0.0.1/24" in shown.out, shown.err
    for asked in (
        ("show", "web-1"), ("list",), ("search", "db"), ("search", "10.0.0"), ("health",), ("changes",), ("list", "--json"),
        ("explain", "web-1"), ("timeline", "web-1"), ("requires", "web-1"), ("impact", "web-1", "--format", "html"),
        ("export", "--format", "csv"), ("export", "--format", "graphml"), ("spof", "web-1"),
    ):  # fmt: skip
        done = cmdb(*asked, CMDB_TOKEN=text)
        assert done.code == 0, (asked, done.err)
        assert "db-1" not in done.out and "10.0.0.3" not in done.out, asked
    assert cmdb("show", "db-1", CMDB_TOKEN=text).code == 5 and cmdb("show", "db-1").code == 0
    assert cmdb("token", "create", "eve", "--role", "reader", "--sees", "nonsense").code == 1


@pytest.mark.usefixtures("estate")
def test_a_ci_is_shown_as_a_tree_by_name_and_by_id(cmdb) -> None:
    shown = cmdb("show", "web-1")
    assert shown.code == 0, shown.err
    for text in ("server web-1", "components", "eth0", "10.0.0.1/24", "web_server", "seen by", "agent-1"):
        assert text in shown.out
    id_ = json.loads(cmdb("show", "web-1", "--json").out)["id"]
    assert cmdb("show", id_).out == shown.out


@pytest.mark.usefixtures("estate")
def test_what_hosts_say_cannot_steer_the_terminal(cmdb) -> None:
    shown = cmdb("show", "db-1").out
    assert "[bold]Debian[/bold]\\x1b[2J" in shown and "\x1b" not in shown


@pytest.mark.usefixtures("estate")
def test_lists_and_searches(cmdb) -> None:
    listed = json.loads(cmdb("list", "--class", "computer", "--json").out)
    assert sorted(ci["name"] for ci in listed) == ["db-1", "web-1"]
    assert "db-1" in cmdb("list", "--attribute", "name=db-1").out
    assert "web-1" not in cmdb("list", "--attribute", "name=db-1").out
    assert "web-1" in cmdb("search", "10.0.0.1").out
    assert cmdb("list", "--limit", "1", "--json").out.count('"id"') == 1


@pytest.mark.usefixtures("estate")
def test_impact_tells_states_paths_and_arithmetic(cmdb) -> None:
    told = cmdb("impact", "db-1")
    assert told.code == 0, told.err
    assert "if server db-1 fails" in told.out
    assert "down" in told.out and "0 of 1 serving, needs 1" in told.out
    assert json.loads(cmdb("impact", "db-1", "--json").out)["counts"]["by_state"]["down"] >= 2


@pytest.mark.usefixtures("estate")
def test_explain_names_the_source_of_a_value(cmdb) -> None:
    told = cmdb("explain", "web-1", "--attribute", "name")
    assert told.code == 0, told.err
    assert "name: web-1 (only)" in told.out and "ssh" in told.out and "agent-1" in told.out


def test_a_dump_is_loaded_into_an_empty_store_alone(cmdb, server: Served, tmp_path: Path) -> None:
    dumped = cmdb("dump", "dump.json", CMDB_STORE=f"sqlite://{server.store}")
    assert dumped.code == 0, dumped.err
    loaded = cmdb("load", "dump.json")
    assert (loaded.code, loaded.out) == (0, dumped.out)
    assert cmdb("load", "dump.json").code == 1
    assert cmdb("load", "absent.json").code == 5
    assert [path.name for path in tmp_path.glob("*.part")] == []


@pytest.mark.parametrize(
    ("arguments", "environment", "code"),
    [
        (("show", "nobody"), {}, 5),
        (("show", "00000000-0000-0000-0000-000000000000"), {}, 5),
        (("list",), {"CMDB_SERVER": "http://127.0.0.1:1"}, 3),
        (("list",), {"CMDB_SERVER": "http://example.invalid"}, 2),
        (("list",), {"CMDB_SERVER": "gopher://x"}, 2),
        (("list",), {"CMDB_TOKEN": "wrong"}, 4),
        (("list", "--token-ref", "env:ABSENT"), {}, 4),
        (("list", "--class", "teapot"), {}, 1),
        (("serve",), {"CMDB_BIND": "nonsense"}, 2),
        (("serve", "--bind", "0.0.0.0:0"), {}, 2),
        (("serve",), {"CMDB_STORE": "postgres://x"}, 2),
        (("unknown",), {}, 2),
    ],
)
def test_exit_codes(cmdb, arguments: tuple[str, ...], environment: dict[str, str], code: int) -> None:
    ran = cmdb(*arguments, **environment)
    assert ran.code == code, ran.err
    assert ran.err and "Traceback" not in ran.err
