"""Comments that silence findings, as edits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix._startup.records import replace
from caffefix.findings import Applicability, Finding, Fix
from caffefix.syntax.edits import Remark
from caffefix.syntax.style import begins_line
from caffefix.syntax.suppressions import written
from caffefix.syntax.tree import Node


class ReasonError(Exception):
    """A reason that cannot be put into a comment; the message says why."""


def checked_reason(reason: str) -> str:
    """A reason as it is written to a file: one line, one character per byte.

    Raises:
        ReasonError: it is empty, has several lines, or would be read as another suppression.
    """
    reason = reason.strip()
    if not reason:
        raise ReasonError("give a reason: --reason 'weights are loaded by net surgery'")
    if not reason.isprintable():
        raise ReasonError("the reason must be a single line without control characters")
    if "#" in reason and "caffefix" in reason:
        raise ReasonError("the reason would itself be read as a suppression; leave out the #")
    return reason.encode("utf-8").decode("latin-1")


def remarks(text: str, shown: Sequence[Finding], reason: str) -> Iterator[Finding]:
    """Findings, each with the comment that silences it as its fix.

    Args:
        text: the file.
        shown: the findings.
        reason: why they are silenced, as returned by ``checked_reason``.
    """
    by_anchor: dict[Node, list[Finding]] = {}
    for finding in shown:
        by_anchor.setdefault(_anchor(text, finding.node), []).append(finding)
    # A comment on the file comes first, because it may be in the same place as one on the file's first field.
    for anchor in sorted(by_anchor, key=lambda node: node.parent is not None):
        names = tuple(dict.fromkeys(finding.name for finding in by_anchor[anchor]))
        comment = written(names, reason, file=anchor.parent is None)
        fix = Fix((Remark(anchor, comment),), Applicability.SAFE, "suppress")
        yield from (replace(finding, fix=fix) for finding in by_anchor[anchor])


def _anchor(text: str, node: Node) -> Node:
    """The node that the comment is put above: the field, or the nearest enclosing message that begins a line;
    if there is none, the root, which stands for the file."""
    while node.parent is not None and (node.in_list or not begins_line(text, node.start)):
        node = node.parent
    return node
