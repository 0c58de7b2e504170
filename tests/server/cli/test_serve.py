from __future__ import annotations

import json
import signal
import socket
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from cmdb_server.cli.exits import CommandError
from cmdb_server.cli.serve import serve, url
from cmdb_server.settings import Settings
from tests.serving import PATIENCE_S, Served, served, start


@pytest.mark.parametrize("dev", [False, True])
def test_a_free_port_is_taken_told_and_left(tmp_path: Path, dev: bool) -> None:
    # One worker, which hears the signal once it has answered; another might still be on its way into the world.
    running = start(tmp_path, dev=dev, CMDB_WORKERS="1")
    try:
        assert httpx.get(f"{running.url}/health/ready", timeout=PATIENCE_S).json()["status"] == "ok"
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(PATIENCE_S) in (0, 130)
    finally:
        if running.process.poll() is None:
            running.kill()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", httpx.URL(running.url).port or 0)) != 0


def test_every_line_of_the_log_is_json_with_the_request(tmp_path: Path) -> None:
    with served(tmp_path) as running:
        id_ = httpx.get(f"{running.url}/nowhere", timeout=PATIENCE_S).headers["X-Request-Id"]
    lines = [json.loads(line) for line in running.log.read_text().splitlines()]
    assert [line["status"] for line in lines if line.get("request_id") == id_] == [404]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "cmdb.example"])
def test_plain_http_beyond_this_machine_is_not_even_started(host: str) -> None:
    with pytest.raises(CommandError, match="CMDB_PROXIES"):
        serve(replace(Settings(), bind=(host, 0)), None, None, print, dev=False)


def test_a_bad_address_is_told() -> None:
    with pytest.raises(CommandError, match="--bind nonsense"):
        serve(Settings(), "nonsense", None, print, dev=False)


def test_the_url_of_a_socket() -> None:
    assert url(Settings(), ("127.0.0.1", 80)) == "http://127.0.0.1:80"
    assert url(Settings(tls_certificate=Path("c"), tls_key=Path("k")), ("::1", 443, 0, 0)) == "https://[::1]:443"


def test_tls_is_served_with_the_certificate_of_the_settings(tmp_path: Path) -> None:
    certificate, key = _self_signed(tmp_path)
    with served(tmp_path, CMDB_TLS_CERTIFICATE=str(certificate), CMDB_TLS_KEY=str(key)) as running:
        assert running.url.startswith("https://")
        answer = httpx.get(f"{running.url}/health/live", verify=False, timeout=PATIENCE_S)
        assert "Strict-Transport-Security" in answer.headers


def _self_signed(folder: Path) -> tuple[Path, Path]:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cmdb")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key").write_bytes(private)
    return folder / "crt", folder / "key"


def test_the_longest_selector_fits_into_an_address(server: Served) -> None:
    terms = " || ".join(['name == "web"'] * 256)
    asked = {"select": terms[:4076].rpartition(" || ")[0]}
    bearer = {"Authorization": f"Bearer {server.token}"}
    answer = httpx.get(f"{server.url}/api/v1/cis", params=asked, headers=bearer, timeout=PATIENCE_S)
    assert answer.status_code == 200, answer.text
