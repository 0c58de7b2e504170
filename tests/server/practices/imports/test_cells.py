from __future__ import annotations

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.practices.imports.cells import FORMULA, neutral, plain, value_of

SERVER = classes()["server"]


@pytest.mark.parametrize("start", FORMULA)
def test_no_cell_begins_a_formula_and_reading_it_takes_that_back(start: str) -> None:
    assert neutral(f"{start}1+1") == f"'{start}1+1"
    assert neutral(f"1{start}") == f"1{start}"
    assert plain(neutral(f"{start}1")) == f"{start}1"
    assert plain("'tis") == "'tis"


@pytest.mark.parametrize(
    ("name", "cell", "wanted"),
    [
        ("cpu_count", "4", 4), ("cpu_count", "4.5", "4.5"), ("cpu_count", "x", "x"), ("is_virtual", "No", False),
        ("is_virtual", "maybe", "maybe"), ("memory", "16", {"value": 16, "unit": "By"}),
        ("memory", '{"value": 1, "unit": "GiB"}', {"value": 1, "unit": "GiB"}), ("memory", "much", "much"),
        ("purchase_cost", '{"amount": 1, "currency": "EUR"}', {"amount": 1, "currency": "EUR"}),
        ("labels", "a;b ;", ["a", "b"]), ("labels", '["a;b"]', ["a;b"]), ("os_name", "4", "4"),
        ("cpu_count", "inf", "inf"), ("cpu_count", "nan", "nan"),
    ],
)  # fmt: skip
def test_values(name: str, cell: str, wanted: object) -> None:
    attribute = SERVER.attribute(name)
    assert attribute is not None
    assert value_of(attribute, cell) == wanted
