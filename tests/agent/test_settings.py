from __future__ import annotations

from pathlib import Path

import pytest

from cmdb_agent import settings
from cmdb_agent.errors import SettingsError

TOML = """
agent = "edge-1"
site = "fra1"
server = "https://cmdb.example"
token = "file:/etc/cmdb-agent/token"
every = "15m"
[ssh]
user = "scan"
keys = ["file:/etc/cmdb-agent/id"]
known_hosts = ["/etc/cmdb-agent/known_hosts"]
[snmp]
community = "env:COMMUNITY"
[limits]
script_s = 20
[[targets]]
address = "ssh://web1"
every = "5m"
[targets.ssh]
user = "other"
[[targets]]
address = "snmp://switch1"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(TOML)
    return path


def test_the_file_is_read(file: Path) -> None:
    read = settings.load(file, {})
    assert (read.agent, read.site, read.server) == ("edge-1", "fra1", "https://cmdb.example")
    assert read.ssh.keys == ("file:/etc/cmdb-agent/id",)
    assert (read.limits.script_s, read.limits.banner_s) == (20.0, 5.0)


def test_targets_inherit_the_general_way_in_and_replace_parts_of_it(file: Path) -> None:
    web, switch = settings.load(file, {}).targets
    assert (web.every, web.ssh.user, web.ssh.keys) == ("5m", "other", ("file:/etc/cmdb-agent/id",))
    assert (switch.every, switch.ssh.user, switch.snmp.community) == ("15m", "scan", "env:COMMUNITY")


def test_environment_over_file_and_options_over_both(file: Path) -> None:
    environ = {
        "CMDB_AGENT_CONFIG": str(file),
        "CMDB_AGENT_SITE": "env",
        "CMDB_AGENT_AGENT": "env",
        "CMDB_AGENT_SSH_KEYS": "file:/a,file:/b",
        "CMDB_AGENT_LIMITS_OUTPUT_BYTES": "1000",
    }
    read = settings.load(environ=environ, options={"site": "option", "ssh_user": "root", "command": print})
    assert (read.site, read.agent, read.ssh.user) == ("option", "env", "root")
    assert read.ssh.keys == ("file:/a", "file:/b")
    assert read.limits.output_bytes == 1000
    assert read.targets[1].ssh.user == "root"


def test_without_anything_there_are_usable_defaults(tmp_path: Path) -> None:
    read = settings.load(environ={"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path)})
    assert read.agent
    assert read.spool.endswith("cmdb-agent/spool.sqlite")
    assert read.targets == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("sight = 'x'", "no setting sight"),
        ("[ssh]\nusr = 'x'", "no setting ssh.usr"),
        ("[[targets]]\naddress = 'local'\n[targets.ssh]\nkey = 'x'", r"targets\[local\].ssh.key"),
        ("[[targets]]\nhost = 'local'", "needs an address"),
        ("[limits]\nscript_s = 'long'", "limits.script_s"),
        ("[snmp]\nversion = '1'", "snmp.version"),
        ("every = 'often'", "not a duration"),
        ("every = '0s'", "not a duration"),
        ("ssh = 'x'", "ssh"),
        ("agent =", "Invalid value"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=named):
        settings.load(path, {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.toml"):
        settings.load(tmp_path / "absent.toml", {})


def test_durations() -> None:
    assert [settings.seconds(text) for text in ("90s", "15m", "2h", "1d")] == [90, 900, 7200, 86_400]
