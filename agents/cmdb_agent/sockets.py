"""One host's sockets and processes become applications and what they depend on, each claim with its evidence.

Joining what several hosts say of one connection is the server's work; here speaks one host alone. Nothing that moves
from scan to scan (pids, ephemeral ports, counts) gets into a claim.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from cmdb_agent.application import Application, Claim, Far, as_component, relations_of, used_by
from cmdb_agent.component import far_end, local_key
from cmdb_agent.configured import Configured, configured
from cmdb_agent.instances import EPHEMERAL, Instance, Running
from cmdb_agent.observation import Component, ConfigFile, End, Fact, Process, Relation, Socket
from cmdb_agent.own_session import NOBODY, OwnSession
from cmdb_agent.scheduled_jobs import Job
from cmdb_agent.software import Named, Signature, Signatures, signatures

SEEN, NAMED, OWNER, HIDDEN, CLIENT = 0.95, 0.8, 0.6, 0.4, 0.6
"""Confidence of a claim: a connection with its process seen, named by configuration, told by its owner alone, by
nobody (the host itself claims it), and seen from the server's side only."""


def from_facts(
    facts: Iterable[Fact],
    own_session: OwnSession = NOBODY,
    known: Signatures | None = None,
) -> list[Component | Relation]:
    """``applications`` of all facts that one host's probes gave, in any order."""
    sockets, processes, configs = list[Socket](), list[Process](), list[ConfigFile]()
    packages, addresses = dict[str, str](), set[str]()
    for fact in facts:
        match fact:  # most are packages
            case Relation(type="installs"):
                packages[str(fact.to.attributes["name"])] = str(fact.to.attributes["version"])
            case Socket():
                sockets.append(fact)
            case Process():
                processes.append(fact)
            case ConfigFile():
                configs.append(fact)
            case Component(class_="network_interface"):
                held = fact.attributes.get("ip_addresses")
                addresses.update(str(address) for address in (held if isinstance(held, list) else ()))
    return applications(sockets, processes, configs, own_session, packages=packages, addresses=addresses, known=known)


def applications(
    sockets: Sequence[Socket], processes: Sequence[Process], configs: Sequence[ConfigFile] = (),
    own_session: OwnSession = NOBODY, *, packages: Mapping[str, str] | None = None,
    addresses: Collection[str] = (), known: Signatures | None = None,
) -> list[Component | Relation]:  # fmt: skip
    """Applications of a host as components, with their dependencies, ordered by key.

    ``packages``: name -> version; ``addresses``: the host's own, without which only loopback is known to be local. A
    relation's near end is a component's ref, or ``""`` (the host) where no application could be told.
    """
    known = known or signatures()
    running = Running(own_session.without(processes), known)
    host = _Host(running, configs, addresses)
    seen = [socket for socket in sockets if not own_session.holds(socket)]
    host.listeners([socket for socket in seen if not socket.peer_port])
    host.connections([socket for socket in seen if socket.peer_port])
    return [*host.components(packages or {}), *host.relations()]


