"""Takes secrets out of command lines: what a telling option holds, what known programs take without a telling name, and
whatever looks like it. Programs, paths, hosts, ports and the number of words stay."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cmdb_agent.redact import MASK, hides, may_hold, redact_line, redact_text
from cmdb_agent.secret_names import telling

_ATTACHED = {
    "-p": "mysql mysqldump mysqladmin mysqlcheck mysqlimport mysqlshow mysqlslap mysqlbinlog mysqlsh mysqlpump mariadb"
    " mariadb-dump mariadb-admin mariadb-check mariadb-import mariadb-show mariadb-binlog mariadb-slap mytop sshpass 7z 7za"
    " 7zr rar unrar",
    "-hp": "rar",
}
"""An option that holds the password in the same word (``-pSECRET``); alone, it asks for it."""
_FOLLOWING = {
    "-p": "sshpass mycli mongo mongosh mongodump mongorestore mongoexport mongoimport cqlsh cypher-shell rabbitmqadmin"
    " smbmap evil-winrm docker podman helm twine az ncftp rdesktop bmc-info check_mysql check_pgsql useradd usermod",
    "-P": "mosquitto_sub mosquitto_pub mosquitto_rr ipmitool sqlcmd bcp tsql osql zip unzip zipcloak check_ldap check_ssh",
    "-a": "redis-cli redis-benchmark valkey-cli valkey-benchmark keydb-cli check_http",
    "-c": "snmpwalk snmpget snmpgetnext snmpbulkwalk snmpbulkget snmpset snmptrap snmpinform snmptable snmpstatus snmpdf",
    "-A": "snmpwalk snmpget snmpgetnext snmpbulkwalk snmpbulkget snmpset snmptrap snmpinform snmptable check_snmp",
    "-X": "snmpwalk snmpget snmpgetnext snmpbulkwalk snmpbulkget snmpset snmptrap snmpinform snmptable check_snmp",
    "-C": "check_snmp",
    "-w": "ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldappasswd ldapcompare ldapmodrdn squidclient",
    "-s": "ldappasswd",
    "-k": "openssl",
    "-K": "openssl",
    "-psk": "openssl",
    "-t": "gitlab-runner",
    "-u": "curl lftp",
    "-U": "curl smbclient rpcclient net winexe smbget",
    "-b": "curl",
    "-E": "curl",
    "-upw": "pdftotext pdftoppm pdfinfo",
    "-opw": "pdftotext pdftoppm pdfinfo",
    "-supw": "murmurd mumble-server",
    "-encrypt": "consul",
    "-passwd": "x11vnc",
    "/p": "xfreerdp wfreerdp",
    "--user": "curl etcdctl smbclient",
    "--cert": "curl",
    "--pass": "curl",
    "--from-literal": "kubectl oc",
}
"""An option whose value, in the same word or the next, is a secret or holds one."""
_BARE = frozenset({
    "htpasswd", "vault", "rabbitmqctl", "ngrok", "neo4j-admin", "isql", "gcloud", "nuget", "composer", "aws", "mc",
    "wg", "openssl", "mosquitto_passwd", "expect", "wpa_passphrase", "gh", "grafana-cli", "nmcli", "kinit",
})  # fmt: skip
"""Programs that take secrets as plain words, behind the word that says what is to be done."""
_ALL_BARE = frozenset({
    "db2", "echo", "printf", "sqlplus", "expdp", "impdp", "exp", "imp", "rman", "sqlldr", "qpdf", "pdftk", "chpasswd",
    "passwd", "zenity", "whiptail",
})  # fmt: skip
"""Programs whose plain words may be anything."""
_DEEPEST = 3
"""Shells within shells that are looked into."""
_WRAPPERS = frozenset({
    "env", "sudo", "doas", "nohup", "exec", "nice", "ionice", "timeout", "setsid", "stdbuf", "flock", "time", "su",
    "sh", "bash", "dash", "ash", "ksh", "zsh", "busybox", "xargs", "-c", "--", "chroot", "runuser", "command",
})  # fmt: skip
"""What stands before the program that is meant."""
_ACCOUNTS = frozenset({
    "-u", "-U", "--user", "--username", "--login", "--userpass", "--proxy-user", "--basic-auth", "--basic-auth-user",
    "--auth", "--credentials",
})  # fmt: skip
"""Options whose value may be a name and its password, parted by a sign."""
_ACCOUNT = re.compile(r"([^\s:%,/]*[A-Za-z][^\s:%,/]*[:%,])[^\s/]+")
_DEFINES = re.compile(r"^-[DEe](?=[A-Za-z])")
"""Before a name that is given a value: ``-Ddb.pin=…``."""
_BREAKS = frozenset({"|", "||", "&&", "&", ";"})
_OPTION = re.compile(r"(?P<name>(?:--?|/)[A-Za-z/][\w.:/@-]*?)(?P<sign>=|:(?!//))(?P<value>.+)", re.DOTALL)
_PASS_LIKE = re.compile(r"-[pP](?!sn_)(?P<value>.*)", re.DOTALL)  # macOS numbers its windows' processes -psn_…
_HARMLESS = re.compile(r"[\d.:,/\[\]a-f-]*\d[\d.:,/\[\]-]*|(?:~|\.{1,2})?/.*|.*://.*|--?[A-Za-z].*|[\w.-]+:\d{1,5}")
_LABELLED = re.compile(r"[A-Za-z][\w-]*:|.*\b(?:Bearer|Basic|Token|ApiKey|Digest|Negotiate):?", re.IGNORECASE)
_RANDOM = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)[A-Za-z0-9+/=_!#$%&*-]{16,}")
_TURNS = re.compile(r"(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)|(?<=[a-z])(?=[A-Z])")
_SUFFIX = re.compile(r"(?<=.)\.(?:py|pl|sh|rb|exe|bin|real|distrib)$|-?[\d.]+$")
_SHELL_WORD = re.compile(
    r"\s+|(?:\"(?:[^\"\\]|\\.)*+\"?|'[^']*+'?|\\.|[^\s\"'|;&()<>`\\])+|[|;&]+|[()<>`]+|\\", re.DOTALL
)


def _by_program(table: dict[str, str]) -> dict[str, tuple[str, ...]]:
    told: dict[str, list[str]] = {}
    for option, programs in table.items():
        for program in programs.split():
            told.setdefault(program, []).append(option)
    return {program: tuple(options) for program, options in told.items()}


_ATTACHING, _FOLLOWED = _by_program(_ATTACHED), _by_program(_FOLLOWING)
_LOOKED_BEHIND = (" -p", " -P", " -u", " -U", " --login")
_LOOKED_AT = frozenset({*_ATTACHING, *_FOLLOWED, *_BARE, *_ALL_BARE})


def redact_command(argv: Sequence[str], joined: bool = False) -> tuple[str, ...]:
    """A command line, word by word, without secrets; the number of words stays the same. ``joined``: the words are a
    text's, cut at its blanks, so that a secret with a blank in it is several of them."""
    return _redacted(tuple(argv), joined, 0)


