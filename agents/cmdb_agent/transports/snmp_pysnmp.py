"""SNMP through pysnmp, tuned: raw OIDs, no MIB look-ups, the light dispatcher for v2c, warmed engines for v3."""

from __future__ import annotations

import asyncio
import atexit
import ipaddress
import struct
import threading
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

from pyasn1.error import PyAsn1Error  # type: ignore[import-untyped]
from pyasn1.type import univ  # type: ignore[import-untyped]
from pysnmp.error import PySnmpError
from pysnmp.hlapi.v1arch import asyncio as v1arch
from pysnmp.hlapi.v3arch import asyncio as v3arch
from pysnmp.proto import errind, rfc1902, rfc1905

from cmdb_agent.errors import TransportError
from cmdb_agent.observation import SnmpTransport, Varbind, Walk
from cmdb_agent.transports.snmp import SnmpTarget, SnmpUser
from cmdb_agent.transports.walker import Limits, NoAnswer, Refused, TooBig, Undecodable, WalkError, walk

_AUTH = {
    "MD5": v3arch.USM_AUTH_HMAC96_MD5,
    "SHA-1": v3arch.USM_AUTH_HMAC96_SHA,
    "SHA-224": v3arch.USM_AUTH_HMAC128_SHA224,
    "SHA-256": v3arch.USM_AUTH_HMAC192_SHA256,
    "SHA-384": v3arch.USM_AUTH_HMAC256_SHA384,
    "SHA-512": v3arch.USM_AUTH_HMAC384_SHA512,
}
# The key expansion of net-snmp and gufo (Blumenthal), needed when the authentication's key is shorter.
_PRIV = {
    "DES": v3arch.USM_PRIV_CBC56_DES,
    "AES-128": v3arch.USM_PRIV_CFB128_AES,
    "AES-192": v3arch.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "AES-256": v3arch.USM_PRIV_CFB256_AES_BLUMENTHAL,
}
_NULL = univ.Null("")
_TOO_BIG, _GEN_ERR = 1, 5
_ENDS = (rfc1905.EndOfMibView, rfc1905.NoSuchObject, rfc1905.NoSuchInstance)
_AUTH_ERRORS = (
    errind.AuthenticationError, errind.AuthenticationFailure, errind.DecryptionError, errind.UnknownSecurityName,
    errind.UnknownUserName, errind.UnsupportedAuthProtocol, errind.UnsupportedPrivProtocol,
    errind.UnsupportedSecurityLevel, errind.WrongDigest,
)  # fmt: skip
_DEVICES_PER_ENGINE = 200


class _Loop:
    """An event loop of its own, so that a synchronous scan can use an asynchronous library. What goes wrong inside
    the library's callbacks (a message that is no SNMP) ends the request at once instead of running into its timeout."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._failed)
        self._request: asyncio.Task[Any] | None = None

    def run(self, request: Coroutine[Any, Any, Any]) -> Any:
        self._request = self._loop.create_task(request)
        try:
            return self._loop.run_until_complete(self._request)
        except asyncio.CancelledError as error:
            raise Undecodable("the answer is not SNMP") from error
        except (PyAsn1Error, PySnmpError) as error:
            raise Undecodable(f"the answer cannot be read: {type(error).__name__}") from error
        finally:
            self._request = None

    def _failed(self, _loop: asyncio.AbstractEventLoop, _context: dict[str, Any]) -> None:
        if self._request:
            self._request.cancel()

    def close(self) -> None:
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


class _V2c:
    """One light dispatcher for one device."""

    def __init__(self, target: SnmpTarget) -> None:
        self._auth = v1arch.CommunityData(target.community, mpModel=1)  # noqa: S508 - many devices have no v3
        self._loop = _Loop()
        self._dispatcher: Any = None

    def send(self, command: str, peer: Any, leading: tuple[int, ...], varbinds: Sequence[Any]) -> Any:
        return self._loop.run(self._send(command, peer, leading, varbinds))

    async def _send(self, command: str, peer: Any, leading: tuple[int, ...], varbinds: Sequence[Any]) -> Any:
        if self._dispatcher is None:
            self._dispatcher = v1arch.SnmpDispatcher()
        call = getattr(v1arch, command)
        return await call(self._dispatcher, self._auth, await peer, *leading, *varbinds, lookupMib=False)

    def close(self) -> None:
        if self._dispatcher:
            # What is still unanswered would be called back with too few arguments.
            self._dispatcher._pendingReqs.clear()
            self._dispatcher.close()
        self._loop.close()


class _Engine:
    """A v3 engine with its loop. It costs 0.2 s to make, so it serves many devices, for one user."""

    def __init__(self, user: SnmpUser) -> None:
        self.user = user
        self.devices = 0
        self.loop = _Loop()
        self.engine: Any = None

    def close(self) -> None:
        if self.engine:
            self.engine.close_dispatcher()
        self.loop.close()


class _Engines:
    """The warmed engines that no device uses now. An engine is one user's alone: it keeps keys it has derived for a
    device, and would go on using them for another user of the same name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Engine] = []

    def take(self, user: SnmpUser) -> _Engine:
        with self._lock:
            for engine in self._idle:
                if engine.user == user:
                    self._idle.remove(engine)
                    return engine
        return _Engine(user)

    def give(self, engine: _Engine) -> None:
        engine.devices += 1
        if engine.devices >= _DEVICES_PER_ENGINE:
            engine.close()
            return
        with self._lock:
            self._idle.append(engine)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for engine in idle:
            engine.close()


