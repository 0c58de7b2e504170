"""What deploy/ holds fits the product: sudoers, units, images and settings name things that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from cmdb_agent.probes import probes
from cmdb_server.settings import read

DEPLOY = Path(__file__).parents[1] / "deploy"
SUDOERS = DEPLOY / "sudoers.d/cmdb-agent"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def granted() -> set[str]:
    alias = SUDOERS.read_text(encoding="utf-8").partition("CMDB_PROBES = \\\n")[2].partition("\n\n")[0]
    return {command.strip() for command in alias.replace("\\\n", "").split(",")}


def test_sudoers_grants_exactly_what_probes_ask_for() -> None:
    assert granted() == {variant.command for probe in probes() for variant in probe.variants if variant.sudo}


def test_sudoers_names_no_bare_command_and_no_pattern() -> None:
    for command in granted():
        assert command.startswith("/") and " " in command and not re.search(r"[*?\[!]", command), command


@pytest.mark.skipif(shutil.which("visudo", path="/usr/sbin:/usr/bin") is None, reason="visudo is not installed")
def test_sudoers_parses() -> None:
    subprocess.run(["/usr/sbin/visudo", "-c", "-f", SUDOERS], check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_understood(unit: Path, tmp_path: Path) -> None:
    """Checked with the program and user that a host would have."""
    text = unit.read_text(encoding="utf-8")
    text = re.sub(r"^ExecStart=\S+", f"ExecStart={shutil.which('true')}", text, flags=re.MULTILINE)
    (tmp_path / unit.name).write_text(re.sub(r"^(User|Group)=\S+$", r"\1=root", text, flags=re.MULTILINE))
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", tmp_path / unit.name], check=False, capture_output=True, text=True
    )
    assert unit.name not in result.stderr, result.stderr


def test_an_agent_that_scans_its_own_host_may_use_sudo_and_sees_the_hosts_mounts() -> None:
    """Each of these implies NoNewPrivileges or a mount namespace, in systemd.exec(5)."""
    unit = (DEPLOY / "systemd/cmdb-agent.service").read_text(encoding="utf-8")
    for setting in ("NoNewPrivileges", "ProtectSystem", "PrivateTmp", "Restrict", "SystemCallFilter", "DynamicUser"):
        assert not re.search(rf"^{setting}", unit, flags=re.MULTILINE)


def test_compose_sets_settings_that_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    environment = dict(services["server"]["environment"])
    for name in ("CMDB_TLS_CERTIFICATE", "CMDB_TLS_KEY"):
        environment[name] = str(tmp_path / "made")
        (tmp_path / "made").touch()
    settings = read(environment)
    assert settings.store.engine == "neo4j" and settings.tls
    assert {name.removeprefix("CMDB_").lower() for name in environment} <= {field.name for field in fields(settings)}


@pytest.mark.parametrize("path", sorted(DEPLOY.glob("*.Dockerfile")), ids=lambda path: path.name)
def test_images_copy_what_exists_and_drop_root(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            assert all((DEPLOY.parent / source).exists() for source in line.split()[1:-1]), line
    assert any(line.startswith("USER ") for line in lines)


@pytest.mark.parametrize("path", sorted(DEPLOY.glob("*.Dockerfile")), ids=lambda path: path.name)
def test_images_keep_what_they_store_in_their_volume_where_their_user_may_write(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    [volume] = re.findall(r"^VOLUME (\S+)$", text, re.MULTILINE)
    assert re.search(rf"--home-dir {volume} --create-home", text)
    assert re.search(rf"(?:CMDB_STORE=sqlite://|CMDB_AGENT_SPOOL=){volume}/", text)


def test_images_are_sent_all_that_they_copy_and_no_more() -> None:
    told = (DEPLOY.parent / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert "*" in told
    sent = {line[1:] for line in told if line.startswith("!")}
    copied = {
        source
        for path in DEPLOY.glob("*.Dockerfile")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }
    assert sent == copied


def test_the_agents_image_holds_no_server_code() -> None:
    assert "cmdb_server" not in (DEPLOY / "agent.Dockerfile").read_text(encoding="utf-8")
