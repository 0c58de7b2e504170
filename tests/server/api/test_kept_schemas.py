from __future__ import annotations

from cmdb_server.api.kept_schemas import KindSchema, kind_told, shown
from cmdb_server.practices.kept_rows import Kept
from cmdb_server.practices.kind_files import kinds

THING = Kept(
    "CHG0000001", "change", "new", 1, "ann", 0, 0, 1, {"summary": "x", "type": "emergency"}, {"changed": ("a",)}
)


def test_a_thing_tells_what_is_possible_while_its_kind_is_known() -> None:
    assert shown(THING, kinds())["possible"] == ["authorise", "exempt", "cancel"]
    assert shown(THING, kinds())["created_at"] == "1970-01-01T00:00:00.000Z"
    assert shown(THING, {})["possible"] == []


def test_every_kind_can_be_told() -> None:
    for kind in kinds().values():
        told = KindSchema().dump(kind_told(kind))
        assert [one["name"] for one in told["fields"]] == list(kind.fields)
        assert {state for one in told["transitions"] for state in (*one["from"], one["to"])} <= set(told["states"])
