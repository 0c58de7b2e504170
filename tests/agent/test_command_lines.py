"""Command lines lose their secrets, and nothing that discovery lives on."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_agent.command_lines import redact_command, redact_shell

SECRETS = st.text(string.ascii_letters + string.digits + "!#%+-._~", min_size=8, max_size=40).filter(
    lambda text: text[0].isalnum() and text not in "password"
)
NAMES = st.sampled_from(
    ["password", "DB_PASSWD", "apiKey", "client_secret", "ACCESS_TOKEN", "passphrase", "pw", "psk", "kennwort"]
)
S = "correct-horse-7"


@given(NAMES, SECRETS)
def test_commands_keep_their_words(name: str, secret: str) -> None:
    for argv in ([f"--{name}", secret], [f"--{name}={secret}"], [f"{name}={secret}"]):
        told = redact_command(["/opt/shop/bin/shop", *argv, "--listen", "0.0.0.0:8000"])
        assert not any(secret in word for word in told)
        assert len(told) == len(argv) + 3
        assert told[-2:] == ("--listen", "0.0.0.0:8000")


@given(st.lists(st.text(max_size=40), max_size=12))
def test_any_command_keeps_its_length(argv: list[str]) -> None:
    assert len(redact_command(argv)) == len(argv)


@pytest.mark.parametrize(
    ("argv", "index"),
    [
        (["mysql", "-h", "db", "-phunter2secret"], 3),
        (["sshpass", "-p", "hunter2secret", "ssh", "host"], 2),
        (["redis-cli", "-h", "cache", "-a", "hunter2secret"], 4),
        (["curl", "-u", "user:hunter2secret", "http://host/"], 2),
        (["curl", "-H", "Authorization: Bearer hunter2secret"], 2),
        (["erl", "-setcookie", "hunter2secret"], 2),
        (["env", "PGPASSWORD=hunter2secret", "psql"], 1),
        (["snmpwalk", "-v2c", "-c", "hunter2secret", "switch"], 3),
    ],
)
def test_known_programs(argv: list[str], index: int) -> None:
    told = redact_command(argv)
    assert "hunter2secret" not in " ".join(told)
    assert [word for at, word in enumerate(told) if at != index] == [w for at, w in enumerate(argv) if at != index]


@pytest.mark.parametrize(
    "line",
    [
        f"mysqlcheck -p{S}", f"mariadb-admin -p{S} ping", f"mycli -p {S}", f"python3 /usr/bin/mycli -p {S}", f"valkey-cli -a {S}",
        f"redis-server *:6379 --requirepass {S}", f"mongorestore -p={S}", f"cqlsh.py -u a -p {S} h", f"cypher-shell -u neo4j -p {S}",
        f"curl -su u:{S} h", f"curl -uu:{S} h", f"curl --user=u:{S} h", f"curl -H X-Auth-Token: {S} h", f"curl --proxy-user u:{S} h",
        f"curl --cookie sid={S} h", f"curl -d user=a&password={S} h", f"curl https://h/?api_key={S}", f"wget --http-password={S} h",
        f"smbclient -Uu%{S} //h", f"net ads join -U u%{S}", f"mount -t cifs -o username=u,password={S} //h /m",
        f"ldapsearch -xw {S}", f"ldapmodify -w {S}", f"snmpbulkwalk -c {S} h", f"snmpwalk -v2c -c{S} h", f"check_snmp -C {S} -H h",
        f"ipmitool -I lanplus -U a -P{S}", f"sqlcmd -P{S}", f"sqlplus u/{S}@db", f"impdp system/{S} dumpfile=x", f"isql dsn u {S}",
        f"zip -P {S} x", f"7z a -p{S} x", f"htpasswd -bc f u {S}", f"rabbitmqctl change_password a {S}", f"vault login {S}",
        f"vault operator unseal {S}", f"neo4j-admin dbms set-initial-password {S}", f"etcdctl --user root:{S} get",
        f"docker login -u a -p {S}", f"docker run -e DB_PASSWORD={S} i", f"kubectl create secret generic a --from-literal=k={S}",
        f"lftp -u a,{S} h", f"xfreerdp /u:a /p:{S} /v:h", f"gpg --passphrase {S} -d x", f"consul agent -encrypt={S}",
        f"java -Djavax.net.ssl.keyStorePassword={S} -jar x", f"java -Ddb.pin={S} x", f"sh -c echo {S} | sudo -S ls", f"shop --pw {S}",
        f"shop --signing-key {S}", f"shop --dsn u:{S}@tcp(db:3306)/d", f"shop /password:{S}", f"shop --login u:{S}", f"shop --jwt={S}",
        f"wg set wg0 private-key {S}", f"echo {S}", f"az login --service-principal -u x -p {S}", f"shop -p {S}",
        f"usermod -p {S} a", f"ngrok config add-authtoken {S}", f"sudo -u db mysqldump -p{S} shop", f"timeout 9 sshpass -p {S} ssh h",
    ],
)  # fmt: skip
def test_forms_in_which_commands_hold_secrets(line: str) -> None:
    assert S not in " ".join(redact_command(line.split(), joined=True))
    assert S not in redact_shell(line)
    assert S not in redact_shell(f"cd /srv && {line} >/dev/null 2>&1; true")
    assert S not in " ".join(redact_command(["sh", "-c", line]))


@pytest.mark.parametrize(
    "line",
    [
        "haproxy -W -D -p /run/haproxy.pid -f /etc/haproxy/haproxy.cfg",
        "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/data -p 5432",
        "redis-server 127.0.0.1:6379",
        "gunicorn -w 4 -b 0.0.0.0:8000 --user shop shop.app:app",
        "java -Xmx2g -Dserver.port=8080 -jar /opt/shop/shop-1.2.3.jar --spring.config.location=/etc/shop/",
        "mysql -h db1 -P 3306 -u shop shop",
        "psql -h db1 -p 5433 -U shop shop",
        "vault server -config=/etc/vault.d/vault.hcl",
        "containerd-shim-runc-v2 -namespace moby -id 4f1c0f6f2b7d4f8e9a0b1c2d3e4f5a6b -address /run/containerd.sock",
        "docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip 172.17.0.2 -container-port 80",
        "openvpn --config /etc/openvpn/server.conf --auth-user-pass-file /etc/openvpn/pass",
        "stunnel --key /etc/ssl/private/shop.key",
        "rsync -a /srv/ backup@10.0.0.9:/backup/",
        "curl -s https://status.example.com/ping",
    ],
)
def test_what_tells_of_the_host_stays(line: str) -> None:
    assert " ".join(redact_command(line.split(), joined=True)) == line
    assert redact_shell(line) == line


def test_a_secret_with_blanks_goes_whole_where_words_are_no_longer_told_apart() -> None:
    told = redact_command(["shop", "--password", "two", "words", "more", "--listen", "0.0.0.0:80", "/srv"], joined=True)
    assert told == ("shop", "--password", "***", "***", "***", "--listen", "0.0.0.0:80", "/srv")
    assert redact_command(["shop", "--password", "two words", "more"]) == ("shop", "--password", "***", "more")


def test_what_looks_like_nothing_but_a_key_goes() -> None:
    assert redact_command(["shop", "x9Kq2LmZ7Tq4Bv8Rw1"]) == ("shop", "***")
    assert redact_command(["shop", "--build=x9Kq2LmZ7Tq4Bv8Rw1"]) == ("shop", "--build=***")


def test_shells_within_shells_are_looked_into_up_to_a_depth() -> None:
    assert redact_shell(f"bash -c 'sh -c \"mysql -h db1 -p{S}\"'") == "bash -c sh -c mysql -h db1 -p***"
    nested = "true"
    for _ in range(9):
        nested = "sh -c '" + nested.replace("'", "'\\''") + "'"
    assert redact_shell(nested)


@given(st.text(max_size=200))
def test_any_shell_is_taken(text: str) -> None:
    assert isinstance(redact_shell(text), str)


@pytest.mark.parametrize("piece", ["a-", "-p ", "'", "\\ ", '"\\', "mysql -p ", "| ", "--a=", "aA1"])
def test_hostile_commands_take_time_in_proportion(piece: str) -> None:
    """Four times the text may not take anything like sixteen times as long."""

    def seconds(length: int) -> float:
        text = (piece * length)[:length] + " password=x"
        best = 9.0
        for turn in range(3):
            started = time.process_time()
            redact_shell(f"{text}{turn}")
            best = min(best, time.process_time() - started)
        return best

    assert seconds(40_000) < 10 * seconds(10_000) + 0.05
