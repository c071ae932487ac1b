"""Pausing the garbage collector: its search for cycles, of which there are none, takes a third of a parse.

With the collector on, a check of a small net takes 1.06 times the CPU time.
"""

from __future__ import annotations

import gc


def collect() -> None:
    """Run the garbage collector now."""
    gc.collect()


class Uncollected:
    """``with Uncollected():`` runs without the garbage collector; if it was on, it is on again afterwards."""

    def __enter__(self) -> None:
        self._was_on = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._was_on:
            gc.enable()
