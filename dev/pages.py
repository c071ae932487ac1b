"""The pages of the findings: docs/findings/, made from fixers' docstrings, patches' front matter and a case each.

``golden/<finding>/example`` is the case that a page shows: its file holds the lines that the page's
Example has before the edit. ``python -m dev regen`` writes the pages, for review.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from caffefix.commands._shared.page import Page
from caffefix.commands._shared.pages import pages
from caffefix.commands.explain.as_markdown import page_lines
from caffefix.findings import Applicability
from caffefix.fixers import GROUPS
from caffefix.patching.shipped import shipped_patches
from tests.support.golden import GOLDEN, ROOT, Outcome, beside, caffefix, options

_BLOCK = re.compile(r"^```\n(.*?)^```$", re.M | re.S)
PATCHES = {patch.front.name for patch in shipped_patches()}  # their Example is the patch itself
DOCS = ROOT / "docs" / "findings"
_HUNKS = 3  # of a diff are shown
_INDEX = """# Findings

What caffefix finds, by group; {count} findings. Made from the sources by `python -m dev regen`;
`caffefix explain NAME` shows the same pages, `caffefix explain --all --format json` all of them.

*Safe* fixes are applied by default, *unsafe* ones on request (`--unsafe`, or `--select NAME`): what a page
says is what a fix is at best, and each finding says what it is. No mark: the finding is
only reported. A *patch* is a semantic patch that comes with caffefix (`--patch NAME` runs it alone); what is
checked *by name only* needs `--select NAME`.
"""


@dataclass(frozen=True)
class Hunk:
    """An Example: the lines of a file before and after the edit, without common indentation."""

    old: list[str]
    new: list[str]


def example(page: Page) -> Hunk:
    """The one block of code in a page's Example, read as a diff."""
    text = next(section.text for section in page.sections if section.title == "Example")
    (block,) = _BLOCK.findall(text + "\n")
    lines = block.split("\n")[:-1]
    assert all(line[:1] in (" ", "-", "+") for line in lines), "not a diff"
    return Hunk([x[1:] for x in lines if x[0] != "+"], [x[1:] for x in lines if x[0] != "-"])


def find(block: list[str], lines: list[str]) -> tuple[int, str] | None:
    """Where a block first appears in a file, and how it is indented there."""
    for start in range(len(lines) - len(block) + 1):
        indent = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
        if [indent + line for line in block] == lines[start : start + len(block)]:
            return start, indent
    return None


def case_of(name: str) -> Path:
    """The case that the finding's page shows."""
    return ROOT / "patches" / name / "fires" if name in PATCHES else GOLDEN / name / "example"


def shown(page: Page, case: Path) -> str:
    """What the tool prints of the case: the finding, and the diff."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in [case / "before.prototxt", *beside(case), *case.glob("train.log")]:
            (folder / path.name.replace("before", "net")).write_bytes(path.read_bytes())
        args = [Path(arg).name for arg in options(case)]  # the log's path is made whole there
        done = _ran(folder, args)
        fewer = [arg for arg in args if arg != "--notes"]
        if _ran(folder, fewer) == done:  # it is no note
            args = fewer
    command = " ".join(["caffefix --dry-run", *args, "net.prototxt"])
    report = _groups_of(page.name, done.err.decode())
    text = f"```console\n$ {command}\n" + "".join(f"{line}\n" for line in report) + "```\n"
    if done.out:
        text += "\n" + _diff(done.out.decode())
    where = os.path.relpath(case / "before.prototxt", DOCS)
    return f"In a [whole file]({where}), with the options that show it:\n\n{text}"


def _groups_of(name: str, report: str) -> list[str]:
    """The lines of a text report that are about one finding, below the file's name."""
    lines, wanted = [], False
    for line in report.splitlines():
        if not line.startswith(" "):
            wanted = False
            if line.startswith("net.prototxt") and ": fixed" not in line:
                lines.append(line)
        elif not line.startswith("   "):
            wanted = f" {name} [" in line
        if wanted:
            lines.append(line)
    return lines


def _ran(folder: Path, args: list[str]) -> Outcome:
    done = caffefix("--dry-run", "--exit-zero", *args, "net.prototxt", cwd=folder)
    assert done.status == 0, done.err
    return done


def _diff(diff: str) -> str:
    """A diff as a block, with its first hunks only if it has many."""
    head, *hunks = re.split(r"^(?=@@ )", diff, flags=re.M)
    left = len(hunks) - _HUNKS
    more = f"\n(and {left} more hunks like these)\n" if left > 0 else ""
    return f"```diff\n{head}{''.join(hunks[:_HUNKS])}```\n{more}"


def made() -> dict[str, str]:
    """The pages and their index, by file name."""
    every = pages()
    files = {f"{page.name}.md": page_lines(page, {"Example": shown(page, case_of(page.name))}) for page in every}
    return {"README.md": _index(every), **files}


def _index(every: list[Page]) -> str:
    text = _INDEX.format(count=len(every))
    for group in GROUPS:
        members = [page for page in every if page.group == group]
        rows = [f"| [{page.name}]({page.name}.md) | {page.summary} | {_mark(page)} |" for page in members]
        if rows:
            text += f"\n## {group}\n\n| finding | what it says | fix |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    return text


def _mark(page: Page) -> str:
    found = page.applicability
    safety = [found.value] if found in (Applicability.SAFE, Applicability.UNSAFE) else []
    kind = ["patch"] * (page.kind == "patch") + ["by name only"] * page.opt_in
    return ", ".join([*safety, *kind])


def write() -> None:
    """Write the pages; those of findings that are no more are removed."""
    DOCS.mkdir(exist_ok=True)
    files = made()
    for name, text in files.items():
        (DOCS / name).write_text(text, encoding="utf-8")
    for path in DOCS.iterdir():
        if path.name not in files:
            path.unlink()


if __name__ == "__main__":
    write()
