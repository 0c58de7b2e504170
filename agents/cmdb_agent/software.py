"""Signatures of software: how a product is told by its processes, and which words of its configuration name what it
depends on. Each is one TOML file in the folder ``software``; users add theirs, in the same form, in folders of their own.

A signature file::

    product = "nginx"
    class = "web_server"
    names = ["nginx"]                     # of process, executable or script
    command = '''regex on the command line'''   # only where names do not suffice
    ports = [80, 443]                     # what it listens on unless told otherwise
    packages = ["nginx", "nginx-light"]   # where its version is read
    role = "service"                      # or "tool" (a client program), "administrative" (remote sessions)
    [attributes]                          # what is always true of it
    [config]
    files = ["/etc/nginx/nginx.conf"]     # shell patterns of small files to read
    listen = ['''(?P<port>…)''']
    block = '''(?P<group>…)'''            # begins a pool; what is named after it belongs to it
    [[config.depends]]
    pattern = '''(?P<host>…)(?P<port>…)'''
    words = ["://"]                       # of which one must be there, so that most texts are passed over at once
    port = 80
    protocol = "tcp"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from cmdb_agent.errors import SettingsError
from cmdb_agent.observation import Process, Value

FOLDER = Path(__file__).parent / "software"
Role = Literal["service", "tool", "administrative", "connection-strings"]

_ROLES = ("service", "tool", "administrative", "connection-strings")
_KEYS = frozenset(
    {"product", "class", "names", "command", "ports", "packages", "role", "attributes", "config", "vendor"}
)
_CONFIG_KEYS = frozenset({"files", "listen", "block", "depends"})
_INTERPRETERS = re.compile(
    r"(?:python|pypy|perl|ruby|php|lua|node|nodejs|java|bash|dash|ash|ksh|zsh|sh|tclsh|mono|dotnet|deno|bun|beam)[\d.]*(?:\.smp)?"
)
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh"})
_MUTE_NAMES = frozenset(
    {"app", "main", "server", "index", "run", "start", "manage", "wsgi", "asgi", "worker", "service", "bin", "__main__"}
)
_LONGEST_LINE = 500
_REMEMBERED = 4096
_COMMENT = re.compile(r"^[ \t]*(?:#|;|//|--[ \t]).*$", re.MULTILINE)


class Named(NamedTuple):
    """A dependency that a text names: host (an address or a name), port, protocol, and the pool it stands in."""

    host: str
    port: int
    protocol: Literal["tcp", "udp"] = "tcp"
    group: str = ""


@dataclass(frozen=True, slots=True)
class Depends:
    """One way in which a product's configuration names a dependency. ``words``: in lower case, one of them is part of
    whatever the pattern finds; none says nothing."""

    pattern: re.Pattern[str]
    port: int | None
    protocol: Literal["tcp", "udp"]
    words: tuple[str, ...] = ()

    def may_be_in(self, folded: str) -> bool:
        for word in self.words:
            if word in folded:
                return True
        return not self.words


@dataclass(frozen=True, slots=True)
class Signature:
    """One product; see the module for the meaning of its parts."""

    product: str
    class_: str
    names: frozenset[str] = frozenset()
    command: re.Pattern[str] | None = None
    ports: tuple[int, ...] = ()
    packages: tuple[str, ...] = ()
    role: Role = "service"
    vendor: str = ""
    attributes: Mapping[str, Value] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    listen: tuple[re.Pattern[str], ...] = ()
    block: re.Pattern[str] | None = None
    depends: tuple[Depends, ...] = ()

    def reads(self, path: str) -> bool:
        """Whether the file is one of this product's."""
        return _matching(self.files)(path) is not None

    def dependencies(self, text: str) -> Iterator[Named]:
        """What a configuration text says this product depends on; comments say nothing."""
        folded = text.casefold()
        wanted = [depends for depends in self.depends if depends.may_be_in(folded)]
        if not wanted:
            return
        text = _COMMENT.sub("", _without_long_lines(text))
        blocks = [(found.start(), found["group"] or "") for found in self.block.finditer(text)] if self.block else []
        own_names = {name for _, name in blocks if name}
        for depends in wanted:
            for found in depends.pattern.finditer(text):
                named = _named(found, depends, blocks)
                if named is not None and named.host not in own_names:
                    yield named

    def listening(self, text: str) -> set[int]:
        """The ports a configuration text says this product listens on."""
        text = _COMMENT.sub("", text)
        return {int(found["port"]) for pattern in self.listen for found in pattern.finditer(text)}


