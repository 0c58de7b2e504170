"""What a report says must fit the attributes of its class; what the class does not know is data."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_schemas.report import Component, Observation
from cmdb_server.errors import Invalid
from cmdb_server.ingest.fitting import check_values
from tests.estate import Estate
from tests.factories import host


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cpu_count", "many"), ("cpu_count", True), ("cpu_count", [2]), ("memory", 8), ("memory", {"value": 8, "unit": "parsec"}),
        ("is_virtual", "yes"), ("ip_addresses", "10.0.0.1"), ("ip_addresses", ["not-an-ip"]),
        ("mac_addresses", ["eth0"]), ("os_name", {"a": 1}),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_named_by_its_path(name: str, value: Any) -> None:
    with pytest.raises(Invalid) as told:
        check_values(
            Observation("h", "server", attributes={"host.name": "web1", name: value}),
            classes(),
            "content.observations[3]",
        )
    assert [error["path"] for error in told.value.extra["errors"]] == [f"content.observations[3].attributes.{name}"]


def test_components_are_looked_at_too() -> None:
    part = Component("i", "network_interface", "eth0", attributes={"ip_addresses": [1]})
    with pytest.raises(Invalid, match=r"o\.components\[0\]\.attributes\.ip_addresses: \[0\] must be an IP address"):
        check_values(Observation("h", "server", components=[part]), classes(), "o")


def test_what_says_nothing_and_what_is_not_known_passes() -> None:
    check_values(
        Observation("h", "server", attributes={"cpu_count": None, "os_name": "", "of_tomorrow": 1}), classes(), "o"
    )


def test_nothing_of_such_a_report_is_stored(estate: Estate) -> None:
    estate.tell(0, host("web1", "10.0.0.1", cpu_count=2))
    before = (estate.digest(), estate.store.revision())
    with pytest.raises(Invalid, match=r"content\.observations\[1\]\.attributes\.cpu_count: must be an integer"):
        estate.tell(1, host("web2", "10.0.0.2"), host("web1", "10.0.0.1", cpu_count="many"))
    assert (estate.digest(), estate.store.revision()) == before
