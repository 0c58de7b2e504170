from __future__ import annotations

import json
import zipfile
from pathlib import Path

import httpx
import pytest

from cmdb_server.answers.proof_file import pack, unpack
from tests.serving import Served


@pytest.fixture(scope="module")
def pool(server: Served) -> None:
    """A service on a pool of two."""
    bearer = {"Authorization": f"Bearer {server.token}"}
    ids: list[str] = []
    for name, class_, type_ in (
        ("p-1", "server", ""),
        ("p-2", "server", ""),
        ("pool", "load_balancer", "load_balances"),
    ):
        relations = [{"type": type_, "ci": one} for one in ids] if type_ else []
        body = {"class": class_, "name": name, "relations": relations}
        answer = httpx.post(f"{server.url}/api/v1/cis", json=body, headers=bearer)
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["id"])


@pytest.mark.usefixtures("pool")
def test_a_person_checks_an_answer(cmdb, tmp_path: Path) -> None:
    shown = cmdb("prove", "p-1")
    assert shown.code == 0 and "fails itself" in shown.out and "holds, having lost 1" in shown.out
    file = tmp_path / "proof.json"
    assert cmdb("prove", "p-1", "p-2", "--output", str(file)).code == 0
    told = cmdb("check", str(file))
    assert told.code == 0 and "holds" in told.out and "2 claims" not in told.out and "3 claims" in told.out
    forged = json.loads(file.read_text())
    forged["claims"].pop()
    file.write_text(json.dumps(forged))
    told = cmdb("check", str(file))
    assert told.code == 1 and "does not hold" in told.out


@pytest.mark.usefixtures("pool")
def test_an_answer_of_any_size(cmdb, tmp_path: Path) -> None:
    file = tmp_path / "proof.zip"
    assert cmdb("prove", "p-1", "p-2", "--output", str(file)).code == 0
    assert zipfile.is_zipfile(file) and list(tmp_path.iterdir()) == [file]
    told = cmdb("check", str(file))
    assert told.code == 0 and "holds" in told.out and "3 claims" in told.out
    question, columns = unpack(file.read_bytes())
    columns.told["claim_rank"][-1] = 0
    file.write_bytes(pack(question, columns))
    told = cmdb("check", str(file))
    assert told.code == 1 and "does not hold" in told.out
    file.write_bytes(b"PK and no more")
    assert cmdb("check", str(file)).code == 1
    assert cmdb("prove", "nobody", "--output", str(tmp_path / "none.zip")).code == 5
    assert not (tmp_path / "none.zip").exists()


def test_what_is_no_proof(cmdb, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("{")
    assert cmdb("check", str(file)).code == 2
    file.write_text("{}")
    assert cmdb("check", str(file)).code == 1
    assert cmdb("check", str(tmp_path / "none.json")).code == 2
