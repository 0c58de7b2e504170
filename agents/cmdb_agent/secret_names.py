"""Which names tell that what they hold is a secret: ``DB_PASSWORD``, ``apiKey``, ``requirepass``, ``kennwort``."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

Telling = Literal["", "weak", "strong"]
"""``weak``: the name alone tells too little where a path is held, or in the middle of a sentence."""

_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z][^\W\d_]*")
_WITHIN = (
    "passw", "passphrase", "passcode", "ssword", "sswd", "pwd", "pswd", "passwd", "secret", "credential", "kennwort", "contrase",
    "motdepasse", "senha", "wachtwoord", "parola", "hasło", "haslo", "пароль", "apikey", "accesskey", "privatekey",
    "sharedkey", "masterkey", "encryptionkey", "signingkey", "authkey", "accountkey", "licensekey", "licencekey",
)  # fmt: skip
"""Strong wherever they stand in a name, its parts taken together."""
_PARTS = frozenset({"pass", "pw", "token", "tokens", "community", "psk", "creds", "jwt", "bearer", "hmac"})
"""Strong where they are a part of a name."""
_ENDS = ("pass", "pw", "token", "community", "psk", "authtok")
"""Strong where a part of a name ends in them: ``requirepass``, ``rocommunity``."""
_LAST = frozenset({
    "auth", "authorization", "authtok", "cookie", "cookies", "cred", "pin", "otp", "salt", "pepper", "sas", "sig",
    "signature", "license", "licence", "crypt",
})  # fmt: skip
"""Weak, and only at the end of a name: ``auth_ldap.servers`` names servers."""
_OPEN_KEYS = frozenset(
    {"public", "pub", "primary", "foreign", "sort", "partition", "routing", "cache", "host", "map", "lookup", "hot", "registry"}
)  # fmt: skip
"""What a key is of that nobody hides."""
_ABOUT = frozenset({
    "file", "files", "path", "dir", "type", "length", "len", "size", "count", "policy", "method", "mode", "timeout", "ttl",
    "expiry", "lifetime", "enabled", "disabled", "required", "encryption", "algorithm", "format", "prompt", "retries",
    "attempts", "name", "authentication",
})  # fmt: skip
"""Names that end so tell of a secret's handling."""
_TRAFFIC = re.compile(r"(?:proxy|fastcgi|uwsgi|scgi|grpc|memcached)pass(?:reverse|match)?|bypass|compass|oldpwd")
"""Directives that sound like it and name where traffic goes."""
_ENDINGS = frozenset({"hash", "value", "hex", "id", "base", "data", "s"})


@lru_cache(maxsize=8192)
def telling(name: str) -> Telling:
    """How surely what bears the name is a secret: empty when it is not."""
    parts = [part.casefold() for part in _PART.findall(unicodedata.normalize("NFKC", name))]
    joined = "".join(parts)
    if not parts or parts[-1] in _ABOUT or _TRAFFIC.fullmatch(joined):
        return ""
    if any(word in joined for word in _WITHIN) or any(part in _PARTS or part.endswith(_ENDS) for part in parts):
        return "strong"
    while len(parts) > 1 and parts[-1] in _ENDINGS:
        parts.pop()
    if parts[-1] in _LAST or parts[-1].endswith(("auth", "cookie")) or _is_key(parts):
        return "weak"
    return ""


def _is_key(parts: list[str]) -> bool:
    return parts[-1] in ("key", "keys") and not (len(parts) > 1 and parts[-2] in _OPEN_KEYS)


NEEDLES = (
    "pass", "ssword", "sswd", "pw", "pswd", "secret", "token", "key", "cred", "auth", "community", "cookie", "psk", "pin", "otp",
    "salt", "pepper", "jwt", "bearer", "hmac", "sas", "sig", "licen", "crypt", "kennwort", "contrase", "passe", "senha",
    "wachtwoord", "parola", "has\u0142o", "haslo", "\u043f\u0430\u0440\u043e\u043b\u044c",
)  # fmt: skip
"""Each telling name holds one of these, once case is folded; a plain search for them spares looking closer."""
