from __future__ import annotations

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.model.selector_check import check
from cmdb_server.model.selector_lexer import SelectorError
from cmdb_server.model.selector_parser import parse
from cmdb_server.model.selector_vocabulary import Vocabulary

WORDS = Vocabulary.of(classes(), relation_types())


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ('os_nam == "x"', 1, "did you mean os_name"),
        ('class == "servr"', 10, "did you mean server"),
        ('class in ["server", "rooter"]', 21, "did you mean router"),
        ('isa("servr")', 5, "did you mean server"),
        ('rel("depend_on")', 5, "did you mean depends_on"),
        ('rel("runs_on").os_nam == "x"', 16, "no class has"),
        ('warranty_expires < "2026-01-01"', 20, "write timestamp"),
        ('cpu_count == "4"', 14, "cpu_count is a number, not a string"),
        ('memory > quantity("3 GHz")', 10, "told in By, not in GHz"),
        ("speed > 1000", 9, "different units"),
        ('ip_addresses == "x"', 17, "list of strings"),
        ("purchase_cost > 3", 17, "only there or not"),
        ("1", 1, "expected a condition"),
        ("name", 1, "expected a condition"),
        ("name && is_virtual", 1, "expected a condition"),
        ('name.matches("(a")', 15, "without its"),
        ('name.match("a")', 6, "did you mean matches"),
        ('cpu_count.startsWith("4")', 1, "looks at texts"),
        ("startsWith(name)", 1, "NAME.startsWith"),
        ("has(1)", 5, "has takes a name"),
        ("has(name, id)", 1, "one argument"),
        ("attr(name)", 6, "in quotes"),
        ('timestamp("x") < now', 11, "RFC 3339"),
        ("environment in [1]", 17, "not a number"),
        ("os_name == cpu_count", 9, "not of one type"),
        ('rel("runs_on").name == name', 21, "compared with values"),
        ("is_virtual < true", 12, "cannot be compared by <"),
        ("now + 1 < warranty_expires", 5, "makes no sense"),
        ("name.first", 6, "attr"),
        ("4 in cpu_count", 6, "no list"),
    ],
)
def test_what_does_not_fit_is_told_with_its_column(text: str, column: int, message: str) -> None:
    with pytest.raises(SelectorError, match=message) as refused:
        check(parse(text), WORDS)
    assert refused.value.column == column
