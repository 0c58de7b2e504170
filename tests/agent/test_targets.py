from __future__ import annotations

import pytest

from cmdb_agent import targets
from cmdb_agent.settings import SnmpAccess, SshAccess
from cmdb_agent.targets import TargetError


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
