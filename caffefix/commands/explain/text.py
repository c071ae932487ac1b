"""Pages of findings for a terminal, as their authors wrote them."""

from __future__ import annotations

from collections.abc import Iterable

from caffefix.commands._shared.page import Page


def render(pages: Iterable[Page]) -> str:
    """The pages, one after another."""
    return "\n".join(_page(page) for page in pages)


def _page(page: Page) -> str:
    sections = "".join(f"\n## {section.title}\n\n{section.text}\n" for section in page.sections)
    return f"# {page.name}\n\n{page.summary}\n{sections}"
