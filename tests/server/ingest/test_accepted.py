"""What the server adds to a report before it takes it in: the scope, its own time, the content's digest in its scope."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cmdb_server.errors import Forbidden, Invalid
from cmdb_server.ingest.accepted import admitted
from cmdb_server.ingest.caller import Caller, Grant
from tests.factories import START, host, report

ADMIN = Caller("tests", "admin")
SEEN = [host("a", "10.0.0.1")]


def test_the_digest_of_a_content_belongs_to_its_scope() -> None:
    one, same, elsewhere = (
        admitted(report("r", START, SEEN, target=target), ADMIN, START) for target in ("x", "x", "y")
    )
    assert one.digest == same.digest
    assert one.digest != elsewhere.digest
    assert one.origin.scope != elsewhere.origin.scope


def test_the_digest_is_of_the_content_and_not_of_its_time() -> None:
    now = admitted(report("r1", START, SEEN), ADMIN, START)
    later = admitted(report("r2", START + 1000, SEEN), ADMIN, START + 1000)
    assert (now.digest, later.at - now.at) == (later.digest, 1000)


def test_a_skewed_clock_is_corrected_before_anything_is_stored() -> None:
    hour = 3_600_000
    assert admitted(report("r", START - hour, SEEN), ADMIN, START).at == START


def test_an_agent_is_held_to_its_grant() -> None:
    agent = Caller("agent-1", "agent", Grant("agent-1", sites=("lab",)))
    assert admitted(report("r", START, SEEN), agent, START).report.agent == "agent-1"
    with pytest.raises(Forbidden, match="speaks for"):
        admitted(report("r", START, SEEN, agent="agent-2"), agent, START)
    with pytest.raises(Forbidden, match="site"):
        admitted(report("r", START, SEEN), replace(agent, grant=Grant("agent-1", sites=("else",))), START)


def test_a_part_beyond_the_parts_is_no_report() -> None:
    with pytest.raises(Invalid, match=r"scan\.part"):
        admitted(report("r", START, SEEN, part=3, parts=2), ADMIN, START)
