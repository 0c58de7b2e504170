"""A shop in the lab, read over SSH and SNMP by the agent's own command and told to a real server: is the graph what the
lab says is there?

The traps: both web servers have one machine-id, placeholder serial numbers and MAC addresses of QEMU; on the job host
the agent has no rights; one client lives for a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lab_estate import Delivered, missing, raised
from tests.lab_scene import Graph, Scene, replayed, staged

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]

UNPRIVILEGED = "job1"
SHARED = ("machine_id", "serial_number", "manufacturer", "model_number")
KINDS = {
    "openssh": ("management_agent", "openssh"),
    "snmp": ("management_agent", "net-snmp"),
    "haproxy": ("proxy", "haproxy"),
    "nginx": ("web_server", "nginx"),
    "gunicorn": ("app_server", "gunicorn"),
    "postgresql": ("database_instance", "postgresql"),
    "redis": ("database_instance", "redis"),
}
"""What the lab calls a service -> class and product."""


@dataclass(frozen=True)
class Shop:
    """``rounds``: what was delivered in each of the scans of everything. ``graph``: after the last of them."""

    scene: Scene
    rounds: list[list[Delivered]]
    graph: Graph

    @property
    def truth(self) -> dict[str, Any]:
        return self.scene.estate.truth


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder, without_rights = tmp_path_factory.mktemp("shop"), {UNPRIVILEGED: ["--sudo", "none"]}
    with (
        raised("labt", "--net", "10.85", "--tiers", "db=2") as estate,
        staged(estate, folder, **without_rights) as scene,
    ):
        rounds = [scene.scan_all() for _ in range(3)]
        yield Shop(scene, rounds, scene.graph())


def test_every_host_is_one_ci_that_both_sources_saw(shop: Shop) -> None:
    seen = {name: [sorted(s["source"] for s in ci["sources"]) for ci in cis] for name, cis in shop.graph.hosts.items()}
    assert seen == {host["name"]: [["snmp", "ssh"]] for host in shop.truth["hosts"]}


def test_clones_are_two_hosts_in_spite_of_all_that_they_share(shop: Shop) -> None:
    one, other = (shop.graph.host(name) for name in ("web1", "web2"))
    assert one["id"] != other["id"]
    assert [name for name in SHARED if one["attributes"][name] != other["attributes"][name]] == []


@pytest.mark.parametrize("part", ["names", "system", "hardware", "interfaces", "file systems", "packages"])
def test_hosts_are_as_the_truth_says(shop: Shop, part: str) -> None:
    for host in shop.truth["hosts"]:
        told, wanted = _told(shop, host, part), _wanted(host, part)
        assert told == wanted, host["name"]


def _told(shop: Shop, host: dict[str, Any], part: str) -> Any:
    ci = shop.graph.host(host["name"])
    attributes = ci["attributes"]
    match part:
        case "names":
            return attributes["name"], attributes["fqdn"], attributes["machine_id"]
        case "system":
            return attributes["os_id"], attributes["os_version"], attributes["os_description"]
        case "hardware":
            return tuple(attributes.get(n) for n in ("manufacturer", "model_number", "serial_number", "machine_uuid"))
        case "interfaces":
            cards = [one["attributes"] for one in shop.graph.parts(host["name"], "network_interface")]
            return {c["name"]: (c["mac_address"], c["prefixes"]) for c in cards if c["name"] != "lo"}
        case "file systems":
            there = [one["attributes"] for one in shop.graph.parts(host["name"], "file_system")]
            paths = {one["path"] for one in host["filesystems"]}
            return {one["mount_point"]: one["fs_type"] for one in there if one["mount_point"] in paths}
        case _:
            installed = [one["other"] for one in ci["relations"] if one["type"] == "installs"]
            return {(_package(shop, id_)["name"], _package(shop, id_)["version"]) for id_ in installed}


def _package(shop: Shop, id_: str) -> dict[str, Any]:
    if id_ not in shop.graph.cis:
        shop.graph.cis[id_] = shop.scene.get(f"/cis/{id_}")
    found: dict[str, Any] = shop.graph.cis[id_]["attributes"]
    return found


def _wanted(host: dict[str, Any], part: str) -> Any:
    dmi, system = host["dmi"], host["os"]
    match part:
        case "names":
            return host["name"], host["fqdn"], host["machine_id"]
        case "system":
            return system["id"], system["version_id"], system["pretty_name"]
        case "hardware":
            readable = host["name"] != UNPRIVILEGED
            return dmi["manufacturer"], dmi["product"], *((dmi["serial"], dmi["uuid"]) if readable else (None, None))
        case "interfaces":
            return {i["name"]: (i["mac"], [f"{i['ipv4']}/{i['prefix']}"]) for i in host["interfaces"]}
        case "file systems":
            return {one["path"]: one["fstype"] for one in host["filesystems"]}
        case _:
            return {(one["name"], one["version"]) for one in host["packages"]}


def test_every_listener_is_an_application_of_its_kind_and_nothing_else_listens(shop: Shop) -> None:
    for host in shop.truth["hosts"]:
        told = {
            (one["class"], one["attributes"]["product"], process, protocol, int(address.rpartition(":")[2]))
            for one in shop.graph.applications(host["name"])
            for listens in one["attributes"].get("listens", [])
            for protocol, _, address in [listens.partition(":")]
            for process in one["attributes"]["process_names"]
        }
        wanted = {(*KINDS[one["service"]], one["process"], one["proto"], one["port"]) for one in host["listening"]}
        assert told == wanted, host["name"]


def test_dependencies_are_those_of_the_truth_and_no_others(shop: Shop) -> None:
    """With that, none of the scanner's sessions, of the sockets within one application, or of hosts as such."""
    wanted = {
        ((one["from"], one["from_process"]), (one["to"], one["to_process"]))
        for one in shop.truth["dependencies"]
        if one["persistent"]
    }
    told = {
        ((near[0], _process(shop, *near)), (far[0], _process(shop, *far)))
        for (near, far), relation in shop.graph.dependencies.items()
        if not relation["transient"]
    }
    assert told == wanted
    assert shop.graph.open_ends == set()


