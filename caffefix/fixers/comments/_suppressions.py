"""What the findings about suppressions share."""

from __future__ import annotations

from caffefix.findings import Finding, Fix, Severity
from caffefix.syntax.suppressions import Suppression


def at(suppression: Suppression, name: str, severity: Severity, message: str, fix: Fix | None = None) -> Finding:
    """A finding at a directive, with the name of the layer around it."""
    node = suppression.scope or suppression.comment.owner
    layer = ""
    for around in (node, *node.ancestors()):
        if around.parent is not None and around.name in ("layer", "layers"):
            layer = around.string("name") or ""
    return Finding(name, severity, message, node, layer=layer, fix=fix, span=(suppression.start, suppression.end))
