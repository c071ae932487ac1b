"""A training log's report as one JSON object; docs/json.md describes it."""

from __future__ import annotations

import json
import math
from typing import Any

from caffefix.commands.log.results import Diagnosed, Difference, LogReport
from caffefix.evidence.logs.model import Series
from caffefix.reports.as_json import clean
from caffefix.syntax.source import one_line

VERSION = 1


def render(report: LogReport) -> str:
    """The object."""
    log = report.log
    data = {
        "version": VERSION,
        "log": {
            "path": clean(log.path),
            "lines": log.lines,
            "records": log.records,
            "nets": log.nets,
            "has_debug_info": log.has_debug_info,
            "is_done": log.is_done,
            "weights": [one_line(name) for name in log.weights],
        },
        "net": {"path": clean(report.net), "error": clean(report.net_error)} if report.net else None,
        "fork": {
            "name": report.fork.fork,
            "label": report.fork.label,
            "certain": report.fork.is_certain,
            "evidence": report.fork.evidence,
        },
        "series": [_series(s) for s in ((log.loss,) if log.loss else ()) + log.outputs],
        "decoded": [{"name": d.name, "value": d.value, "how": one_line(d.how)} for d in report.decoded],
        "observations": [_observation(d) for d in report.observations],
        "differences": [_difference(d) for d in report.differences],
    }
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _number(value: float) -> float | str:
    """JSON has no NaN and no infinity: these are written as strings."""
    return value if math.isfinite(value) else f"{value:g}"


def _series(series: Series) -> dict[str, Any]:
    return {
        "phase": series.phase,
        "name": one_line(series.name),
        "weight": None if series.weight is None else _number(series.weight),
        "count": series.count,
        "first_iteration": series.first_iteration,
        "first": _number(series.first),
        "last_iteration": series.last_iteration,
        "last": _number(series.last),
    }


def _observation(found: Diagnosed) -> dict[str, Any]:
    seen = found.observation
    causes = [
        {"name": d.name, "line": d.line, "column": d.column, "layer": d.layer, "message": d.message}
        for d in found.causes
    ]
    return {
        "name": seen.name,
        "wrong": seen.is_wrong,
        "message": one_line(seen.message),
        "line": seen.line or None,
        "layer": one_line(seen.layer),
        "causes": causes,
        "causes_certain": found.is_certain,
    }


def _difference(found: Difference) -> dict[str, Any]:
    return {
        "message": one_line(found.message),
        "layer": one_line(found.layer),
        "log_line": found.log_line or None,
        "net_line": found.net_line or None,
    }