class _Host:
    """One host's reading, step by step: listeners, configuration, connections, claims."""

    def __init__(self, running: Running, configs: Sequence[ConfigFile], addresses: Collection[str]) -> None:
        self.running = running
        self.configs = configs
        self.addresses = frozenset(addresses)
        self.by_port: dict[tuple[str, int], list[tuple[str, Instance]]] = {}
        self.extra: list[Instance] = []
        self.found: dict[str, Application] = {}
        self.of_instance: dict[int, Application] = {}
        self.hidden: dict[Far, Claim] = {}
        self.unowned: list[tuple[str, str, Named]] = []
        self.ports_of: dict[int, set[int]] = {}

    # -- step 1: who listens

    def listeners(self, sockets: Sequence[Socket]) -> None:
        """Listening sockets with their process first; the others are then told by what is left over."""
        listening = [
            one for one in sockets if one.state == "LISTEN" or (one.protocol == "udp" and one.local_port < EPHEMERAL)
        ]
        for socket in sorted(listening, key=lambda one: (not one.processes, one.local_port)):
            instance = self.running.holder(socket.processes) or self._unseen_listener(socket)
            instance.listens.add((socket.protocol, socket.local_address, socket.local_port))
            self.by_port.setdefault((socket.protocol, socket.local_port), []).append((socket.local_address, instance))
        told = configured(self.running, self.configs)
        for instance in [*self.running.instances(), *self.extra]:
            self._application(instance)
        self._configured(told)

    def _unseen_listener(self, socket: Socket) -> Instance:
        """Whose a listener is when its process is hidden: told by configuration, command line, port and owner."""
        for _, instance in self.by_port.get((socket.protocol, socket.local_port), ()):
            return instance  # the same port on another address
        ranked = sorted(
            ((self._likelihood(instance, socket), instance) for instance in self.running.instances()),
            key=lambda pair: -pair[0],
        )
        if ranked and ranked[0][0] >= 2 and (len(ranked) == 1 or ranked[1][0] < ranked[0][0]):
            ranked[0][1].how = "port" if ranked[0][0] < 4 else "configuration"
            return ranked[0][1]
        owners = [one for one in self.running.of_user(socket.uid) if socket.uid > 0 and not one.is_tool]
        if len(owners) == 1:
            owners[0].how = "owner"
            return owners[0]
        by_port = self.running.known.by_port.get(socket.local_port, ())
        instance = Instance(by_port[0].product, by_port[0]) if len(by_port) == 1 else Instance("listener")
        instance.how = "port"
        self.extra.append(instance)
        return instance

    def _likelihood(self, instance: Instance, socket: Socket) -> int:
        if (socket.uid > 0 and not instance.runs_as(socket.uid)) or instance.is_tool:
            return 0
        signature = instance.signature
        named = instance.mentions_port(socket.local_port) or (
            signature is not None and socket.local_port in self._configured_ports(signature)
        )
        usual = signature is not None and socket.local_port in signature.ports
        return 4 * named + 2 * usual + (socket.uid > 0)

    def _configured_ports(self, signature: Signature) -> set[int]:
        """The ports that the product's configuration on this host says it listens on."""
        if id(signature) not in self.ports_of:
            texts = [config.text for config in self.configs if signature.listen and signature.reads(config.path)]
            self.ports_of[id(signature)] = {port for text in texts for port in signature.listening(text)}
        return self.ports_of[id(signature)]

    def _application(self, instance: Instance) -> Application:
        """The application an instance is of, by its key."""
        if id(instance) not in self.of_instance:
            signature = instance.signature
            class_ = signature.class_ if signature and not instance.is_tool else "application"
            found = self.found.setdefault(instance.key, Application(instance.key, class_))
            found.instances.append(instance)
            self.of_instance[id(instance)] = found
        return self.of_instance[id(instance)]

    # -- step 6: what configuration names

    def _configured(self, told: Configured) -> None:
        for instance, path, named in told.by_instance:
            application = self._application(instance)
            application.configs.add(path)
            self._name(application, path, named.host, named.port, named.group, lasting=True)
        for job, named in told.by_job:
            self._name(self._job(job), job.path, named.host, named.port, "", lasting=False)
        self.unowned = told.unowned

    def _job(self, job: Job) -> Application:
        """A job stays one also while a process of it happens to run."""
        key = local_key(job.name)
        application = self.found.setdefault(key, Application(key, "scheduled_job"))
        if not any(instance.listens for instance in application.instances):
            application.class_, application.job = "scheduled_job", job
        return application

    def _name(self, application: Application, path: str, host: str, port: int, group: str, *, lasting: bool) -> None:
        where = f"named in {path}" if path else "named on its command line"
        section = "cron" if application.job else "configuration" if path else "processes"
        application.need((host, port)).add(where, NAMED, lasting=lasting, group=group, section=section)

    # -- steps 2, 5 and 8: who is connected to whom

    def connections(self, sockets: Sequence[Socket]) -> None:
        unseen: list[Socket] = []
        for socket in sockets:
            listener = self._listener(socket.protocol, socket.local_address, socket.local_port)
            instance = self.running.holder(socket.processes)
            if listener is not None:
                self._served(listener, socket)
            elif instance is None:
                unseen.append(socket)
            elif instance.is_tool:
                self._called(instance, socket)
            elif not instance.is_administrative:
                far = (socket.peer_address, socket.peer_port)
                self._application(instance).need(far).add("connected", SEEN, lasting=_lasts(socket))
        for socket in unseen:
            self._unseen_connection(socket)

    def _listener(self, protocol: str, address: str, port: int) -> Instance | None:
        """Who listens at an address of this host."""
        bound = self.by_port.get((protocol, port), ())
        exact = [instance for at, instance in bound if at == address]
        anywhere = [instance for at, instance in bound if at in ("0.0.0.0", "::")]  # noqa: S104 - compared, not bound
        return next(iter([*exact, *anywhere]), None)

    def _served(self, listener: Instance, socket: Socket) -> None:
        if not listener.is_administrative and not self._is_own(socket.peer_address):
            claim = self._application(listener).clients.setdefault(socket.peer_address, Claim())
            claim.add(f"connected to {socket.protocol} port {socket.local_port}", CLIENT, lasting=_lasts(socket))

    def _called(self, tool: Instance, socket: Socket) -> None:
        """A client program's connection belongs to the application that started it."""
        far = (socket.peer_address, socket.peer_port)
        caller = self.running.caller(tool)
        if caller is not None:
            self._application(caller).need(far).add(f"connected by {tool.name}", SEEN, lasting=False)
        elif not self._is_claimed(far):
            self.hidden.setdefault(far, Claim()).add("connected by a client program", HIDDEN, lasting=False)

    def _unseen_connection(self, socket: Socket) -> None:
        """A connection without its process: whoever is known to need that address and port has it; else the owner's
        only application; else the host itself."""
        far = (socket.peer_address, socket.peer_port)
        if self._is_claimed(far):
            for application in self.found.values():
                if far in application.needs and application.job is None and _lasts(socket):
                    application.needs[far].add("connected", NAMED, lasting=True)
            return
        instance = self._owner(socket) or self._configured_owner(far)
        if instance is not None:
            self._application(instance).need(far).add("connected by its user", OWNER, lasting=_lasts(socket))
        elif not self._is_own(far[0]) and not (not _lasts(socket) and self._is_administration(far[1])):
            self.hidden.setdefault(far, Claim()).add("connected", HIDDEN, lasting=_lasts(socket))

    def _owner(self, socket: Socket) -> Instance | None:
        if socket.uid <= 0:
            return None
        owners = [one for one in self.running.of_user(socket.uid) if not one.is_tool and not one.is_administrative]
        return owners[0] if len(owners) == 1 else None

    def _configured_owner(self, far: Far) -> Instance | None:
        """The application whose configuration names the far end although no process of it can be seen."""
        names = sorted({name for name, _, named in self.unowned if (named.host, named.port) == far})
        if len(names) != 1:
            return None
        same = next((one for one in self.extra if one.name == names[0]), None)
        if same is None:
            same = Instance(names[0], how="configuration")
            self.extra.append(same)
        return same

    def _is_claimed(self, far: Far) -> bool:
        return any(far in application.needs for application in self.found.values())

    def _is_administration(self, port: int) -> bool:
        return any(one.role == "administrative" for one in self.running.known.by_port.get(port, ()))

    def _is_own(self, address: str) -> bool:
        return address in self.addresses or _is_loopback(address)

    # -- what is told

    def components(self, packages: Mapping[str, str]) -> Iterator[Component]:
        for key in sorted(self.found):
            application = self.found[key]
            if application.matters:
                yield as_component(application, packages)

    def relations(self) -> Iterator[Relation]:
        for key in sorted(self.found):
            application = self.found[key]
            if application.matters:
                for far in sorted(application.needs):
                    yield from self._needs(application, far)
                yield from used_by(application)
        for far in sorted(self.hidden):
            if not self._is_claimed(far):
                yield from relations_of(End(ref=""), far_end(*far), self.hidden[far])

    def _needs(self, application: Application, far: Far) -> Iterator[Relation]:
        claim = application.needs[far]
        near = End(ref=application.ref)
        if not self._is_own(far[0]):
            yield from relations_of(near, far_end(*far), claim)
            return
        provider = self._listener("tcp", far[0], far[1])
        other = self._application(provider) if provider is not None else None
        if other is not None and other is not application and not other.administrative:
            yield from relations_of(near, End(ref=other.ref), claim)


def _lasts(socket: Socket) -> bool:
    """TIME-WAIT and half-open sockets tell only that there was, or will be, a connection."""
    return socket.state in ("ESTAB", "CLOSE-WAIT")


@lru_cache(maxsize=1024)
def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address in ("localhost", "")
