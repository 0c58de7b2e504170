from cmdb_schemas.ci_class import classes
from cmdb_server.ingest.identifying import KINDS, identifiers_of
from cmdb_server.model.weighing import shipped


def test_what_identifies_is_told_by_kind() -> None:
    told = {
        "name": "web",
        "serial_number": "S1",
        "mac_addresses": ["b", "a"],
        "os_name": "Debian",
        "fqdn": "",
        "cpus": 4,
    }
    assert identifiers_of(told) == {"mac": ["a", "b"], "name": ["web"], "serial": ["S1"]}
    assert identifiers_of(told, {"serial": ["S2"]})["serial"] == ["S1", "S2"]
    assert identifiers_of({}) == {}


def test_each_is_an_attribute_and_a_kind_that_are_known() -> None:
    attributes = {name for class_ in classes().values() for name in class_.attributes}
    assert KINDS.keys() <= attributes
    assert {*KINDS.values()} - {"name", "fqdn"} <= shipped().strong
