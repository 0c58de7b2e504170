"""Takes secrets out of command lines and texts before anything is stored or sent.

What looks like a secret is replaced by ``***``; the rest stays readable, because names, hosts and ports are what
discovery lives on. When in doubt, the value goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

MASK = "***"

_WORD = (
    r"(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?"
    r"|auth(?:orization)?|community|cookie)"
)
_TRAFFIC = r"(?!(?:proxy|fastcgi|uwsgi|scgi|grpc|memcached)_?pass\b)"
"""Directives that end in a telling word and name where traffic goes."""
_NAME = rf"{_TRAFFIC}(?:[A-Za-z0-9]+[_.-]+)*[A-Za-z0-9]*{_WORD}(?:[_.-]?(?:hash|value|hex|id|key|base64|s|[0-9]+))*"
_START = r"(?<![A-Za-z0-9_.-])"

_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_USERINFO = re.compile(r"(?P<head>://[^\s/:@'\"]*):(?P<secret>[^\s/'\"]*)@")
_ONLY_SECRET = re.compile(r"://(?P<secret>[^\s/:@'\"]{20,})@")
_ASSIGNED = re.compile(
    rf"(?P<head>{_START}[\"']?[_.-]*{_NAME}[\"']?\s*(?:=>|:=|=|:)[ \t]*)"
    r"(?P<secret>\"(?:[^\"\\\n]|\\.)*\"?|'(?:[^'\\\n]|\\.)*'?|[^\s,;&|)}\]]+)",
    re.IGNORECASE,
)
_FLAGGED = re.compile(rf"(?P<head>(?<!\S)--?{_NAME}[ \t]+)(?P<secret>\"[^\"\n]*\"|'[^'\n]*'|[^\s-]\S*)", re.IGNORECASE)
_SPACED = re.compile(
    rf"^(?P<head>[ \t]*(?:set[ \t]+)?(?:user[ \t]+\S+[ \t]+)?[\"']?{_NAME}[ \t]+)(?P<secret>(?![=:{{]).+)$",
    re.IGNORECASE | re.MULTILINE,
)
_HEADER = re.compile(
    r"(?P<head>\b(?:Basic|Bearer|Digest|Negotiate|Token)[ \t]+)(?P<secret>[A-Za-z0-9._~+/=-]{6,})", re.IGNORECASE
)
_KNOWN = re.compile(
    r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*|sk_(?:live|test)_[A-Za-z0-9]{10,})"
)
_SUSPECT = re.compile(
    rf"{_WORD}|masterauth|://[^\s/]*@|PRIVATE KEY|\b(?:Basic|Bearer|Digest|Negotiate)\s|AKIA|gh[pousr]_|glpat-|xox|eyJ|sk_",
    re.IGNORECASE,
)
"""Finds at once whether there is anything to look at, which is seldom so."""

_NEEDLES = (
    "pass", "pwd", "secret", "token", "key", "credential", "auth", "community", "cookie", "://", "basic", "bearer",
    "digest", "negotiate", "akia", "gh", "glpat", "xox", "eyj", "sk_",
)  # fmt: skip
"""Of whatever ``_SUSPECT`` finds, one of these is a part, once case is folded."""
_TELLING = (
    "pass", "pwd", "secret", "token", "credential", "auth", "community", "cookie", "private key", "akia", "glpat-",
    "xox", "eyj", "sk_", *(f"gh{letter}_" for letter in "pousr"),
    *(f"{what}{sign}key" for what in ("api", "access", "private") for sign in ("", "_", "-")),
)  # fmt: skip
"""What ``_SUSPECT`` finds in plain ASCII, but for what it asks more of than a word."""
_TELLING_WITHIN = (
    ("://", re.compile(r"://[^\s/]*@")),
    *((word, re.compile(rf"\b{word}\s")) for word in ("basic", "bearer", "digest", "negotiate")),
)
_AFTER, _LINE = re.compile(r"\s*[^\n]*"), re.compile(r"[^\n]+")
_SHORT = 400

_SECRET_FLAG = re.compile(rf"--?{_NAME}", re.IGNORECASE)
_ATTACHED = {
    "mysql": "-p",
    "mysqldump": "-p",
    "mysqladmin": "-p",
    "mariadb": "-p",
    "mariadb-dump": "-p",
    "sshpass": "-p",
}
"""Programs whose one-letter option holds the password in the same word (``-pSECRET``)."""
_FOLLOWING = {
    "sshpass": ("-p",), "redis-cli": ("-a",), "mosquitto_sub": ("-P",), "mosquitto_pub": ("-P",), "curl": ("-u", "--user"),
    "snmpwalk": ("-c", "-A", "-X"), "snmpget": ("-c", "-A", "-X"), "ldapsearch": ("-w",), "wget": ("--password",),
    "smbclient": ("-U",), "ipmitool": ("-P",), "openssl": ("-k", "-pass", "-passin", "-passout"), "sqlcmd": ("-P",),
    "xfreerdp": ("/p",), "mongo": ("-p",), "mongosh": ("-p",), "mongodump": ("-p",),
}  # fmt: skip
"""Programs whose one-letter option is followed by a secret."""


def redact_text(text: str) -> str:
    """The text without passwords, tokens, keys and URL credentials. Line breaks and everything else stay."""
    if not _may_hold(text):
        return text
    if "PRIVATE KEY" in text:
        text = _PEM.sub(MASK, text)
    if len(text) < _SHORT:
        return _redacted(text) if _may_hold(text) else text
    parts, end = list[str](), 0
    for start, stop in _suspicious(text):
        parts += text[end:start], _redacted(text[start:stop])
        end = stop
    return "".join(parts) + text[end:] if parts else text


def _has_needle(text: str) -> bool:
    """Whether some part of a telling word is there at all, which a plain search finds much sooner than a pattern."""
    folded = text.casefold()
    return any(needle in folded for needle in _NEEDLES)


def _may_hold(text: str) -> bool:
    """Whether ``_SUSPECT`` finds anything. Where case folds letter by letter a plain search for each word answers much
    sooner than the pattern."""
    if not text.isascii():
        return _has_needle(text) and _SUSPECT.search(text) is not None
    folded = text.lower()
    for word in _TELLING:
        if word in folded:
            return True
    return any(word in folded and pattern.search(folded) for word, pattern in _TELLING_WITHIN)


def _suspicious(text: str) -> Iterator[tuple[int, int]]:
    """Where to look: each line with a telling word, up to the end of the next that is not blank, where its value may
    stand. Most of a configuration file is neither."""
    begun, ended = 0, -1
    for start, end in _lines_with_needle(text):
        if not _may_hold(text[start:end]):
            continue
        if start > ended:
            if ended >= 0:
                yield begun, ended
            begun = start
        after = _AFTER.search(text, end)
        ended = max(ended, after.end() if after else len(text))
    if ended >= 0:
        yield begun, ended


def _lines_with_needle(text: str) -> Iterator[tuple[int, int]]:
    """Beginning and end of each line that may hold something, in their order."""
    if not text.isascii():  # folding case may change a text's length
        yield from ((found.start(), found.end()) for found in _LINE.finditer(text))
        return
    folded, starts = text.lower(), set[int]()
    for needle in _NEEDLES:
        at = folded.find(needle)
        while at >= 0:
            starts.add(folded.rfind("\n", 0, at) + 1)
            end = folded.find("\n", at)
            at = folded.find(needle, end) if end >= 0 else -1
    for start in sorted(starts):
        end = folded.find("\n", start)
        yield start, end if end >= 0 else len(text)


def _redacted(text: str) -> str:
    text = _USERINFO.sub(rf"\g<head>:{MASK}@", text)
    text = _ONLY_SECRET.sub(f"://{MASK}@", text)
    text = _KNOWN.sub(MASK, text)
    for pattern in (_HEADER, _ASSIGNED, _FLAGGED, _SPACED):
        text = pattern.sub(rf"\g<head>{MASK}", text)
    return text


def redact_command(argv: Sequence[str]) -> tuple[str, ...]:
    """A command line, word by word, without secrets: in the value of a telling option, in the word after it, in an
    assignment, in a URL, or where a known program expects one. The number of words stays the same."""
    program = _program(argv)
    following, attached = _FOLLOWING.get(program, ()), _ATTACHED.get(program)
    if not following and not attached and not _may_hold(" ".join(argv)):
        return tuple(argv)
    words: list[str] = []
    hide = False
    for word in argv:
        words.append(MASK if hide and not word.startswith("--") else _redact_word(word, attached))
        hide = word in following or _SECRET_FLAG.fullmatch(word) is not None or word.endswith(("Bearer", "Basic"))
    return tuple(words)


def _redact_word(word: str, attached: str | None) -> str:
    if attached and word.startswith(attached) and len(word) > len(attached):
        return attached + MASK
    return redact_text(word)


def _program(argv: Sequence[str]) -> str:
    """The base name of what runs, past ``env A=b`` and the like."""
    for word in argv:
        if "=" not in word and word not in ("env", "/usr/bin/env", "sudo", "nohup", "exec"):
            return word.rsplit("/", 1)[-1]
    return ""
