"""SNMP through gufo-snmp: fast, and what it cannot read is read by pysnmp.

gufo takes tooBig, genErr and an answer without rows for the end of a table, as it does the real end of the MIB. So
wherever it says that a table ends, but for a row beyond it, pysnmp is asked what follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from gufo.snmp import NoSuchInstance, SnmpError
from gufo.snmp import user as keys
from gufo.snmp.sync import SnmpSession

from cmdb_agent.errors import MissingExtra, TransportError
from cmdb_agent.observation import SnmpTransport, Varbind, Walk
from cmdb_agent.transports.snmp import SnmpTarget, SnmpUser
from cmdb_agent.transports.walker import Limits, NoAnswer, Undecodable, dotted, walk

if TYPE_CHECKING:
    from cmdb_agent.transports.snmp_pysnmp import PysnmpTransport

_AUTH = {
    "MD5": keys.Md5Key,
    "SHA-1": keys.Sha1Key,
    "SHA-224": keys.Sha224Key,
    "SHA-256": keys.Sha256Key,
    "SHA-384": keys.Sha384Key,
    "SHA-512": keys.Sha512Key,
}
_PRIV = {"DES": keys.DesKey, "AES-128": keys.Aes128Key, "AES-192": keys.Aes192Key, "AES-256": keys.Aes256Key}
_END = Varbind((), None, "end")
T = TypeVar("T")


class GufoTransport:
    """One device. Not safe for use by several threads at once."""

    def __init__(self, target: SnmpTarget, address: str, limits: Limits) -> None:
        self._target, self._address, self._limits = target, address, limits
        self._session: SnmpSession | None = None
        self._other: PysnmpTransport | None = None

    def get(self, oids: Sequence[tuple[int, ...]]) -> Iterator[Varbind]:
        try:
            rows = self._asked(lambda: self._connected().get_many([dotted(oid) for oid in oids]))
        except NoAnswer as error:
            raise TransportError(f"{self._target.host} does not answer", "timeout") from error
        except NoSuchInstance:
            return
        except SnmpError:
            yield from self.pysnmp().get(oids)
            return
        for oid in oids:
            if (value := rows.get(dotted(oid))) is not None:
                yield _varbind(dotted(oid), value)

    def walk(self, root: tuple[int, ...]) -> Walk:
        self._connected()
        return walk(_Rows(self, root), root, self._limits)

    def close(self) -> None:
        self._session = None
        if self._other:
            self._other.close()

    def rows(self, root: tuple[int, ...], repetitions: int) -> Iterator[tuple[str, Any]]:
        return iter(self._connected().getbulk(dotted(root), repetitions))

    def _connected(self) -> SnmpSession:
        if self._session is None:
            self._session = self._asked(self._open)
        return self._session

    def _open(self) -> SnmpSession:
        session = SnmpSession(
            self._address,
            self._target.port,
            community=self._target.community or "",
            user=_user(self._target.user) if self._target.user else None,
            timeout=self._limits.timeout,
        )
        try:
            session.refresh()
        except SnmpError as error:
            raise TransportError(f"{self._target.host}: {error}", "auth") from error
        except TimeoutError as error:
            raise TransportError(f"{self._target.host} does not answer", "timeout") from error
        return session

    def _asked(self, question: Callable[[], T]) -> T:
        for _ in range(self._limits.retries + 1):
            try:
                return question()
            except (TimeoutError, BlockingIOError):
                continue
            except OSError as error:
                raise TransportError(f"{self._target.host}: {error}") from error
        raise NoAnswer(f"no answer in {self._limits.timeout:g} s, {self._limits.retries + 1} times")

    def next(self, rows: Iterator[tuple[str, Any]]) -> tuple[str, Any]:
        return self._asked(lambda: next(rows))

    def pysnmp(self) -> PysnmpTransport:
        """The same device through the other library."""
        if self._other is None:
            try:
                from cmdb_agent.transports import snmp_pysnmp
            except ImportError as error:
                raise MissingExtra("SNMP needs its extra: pip install 'cmdb-agent[snmp]'") from error
            self._other = snmp_pysnmp.PysnmpTransport(self._target, self._address, self._limits)
        return self._other


class _Rows:
    """gufo's iterator as the walker's ``getbulk``. It only goes on from where it stands, with the repetitions it began
    with; all else, and what comes after its first doubt, is pysnmp's."""

    def __init__(self, transport: GufoTransport, root: tuple[int, ...]) -> None:
        self._transport, self._root, self._at, self._repetitions = transport, root, root, 0
        self._iterator: Iterator[tuple[str, Any]] | None = None
        self._doubtful = False

    def __call__(self, oid: tuple[int, ...], repetitions: int) -> list[Varbind]:
        if self._iterator is None:
            self._iterator, self._repetitions = self._transport.rows(self._root, repetitions), repetitions
        rows = []
        if not self._doubtful and oid == self._at and repetitions == self._repetitions:
            rows = self._batch(self._iterator, repetitions)
        if not rows:
            return self._rest(oid, repetitions)
        self._at = rows[-1].oid
        return rows

    def _batch(self, iterator: Iterator[tuple[str, Any]], count: int) -> list[Varbind]:
        rows: list[Varbind] = []
        try:
            while len(rows) < count:
                rows.append(_varbind(*self._transport.next(iterator)))
        except StopIteration as stop:
            # Without a cause there was a row beyond the table, which is its end.
            if stop.__cause__ is None:
                rows.append(_END)
            self._doubtful = stop.__cause__ is not None
        except SnmpError:
            self._doubtful = True
        return rows

    def _rest(self, oid: tuple[int, ...], repetitions: int) -> list[Varbind]:
        self._doubtful = True
        try:
            return self._transport.pysnmp().getbulk(oid, repetitions)
        except MissingExtra as error:
            raise Undecodable("gufo-snmp cannot read it, and pysnmp is not installed") from error


def open_transport(target: SnmpTarget, address: str, limits: Limits) -> SnmpTransport:
    return GufoTransport(target, address, limits)


def _user(user: SnmpUser) -> keys.User:
    return keys.User(
        user.name,
        auth_key=_AUTH[user.auth_protocol](user.auth_password.encode()) if user.auth_protocol else None,
        priv_key=_PRIV[user.priv_protocol](user.priv_password.encode()) if user.priv_protocol else None,
    )


def _varbind(oid: str, value: object) -> Varbind:
    return Varbind(tuple(map(int, oid.split("."))), *_typed(value))


def _typed(value: object) -> tuple[bytes | int | str | None, str]:
    if isinstance(value, bool | int):
        return int(value), "integer"
    if isinstance(value, bytes):
        return value, "string"
    if isinstance(value, str):
        # gufo gives addresses and OIDs alike as text; no table read here holds an OID of just four arcs.
        return value, "address" if value.count(".") == 3 else "oid"
    if isinstance(value, float):
        return repr(value), "float"
    return None, "null"
