from __future__ import annotations

import pytest

from cmdb_agent import targets
from cmdb_agent.settings import SnmpAccess, SshAccess
from cmdb_agent.targets import Sweep, TargetError


@pytest.mark.parametrize(
    ("text", "kind", "host", "port", "name"),
    [
        ("local", "local", "", 0, "local"),
        ("ssh://web1", "ssh", "web1", 22, "web1"),
        ("ssh://scan@Web1.Example.:2222", "ssh", "web1.example", 2222, "web1.example:2222"),
        ("ssh://10.0.0.1/", "ssh", "10.0.0.1", 22, "10.0.0.1"),
        ("ssh://[2001:DB8:0::1]", "ssh", "2001:db8::1", 22, "2001:db8::1"),
        ("ssh://[2001:db8::1]:2222", "ssh", "2001:db8::1", 2222, "[2001:db8::1]:2222"),
        ("ssh://2001:db8::1", "ssh", "2001:db8::1", 22, "2001:db8::1"),
        ("snmp://10.0.0.1", "snmp", "10.0.0.1", 161, "10.0.0.1"),
        ("snmp://env:COMMUNITY@10.0.0.1:1161", "snmp", "10.0.0.1", 1161, "10.0.0.1:1161"),
    ],
)
def test_targets(text: str, kind: str, host: str, port: int, name: str) -> None:
    target = targets.parse(text)
    assert (target.kind, target.host, target.port, target.name) == (kind, host, port, name)


def test_user_and_community_of_the_url_come_before_the_settings() -> None:
    assert targets.parse("ssh://a@h", SshAccess(user="b", keys=("env:K",))).ssh == SshAccess(user="a", keys=("env:K",))
    assert targets.parse("ssh://h", SshAccess(user="b")).ssh.user == "b"
    assert targets.parse("ssh://DOMAIN%5Cadmin@h").ssh.user == "DOMAIN\\admin"
    assert targets.parse("ssh://me@corp.example@h").ssh.user == "me@corp.example"
    assert targets.parse("snmp://file:/etc/c@h").snmp.community == "file:/etc/c"
    assert targets.parse("snmp://h", snmp=SnmpAccess(community="env:C")).snmp.community == "env:C"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "web1",
        "telnet://web1",
        "ssh://",
        "ssh://web1:0",
        "ssh://web1:99999",
        "ssh://web1:ssh",
        "ssh://-oProxyCommand=x",
        "ssh://web 1",
        "ssh://10.0.0.256",
        "ssh://web1/path",
        "ssh://[::1",
        "ssh://-l@web1",
        "local://x",
        "snmp://10.0.0.1/24",
    ],
)
def test_what_is_no_target_is_named(text: str) -> None:
    with pytest.raises(TargetError) as refused:
        targets.parse(text)
    assert text.rpartition("@")[2] in str(refused.value)


@pytest.mark.parametrize("text", ["ssh://root:hunter2@web1", "snmp://hunter2@switch1", "http://u:hunter2@x"])
def test_a_secret_in_a_target_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(TargetError) as refused:
        targets.parse(text)
    assert "hunter2" not in str(refused.value)


def test_jumps_use_the_same_way_in_unless_they_name_a_user() -> None:
    access = SshAccess(user="scan", keys=("env:K",), pins=("SHA256:x",), jump="ssh://b1, ssh://hop@b2:2222")
    first, second = targets.jumps(access)
    assert (first.host, first.ssh.user, first.ssh.keys) == ("b1", "scan", ("env:K",))
    assert (second.name, second.ssh.user) == ("b2:2222", "hop")
    assert first.ssh.jump == "", "a hop has no hops of its own"
    assert first.ssh.pins == (), "the target's pins are not the bastion's"


