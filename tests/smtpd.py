"""A real SMTP server on loopback, which keeps what it takes."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "cmdb", "s3cret"


class Mailbox:
    """``reply``: what a message is answered with; None takes it. ``envelopes``: (from, to) of each that was taken."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.logins: list[str] = []
        self.reply: str | None = None
        self.encrypted: list[bool] = []
        self.port = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.reply is not None:
            return self.reply
        content = envelope.original_content or b""
        made = message_from_bytes(content, policy=default)
        assert isinstance(made, EmailMessage)
        self.messages.append(made)
        self.envelopes.append((envelope.mail_from or "", [str(one) for one in envelope.rcpt_tos]))
        self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
        return "250 taken"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 yes"

    def login(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        fits = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        self.logins.append(mechanism)
        return AuthResult(success=fits, handled=False)


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "smtpd.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def smtpd(security: str = "none", pem: Path | None = None, login: bool = False) -> Iterator[Mailbox]:
    """Serves until the block ends. ``security``: none, starttls (demanded) or tls, with the certificate of ``pem``."""
    box = Mailbox()
    trust = None
    if pem is not None:
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trust.load_cert_chain(pem)
    told: dict[str, Any] = {"hostname": "localhost", "enable_SMTPUTF8": False}
    if security == "starttls":
        told |= {"tls_context": trust, "require_starttls": True}
    if login:
        told |= {"authenticator": box.login, "auth_required": True, "auth_require_tls": security == "starttls"}
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        serving = loop.create_server(
            lambda: SMTP(box, loop=loop, **told), "127.0.0.1", 0, ssl=trust if security == "tls" else None
        )
        server = asyncio.run_coroutine_threadsafe(serving, loop).result(30)
        box.port = server.sockets[0].getsockname()[1]
        yield box
        loop.call_soon_threadsafe(server.close)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
