"""Signatures: every product against its case, and the loader against what people may write.

A case in ``tests/cases/software/<product>.json`` has a process with the product it is of, and where there is a
configuration its text (at ``path``) with the dependencies (host, port, protocol, pool) and the ports it names.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from cmdb_agent.errors import SettingsError
from cmdb_agent.observation import Process
from cmdb_agent.redact import redact_text
from cmdb_agent.software import FOLDER, signatures, software_name
from cmdb_schemas.ci_class import classes

CASES = sorted((Path(__file__).parents[1] / "cases/software").glob("*.json"))


def process(name: str, *command: str) -> Process:
    return Process(10, name, command)


def read(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return case


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_process(path: Path) -> None:
    case = read(path)
    found = signatures().of(process(case["process"]["name"], *case["process"]["command"]))
    assert case["origin"]
    assert (found.product if found else None) == case["product"]


@pytest.mark.parametrize("path", [path for path in CASES if "config" in read(path)], ids=lambda path: path.stem)
def test_configuration(path: Path) -> None:
    """Read as it comes from a host, with its secrets gone."""
    case = read(path)
    known = signatures()
    signature = next(one for one in known.all if one.product == (case["product"] or "connection-strings"))
    text = redact_text(case["config"])
    assert set(signature.dependencies(text)) == {tuple(one) for one in case["depends"]}
    assert signature.listening(text) == set(case["listens"])
    if case["path"] and case["product"] != "apache":
        assert known.reading(case["path"]) is signature


def test_classes_exist() -> None:
    assert {one.class_ for one in signatures().all} <= classes().keys()


def test_file_names_are_unique_by_product() -> None:
    products = [one.product for one in signatures().all]
    assert len(products) == len(set(products)) == len(list(FOLDER.glob("*.toml")))


@pytest.mark.parametrize(
    ("name", "command", "expected"),
    [
        ("orderworker", ["/usr/bin/python3", "/opt/orderworker/orderworker"], "orderworker"),
        ("python3", ["python3", "-m", "shop.worker"], "shop.worker"),
        ("python3", ["/usr/bin/python3", "-u", "/srv/billing/app.py"], "billing"),
        ("java", ["java", "-Xmx1g", "-jar", "/opt/pay/pay-service-1.4.2.jar"], "pay-service"),
        ("java", ["java", "-cp", "/opt/x/*", "com.example.orders.OrderServer"], "OrderServer"),
        ("bash", ["/bin/bash", "/usr/local/bin/sync.sh"], "sync"),
        ("my-daemon", ["/usr/sbin/my-daemon", "--foreground"], "my-daemon"),
        ("python3", ["python3", "-c", "print(1)"], "python3"),
        ("x", [], "x"),
    ],
)
def test_what_has_no_signature_is_called_by_what_it_runs(name: str, command: list[str], expected: str) -> None:
    assert software_name(process(name, *command)) == expected


def test_users_add_and_replace_signatures(tmp_path: Path) -> None:
    (tmp_path / "billing.toml").write_text('product = "billing"\nclass = "app_server"\nnames = ["billingd"]\n')
    (tmp_path / "cron.toml").write_text('product = "fcron"\nnames = ["fcron"]\n')
    known = signatures(tmp_path)
    found = known.of(process("billingd", "/opt/billing/billingd"))
    assert found is not None
    assert (found.product, found.class_) == ("billing", "app_server")
    assert known.of(process("cron", "cron")) is None
    assert known.of(process("fcron", "fcron")) is not None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("product = 1 =", "bad.toml"),
        ('class = "application"', "product"),
        ('product = "x"\nnmaes = ["x"]', "nmaes"),
        ('product = "x"\nrole = "master"', "role"),
        ('product = "x"\n[config]\nlisten = ["listen (\\\\d+)"]', "port"),
        ('product = "x"\n[[config.depends]]\npattern = "("', "bad.toml"),
        ('product = "x"\n[[config.depends]]\npattern = "(?P<host>x)"\nprotocol = "icmp"', "protocol"),
    ],
)
def test_a_bad_signature_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(SettingsError, match=complaint):
        signatures(tmp_path)


@pytest.mark.parametrize("piece", ["server ", "host=", "psql -h ", "a=b ", "\n", "mysql://", "x host=a ", "curl "])
def test_hostile_configuration_takes_time_in_proportion(piece: str) -> None:
    known = signatures()

    def seconds(length: int) -> float:
        text = (piece * 480)[:480].replace("\n", " ") + "\n"
        text *= length // 480
        best = 9.0
        for _ in range(2):
            started = time.process_time()
            known.dependencies(text)
            best = min(best, time.process_time() - started)
        return best

    assert seconds(16_000) < 10 * seconds(4_000) + 0.1


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="none: no such folder of signatures"):
        signatures(tmp_path / "none")
