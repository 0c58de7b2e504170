"""Runs the script over SSH: one connection, one ``sh -s``, everything limited.

Host keys are checked against pins before any secret is sent; the user's agent and the keys in their home are never
used, and nothing is forwarded.
"""

from __future__ import annotations

import contextlib
import getpass
import logging
import math
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, NoReturn

import paramiko

from cmdb_agent.errors import TransportError
from cmdb_agent.observation import Transcript
from cmdb_agent.settings import Limits
from cmdb_agent.targets import Target, jumps
from cmdb_agent.transports import host_keys, login
from cmdb_agent.transports.capture import Capture
from cmdb_agent.transports.gathering import GatheringSocket

_CHUNK = 65_536
_POLL_S = 0.25
"""How often what has come is looked at. A script is read whole, so nothing is gained by waking for each packet; until
then the channel's window (2 MB) holds it."""
_GATHER_S = 0.1
"""How long packets gather before they are read, and with them the end of the script."""
_SETTLE_S = 0.02
"""Between looks for the end of outputs once the exit status has come, which is all but always behind them."""
_LINGER_S = 1.0
"""How long output is awaited once the script has ended: something in its background may hold the pipes open."""

# What paramiko logs about a failed host is one line of the report.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False


class SshTransport:
    """One host, reached directly or through others."""

    def __init__(self, target: Target, limits: Limits) -> None:
        self._target = target
        self._limits = limits
        self._hops: list[paramiko.Transport] = []

    def run(self, script: str) -> Transcript:
        """Connects, runs the script and disconnects. Raises ``TransportError``."""
        try:
            connection = self._connect()
            channel = self._start(connection, script)
            return self._drain(connection, channel)
        except (OSError, EOFError, paramiko.SSHException) as error:
            _raise(self._target.name, error)
        finally:
            self.close()

    def close(self) -> None:
        while self._hops:
            self._hops.pop().close()

    def _connect(self) -> paramiko.Transport:
        """The connection to the target, with one to each host on the way."""
        for hop in [*jumps(self._target.ssh), self._target]:
            way = self._through(self._hops[-1], hop) if self._hops else self._dial(hop)
            self._hops.append(self._handshake(hop, way))
        return self._hops[-1]

    def _dial(self, hop: Target) -> socket.socket:
        """The first address of the host that answers, all within one limit."""
        deadline = time.monotonic() + self._limits.connect_s
        failure: OSError = OSError(f"{hop.host} has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(hop.host, hop.port, type=socket.SOCK_STREAM):
            way = socket.socket(family, kind, protocol)
            try:
                way.settimeout(max(0.1, deadline - time.monotonic()))
                way.connect(address)
            except OSError as error:
                way.close()
                failure = error
            else:
                return way
        raise failure

    def _through(self, before: paramiko.Transport, hop: Target) -> paramiko.Channel:
        try:
            return before.open_channel(
                "direct-tcpip", (hop.host, hop.port), ("127.0.0.1", 0), timeout=self._limits.channel_s
            )
        except paramiko.ChannelException as error:
            kind = "unreachable" if error.code == 2 else "channel"
            raise TransportError(f"{hop.name}: through {self._target.ssh.jump}: {error.text}", kind) from None

    def _handshake(self, hop: Target, way: socket.socket | paramiko.Channel) -> paramiko.Transport:
        """Keys exchanged, the host's key checked, the user logged in."""
        try:
            pins = host_keys.pinned(hop.host, hop.port, hop.ssh)
            gathering: Any = GatheringSocket(way) if isinstance(way, socket.socket) else way
            connection = paramiko.Transport(gathering)
        except BaseException:
            way.close()
            raise
        try:
            connection.banner_timeout = self._limits.banner_s
            connection.handshake_timeout = self._limits.banner_s + self._limits.connect_s
            connection.auth_timeout = self._limits.auth_s
            _prefer(connection, pins.types)
            self._exchange_keys(hop, connection)
            key = connection.get_remote_server_key()
            pins.check(key.get_name(), key.asbytes())
            login.log_in(connection, hop, hop.ssh.user or getpass.getuser())
        except (OSError, EOFError, paramiko.SSHException) as error:
            connection.close()
            _raise(hop.name, error)
        except BaseException:
            connection.close()
            raise
        return connection

    def _exchange_keys(self, hop: Target, connection: paramiko.Transport) -> None:
        done = threading.Event()
        connection.start_client(done)
        if not done.wait(self._limits.banner_s + self._limits.auth_s):
            raise TransportError(f"{hop.name}: no key exchange within the limit", "timeout")
        if not connection.is_active():
            raise connection.get_exception() or paramiko.SSHException("negotiation failed")

    def _start(self, connection: paramiko.Transport, script: str) -> paramiko.Channel:
        """Asks for one shell and hands it the script; a host that never answers is cut off."""
        channel = connection.open_session(timeout=self._limits.channel_s)
        with _within(self._limits.channel_s, connection):
            channel.settimeout(self._limits.channel_s)
            channel.exec_command(_shell(self._limits.script_s))
            with contextlib.suppress(BrokenPipeError):
                channel.sendall(script.encode("utf-8", "replace"))
            with contextlib.suppress(OSError):
                channel.shutdown_write()
        return channel

    def _drain(self, connection: paramiko.Transport, channel: paramiko.Channel) -> Transcript:
        """Reads both outputs as they come, then the exit status; in this order nothing can wait for another."""
        key = connection.get_remote_server_key()
        address = str(connection.getpeername()[0]) if len(self._hops) == 1 else ""
        capture = Capture(self._limits.output_bytes)
        if isinstance(connection.sock, GatheringSocket):
            connection.sock.gather(_GATHER_S)
        cut = _read(channel, capture, time.monotonic() + self._limits.script_s)
        if cut:
            _terminate(connection, channel)
        code = channel.exit_status if channel.exit_status_ready() and not cut else -1
        return capture.transcript(code, cut, address, host_keys.fingerprint(key.asbytes()))


def _shell(limit_s: float) -> str:
    """The remote command. It ends itself a little after our own limit, should the connection be lost; hosts whose
    ``timeout`` is missing or older than ``-k`` get a plain shell. ``exec`` all the way: what sshd started must lead the
    process group, or a signal would miss the script."""
    bound = f"timeout -k 2 {math.ceil(limit_s) + 2}"
    return f"exec /bin/sh -c 'if {bound} true 2>/dev/null; then exec {bound} /bin/sh -s; fi; exec /bin/sh -s'"


def _read(channel: paramiko.Channel, capture: Capture, deadline: float) -> str:
    """Reads until the end of both outputs; tells why it stopped early, if it did."""
    while True:
        moved = False
        while channel.recv_ready():
            capture.output(channel.recv(_CHUNK))
            moved = True
        while channel.recv_stderr_ready():
            capture.error(channel.recv_stderr(_CHUNK))
            moved = True
        if capture.full:
            return "too-large"
        if not moved and (channel.eof_received or channel.closed):
            return _await_status(channel, deadline)
        if channel.exit_status_ready():
            deadline = min(deadline, time.monotonic() + _LINGER_S)
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return "" if channel.exit_status_ready() else "timeout"
        if channel.status_event.is_set():
            time.sleep(min(remaining, _SETTLE_S))
        elif not moved:
            channel.status_event.wait(min(remaining, _POLL_S))


def _await_status(channel: paramiko.Channel, deadline: float) -> str:
    if not channel.status_event.wait(max(0.0, deadline - time.monotonic())):
        return "timeout"
    # The event is also set when the connection breaks; then there is no status.
    return "" if channel.exit_status != -1 else "closed"


def _terminate(connection: paramiko.Transport, channel: paramiko.Channel) -> None:
    """Asks the server to end the script's process group (RFC 4254, 6.9), for which paramiko has no call."""
    message = paramiko.Message()
    message.add_byte(paramiko.common.cMSG_CHANNEL_REQUEST)
    message.add_int(channel.remote_chanid)
    message.add_string("signal")
    message.add_boolean(False)
    message.add_string("TERM")
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        connection._send_user_message(message)  # type: ignore[attr-defined]
        channel.close()


def _prefer(connection: paramiko.Transport, types: list[str]) -> None:
    """Asks for the pinned kinds of host key first. An RSA key is asked for by its signatures."""
    options = connection.get_security_options()
    known = list(options.key_types)
    wanted = [name for kind in types for name in (("rsa-sha2-512", "rsa-sha2-256") if kind == "ssh-rsa" else (kind,))]
    first = [name for name in wanted if name in known]
    options.key_types = [*first, *(name for name in known if name not in first)]
    # One pass over each packet instead of a cipher and a MAC, whose comparison paramiko does byte by byte.
    ciphers = list(options.ciphers)
    options.ciphers = sorted(ciphers, key=lambda name: (not name.endswith("-gcm@openssh.com"), ciphers.index(name)))


@contextlib.contextmanager
def _within(seconds: float, connection: paramiko.Transport) -> Iterator[None]:
    """Closes the connection if what is inside takes longer: some of paramiko's waits have no limit of their own."""
    late = threading.Event()

    def cut_off() -> None:
        late.set()
        connection.close()

    timer = threading.Timer(seconds, cut_off)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, EOFError, paramiko.SSHException) as error:
        if late.is_set():
            raise TransportError(f"no shell within {seconds:g} s", "channel") from error
        raise
    finally:
        timer.cancel()


def _raise(name: str, error: Exception) -> NoReturn:
    """What went wrong, as one line and a kind."""
    raise TransportError(f"{name}: {_said(error)}", _kind(error)) from error


def _kind(error: Exception) -> str:
    cause = error.__context__
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        return "legacy-crypto"
    if isinstance(error, paramiko.AuthenticationException):
        return "timeout" if "timeout" in str(error).lower() else "auth"
    if isinstance(error, paramiko.ChannelException) or "channel" in str(error).lower():
        return "channel"
    if isinstance(error, TimeoutError) or isinstance(cause, TimeoutError) or "timed out" in str(error).lower():
        return "timeout"
    return "unreachable"


def _said(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "the name does not resolve"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, paramiko.ChannelException):
        return f"no session: {error.text}"
    return " ".join(str(error).split())[:300] or type(error).__name__