def test_a_range_is_every_address_that_a_host_can_bear() -> None:
    swept = targets.expand("ssh://scan@10.0.0.0:2222/29", SshAccess(keys=("env:K",)))
    assert [target.host for target in swept] == [f"10.0.0.{last}" for last in range(1, 7)]
    assert {(target.port, target.ssh.user, target.ssh.keys) for target in swept} == {(2222, "scan", ("env:K",))}
    assert [target.sweep for target in swept] == [
        Sweep("10.0.0.0/29", part, 6, "10.0.0.0/29", 6) for part in range(1, 7)
    ]
    assert [one.host for one in targets.expand("snmp://10.0.0.4/31")] == ["10.0.0.4", "10.0.0.5"]
    assert [one.host for one in targets.expand("snmp://[2001:db8::]/126")] == [
        "2001:db8::", "2001:db8::1", "2001:db8::2", "2001:db8::3",
    ]  # fmt: skip


def test_a_span_is_every_address_between_its_ends_and_swept_whole_piece_by_piece() -> None:
    swept = targets.expand("ssh://scan@10.0.0.5-8:2222")
    assert {(target.port, target.ssh.user) for target in swept} == {(2222, "scan")}
    assert [(one.host, one.sweep) for one in swept] == [
        ("10.0.0.5", Sweep("10.0.0.5/32", 1, 1, "10.0.0.5-10.0.0.8", 4)),
        ("10.0.0.6", Sweep("10.0.0.6/31", 1, 2, "10.0.0.5-10.0.0.8", 4)),
        ("10.0.0.7", Sweep("10.0.0.6/31", 2, 2, "10.0.0.5-10.0.0.8", 4)),
        ("10.0.0.8", Sweep("10.0.0.8/32", 1, 1, "10.0.0.5-10.0.0.8", 4)),
    ]
    over = targets.expand("snmp://env:C@10.0.0.254-10.0.1.1", exclude=["10.0.1.0"])
    assert [one.host for one in over] == ["10.0.0.254", "10.0.0.255", "10.0.1.1"]
    assert {one.snmp.community for one in over} == {"env:C"}


def test_what_is_no_range_is_one_target() -> None:
    for text in (
        "ssh://web-1",
        "ssh://10-0-0-1.example",
        "local",
        "ssh://10.0.0.1/",
        "ssh://me@host",
        "snmp://file:/etc/24@h",
    ):
        assert targets.expand(text) == [targets.parse(text)]


def test_exclusions_leave_ranges_that_are_swept_whole() -> None:
    swept = targets.expand("ssh://10.0.0.0/28", exclude=["10.0.0.5", "10.0.0.8/29", "192.0.2.0/24", "2001:db8::/64"])
    assert [target.host for target in swept] == [f"10.0.0.{last}" for last in (1, 2, 3, 4, 6, 7)]
    told = [(one.sweep.range, one.sweep.part, one.sweep.parts, one.sweep.addresses) for one in swept if one.sweep]
    assert told == [
        ("10.0.0.0/30", 1, 3, 6), ("10.0.0.0/30", 2, 3, 6), ("10.0.0.0/30", 3, 3, 6), ("10.0.0.4/32", 1, 1, 6),
        ("10.0.0.6/31", 1, 2, 6), ("10.0.0.6/31", 2, 2, 6),
    ]  # fmt: skip
    assert targets.expand("ssh://10.0.0.0/28", exclude=["10.0.0.0/8"]) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ssh://10.0.0.1/28", "host bits"),
        ("ssh://10.0.0.0/20", "4096 addresses"),
        ("ssh://host/28", "not a range"),
        ("ssh://10.0.0.0/33", "not a range"),
        ("ssh://10.0.0.9-5", "not a range"),
        ("ssh://10.0.0.9-256", "not a range"),
        ("ssh://10.0.0.9-10.0.9.1", "2297 addresses"),
    ],
)
def test_ranges_that_are_none(text: str, said: str) -> None:
    with pytest.raises(TargetError, match=said):
        targets.expand(text)


def test_a_range_is_not_swept_through_another_host_nor_with_an_exclusion_that_is_none() -> None:
    with pytest.raises(TargetError, match="directly"):
        targets.expand("ssh://10.0.0.0/28", SshAccess(jump="ssh://bastion"))
    with pytest.raises(TargetError, match="exclude 'web1'"):
        targets.expand("ssh://10.0.0.0/28", exclude=["web1"])
