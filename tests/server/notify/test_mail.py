"""Letters to a real SMTP server, and what it takes them for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from cmdb_server.notify.mail import PORTS, Letter, MailServer, is_address, message, send
from cmdb_server.notify.webhook import RefusedError
from tests.hostile import NAMES
from tests.smtpd import PASSWORD, USER, certificate, smtpd

LETTER = Letter("ann@example.org", "CHG0000001: your shop", "text é\n", "<p>html é</p>\n", "job-1", "CHG0000001")
PLAIN = MailServer("127.0.0.1", "cmdb@example.org", "none")


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls"))


def never() -> str:
    raise AssertionError("nobody asked for a password")


def test_a_letter_has_a_text_and_an_html_part() -> None:
    with smtpd() as box:
        send(replace(PLAIN, port=box.port), never, LETTER, 1_700_000_000)
    (made,) = box.messages
    assert box.envelopes == [("cmdb@example.org", ["ann@example.org"])]
    assert (made["From"], made["To"], made["Subject"]) == ("cmdb@example.org", "ann@example.org", LETTER.subject)
    assert made["Date"] == "Tue, 14 Nov 2023 22:13:20 +0000" and made["Auto-Submitted"] == "auto-generated"
    text, html = made.get_body(("plain",)), made.get_body(("html",))
    assert text is not None and html is not None
    assert (text.get_content().splitlines(), html.get_content().splitlines()) == (["text é"], ["<p>html é</p>"])


def test_a_repeat_bears_the_same_id_and_belongs_to_its_thread() -> None:
    first, again = (message(LETTER, PLAIN.sender, at) for at in (1, 2))
    other = message(replace(LETTER, id="job-2"), PLAIN.sender, 1)
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert first["References"] == other["References"] and first["Message-ID"].endswith("@example.org>")


@given(NAMES)
def test_no_subject_adds_a_header(text: str) -> None:
    evil = f"{text}\r\nBcc: eve@example.org\r\n\r\nbody {text}"
    made = message(replace(LETTER, subject=evil), PLAIN.sender, 1)
    assert sorted(set(made.keys())) == sorted(set(message(LETTER, PLAIN.sender, 1).keys()))
    head, _, _ = made.as_bytes().partition(b"\r\n\r\n")
    assert not [line for line in head.split(b"\r\n") if line.lower().startswith(b"bcc")]


@pytest.mark.parametrize(
    "address",
    [
        "", "ann", "@example.org", "ann@", "ann@example.org\r\nBcc: eve@example.org", "ann@example.org, eve@example.org",
        "Ann <ann@example.org>", '"a b"@example.org', "ann @example.org", "ann@exa mple.org", "änn@example.org",
        "ann@example.org>", "a..b@example.org", f"{'a' * 250}@example.org", "ann@example.org\n", "ann@[127.0.0.1]",
    ],
)  # fmt: skip
def test_what_is_no_plain_address_gets_nothing(address: str) -> None:
    assert not is_address(address)
    with pytest.raises(RefusedError):
        message(replace(LETTER, to=address), PLAIN.sender, 1)
    with pytest.raises(RefusedError):
        message(LETTER, address, 1)


def test_addresses_as_people_have_them() -> None:
    assert all(map(is_address, ("ann@example.org", "a.b+c@mail.example.co.uk", "root@localhost", "o'neil@example.org")))


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_encrypted_with_a_login(pem: Path, security: str) -> None:
    with smtpd(security, pem, login=True) as box:
        server = MailServer("127.0.0.1", "cmdb@example.org", security, box.port, USER, pem)  # type: ignore[arg-type]
        send(server, lambda: PASSWORD, LETTER, 1)
        with pytest.raises(RefusedError, match="535") as refused:
            send(server, lambda: "wr0ng", LETTER, 1)
    assert box.encrypted == [True] and len(box.logins) >= 2
    assert "wr0ng" not in str(refused.value)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(pem: Path, security: str) -> None:
    with smtpd(security, pem) as box:
        server = MailServer("127.0.0.1", "cmdb@example.org", security, box.port)  # type: ignore[arg-type]
        with pytest.raises(RefusedError, match="SSLCertVerificationError"):
            send(server, never, LETTER, 1)
    assert box.messages == []


def test_nothing_is_sent_in_the_clear_where_encryption_was_asked_for() -> None:
    with smtpd() as box, pytest.raises(RefusedError, match="SMTPNotSupportedError"):
        send(replace(PLAIN, port=box.port, security="starttls"), never, LETTER, 1)
    assert box.messages == []


def test_refusals_tell_the_code() -> None:
    with smtpd() as box:
        server = replace(PLAIN, port=box.port)
        with pytest.raises(RefusedError, match="550"):
            send(server, never, replace(LETTER, to="nobody@example.org"), 1)
        box.reply = "451 later"
        with pytest.raises(RefusedError, match="451"):
            send(server, never, LETTER, 1)
    with pytest.raises(RefusedError, match="ConnectionRefusedError"):
        send(server, never, LETTER, 1)


def test_each_way_has_its_usual_port() -> None:
    assert PORTS == {"starttls": 587, "tls": 465, "none": 25}
