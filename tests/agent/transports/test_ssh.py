"""Against a real sshd on loopback; the misbehaving servers are plain sockets, since no real one stalls to order."""

from __future__ import annotations

import dataclasses
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_agent import targets
from cmdb_agent.errors import AgentError, TransportError
from cmdb_agent.observation import Transcript
from cmdb_agent.settings import DEFAULT_LIMITS, Limits, SshAccess
from cmdb_agent.targets import Target
from cmdb_agent.transports.ssh import SshTransport
from tests import sshd
from tests.sshd import Sshd

pytestmark = pytest.mark.skipif(bool(sshd.MISSING), reason=sshd.MISSING)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give sshd a user with a known password")

SHORT = Limits(connect_s=2, banner_s=1, auth_s=5, channel_s=3, script_s=2, output_bytes=1_000_000)


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    with sshd.running() as running:
        yield running


def access(server: Sshd, **changes: object) -> SshAccess:
    usual = SshAccess(user=server.user, keys=(f"file:{server.key}",), known_hosts=(str(server.known_hosts),))
    return dataclasses.replace(usual, **changes)


def run(server: Sshd, script: str, limits: Limits = DEFAULT_LIMITS, **changes: object) -> Transcript:
    return SshTransport(targets.parse(server.url, access(server, **changes)), limits).run(script)


def refusal(server: Sshd, **changes: object) -> TransportError:
    with pytest.raises(TransportError) as refused:
        run(server, "true", SHORT, **changes)
    return refused.value


def own(seconds: int) -> str:
    """A length of sleep that only this process asks for."""
    return f"{seconds}.{os.getpid()}"


