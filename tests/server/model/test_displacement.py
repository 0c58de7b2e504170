"""Whether one seen at an address shows that another is gone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.model.displacement import Witness, displaces, one_machine

FULL = {
    "name": ("a",), "mac": ("3c:ec:ef:00:00:01",), "machine_id": ("8a" * 16,), "serial": ("CZ3412AB01",),
    "@address": ("10.0.0.1",),
}  # fmt: skip


def witness(scope: str, **identifiers: tuple[str, ...]) -> Witness:
    told = {**identifiers, "@address": ("10.0.0.1",)}
    return Witness.of(scope, repr(sorted(identifiers.items())), "computer", told)


def without(*kinds: str) -> dict[str, tuple[str, ...]]:
    return {kind: values for kind, values in FULL.items() if kind not in (*kinds, "@address")}


@pytest.mark.parametrize(
    "other",
    [without("serial"), without("serial", "machine_id"), without("serial", "mac"), {"name": ("a.example.net",)}, {}],
)
def test_less_of_the_same_evidence_is_the_same_machine(other: dict[str, tuple[str, ...]]) -> None:
    one, two = witness("x", **without()), witness("y", **other)
    assert not displaces(one, two)
    assert not displaces(two, one)


@pytest.mark.parametrize(
    "other",
    [
        {**without("serial"), "mac": ("3c:ec:ef:00:00:99",)}, {**without(), "serial": ("CZ3412AB99",)},
        {"name": ("b",)}, {"mac": ("3c:ec:ef:00:00:99",), "name": ("b",)}, {"uuid": ("4c4c4544-0042-3510-8053-b4c04f564433",)},
    ],
)  # fmt: skip
def test_another_machine_is_not(other: dict[str, tuple[str, ...]]) -> None:
    assert displaces(witness("x", **without()), witness("y", **other))


def test_in_one_scope_whoever_answers_now_stands_for_the_address() -> None:
    assert displaces(witness("x", **without()), witness("x", **without("serial")))
    assert not displaces(witness("x", **without()), witness("x", **without()))


@pytest.mark.parametrize("maker", ["Dell", "HP"])
def test_what_is_told_beside_the_evidence_has_no_say(maker: str) -> None:
    """A serial number's maker is an attribute, which may be told otherwise at any time; the evidence is frozen."""
    one = Witness.of("x", "1", "computer", {**FULL, "vendor": ("dell",)})
    two = Witness.of("y", "2", "computer", {"serial": FULL["serial"], "vendor": (maker.lower(),)})
    assert not displaces(one, two)


kinds = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from([("a",), ("b",), ("a.example.net",)]), "mac": st.sampled_from([("m1",), ("m2",), ("m1", "m2")]),
        "serial": st.sampled_from([("s1",), ("s2",)]), "machine_id": st.sampled_from([("i1",), ("i2",)]),
    },
)  # fmt: skip


@given(kinds, kinds)
def test_it_is_the_same_either_way_round(one: dict[str, tuple[str, ...]], other: dict[str, tuple[str, ...]]) -> None:
    a, b = witness("x", **one), witness("y", **other)
    assert displaces(a, b) == displaces(b, a)
    assert one_machine(a.record, a.record)