@lru_cache(maxsize=4096)
def _redacted(argv: tuple[str, ...], joined: bool, depth: int) -> tuple[str, ...]:
    if not _may_hold(argv):
        return argv
    line = _Line(joined, depth)
    return tuple([line.told(word) for word in argv])


def _may_hold(argv: tuple[str, ...]) -> bool:
    """Whether a closer look is worth its while, which it seldom is."""
    told = " ".join(argv)
    if may_hold(told) or any(option in told for option in _LOOKED_BEHIND):
        return True
    for word in told.split():
        name = word.rsplit("/", 1)[-1].partition(".")[0]
        if name in _LOOKED_AT or name.rstrip("0123456789-") in _LOOKED_AT or _is_random(word):
            return True
    return False


def redact_shell(text: str, depth: int = 0) -> str:
    """A line of shell, as cron's tables hold them, without secrets. ``depth``: how many shells it stands within."""
    tokens = _SHELL_WORD.findall(text)
    places = [index for index, token in enumerate(tokens) if not token.isspace()]
    words = [_unquoted(tokens[index]) for index in places]
    for index, word, told in zip(places, words, _redacted(tuple(words), False, depth), strict=True):
        if told != word:
            tokens[index] = told
    return redact_text("".join(tokens))


def _unquoted(token: str) -> str:
    return re.sub(r"\"((?:[^\"\\]|\\.)*)\"?|'([^']*)'?", lambda found: found[1] or found[2] or "", token)


