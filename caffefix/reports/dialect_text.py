"""Which forks accept a file, as text and as JSON."""

from __future__ import annotations

from caffefix.caffe.dialect import Verdict
from caffefix.caffe.schema import load
from caffefix.syntax.source import Source, display, one_line, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def as_text(source: Source, verdict: Verdict | None) -> str:
    """The forks that accept a file; those that do not, by the first thing they stop at."""
    if verdict is None:
        return f"{visible(source.path)}: neither net nor solver\n"
    names = load().names(verdict.accepting)
    out = [f"{visible(source.path)}: {', '.join(sorted(names)) or 'no known fork accepts it'}"]
    for (offset, text), forks in _grouped(verdict).items():
        place = source.position(offset)
        out.append(f"  not {_some(forks)}: {place.line}:{place.column}: {one_line(text)}")
    return "\n".join(out) + "\n"


def as_json(source: Source, verdict: Verdict | None) -> dict[str, Any]:
    """The same as data; ``accepted`` is null for what is neither net nor solver."""
    if verdict is None:
        return {"path": source.path, "accepted": None, "refused": []}
    refused = []
    for (offset, text), forks in _grouped(verdict).items():
        place = source.position(offset)
        refused.append(
            {"forks": sorted(forks), "line": place.line, "column": place.column, "message": display(text)}
        )
    accepted = sorted(load().names(verdict.accepting))
    return {"path": source.path, "accepted": accepted, "refused": refused}


def _grouped(verdict: Verdict) -> dict[tuple[int, str], list[str]]:
    groups: dict[tuple[int, str], list[str]] = {}
    for fork, problem in verdict.reasons.items():
        groups.setdefault((problem.node.start, problem.text), []).append(fork)
    return dict(sorted(groups.items()))


def _some(forks: list[str]) -> str:
    shown = sorted(forks, key=lambda name: (name != "bvlc", name))
    return ", ".join(shown[:4]) + (f" and {len(shown) - 4} more" if len(shown) > 4 else "")
