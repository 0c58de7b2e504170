from __future__ import annotations

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.model.selector_vocabulary import Vocabulary

WORDS = Vocabulary.of(classes(), relation_types())


def test_a_name_is_of_every_kind_that_classes_declare() -> None:
    assert set(WORDS.fields("version")) == {"string", "number"}
    assert set(WORDS.fields("speed")["number"].units) == {"MHz", "bit/s"}
    assert WORDS.fields("name")["string"].own
    assert not WORDS.fields("name", attribute_only=True)["string"].own
    assert WORDS.fields("nothing") == {} and "os_name" in WORDS.near("os_nam")


def test_relations_are_named_both_ways_and_classes_with_their_descendants() -> None:
    assert WORDS.relations["runs_on"] == (("runs_on", False),)
    assert WORDS.relations["runs"] == (("runs_on", True),)
    assert set(WORDS.relations["connects_to"]) == {("connects_to", False), ("connects_to", True)}
    assert {"server", "linux_server"} <= WORDS.classes["computer"]
