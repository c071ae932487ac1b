"""Predicted signals as data; docs/json.md describes it."""

from __future__ import annotations

from caffefix.commands.signal.work import Comparison
from caffefix.evidence.prediction import Prediction
from caffefix.syntax.source import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def as_json(found: Comparison) -> dict[str, Any]:
    """An undecided value is null; so are ``after`` and ``unsafe`` where these repairs change nothing more."""
    after = None if found.after is None else _data(found.after)
    unsafe = None if found.unsafe is None else {"fixed": list(found.unsafe_names), **_data(found.unsafe)}
    data = {"version": 1, "phase": found.before.phase.value, **_data(found.before)}
    return {**data, "after": after, "unsafe": unsafe}


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
        "logits": [
            {
                "loss": display(found.loss.name), "blob": display(found.blob), "std": found.std,
                "low": found.low, "high": found.high,
            }
            for found in prediction.logits
        ],
        "stopped": [{"layer": display(s.layer), "why": display(s.why)} for s in prediction.stopped],
    }  # fmt: skip
