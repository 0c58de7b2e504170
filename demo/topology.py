"""The estate that the recordings were made of, for the lab's `up.sh --topology`: a load balancer, two web servers, an
application, a database and its replica, and a probe that keeps them busy."""

from typing import Any

NAME, NET = "demo", "10.84"
DEFAULT = {"lb": 1, "web": 2, "app": 1, "db": 2, "mon": 1}


def services() -> dict[str, list[dict[str, Any]]]:
    """What runs on each host."""
    web = ["web1", "web2"]
    return {
        "lb1": [{"kind": "haproxy", "port": 80, "stats": 8404, "backends": [(name, 8080) for name in web]}],
        **{name: [{"kind": "nginx", "port": 8080, "upstreams": [("app1", 8000)]}] for name in web},
        "app1": [{"kind": "gunicorn", "port": 8000, "app": "shopapp", "pg": ("db1", 5432, "shop"), "redis": None}],
        "db1": [{"kind": "postgres", "port": 5432, "db": "shop", "primary": None}],
        "db2": [{"kind": "postgres", "port": 5432, "db": "shop", "primary": ("db1", 5432)}],
        "mon1": [{"kind": "probe", "name": "synthmon", "targets": [("lb1", 80)], "interval": 1, "burst": 1}],
    }


def build(_: dict[str, int]) -> dict[str, Any]:
    """The estate as the lab wants it."""
    hosts = [
        {
            "name": name,
            "domain": "shop.example",
            "role": "demo",
            "nets": ["prod"],
            "services": listed,
            "vendor": "dell" if name.startswith("db") else "vmware",
        }
        for name, listed in services().items()
    ]
    return {"name": NAME, "nets": {"prod": {"cidr": "10.84.0.0/24", "root_access": True}}, "hosts": hosts}
