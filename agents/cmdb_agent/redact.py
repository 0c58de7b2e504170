"""Takes secrets out of texts before anything is stored or sent: configuration files, outputs, messages, attributes.

What looks like a secret is replaced by ``***``; the rest stays readable, because names, hosts and ports are what
discovery lives on. When in doubt, the value goes. Command lines have more forms: ``command_lines``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cmdb_agent.secret_names import NEEDLES, telling

MASK = "***"

_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_PORT = r"\d{1,5}(?:[/,\s'\"]|$)"
_USERINFO = re.compile(rf"(?P<head>://[^\s/:'\"<>]*):(?!{_PORT})(?:(?!://)[^\s\"<>])*@")
_ONLY_SECRET = re.compile(r"(?P<head>(?:\b(?:https?|rediss?|valkey)://)|://(?=[^\s/:@'\"]{20,}@))[^\s/:@'\"]+@")
_ACCOUNT = re.compile(r"(?P<head>(?<![\w/.@:%+-])[A-Za-z][\w.+-]*:)[^\s@/:\"'<>]{2,}@(?=[\w\[(])(?!sha\d)")
_ORACLE = re.compile(r"(?P<head>\boracle:\w+:[^\s/@:]+/)[^\s@]+@")
_WEBHOOK = re.compile(r"(?P<head>://[^\s/]+/(?:[\w-]+/)*(?:services|webhooks?)/)[\w/.-]{12,}")
_HEADER = re.compile(
    r"(?P<head>\b(?:Basic|Bearer|Digest|Negotiate|Token|ApiKey)\\?[ \t]+)(?P<secret>[A-Za-z0-9._~+/=-]{6,})",
    re.IGNORECASE,
)
_CREDENTIALS = re.compile(
    r"(?P<head>\bAuthorization[\"']?[ \t]*[:=][ \t]*|^[ \t]*stats[ \t]+auth[ \t]+)(?:[^'\"\n]|\"(?!\s|$))+",
    re.IGNORECASE,
)
_KNOWN = re.compile(
    r"\b(?:A[KS]IA[0-9A-Za-z]{10,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{16,}|gl(?:pat|rt|ptt)-[\w-]{16,}"
    r"|x(?:ox[abeprs]|app)-[A-Za-z0-9-]{10,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|[sr]k_(?:live|test)_[A-Za-z0-9]{10,}"
    r"|AIza[\w-]{30,}|SG\.[\w-]{16,}\.[\w-]{16,}|npm_\w{20,}|hv[sb]\.[\w-]{16,}|dop_v1_\w{8,}|pypi-[\w-]{16,}|ya29\.[\w-]{10,}"
    r"|whsec_\w{10,}|shp(?:at|ca|ss)_\w{10,}|dckr_pat_[\w-]{8,}|AGE-SECRET-KEY-\w+)"
    r"|\$(?:1|2[abxy]?|5|6|7|y|gy|apr1|argon2\w{0,2}|scrypt|pbkdf2[\w-]{0,10})\$[^\s:\"']{6,}"
    r"|\{(?:S?SHA|S?MD5|CRYPT|PBKDF2)[\w-]{0,10}\}[^\s\"']{6,}"
)
"""Keys, tokens and hashes that are known by their form."""

_QUOTED = r"\"(?:[^\"\\\n]|\\.)*+\"?|'(?:[^'\\\n]|\\.)*+'?|`[^`\n]*+`?"
_NEXT = r"[\"'{\[(]{0,2}[\w.-]{1,64}[\"']?[ \t]{0,3}(?:=|:(?!/))"
_HEAD = re.compile(
    r"(?P<name>(?<![\w.-])[\w.-]++)(?P<sign>[\"'\])]{0,4}[ \t]*+(?:=>|:=|->|<-|::|[=:])[ \t]*+)", re.IGNORECASE
)
_TIGHT = re.compile(rf"(?:{_QUOTED}|(?![,;&|)}}\]>]{{1,4}}(?:\s|$|{_NEXT}))[^\s\"'`])+")
"""A value that stands right behind ``=``: up to a blank, or to a separator that begins another pair."""
_LOOSE = re.compile(
    rf"[rbfuRBFU$]{{0,2}}(?:{_QUOTED})(?:{_QUOTED}|[^\s\"'`,;&|)}}\]<>])*+"
    rf"|\[[^\]\n]*+\]?|(?:(?!(?:[ \t,;&|]{{1,8}}(?:{_NEXT}|--?[A-Za-z]|\w+://))|[\"'](?:\s|$)|<|[)}}\];,\s]{{1,8}}$).)+",
    re.MULTILINE,
)
"""Any other value: quoted, a list, or up to the next pair, option or address."""
_FLAG = re.compile(r"(?P<head>(?<!\S)--?(?P<name>[\w.-]+)[ \t]+)(?P<value>\"[^\"\n]*\"?|'[^'\n]*'?|[^\s-]\S*)")
_FIRST = re.compile(
    r"(?P<head>^[ \t]*(?:(?:set|setenv|SetEnv|export|ENV|ARG|user|env|\w+_param|\w+_set_header|add_header|\w*Header[ \t]+\w+"
    r"|php\w*_value|trap\w*sink|com2sec|tcp-check[ \t]+send)[ \t]+(?:\S+[ \t]+)??)?"
    r"[\"'$]?(?P<name>[\w.-]+)[\"']?[ \t]+)(?P<value>(?![=:{]).+)$"
)
_AMID = re.compile(r"(?P<head>(?<![\w.$-])[\"'$]?(?P<name>(?<![\w.-])[\w.-]++)[\"']?[ \t]+)(?P<value>(?![=:{*]).+)$")
_ELEMENT = re.compile(r"(?P<head><(?P<name>[\w.:-]{1,80})[^<>]{0,200}>)(?P<value>[^<>]+|<!\[CDATA\[.*?\]\]>)")
_PAIR = re.compile(
    r"(?P<head>\b(?:name|key|id|var)[\"']?\s*[=:]\s*[\"']?(?P<name>[\w.-]{1,80})[\"']?(?:[^<>\w]{1,20}|[\s,;]+)"
    r"(?:[\"']?(?:value|content|default)[\"']?\s*[=:]\s*|(?:<\w+)?>))(?P<value>\"[^\"]*\"?|'[^']*'?|[^\s<>,;}]+)",
    re.IGNORECASE,
)
_TUPLE = re.compile(
    r"(?P<head>[\"':({](?P<name>[\w.-]{1,80})[\"']?(?:[ \t]{0,4},[ \t]{0,9}|[ \t]\.[ \t]|[ \t])(?:<<)?)(?P<value>\"[^\"]*\"|'[^']*')"
)
_ACL = re.compile(r"(?P<head>(?:^[ \t]*user|\bSETUSER)[ \t]+\S+(?:[ \t]+\S+)*?[ \t]+[>#<!])\S+", re.IGNORECASE)
_OPENED = re.compile(
    r"(?:^|[\s{,<-])[\"']?(?P<name>[\w.-]+)[\"']?(?:\s*[:=][ \t]*(?:[|>][+-]?\d?|\[|\\|\"\"\"|''')?|[^<>]{0,200}>)[ \t]*$"
)
_VALUE = re.compile(r"\s*[\"']?(?:value|content|default)[\"']?\s*[:=]", re.IGNORECASE)
_NAMED = re.compile(r"\b(?:name|key|id|var)[\"']?\s*[=:]\s*[\"']?(?P<name>[\w.-]{1,80})[\"']?,?[ \t]*$", re.IGNORECASE)
_PATH = re.compile(r"[\"']?(?:~|\.{1,2}|[A-Z]:)?/[\w.@+%-]+(?:/[\w.@+%*-]+)*[\"';,]*")
_ADDRESS = re.compile(r"[\"']?[a-z][a-z0-9+.-]*://", re.IGNORECASE)

_FORMS = (
    "://", "token", "bearer", "apikey", "basic", "digest", "negotiate", "akia", "asia", "age-secret", "gh", "glpat", "glrt", "glptt", "dckr_", "xox", "xapp-",
    "eyj", "sk_", "rk_", "aiza", "sg.", "npm_", "hvs.", "hvb.", "dop_v1", "pypi-", "ya29.", "whsec_", "shp", "$", "{s",
    "{md5", "{pbk", "user",
)  # fmt: skip
_SIGNS = (*NEEDLES, "@", *_FORMS)
"""Whatever is taken out, one of these is on its line, once case is folded."""


def redact_text(text: str) -> str:
    """The text without passwords, tokens, keys and URL credentials. Line breaks and everything else stay."""
    if not may_hold(text):
        return text
    if "PRIVATE KEY" in text:
        text = _PEM.sub(MASK, text)
    parts, done = list[str](), 0
    for start, end in _suspicious(text):
        if start < done:
            continue
        line = text[start:end]
        below = _below(text, line, end)
        parts += text[done:start], redact_line(line), _masked_below(text[end:below])
        done = below
    return "".join(parts) + text[done:] if parts else text


def redact_line(text: str) -> str:
    """The same for what stands on one line, or between the blanks of a command."""
    folded = _folded(text)
    if not _has(folded, _SIGNS):
        return text
    if "@" in text:
        text = _USERINFO.sub(rf"\g<head>:{MASK}@", text)
        for pattern in (_ONLY_SECRET, _ACCOUNT, _ORACLE):
            text = pattern.sub(rf"\g<head>{MASK}@", text)
    if _has(folded, _FORMS):
        text = _KNOWN.sub(MASK, _WEBHOOK.sub(rf"\g<head>{MASK}", text))
        text = _ACL.sub(rf"\g<head>{MASK}", _HEADER.sub(rf"\g<head>{MASK}", text))
    if not _has(folded, NEEDLES):
        return text
    text = _assigned(_PAIR.sub(_held, _CREDENTIALS.sub(rf"\g<head>{MASK}", text)))
    for pattern in (_ELEMENT, _TUPLE, _FLAG, _FIRST):
        text = pattern.sub(_held, text)
    return _amid(text)


def _held(found: re.Match[str]) -> str:
    told = found["head"] + found["value"]
    return found["head"] + MASK if hides(found["name"], found["value"]) else told


def hides(name: str, value: str) -> bool:
    """Whether a value that goes by this name is to be taken out: not an address, whose own secrets are gone already,
    nor a path under a name that tells little."""
    surely = telling(name)
    if not surely or not value.strip("\"' ") or _ADDRESS.match(value):
        return False
    return surely == "strong" or _PATH.fullmatch(value.strip()) is None


def _assigned(text: str) -> str:
    """``name = value`` in all its forms."""
    parts, done, at = list[str](), 0, 0
    while found := _HEAD.search(text, at):
        at = found.end()
        if telling(found["name"]):
            tight = found["sign"].endswith("=") and not found["sign"][:-1].strip("\"'])")
            value = (_TIGHT if tight else _LOOSE).match(text, at)
            if value and not value[0].startswith("{") and hides(found["name"], value[0]):
                parts += text[done:at], MASK
                done = at = value.end()
    return "".join(parts) + text[done:]


def _amid(text: str) -> str:
    """``... password S``: a strong name amid a line, with all that follows."""
    at = 0
    while found := _AMID.search(text, at):
        if telling(found["name"]) == "strong" and not found["value"].startswith(("***", "://")):
            return text[: found.start("value")] + MASK
        at = found.start("value")
    return text


def _below(text: str, line: str, end: int) -> int:
    """Where the lines end that still belong to the value which ``line``, ending at ``end``, has opened."""
    bare = line.rstrip()
    pair = _NAMED.search(bare)
    if pair and telling(pair["name"]):
        stop = _line_end(text, end)
        return stop if _VALUE.match(text, end + 1) else end
    opened = _OPENED.search(bare) if bare.endswith((*":=|>[\\\"'-", "2", "4")) else None
    if not opened or not telling(opened["name"]):
        return end
    depth, block, at = _indent(line), bare.endswith(("|", ">", "-")), end
    while at < len(text):
        stop = _line_end(text, at)
        following = text[at + 1 : stop]
        deeper = _indent(following) > depth or following.lstrip().startswith(("-", "</")) or bare.endswith("\\")
        if not following.strip() or not deeper or (_HEAD.match(following.lstrip(" \t-")) and not block):
            break
        at = stop
        if bare.endswith("\\"):
            break
    return at


def _line_end(text: str, at: int) -> int:
    """Where the line below the one that ends at ``at`` ends."""
    stop = text.find("\n", at + 1)
    return stop if stop >= 0 else len(text)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _masked_below(lines: str) -> str:
    """Each of the lines as a mask, under the names and signs that stand before it."""
    return re.sub(
        r"(?m)^([ \t]*(?:- )?(?:[\"']?(?:value|content|default)[\"']?\s*[:=]\s*)?)[^\n<\]}]+", rf"\1{MASK}", lines
    )


def _has(folded: str, signs: tuple[str, ...]) -> bool:
    for sign in signs:  # noqa: SIM110 - a loop asks in half the time of any()
        if sign in folded:
            return True
    return False


def may_hold(text: str) -> bool:
    """Whether there is anything to look at, which is seldom so."""
    return _has(_folded(text), _SIGNS)


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else _unwidened(text).casefold()


def _unwidened(text: str) -> str:
    return text.translate(_WIDE)


_WIDE = {0xFEE0 + code: code for code in range(0x21, 0x7F)}
"""Full-width forms of ASCII's signs, letter by letter."""


def _suspicious(text: str) -> Iterator[tuple[int, int]]:
    """Beginning and end of each line that may hold something, in their order. Most of a configuration file is not."""
    folded, starts = _folded(text), set[int]()
    if len(folded) != len(text):  # folding case may change a text's length
        yield from ((found.start(), found.end()) for found in re.finditer(r"[^\n]+", text))
        return
    for sign in _SIGNS:
        at = folded.find(sign)
        while at >= 0:
            starts.add(folded.rfind("\n", 0, at) + 1)
            end = folded.find("\n", at)
            at = folded.find(sign, end) if end >= 0 else -1
    for start in sorted(starts):
        end = folded.find("\n", start)
        yield start, end if end >= 0 else len(text)
