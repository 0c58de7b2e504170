from __future__ import annotations

import json

import httpx
import pytest

from tests.serving import Served


@pytest.fixture(scope="module")
def shop(server: Served) -> None:
    bearer = {"Authorization": f"Bearer {server.token}"}
    made: dict[str, str] = {}
    for name, to in (("ledger", None), ("till", "ledger")):
        relations = [{"type": "depends_on", "ci": made[to]}] if to else []
        body = {"class": "server", "name": name, "relations": relations}
        answer = httpx.post(f"{server.url}/api/v1/cis", json=body, headers=bearer)
        assert answer.status_code == 201, answer.text
        made[name] = answer.json()["id"]


@pytest.mark.usefixtures("shop")
def test_a_ci_and_one_attribute(cmdb) -> None:
    told = cmdb("explain", "till", "--attribute", "name")
    assert told.code == 0, told.err
    assert "name: till (only)" in told.out and "manual" in told.out


@pytest.mark.usefixtures("shop")
def test_a_relation_that_is_there_and_one_that_is_not(cmdb) -> None:
    there = cmdb("explain", "till", "depends_on", "ledger")
    assert there.code == 0, there.err
    assert "there is depends_on between them: it is claimed" in there.out and "manual" in there.out
    assert "there is used_by" not in there.out and cmdb("explain", "ledger", "used_by", "till").out == there.out
    absent = cmdb("explain", "ledger", "depends_on", "till")
    assert "there is no depends_on between them: nobody ever told of it" in absent.out
    assert json.loads(cmdb("explain", "ledger", "depends_on", "till", "--json").out)["stands"] is False


@pytest.mark.usefixtures("shop")
def test_as_of_a_time(cmdb) -> None:
    assert cmdb("explain", "till", "--at", "2999-01-01T00:00:00Z").code == 0
    for words in (("till",), ("till", "depends_on", "ledger")):
        assert cmdb("explain", *words, "--known-at", "2020-01-01T00:00:00Z").code == 5, words


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("till", "depends_on"), 2), (("till", "depends_on", "ledger", "--attribute", "name"), 2),
        (("till", "depends_on", "nobody"), 5), (("till", "worships", "ledger"), 1),
    ],
)  # fmt: skip
def test_what_cannot_be_explained(cmdb, words: tuple[str, ...], code: int) -> None:
    assert cmdb("explain", *words).code == code
