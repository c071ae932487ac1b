"""Predicted signals as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from caffefix.commands.signal.work import Comparison
from caffefix.evidence.prediction import (
    HUGE,
    TINY,
    BlobPrediction,
    Logits,
    Prediction,
    is_large,
    vanished,
)
from caffefix.syntax.scalars import number_text
from caffefix.syntax.source import one_line, visible

# Rows of one net, by the number of the top among those of its layer and name.
_Key = tuple[str, str, int]


def as_text(path: str, found: Comparison) -> str:
    """A line for each top: predicted mean |x|, bounds, verdict; also after the repairs that change anything."""
    before = found.before
    out = [f"{visible(path)}: mean |x| before the first step, phase {before.phase.value}"]
    out += [f"  assumed: {one_line(text)}" for text in before.assumed]
    others = [(title, prediction) for title, prediction in _repairs(found) if prediction is not None]
    head = ["layer", "blob", "type", "mean |x|", "low", "high", "verdict", *(title for title, _ in others)]
    columns = [_later(prediction) for _, prediction in others]
    rows = [head]
    verdicts = _verdicts(before)
    for key, row in _keyed(before.blobs):
        names = [one_line(row.layer), one_line(row.blob), one_line(row.type)]
        after = [column.get(key, "?") for column in columns]
        rows.append([*names, *_numbers(row), verdicts[key], *after])
    widths = [max(len(cells[i]) for cells in rows) for i in range(len(head))]
    out += ["  " + "  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)).rstrip() for cells in rows]
    out += [f"  stops at {one_line(s.layer)}: {s.why}" for s in before.stopped]
    if before.loss is not None:
        losses = [f"{title}: {p.loss:.4g}" for title, p in others if p.loss is not None]
        out.append("; ".join([f"  first loss: {before.loss:.4g}", *losses]))
    if found.unsafe is not None:
        out.append(f"  --unsafe also repairs {', '.join(found.unsafe_names)}")
    return "\n".join(out) + "\n"


def _repairs(found: Comparison) -> list[tuple[str, Prediction | None]]:
    return [("after repair", found.after), ("with --unsafe", found.unsafe)]


def _keyed(rows: Sequence[BlobPrediction]) -> list[tuple[_Key, BlobPrediction]]:
    counts: dict[tuple[str, str], int] = {}
    found = []
    for row in rows:
        name = row.layer, row.blob
        counts[name] = counts.get(name, -1) + 1
        found.append(((*name, counts[name]), row))
    return found


def _numbers(row: BlobPrediction) -> list[str]:
    return ["?" if value is None else f"{value:.3g}" for value in (row.mean_abs, row.low, row.high)]


def _later(prediction: Prediction) -> dict[_Key, str]:
    """A column for a repaired net: sizes, with what is still wrong."""
    wrong = _range(prediction)
    column = {}
    for key, row in _keyed(prediction.blobs):
        size = "?" if row.mean_abs is None else "exactly zero" if row.zero else f"{row.mean_abs:.3g}"
        column[key] = f"{size}, {wrong[key]}" if key in wrong else size
    return column


# ---------------------------------------------------------------- verdicts


def _verdicts(prediction: Prediction) -> Mapping[_Key, str]:
    starved = frozenset(p.layer for p in prediction.params if p.index == 0 and p.gradient_zero)
    wrong = _range(prediction)
    found = {}
    for key, row in _keyed(prediction.blobs):
        words = ["exactly zero"] if row.zero else [wrong[key]] if key in wrong else []
        if row.zero is None and not words:
            words = ["not decided"]
        if row.layer in starved:
            words.append("no gradient")
        found[key] = ", ".join(words) or "ok"
    return found


def _range(prediction: Prediction) -> dict[_Key, str]:
    """What is out of range: blobs, and by the bounds of the findings about signals, logits and their losses."""
    found = {}
    rows = _keyed(prediction.blobs)
    for key, row in rows:
        if not row.zero and row.high is not None and row.high < TINY:
            found[key] = "very small"
        elif row.low is not None and row.low > HUGE:
            found[key] = "very large"
    judged = _judged(prediction)
    latest: dict[str, _Key] = {}  # the last version of each blob
    for key, row in rows:
        logits = judged.get(row.layer)
        if logits is not None and logits.blob in latest:
            size = "large" if is_large(logits) else "small"
            found[latest[logits.blob]] = f"std {_two_digits(logits.std)}: too {size} to learn from"
            found[key] = f"of logits that are too {size}"
        latest[row.blob] = key
    return found


def _two_digits(number: float | None) -> str:
    return number_text(float(f"{number or 0:.2g}"))


def _judged(prediction: Prediction) -> dict[str, Logits]:
    """Logits out of range, by the loss that reads them."""
    small = prediction.logits if vanished(prediction) is not None else ()
    large = [logits for logits in prediction.logits if is_large(logits)]
    return {logits.loss.name: logits for logits in (*small, *large)}
