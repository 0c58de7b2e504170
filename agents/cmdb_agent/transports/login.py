"""Logs in to an SSH server: keys, OpenSSH user certificates, passwords, in this order, all by reference."""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Iterator

import paramiko

from cmdb_agent import credentials
from cmdb_agent.errors import TransportError
from cmdb_agent.settings import SshAccess
from cmdb_agent.targets import Target

_KINDS: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)

_worked: dict[tuple[str, int, str], bytes] = {}
"""Which key let us in last time: every wrong one counts against the server's limit and is logged there."""


def log_in(connection: paramiko.Transport, target: Target, user: str) -> None:
    """Tries each key, then the password. Raises ``TransportError`` of kind ``auth`` that tells what was refused, and
    ``CredentialError`` when a reference leads nowhere."""
    tried: list[str] = []
    at = (target.host, target.port, user)
    for key in sorted(_keys(target.ssh), key=lambda key: _offered(key) != _worked.get(at)):
        tried.append(f"{key.get_name()} {key.fingerprint}")
        try:
            further = connection.auth_publickey(user, key)
        except paramiko.BadAuthenticationType:
            break
        except paramiko.AuthenticationException as error:
            _stop_when_gone(connection, target, error)
            continue
        _worked[at] = _offered(key)
        if not further:
            return
        break
    if target.ssh.password:
        tried.append("a password")
        with contextlib.suppress(paramiko.BadAuthenticationType):
            if not connection.auth_password(user, credentials.resolve(target.ssh.password)):
                return
    what = ", ".join(tried) or "no key or password is configured"
    raise TransportError(f"{target.name}: not let in as {user} with {what}", "auth")


def _stop_when_gone(connection: paramiko.Transport, target: Target, error: paramiko.AuthenticationException) -> None:
    if "timeout" in str(error).lower():
        raise error
    if not connection.is_active():
        raise TransportError(f"{target.name}: the server ended the log-in: too many attempts", "auth") from error


def _keys(access: SshAccess) -> Iterator[paramiko.PKey]:
    """Each key, before it the same key with a certificate that was made for it."""
    passphrase = credentials.resolve(access.passphrase) if access.passphrase else None
    given = [credentials.resolve(reference) for reference in access.certificates]
    for reference in access.keys:
        text = credentials.resolve(reference)
        key = _load(text, passphrase, reference)
        for certificate in [*_beside(reference), *given]:
            if _is_for(certificate, key):
                yield _load(text, passphrase, reference, certificate)
        yield key


def _beside(reference: str) -> list[str]:
    """The certificate that ``ssh-keygen -s`` leaves beside a key file."""
    try:
        return [credentials.resolve(reference + "-cert.pub")] if reference.startswith("file:") else []
    except credentials.CredentialError:
        return []


def _is_for(certificate: str, key: paramiko.PKey) -> bool:
    """A certificate holds the public key it certifies, without its type, after a nonce."""
    try:
        blob = paramiko.pkey.PublicBlob.from_string(certificate)
    except (ValueError, paramiko.SSHException):
        return False
    public = key.asbytes()
    return public[4 + int.from_bytes(public[:4], "big") :] in blob.key_blob


@functools.lru_cache(maxsize=64)
def _load(text: str, passphrase: str | None, reference: str, certificate: str = "") -> paramiko.PKey:
    """A private key, parsed once: checking an RSA key costs more than using it. A rotated file is another text."""
    for kind in _KINDS:
        try:
            key = kind.from_private_key(io.StringIO(text), passphrase)
        except paramiko.PasswordRequiredException:
            raise credentials.CredentialError(f"{reference}: the key is encrypted, name its passphrase") from None
        except (paramiko.SSHException, ValueError, IndexError):
            continue
        if certificate:
            key.load_certificate(certificate)
        return key
    raise credentials.CredentialError(f"{reference}: not a private key that can be read, or a wrong passphrase")


def _offered(key: paramiko.PKey) -> bytes:
    return key.public_blob.key_blob if key.public_blob else key.asbytes()
