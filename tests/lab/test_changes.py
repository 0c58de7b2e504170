"""What happens to hosts after they were read: a service stops, a host key is another, a host dies; and in which order one is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab_estate import Delivered, missing, raised
from tests.lab_scene import Graph, Scene, replayed, staged

pytestmark = [pytest.mark.lab, pytest.mark.skipif(bool(missing()), reason=missing())]

START_REDIS = (
    "cd /var/lib/redis && setpriv --reuid redis --regid redis --init-groups redis-server --port 6379 --bind 0.0.0.0 "
    "--protected-mode no --daemonize yes --save '' --logfile /tmp/redis.log"
)
ANOTHER_KEY = "cd /etc/ssh && rm ssh_host_*_key* && ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key"


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Every host was read once. Each test changes hosts of its own."""
    tiers = "lb=1,web=2,app=2,db=1,cache=1,job=0,mon=1"
    folder = tmp_path_factory.mktemp("changes")
    with raised("labc", "--net", "10.87", "--tiers", tiers) as estate, staged(estate, folder) as scene:
        scene.scan_all()
        yield scene


def failures(delivered: list[Delivered]) -> list[tuple[str, set[str]]]:
    """Per report the kinds of its errors and the states of what it covers."""
    return [
        (one.report["errors"][0]["kind"], {covered["status"] for covered in one.report["content"]["coverage"]})
        for one in delivered
    ]


def presence(graph: Graph, host: str) -> dict[str, object]:
    """Whatever is told of a host but when, and its samples."""
    ci = graph.host(host)
    parts = sorted((part["class"], part["name"], part["life"]) for part in ci["components"])
    ended = [(source["source"], source["ended_at"]) for source in ci["sources"]]
    relations = sorted((one["type"], one["other"]) for one in ci["relations"])
    return {"life": ci["life"], "parts": parts, "ended": ended, "relations": relations}


def test_a_service_that_was_stopped_has_ended_and_comes_back_as_itself(read: Scene) -> None:
    before = read.graph()
    [redis] = before.parts("cache1", "database_instance")
    assert redis["life"] == "current"
    read.estate.run("cache1", "pkill", "redis-server")
    [stopped] = read.ssh("cache1")
    assert not stopped.ack["unchanged"]
    ended = read.get(f"/cis/{redis['id']}")
    assert [source["ended_at"] is not None for source in ended["sources"]] == [True]
    assert ended["life"] != "current"
    read.estate.run("cache1", "sh", "-c", START_REDIS)
    read.ssh("cache1")
    again = read.get(f"/cis/{redis['id']}")
    assert (again["life"], again["sources"][0]["ended_at"]) == ("current", None)


def test_another_host_key_is_a_failed_scan_that_ends_nothing(read: Scene) -> None:
    before = presence(read.graph(), "web2")
    read.estate.run("web2", "sh", "-c", ANOTHER_KEY)
    read.estate.run("web2", "pkill", "-HUP", "-o", "sshd")
    assert failures(read.ssh("web2")) == [("host-key", {"failed"})]
    assert presence(read.graph(), "web2") == before


def test_a_host_that_died_fails_to_be_read_and_is_not_forgotten(read: Scene) -> None:
    before = presence(read.graph(), "app2")
    read.estate.kill("app2")
    told = failures([*read.ssh("app2"), *read.snmp("app2")])
    assert [kind in ("timeout", "unreachable", "refused", "connect") for kind, _ in told] == [True, True], told
    assert [statuses for _, statuses in told] == [{"failed"}, {"failed"}]
    assert presence(read.graph(), "app2") == before


def test_who_called_the_dead_still_stands_on_it(read: Scene) -> None:
    """The web server's configuration names it, whether it answers or not."""
    read.ssh("web1")
    assert (("web1", "nginx:8080"), ("app2", "gunicorn:8000")) in read.graph().dependencies


@pytest.mark.parametrize("seed", range(3))
def test_the_reports_in_another_order_give_the_same_graph(read: Scene, tmp_path: Path, seed: int) -> None:
    here, there = replayed(read, tmp_path, seed)
    assert here == there
