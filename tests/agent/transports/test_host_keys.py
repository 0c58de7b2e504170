"""known_hosts files are written by the real ssh-keygen where it is there."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import pytest

from cmdb_agent.errors import SettingsError, TransportError
from cmdb_agent.settings import SshAccess
from cmdb_agent.transports import host_keys

BLOB, OTHER = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + b"k" * 32, b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + b"o" * 32
KEY, OTHER_KEY = base64.b64encode(BLOB).decode(), base64.b64encode(OTHER).decode()


def file(tmp_path: Path, *lines: str) -> SshAccess:
    (tmp_path / "known").write_text("\n".join(lines) + "\n")
    return SshAccess(known_hosts=(str(tmp_path / "known"),))


def accepted(access: SshAccess, host: str = "web1", port: int = 22) -> bool:
    try:
        host_keys.pinned(host, port, access).check("ssh-ed25519", BLOB)
    except TransportError as error:
        assert error.kind == "host-key"
        return False
    return True


@pytest.mark.parametrize(
    ("names", "host", "port", "expected"),
    [
        ("web1", "web1", 22, True),
        ("web1,10.0.0.1", "10.0.0.1", 22, True),
        ("web1", "web2", 22, False),
        ("web1", "web1", 2222, False),
        ("[web1]:2222", "web1", 2222, True),
        ("[web1]:2222", "web1", 22, False),
        ("web?", "web1", 22, True),
        ("*.example,!bad.example", "good.example", 22, True),
        ("*.example,!bad.example", "bad.example", 22, False),
        ("[*]:2222", "web1", 2222, True),
    ],
)
def test_names(tmp_path: Path, names: str, host: str, port: int, expected: bool) -> None:
    assert accepted(file(tmp_path, f"{names} ssh-ed25519 {KEY} comment"), host, port) is expected


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs ssh-keygen (Debian: openssh-client)")
def test_hashed_names(tmp_path: Path) -> None:
    access = file(tmp_path, f"web1 ssh-ed25519 {KEY}", f"[web2]:2222 ssh-ed25519 {KEY}")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", tmp_path / "known"], check=True, capture_output=True)
    assert "web1" not in (tmp_path / "known").read_text()
    assert accepted(access)
    assert accepted(access, "web2", 2222)
    assert not accepted(access, "web2")


def test_fingerprint_is_that_of_ssh_keygen(tmp_path: Path) -> None:
    if not shutil.which("ssh-keygen"):
        pytest.skip("needs ssh-keygen (Debian: openssh-client)")
    (tmp_path / "k.pub").write_text(f"ssh-ed25519 {KEY}\n")
    told = subprocess.run(["ssh-keygen", "-lf", tmp_path / "k.pub"], check=True, capture_output=True, text=True).stdout
    assert told.split()[1] == host_keys.fingerprint(BLOB)


def test_another_key_of_the_same_host_is_a_change_and_both_are_named(tmp_path: Path) -> None:
    pins = host_keys.pinned("web1", 22, file(tmp_path, f"web1 ssh-ed25519 {OTHER_KEY}"))
    with pytest.raises(TransportError, match="changed") as refused:
        pins.check("ssh-ed25519", BLOB)
    assert host_keys.fingerprint(BLOB) in str(refused.value)
    assert host_keys.fingerprint(OTHER) in str(refused.value)


def test_several_keys_may_be_pinned(tmp_path: Path) -> None:
    assert accepted(file(tmp_path, f"web1 ssh-ed25519 {OTHER_KEY}", f"web1 ssh-ed25519 {KEY}"))


def test_a_revoked_key_is_refused_even_when_pinned(tmp_path: Path) -> None:
    assert not accepted(file(tmp_path, f"web1 ssh-ed25519 {KEY}", f"@revoked * ssh-ed25519 {KEY}"))


def test_pinned_types_are_named_for_the_negotiation(tmp_path: Path) -> None:
    access = file(tmp_path, f"web1 ssh-rsa {KEY}", f"web1 ssh-ed25519 {KEY}", f"@revoked web1 ecdsa {OTHER_KEY}")
    assert host_keys.pinned("web1", 22, access).types == ["ssh-rsa", "ssh-ed25519"]


@pytest.mark.parametrize(
    "line", ["", "# comment", "web1", "web1 ssh-ed25519", "web1 ssh-ed25519 ???", "@cert-authority * a AAAA"]
)
def test_lines_that_pin_nothing(line: str) -> None:
    assert list(host_keys.parse(line)) == []


@pytest.mark.parametrize("pin", [f"ssh-ed25519 {KEY}", f"ssh-ed25519 {KEY} me@here", host_keys.fingerprint(BLOB)])
def test_pins_in_the_settings(pin: str) -> None:
    assert accepted(SshAccess(pins=(pin,)))


def test_a_pin_for_another_key_refuses() -> None:
    with pytest.raises(TransportError, match="changed"):
        host_keys.pinned("web1", 22, SshAccess(pins=(host_keys.fingerprint(OTHER),))).check("ssh-ed25519", BLOB)


@pytest.mark.parametrize("pin", ["ssh-ed25519", "MD5:aa:bb", "ssh-ed25519 not-base64!"])
def test_what_is_no_pin_is_named(pin: str) -> None:
    with pytest.raises(SettingsError, match="not a host key pin"):
        host_keys.pinned("web1", 22, SshAccess(pins=(pin,)))


def test_a_missing_file_of_pins_is_named_not_ignored(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="absent"):
        host_keys.pinned("web1", 22, SshAccess(known_hosts=(str(tmp_path / "absent"),)))


def test_enrolling_only_what_is_unknown(tmp_path: Path) -> None:
    enrolled = tmp_path / "enrolled"
    access = SshAccess(enrol_host_keys=str(enrolled))
    assert accepted(access)
    assert enrolled.read_text() == f"web1 ssh-ed25519 {KEY}\n"
    assert accepted(access)
    assert enrolled.read_text().count("\n") == 1
    with pytest.raises(TransportError, match="changed"):
        host_keys.pinned("web1", 22, access).check("ssh-ed25519", OTHER)


def test_what_cannot_be_enrolled_is_refused(tmp_path: Path) -> None:
    assert not accepted(SshAccess(enrol_host_keys=str(tmp_path / "no" / "folder")))
