from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.model.precedence import Candidate, rules_of, shipped, winner

DAY = 86_400_000
LINEAGE = ("switch", "network_device", "hardware", "ci")
RULES = rules_of(
    {
        "refresh": "P10D",
        "refresh_by_source": {"manual": "never"},
        "rule": [
            {"class": "ci", "order": [["ssh", "snmp"], "vcenter", "manual"]},
            {"class": "hardware", "attribute": "model", "order": ["manual", "snmp"], "refresh": "P1D"},
        ],
    }
)


def told(source: str, value: Any, confirmed: int, since: int = 0) -> Candidate:
    return Candidate(source, f"{source}-record", value, since, confirmed)


def win(*candidates: Candidate, attribute: str = "os", at: int = 0, pinned: Any = None) -> tuple[Any, str, int | None]:
    found = winner(candidates, RULES, at, lineage=LINEAGE, attribute=attribute, pinned=pinned)
    return found.value, found.why, found.deadline


def test_the_order_of_sources_decides_before_the_newest() -> None:
    assert win(told("vcenter:prod", "a", 9), told("ssh", "b", 1)) == ("b", "precedence", 1 + 10 * DAY)
    assert win(told("snmp", "a", 9), told("ssh", "b", 1)) == ("a", "newest", 9 + 10 * DAY)
    assert win(told("unlisted", "a", 9), told("manual", "b", 1))[0] == "b"


def test_an_attributes_own_rule_of_an_ancestor_precedes_the_classes_rule_for_any() -> None:
    assert win(told("ssh", "a", 9), told("manual", "b", 1), attribute="model")[0] == "b"
    assert win(told("ssh", "a", 9), told("manual", "b", 1))[0] == "a"


@pytest.mark.parametrize(
    ("lineage", "attribute"),
    [(("linux_server", "server", "computer", "hardware", "ci"), name) for name in ("name", "os_name", "host.arch")]
    + [(("file_system", "ci"), "fs_type")],
)
def test_a_shell_and_an_snmp_agent_that_differ_do_not_take_turns(lineage: tuple[str, ...], attribute: str) -> None:
    """Each scan would change the value otherwise, and nothing would have happened."""
    shell, agent = told("ssh", "ext4", 1), told("snmp", "ext2", 9)
    assert winner([shell, agent], shipped(), 10, lineage=lineage, attribute=attribute).value == "ext4"


def test_a_stale_source_yields_and_returns_when_it_confirms() -> None:
    stale, other = told("ssh", "old", 0), told("vcenter:prod", "new", 5 * DAY)
    assert win(stale, other, at=10 * DAY - 1) == ("old", "precedence", 10 * DAY)
    assert win(stale, other, at=10 * DAY) == ("new", "yielded", 15 * DAY)
    assert win(told("ssh", "old", 10 * DAY), other, at=10 * DAY)[0] == "old"
    assert win(stale, other, at=20 * DAY) == ("new", "stale", None)


def test_people_do_not_go_stale_and_pins_win() -> None:
    assert win(told("manual", "a", 0), at=900 * DAY) == ("a", "only", None)
    assert win(told("ssh", "a", 0), pinned="p") == ("p", "pinned", None)


@pytest.mark.parametrize("nothing", [None, "", [], {}])
def test_empty_never_overwrites(nothing: Any) -> None:
    assert win(told("ssh", nothing, 9), told("manual", "a", 1)) == ("a", "only", None)
    assert win(told("ssh", nothing, 9)) == (None, "", None)
    assert win(told("ssh", 0, 9), told("manual", 5, 1))[0] == 0, "zero and false are values"


_CANDIDATES = st.lists(
    st.builds(
        Candidate, st.sampled_from(["ssh", "snmp", "vcenter:a", "manual", "x"]), st.sampled_from("pqrs"),
        st.one_of(st.integers(0, 2), st.sampled_from(["a", "b"])), st.integers(0, 3), st.integers(0, 30).map(lambda d: d * DAY),
    ),
    max_size=5, unique_by=lambda c: (c.source, c.record),
)  # fmt: skip


@given(_CANDIDATES, st.integers(0, 45), st.data())
def test_order_says_nothing_and_nothing_flips_before_its_deadline(
    some: list[Candidate], day: int, data: st.DataObject
) -> None:
    def at(time: int) -> Any:
        return winner(data.draw(st.permutations(some)), RULES, time, lineage=LINEAGE, attribute="os")

    now = at(day * DAY)
    assert at(day * DAY) == now
    later = day * DAY + data.draw(st.integers(0, 50 * DAY))
    if now.deadline is None or later < now.deadline:
        assert at(later).winner == now.winner


def test_what_the_product_ships() -> None:
    rules = shipped()

    def name(*some: Candidate) -> Any:
        return winner(some, rules, 9, lineage=("virtual_machine", "computer", "ci"), attribute="name").value

    assert name(told("vcenter:prod", "What people call it", 9), told("ssh", "web.example.net", 1)) == "web.example.net"
    assert rules.stale_at(told("manual", "x", 0), None) is None


def test_a_refresh_that_is_no_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="soon"):
        rules_of({"refresh": "soon"})
