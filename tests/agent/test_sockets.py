"""From one host's sockets and processes to claims: what is told, in whose name, and what is not."""

from __future__ import annotations

from cmdb_agent.observation import Component, ConfigFile, End, Fact, Process, Relation, Socket
from cmdb_agent.own_session import OwnSession
from cmdb_agent.sockets import applications, from_facts

HERE = "10.0.0.5"
Row = tuple[str, str, bool]


def process(
    pid: int, name: str, *command: str, parent: int = 1, uid: int = 0, user: str = "root", unit: str = ""
) -> Process:
    words = command or (f"/usr/sbin/{name}",)
    return Process(pid, name, words, user, parent, words[0] if words[0].startswith("/") else "", unit, "", uid)


def listening(port: int, *holders: tuple[str, int], address: str = "0.0.0.0", uid: int = -1) -> Socket:
    return Socket("tcp", "LISTEN", address, port, processes=holders, uid=uid)


def connected(
    local: int, peer: str, port: int, *holders: tuple[str, int], state: str = "ESTAB", here: str = HERE, uid: int = -1
) -> Socket:
    return Socket("tcp", state, here, local, peer, port, holders, uid)


def end(one: End) -> str:
    if one.address is not None:
        return one.address if one.port is None else f"{one.address}:{one.port}"
    return one.ref if one.ref is not None else str(one.identifiers)


def read(
    sockets: list[Socket], processes: list[Process], configs: list[ConfigFile] | None = None, **more: object
) -> tuple[list[str], list[Row]]:
    """Components as ``class:key`` and relations as (from, to, transient)."""
    told = applications(sockets, processes, configs or [], addresses=[HERE], **more)  # type: ignore[arg-type]
    components = [one.ref for one in told if isinstance(one, Component)]
    relations = [(end(one.from_), end(one.to), one.transient) for one in told if isinstance(one, Relation)]
    return components, relations


GUNICORN = ("/usr/bin/python3", "/usr/bin/gunicorn", "-b", "0.0.0.0:8000", "shop:app")


def test_master_and_workers_are_one_application_and_its_sockets_are_told_apart() -> None:
    processes = [process(10, "gunicorn", *GUNICORN)] + [
        process(pid, "gunicorn", *GUNICORN, parent=10) for pid in (11, 12)
    ]
    holders = (("gunicorn", 10), ("gunicorn", 11), ("gunicorn", 12))
    sockets = [
        listening(8000, *holders),
        connected(8000, "10.0.0.2", 41000, ("gunicorn", 11)),
        connected(40001, "10.0.0.9", 5432, ("gunicorn", 11)),
        connected(40002, "10.0.0.9", 5432, ("gunicorn", 12)),
    ]
    assert read(sockets, processes) == (
        ["app_server:gunicorn:8000"],
        [("app_server:gunicorn:8000", "10.0.0.9:5432", False), ("10.0.0.2", "app_server:gunicorn:8000", False)],
    )


def test_nothing_told_moves_with_pids_and_ephemeral_ports() -> None:
    def told(shift: int) -> list[Component | Relation]:
        processes = [process(10 + shift, "nginx", "nginx:", "master", "process", "nginx")]
        sockets = [
            listening(80, ("nginx", 10 + shift)),
            connected(40000 + shift, "10.0.0.9", 8000, ("nginx", 10 + shift)),
            connected(80, "10.0.0.2", 50000 + shift, ("nginx", 10 + shift)),
        ]
        return applications(sockets, processes, addresses=[HERE])

    assert told(0) == told(777)


def test_two_instances_of_one_product_are_two() -> None:
    sockets = [listening(5432, ("postgres", 10)), listening(5433, ("postgres", 20))]
    processes = [process(10, "postgres"), process(20, "postgres"), process(21, "postgres", parent=20)]
    assert read(sockets, processes)[0] == ["database_instance:postgresql:5432", "database_instance:postgresql:5433"]


def test_the_key_is_the_same_with_and_without_root() -> None:
    processes = [process(10, "redis-server", "redis-server", "0.0.0.0:6380", uid=110), process(20, "sshd")]
    with_root = read([listening(6380, ("redis-server", 10)), listening(22, ("sshd", 20))], processes)
    without = read([listening(6380, uid=110), listening(22, uid=0)], processes)
    assert with_root == without == (["management_agent:openssh:22", "database_instance:redis:6380"], [])


def test_a_listener_that_nobody_can_be_found_for_is_told_by_its_port() -> None:
    assert read([listening(3306), listening(9876)], [])[0] == [
        "application:listener:9876",
        "database_instance:mariadb:3306",
    ]


def test_several_products_at_one_port_are_not_guessed() -> None:
    assert read([listening(80)], [])[0] == ["application:listener:80"]