@lru_cache(maxsize=1024)
def _matching(patterns: tuple[str, ...]) -> Callable[[str], re.Match[str] | None]:
    """One look for all of a product's patterns of files; no patterns match nothing."""
    return re.compile("|".join(translate(pattern) for pattern in patterns) or r"(?!)").match


def _without_long_lines(text: str) -> str:
    """No setting is that long, and looking through such a line costs the square of its length."""
    if len(text) <= _LONGEST_LINE:
        return text
    return "\n".join([line for line in text.split("\n") if len(line) <= _LONGEST_LINE])


def _named(found: re.Match[str], depends: Depends, blocks: Sequence[tuple[int, str]]) -> Named | None:
    told = found.groupdict()
    host = (told.get("host") or "").strip("[]")
    port = int(told.get("port") or depends.port or _scheme_port(told.get("scheme") or ""))
    if (
        not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", host)
        or not 0 < port < 65536
    ):
        return None
    group = next((name for start, name in reversed(blocks) if start <= found.start()), "")
    return Named(host, port, depends.protocol, group)


_SCHEME_PORTS = {
    "postgres": 5432, "postgresql": 5432, "mysql": 3306, "mariadb": 3306, "redis": 6379, "rediss": 6379, "amqp": 5672,
    "amqps": 5671, "mongodb": 27017, "memcached": 11211, "memcache": 11211, "mqtt": 1883, "mqtts": 8883, "ldap": 389,
    "ldaps": 636, "nats": 4222, "kafka": 9092, "smtp": 25, "smtps": 465, "clickhouse": 9000, "cassandra": 9042,
    "elasticsearch": 9200, "etcd": 2379, "http": 80, "https": 443, "sqlserver": 1433, "mssql": 1433, "oracle": 1521,
    "zookeeper": 2181, "influxdb": 8086, "ftp": 21, "sftp": 22, "ssh": 22, "valkey": 6379, "tcp": 0,
}  # fmt: skip


def _scheme_port(scheme: str) -> int:
    return _SCHEME_PORTS.get(scheme.lower().partition("+")[0], 0)


class Signatures:
    """All signatures, ready to be asked."""

    def __init__(self, signatures: Iterable[Signature]) -> None:
        self.all = tuple(signatures)
        self.generic = tuple(one for one in self.all if one.role == "connection-strings")
        self.by_port: dict[int, list[Signature]] = {}
        self._by_name: dict[str, Signature] = {}
        for one in self.all:
            for port in one.ports:
                self.by_port.setdefault(port, []).append(one)
            self._by_name.update(dict.fromkeys(one.names, one))
        self._by_command = [(one.command.search, one) for one in self.all if one.command is not None]
        # Hosts have most of their paths, daemons and unit files in common; what they tell is worked out once.
        self.reading = lru_cache(_REMEMBERED)(self._reading)
        self.dependencies = lru_cache(_REMEMBERED)(self._dependencies)
        self._of_command = lru_cache(_REMEMBERED)(self._product)

    def of(self, process: Process) -> Signature | None:
        """The product a process is of."""
        return self._of_command(process.name, process.command)

    def _product(self, name: str, command: tuple[str, ...]) -> Signature | None:
        told = " ".join(command)
        for search, one in self._by_command:
            if search(told):
                return one
        return next((self._by_name[known] for known in _names(name, command) if known in self._by_name), None)

    def named(self, name: str) -> Signature | None:
        """The product whose processes bear this name."""
        return self._by_name.get(name)

    def _reading(self, path: str) -> Signature | None:
        """``reading``: the product that a configuration file belongs to."""
        return next((one for one in self.all if one.role != "connection-strings" and one.reads(path)), None)

    def _dependencies(self, text: str) -> frozenset[Named]:
        """``dependencies``: what connection strings and commands in any text name."""
        return frozenset(named for one in self.generic for named in one.dependencies(text))

    def files(self) -> list[str]:
        """Every pattern of files that some signature asks for."""
        return sorted({path for one in self.all for path in one.files})