@dataclass
class _Line:
    """A command line as it is read: which program is meant, and what is to become of the next word."""

    joined: bool
    depth: int
    attached: tuple[str, ...] = ()
    following: tuple[str, ...] = ()
    bare: int = -1
    """Plain words that may still stand before the secret ones; ``-1``: none is secret."""
    begins: bool = True
    hide: str = ""
    """The name of which the next word is the value."""
    loose: bool = False
    """Whether plain words still belong to a value that had a blank in it."""

    def told(self, word: str) -> str:
        """The next word, as it may be told."""
        if word in _BREAKS:
            self.attached = self.following = ()
            self.bare, self.begins, self.hide, self.loose = -1, True, "", False
            return word
        name, self.hide = self.hide, ""
        if name and not word.startswith("--"):
            return self._value(name, word)
        if self.loose and not _HARMLESS.fullmatch(word) and "=" not in word:
            return MASK
        self.loose = False
        return word if self._is_program(word) else self._argument(word)

    def _value(self, name: str, word: str) -> str:
        """The word that is the value of an option."""
        if name in _ACCOUNTS and (found := _ACCOUNT.fullmatch(word)):
            self.loose = self.joined
            return found[1] + MASK
        if name in _ACCOUNTS and name not in self.following:
            return redact_line(word)
        if name in ("-p", "-P") and name not in self.following:
            return redact_line(word) if _HARMLESS.fullmatch(word) else MASK
        self.bare = min(self.bare, 0)
        if name in self.following or (hides(name, word) or name == ":"):
            self.loose = self.joined and len(name) > 2
            return MASK
        return self._plain(redact_line(word))

    def _is_program(self, word: str) -> bool:
        """Whether the word is the program that is meant, or one that is known for its options."""
        if word.startswith("-") and word not in _WRAPPERS:
            return False
        name = word.rsplit("/", 1)[-1]
        name = name if name in _LOOKED_AT else _SUFFIX.sub("", name) or name
        known = name in _ATTACHING or name in _FOLLOWED
        if known:
            self.attached, self.following = _ATTACHING.get(name, ()), _FOLLOWED.get(name, ())
        begins = self.begins
        self.begins = begins and (name in _WRAPPERS or "=" in word or word.isdecimal())
        if begins and (name in _BARE or name in _ALL_BARE):
            self.bare = 1 if name in _BARE else 0
            return True
        return known and begins

    def _argument(self, word: str) -> str:
        if word.startswith(("-", "/")) and len(word) > 1:
            return self._option(word)
        if _LABELLED.fullmatch(word):
            self.hide = ":" if telling(word) or not word.endswith(":") else ""
            return word
        if any(blank in word for blank in " \t\n"):
            return redact_shell(word, self.depth + 1) if self.bare != 0 and self.depth < _DEEPEST else MASK
        told = redact_line(word)
        if told == word and telling(word) == "strong" and "=" not in word and ":" not in word:
            self.hide = word
        return self._plain(told)

    def _plain(self, word: str) -> str:
        if self.bare >= 0 and not word.startswith(("/", "-")) and "://" not in word:
            self.bare -= 1
            return word if self.bare >= 0 else self._nothing_more()
        return MASK if _is_random(word) else word

    def _nothing_more(self) -> str:
        self.bare = 0
        return MASK

    def _option(self, word: str) -> str:
        for option in sorted((*self.attached, *self.following), key=len, reverse=True):
            if word.startswith(option) and len(word) > len(option) and (len(option) == 2 or word[len(option)] in "=:"):
                rest = word[len(option) :].lstrip("=:")
                if option in _ACCOUNTS and not _ACCOUNT.fullmatch(rest):
                    return redact_line(word)
                return word[: len(word) - len(rest)] + MASK
        if found := _OPTION.fullmatch(word):
            return self._assigned(found)
        self.hide = self._awaits(word)
        if (found := _PASS_LIKE.fullmatch(word)) and re.search(r"\d", found["value"]):
            return word if _HARMLESS.fullmatch(found["value"]) else word[:2] + MASK
        return self._spaced(word)

    def _assigned(self, found: re.Match[str]) -> str:
        name, sign, value = found["name"], found["sign"], found["value"]
        if name in _ACCOUNTS and (account := _ACCOUNT.fullmatch(value)):
            return f"{name}{sign}{account[1]}{MASK}"
        if hides(_DEFINES.sub("", name), value):
            self.loose = self.joined
            return f"{name}{sign}{MASK}"
        told = redact_line(value)
        return f"{name}{sign}{MASK if _is_random(told) else told}"

    def _awaits(self, word: str) -> str:
        """The name under which the next word is to be looked at."""
        if word in self.following or word in _ACCOUNTS or word in ("-p", "-P"):
            return word if word not in self.attached or word in self.following else ""
        if telling(word) and "/" not in word[1:]:
            return word
        last = f"-{word[-1]}"
        return last if re.fullmatch(r"-[A-Za-z]{2,4}", word) and last in self.following else ""

    def _spaced(self, word: str) -> str:
        return redact_line(word) if not word.startswith("/") or "=" in word or "://" in word else word


def _is_random(word: str) -> bool:
    """Whether a word is so irregular that nobody named anything by it."""
    return len(word) >= 16 and _RANDOM.fullmatch(word) is not None and len(_TURNS.findall(word)) >= 4
