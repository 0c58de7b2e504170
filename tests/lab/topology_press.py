"""A second estate for the lab, full of traps: a published address that is translated, one that nobody holds, a host
with two addresses, sshd on another port, other people's processes hidden, rights that cost a password, a host that is
reached by way of another, and other software than the shop's.

reader1 keeps connections to three addresses:

- 10.86.0.200:80 is held by gate1, where nobody listens: it is handed on to front1:8080 with the sender rewritten, so
  that front1 sees gate1 as its client;
- 10.86.0.201:80 is held by nobody: it is routed by way of gate1, which hands it on to front2:8080;
- 10.86.0.112:8080 is front1's second address.
"""

from typing import Any

NAME, NET = "press", "10.86"
NEEDS_PRESS = True
DEFAULT: dict[str, int] = {}
GATE, FRONT1, FRONT2 = "10.86.0.11", "10.86.0.12", "10.86.0.13"
PUBLISHED, ROUTED, SECOND = "10.86.0.200", "10.86.0.201", "10.86.0.112"

TRANSLATE = (
    "echo 1 > /proc/sys/net/ipv4/ip_forward",
    f"iptables -t nat -A PREROUTING -d {PUBLISHED} -p tcp --dport 80 -j DNAT --to-destination {FRONT1}:8080",
    f"iptables -t nat -A PREROUTING -d {ROUTED} -p tcp --dport 80 -j DNAT --to-destination {FRONT2}:8080",
    "iptables -t nat -A POSTROUTING -p tcp --dport 8080 -j MASQUERADE",
    "echo 'cmdb ALL=(root) NOPASSWD: /usr/bin/cat /proc/net/nf_conntrack' >> /etc/sudoers.d/cmdb",
)
READER = f"""mkdir -p /opt/reader
cat > /opt/reader/reader <<'END'
#!/usr/bin/python3
import ctypes, http.client, time
ctypes.CDLL(None).prctl(15, b'reader', 0, 0, 0)
PLACES, OPEN = [('{PUBLISHED}', 80), ('{ROUTED}', 80), ('{SECOND}', 8080)], {{}}
while True:
    for place in PLACES:
        try:
            held = OPEN.setdefault(place, http.client.HTTPConnection(*place, timeout=3))
            held.request('GET', '/')
            held.getresponse().read()
        except Exception:
            OPEN.pop(place, None)
    time.sleep(0.5)
END
chmod 755 /opt/reader/reader
setpriv --reuid nobody --regid nogroup --clear-groups /opt/reader/reader &"""


def build(_: dict[str, int]) -> dict[str, Any]:
    """The estate as the lab wants it."""
    back = {"db": ("store1", 3306), "mc": ("mem1", 11211)}
    hosts = [
        _host("gate1", GATE, extra_addr={"prod": [PUBLISHED]}, rc_extra=list(TRANSLATE)),
        _host("front1", FRONT1, _apache("front1"), extra_addr={"prod": [SECOND]}, **KEPT_OPEN),
        _host("front2", FRONT2, _apache("front2"), procopt=",hidepid=2", **KEPT_OPEN),
        _host("api1", "10.86.0.14", {"kind": "node", "port": 3000, **back}, ssh={"port": 2222}),
        _host("store1", "10.86.0.15", {"kind": "mariadb", "port": 3306}, vendor="dell", **BY_PASSWORD),
        _host("mem1", "10.86.0.16", {"kind": "memcached", "port": 11211}, vendor="hpe"),
        _host("reader1", "10.86.0.17", routes=[f"{ROUTED} via {GATE}"], rc_extra=[READER]),
    ]
    return {"name": NAME, "nets": {"prod": {"cidr": "10.86.0.0/24", "root_access": True}}, "hosts": hosts}


PASSWORD = "open, please 7"
BY_PASSWORD = {"ssh": {"auth": "password", "password": PASSWORD}, "sudo": "password"}

# Apache ends a kept connection after five seconds or a hundred requests, unless it is told otherwise.
KEPT_OPEN = {
    "rc_extra": [
        "echo 'KeepAliveTimeout 300\nMaxKeepAliveRequests 0' >> /etc/apache2/lab.conf",
        "apache2 -f /etc/apache2/lab.conf -k graceful",
    ]
}


def _apache(name: str) -> dict[str, Any]:
    return {"kind": "apache", "name": name, "port": 8080, "upstreams": [("api1", 3000)], "true": {}, "note": {}}


def _host(name: str, address: str, *services: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "domain": "press.lab.internal",
        "role": "press",
        "nets": ["prod"],
        "fixed": {"prod": address},
        "services": list(services),
        **more,
    }
