"""The known fork that is most like an owner's Caffe: the one with which it has most fields in common."""

from __future__ import annotations

from collections import Counter

from caffefix.caffe.caffes import Caffes
from caffefix.caffe.schema import load


def nearest_known(caffes: Caffes) -> str:
    """The known fork whose messages differ from the owner's in the fewest fields; empty without an owner's. Among
    forks that differ in equally many, the first in the tables, which is the better known.
    """
    if not caffes.own:
        return ""
    having: Counter[int] = Counter()  # how many fields a set of Caffes has
    for fields in caffes.schema.messages.values():
        for variants in fields.values():
            forks = 0
            for variant in variants:
                forks |= variant.forks
            having[forks] += 1
    names = load().forks
    differing = [0] * len(names)
    for forks, count in having.items():
        other = ~forks if forks & caffes.own else forks
        for index in range(len(names)):
            if other >> index & 1:
                differing[index] += count
    return names[differing.index(min(differing))]
