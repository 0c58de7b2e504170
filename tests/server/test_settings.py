from __future__ import annotations

import os
from pathlib import Path

import pytest

from cmdb_server.errors import SettingsError
from cmdb_server.settings import Settings, StoreAddress, bind_address, read, secret, store_address


def test_nothing_told_gives_the_defaults() -> None:
    assert read({}) == Settings()


def test_everything_can_be_told(tmp_path: Path) -> None:
    (tmp_path / "cert").write_text("c")
    told = {
        "CMDB_STORE": "sqlite:///var/lib/cmdb/cmdb.db",
        "CMDB_STORE_PASSWORD": "file:/run/secrets/neo4j",
        "CMDB_BIND": "[::1]:0",
        "CMDB_PROXIES": "1",
        "CMDB_TLS_CERTIFICATE": str(tmp_path / "cert"),
        "CMDB_TLS_KEY": str(tmp_path / "cert"),
        "CMDB_MAX_REPORT": "4096",
        "CMDB_CLASSES": os.pathsep.join(["/etc/cmdb/classes", "more"]),
        "CMDB_KINDS": "/etc/cmdb/kinds",
        "CMDB_JOBS": "off",
        "CMDB_LOG_LEVEL": "debug",
        "UNRELATED": "x",
    }
    settings = read(told)
    assert settings.store == StoreAddress("sqlite", Path("/var/lib/cmdb/cmdb.db"))
    assert settings.store_password == "file:/run/secrets/neo4j"
    assert settings.bind == ("::1", 0)
    assert (settings.proxies, settings.max_report, settings.log_level) == (1, 4096, "DEBUG")
    assert settings.classes == (Path("/etc/cmdb/classes"), Path("more")) and settings.kinds == (
        Path("/etc/cmdb/kinds"),
    )
    assert settings.tls and not settings.jobs and Settings().jobs


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("CMDB_STORE", "postgres://x"),
        ("CMDB_STORE", "sqlite:"),
        ("CMDB_STORE", "sqlite://host/path"),
        ("CMDB_STORE", "neo4j://user:secret@host"),
        ("CMDB_STORE", "neo4j://"),
        ("CMDB_BIND", "127.0.0.1"),
        ("CMDB_BIND", "127.0.0.1:99999"),
        ("CMDB_PROXIES", "-1"),
        ("CMDB_WORKERS", "two"),
        ("CMDB_TLS_KEY", "/nowhere"),
        ("CMDB_LOG_LEVEL", "loud"),
        ("CMDB_JOBS", "maybe"),
        ("CMDB_SMTP_HOST", "mail.example.org:25"),
        ("CMDB_SMTP_SECURITY", "ssl"),
        ("CMDB_SMTP_PORT", "0"),
        ("CMDB_SMTP_FROM", "cmdb@example.org\nBcc: eve@example.org"),
        ("CMDB_SMTP_FROM", "CMDB <cmdb@example.org>"),
        ("CMDB_SMTP_CA", "/nowhere"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(variable: str, text: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        read({variable: text})


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cert").write_text("c")
    with pytest.raises(SettingsError, match="CMDB_TLS_KEY"):
        read({"CMDB_TLS_CERTIFICATE": str(tmp_path / "cert")})


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("sqlite:cmdb.db", StoreAddress("sqlite", Path("cmdb.db"))),
        ("sqlite:////srv/a%20b.db", StoreAddress("sqlite", Path("//srv/a b.db"))),
        ("neo4j://graph", StoreAddress("neo4j", uri="neo4j://graph", user="neo4j")),
        ("bolt://me@[::1]:7687/cmdb", StoreAddress("neo4j", uri="bolt://[::1]:7687", user="me", database="cmdb")),
        ("neo4j+s://a%40b@graph:7687", StoreAddress("neo4j", uri="neo4j+s://graph:7687", user="a@b")),
    ],
)
def test_stores(text: str, address: StoreAddress) -> None:
    assert store_address(text) == address


def test_bind_address() -> None:
    assert bind_address("0.0.0.0:8460") == ("0.0.0.0", 8460)


def test_secrets_are_read_where_their_reference_points(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    assert secret("env:X", {"X": "y"}) == "y"
    assert secret(f"file:{tmp_path / 'secret'}") == "s3cret"


@pytest.mark.parametrize("reference", ["s3cret", "env:", "env:ABSENT", "file:/nowhere/at/all", "vault:x"])
def test_a_bad_reference_is_refused_without_telling_a_secret(reference: str) -> None:
    with pytest.raises(SettingsError) as refused:
        secret(reference, {})
    if reference == "s3cret":
        assert reference not in refused.value.detail


def test_networks_that_webhooks_may_reach() -> None:
    assert read({"CMDB_WEBHOOK_NETWORKS": "10.0.0.0/8, fd00::/8"}).webhook_networks == ("10.0.0.0/8", "fd00::/8")
    with pytest.raises(SettingsError, match="CMDB_WEBHOOK_NETWORKS"):
        read({"CMDB_WEBHOOK_NETWORKS": "10.0.0.1/8"})


def test_how_long_samples_are_kept() -> None:
    assert dict(read({"CMDB_SAMPLE_DAYS": "raw=5, 1h=30"}).sample_days) == {"raw": 5, "5min": 8, "1h": 30, "1d": 1100}
    for text in ("2min=5", "raw", "raw=1", "raw=x"):
        with pytest.raises(SettingsError, match="CMDB_SAMPLE_DAYS"):
            read({"CMDB_SAMPLE_DAYS": text})


def test_mail_is_told_whole_and_encrypted_beyond_this_machine() -> None:
    mail = {"CMDB_SMTP_HOST": "mail.example.org", "CMDB_SMTP_FROM": "cmdb@example.org"}
    told = read(mail | {"CMDB_SMTP_USER": "cmdb", "CMDB_SMTP_PASSWORD": "file:/run/secrets/smtp"})
    assert (told.smtp_host, told.smtp_from, told.smtp_security) == ("mail.example.org", "cmdb@example.org", "starttls")
    assert (told.smtp_user, told.smtp_password, told.smtp_port) == ("cmdb", "file:/run/secrets/smtp", None)
    with pytest.raises(SettingsError, match="CMDB_SMTP_FROM"):
        read({"CMDB_SMTP_HOST": "mail.example.org"})
    with pytest.raises(SettingsError, match="CMDB_SMTP_SECURITY"):
        read(mail | {"CMDB_SMTP_SECURITY": "none"})
    assert read(mail | {"CMDB_SMTP_HOST": "127.0.0.1", "CMDB_SMTP_SECURITY": "none"}).smtp_host == "127.0.0.1"


@pytest.mark.parametrize(
    ("told", "folder"),
    [
        ({"CMDB_STORE": "sqlite:///var/lib/cmdb/cmdb.db"}, Path("/var/lib/cmdb/cmdb.db.snapshots")),
        ({"CMDB_STORE": "sqlite:///var/lib/cmdb/cmdb.db", "CMDB_SNAPSHOTS": "off"}, None),
        ({"CMDB_STORE": "neo4j://user@host"}, None),
        ({"CMDB_STORE": "neo4j://user@host", "CMDB_SNAPSHOTS": "/var/cache/cmdb"}, Path("/var/cache/cmdb")),
    ],
)
def test_projections_are_shared_beside_the_file_unless_told_otherwise(
    told: dict[str, str], folder: Path | None
) -> None:
    assert read(told).snapshot_folder == folder
