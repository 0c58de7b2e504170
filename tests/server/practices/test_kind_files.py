"""Kinds are read from files, and a file that is wrong is named with its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmdb_schemas.errors import DefinitionError
from cmdb_server.practices.kind_files import kinds

GOOD = """
title = "Risk"
prefix = "RSK"
open = ["operator"]
edit = { who = ["requester"] }
[fields]
summary = { type = "string", title = "Summary", required = true }
seen_at = { type = "time", title = "Seen" }
[cis]
threatened = { title = "What is at risk" }
[states]
initial = "open"
final = ["closed"]
[[transitions]]
name = "close"
from = ["open"]
to = "closed"
who = ["approver", "not requester"]
requires = ["summary", "cis.threatened"]
"""


def folder(tmp_path: Path, text: str, name: str = "risk") -> Path:
    (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_every_shipped_kind_is_usable() -> None:
    for kind in kinds().values():
        assert kind.states[0] == kind.initial and kind.final <= set(kind.states)
        assert kind.editable.isdisjoint(kind.final), kind.name
        assert kind.possible(kind.initial, {}) or any(one.when for one in kind.transitions)


def test_users_add_kinds(tmp_path: Path) -> None:
    found = kinds(folder(tmp_path, GOOD))
    assert set(found) == {*kinds(), "risk"}
    risk = found["risk"]
    assert (risk.prefix, risk.initial, risk.states, risk.editable) == ("RSK", "open", ("open", "closed"), {"open"})
    assert risk.transition("close", "open", {}) is not None and risk.transition("close", "closed", {}) is None


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('title = "Risk"', 'title = ""', "title"),
        ('title = "Risk"', 'titel = "Risk"', "titel: unknown key"),
        ('"RSK"', '"rsk"', "prefix"),
        ('"RSK"', '"CHG"', "prefix"),
        ('open = ["operator"]', 'open = ["agent"]', "open"),
        ('open = ["operator"]', "open = []", "open"),
        ('["approver", "not requester"]', '["not requester"]', r"transitions\[0\].who"),
        (
            '{ type = "string", title = "Summary"',
            '{ type = "colour", title = "Summary"',
            "fields.summary.type: must be one of",
        ),
        ("required = true", "needed = true", "fields.summary.needed"),
        ('title = "What is at risk"', "many = 5", "cis.threatened.many"),
        ('initial = "open"', 'initial = "new"', "transitions: nothing leads to 'open'"),
        ('final = ["closed"]', 'final = ["gone"]', "states.final: there is no state 'gone'"),
        ('final = ["closed"]', 'final = ["open"]', "states.final: 'open' leads on"),
        ('final = ["closed"]', 'final = ["closed"]\nmiddle = 5', "states.middle"),
        ('"cis.threatened"]', '"cis.lost"]', r"transitions\[0\].requires"),
        ('who = ["approver", "not', 'stamps = ["summary"]\nwho = ["approver", "not', r"transitions\[0\].stamps"),
        ('who = ["approver", "not', 'when = { summary = [5] }\nwho = ["approver", "not', r"when.summary"),
        ('who = ["approver", "not', 'note = "yes"\nwho = ["approver", "not', r"transitions\[0\].note"),
        ('requires = ["summary", "cis.threatened"]', "requires = 5", r"transitions\[0\].requires"),
        ('requires = ["summary", "cis.threatened"]', 'stamps = "seen_at"', r"transitions\[0\].stamps"),
        ("requires = [", 'from = ["open"]\nrequires = [', "risk.toml"),
        ("[fields]", 'order = [["seen_at", "summary"]]\n[fields]', "order: 'summary' is no time"),
        ("[fields]", 'order = ["seen_at", "closed_at"]\n[fields]', "order: must be"),
        ("[fields]", "[fields]\nowner = 5", "fields.owner: must be a table"),
        ("[fields]", '[fields]\nowner = { type = "string", title = "O", unit = "bit" }', "fields.owner.unit"),
        ("[fields]", '[fields]\nowner = { type = "window", title = "O", choices = ["a"] }', "fields.owner.choices"),
        ("[fields]", '[fields]\nowner = { type = "string", title = "O", states = ["lost"] }', "fields.owner.states"),
        ("[fields]", '[fields]\nowner = { type = "string", title = "O", default = 5 }', "fields.owner.default"),
        ('name = "close"', 'name = "edit"', r"transitions\[0\].name"),
        ('name = "close"', 'name = "Close!"', r"transitions\[0\].name"),
        ('who = ["requester"]', 'who = ["requester"], states = ["lost"]', "edit.states"),
        ("[fields]", "[fields", "risk.toml"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, key: str) -> None:
    assert old in GOOD
    with pytest.raises(DefinitionError, match=key) as refused:
        kinds(folder(tmp_path, GOOD.replace(old, new, 1)))
    assert "risk.toml" in str(refused.value)


def test_a_kind_is_defined_once_and_a_folder_is_there(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="already"):
        kinds(folder(tmp_path, GOOD, "outage"))
    with pytest.raises(DefinitionError, match="no such folder"):
        kinds(tmp_path / "nothing")


TWICE = """
[[transitions]]
name = "close"
from = ["open"]
to = "closed"
who = ["operator"]
"""


def test_two_ways_of_one_name_are_parted_by_what_they_hold_for(tmp_path: Path) -> None:
    chosen = GOOD.replace("[cis]", 'size = { type = "string", title = "Size", choices = ["s", "l"] }\n[cis]')
    with pytest.raises(DefinitionError, match=r"transitions\[1\]: leads on with transitions\[0\] at once"):
        kinds(folder(tmp_path, chosen + 'when = { size = ["s"] }' + TWICE + 'when = { size = ["l", "s"] }'))
    (tmp_path / "other").mkdir()
    risk = kinds(folder(tmp_path / "other", chosen + 'when = { size = ["s"] }' + TWICE + 'when = { size = ["l"] }'))[
        "risk"
    ]
    small, large = (risk.transition("close", "open", {"size": size}) for size in "sl")
    assert small is not None and large is not None and (small.who, large.who) != (large.who, small.who)
    assert risk.transition("close", "open", {}) is None
