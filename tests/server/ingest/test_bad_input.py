"""What cannot be a report is refused with its place, stores nothing, and does not stand in the way of the next one.
What only looks like code is data: stored, and given back as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cmdb_schemas.report import Component, End, Observation, Relation, Sample
from cmdb_server.answers.inventory import search, show
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import CmdbError, Invalid, Malformed
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.projection.projections import Projections
from cmdb_server.store import tables
from tests.estate import ADMIN, Estate, minute
from tests.factories import host, report

VIEWER = Viewer("tests", "admin")
NOW = minute(10)
GOOD = report("next", NOW, [host("a", "10.0.0.1", listens=[80], uses=[("10.0.0.2", 443)], packages=["pkg:x"])])
CUT = len(GOOD) // 2
Body = tuple[bytes, str]


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(GOOD), **changes}).encode()


def observed(**changes: Any) -> bytes:
    told = json.loads(GOOD)
    told["content"]["observations"][0] |= changes
    return json.dumps(told).encode()


def claiming(**changes: Any) -> bytes:
    return observed(relations=[{"type": "depends_on", "to": {"address": "10.0.0.2"}, **changes}])


def attributed(text: str) -> bytes:
    """An attribute whose value is this JSON text."""
    return observed(attributes={"role": "HERE"}).replace(b'"HERE"', text.encode("latin-1"))


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


ENVELOPE = "content.observations[0]"
BAD: dict[str, Body] = {
    "nothing": (b"", "offset"),
    "truncated": (GOOD[:CUT], "offset"),
    "two reports in one": (GOOD + GOOD, "offset"),
    "not an object": (b"[]", ""),
    "wrong version": (changed(version=2), "version"),
    "version as text": (changed(version="1"), "version"),
    "unknown member": (changed(colour="red"), ""),
    "unknown class": (observed(**{"class": "teapot"}), f"{ENVELOPE}.class"),
    "unknown class of a component": (
        observed(components=[{"ref": "x", "class": "teapot", "local_key": "x"}]), f"{ENVELOPE}.components[0].class",
    ),
    "number for a text": (changed(site=5), "site"),
    "text for a number": (changed(scan={"id": "s", "part": "1"}), "scan.part"),
    "text for a list": (changed(content={"observations": "all"}), "content.observations"),
    "object in an attribute's list": (observed(attributes={"a": [{}]}), f"{ENVELOPE}.attributes.a[0]"),
    "object in an object of an attribute's object": (
        observed(attributes={"a": {"b": {"c": {}}}}), f"{ENVELOPE}.attributes.a.b.c",
    ),
    "list in an attribute's object": (observed(attributes={"a": {"b": []}}), f"{ENVELOPE}.attributes.a.b"),
    "port out of range": (claiming(to={"address": "10.0.0.2", "port": 65_536}), f"{ENVELOPE}.relations[0].to.port"),
    "confidence above one": (claiming(confidence=1.5), f"{ENVELOPE}.relations[0].confidence"),
    "unknown relation type": (claiming(type="envies"), f"{ENVELOPE}.relations[0].type"),
    "Cypher for a relation type": (claiming(type="X]->() DETACH DELETE n //"), f"{ENVELOPE}.relations[0].type"),
    "no far end": (claiming(to={}), f"{ENVELOPE}.relations[0]"),
    "deep nesting": (b'{"content": ' + b"[" * 200_000, "offset"),
    "deep nesting in the content": (changed(content="HERE").replace(b'"HERE"', nested(100_000).encode()), "offset"),
    "deep nesting in an observation": (attributed(nested(100_000)), "offset"),
    "nesting that is only too deep for a value": (attributed(nested(30)), f"{ENVELOPE}.attributes.role[0]"),
    "NUL escaped": (changed(site="x\0"), "offset"),
    "NUL escaped in an observation": (attributed('"x\\u0000"'), "offset"),
    "NUL raw": (GOOD.replace(b"lab", b"l\0b"), "offset"),
    "NUL raw in an observation": (attributed('"x\0"'), "offset"),
    "invalid UTF-8": (GOOD.replace(b"lab", b"l\xffb"), "offset"),
    "invalid UTF-8 in an observation": (attributed('"x\xff"'), "offset"),
    "overlong UTF-8 in an observation": (attributed('"x\xc0\xaf"'), "offset"),
    "a lone surrogate": (GOOD.replace(b"lab", b"l\\ud800b"), "offset"),
    "a lone surrogate in an observation": (attributed('"x\\udfff"'), "offset"),
    "a lone surrogate in an attribute's name": (observed(attributes={"HERE": 1}).replace(b"HERE", b"\\ud800"), "offset"),
    "a surrogate as bytes": (attributed('"\xed\xa0\x80"'), "offset"),
    "a lone surrogate in a sample": (
        changed(samples=[{"ref": "HERE", "name": "n", "value": 1}]).replace(b"HERE", b"\\udc00"), "offset",
    ),
    "no number": (attributed("NaN"), "offset"),
    "infinite": (attributed("1e999"), f"{ENVELOPE}.attributes"),
    "minus infinite, in a list": (attributed("[-1e999]"), f"{ENVELOPE}.attributes"),
    "an integer beyond 64 bits": (attributed("9223372036854775808"), f"{ENVELOPE}.attributes"),
    "an integer far beyond 64 bits": (attributed("1" + "0" * 400), f"{ENVELOPE}.attributes"),
    "an integer beyond 64 bits in an object": (attributed('{"a": -9223372036854775809}'), f"{ENVELOPE}.attributes"),
    "an infinite sample": (changed(samples=[{"ref": "a", "name": "n", "value": 1}]).replace(b'1}], "errors"', b'1e999}], "errors"'), "samples"),
    "two components of one ref": (
        observed(components=[{"ref": "x", "class": "disk", "local_key": k} for k in "ab"]), f"{ENVELOPE}.components[1]",
    ),
    "two components of one key": (
        observed(components=[{"ref": r, "class": "disk", "local_key": "a"} for r in "xy"]), f"{ENVELOPE}.components[1]",
    ),
    "one thing twice": (report("r", NOW, [host("a", "10.0.0.1"), host("a", "10.0.0.1")]), "content.observations[1]"),
    "from the future": (report("r", minute(10) + 90_000_000, []), "sent_at"),
    "observed after it was sent": (report("r", NOW, [], sent=NOW - 1), "observed_at"),
    "an impossible time": (changed(observed_at="2023-02-30T00:00:00Z"), "observed_at"),
    "a time that overflows": (changed(observed_at="0001-01-01T00:00:00+23:59"), "observed_at"),
    "part beyond parts": (report("r", NOW, [], part=2, parts=1), "scan.part"),
}  # fmt: skip


@pytest.fixture
def settled(estate: Estate) -> Estate:
    """An estate that holds something already."""
    estate.tell(0, host("a", "10.0.0.1"), host("b", "10.0.0.2"))
    return estate


def refusal(estate: Estate, body: bytes) -> CmdbError:
    before = (estate.digest(), estate.store.revision(), estate.sizes())
    with pytest.raises((Malformed, Invalid)) as refused:
        ingest(estate.store, body, ADMIN, NOW)
    assert (estate.digest(), estate.store.revision(), estate.sizes()) == before
    return refused.value


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_a_report_is_refused_with_its_place(settled: Estate, name: str) -> None:
    body, place = BAD[name]
    refused = refusal(settled, body)
    if place == "offset":
        assert isinstance(refused, Malformed), refused
        assert 0 <= refused.extra["offset"] <= len(body)
        assert "byte" in refused.detail or "deep" in refused.detail
    else:
        assert isinstance(refused, Invalid), refused
        assert refused.extra["errors"][0]["path"].startswith(place), refused.extra
        assert place in refused.detail
    ack = ingest(settled.store, GOOD, ADMIN, NOW)
    assert (ack.revision, ack.observations) == (2, 1)


@pytest.mark.parametrize(
    ("bad", "sign"), [("x\\ud800", b"x\\ud800"), ("\xff", b"\xff"), ("x\0", b"\0")], ids=["surrogate", "UTF-8", "NUL"]
)
def test_the_offset_is_where_it_stands_in_the_body(settled: Estate, bad: str, sign: bytes) -> None:
    body = attributed(f'"{bad}"')
    refused = refusal(settled, body)
    assert abs(refused.extra["offset"] - body.index(sign)) <= 8


def test_a_fault_in_the_last_of_many_leaves_none_of_them(settled: Estate) -> None:
    seen = [host(f"h{n}", f"10.0.1.{n}") for n in range(1, 60)]
    bad = host("last", "10.0.1.99", class_="teapot")
    refused = refusal(settled, report("r", NOW, [*seen, bad]))
    assert refused.extra["errors"][0]["path"] == "content.observations[59].class"


def test_of_duplicate_members_one_counts(settled: Estate) -> None:
    """RFC 8259 leaves open which; that it is one for all readers is what matters."""
    body = GOOD.replace(b'"site":"lab"', b'"site":"first","site":"lab"')
    ingest(settled.store, body, ADMIN, NOW)
    assert {row[4] for row in settled.rows(tables.REPORT)} == {"lab"}


@pytest.mark.slow
def test_many_relations_of_one_thing_are_taken_in(settled: Estate) -> None:
    relations = [Relation("depends_on", End(address=f"10.{n >> 8}.{n & 255}.1", port=443)) for n in range(65_536)]
    seen = Observation("h", "server", "10.0.0.9", None, {"serial": ["CZ3411AB0C"]}, {"name": "h"}, relations=relations)
    ingest(settled.store, report("r", NOW, [seen], target="many"), ADMIN, NOW)
    assert settled.sizes()["tie"] == 65_536
    assert len([row for row in settled.rows(tables.CI) if row[2] == "h"]) == 1


# Data that looks like code ---------------------------------------------------------------------------------------------

HOSTILE = (
    "' OR 1=1; DROP TABLE ci; --", '"}) DETACH DELETE n //', "`]-() RETURN 1", "$param {x: 1} \\u0041 \\",
    "<script>alert(1)</script>", "{{ 7*7 }} ${7*7} %s {0}", "Grüße, 世界 🌍 \u202e\ufffd", "\x01\x02\x1f\x7f",
    " spaces  and\ttabs\r\n", "../../etc/passwd", "=cmd|'/C calc'!A0",
)  # fmt: skip


def hostile(text: str) -> Observation:
    """The text in every place that takes one."""
    return Observation(
        ref=text, class_="server", address="10.0.0.1", native_key=text, identifiers={"name": [text], text: [text]},
        attributes={"name": text, text: text, "list": [text], "object": {text: text}}, sections={"name": text},
        components=[
            Component(text + "c", "web_server", text, section=text, identifiers={"name": [text]},
                      attributes={"name": text, "listens": [text]}),
        ],
        relations=[
            Relation("depends_on", End(address=text, port=1, protocol="tcp"), evidence=text, group=text, section=text),
            Relation("depends_on", End(native_key=text + "n"), from_=End(ref=text)),
            Relation("installs", End(class_="software_package", key=text, attributes={"name": text, text: text})),
            Relation("supported_by", End(class_="support_group", name=text)),
        ],
    )  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_what_looks_like_code_is_stored_and_given_back(either: Estate, text: str) -> None:
    sample = Sample(text, text, 1.0, text[:32], component=text + "c")
    either.tell(
        0, hostile(text), target=text, source=text, site=text, agent=text, scan=text, id_=text, samples=[sample],
        coverage={text: "complete"},
    )  # fmt: skip
    ci = either.ci(text, "server")
    assert ci["attributes"] == {"name": text, text: text, "list": [text], "object": {text: text}}
    answer = show(either.store, VIEWER, ci["id"], now_ms=minute(1))
    assert (answer.summary.name, answer.summary.site) == (text, text)
    assert [(part.name, part.attributes["listens"]) for part in answer.components] == [(text, [text])]
    assert (answer.sources[0].source, answer.sources[0].agent) == (text, text)
    assert answer.samples[0].name == text
    package = either.ci(text, "software_package")
    assert package["attributes"] == {"name": text, "purl": text, text: text}
    assert {end.evidence for end in answer.open_ends} == {text, ""}
    found = search(either.store, VIEWER, text.strip() or "x", projections=Projections(either.store), now_ms=minute(1))
    assert {hit.ci.name for hit in found} == {text}
    fed = either.tell(1, hostile(text), target=text, source=text, site=text, agent=text, coverage={text: "complete"})
    assert fed.unchanged
    assert either.tell(2, host("next", "10.0.0.2")).observations == 1
