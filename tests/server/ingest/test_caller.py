"""What a token allows an agent to speak of."""

from __future__ import annotations

import msgspec
import pytest

from cmdb_schemas.report import End, Observation, Relation, Report
from cmdb_server.errors import Forbidden
from cmdb_server.ingest.caller import Caller, Grant, check_address, check_observation, check_scope
from tests.estate import Estate
from tests.factories import START, host, report

GRANT = Grant("agent-1", ("lab", "hq"), ("ssh", "snmp"), ("10.0.0.0/16", "2001:db8::/32", "vcenter-1"))
CALLER = Caller("agent-1", "agent", GRANT)


def told(**changes: object) -> Report:
    return msgspec.json.decode(report("r", START, [], **{"target": "10.0.3.0/24", **changes}), type=Report)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "target",
    [
        "10.0.0.0/16", "10.0.7.0/24", "10.0.7.9", "2001:db8:1::/48", "vcenter-1", "local:agent-1", "10.0.7.9:2222",
        "2001:db8::7", "[2001:db8::7]:2222", "[2001:db8::7]", "vcenter-1:8443",
    ],
)  # fmt: skip
def test_what_is_granted_passes(target: str) -> None:
    check_scope(CALLER, told(target=target))


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"agent": "agent-2"}, "agent"),
        ({"site": "moon"}, "site"),
        ({"site": "*"}, "site"),
        ({"source": "manual"}, "source"),
        ({"source": "SSH"}, "source"),
        ({"target": "10.0.0.0/15"}, "scope.target"),
        ({"target": "10.1.0.1"}, "scope.target"),
        ({"target": "0.0.0.0/0"}, "scope.target"),
        ({"target": "::/0"}, "scope.target"),
        ({"target": "vcenter-2"}, "scope.target"),
        ({"target": "10.0.0.1/16 "}, "scope.target"),
        ({"target": "local:agent-2"}, "scope.target"),
        ({"target": "local:"}, "scope.target"),
        ({"target": "10.1.0.1:2222"}, "scope.target"),
        ({"target": "[::1]:2222"}, "scope.target"),
        ({"target": "[10.0.0.1]:22:22"}, "scope.target"),
        ({"target": "10.0.0.1:"}, "scope.target"),
        ({"target": "10.0.0.1:x"}, "scope.target"),
        ({"target": "[10.0.0.1"}, "scope.target"),
        ({"target": "vcenter-2:8443"}, "scope.target"),
    ],
)
def test_what_is_not_granted_is_named(changes: dict[str, str], path: str) -> None:
    with pytest.raises(Forbidden, match=f"^{path}:"):
        check_scope(CALLER, told(**changes))


def test_a_person_is_bound_by_their_role_alone() -> None:
    check_scope(Caller("ann", "admin"), told(agent="any", site="any", target="0.0.0.0/0"))


def test_without_networks_no_address_is_refused() -> None:
    open_ = Grant("agent-1")
    check_scope(Caller("agent-1", "agent", open_), told(target="192.0.2.0/24", site="x", source="y"))
    check_address(open_, "anything", "p")


@pytest.mark.parametrize("source", ["manual", "import:assets"])
def test_any_source_is_none_by_which_people_speak(source: str) -> None:
    """What people enter counts before what is discovered, for some attributes, and does not go stale."""
    with pytest.raises(Forbidden, match=f"^source: '{source}' is not granted to 'agent-1'"):
        check_scope(Caller("agent-1", "agent", Grant("agent-1")), told(source=source))
    check_scope(Caller("agent-1", "agent", Grant("agent-1", sources=("*", source))), told(source=source))


def test_an_observation_stays_within_the_networks_and_names_no_ci() -> None:
    check_observation(GRANT, host("a", "10.0.0.1"), "o")
    with pytest.raises(Forbidden, match=r"^o\.address:"):
        check_observation(GRANT, host("a", "192.168.0.1"), "o")
    for relation in (
        Relation("depends_on", End(ci="x")),
        Relation("depends_on", End(ref=""), from_=End(ci="x")),
    ):
        seen = Observation("a", "server", relations=[relation])
        with pytest.raises(Forbidden, match=r"^o\.relations\[0\]"):
            check_observation(GRANT, seen, "o")


@pytest.mark.parametrize("changes", [{"agent": "agent-2"}, {"target": "192.168.0.0/24"}, {"site": "moon"}])
def test_outside_of_the_grant_nothing_is_stored(estate: Estate, changes: dict[str, str]) -> None:
    estate.tell(0, host("a", "10.0.0.1"))
    before = (estate.digest(), estate.store.revision())
    with pytest.raises(Forbidden):
        estate.tell(1, caller=CALLER, **{"target": "10.0.0.0/24", **changes})
    with pytest.raises(Forbidden):
        estate.tell(1, host("b", "192.168.0.1"), caller=CALLER, target="10.0.0.0/24")
    assert (estate.digest(), estate.store.revision()) == before


def test_an_agent_cannot_end_what_another_scope_holds(estate: Estate) -> None:
    estate.tell(0, host("a", "10.1.0.1"), target="10.1.0.0/24", agent="agent-2")
    estate.tell(1, caller=CALLER, target="10.0.0.0/16")
    assert estate.alive() == {"a"}
