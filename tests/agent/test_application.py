"""An application as it is told."""

from __future__ import annotations

from cmdb_agent.application import Application, Claim, as_component, relations_of, used_by
from cmdb_agent.instances import Instance
from cmdb_agent.observation import End, Process
from cmdb_agent.scheduled_jobs import Job


def test_a_claim_keeps_the_best_that_is_known_of_it() -> None:
    claim = Claim()
    claim.add("seen", 0.6, lasting=False)
    claim.add("named in /etc/x", 0.8, lasting=True, group="b", section="configuration")
    claim.add("seen", 0.9, lasting=False, group="a")
    told = list(relations_of(End(ref="x"), End(address="10.0.0.9", port=1, protocol="tcp"), claim))
    assert [(one.group, one.confidence, one.transient, one.section) for one in told] == [
        ("a", 0.9, False, "configuration"),
        ("b", 0.9, False, "configuration"),
    ]
    assert told[0].evidence == "named in /etc/x; seen"


def test_sections_say_whose_completeness_decides() -> None:
    listens = Application("x:1", "application", [Instance("x", listens={("tcp", "::", 1)})])
    client = Application("x", "application", [Instance("x")])
    local = Application("x", "application", [Instance("x", processes=[Process(5, "x", ("/opt/x/x",), parent=1)])])
    job = Application("x", "scheduled_job", job=Job("x", "@daily", "root", "x", "/etc/crontab", ()))
    assert [one.section for one in (listens, client, local, job)] == ["listeners", "connections", "processes", "cron"]
    assert [one.matters for one in (listens, client, local, job)] == [True, False, True, True]
    client.need(("10.0.0.9", 1)).add("seen", 0.5, lasting=True)
    assert client.matters
    assert as_component(job, {}).attributes["schedule"] == "@daily"


def test_clients_are_told_up_to_a_number() -> None:
    busy = Application("x:1", "application")
    for number in range(256):
        busy.clients[f"10.0.{number}.1"] = Claim()
    assert len(list(used_by(busy))) == 256
    busy.clients["10.1.0.1"] = Claim()
    assert list(used_by(busy)) == []
