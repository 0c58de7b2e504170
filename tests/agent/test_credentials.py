"""Vault is a small HTTP server here that speaks the documented KV v2 answers: a real one cannot be had."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cmdb_agent import credentials
from cmdb_agent.credentials import CredentialError
from cmdb_agent.errors import MissingExtra


def test_a_file_without_its_last_line_end(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret \n")
    assert credentials.resolve(f"file:{tmp_path}/secret") == "s3cret "


def test_a_file_is_read_at_each_use(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    for text in ("old", "new"):
        secret.write_text(text)
        assert credentials.resolve(f"file:{secret}") == text


def test_the_environment() -> None:
    assert credentials.resolve("env:NAME", {"NAME": "s3cret"}) == "s3cret"


@pytest.mark.parametrize("reference", ["file:/no/such/file", "env:NOT_SET", "vault:nowhere", "vault:kv/path#field"])
def test_a_reference_that_leads_nowhere_is_named(reference: str) -> None:
    with pytest.raises(CredentialError, match=reference.split("#")[0]):
        credentials.resolve(reference, {})


@pytest.mark.parametrize("secret", ["hunter2", "hunter2:with-colon", "https://hunter2", "file:", ""])
def test_what_is_no_reference_is_not_repeated(secret: str) -> None:
    with pytest.raises(CredentialError) as refused:
        credentials.resolve(secret)
    assert "hunter2" not in str(refused.value)


def test_files_that_hold_no_secret(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "large").write_text("x" * 70_000)
    for name in ("binary", "large"):
        with pytest.raises(CredentialError, match=name):
            credentials.resolve(f"file:{tmp_path}/{name}")


def test_without_keyring_its_installation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(MissingExtra, match="pip install keyring"):
        credentials.resolve("keyring:cmdb/agent")


class Vault(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.headers["X-Vault-Token"] != "root-token":
            status, body = 403, {"errors": ["permission denied"]}
        elif self.path == "/v1/kv/data/hosts/web":
            status, body = 200, {"data": {"data": {"password": f"s3cret{self.headers.get('X-Vault-Namespace', '')}"}}}
        else:
            status, body = 404, {"errors": []}
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def vault() -> Iterator[dict[str, str]]:
    server = HTTPServer(("127.0.0.1", 0), Vault)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield {"VAULT_ADDR": f"http://127.0.0.1:{server.server_port}", "VAULT_TOKEN": "root-token"}
    server.shutdown()
    server.server_close()
    thread.join()


def test_vault(vault: dict[str, str]) -> None:
    assert credentials.resolve("vault:kv/hosts/web#password", vault) == "s3cret"
    assert credentials.resolve("vault:kv/hosts/web#password", vault | {"VAULT_NAMESPACE": "-team"}) == "s3cret-team"


@pytest.mark.parametrize(
    ("reference", "changes", "said"),
    [
        ("vault:kv/hosts/web#user", {}, "no such field"),
        ("vault:kv/hosts/db#password", {}, "404"),
        ("vault:kv/hosts/web#password", {"VAULT_TOKEN": "other"}, "403"),
        ("vault:kv/hosts/web#password", {"VAULT_ADDR": "http://10.0.0.1:8200"}, "https"),
        ("vault:kv/hosts/web#password", {"VAULT_ADDR": "http://127.0.0.1:1"}, "ConnectError"),
    ],
)
def test_vault_refuses(vault: dict[str, str], reference: str, changes: dict[str, str], said: str) -> None:
    with pytest.raises(CredentialError, match=said) as refused:
        credentials.resolve(reference, vault | changes)
    assert "root-token" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("http://127.0.0.1:80", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:80/x", True),
        ("http://localhost", True),
        ("http://localhost.example", False),
        ("http://10.0.0.1", False),
        ("http://127.0.0.1.example", False),
        ("http://127.0.0.1@evil.example", False),
    ],
)
def test_loopback(url: str, ours: bool) -> None:
    assert credentials.is_loopback(url) is ours