def _process(shop: Shop, host: str, application: str) -> str:
    [found] = [one for one in shop.graph.applications(host) if one["name"] == application]
    [process] = found["attributes"]["process_names"]
    return str(process)


def test_a_client_that_lives_for_a_second_is_a_job_that_passes_by(shop: Shop) -> None:
    passing = {pair: one for pair, one in shop.graph.dependencies.items() if one["transient"]}
    assert list(passing) == [(("job1", "nightly-report"), ("db2", "postgresql:5432"))]
    [job] = shop.graph.parts("job1", "scheduled_job")
    assert job["attributes"]["config_paths"] == ["/etc/cron.d/nightly-report"]


def test_what_cannot_be_seen_without_rights_is_said_to_be_partial(shop: Shop) -> None:
    for one in shop.rounds[-1]:
        if one.target[0] == "ssh":
            coverage = {c["section"]: c["status"] for c in one.report["content"]["coverage"]}
            unprivileged = one.target[1] == shop.scene.estate.address(UNPRIVILEGED)
            expected = "partial" if unprivileged else "complete"
            assert {coverage[name] for name in ("listeners", "connections", "applications")} == {expected}


def test_an_unchanged_host_is_acknowledged_as_unchanged(shop: Shop) -> None:
    """But for the database that the passing client calls, which tells of it while it is there."""
    before = {one.target: one for one in shop.rounds[0]}
    passed = ("ssh", shop.scene.estate.address("db2"))
    for one in [one for some in shop.rounds[1:] for one in some]:
        if not one.ack["unchanged"]:
            assert one.target == passed, _difference(before[one.target], one)
            assert _difference(before[one.target], one) == {"relations"}
        before[one.target] = one


def _difference(one: Delivered, other: Delivered) -> set[str]:
    """The parts of the only observation that differ."""
    [before], [after] = (each.report["content"]["observations"] for each in (one, other))
    return {name for name in before | after if before.get(name) != after.get(name)}


def test_a_web_server_that_fails_costs_the_pool_its_redundancy_and_nothing_else(shop: Shop) -> None:
    answer = shop.scene.get("/impact", failed=shop.graph.host("web1")["id"])
    [balancer] = shop.graph.parts("lb1", "proxy")
    [lost] = [one for one in answer["redundancy_lost"] if one["ci"]["id"] == balancer["id"]]
    assert (lost["gate"]["over"], lost["gate"]["text"]) == ("farm", "1 of 2 serving, needs 1")
    [left] = lost["holding"]
    assert shop.graph.label(left["id"]) == ("web2", "nginx:8080")
    assert {shop.graph.label(one["ci"]["id"])[0] for one in answer["cis"]} == {"web1"}


def test_a_database_that_fails_takes_down_all_that_stands_on_it(shop: Shop) -> None:
    answer = shop.scene.get("/impact", failed=shop.graph.host("db1")["id"], limit=1000)
    down = {one["ci"]["id"]: one for one in answer["cis"] if one["state"] == "down"}
    stands = {shop.graph.label(id_) for id_ in down}
    chain = [("mon1", "synthmon"), ("lb1", "haproxy:80"), ("web1", "nginx:8080"), ("app1", "gunicorn:8000")]
    assert {*chain, ("web2", "nginx:8080"), ("app2", "gunicorn:8000"), ("job1", "orderworker")} <= stands
    assert not {("cache1", "redis:6379"), ("web1", ""), ("lb1", "openssh:22")} & stands
    [probe] = shop.graph.parts("mon1", "application")
    way = [shop.graph.label(step["ci"]["id"]) for step in down[probe["id"]]["path"]]
    assert way[:2] == [("db1", ""), ("db1", "postgresql:5432")]
    assert [label for label, _ in way[2:]] in ([f"app{a}", f"web{w}", "lb1", "mon1"] for a in "12" for w in "12")


@pytest.mark.parametrize("seed", range(3))
def test_the_reports_in_another_order_give_the_same_graph(shop: Shop, tmp_path: Path, seed: int) -> None:
    here, there = replayed(shop.scene, tmp_path, seed)
    assert here == there
