"""The formats of a repair's report, by name; a renderer is imported on first use."""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.reports.report import Report

_RENDERERS = {
    "text": ("as_text", "Text"),
    "full": ("as_full", "Full"),
    "concise": ("as_concise", "Concise"),
    "json": ("as_json", "Json"),
    "jsonl": ("as_json", "JsonLines"),
    "sarif": ("as_sarif", "Sarif"),
    "rdjson": ("as_rdjson", "RdJson"),
    "github": ("as_github", "GitHub"),
    "gitlab": ("as_gitlab", "GitLab"),
    "junit": ("as_junit", "JUnit"),
    "markdown": ("as_markdown", "Markdown"),
}
NAMES = tuple(_RENDERERS)
# For people at a terminal: with these, diffs and failures go to separate streams.
TEXT = frozenset(("text", "full", "concise"))


def renderer(name: str) -> type[Report]:
    """The class of a format's reports."""
    module, attribute = _RENDERERS[name]
    found: type[Report] = getattr(importlib.import_module(f"caffefix.reports.{module}"), attribute)
    return found
