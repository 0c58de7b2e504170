"""Processes put together by what they are an instance of."""

from __future__ import annotations

from cmdb_agent.instances import Running
from cmdb_agent.observation import Process
from cmdb_agent.software import signatures


def process(pid: int, name: str, *command: str, parent: int = 1) -> Process:
    return Process(pid, name, command or (name,), "root", parent, uid=0)


def running(*processes: Process) -> Running:
    return Running(processes, signatures())


def test_workers_go_with_their_master_and_other_masters_stay_apart() -> None:
    told = running(
        process(10, "nginx"), process(11, "nginx", parent=10), process(12, "nginx", parent=11), process(20, "nginx")
    )
    assert [[one.pid for one in instance.processes] for instance in told.instances()] == [[10, 11, 12], [20]]


def test_a_cycle_of_parents_ends() -> None:
    told = running(process(10, "x", parent=11), process(11, "x", parent=10))
    assert sum(len(instance.processes) for instance in told.instances()) == 2


def test_shells_and_supervisors_are_no_applications() -> None:
    assert (
        running(
            process(1, "systemd", "/sbin/init"), process(5, "bash", "-bash"), process(6, "sleep", "sleep", "5")
        ).instances()
        == []
    )


def test_the_holder_of_a_socket_is_the_application_that_uses_it() -> None:
    told = running(process(1, "systemd", "/usr/lib/systemd/systemd"), process(10, "cupsd"), process(20, "psql"))
    assert told.holder([("systemd", 1), ("cupsd", 10)]) is told.by_pid[10]
    assert told.holder([]) is None
    gone = told.holder([("redis-server", 99)])
    assert gone is not None
    assert gone.name == "redis"


def test_keys_last() -> None:
    (instance,) = running(process(10, "shop", "/opt/shop/shop")).instances()
    assert (instance.key, instance.is_local) == ("shop", True)
    instance.listens = {("tcp", "::", 45000)}
    assert instance.key == "shop"
    instance.listens |= {("udp", "::", 53), ("tcp", "::", 8080)}
    assert instance.key == "shop:8080"


def test_who_called_a_tool() -> None:
    told = running(
        process(10, "shop"),
        process(11, "sh", "sh", "-c", "x", parent=10),
        process(12, "curl", parent=11),
        process(20, "cron"),
        process(21, "curl", parent=20),
    )
    assert told.caller(told.by_pid[12]) is told.by_pid[10]
    assert told.caller(told.by_pid[21]) is None
