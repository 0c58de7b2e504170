"""Sends messages over SMTP: one recipient each, a text and an HTML part, and nothing in a header that is not one.

What goes into headers came from people and hosts. It loses its line ends before it gets there, addresses are accepted
in their plain form alone, and the library refuses what would still break a header.
"""

from __future__ import annotations

import hashlib
import re
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Literal

from cmdb_server.notify.webhook import RefusedError
from cmdb_server.settings import ADDRESS

TIMEOUT_S = 30.0
PORTS = {"starttls": 587, "tls": 465, "none": 25}
LONGEST_SUBJECT = 200
Security = Literal["starttls", "tls", "none"]
_BROKEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. ``port`` None: the usual one. ``ca``: certificates to trust instead of the system's.
    ``user`` None: without logging in."""

    host: str
    sender: str
    security: Security = "starttls"
    port: int | None = None
    user: str | None = None
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """What one recipient is told. ``id``: the same for every attempt, by which a repeat is known; ``thread``: the same
    for all letters about one thing."""

    to: str
    subject: str
    text: str
    html: str
    id: str
    thread: str


def is_address(text: str) -> bool:
    """Whether it is a mail address in its plain form, such as ann@example.org."""
    return len(text) <= 254 and ADDRESS.fullmatch(text) is not None


def message(letter: Letter, sender: str, at_s: int) -> EmailMessage:
    """The letter as it is sent. Raises RefusedError for what is no address."""
    made = EmailMessage(policy=SMTP)
    domain = _address(sender).domain
    made["From"], made["To"] = _address(sender), _address(letter.to)
    made["Subject"] = _BROKEN.sub(" ", letter.subject).strip()[:LONGEST_SUBJECT]
    made["Date"] = format_datetime(datetime.fromtimestamp(at_s, UTC))
    made["Message-ID"] = _id(letter.id, domain)
    made["References"] = _id(letter.thread, domain)
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(letter.text)
    made.add_alternative(letter.html, subtype="html")
    return made


def send(server: MailServer, password: Callable[[], str], letter: Letter, at_s: int) -> None:
    """Hand a letter in. ``password`` is called if there is a user. Raises RefusedError unless it was taken."""
    made = message(letter, server.sender, at_s)
    try:
        with _connected(server) as connection:
            if server.user is not None:
                connection.login(server.user, password())
            connection.send_message(made, server.sender, [letter.to])
    except smtplib.SMTPResponseException as error:
        raise RefusedError(f"{server.host} answered {error.smtp_code}") from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        raise RefusedError(f"{server.host} refuses the recipient: {', '.join(map(str, codes))}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise RefusedError(f"{server.host}: {type(error).__name__}") from None


def _connected(server: MailServer) -> smtplib.SMTP:
    port = server.port or PORTS[server.security]
    greeting = _address(server.sender).domain
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, port, greeting, timeout=TIMEOUT_S, context=_trust(server))
    connection = smtplib.SMTP(server.host, port, greeting, timeout=TIMEOUT_S)
    if server.security == "starttls":
        try:
            connection.starttls(context=_trust(server))
        except BaseException:
            connection.close()
            raise
    return connection


def _trust(server: MailServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=None if server.ca is None else str(server.ca))


def _address(text: str) -> Address:
    if not is_address(text):
        raise RefusedError("no mail address in its plain form")
    return Address(addr_spec=text)


def _id(text: str, domain: str) -> str:
    return f"<{hashlib.sha256(text.encode()).hexdigest()[:32]}@{domain}>"
