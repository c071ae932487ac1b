"""Automata that read a value once, whatever the expression: ``regexp`` builds them.

They are in all their states at once (Thompson 1968), so time is the value's length times the expression's size.
"""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 1000  # a longer value matches nothing
_MEMORY = 1 << 12


class Automaton:
    """A regular expression that must match a whole value.

    Attributes:
        expression: as written.
        arrows: of each state: the characters that it reads, and the next state.
        free: of each state, those that are entered with it, reading nothing.
        start, end: states.
    """

    def __init__(
        self,
        expression: str,
        arrows: list[tuple[frozenset[str], int]],
        free: list[tuple[int, ...]],
        start: int,
        end: int,
    ) -> None:
        self.expression = expression
        self.arrows = arrows
        self.free = free
        self.start = start
        self.end = end
        self._memory: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def matches(self, value: str) -> bool:
        """Whether it matches all of a value, one character per byte."""
        if len(value) > _LONGEST:
            return False
        states = self._closure((self.start,))
        for char in value:
            states = self._step(states, char)
            if not states:
                return False
        return self.end in states

    def is_empty(self) -> bool:
        """Whether it matches no value: ``[z-a]``."""
        seen = self._closure((self.start,))
        while True:
            reads = {to for chars, to in (self.arrows[state] for state in seen) if chars}
            more = seen | self._closure(reads)
            if more == seen:
                return self.end not in seen
            seen = more

    def _step(self, states: frozenset[int], char: str) -> frozenset[int]:
        found = self._memory.get((states, char))
        if found is None:
            found = self._closure(self.arrows[s][1] for s in states if char in self.arrows[s][0])
            if len(self._memory) < _MEMORY:
                self._memory[states, char] = found
        return found

    def _closure(self, states: Iterable[int]) -> frozenset[int]:
        found = set(states)
        stack = list(found)
        while stack:
            for state in self.free[stack.pop()]:
                if state not in found:
                    found.add(state)
                    stack.append(state)
        return frozenset(found)
