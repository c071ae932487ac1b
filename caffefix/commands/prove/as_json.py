"""A proof by training as one JSON object."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from caffefix.commands.prove.work import Proved
from caffefix.evidence.training.trial import Side

VERSION = 1


def render(proved: Proved) -> str:
    """The object; numbers that are NaN or infinite are null."""
    proof = proved.proof
    options = proof.options
    value = {
        "version": VERSION,
        "path": proved.path,
        "repaired": proved.repaired or None,
        "verdict": proof.verdict.value,
        "changed": proof.changed,
        "before": _side(proof.before),
        "after": _side(proof.after),
        "fixed": list(dict.fromkeys(finding.name for finding in proved.findings)),
        "alternatives": [
            {
                "option": list(tried.option),
                "findings": list(tried.findings),
                "outcome": tried.side.outcome.value if tried.side is not None else None,
                "tail": _clean(tried.side.tail) if tried.side is not None else None,
                "why": tried.why,
            }
            for tried in proved.alternatives
        ],
        "setup": {
            "iterations": options.iterations,
            "batch": options.batch,
            "seed": options.seed,
            "solver": list(proof.solver),
            "notes": list(proof.notes),
            "caffe": asdict(proof.interpreter),
        },
    }
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace") + "\n"


def _side(side: Side) -> dict[str, Any]:
    value = {name: _clean(item) for name, item in asdict(side).items()}
    value["outcome"] = side.outcome.value
    value["tail"] = _clean(side.tail)
    value["shapes"] = {name: list(shape) for name, shape in side.shapes}
    return value


def _clean(item: Any) -> Any:
    if isinstance(item, float):
        return item if math.isfinite(item) else None
    if isinstance(item, tuple):
        return [_clean(element) for element in item]
    return item
