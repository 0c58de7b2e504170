"""Secrets by reference, resolved when they are used and never kept: not in settings, reports, logs or messages.

``file:/path`` (its text, one trailing newline removed), ``env:NAME``, ``keyring:SERVICE/USER`` (the optional keyring
library), ``vault:MOUNT/PATH#FIELD`` (HashiCorp Vault, KV version 2, by ``VAULT_ADDR``, ``VAULT_TOKEN`` and, where set,
``VAULT_NAMESPACE``). A value that is no reference is refused without being repeated: it may be the secret itself.
"""

from __future__ import annotations

import importlib
import ipaddress
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx

from cmdb_agent.errors import AgentError, MissingExtra

_VAULT_TIMEOUT_S = 10.0
_LARGEST = 65_536


class CredentialError(AgentError):
    """A reference leads nowhere, or is none."""

    kind = "credential"


def resolve(reference: str, environ: Mapping[str, str] = os.environ) -> str:
    """The secret behind a reference. Raises ``CredentialError`` naming the reference, never the secret."""
    scheme, rest = split(reference)
    return _SCHEMES[scheme](rest, environ)


def split(reference: str) -> tuple[str, str]:
    """Scheme and rest of a reference, so that a wrong one is refused before it is needed."""
    scheme, colon, rest = reference.partition(":")
    if not colon or scheme not in _SCHEMES or not rest:
        raise CredentialError("a secret was given where a reference belongs (file:/path, env:NAME, keyring:, vault:)")
    return scheme, rest


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine, so that plain HTTP crosses no network."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _file(path: str, _: Mapping[str, str]) -> str:
    try:
        with Path(path).expanduser().open(encoding="utf-8") as stream:
            text = stream.read(_LARGEST + 1)
    except OSError as error:
        raise CredentialError(f"file:{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CredentialError(f"file:{path}: not text") from None
    if len(text) > _LARGEST:
        raise CredentialError(f"file:{path}: larger than {_LARGEST} characters")
    return text.removesuffix("\n").removesuffix("\r")


def _env(name: str, environ: Mapping[str, str]) -> str:
    if not environ.get(name):
        raise CredentialError(f"env:{name}: not set")
    return environ[name]


def _keyring(name: str, _: Mapping[str, str]) -> str:
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        raise MissingExtra(f"keyring:{name} needs the keyring library: pip install keyring") from None
    service, _slash, user = name.partition("/")
    secret = keyring.get_password(service, user)
    if not isinstance(secret, str):
        raise CredentialError(f"keyring:{name}: no such entry")
    return secret


def _vault(name: str, environ: Mapping[str, str]) -> str:
    path, hash_, key = name.partition("#")
    mount, slash, below = path.partition("/")
    if not (hash_ and key and slash and below):
        raise CredentialError(f"vault:{name}: expected vault:MOUNT/PATH#FIELD")
    if not (environ.get("VAULT_ADDR") and environ.get("VAULT_TOKEN")):
        raise CredentialError(f"vault:{name}: VAULT_ADDR and VAULT_TOKEN must be set")
    address = environ["VAULT_ADDR"].rstrip("/")
    if not address.startswith("https://") and not is_loopback(address):
        raise CredentialError(f"vault:{name}: VAULT_ADDR must be https beyond this machine")
    headers = {"X-Vault-Token": environ["VAULT_TOKEN"]}
    if environ.get("VAULT_NAMESPACE"):
        headers["X-Vault-Namespace"] = environ["VAULT_NAMESPACE"]
    try:
        answer = httpx.get(
            f"{address}/v1/{quote(mount)}/data/{quote(below)}", headers=headers, timeout=_VAULT_TIMEOUT_S
        )
        answer.raise_for_status()
        secret = answer.json()["data"]["data"][key]
    except httpx.HTTPStatusError as error:
        raise CredentialError(f"vault:{name}: Vault answered {error.response.status_code}") from None
    except httpx.HTTPError as error:
        raise CredentialError(f"vault:{name}: {type(error).__name__}") from None
    except (ValueError, KeyError, TypeError):
        raise CredentialError(f"vault:{name}: no such field") from None
    return str(secret)


_SCHEMES: dict[str, Callable[[str, Mapping[str, str]], str]] = {
    "file": _file,
    "env": _env,
    "keyring": _keyring,
    "vault": _vault,
}
