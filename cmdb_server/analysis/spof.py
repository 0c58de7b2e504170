"""Single points of failure of a service, and pairs of CIs that are fatal together though harmless alone. Exact.

All candidates are simulated at once: each CI has one bit for every candidate, set when it is down after that candidate
failed. A gate over its members' bits is an ``or`` when it needs all of them; else the lost are added up bit by bit, a
word of candidates at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cmdb_server.analysis.region import Level, Region, region
from cmdb_server.projection.columns import Bools, Longs
from cmdb_server.projection.projection import Projection

Bits = npt.NDArray[np.uint64]
BLOCK_BYTES = 1 << 22
"""Memory for the bits of one block of candidates: what a processor keeps near."""
PAIR_CLASSES = 4096


def single_points(projection: Projection, service: int) -> Longs:
    """The CIs whose failure alone takes ``service`` down, itself left out; ascending."""
    below = region(projection, np.asarray([service]))
    target = int(np.searchsorted(below.ci, service))
    size = len(below.ci)
    block = max(64, BLOCK_BYTES // (8 * below.size) * 64)
    found = []
    for start in range(0, size, block):
        candidates = np.arange(start, min(start + block, size))
        bits = simulated(below, _each(below.size, candidates))
        found.append(candidates[unpacked(bits[target], len(candidates))])
    places = np.concatenate(found)
    points: Longs = below.ci[places[places != target]]
    return points


@dataclass(frozen=True, slots=True, eq=False)
class FatalPairs:
    """``classes``: groups of CIs that are alike in this respect. ``pairs``: two rows of ``classes`` (or one twice):
    any CI of the one with any other of the other is fatal. ``complete``: False when there were too many classes to try
    all."""

    classes: tuple[Longs, ...]
    pairs: tuple[tuple[int, int], ...]
    complete: bool


def fatal_pairs(projection: Projection, service: int) -> FatalPairs:
    """Pairs of which neither takes ``service`` down alone, and both together do.

    What a CI's failure does to the gates that can bear a loss decides what it does together with others: CIs alike in
    that are one class, and those that touch no such gate are in no pair.
    """
    below = region(projection, np.asarray([service]))
    size, target = len(below.ci), int(np.searchsorted(below.ci, service))
    everyone = np.arange(size)
    alone = simulated(below, _each(below.size, everyone))
    fatal = unpacked(alone[target], size)
    classes = _alike(below, alone, np.flatnonzero(~fatal), size)
    complete = len(classes) <= PAIR_CLASSES
    classes = classes[:PAIR_CLASSES]
    first = np.asarray([members[0] for members in classes], np.int64)
    down = _chosen(alone, first, size)
    pairs = [pair for part in _meeting(below, down) for pair in _fatal(below, down, part, target)]
    return FatalPairs(tuple(below.ci[members] for members in classes), tuple(pairs), complete)


def _meeting(below: Region, down: Bools) -> Iterator[npt.NDArray[np.int64]]:
    """Pairs of lanes (rows of two, ascending) that may do more together than each alone: both take something from one
    gate that bears either loss, or from the network. All other pairs do together what they do alone. ``down``: by place
    and lane."""
    losses = [np.zeros((0, down.shape[1]), bool)]
    if below.wires is not None:
        losses.append(np.logical_or.reduce(down[below.wires.matter], axis=0)[None, :])
    for level in below.levels:
        rows = np.flatnonzero(level.slack > 0)
        if len(rows):
            lost = np.logical_or.reduceat(down[level.provider], level.first, axis=0)[rows]
            losses.append(lost & ~down[level.consumer[rows]])
    by_gate = np.concatenate(losses)
    part: list[npt.NDArray[np.int64]] = []
    most = max(64, BLOCK_BYTES // (8 * len(down)) * 64)
    for lane in range(down.shape[1]):
        others = np.flatnonzero(by_gate[by_gate[:, lane], lane + 1 :].any(axis=0)) + lane + 1
        part.append(np.stack((np.full_like(others, lane), others), axis=1))
        if sum(map(len, part)) >= most:
            yield np.concatenate(part)
            part = []
    yield np.concatenate([np.zeros((0, 2), np.int64), *part])


def _fatal(below: Region, down: Bools, pairs: npt.NDArray[np.int64], target: int) -> Iterator[tuple[int, int]]:
    """Those of ``pairs`` that take ``target`` down together."""
    bits = np.zeros((len(down), -(-len(pairs) // 64)), np.uint64)
    one, other = pairs.T
    for place in np.flatnonzero(down.any(axis=1)).tolist():
        packed = np.packbits(down[place, one] | down[place, other], bitorder="little")
        bits[place].view(np.uint8)[: len(packed)] = packed
    if len(pairs):
        fell = unpacked(simulated(below, bits)[target], len(pairs))
        yield from map(tuple, pairs[fell].tolist())


def simulated(below: Region, bits: Bits) -> Bits:
    """``bits``, by place, with everything set that follows. Changed in place and given back."""
    while True:
        for level in below.levels:
            while _raise(level, bits) and level.looped:
                pass
        if below.wires is None or not below.wires.raise_(bits):
            return bits


def _raise(level: Level, bits: Bits) -> bool:
    """Compute the gates of one level. Whether anything changed."""
    down = np.empty((len(level.consumer), bits.shape[1]), np.uint64)
    plain = np.flatnonzero(level.slack == 0)
    for rows, compute in ((plain, _any), (np.flatnonzero(level.slack > 0), _more_than)):
        if len(rows):
            down[rows] = compute(level, rows, bits)
    consumers, start = np.unique(level.consumer, return_index=True)
    fired = np.bitwise_or.reduceat(down, start, axis=0) | bits[consumers]
    changed = bool(level.looped and (fired != bits[consumers]).any())
    bits[consumers] = fired
    return changed


def _sizes(level: Level) -> Longs:
    return np.diff(np.append(level.first, len(level.provider)))


def _any(level: Level, rows: Longs, bits: Bits) -> Bits:
    """Down where any member is."""
    down = bits[level.provider[level.first[rows]]]
    sizes = _sizes(level)[rows]
    for place in range(1, int(sizes.max())):
        more = np.flatnonzero(sizes > place)
        down[more] |= bits[level.provider[level.first[rows[more]] + place]]
    return down


def _more_than(level: Level, rows: Longs, bits: Bits) -> Bits:
    """Down where the weight of the lost exceeds the slack."""
    sizes = _sizes(level)[rows]
    total = np.add.reduceat(level.weight, level.first)[rows]
    digits = np.zeros((int(total.max()).bit_length(), len(rows), bits.shape[1]), np.uint64)
    for place in range(int(sizes.max())):
        more = np.flatnonzero(sizes > place)
        at = level.first[rows[more]] + place
        _add(digits, more, bits[level.provider[at]], level.weight[at])
    return _exceeds(digits, level.slack[rows])


def _add(digits: Bits, rows: Longs, lost: Bits, weight: Longs) -> None:
    """Add ``weight`` to the sums of ``rows`` in the lanes that ``lost`` has set: ripple carry, binary digit first."""
    for power in range(int(weight.max()).bit_length()):
        odd = np.flatnonzero(weight >> power & 1)
        carry, at = lost[odd], rows[odd]
        for digit in range(power, len(digits)):
            if not carry.any():
                break
            now = digits[digit, at]
            digits[digit, at] = now ^ carry
            carry = now & carry


def _exceeds(digits: Bits, limit: Longs) -> Bits:
    """Where the sums are above ``limit``, by gate, comparing from the highest digit."""
    above = np.zeros(digits.shape[1:], np.uint64)
    equal = ~above
    for digit in reversed(range(len(digits))):
        ones = np.where(limit >> digit & 1, ~np.uint64(0), np.uint64(0))[:, None]
        above |= equal & digits[digit] & ~ones
        equal &= ~(digits[digit] ^ ones)
    above[limit >> len(digits) > 0] = 0
    return above


def _each(size: int, candidates: Longs) -> Bits:
    """By place, the bit of each candidate set in its own place."""
    bits = np.zeros((size, -(-len(candidates) // 64)), np.uint64)
    lane = np.arange(len(candidates))
    bits[candidates, lane // 64] = np.uint64(1) << (lane % 64).astype(np.uint64)
    return bits


def unpacked(words: Bits, size: int) -> Bools:
    """One truth value for each lane."""
    return np.unpackbits(words.astype("<u8").view(np.uint8), bitorder="little")[:size].astype(bool)


def _chosen(bits: Bits, lanes: Longs, size: int) -> Bools:
    """The chosen lanes alone, in their order, as truth values."""
    return np.stack([unpacked(row, size)[lanes] for row in bits])


def _alike(below: Region, alone: Bits, candidates: Longs, size: int) -> list[Longs]:
    """Candidates by what they lose of the places that count in gates with slack; those that lose none left out."""
    dice = np.random.default_rng(0)
    mark = np.zeros((2, size), np.uint64)
    for place in below.counted.tolist():
        down = unpacked(alone[place], size)
        for word in mark:
            word[down] ^= dice.integers(0, 2**64, dtype=np.uint64)
    touching = candidates[(mark[:, candidates] != 0).any(axis=0)]
    if not len(touching):
        return []
    _, which = np.unique(mark[:, touching], axis=1, return_inverse=True)
    order = np.argsort(which, kind="stable")
    bounds = np.flatnonzero(np.diff(which[order])) + 1
    return [touching[part] for part in np.split(order, bounds)]
