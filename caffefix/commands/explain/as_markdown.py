"""Pages of findings as Markdown: headings below the finding's name, examples as diffs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from caffefix.commands._shared.page import Page
from caffefix.findings import Applicability

_FIXES = {
    Applicability.SAFE: "safe, applied by default",
    Applicability.UNSAFE: "unsafe, applied on request (`--unsafe` or `--select {}`)",
    Applicability.DISPLAY: "none",
}


def render(pages: Iterable[Page]) -> str:
    """The pages, one below the other."""
    return "\n".join(page_lines(page) for page in pages)


def page_lines(page: Page, more: Mapping[str, str] | None = None) -> str:
    """One page; ``more`` is text to put behind sections, by their titles."""
    parts = [f"# {page.name}\n\n{page.summary}\n\n{_facts(page)}"]
    for section in page.sections:
        text = "\n\n".join(filter(None, (_fenced(section.text), (more or {}).get(section.title, "").strip("\n"))))
        parts.append(f"## {section.title}\n\n{text}\n")
    return "\n".join(parts)


def _facts(page: Page) -> str:
    """What is known of the finding, as a list."""
    facts = [f"- Group: {page.group}"] if page.group else []
    if page.applicability is not None:
        facts.append(f"- Fix: {_FIXES[page.applicability].format(page.name)}")
    if page.needs_family:
        facts.append("- Looks at the files beside the one that it judges")
    return "\n".join(facts) + "\n"


def _fenced(text: str) -> str:
    """A section whose blocks of code, which are diffs of prototxt, say so."""
    lines, is_open = [], False
    for line in text.split("\n"):
        if line.startswith("```"):
            is_open = not is_open
            line = "```diff" if is_open and line == "```" else line
        lines.append(line)
    return "\n".join(lines)
