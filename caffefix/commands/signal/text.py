"""Predicted signals as a table, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping

from caffefix.commands.signal.work import Comparison
from caffefix.evidence.prediction import BlobPrediction, Prediction
from caffefix.syntax.source import display, one_line, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Means beyond these are reported as very small or very large (signal.md §3).
_TINY, _HUGE = 1e-4, 1e3


def as_text(path: str, found: Comparison) -> str:
    """A line for each top: predicted mean |x|, bounds, verdict; also after repair if that changes anything."""
    before = found.before
    out = [f"{visible(path)}: mean |x| before the first step, phase {before.phase.value}"]
    out += [f"  assumed: {one_line(text)}" for text in before.assumed]
    after = {(row.layer, row.blob): row for row in found.after.blobs} if found.after is not None else None
    dead = _starved(before)
    head = ["layer", "blob", "type", "mean |x|", "low", "high", "verdict"]
    rows = [head if after is None else [*head, "after repair"]]
    for row in before.blobs:
        cells = [one_line(row.layer), one_line(row.blob), one_line(row.type), *_numbers(row), _verdict(row, dead)]
        rows.append(cells if after is None else [*cells, _later(row, after)])
    widths = [max(len(cells[i]) for cells in rows) for i in range(len(rows[0]))]
    out += ["  " + "  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)).rstrip() for cells in rows]
    out += [f"  stops at {one_line(s.layer)}: {s.why}" for s in before.stopped]
    if before.loss is not None:
        later = found.after.loss if found.after is not None else None
        out.append(
            f"  first loss: {before.loss:.4g}" + (f"; after repair: {later:.4g}" if later is not None else "")
        )
    return "\n".join(out) + "\n"


def as_json(found: Comparison) -> dict[str, Any]:
    """The same as data; an undecided value is null, and ``after`` is null if the repair changes nothing."""
    after = None if found.after is None else _data(found.after)
    return {"version": 1, "phase": found.before.phase.value, **_data(found.before), "after": after}


def _data(prediction: Prediction) -> dict[str, Any]:
    return {
        "assumed": [display(text) for text in prediction.assumed],
        "loss": prediction.loss,
        "blobs": [
            {
                "layer": display(b.layer), "blob": display(b.blob), "mean_abs": b.mean_abs,
                "low": b.low, "high": b.high, "zero": b.zero,
            }
            for b in prediction.blobs
        ],
        "params": [
            {
                "layer": display(p.layer), "index": p.index, "mean_abs": p.mean_abs, "low": p.low,
                "high": p.high, "zero": p.zero, "gradient_zero": p.gradient_zero,
            }
            for p in prediction.params
        ],
        "stopped": [{"layer": display(s.layer), "why": display(s.why)} for s in prediction.stopped],
    }  # fmt: skip


def _starved(prediction: Prediction) -> frozenset[str]:
    """Layers with weights whose first gradient is exactly zero."""
    return frozenset(p.layer for p in prediction.params if p.index == 0 and p.gradient_zero)


def _numbers(row: BlobPrediction) -> list[str]:
    return ["?" if value is None else f"{value:.3g}" for value in (row.mean_abs, row.low, row.high)]


def _verdict(row: BlobPrediction, starved: frozenset[str]) -> str:
    words = []
    if row.zero:
        words.append("exactly zero")
    elif row.high is not None and row.high < _TINY:
        words.append("very small")
    elif row.low is not None and row.low > _HUGE:
        words.append("very large")
    elif row.zero is None:
        words.append("not decided")
    if row.layer in starved:
        words.append("no gradient")
    return ", ".join(words) or "ok"


def _later(row: BlobPrediction, after: Mapping[tuple[str, str], BlobPrediction]) -> str:
    other = after.get((row.layer, row.blob))
    if other is None or other.mean_abs is None:
        return "?"
    return "exactly zero" if other.zero else f"{other.mean_abs:.3g}"
