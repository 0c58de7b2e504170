"""Small random estates with a network: switches, ports, hosts, subnets, and what runs on them."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st

from tests.wires import HOLDS, LINK, ROUTES, RUNS
from tests.worlds import World, dice_gates


def wired_world(seed: int, size: int) -> World:
    """Switches, ports, hosts, subnets and services: linked device to device and port to port, with gateways of their
    own, by subnet, and by group."""
    dice = random.Random(seed)
    classes = tuple(
        dice.choice(("switch", "switch", "port", "server", "server", "service", "subnet", "app", "app"))
        for _ in range(size)
    )
    by = {name: [ci for ci in range(size) if classes[ci] == name] for name in classes}
    boxes = [*by.get("switch", ()), *by.get("server", ())]
    relations: dict[tuple[int, str, int], tuple[int, str, int, str | None, int | None]] = {}

    def relate(a: int, type_: str, b: int, group: str | None = None) -> None:
        if a != b:
            relations.setdefault((a, type_, b), (a, type_, b, group, dice.choice((None, 1, 2)) if group else None))

    for port in by.get("port", ()):
        if boxes:
            relate(dice.choice(boxes), HOLDS, port)
    ends = [*boxes, *by.get("port", ()), *by.get("port", ())]
    for _ in range(dice.randrange(3 * size)):
        if ends:
            switch_or_any = dice.choice(by.get("switch", ends)) if dice.random() < 0.5 else dice.choice(ends)
            relate(dice.choice(ends), LINK, switch_or_any)
    for box in boxes:
        if dice.random() < 0.5 and by.get("subnet"):
            relate(*dice.choice(((box, LINK), (box, LINK))), dice.choice(by["subnet"]))
        if dice.random() < 0.4:
            relate(box, ROUTES, dice.choice([*ends, *by.get("service", ())]))
    for subnet in by.get("subnet", ()):
        for _ in range(dice.randrange(3)):
            if ends:
                relate(subnet, ROUTES, dice.choice([*ends, *by.get("service", ())]))
    for service in by.get("service", ()):
        for box in dice.sample(boxes, min(len(boxes), dice.randrange(3))):
            relate(box, "member_of", service)
        if boxes:
            relate(service, "depends_on", dice.choice(boxes))
    some = [ci for ci in range(size) if classes[ci] in ("app", "server", "service")]
    for app in by.get("app", ()):
        for box in dice.sample([*boxes, *some], min(len(boxes), dice.choice((0, 1, 1, 1, 2)))):
            relate(app, RUNS, box)
        for _ in range(dice.randrange(4)):
            relate(app, "depends_on", dice.choice(some), dice.choice((None, "pool", "pool")))
    gates: dict[int, Any] = {ci: dice_gates(dice) for ci in some if dice.random() < 0.6}
    gates |= {ci: {RUNS: dice_gates(dice, 1.0)} for ci in by.get("app", ()) if dice.random() < 0.2}
    retired = frozenset(dice.sample(range(size), dice.randrange(2)))
    return World(size, tuple(relations.values()), gates, retired, classes)


def wired_worlds(largest: int = 24) -> st.SearchStrategy[World]:
    return st.builds(wired_world, st.integers(0, 2**32), st.integers(2, largest))
