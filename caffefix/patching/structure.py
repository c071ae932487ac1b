"""Keeps patches from cutting a net: no layer may read a blob that no layer produces any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix._startup.records import dataclass
from caffefix.caffe.graph import Graph
from caffefix.caffe.net import nets
from caffefix.patching.layers import graphs
from caffefix.patching.rewrite import Draft
from caffefix.syntax.edits import EditError
from caffefix.syntax.lowering import apply, lower
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.source import short
from caffefix.syntax.tree import Document


@dataclass(frozen=True, slots=True)
class _State:
    """How the layers of a net are connected.

    Attributes:
        faults: what is wrong, in words, and the blob that no layer produces; empty for other faults.
        made: blobs that some layer produces, in some phase.
    """

    faults: frozenset[tuple[str, str]]
    made: frozenset[str]

    def new_in(self, after: _State) -> str:
        """What is wrong afterwards but was not before; empty if nothing is.

        A blob that came from outside a snippet before may be read by any layer, under any name.
        """
        outside = {blob for _, blob in self.faults} - self.made - {""}
        return min((words for words, blob in after.faults - self.faults if blob not in outside), default="")


def cut_by(document: Document, drafts: Sequence[Draft]) -> dict[int, str]:
    """What each draft would break, by its index; drafts that break nothing are omitted."""
    before = _state(document)
    found: dict[int, str] = {}
    stack = [range(len(drafts))]
    while stack:  # halves that break nothing need no further checks: few drafts break anything
        part = stack.pop()
        fault = _new_fault(document, drafts[part.start : part.stop], before) if part else ""
        middle = (part.start + part.stop) // 2
        if fault != "" and len(part) > 1:
            stack += [range(part.start, middle), range(middle, part.stop)]
        elif fault:
            found[part.start] = fault
    return found


def _new_fault(document: Document, drafts: Sequence[Draft], before: _State) -> str | None:
    """What is broken after drafts are applied but was not before; None if they cannot be applied together."""
    try:
        edits = [edit for draft in drafts for edit in draft.edits]
        after = _state(parse(apply(document.text, lower(document, edits))))
    except (EditError, PrototxtError):
        return None
    return before.new_in(after)


def _state(document: Document) -> _State:
    views = [view for net in nets(document) for view in graphs(net)]
    made = {top for view in views for step in view.steps for top in step.layer.tops}
    made.update(blob.name for view in views for blob in view.inputs)
    return _State(frozenset(fault for view in views for fault in _faults(view)), frozenset(made))


def _faults(view: Graph) -> Iterator[tuple[str, str]]:
    for use in view.undefined:
        layer = view.steps[use.step].layer
        blob = layer.bottoms[use.slot]
        yield f"{short(layer.name)} would read {short(blob)}, which no layer produces", blob
    for use in view.redefined:
        yield f"{short(view.steps[use.step].layer.tops[use.slot])} would be produced twice", ""
