"""Which application a configuration file is of."""

from __future__ import annotations

import pytest

from cmdb_agent.configured import configured
from cmdb_agent.instances import Running
from cmdb_agent.observation import ConfigFile, Process
from cmdb_agent.software import signatures

TEXT = "DATABASE_URL=postgresql://app@10.0.0.9/shop"


@pytest.mark.parametrize(
    ("path", "command", "unit", "owned"),
    [
        ("/opt/orders/orders.conf", "/usr/bin/python3 /opt/orders/run", "", True),
        ("/opt/orders/conf/db.conf", "/usr/bin/java -jar /usr/share/orders.jar", "", True),
        ("/srv/shopapp/settings.env", "gunicorn -b 0.0.0.0:8000 shopapp:app", "", True),
        ("/etc/default/billing", "/usr/sbin/billd", "billing.service", True),
        ("/etc/shop/x.conf", "/usr/bin/shopd -c /etc/shop/x.conf", "", True),
        ("/opt/other/other.conf", "/usr/bin/python3 /opt/orders/run", "", False),
        ("/etc/default/billing", "/usr/bin/python3 /etc/default/run", "", False),
    ],
)
def test_owner(path: str, command: str, unit: str, owned: bool) -> None:
    process = Process(10, command.split()[0].rsplit("/", 1)[-1], tuple(command.split()), parent=1, unit=unit)
    told = configured(Running([process], signatures()), [ConfigFile(path, TEXT)])
    assert [(where, named.host, named.port) for _, where, named in told.by_instance] == [
        (path, "10.0.0.9", 5432)
    ] * owned
    assert len(told.unowned) == (not owned)


def test_of_two_instances_the_one_that_names_the_file() -> None:
    processes = [
        Process(10, "haproxy", ("haproxy", "-f", "/etc/haproxy/haproxy.cfg")),
        Process(20, "haproxy", ("haproxy", "-f", "/etc/haproxy/b.cfg")),
    ]
    told = configured(
        Running(processes, signatures()), [ConfigFile("/etc/haproxy/haproxy.cfg", "backend x\n server a 10.0.0.2:80\n")]
    )
    assert [instance.processes[0].pid for instance, _, _ in told.by_instance] == [10]


def test_command_lines_name_dependencies_too() -> None:
    process = Process(10, "java", ("java", "-Ddb=jdbc:mysql://db1:3307/x", "-jar", "/opt/pay.jar"))
    told = configured(Running([process], signatures()), [ConfigFile("getent:hosts", "10.0.0.9 db1")])
    assert [(where, named.host, named.port) for _, where, named in told.by_instance] == [("", "10.0.0.9", 3307)]