def test_the_scans_own_session_is_left_out_wherever_sshd_stands() -> None:
    own = OwnSession("10.0.0.254", 41234, HERE, 2222, pids=frozenset({50, 51}))
    processes = [
        process(20, "mysvc", "/opt/mysvc"),
        process(50, "sh", "sh", "-s", parent=49),
        process(52, "psql", parent=50),
    ]
    sockets = [
        listening(2222, ("mysvc", 20)),
        connected(2222, "10.0.0.254", 41234, ("mysvc", 20)),
        connected(2222, "10.0.0.254", 41235, ("mysvc", 20)),
        connected(39000, "10.0.0.9", 443, ("sh", 51)),
    ]
    assert read(sockets, processes, own_session=own)[1] == [("10.0.0.254", "application:mysvc:2222", False)]


def test_ssh_sessions_and_what_they_forward_are_no_dependencies() -> None:
    processes = [
        process(20, "sshd"),
        process(30, "sshd", "sshd:", "ops@notty", parent=20),
        process(40, "ssh", "ssh", "host9"),
    ]
    sockets = [
        listening(22, ("sshd", 20)),
        connected(22, "10.0.0.8", 50000, ("sshd", 30)),
        connected(40000, "10.0.0.9", 22, ("sshd", 30)),
        connected(40001, "10.0.0.9", 22, ("ssh", 40)),
        connected(40002, "10.0.0.9", 22, state="TIME-WAIT"),
    ]
    assert read(sockets, processes) == (["management_agent:openssh:22"], [])


def test_loopback_makes_a_dependency_between_two_applications_only() -> None:
    processes = [
        process(10, "nginx"),
        process(11, "nginx", parent=10),
        process(20, "shop", "/opt/shop/shop"),
        process(30, "snmpd"),
    ]
    sockets = [
        listening(80, ("nginx", 10)),
        listening(8000, ("shop", 20), address="127.0.0.1"),
        connected(40000, "127.0.0.1", 8000, ("nginx", 11), here="127.0.0.1"),
        connected(8000, "127.0.0.1", 40000, ("shop", 20), here="127.0.0.1"),
        connected(40001, HERE, 80, ("nginx", 11)),
        connected(80, HERE, 40001, ("nginx", 10)),
        connected(40002, "127.0.0.1", 9999, ("shop", 20), here="127.0.0.1"),
    ]
    assert read(sockets, processes)[1] == [("web_server:nginx:80", "application:shop:8000", False)]


def test_without_root_configuration_names_whose_connection_it_is() -> None:
    processes = [
        process(35, "orderworker", "/usr/bin/python3", "/opt/orderworker/orderworker", uid=65534),
        process(36, "other", "/opt/other/other", uid=65534),
    ]
    configs = [
        ConfigFile(
            "/opt/orderworker/orderworker.conf",
            "[database]\nhost = 10.0.0.9\nport = 5432\n[queue]\nurl = redis://10.0.0.8:6379/1",
        )
    ]
    sockets = [connected(40000, "10.0.0.9", 5432, uid=65534), connected(40001, "10.0.0.7", 1883, uid=65534)]
    assert read(sockets, processes, configs) == (
        ["application:orderworker", "application:other"],
        [
            ("application:orderworker", "10.0.0.8:6379", False),
            ("application:orderworker", "10.0.0.9:5432", False),
            ("", "10.0.0.7:1883", False),
        ],
    )


def test_without_root_an_owner_with_one_application_tells_enough() -> None:
    processes = [process(35, "mqworker", "/usr/bin/python3", "/opt/mqworker/mqworker", uid=990)]
    sockets = [connected(40001, "10.0.0.7", 1883, uid=990), connected(40002, "10.0.0.6", 3306, uid=0)]
    told = [one for one in applications(sockets, processes) if isinstance(one, Relation)]
    assert [(end(one.from_), end(one.to)) for one in told] == [
        ("application:mqworker", "10.0.0.7:1883"),
        ("", "10.0.0.6:3306"),
    ]
    assert told[0].confidence > told[1].confidence


def test_even_without_any_process_in_sight_configuration_names_the_application() -> None:
    configs = [ConfigFile("/opt/orderworker/orderworker.conf", "url = redis://10.0.0.8:6379/1")]
    assert read([connected(40001, "10.0.0.8", 6379, uid=990)], [], configs) == (
        ["application:orderworker"],
        [("application:orderworker", "10.0.0.8:6379", False)],
    )
    assert read([], [], configs) == ([], [])


CRON = [
    ConfigFile("/etc/cron.d/nightly-report", "*/5 * * * * nobody /usr/local/bin/nightly-report"),
    ConfigFile("/usr/local/bin/nightly-report", "exec psql -h db1 -p 5433 -U postgres -Atc 'select 1' shop"),
    ConfigFile("/etc/hosts", "127.0.0.1 localhost\n10.0.0.9 db1.example.com db1"),
]


