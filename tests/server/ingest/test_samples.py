"""Samples are kept as told, outside of the history, and belong to records."""

from __future__ import annotations

from cmdb_schemas.report import Sample
from cmdb_server.ingest.samples import Measured, in_bucket, measured, values_of
from cmdb_server.store import tables
from cmdb_server.store.port import Reading
from tests.estate import Estate, history, minute
from tests.factories import host

A, B = host("a", "10.0.0.1"), host("b", "10.0.0.2")
UPTIME = "system.uptime"


def told(estate: Estate) -> list[Measured]:
    return list(estate.store.read(lambda tx: list(measured(tx, tx.scan(tables.SAMPLED)))))


def newest(estate: Estate) -> list[float]:
    def work(tx: Reading) -> list[float]:
        keys = [(row[0], row[2], row[1], row[3]) for row in tx.scan(tables.SAMPLE)]
        return [values_of(row)[0][3] for row in tx.get(tables.SAMPLED, keys).values()]

    return list(estate.store.read(work))


def test_samples_stand_outside_of_the_history(estate: Estate) -> None:
    estate.tell(0, A, samples=[Sample("a", UPTIME, 1.0, "s")])
    before, told_of = estate.digest(), history(estate)
    ack = estate.tell(1, A, samples=[Sample("a", UPTIME, 61.0, "s")])
    assert ack.unchanged
    assert (estate.digest(), history(estate)) == (before, told_of)
    assert newest(estate) == [61.0]
    assert [(one.value, one.at) for one in told(estate)] == [(1.0, minute(0)), (61.0, minute(1))]


def test_late_samples_do_not_replace_newer_ones(estate: Estate) -> None:
    estate.tell(5, A, samples=[Sample("a", UPTIME, 5.0)])
    estate.tell(1, A, now=6, samples=[Sample("a", UPTIME, 1.0)])
    assert newest(estate) == [5.0]
    estate.tell(7, A)
    assert newest(estate) == [5.0], "a report without samples says nothing of them"


def test_a_sample_belongs_to_the_record_or_to_its_component(estate: Estate) -> None:
    samples = [Sample("b", UPTIME, 2.0), Sample("a", "io", 3.0, component="if:eth0"), Sample("nobody", "x", 1.0)]
    estate.tell(0, A, B, samples=samples)
    records = {row[0]: row for row in estate.rows(tables.RECORD)}
    (uptime,) = [one for one in told(estate) if one.name == UPTIME]
    (io,) = [one for one in told(estate) if one.name == "io"]
    assert len(told(estate)) == 2
    assert (uptime.component, io.thing) == ("", records[io.component][7])
    assert {"a", "b"} == {records[one.thing][16]["name"][0] for one in (uptime, io)}


def test_of_some_things_alone(estate: Estate) -> None:
    estate.tell(0, A, B, samples=[Sample("a", UPTIME, 1.0), Sample("b", UPTIME, 2.0)])
    (first, _) = told(estate)
    rows = estate.rows(tables.SAMPLED)
    some = estate.store.read(lambda tx: list(measured(tx, rows, frozenset((first.thing,)))))
    assert some == [first]


def test_the_same_told_twice_counts_once(estate: Estate) -> None:
    estate.tell(0, A, samples=[Sample("a", UPTIME, 1.0)])
    estate.tell(0, A, samples=[Sample("a", UPTIME, 1.0), Sample("a", "other", 2.0)])
    estate.tell(0, A, samples=[Sample("a", UPTIME, 1.0)])
    assert sorted((one.name, one.value) for one in told(estate)) == [("other", 2.0), (UPTIME, 1.0)]


def test_a_stretch_of_time_in_one_scope(estate: Estate) -> None:
    for at in range(6):
        estate.tell(at, A, samples=[Sample("a", UPTIME, float(at))])
        estate.tell(at, B, target="10.0.0.2", samples=[Sample("b", UPTIME, 9.0)])
    (scope,) = {one.scope for one in told(estate) if one.value == 5.0}
    rows = estate.store.read(lambda tx: in_bucket(tx, scope, minute(2), minute(4)))
    assert [values_of(row)[0][3] for row in rows] == [2.0, 3.0]
