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
    """The pages, one after another."""
    return "\n".join(page_lines(page) for page in pages)


def page_lines(page: Page, more: Mapping[str, str] | None = None) -> str:
    """One page; ``more`` is text to append to sections, by their titles."""
    parts = [f"# {page.name}\n\n{page.summary}\n\n{_facts(page)}"]
    for section in page.sections:
        text = "\n\n".join(filter(None, (_fenced(section.text), (more or {}).get(section.title, "").strip("\n"))))
        parts.append(f"## {section.title}\n\n{text}\n")
    return "\n".join(parts)


def _facts(page: Page) -> str:
    """The facts about the finding, as a list."""
    facts = [f"- Group: {page.group}"] if page.group else []
    if page.applicability is not None:
        facts.append(f"- Fix: {_FIXES[page.applicability].format(page.name)}")
    if page.needs_family:
        facts.append("- Also reads other files in the folder of the one that it checks")
    return "\n".join(facts) + "\n"


def _fenced(text: str) -> str:
    """A section with its code blocks, which are diffs of prototxt, marked as diffs."""
    lines, is_open = [], False
    for line in text.split("\n"):
        if line.startswith("```"):
            is_open = not is_open
            line = "```diff" if is_open and line == "```" else line
        lines.append(line)
    return "\n".join(lines)
