"""Who has no path to a gateway left once some devices, ports or links are down. Only what hangs below the failures on
the spanning forest is looked at: the rest of the network keeps the paths it had."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmdb_server.projection.columns import Bools, Longs
from cmdb_server.projection.network import Labels, Network, alive, joined_parts, reaching
from cmdb_server.projection.ordered import distinct, united, within


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """``lost``: CIs that are up themselves and reach none of their gateways any more. ``second_path_lost``: those that
    reached one over several links, and by one alone now. ``gateway_unknown``: those that are cut off from something,
    and of which no gateway is known. ``label``: the part of the network by forwarding CI, none for others and those
    down.
    ``touched``: devices of which anything may have changed; the others reach whom they reached. Ascending CIs."""

    lost: Longs
    second_path_lost: Longs
    gateway_unknown: Longs
    label: Labels
    touched: Longs


def reach(network: Network, down: Bools, fallen: Longs) -> Reach:
    """The network while ``down``, by CI, are down. ``fallen``: those of them that matter to it, ascending."""
    apart = _detached(network, fallen, down)
    label = _labels(network, apart, fallen)
    touched = _touched(network, apart, fallen)
    asked = _asked(network, touched, down)
    now = reaching(network, asked, label, down)
    once = asked[now == 1]
    before = reaching(network, once, network.whole(), None)
    unknown = _gateway_unknown(network, apart, fallen, down)
    return Reach(asked[now == 0], once[before > 1], unknown, label, touched)


@dataclass(frozen=True, slots=True, eq=False)
class _Apart:
    """Forwarding devices that are up and cut off from the root of their tree, with the ``part`` of each."""

    ci: Longs
    part: Longs


def _detached(network: Network, fallen: Longs, down: Bools) -> _Apart:
    """Whatever hangs below the fallen, and finds no other way."""
    links = network.links
    owner, at = network.links.rows(distinct(network.holder[fallen]))
    cut = links.to[at[network.up[links.to[at]] == at]]
    # A device whose own link upwards has lost its port here hangs on it as well.
    cut = np.append(cut, owner)
    up = network.up[cut]
    cut = cut[(up >= 0) & ~_lives(network, up, cut, down)]
    below = _descended(network, united(cut, fallen[network.forwards[fallen]]))
    inside = np.zeros(len(down), bool)
    inside[below] = ~down[below]
    pending = np.flatnonzero(inside) if len(below) * 8 > len(down) else below[inside[below]]
    owner, at = network.links.rows(pending)
    whole = _whole(network, owner, at, down)
    owner, at = owner[whole], at[whole]
    frontier = distinct(owner[~inside[links.to[at]]])
    while len(frontier):
        inside[frontier] = False
        _, at = network.links.rows(frontier)
        far = links.to[at[_whole(network, np.repeat(frontier, links.last[frontier] - links.first[frontier]), at, down)]]
        frontier = distinct(far[inside[far]])
    rest = pending[inside[pending]]
    owner, at = network.links.rows(rest)
    kept = _whole(network, owner, at, down) & inside[links.to[at]]
    place = np.searchsorted(rest, owner[kept]), np.searchsorted(rest, links.to[at[kept]])
    return _Apart(rest, joined_parts(len(rest), *place))


def _lives(network: Network, row: Longs, child: Longs, down: Bools) -> Bools:
    """Whether the links ``row``, each leading to ``child``, are up at both ends."""
    return alive(network, row, down) & ~down[child]


def _whole(network: Network, owner: Longs, at: Longs, down: Bools) -> Bools:
    """Of rows of ``links``, whether both ends are up and forward."""
    return alive(network, at, down) & network.forwards[owner] & network.forwards[network.links.to[at]]


def _descended(network: Network, roots: Longs) -> Longs:
    """``roots`` and all below them, ascending."""
    parts, frontier = [roots], roots
    while len(frontier):
        _, at = network.below.rows(frontier)
        frontier = network.below.to[at]
        parts.append(frontier)
    return united(*parts)


def _labels(network: Network, apart: _Apart, fallen: Longs) -> Labels:
    size = len(network.tree)
    fallen = fallen[network.forwards[fallen]]
    return network.whole().but(np.append(apart.ci, fallen), np.append(size + apart.part, np.full(len(fallen), -1)))


def _touched(network: Network, apart: _Apart, fallen: Longs) -> Longs:
    """Those cut off, the fallen, and all linked to either."""
    changed = united(apart.ci, fallen, network.holder[fallen])
    _, at = network.links.rows(changed)
    return united(changed, network.links.to[at])


def _asked(network: Network, touched: Longs, down: Bools) -> Longs:
    """Whose gateways may be out of reach: those touched, and the clients of gateways among them."""
    _, clients = network.clients.rows(touched)
    candidates = united(touched, network.clients.to[clients])
    return candidates[network.gated[candidates] & ~down[candidates]]


def _gateway_unknown(network: Network, apart: _Apart, fallen: Longs, down: Bools) -> Longs:
    """Of those cut off, and of whoever hangs on them or on a fallen device, link or port, those without a known
    gateway."""
    gone = united(apart.ci, fallen, network.holder[fallen])
    owner, at = network.links.rows(gone)
    far, dead = network.links.to[at], down[owner] | ~alive(network, at, down)
    passes, next_ = network.forwards[owner], network.forwards[network.links.to[at]]
    hanging = far[passes & ~next_ & (dead | within(owner, apart.ci))]
    found = united(apart.ci, hanging, owner[~passes & next_ & dead])
    return found[~network.gated[found] & ~down[found]]
