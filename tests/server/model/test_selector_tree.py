from __future__ import annotations

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.model.selector import Selector
from cmdb_server.model.selector_tree import Field, Moment, fields
from cmdb_server.model.selector_vocabulary import Vocabulary


def test_all_fields_of_a_selector_are_found() -> None:
    text = '!(os_name == fqdn) || is_virtual == (rel("runs").cpu_count in [1]) && has(location)'
    tree = Selector.of(text, Vocabulary.of(classes(), relation_types())).tree
    assert fields(tree) == {
        Field("os_name", "string"), Field("fqdn", "string"), Field("is_virtual", "boolean"),
        Field("cpu_count", "number"), Field("location", "other"),
    }  # fmt: skip


def test_moments_are_times_or_follow_now() -> None:
    assert Moment(5).at(100) == 5
    assert Moment(5, after_now=True).at(100) == 105
