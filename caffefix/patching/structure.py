"""Keeps patches from cutting a net: no layer may read what nothing makes any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix.caffe.graph import Graph
from caffefix.caffe.net import nets
from caffefix.patching.layers import Layers
from caffefix.patching.rewrite import Draft
from caffefix.syntax.edits import EditError
from caffefix.syntax.lowering import apply, lower
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.tree import Document


def cut_by(document: Document, drafts: Sequence[Draft]) -> dict[int, str]:
    """What each draft, by its index, would break; those that break nothing are left out."""
    before = _faults(document)
    found: dict[int, str] = {}
    stack = [range(len(drafts))]
    while stack:  # halves that break nothing are done with: few drafts do
        part = stack.pop()
        fault = _new_fault(document, drafts[part.start : part.stop], before) if part else ""
        middle = (part.start + part.stop) // 2
        if fault != "" and len(part) > 1:
            stack += [range(part.start, middle), range(middle, part.stop)]
        elif fault:
            found[part.start] = fault
    return found


def _new_fault(document: Document, drafts: Sequence[Draft], before: set[str]) -> str | None:
    """What is broken after drafts are made and was not before; None if they cannot be made together."""
    try:
        edits = [edit for draft in drafts for edit in draft.edits]
        after = _faults(parse(apply(document.text, lower(document, edits))))
    except (EditError, PrototxtError):
        return None
    return min(after - before, default="")


def _faults(document: Document) -> set[str]:
    return {fault for net in nets(document) for view in Layers(net).graphs for fault in _of(view)}


def _of(view: Graph) -> Iterator[str]:
    for use in view.undefined:
        layer = view.steps[use.step].layer
        yield f"{layer.name} would read {layer.bottoms[use.slot]}, which nothing makes"
    for use in view.redefined:
        yield f"{view.steps[use.step].layer.tops[use.slot]} would be made twice"
