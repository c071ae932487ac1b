"""What Caffe does with a model, as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from caffefix.commands.weights.results import Loading
from caffefix.evidence.weights.copying import Fate, Outcome
from caffefix.evidence.weights.model import Blob
from caffefix.evidence.weights.numbers import Look
from caffefix.reports.as_text import Paint, plain
from caffefix.syntax.source import one_line, visible

_WORDS = {
    Outcome.COPIED: ("copied", "fixed"),
    Outcome.NOTHING: ("nothing to copy", "dim"),
    Outcome.IGNORED: ("ignored", "warning"),
    Outcome.ABORT: ("aborts", "error"),
    Outcome.UNKNOWN: ("not known", "warning"),
    Outcome.FILLER: ("keeps its filler", "warning"),
}
_NAMES = 6


def render(found: Loading, width: int, paint: Paint = plain) -> str:
    """A table of the layers with weights, what Caffe says, and what to do.

    Args:
        found: what was found out.
        width: columns that text is wrapped to.
        paint: colours text.
    """
    model = found.model
    weighted = [f for f in found.copying.fates if _has_weights(f)]
    size = f"{model.size / 1e6:.1f} MB" if model.size >= 1e5 else f"{model.size} bytes"
    out = [
        f"{paint(visible(found.path), 'path')}: {model.generation}, {size}, {len(model.layers)} layers; in "
        f"{visible(found.net)}, phase {found.phase}"
    ]
    out += _table(found, weighted, paint)
    rest = len(found.copying.fates) - len(weighted)
    if rest:
        ignored = sum(f.outcome is Outcome.IGNORED for f in found.copying.fates if not _has_weights(f))
        more = f", {ignored} of which the net does not have" if ignored else ""
        out.append(f"  and {rest} layers without weights{more}")
    if found.copying.abort:
        out += _wrapped(f"Caffe aborts: {one_line(found.copying.abort)}", width, "error", paint)
    for advice in found.advice:
        names = _some([one_line(name) for name in advice.layers])
        out += _wrapped(f"{advice.name}{': ' if names else ''}{names}: {advice.message}", width, "warning", paint)
    if not found.has_numbers:
        out.append("  the numbers were not looked at: that needs NumPy (pip install 'caffefix[weights]')")
    return "\n".join(out) + "\n"


def _has_weights(fate: Fate) -> bool:
    return bool(fate.source.blobs) if fate.source is not None else True


def _table(found: Loading, fates: Sequence[Fate], paint: Paint) -> Iterator[str]:
    rows = [(_name(fate), fate, _blobs(found, fate)) for fate in fates]
    wide = max((len(name) for name, _, _ in rows), default=0)
    for name, fate, blobs in rows:
        word, style = _WORDS[fate.outcome]
        assumed = f"  if {one_line(fate.assumed)}" if fate.assumed else ""
        yield f"  {name:<{wide}}  {paint(f'{word:<16}', style)}  {blobs}{assumed}".rstrip()


def _name(fate: Fate) -> str:
    return one_line(fate.name)


def _blobs(found: Loading, fate: Fate) -> str:
    if fate.source is None:
        return "the model has no layer of that name"
    looks = found.looks.get(fate.name, ())
    parts = []
    for index, blob in enumerate(fate.source.blobs):
        look = looks[index] if index < len(looks) else None
        parts.append(_shape(blob) + (f" {_numbers(look)}" if look is not None else ""))
    return ", ".join(parts)


def _shape(blob: Blob) -> str:
    return "×".join(map(str, blob.shape)) or "scalar"


def _numbers(look: Look) -> str:
    if not look.count:
        return "without numbers"
    parts = [f"mean |x| {look.mean_abs:.3g}"] if look.mean_abs == look.mean_abs else []
    if look.nans or look.infinite:
        parts.append(f"{look.nans + look.infinite} not finite")
    if look.zeros and not look.all_zero:
        parts.append(f"{look.zeros / look.count:.0%} zero")
    if look.zero_rows and not look.all_zero:
        parts.append(f"{look.zero_rows} outputs dead")
    return "(all zero)" if look.all_zero else f"({', '.join(parts)})"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def _wrapped(text: str, width: int, style: str, paint: Paint) -> list[str]:
    lines = wrap(
        text, width, initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    head, separator, rest = lines[0].partition(":")
    return [paint(head, style) + separator + rest, *lines[1:]]
