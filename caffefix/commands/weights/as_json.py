"""What Caffe does with a model, as one JSON object; docs/json.md describes it."""

from __future__ import annotations

import json
import math
from typing import Any

from caffefix.commands.weights.results import Loading
from caffefix.evidence.weights.copying import Fate
from caffefix.evidence.weights.model import Blob
from caffefix.evidence.weights.numbers import Look
from caffefix.reports.as_json import clean
from caffefix.syntax.source import one_line

VERSION = 1


def as_json(found: Loading) -> str:
    """The object, on one line: several models are JSON lines."""
    report = {
        "version": VERSION,
        "net": clean(found.net),
        "model": clean(found.path),
        "phase": found.phase,
        "generation": found.model.generation,
        "bytes": found.model.size,
        "abort": one_line(found.copying.abort) or None,
        "layers": [_layer(found, fate) for fate in found.copying.fates],
        "advice": [
            {"name": a.name, "message": one_line(a.message), "layers": [*map(one_line, a.layers)]}
            for a in found.advice
        ],
    }
    return json.dumps(report, ensure_ascii=False) + "\n"


def _layer(found: Loading, fate: Fate) -> dict[str, Any]:
    looks = found.looks.get(fate.name, ())
    blobs = fate.source.blobs if fate.source is not None else ()
    return {
        "name": one_line(fate.name),
        "outcome": fate.outcome.name.lower(),
        "message": one_line(fate.message) or None,
        "assumed": one_line(fate.assumed) or None,
        "blobs": [_blob(blob, looks[i] if i < len(looks) else None) for i, blob in enumerate(blobs)],
    }


def _blob(blob: Blob, look: Look | None) -> dict[str, Any]:
    return {
        "shape": [*blob.shape],
        "legacy": blob.legacy is not None,
        "numbers": None
        if look is None
        else {
            "count": look.count,
            "mean_abs": look.mean_abs if math.isfinite(look.mean_abs) else None,
            "zeros": look.zeros,
            "not_finite": look.nans + look.infinite,
            "low": look.low if math.isfinite(look.low) else None,
            "high": look.high if math.isfinite(look.high) else None,
            "zero_rows": look.zero_rows,
            "equal_rows": look.equal_rows,
        },
    }
