"""Which key is offered, and with which certificate; that a server lets it in is in test_ssh.py."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cmdb_agent import credentials
from cmdb_agent.settings import SshAccess
from cmdb_agent.transports import login
from tests import sshd

pytestmark = pytest.mark.skipif(bool(sshd.MISSING), reason=sshd.MISSING)


@pytest.fixture(params=["ed25519", "ecdsa", "rsa"])
def key(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    sshd.keygen(tmp_path / "id", "-t", request.param)
    return tmp_path / "id"


def sign(key: Path, authority: Path) -> str:
    if not authority.exists():
        sshd.keygen(authority, "-t", "ed25519")
    subprocess.run(["ssh-keygen", "-q", "-s", authority, "-I", "x", "-n", "scan", f"{key}.pub"], check=True)
    beside = key.with_name(key.name + "-cert.pub")
    text = beside.read_text()
    beside.unlink()
    return text


def offered(access: SshAccess) -> list[str]:
    return [key.public_blob.key_type if key.public_blob else key.get_name() for key in login._keys(access)]


def test_a_key_of_each_kind_is_read(key: Path) -> None:
    expected = Path(f"{key}.pub").read_text().split()[0]
    assert offered(SshAccess(keys=(f"file:{key}",))) == [expected]


def test_a_certificate_is_offered_before_the_bare_key(key: Path, tmp_path: Path) -> None:
    kind = Path(f"{key}.pub").read_text().split()[0]
    (tmp_path / "given").write_text(sign(key, tmp_path / "authority"))
    access = SshAccess(keys=(f"file:{key}",), certificates=(f"file:{tmp_path}/given",))
    assert offered(access) == [f"{kind}-cert-v01@openssh.com", kind]


def test_a_certificate_for_another_key_is_not_offered(key: Path, tmp_path: Path) -> None:
    sshd.keygen(tmp_path / "other", "-t", "ed25519")
    (tmp_path / "given").write_text(sign(tmp_path / "other", tmp_path / "authority"))
    access = SshAccess(keys=(f"file:{key}",), certificates=(f"file:{tmp_path}/given",))
    assert len(offered(access)) == 1


def test_what_is_no_key_is_named_without_its_content(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("hunter2\n")
    with pytest.raises(credentials.CredentialError, match="notes: not a private key") as refused:
        offered(SshAccess(keys=(f"file:{tmp_path}/notes",)))
    assert "hunter2" not in str(refused.value)


def test_a_key_that_is_exchanged_is_read_anew(tmp_path: Path) -> None:
    shown = []
    for _ in range(2):
        (tmp_path / "id").unlink(missing_ok=True)
        (tmp_path / "id.pub").unlink(missing_ok=True)
        sshd.keygen(tmp_path / "id", "-t", "ed25519")
        shown += [key.fingerprint for key in login._keys(SshAccess(keys=(f"file:{tmp_path}/id",)))]
    assert len(set(shown)) == 2
