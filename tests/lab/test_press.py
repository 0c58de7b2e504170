"""An estate of traps (``topology_press``): translated and unheld addresses, two addresses on one host, sshd on another
port. No address that only stands for something else may become a dependency on the wrong thing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.topology_press import GATE, PASSWORD, PUBLISHED, ROUTED, SECOND
from tests.lab_estate import Delivered, missing, raised
from tests.lab_scene import Graph, Scene, replayed, staged

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]

TOPOLOGY = Path(__file__).with_name("topology_press.py")
APACHE, NODE = "apache:8080", "nodejs:3000"


@dataclass(frozen=True)
class Press:
    scene: Scene
    before_gate: Graph
    graph: Graph
    second: list[Delivered]


def ways_in(folder: Path) -> dict[str, list[str]]:
    """How the agent gets at the hosts that are not to be had the usual way."""
    password = f"file:{folder / 'password'}"
    return {
        "store1": ["--password", password, "--sudo", "password", "--sudo-password", password],
        "mem1": ["--jump", f"ssh://{GATE}"],
    }


@pytest.fixture(scope="module")
def press(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Press]:
    """The gate, which alone knows what is behind its addresses, is read after all others; then all once more."""
    folder, options = tmp_path_factory.mktemp("press"), ("--net", "10.86", "--topology", str(TOPOLOGY))
    (folder / "password").write_text(PASSWORD)
    with raised("labp", *options) as estate, staged(estate, folder, **ways_in(folder)) as scene:
        hosts = list(estate.hosts)
        scene.ssh(*(host for host in hosts if host != "gate1"))
        scene.snmp(*hosts)
        before = scene.graph()
        scene.ssh("gate1")
        scene.scan(f"ssh://{SECOND}", options=["--pin", estate.hosts["front1"]["ssh"]["host_keys"][0]["key"]])
        yield Press(scene, before, scene.graph(), scene.ssh(*hosts))


def test_a_host_read_at_two_addresses_is_one(press: Press) -> None:
    assert {name: len(found) for name, found in press.graph.hosts.items()} == dict.fromkeys(press.scene.estate.hosts, 1)
    told = {(one["source"], one["target"]) for one in press.graph.host("front1")["sources"]}
    usual = press.scene.estate.address("front1")
    assert told == {("ssh", usual), ("ssh", SECOND), ("snmp", usual)}


def test_every_host_was_read_with_all_rights_whichever_way_it_was_reached(press: Press) -> None:
    for one in press.second:
        coverage = {covered["section"]: covered["status"] for covered in one.report["content"]["coverage"]}
        assert (coverage["applications"], coverage["dmi"]) == ("complete", "complete"), one.target
        assert one.report["errors"] == []


def test_every_listener_is_an_application_of_its_kind(press: Press) -> None:
    kinds = {
        "openssh": ("management_agent", "openssh"),
        "snmp": ("management_agent", "net-snmp"),
        "apache": ("web_server", "apache"),
        "nodejs": ("app_server", "nodejs"),
        "mariadb": ("database_instance", "mariadb"),
        "memcached": ("database_instance", "memcached"),
    }
    for host in press.scene.estate.truth["hosts"]:
        told = {
            (one["class"], one["attributes"]["product"], one["attributes"]["port"])
            for one in press.graph.applications(host["name"])
            if "listens" in one["attributes"]
        }
        assert told == {(*kinds[one["service"]], one["port"]) for one in host["listening"]}, host["name"]


def test_who_calls_a_translated_address_stands_on_what_is_behind_it_through_the_gate(press: Press) -> None:
    published, routed = ("gate1", f"{PUBLISHED}:80"), ("gate1", f"{ROUTED}:80")
    assert set(press.graph.dependencies) == {
        (("reader1", "reader"), published),
        (("reader1", "reader"), ("front1", APACHE)),
        (published, ("front1", APACHE)),
        (routed, ("front2", APACHE)),
        (("front1", APACHE), ("api1", NODE)),
        (("front2", APACHE), ("api1", NODE)),
        (("api1", NODE), ("store1", "mariadb:3306")),
        (("api1", NODE), ("mem1", "memcached:11211")),
    }


def test_an_address_that_nobody_holds_stays_an_open_end(press: Press) -> None:
    assert press.graph.open_ends == {("reader1", "reader", f"address:lab|{ROUTED}", 80)}


def test_before_the_gate_was_read_its_addresses_led_to_nobody_behind_it(press: Press) -> None:
    """SNMP tells that gate1 holds one of them, and nobody's listener is guessed for it."""
    reader = {far for near, far in press.before_gate.dependencies if near == ("reader1", "reader")}
    assert reader == {("front1", APACHE), ("gate1", "")}


def test_what_is_behind_the_gate_takes_its_caller_down(press: Press) -> None:
    """Through the published address alone: front1's own address is called as well."""
    answer = press.scene.get("/impact", failed=press.graph.host("gate1")["id"], limit=1000)
    down = {press.graph.label(one["ci"]["id"]) for one in answer["cis"]}
    assert ("reader1", "reader") in down
    assert not {("front1", APACHE), ("front2", APACHE), ("api1", NODE)} & down


def test_all_of_it_is_unchanged_when_it_is_read_again(press: Press) -> None:
    first = {one.target: one for one in press.scene.recorder.kept if one not in press.second}
    for one in press.second:
        assert one.ack["unchanged"], _moved(first[one.target], one)


@pytest.mark.parametrize("seed", range(3))
def test_the_reports_in_another_order_give_the_same_graph(press: Press, tmp_path: Path, seed: int) -> None:
    here, there = replayed(press.scene, tmp_path, seed)
    assert here == there


def _moved(one: Delivered, other: Delivered) -> object:
    [before], [after] = (each.report["content"]["observations"] for each in (one, other))
    return {name: (before.get(name), after.get(name)) for name in before | after if before.get(name) != after.get(name)}