ENGINES = _Engines()
atexit.register(ENGINES.close)


class _V3:
    def __init__(self, target: SnmpTarget, user: SnmpUser) -> None:
        self._context = v3arch.ContextData(contextName=target.context.encode())
        self._auth = v3arch.UsmUserData(
            user.name,
            user.auth_password or None,
            user.priv_password or None,
            authProtocol=_AUTH[user.auth_protocol] if user.auth_protocol else v3arch.USM_AUTH_NONE,
            privProtocol=_PRIV[user.priv_protocol] if user.priv_protocol else v3arch.USM_PRIV_NONE,
        )
        self._engine = ENGINES.take(user)

    def send(self, command: str, peer: Any, leading: tuple[int, ...], varbinds: Sequence[Any]) -> Any:
        return self._engine.loop.run(self._send(command, peer, leading, varbinds))

    async def _send(self, command: str, peer: Any, leading: tuple[int, ...], varbinds: Sequence[Any]) -> Any:
        if self._engine.engine is None:
            self._engine.engine = v3arch.SnmpEngine()
        call = getattr(v3arch, command)
        engine, context = self._engine.engine, self._context
        return await call(engine, self._auth, await peer, context, *leading, *varbinds, lookupMib=False)

    def close(self) -> None:
        ENGINES.give(self._engine)


class PysnmpTransport:
    """One device. Not safe for use by several threads at once."""

    def __init__(self, target: SnmpTarget, address: str, limits: Limits) -> None:
        self._target, self._address, self._limits = target, address, limits
        self._session: _V2c | _V3 | None = None
        six = ipaddress.ip_address(address).version == 6
        library: Any = v3arch if target.user else v1arch
        self._peer = library.Udp6TransportTarget if six else library.UdpTransportTarget

    def get(self, oids: Sequence[tuple[int, ...]]) -> Iterator[Varbind]:
        try:
            rows = self._ask("get_cmd", (), oids)
        except NoAnswer as error:
            raise TransportError(f"{self._target.host} does not answer", "timeout") from error
        except WalkError as error:
            raise TransportError(f"{self._target.host}: {error}", "undecodable") from error
        return (varbind for varbind in rows if varbind.value is not None)

    def walk(self, root: tuple[int, ...]) -> Walk:
        return walk(self.getbulk, root, self._limits)

    def getbulk(self, oid: tuple[int, ...], repetitions: int) -> list[Varbind]:
        """The rows after ``oid``, as the walker asks for them."""
        return self._ask("bulk_cmd", (0, repetitions), [oid])

    def close(self) -> None:
        if self._session:
            self._session.close()
            self._session = None

    def _ask(self, command: str, leading: tuple[int, ...], oids: Sequence[tuple[int, ...]]) -> list[Varbind]:
        if self._session is None:
            user = self._target.user
            self._session = _V3(self._target, user) if user else _V2c(self._target)
        peer = self._peer.create(
            (self._address, self._target.port), timeout=self._limits.timeout, retries=self._limits.retries
        )
        indication, status, _, varbinds = self._session.send(command, peer, leading, [(oid, _NULL) for oid in oids])
        self._check(indication, int(status))
        return [_varbind(name, value) for name, value in varbinds]

    def _check(self, indication: Any, status: int) -> None:
        if isinstance(indication, _AUTH_ERRORS):
            raise TransportError(f"{self._target.host}: {indication}", "auth")
        if isinstance(indication, errind.RequestTimedOut):
            raise NoAnswer(f"no answer in {self._limits.timeout:g} s, {self._limits.retries + 1} times")
        if indication:
            raise Undecodable(str(indication))
        if status == _TOO_BIG:
            raise TooBig("tooBig")
        if status == _GEN_ERR:
            raise Undecodable("genErr")
        if status:
            raise Refused(f"the agent answers with error {status}")


def open_transport(target: SnmpTarget, address: str, limits: Limits) -> SnmpTransport:
    return PysnmpTransport(target, address, limits)


def _varbind(name: Any, value: Any) -> Varbind:
    return Varbind(tuple(name), *_typed(value))


def _typed(value: Any) -> tuple[bytes | int | str | None, str]:
    if isinstance(value, rfc1902.IpAddress):
        return ".".join(map(str, bytes(value))), "address"
    if isinstance(value, rfc1902.Opaque):
        return _opaque(bytes(value))
    if isinstance(value, _ENDS):  # of pyasn1's Null, and those are OctetStrings of no length
        return None, "end"
    if isinstance(value, univ.OctetString):
        return bytes(value), "string"
    if isinstance(value, univ.ObjectIdentifier):
        return ".".join(map(str, tuple(value))), "oid"
    if isinstance(value, univ.Integer):
        return int(value), "integer"
    return None, "null"


def _opaque(content: bytes) -> tuple[bytes | str, str]:
    """net-snmp wraps floating point numbers (and only those matter) into Opaque: tag 9f 78, length 4."""
    if content[:3] == b"\x9f\x78\x04":
        return repr(struct.unpack("!f", content[3:7])[0]), "float"
    return content, "string"
