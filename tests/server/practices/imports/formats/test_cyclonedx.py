"""The case was recorded with cyclonedx-py from a real environment, and shortened to a few components."""

from __future__ import annotations

import json
from pathlib import Path

from cmdb_schemas.ci_class import classes
from cmdb_schemas.report import End
from cmdb_server.practices.imports.entry import Entry, Fault, Options
from cmdb_server.practices.imports.formats.cyclonedx import read

CASE = (Path(__file__).parents[4] / "cases/imports/cyclonedx.json").read_text(encoding="utf-8")
OPTIONS = Options(classes(), "web-1")


def ends(text: str) -> dict[str, End]:
    (host,) = (one for one in read(text, OPTIONS) if isinstance(one, Entry))
    assert host.attributes == {"name": "web-1"}
    return {str(link.to.key): link.to for link in host.links if isinstance(link.to, End)}


def test_a_recorded_bill() -> None:
    told = ends(CASE)
    assert set(told) == {one["purl"] for one in json.loads(CASE)["components"] if "purl" in one}
    jinja = told["pkg:pypi/jinja2@3.1.6"]
    assert jinja.class_ == "software_package"
    assert jinja.attributes["version"] == "3.1.6" and jinja.attributes["package_type"] == "pypi"


def test_components_within_components_and_without_a_purl() -> None:
    inner = {"type": "library", "name": "z lib", "version": "1"}
    bill = {"bomFormat": "CycloneDX", "components": [{"type": "application", "name": "a", "components": [inner]}]}
    assert set(ends(json.dumps(bill))) == {"pkg:generic/a", "pkg:generic/z%20lib@1"}


def test_what_is_no_bill_is_refused() -> None:
    for text, options in (("{", OPTIONS), ("{}", OPTIONS), (CASE, Options(classes())), ("[" * 100_000, OPTIONS)):
        (fault,) = read(text, options)
        assert isinstance(fault, Fault) and fault.row == 0
