"""Which CI may have taken the place of another: by time, hardware, name and installation, and as nobody has said yet."""

from __future__ import annotations

import random
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.model.decisions import Decision
from cmdb_server.model.identity import resolve
from cmdb_server.model.replacements import ATTRIBUTE
from tests.observed import Observed, Scan
from tests.situations import BOX, DAY, HARDWARE, OTHER, SOFTWARE, box, of, snmp, ssh

NEW = {**BOX, **of(OTHER, *HARDWARE)}
FOLLOWED = (ssh(1, box("a", BOX)), ssh(3, box("b", NEW)))


def asked(*scans: Scan, decisions: tuple[Decision, ...] = ()) -> list[tuple[str, str]]:
    """(first sighting of the new CI, of the old) for each question."""
    observed = Observed(scans, decisions)
    first: dict[str, str] = {}
    for sighting, ci in sorted(observed.ci.items()):
        first.setdefault(ci, sighting)
    return [(first[new], first[old]) for r in observed.resolutions for new, old in (one.cis for one in r.replacements)]


def records(*scans: Scan) -> dict[str, str]:
    """Sighting -> its record."""
    return {sighting: id_ for id_, held in Observed(scans).held.items() for _, _, sighting in held.seen}


def test_the_evidence_stands_side_by_side_the_new_one_first() -> None:
    (review,) = (one for resolution in Observed(FOLLOWED).resolutions for one in resolution.replacements)
    of_ = records(*FOLLOWED)
    assert (review.kind, review.cis, review.records) == ("replaces", (of_["b"], of_["a"]), (of_["b"], of_["a"]))
    serial = next(term for term in review.terms if term.kind == "serial")
    assert (serial.points, serial.ours, serial.theirs) == (-10, ("MX88420XYZ",), ("CZ3411AB0C",))
    assert review.score == sum(term.points for term in review.terms) == -12


def test_of_the_same_pair_only_one_thing_is_asked() -> None:
    """Without the serial of either, the rest would not be enough to hold them apart for good, and MACs alone doubtful."""
    scans = [
        ssh(1, box("a", of(BOX, "uuid", "mac", *SOFTWARE, "name"))),
        ssh(2, box("b", of(BOX, "mac", *SOFTWARE, "name"))),
        ssh(3, box("c", {**of(NEW, "uuid", "mac", *SOFTWARE, "name")})),
        ssh(4, box("d", {**of(NEW, "mac", *SOFTWARE, "name")})),
    ]
    for order in permutations(scans):
        assert asked(*order) == [("c", "a")]
        assert [r.reviews for r in Observed(order).resolutions] == [()]


@pytest.mark.parametrize(
    "why, scans",
    [
        ("seen at once", (ssh(1, box("a", BOX), box("b", NEW, "10.0.0.2")),)),
        ("seen again elsewhere", (*FOLLOWED, ssh(5, box("c", BOX, "10.0.0.2")))),
        ("another name", (FOLLOWED[0], ssh(3, box("b", {**NEW, "name": OTHER["name"]})))),
        ("a short name alone", (ssh(1, box("a", {**BOX, "name": ["web"]})), ssh(3, box("b", {**NEW, "name": ["web"]})))),
        ("another installation", (FOLLOWED[0], ssh(3, box("b", {**NEW, **of(OTHER, *SOFTWARE)})))),
        ("one NIC is no hardware", (ssh(1, box("a", of(BOX, "mac", *SOFTWARE, "name"))),
                                    ssh(3, box("b", of(NEW, "mac", *SOFTWARE, "name"))))),
    ],
)  # fmt: skip
def test_what_is_no_replacement(why: str, scans: tuple[Scan, ...]) -> None:
    for order in permutations(scans):
        assert asked(*order) == [], why


def test_what_people_entered_of_the_old_one_keeps_nothing_alive() -> None:
    observed = Observed(FOLLOWED)
    told = list(observed.records.values())
    old = next(one for one in told if one.first_at == DAY)
    entry = Observed([Scan("manual", "anna", 0, (box("e", of(BOX, "serial", "name"), None, key="1"),)),
                      Scan("manual", "anna", 9 * DAY, (box("f", of(BOX, "serial", "name"), None, key="1"),))])  # fmt: skip
    found = resolve([*told, *entry.records.values()])
    assert len(found.groups) == 2 and found.ci_of[old.id] in {one.cis[1] for one in found.replacements}


def said(verb: str, new: str, old: str, at: int = 0, id_: str = "d") -> Decision:
    if verb == "pin":
        return Decision(id_, "pin", at, ((new,),), None, ATTRIBUTE, old)
    return Decision(id_, "split", at, ((new,), (old,)))


@pytest.mark.parametrize("verb", ["pin", "split"])
def test_what_is_answered_is_asked_no_more(verb: str) -> None:
    of_ = records(*FOLLOWED)
    assert asked(*FOLLOWED, decisions=(said(verb, of_["b"], of_["a"]),)) == []


def test_a_split_from_something_else_answers_nothing() -> None:
    scans = (*FOLLOWED, ssh(4, box("c", {**OTHER, "name": ["x.example.net"]}, "10.0.0.9")))
    of_ = records(*scans)
    assert asked(*scans, decisions=(said("split", of_["b"], of_["c"]),)) == [("b", "a")]


KINDS = st.lists(st.sampled_from([*HARDWARE, *SOFTWARE, "name"]), unique=True, min_size=1)


@st.composite
def estates(draw: st.DrawFn) -> list[Scan]:
    found = []
    for day in draw(st.lists(st.integers(1, 12), unique=True, max_size=6)):
        other = draw(st.sampled_from([(), HARDWARE, HARDWARE, SOFTWARE, ("mac",), (*HARDWARE, "name")]))
        evidence = {**BOX, **{kind: OTHER[kind] for kind in other}}
        lost = draw(st.lists(st.sampled_from(["serial", "uuid", "machine_id"]), unique=True))
        thing = box(str(day), {k: v for k, v in evidence.items() if k not in lost}, f"10.0.0.{draw(st.integers(1, 2))}")
        found.append((snmp if draw(st.booleans()) else ssh)(day, thing))
    return found


@settings(max_examples=150, deadline=None)
@given(scans=estates(), order=st.randoms(use_true_random=False), picked=st.data())
def test_the_same_in_any_order_with_decisions_and_undone_ones_leave_nothing(
    scans: list[Scan], order: random.Random, picked: st.DataObject
) -> None:
    before = [resolution.replacements for resolution in Observed(scans).resolutions]
    known = sorted(set(records(*scans).values()))
    pairs = st.tuples(st.sampled_from(known), st.sampled_from(known)).filter(lambda pair: pair[0] != pair[1])
    made = (
        picked.draw(st.lists(st.tuples(st.sampled_from(["pin", "split"]), pairs), max_size=3)) if len(known) > 1 else []
    )
    decisions = [said(verb, *pair, at, str(at)) for at, (verb, pair) in enumerate(made)]
    shuffled = [*scans, *scans[:2]]
    order.shuffle(shuffled)
    turned = decisions[::-1]

    def told(some: list[Scan], ruled: list[Decision]) -> list[object]:
        return sorted((r.groups, r.replacements, r.reviews) for r in Observed(some, ruled).resolutions)

    assert told(shuffled, turned) == told(scans, decisions)
    assert sorted(before) == sorted(resolution.replacements for resolution in Observed(shuffled).resolutions)
    for new, old in (one.cis for r in Observed(scans, decisions).resolutions for one in r.replacements):
        assert new != old
