"""What selectors mean, on single CIs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.model.selector import Selector
from cmdb_server.model.selector_vocabulary import Vocabulary

WORDS = Vocabulary.of(classes(), relation_types())
NOW = 1_800_000_000_000.0


@dataclass
class Thing:
    """A CI as a selector looks at it."""

    class_: str = "linux_server"
    values: dict[str, Any] = field(default_factory=dict)
    others: dict[tuple[str, bool], list[Thing]] = field(default_factory=dict)
    stale: bool = False

    def own(self, name: str) -> Any:
        told = {"class": self.class_, "name": "web-1", "site": "north", "stage": "current", "parent": ""}
        return told.get(name)

    def attribute(self, name: str) -> Any:
        return self.values.get(name)

    def related(self, type_: str, incoming: bool) -> Iterable[Thing]:
        return self.others.get((type_, incoming), [])


WEB = Thing(
    values={
        "os_name": "Debian", "cpu_count": 8, "memory": {"value": 16, "unit": "GiB"}, "is_virtual": True,
        "warranty_expires": "2027-01-20", "ip_addresses": ["10.0.0.1", "10.0.0.2"], "host.arch": "x86_64",
        "purchase_cost": {"amount": 1, "currency": "EUR"}, "description": "",
    },
    others={("runs_on", True): [Thing("database_instance"), Thing("web_server", {"version": "2.4"})]},
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('class == "linux_server"', True),
        ('class == "server"', False),
        ('isa("server") && isa("computer")', True),
        ('isa("network_device")', False),
        ('class in ["server", "linux_server"]', True),
        ('name == "web-1" && site == "north" && stage == "current"', True),
        ("has(parent)", False),
        ('os_name == "Debian"', True),
        ('"Debian" == os_name', True),
        ('os_name != "Debian"', False),
        ('os_version != "12"', None),
        ('os_version == "12" || os_name == "Debian"', True),
        ('os_version == "12" && os_name == "Debian"', None),
        ('os_version == "12" && os_name == "AIX"', False),
        ('!(os_version == "12")', None),
        ("has(os_version)", False),
        ("!has(os_version) && has(purchase_cost)", True),
        ("has(description)", False),
        ("cpu_count >= 8 && 4 < cpu_count", True),
        ("cpu_count == -8", False),
        ('memory == quantity("16384 MiB")', True),
        ("memory > 16e9", True),
        ("is_virtual", True),
        ("!is_virtual || is_virtual == false", False),
        ("is_virtual != false", True),
        ('warranty_expires < now + duration("P30D")', True),
        ('warranty_expires < now + duration("1d")', False),
        ('warranty_expires == timestamp("2027-01-20T02:00:00+02:00")', True),
        ('"10.0.0.2" in ip_addresses', True),
        ('!("10.0.0.3" in ip_addresses)', True),
        ('"eth0" in labels', None),
        ('attr("host.arch").startsWith("x86")', True),
        ('os_name.endsWith("ian") && os_name.contains("bi")', True),
        ('os_name.matches("^[A-F]e.+n$")', True),
        ('rel("runs")', True),
        ('rel("runs_on")', False),
        ('rel("runs").class == "database_instance"', True),
        ('rel("runs").isa("application") && rel("runs").version == "2.4"', True),
        ('rel("runs").version == "3"', None),
        ('rel("runs").class == "switch"', False),
        ("os_name in []", False),
        ("'a\\u0062' == name", False),
    ],
)
def test_meaning(text: str, wanted: bool | None) -> None:
    from cmdb_server.model.selector_evaluation import evaluate

    selector = Selector.of(text, WORDS)
    assert evaluate(selector.tree, WEB, NOW) is wanted
    assert selector.matches(WEB, NOW) is (wanted is True)


def test_what_is_not_seen_any_more_is_unknown_but_for_what_it_is() -> None:
    gone = Thing(values=WEB.values, others=WEB.others, stale=True)
    for text in ('os_name == "Debian"', 'os_name != "Debian"', "has(os_name)", "!has(os_version)", 'rel("runs")'):
        assert not Selector.of(text, WORDS).matches(gone, NOW), text
    assert Selector.of('class == "linux_server" && name == "web-1" && has(name)', WORDS).matches(gone, NOW)