def test_a_connection_of_a_moment_gets_its_name_from_cron() -> None:
    sockets = [connected(40001, "10.0.0.9", 5433, state="TIME-WAIT")]
    expected = (["scheduled_job:nightly-report"], [("scheduled_job:nightly-report", "10.0.0.9:5433", True)])
    assert read(sockets, [], CRON) == expected
    assert read([], [], CRON) == expected
    running = [
        process(70, "nightly-report", "/bin/sh", "/usr/local/bin/nightly-report", parent=69),
        process(71, "psql", "psql", "-h", "db1", parent=70),
    ]
    assert read([connected(40001, "10.0.0.9", 5433, ("psql", 71))], running, CRON) == expected


def test_a_connection_of_a_moment_that_nothing_names_is_the_hosts() -> None:
    assert read([connected(40001, "10.0.0.9", 5433, state="TIME-WAIT")], []) == ([], [("", "10.0.0.9:5433", True)])


def test_a_client_programs_connection_belongs_to_who_called_it() -> None:
    processes = [
        process(10, "shop", "/opt/shop/shop"),
        process(11, "sh", "sh", "-c", "x", parent=10),
        process(12, "psql", "psql", parent=11),
    ]
    sockets = [listening(8000, ("shop", 10)), connected(40001, "10.0.0.9", 5432, ("psql", 12))]
    assert read(sockets, processes)[1] == [("application:shop:8000", "10.0.0.9:5432", True)]


def test_pools_are_groups() -> None:
    configs = [
        ConfigFile(
            "/etc/haproxy/haproxy.cfg",
            "frontend public\n  bind *:80\nbackend farm\n  server a 10.0.0.2:8080 check\n  server b 10.0.0.3:8080 check\nbackend other\n  server c 10.0.0.2:8080\n",
        )
    ]
    told = applications([listening(80, ("haproxy", 10))], [process(10, "haproxy")], configs)
    relations = [(end(one.to), one.group, one.evidence) for one in told if isinstance(one, Relation)]
    assert relations == [
        ("10.0.0.2:8080", "farm", "named in /etc/haproxy/haproxy.cfg"),
        ("10.0.0.2:8080", "other", "named in /etc/haproxy/haproxy.cfg"),
        ("10.0.0.3:8080", "farm", "named in /etc/haproxy/haproxy.cfg"),
    ]


def test_names_are_resolved_as_the_host_does_or_told_as_names() -> None:
    configs = [
        ConfigFile(
            "/etc/shop/shop.env",
            "DATABASE_URL=postgresql://app@db1.example.com/shop\nREDIS_URL=redis://cache9.example.com:6390/0",
        ),
        *CRON[2:],
    ]
    processes = [process(10, "shop", "/usr/bin/shop", "--env", "/etc/shop/shop.env")]
    assert read([listening(8000, ("shop", 10))], processes, configs)[1] == [
        ("application:shop:8000", "10.0.0.9:5432", False),
        ("application:shop:8000", "{'fqdn': ['cache9.example.com']}", False),
    ]


def test_the_public_is_not_told_one_by_one() -> None:
    sockets = [listening(80, ("nginx", 10))] + [
        connected(80, f"198.51.{n // 200}.{n % 200 + 1}", 50000, ("nginx", 10)) for n in range(300)
    ]
    assert read(sockets, [process(10, "nginx")]) == (["web_server:nginx:80"], [])


def test_attributes() -> None:
    facts: list[Fact] = [
        process(10, "nginx", "nginx:", "master", "process", "/usr/sbin/nginx", unit="nginx.service"),
        Socket("tcp", "LISTEN", "::", 443, processes=(("nginx", 10),)),
        listening(80, ("nginx", 10)),
        Socket("udp", "UNCONN", "0.0.0.0", 51820, processes=(("nginx", 10),)),
        Relation(
            "installs",
            End(
                class_="software_package", key="x", attributes={"name": "nginx-light", "version": "1:1.22.1-9+deb12u3"}
            ),
        ),
        ConfigFile("/etc/nginx/nginx.conf", "upstream app {\n server 10.0.0.9:8000;\n}"),
    ]
    (told, relation) = from_facts(facts)
    assert isinstance(told, Component)
    assert isinstance(relation, Relation)
    assert told.section == "listeners"
    assert relation.section == "configuration"
    assert told.attributes["listens"] == ["tcp:0.0.0.0:80", "tcp:[::]:443"]
    assert told.attributes["version"] == "1.22.1"
    assert (told.attributes["port"], told.attributes["unit"], told.attributes["user"]) == (80, "nginx.service", "root")
    assert told.attributes["config_paths"] == ["/etc/nginx/nginx.conf"]


def test_command_lines_do_not_move() -> None:
    def command(text: str) -> object:
        name = text.split()[0].rstrip(":")
        told = applications([listening(22, (name, 10))], [process(10, name, *text.split())])
        return next(one.attributes["command"] for one in told if isinstance(one, Component))

    assert command("sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups") == "sshd: /usr/sbin/sshd -D"
    assert command("haproxy -W -f /etc/haproxy.cfg -sf 123 456") == "haproxy -W -f /etc/haproxy.cfg"