def software_name(process: Process) -> str:
    """What a process without a signature is called: its script's or executable's name, or its folder's where that name
    says nothing."""
    script = _script(process.command)
    base = _stem(script or (process.command[0] if process.command else process.name))
    if base in _MUTE_NAMES and script.count("/") > 1:
        return script.rsplit("/", 2)[-2]
    if not script and process.name and _INTERPRETERS.fullmatch(base):
        return process.name
    return base or process.name


def _names(name: str, command: Sequence[str]) -> Iterator[str]:
    """The names a signature may know a process by, the most telling first."""
    script = _script(command)
    if script:
        yield script.rsplit("/", 1)[-1]
        yield _stem(script)
    yield name
    if command:
        yield command[0].rsplit("/", 1)[-1].rstrip(":").lstrip("-")


def _script(command: Sequence[str]) -> str:
    """What an interpreter runs: a path, or a module's or class's name. Empty when the process is no interpreter."""
    if not command or not _INTERPRETERS.fullmatch(command[0].rsplit("/", 1)[-1]):
        return ""
    runtime = command[0].rsplit("/", 1)[-1]
    takes_value = {"-cp", "-classpath", "--module-path", "-W", "-X", "-r", "--require", "-I"}
    words = iter(command[1:])
    for word in words:
        if word in ("-m", "-jar") and runtime not in _SHELLS:
            return next(words, "")
        if word in ("-c", "-e") and not runtime.startswith("java"):
            return ""
        if word in takes_value:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def _stem(path: str) -> str:
    """A name without folder and language suffix, a Java class without its package, a jar without its version."""
    name = path.rsplit("/", 1)[-1].rstrip(":").lstrip("-")
    name = re.sub(r"\.(?:py|js|mjs|cjs|ts|rb|pl|php|sh|jar|war|exe|dll)$", "", name)
    name = re.sub(r"-\d[\w.-]*$", "", name)
    return name.rsplit(".", 1)[-1] if re.fullmatch(r"(?:[a-z_]\w*\.)+[A-Z]\w*", name) else name


@cache
def signatures(*folders: Path) -> Signatures:
    """The signatures that come with the agent, and those of the given folders, which win over them by file name.
    Raises SettingsError naming the file and the key that is wrong."""
    files: dict[str, Path] = {}
    for folder in (FOLDER, *folders):
        if not folder.is_dir():
            raise SettingsError(f"{folder}: no such folder of signatures")
        files.update({path.name: path for path in sorted(folder.glob("*.toml"))})
    return Signatures(_load(files[name]) for name in sorted(files))


def _load(path: Path) -> Signature:
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        return _signature(told)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, re.error) as problem:
        raise SettingsError(f"{path}: {problem}") from problem


def _signature(told: Mapping[str, Any]) -> Signature:
    config = told.get("config", {})
    for unknown in [*(told.keys() - _KEYS), *(config.keys() - _CONFIG_KEYS)]:
        raise ValueError(f"unknown key {unknown!r}")
    if told.get("role", "service") not in _ROLES:
        raise ValueError(f"role must be one of {', '.join(_ROLES)}")
    return Signature(
        product=told["product"],
        class_=told.get("class", "application"),
        names=frozenset(told.get("names", ())),
        command=re.compile(told["command"]) if "command" in told else None,
        ports=tuple(told.get("ports", ())),
        packages=tuple(told.get("packages", ())),
        role=told.get("role", "service"),
        vendor=told.get("vendor", ""),
        attributes=told.get("attributes", {}),
        files=tuple(config.get("files", ())),
        listen=tuple(_pattern(text, "port") for text in config.get("listen", ())),
        block=_pattern(config["block"], "group") if "block" in config else None,
        depends=tuple(_depends(one) for one in config.get("depends", ())),
    )


def _depends(told: Mapping[str, Any]) -> Depends:
    protocol = told.get("protocol", "tcp")
    if protocol not in ("tcp", "udp"):
        raise ValueError("protocol must be tcp or udp")
    words = tuple(word.casefold() for word in told.get("words", ()))
    return Depends(_pattern(told["pattern"], "host"), told.get("port"), protocol, words)


def _pattern(text: str, group: str) -> re.Pattern[str]:
    pattern = re.compile(text, re.MULTILINE | re.IGNORECASE)
    if group not in pattern.groupindex:
        raise ValueError(f"the pattern {text!r} has no group {group!r}")
    return pattern
