from __future__ import annotations

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types


def test_all_classes_with_inherited_attributes(reader) -> None:
    told = {kind["name"]: kind for kind in reader.get("/api/v1/classes").json}
    assert set(told) == set(classes())
    server = reader.get("/api/v1/classes/server").json
    assert server == told["server"]
    assert server["ancestors"][-1] == "ci"
    assert {one["name"] for one in server["attributes"]} == set(classes()["server"].attributes)
    memory = next(one for one in server["attributes"] if one["name"] == "memory")
    assert memory["schema"]["required"] == ["value", "unit"]
    assert told["application_service"]["life"] is None and not told["application_service"]["discovered"]


def test_an_unknown_class_is_404(reader) -> None:
    assert reader.get("/api/v1/classes/teapot").status_code == 404


def test_all_types_of_relation_with_the_way_failure_flows(reader) -> None:
    told = {kind["name"]: kind for kind in reader.get("/api/v1/relation-types").json}
    assert set(told) == set(relation_types())
    assert (told["depends_on"]["impact"], told["depends_on"]["gate"]["kind"]) == ("to_from", "all")
