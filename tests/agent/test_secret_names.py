"""Names tell of secrets in any spelling, and names that only sound like it do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_agent.secret_names import NEEDLES, telling

WIDE = "".join(chr(ord(letter) + 0xFEE0) for letter in "password")
"""In the letters that East Asian keyboards make."""


@pytest.mark.parametrize(
    "name",
    [
        "password", "DB_PASSWORD", "DB_PASSWORD_PROD", "passwordHash", "requirepass", "masterauth", "rocommunity", "apiKey", "API-KEY",
        "spring.datasource.password", "--client-secret", "keystorePass", "sa_pwd", "dbpw", "Kennwort", "mot_de_passe", "пароль",
        WIDE, "aws_secret_access_key", "_authToken", "PresharedKey", "pswd", "p4ssword", "JWT", "AccountKey",
    ],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert telling(name)


@pytest.mark.parametrize("name", ["app.key", "key", "cookie", "basic_auth", "pin", "sig", "ssl_certificate_key"])
def test_names_that_tell_little(name: str) -> None:
    assert telling(name) == "weak"


@pytest.mark.parametrize(
    "name",
    [
        "", "-", "port", "host", "proxy_pass", "ProxyPassReverse", "fastcgi_pass", "password_file", "PasswordAuthentication",
        "auth_ldap.servers.1", "public_key", "primaryKey", "HostKey", "monkey_business", "author", "authority", "mapping", "signal",
        "password_encryption", "compass", "1", "keyboard",
    ],
)  # fmt: skip
def test_names_of_other_things(name: str) -> None:
    assert not telling(name)


@given(st.lists(st.sampled_from([*NEEDLES, "_", "-", "Db", "x1", "Api", "KEY", "File"]), max_size=5).map("".join))
def test_a_search_for_parts_of_words_passes_over_no_telling_name(name: str) -> None:
    if telling(name):
        assert any(needle in name.casefold() for needle in NEEDLES)


@given(st.text(max_size=60))
def test_any_name_is_taken(name: str) -> None:
    assert telling(name) in ("", "weak", "strong")