def sleeping(seconds: str) -> bool:
    """Whether a ``sleep`` of exactly this length is running on this machine."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if file.read_bytes() == f"sleep\0{seconds}\0".encode():
                return True
        except OSError:
            continue
    return False


def ended(seconds: str) -> bool:
    deadline = time.monotonic() + 20
    while sleeping(seconds) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not sleeping(seconds)


def test_gives_output_errors_exit_code_address_and_host_key(server: Sshd) -> None:
    transcript = run(server, "echo out; echo err >&2; exit 3")
    expected = subprocess.run(
        ["ssh-keygen", "-l", "-f", server.folder / "host_ed25519.pub"], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    assert transcript == Transcript("out\n", 3, "", "err", "127.0.0.1", expected)


def test_uses_one_connection_and_one_session(server: Sshd) -> None:
    before = server.log
    run(server, "\n".join(f"echo section {n}" for n in range(200)))
    told = server.log[len(before) :]
    assert told.count("Accepted publickey") == 1
    assert told.count("Starting session") == 1


def test_text_that_is_not_utf8_is_replaced(server: Sshd) -> None:
    assert run(server, "printf 'a\\377b'").text == "a\ufffdb"


def test_an_unknown_host_key_is_refused_and_named(server: Sshd, tmp_path: Path) -> None:
    empty = tmp_path / "known_hosts"
    empty.touch()
    error = refusal(server, known_hosts=(str(empty),))
    assert error.kind == "host-key"
    assert "unknown" in str(error)
    assert "ssh-ed25519 SHA256:" in str(error)


def test_no_secret_is_sent_to_an_unknown_host(server: Sshd) -> None:
    before = server.log
    refusal(server, known_hosts=())
    told = server.log[len(before) :]
    assert "Failed" not in told
    assert "Accepted" not in told


def test_a_changed_host_key_is_refused_even_when_enrolling(server: Sshd, tmp_path: Path) -> None:
    sshd.keygen(tmp_path / "other", "-t", "ed25519")
    other = " ".join((tmp_path / "other.pub").read_text().split()[:2])
    pins = tmp_path / "known_hosts"
    pins.write_text(f"[127.0.0.1]:{server.port} {other}\n")
    before = pins.read_text()
    error = refusal(server, known_hosts=(str(pins),), enrol_host_keys=str(pins))
    assert error.kind == "host-key"
    assert "changed" in str(error)
    assert pins.read_text() == before


def test_enrolling_writes_the_key_that_is_then_required(server: Sshd, tmp_path: Path) -> None:
    enrolled = tmp_path / "enrolled"
    assert run(server, "echo one", known_hosts=(), enrol_host_keys=str(enrolled)).text == "one\n"
    assert enrolled.read_text() == server.known_hosts.read_text()
    assert run(server, "echo two", known_hosts=(str(enrolled),)).text == "two\n"


def test_a_fingerprint_can_be_the_pin(server: Sshd) -> None:
    fingerprint = run(server, "true").host_key
    assert run(server, "echo in", known_hosts=(), pins=(fingerprint,)).text == "in\n"


def test_the_pinned_kind_of_key_is_asked_for(tmp_path: Path) -> None:
    with sshd.running(host_keys=("ed25519", "rsa", "ecdsa")) as server:
        for line in server.known_hosts.read_text().splitlines():
            only = tmp_path / "only"
            only.write_text(line + "\n")
            assert run(server, "echo in", known_hosts=(str(only),)).text == "in\n"


def test_old_crypto_is_told_from_a_host_that_is_down() -> None:
    with sshd.running("KexAlgorithms diffie-hellman-group14-sha1") as server:
        assert refusal(server).kind == "legacy-crypto"


def test_a_key_that_is_not_authorized(server: Sshd, tmp_path: Path) -> None:
    sshd.keygen(tmp_path / "stranger", "-t", "ed25519")
    error = refusal(server, keys=(f"file:{tmp_path}/stranger",))
    assert error.kind == "auth"
    assert "ssh-ed25519 SHA256:" in str(error)


def test_the_second_key_is_tried_and_then_remembered(server: Sshd, tmp_path: Path) -> None:
    sshd.keygen(tmp_path / "stranger", "-t", "rsa")
    both = (f"file:{tmp_path}/stranger", f"file:{server.key}")
    assert run(server, "echo in", keys=both).text == "in\n"
    before = server.log
    assert run(server, "echo in", keys=both).text == "in\n"
    assert "Failed publickey" not in server.log[len(before) :]


def test_an_encrypted_key_needs_its_passphrase(server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = tmp_path / "locked"
    key.write_bytes(server.key.read_bytes())
    key.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "open sesame", "-f", key], check=True)
    monkeypatch.setenv("PASSPHRASE", "open sesame")
    assert run(server, "echo in", keys=(f"file:{key}",), passphrase="env:PASSPHRASE").text == "in\n"
    with pytest.raises(AgentError, match="encrypted"):
        run(server, "true", keys=(f"file:{key}",))
    monkeypatch.setenv("PASSPHRASE", "wrong")
    with pytest.raises(AgentError) as refused:
        run(server, "true", keys=(f"file:{key}",), passphrase="env:PASSPHRASE")
    assert "wrong passphrase" in str(refused.value)


@pytest.mark.parametrize("explicit", [False, True])
def test_a_user_certificate(server: Sshd, tmp_path: Path, explicit: bool) -> None:
    key = tmp_path / "certified"
    sshd.keygen(key, "-t", "ed25519")
    sign = ["ssh-keygen", "-q", "-s", server.folder / "authority", "-I", "scan", "-n", server.user, f"{key}.pub"]
    subprocess.run(sign, check=True)
    certificates: tuple[str, ...] = ()
    if explicit:
        (tmp_path / "certified-cert.pub").rename(tmp_path / "elsewhere")
        certificates = (f"file:{tmp_path}/elsewhere",)
    assert run(server, "echo in", keys=(f"file:{key}",), certificates=certificates).text == "in\n"


@needs_root
def test_passwords_right_and_wrong(server: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", sshd.PASSWORD)
    assert run(server, "echo in", keys=(), password="env:SECRET").text == "in\n"
    monkeypatch.setenv("SECRET", "not the password")
    error = refusal(server, keys=(), password="env:SECRET")
    assert error.kind == "auth"
    assert "not the password" not in str(error)


def test_no_way_in_is_configured(server: Sshd) -> None:
    error = refusal(server, keys=())
    assert error.kind == "auth"
    assert "no key or password" in str(error)


def test_through_another_host(server: Sshd, tmp_path: Path) -> None:
    with sshd.running() as inner:
        both = tmp_path / "both"
        both.write_text(server.known_hosts.read_text() + inner.known_hosts.read_text())
        keys = (f"file:{server.key}", f"file:{inner.key}")
        way = {"keys": keys, "known_hosts": (str(both),), "jump": server.url}
        transcript = run(inner, "echo $SSH_CONNECTION", **way)
        assert transcript.text.split()[3] == str(inner.port)
        assert transcript.address == ""
        assert refusal(inner, **way | {"known_hosts": (str(inner.known_hosts),)}).kind == "host-key"
    closed = targets.parse(f"ssh://127.0.0.1:{sshd.free_port()}", access(server, jump=server.url))
    with pytest.raises(TransportError) as refused:
        SshTransport(closed, SHORT).run("true")
    assert refused.value.kind == "unreachable"


def test_nobody_listens(server: Sshd) -> None:
    target = targets.parse(f"ssh://127.0.0.1:{sshd.free_port()}", access(server))
    with pytest.raises(TransportError) as refused:
        SshTransport(target, SHORT).run("true")
    assert refused.value.kind == "unreachable"
    assert "Connection refused" in str(refused.value)


def test_a_name_that_does_not_resolve(server: Sshd) -> None:
    with pytest.raises(TransportError) as refused:
        SshTransport(targets.parse("ssh://nobody.invalid", access(server)), SHORT).run("true")
    assert refused.value.kind == "unreachable"
    assert "does not resolve" in str(refused.value)


@pytest.mark.parametrize(
    ("greeting", "kind"),
    [
        (b"", "timeout"),
        (b"SSH-2.0-slow\r\n", "timeout"),
        (b"220 mail ESMTP\r\n", "timeout"),
        (None, "unreachable"),
        (b"SSH-1.5-old\r\n", "legacy-crypto"),
    ],
)
def test_a_server_that_stalls_or_hangs_up(server: Sshd, greeting: bytes | None, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ready: list[socket.socket] = []

        def answer() -> None:
            connection, _ = listener.accept()
            ready.append(connection)
            if greeting is None:
                connection.close()
            else:
                connection.sendall(greeting)

        thread = threading.Thread(target=answer)
        thread.start()
        target = targets.parse(f"ssh://127.0.0.1:{listener.getsockname()[1]}", access(server))
        with pytest.raises(TransportError) as refused:
            SshTransport(target, dataclasses.replace(SHORT, auth_s=1, connect_s=1)).run("true")
        thread.join()
        for connection in ready:
            connection.close()
    assert refused.value.kind == kind


def test_a_hanging_command_is_cut_and_ended_there(server: Sshd) -> None:
    transcript = run(server, f"echo before; sleep {own(77)}; echo after", SHORT)
    assert transcript.cut == "timeout"
    assert transcript.text == "before\n"
    assert ended(own(77))


def test_output_without_end_is_cut_and_what_came_is_kept(server: Sshd) -> None:
    transcript = run(server, "echo first; exec yes", SHORT)
    assert transcript.cut == "too-large"
    assert transcript.text.startswith("first\ny\n")
    assert len(transcript.text) == SHORT.output_bytes


def test_a_flood_of_errors_does_not_block_the_output(server: Sshd) -> None:
    script = "head -c 8000000 /dev/zero | tr '\\0' e >&2; echo done"
    transcript = run(server, script, Limits(script_s=30))
    assert (transcript.text, transcript.cut) == ("done\n", "")
    assert transcript.errors.endswith("eee")


def test_a_large_script_and_a_large_output_at_once(server: Sshd) -> None:
    line = "echo " + "x" * 200
    transcript = run(server, f"{line}\n" * 20_000, Limits(script_s=50))
    assert (len(transcript.text), transcript.cut) == (20_000 * 201, "")


def test_something_left_in_the_background_does_not_hold_the_scan(server: Sshd) -> None:
    transcript = run(server, f"echo out; sleep {own(5)} & exit 0", SHORT)
    assert (transcript.text, transcript.code, transcript.cut) == ("out\n", 0, "")
    assert ended(own(5))


def test_the_remote_side_ends_itself_when_the_connection_is_lost(server: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmdb_agent.transports.ssh._terminate", lambda *_: None)
    transcript = run(server, f"sleep {own(55)}", dataclasses.replace(SHORT, script_s=0.5))
    assert transcript.cut == "timeout"
    assert ended(own(55))


def test_no_session_is_to_be_had() -> None:
    with sshd.running("MaxSessions 0") as server:
        assert refusal(server).kind == "channel"


def test_the_connection_breaks_in_the_middle(server: Sshd) -> None:
    transcript = run(server, "echo before; kill -9 $(ps -o ppid= -p $(ps -o ppid= -p $$)); sleep 1; echo after")
    assert transcript.cut in ("closed", "timeout")
    assert transcript.text == "before\n"
    assert transcript.code == -1


def test_the_agent_of_the_user_is_never_asked(server: Sshd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(tmp_path / "agent"))
        agent.listen()
        agent.setblocking(False)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        assert run(server, "echo ${SSH_AUTH_SOCK:-none}").text == "none\n"
        with pytest.raises(BlockingIOError):
            agent.accept()


def test_many_at_once_keep_their_own_answers(server: Sshd) -> None:
    answers: dict[int, str] = {}

    def one(number: int) -> None:
        answers[number] = run(server, f"echo {number}", Limits(banner_s=30, auth_s=30)).text

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: f"{number}\n" for number in range(8)}


def test_target_is_named_without_its_user(server: Sshd) -> None:
    target = Target("ssh", "127.0.0.1", server.port, access(server, keys=()))
    with pytest.raises(TransportError, match=rf"127\.0\.0\.1:{server.port}"):
        SshTransport(target, SHORT).run("true")
