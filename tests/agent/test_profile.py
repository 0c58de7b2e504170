"""Inheritance, the most specific match, users' own folders, and errors that name file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmdb_agent.errors import SettingsError
from cmdb_agent.observation import Varbind, Walk
from cmdb_agent.profile import Profiles, profiles
from cmdb_agent.smi import OID, oid

DESCR = oid("1.3.6.1.2.1.1.1.0")
VENDOR = oid("1.3.6.1.4.1.99999")


def walks(*rows: tuple[str, bytes]) -> dict[OID, Walk]:
    varbinds = tuple(Varbind(oid(name), value, "string") for name, value in rows)
    return {(1, 3, 6, 1): Walk((1, 3, 6, 1), varbinds, "complete")}


def own(folder: Path, **files: str) -> Profiles:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return profiles(folder)


BASE = "manufacturer = 'Example'\nclass = 'switch'\nos_name = 'Example OS'"


def test_what_a_profile_does_not_say_it_inherits(tmp_path: Path) -> None:
    known = own(
        tmp_path,
        example=BASE,
        example_edge="extends = 'example'\nsysobjectid = ['1.3.6.1.4.1.99999.1']\nclass = 'router'",
        example_edge2="extends = ['example_edge']\nsysobjectid = ['1.3.6.1.4.1.99999.1.2']\nos_name = 'Edge OS'",
    )
    facts = known.choose((*VENDOR, 1, 2, 7), "", ()).read({})
    assert (facts.class_, dict(facts.attributes)) == ("router", {"manufacturer": "Example", "os_name": "Edge OS"})


def test_conditions_are_not_inherited(tmp_path: Path) -> None:
    known = own(
        tmp_path,
        one="sysobjectid = ['1.3.6.1.4.1.99999']\nsysdescr = 'never'",
        two="extends = 'one'\nsysobjectid = ['1.3.6.1.4.1.99999.2']",
    )
    assert known.choose((*VENDOR, 2), "anything", ()).name == "two"


def test_the_longest_match_counts_then_what_exists_then_the_description(tmp_path: Path) -> None:
    known = own(
        tmp_path,
        plain="sysobjectid = ['1.3.6.1.4.1.99999.1']",
        described="sysobjectid = ['1.3.6.1.4.1.99999.1']\nsysdescr = 'Edge'",
        private="sysobjectid = ['1.3.6.1.4.1.99999.1']\nexists = ['1.3.6.1.4.1.99999.7.0']",
        vendor="sysobjectid = ['1.3.6.1.4.1.99999.*']\nsysdescr = 'Edge'",
    )
    there = [oid("1.3.6.1.4.1.99999.7.0")]
    assert known.choose((*VENDOR, 1), "a Core", ()).name == "plain"
    assert known.choose((*VENDOR, 1), "an Edge", ()).name == "described"
    assert known.choose((*VENDOR, 1), "an Edge", there).name == "private"
    assert known.choose((*VENDOR, 2), "an Edge", there).name == "vendor"
    assert known.choose((*VENDOR, 2), "a Core", there).name == "generic"


def test_arcs_are_compared_and_not_digits(tmp_path: Path) -> None:
    assert own(tmp_path, one="sysobjectid = ['1.3.6.1.4.1.9999']").choose(VENDOR, "", ()).name == "generic"


def test_the_first_source_that_gives_something_counts(tmp_path: Path) -> None:
    sources = """
sysobjectid = ["1.3.6.1.4.1.99999"]
model_number = [
    { oid = "1.3.6.1.4.1.99999.5.0" },
    { oid = "1.3.6.1.2.1.1.1.0", match = 'Model (\\S+)' },
    { oid = "1.3.6.1.2.1.1.1.0", as = "unknown model" },
]
os_version = [{ oid = "1.3.6.1.2.1.1.1.0", match = 'v(\\d+) build (\\d+)', as = '\\1.\\2' }]
serial_number = [{ oid = "1.3.6.1.4.1.99999.6" }]
asset_tag = [{ oid = "1.3.6.1.4.1.99999.6", index = "2" }]
"""
    profile = own(tmp_path, one=sources).choose(VENDOR, "", ())
    column = (("1.3.6.1.4.1.99999.6.1", b""), ("1.3.6.1.4.1.99999.6.2", b"S2"), ("1.3.6.1.4.1.99999.6.3", b"S3"))
    facts = profile.read(walks(("1.3.6.1.2.1.1.1.0", b"Model X1 v2 build 17"), *column))
    assert facts.attributes == {"model_number": "X1", "os_version": "2.17", "serial_number": "S2", "asset_tag": "S2"}
    assert facts.identifiers == {"serial": ["S2"]}
    assert profile.read(walks(("1.3.6.1.2.1.1.1.0", b"x"))).attributes == {"model_number": "unknown model"}
    assert set(profile.oids) == {DESCR, oid("1.3.6.1.4.1.99999.5.0"), oid("1.3.6.1.4.1.99999.6")}


def test_a_users_profile_replaces_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    known = own(tmp_path, linux="sysobjectid = ['1.3.6.1.4.1.8072.3.2.10']\nclass = 'linux_server'")
    assert known.choose(oid("1.3.6.1.4.1.8072.3.2.10"), "Linux", ()).read({}).class_ == "linux_server"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("sysobjectids = []", "sysobjectids: unknown key"),
        ("extends = 'nobody'", "'nobody'"),
        ("extends = 'one'", "extends itself"),
        ("sysdescr = '('", "one.toml"),
        ("model_number = [{ oid = '1.3', matches = 'x' }]", "'matches'"),
        ("model_number = [{ match = 'x' }]", "oid"),
        ("model_number = 7", "one.toml"),
        ("sysobjectid = ['1.3.x']", "one.toml"),
        ("= 3", "one.toml"),
    ],
)
def test_a_mistake_is_named_with_its_file(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(SettingsError) as mistake:
        own(tmp_path, one=text)
    assert "one.toml" in str(mistake.value)
    assert named in str(mistake.value)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such folder"):
        profiles(tmp_path / "nowhere")
