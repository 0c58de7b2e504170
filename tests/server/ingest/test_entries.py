"""What a record can be found by, and whose silence takes a word back."""

from __future__ import annotations

import pytest

from cmdb_schemas.report import Component, Observation
from cmdb_server.ingest.entries import takes_back
from cmdb_server.store import tables
from tests.estate import Estate, minute


def entered(estate: Estate, kind: str) -> dict[str, tuple[int, int | None]]:
    """value -> (first, last) of a kind."""
    return {row[1]: (row[3], row[4]) for row in estate.rows(tables.IDENTIFIER) if row[0] == kind}


def thing(address: str = "10.0.0.1", *held: str, listens: tuple[str, ...] = ()) -> Observation:
    parts = [Component("eth1", "network_interface", "eth1", attributes={"ip_addresses": list(held) or ["127.0.0.1/8"]})]
    if listens:
        parts.append(Component("app", "web_server", "app", attributes={"listens": list(listens)}))
    return Observation(
        "h", "server", address, "k-1", {"serial": ["cz3411ab0c"], "mac": ["3CEC.EF92.DC74"]}, {}, components=parts
    )


def test_a_thing_is_entered_under_its_normal_identifiers_and_places(estate: Estate) -> None:
    estate.tell(0, thing("10.0.0.1", "10.0.7.7/24"))
    assert entered(estate, "serial") == {"CZ3411AB0C": (minute(0), None)}
    assert set(entered(estate, "mac")) == {"3c:ec:ef:92:dc:74"}
    assert set(entered(estate, "address")) == {"lab|10.0.0.1", "lab|10.0.7.7"}
    assert set(entered(estate, "native_key")) == {"ssh|k-1"}


def test_what_it_does_not_bear_any_more_keeps_its_time(estate: Estate) -> None:
    estate.tell(0, thing("10.0.0.1", "10.0.7.7/24", listens=("tcp:0.0.0.0:80",)))
    estate.tell(1, thing("10.0.0.1", "10.0.7.7/24", listens=("tcp:0.0.0.0:80",)))
    estate.tell(2, thing("10.0.0.1", "10.0.7.8/24", listens=("tcp:0.0.0.0:443",)))
    addresses = entered(estate, "address")
    assert addresses["lab|10.0.7.7"] == (minute(0), minute(1))
    assert addresses["lab|10.0.7.8"] == (minute(2), None)
    ports = {value.rpartition("|")[2]: span for value, span in entered(estate, "listens").items()}
    assert ports == {"80": (minute(0), minute(1)), "443": (minute(2), None)}
    estate.tell(3, thing("10.0.0.1", "10.0.7.7/24"))
    assert entered(estate, "address")["lab|10.0.7.7"] == (minute(0), None), "borne again"


@pytest.mark.parametrize("source", ["ssh", "snmp", "vcenter:prod", "import:csv"])
def test_a_probe_that_misses_a_thing_has_not_seen_it(source: str) -> None:
    assert not takes_back(source)
    assert takes_back("manual")
