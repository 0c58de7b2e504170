"""Secrets go, everything else stays readable."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_agent import redact
from cmdb_agent.redact import MASK, redact_command, redact_text

SECRETS = st.text(string.ascii_letters + string.digits + "!#%+-._~", min_size=8, max_size=40).filter(
    lambda text: text[0].isalnum() and text not in "password"
)
NAMES = st.sampled_from([
    "password", "PASSWORD", "db_password", "DB_PASSWD", "mysql.pwd", "api_key", "apiKey", "API-KEY", "secret", "client_secret",
    "token", "ACCESS_TOKEN", "auth_token", "passphrase", "private_key", "requirepass", "masterauth", "aws_secret_access_key",
    "rocommunity", "session_cookie", "spring.datasource.password",
])  # fmt: skip
SHAPES = st.sampled_from([
    "{n}={s}", "{n} = {s}", "{n}: {s}", '"{n}": "{s}"', "{n} => '{s}'", "export {n}={s}", "--{n}={s}", "--{n} {s}",
    "{n} {s}", "{n}='{s}'", 'Environment="{n}={s}"',
])  # fmt: skip


@given(NAMES, SHAPES, SECRETS, st.sampled_from(["", "# before\n", "host = 10.0.0.9\n"]))
def test_what_a_telling_name_holds_is_gone(name: str, shape: str, secret: str, before: str) -> None:
    told = redact_text(before + shape.format(n=name, s=secret) + "\nport = 5432\n")
    assert secret not in told
    assert MASK in told
    assert told.startswith(before)
    assert told.endswith("\nport = 5432\n")


@given(SECRETS.filter(lambda s: "/" not in s), st.sampled_from(["postgresql", "redis", "amqp", "https", "mongodb+srv"]))
def test_urls_keep_where_they_lead(secret: str, scheme: str) -> None:
    told = redact_text(f"URL={scheme}://app:{secret}@10.0.0.9:5432/shop?sslmode=require")
    assert secret not in told
    assert "@10.0.0.9:5432/shop?sslmode=require" in told


@given(NAMES, SECRETS)
def test_commands_keep_their_words(name: str, secret: str) -> None:
    for argv in ([f"--{name}", secret], [f"--{name}={secret}"], [f"{name}={secret}"]):
        told = redact_command(["/opt/shop/bin/shop", *argv, "--listen", "0.0.0.0:8000"])
        assert not any(secret in word for word in told)
        assert len(told) == len(argv) + 3
        assert told[-2:] == ("--listen", "0.0.0.0:8000")


@given(st.text(max_size=300))
def test_any_text_is_taken_and_nothing_more_is_found_in_what_is_left(text: str) -> None:
    once = redact_text(text)
    assert once.count("\n") <= text.count("\n")
    assert redact_text(once).count("\n") == once.count("\n")


@given(st.lists(st.text(max_size=40), max_size=12))
def test_any_command_keeps_its_length(argv: list[str]) -> None:
    assert len(redact_command(argv)) == len(argv)


@pytest.mark.parametrize(
    ("argv", "index"),
    [
        (["mysql", "-h", "db", "-phunter2secret"], 3),
        (["sshpass", "-p", "hunter2secret", "ssh", "host"], 2),
        (["redis-cli", "-h", "cache", "-a", "hunter2secret"], 4),
        (["curl", "-u", "user:hunter2secret", "http://host/"], 2),
        (["curl", "-H", "Authorization: Bearer hunter2secret"], 2),
        (["erl", "-setcookie", "hunter2secret"], 2),
        (["env", "PGPASSWORD=hunter2secret", "psql"], 1),
        (["snmpwalk", "-v2c", "-c", "hunter2secret", "switch"], 3),
    ],
)
def test_known_programs(argv: list[str], index: int) -> None:
    told = redact_command(argv)
    assert "hunter2secret" not in " ".join(told)
    assert [word for at, word in enumerate(told) if at != index] == [w for at, w in enumerate(argv) if at != index]


@pytest.mark.parametrize(
    "text",
    [
        "proxy_pass http://10.0.0.4:8000;",
        "fastcgi_pass 127.0.0.1:9000;",
        "ProxyPass /api http://app1:8080/",
        "server web1 10.0.0.2:8080 check cookie web1",
        "DATABASE_URL=postgresql://shop@10.0.0.9:5432/shop",
        "BalancerMember http://10.0.0.4:3000 keepalive=On",
        "nginx: worker process",
        "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/data -p 5432",
        "ssl_certificate_key /etc/ssl/private/shop.key;",
    ],
)
def test_what_tells_of_traffic_stays(text: str) -> None:
    assert redact_text(text) == text


def test_keys_and_tokens_by_their_form() -> None:
    pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----"
    assert redact_text(f"a\n{pem}\nb") == f"a\n{MASK}\nb"
    assert "MIIEow" not in redact_text(pem.rsplit("\n", 1)[0])
    for token in ("AKIAIOSFODNN7EXAMPLE", "ghp_" + "a1" * 18, "glpat-" + "x" * 20, "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln"):
        assert token not in redact_text(f"x {token} y")


@pytest.mark.parametrize("piece", ["a-", "a.", "password", "--a_", "://a:", "x=", "'", '"\\'])
def test_hostile_text_takes_time_in_proportion(piece: str) -> None:
    """Four times the text may not take anything like sixteen times as long."""

    def seconds(length: int) -> float:
        text = (piece * length)[:length] + " password=x"
        best = 9.0
        for _ in range(3):
            started = time.process_time()
            redact_text(text)
            best = min(best, time.process_time() - started)
        return best

    assert seconds(40_000) < 10 * seconds(10_000) + 0.05


_PIECES = st.sampled_from([
    "password", "db_pass", "api_key", "=", ":", " ", "\n", "\n\n", "\t", "x", "secret", "Bearer ", "abcdef1", "://", "u:p@h",
    '"', "'", "-", "--", "#", "ordinary", "listen 80", "PASSWD", "\u017fecret", "ü", "auth", "{", "}", ",",
])  # fmt: skip


@given(st.lists(_PIECES, max_size=60).map("".join))
def test_looking_only_at_telling_lines_finds_what_looking_at_all_does(text: str) -> None:
    """The short way round is taken for long texts; what it passes over must hold nothing."""
    long = "\n".join(["plain setting on"] * 40) + "\n" + text + "\n" + "\n".join(["worker 4"] * 20)
    assert redact.redact_text(long) == redact._redacted(long)


@given(
    st.lists(
        st.sampled_from([
            "pass", "PWD", "Secret", "api", "ACCESS", "private", "_", "-", " ", "\n", "key", "KEY", "://", "@", "/", "user:pw",
            "basic", "Bearer", "negotiate", "x", "AKIA", "gh", "p", "ghp_", "glpat", "xox", "eyJ", "sk_", "\u017f", "\u212aey", "\u0130",
        ]),
        max_size=8,
    )
)  # fmt: skip
def test_a_look_for_words_finds_what_the_pattern_finds(parts: list[str]) -> None:
    text = "".join(parts)
    if text.isascii():
        assert redact._may_hold(text) == (redact._SUSPECT.search(text) is not None)
    assert redact_text(text) == _slowly(text)


def _slowly(text: str) -> str:
    """As ``redact_text`` does, with the pattern alone."""
    text = redact._PEM.sub(MASK, text)
    return redact._redacted(text) if redact._SUSPECT.search(text) else text
