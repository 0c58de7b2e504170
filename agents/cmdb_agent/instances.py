"""Running applications: processes put together by what they are an instance of.

A master and its workers are one application; so are several processes of one script that were started side by side.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cmdb_agent.observation import Process
from cmdb_agent.software import Signature, Signatures, software_name

EPHEMERAL = 32768
"""Ports from here on are handed out by the kernel; nothing that should stay the same is named by one."""

_NOT_APPLICATIONS = frozenset(
    [
        "init",
        "systemd",
        "sh",
        "bash",
        "dash",
        "ash",
        "ksh",
        "zsh",
        "su",
        "sudo",
        "login",
        "agetty",
        "getty",
        "tail",
        "sleep",
        "cat",
        "ps",
        "ssh-agent",
        "gpg-agent",
        "screen",
        "tmux",
        "(sd-pam)",
        "systemd-journald",
        "systemd-journal",
        "systemd-udevd",
        "systemd-logind",
        "dbus-daemon",
        "dbus-broker",
        "launchd",
        "runsv",
        "runsvdir",
        "supervisord",
        "s6-supervise",
        "tini",
        "dumb-init",
        "setpriv",
        "timeout",
        "watch",
        "nohup",
        "env",
        "awk",
        "grep",
        "sed",
        "docker-proxy",
        "conmon",
        "containerd-shim",
        "containerd-shim-runc-v2",
    ]
)

_LOCAL_FOLDERS = ("/opt/", "/srv/", "/usr/local/", "/home/", "/app/")


@dataclass(slots=True, eq=False)
class Instance:
    """One running application. ``name`` is its product's or its own; ``listens`` holds (protocol, address, port)."""

    name: str
    signature: Signature | None = None
    processes: list[Process] = field(default_factory=list)
    listens: set[tuple[str, str, int]] = field(default_factory=set)
    how: str = "process"
    _arguments: str | None = field(default=None, init=False, repr=False)

    @property
    def key(self) -> str:
        """Stays the same from scan to scan: the name, with the lowest lasting port where it listens on one."""
        lasting = sorted((protocol != "tcp", port) for protocol, _, port in self.listens if port < EPHEMERAL)
        return f"{self.name}:{lasting[0][1]}" if lasting else self.name

    @property
    def main(self) -> Process | None:
        """The process the others descend from."""
        return min(self.processes, key=lambda process: process.pid, default=None)

    @property
    def is_administrative(self) -> bool:
        return self.signature is not None and self.signature.role == "administrative"

    @property
    def is_tool(self) -> bool:
        return self.signature is not None and self.signature.role == "tool"

    @property
    def is_known(self) -> bool:
        """Whether it is worth telling of even while it has no socket."""
        return self.signature is not None and self.signature.role == "service"

    @property
    def is_local(self) -> bool:
        """Whether it is software that somebody put on this host beside the distribution's, and runs as a daemon."""
        main = self.main
        if main is None or main.parent > 1 or self.is_tool or self.is_administrative:
            return False
        return any(word.startswith(_LOCAL_FOLDERS) for word in main.command[:2])

    def mentions_port(self, port: int) -> bool:
        """Whether a command line names the port."""
        if self._arguments is None:
            self._arguments = "\n".join([word for process in self.processes for word in process.command[1:]])
        number = str(port)
        return number in self._arguments and re.search(rf"(?<![\d.]){number}(?!\d)", self._arguments) is not None

    def runs_as(self, uid: int) -> bool:
        return any(process.uid == uid for process in self.processes)

    def words(self) -> set[str]:
        """Every word of its command lines."""
        return {word for process in self.processes for word in process.command}


class Running:
    """All running applications of a host, found by process."""

    def __init__(self, processes: Iterable[Process], known: Signatures) -> None:
        self.known = known
        self.processes = {process.pid: process for process in processes}
        self._signatures = {pid: known.of(process) for pid, process in self.processes.items()}
        self._names = {pid: self._name(process) for pid, process in self.processes.items()}
        self._by_root: dict[int, Instance] = {}
        self.by_pid = {pid: self._instance(pid) for pid in sorted(self.processes)}
        self._by_user: dict[int, dict[int, Instance]] = {}
        for pid, process in self.processes.items():
            self._by_user.setdefault(process.uid, {})[id(self.by_pid[pid])] = self.by_pid[pid]

    def _name(self, process: Process) -> str:
        signature = self._signatures[process.pid]
        return signature.product if signature and signature.role != "tool" else software_name(process)

    def _instance(self, pid: int) -> Instance:
        root = self._root(pid)
        instance = self._by_root.get(root)
        if instance is None:
            instance = self._by_root[root] = Instance(self._names[root], self._signatures[root])
        instance.processes.append(self.processes[pid])
        return instance

    def _root(self, pid: int) -> int:
        """The first ancestor of the same name."""
        seen = {pid}
        parent = self.processes[pid].parent
        while parent in self.processes and parent not in seen and self._names[parent] == self._names[pid]:
            pid = parent
            seen.add(pid)
            parent = self.processes[pid].parent
        return pid

    def instances(self) -> list[Instance]:
        """Every application, in the order of its first process; what only starts or watches others is none."""
        return [one for one in self._by_root.values() if one.name not in _NOT_APPLICATIONS]

    def of_user(self, uid: int) -> list[Instance]:
        """Those ``instances`` of which a process runs as the user."""
        return [one for one in self._by_user.get(uid, {}).values() if one.name not in _NOT_APPLICATIONS]

    def holder(self, holders: Sequence[tuple[str, int]]) -> Instance | None:
        """Whose socket it is, among the (name, pid) pairs that hold it: a real application before what only passed it
        on, a known one before an unknown one. A process that is gone is still known by its name."""
        found = [self.by_pid.get(pid) or self._gone(name, pid) for name, pid in holders]
        return min(found, key=lambda one: (one.name in _NOT_APPLICATIONS, one.is_tool, not one.is_known), default=None)

    def _gone(self, name: str, pid: int) -> Instance:
        signature = self.known.named(name)
        product = signature.product if signature and signature.role != "tool" else name
        same = next((one for one in self._by_root.values() if one.name == product), None)
        instance = same or Instance(product, signature)
        self._by_root.setdefault(pid, instance)
        return instance

    def caller(self, instance: Instance) -> Instance | None:
        """The application that started a client tool, past shells; None when nobody in particular did."""
        process = instance.main
        seen: set[int] = set()
        while process is not None and process.parent in self.by_pid and process.parent not in seen:
            seen.add(process.parent)
            parent = self.by_pid[process.parent]
            if parent.name not in _NOT_APPLICATIONS and not parent.is_tool:
                return None if parent.is_administrative or parent.name == "cron" else parent
            process = self.processes[process.parent]
        return None
