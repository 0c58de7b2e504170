from __future__ import annotations

import pytest

from cmdb_server.model.weighing import shipped, weights_of

BASE = {
    "join": 8, "review": 4, "apart": -12, "void": 64, "native_key": {"agree": 12}, "place": {"agree": 4},
    "name": {"agree": 4, "differ": -5}, "groups": {"installation": {"most": 10, "least": -6}},
    "kinds": {"serial": {"group": "hardware", "agree": 14, "differ": -10}},
}  # fmt: skip


def test_a_family_refines_the_default_and_holds_only_within_itself() -> None:
    weights = weights_of({"default": BASE, "pump": {"name": {"agree": 6}, "kinds": {"serial": {"agree": 9}}}})
    pump = weights.between("pump", "pump")
    assert (pump.name_agree, pump.name_differ, pump.kinds[0].agree, pump.kinds[0].differ) == (6, -5, 9, -10)
    assert weights.between("pump", "computer") is weights.default is weights.between("x", "x")
    assert weights.strong == {"serial"}
    assert weights.known == {"serial", "name", "fqdn", "label"}


def test_a_misspelt_setting_of_a_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="agrees"):
        weights_of({"default": BASE, "pump": {"kinds": {"serial": {"agrees": 9}}}})


def test_the_shipped_weights_keep_the_promises_the_rules_rest_on() -> None:
    family = shipped().default
    kinds = {kind.name: kind for kind in family.kinds}
    assert family.apart < 0 < family.review < family.join
    assert family.name_agree < family.join, "names alone never join"
    assert family.name_agree + family.place >= family.join, "name and place together do"
    assert family.most + family.name_agree + kinds["mac"].differ < family.join, "a copied image is no machine"
    hardware = kinds["serial"].differ + kinds["uuid"].differ + kinds["mac"].differ
    assert hardware + family.most + family.name_agree <= family.apart, "replaced hardware is another machine"
    assert shipped().strong == {
        "serial", "uuid", "instance_uuid", "mac", "chassis_id", "machine_id", "ssh_host_key", "engine_id",
    }  # fmt: skip
