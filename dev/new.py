"""Begins a finding: its module with the sections of its page, and golden cases to fill in."""

from __future__ import annotations

import json
from pathlib import Path

from caffefix._startup.records import dataclass
from caffefix.fixers import FOLDERS, OPTIONAL, SECTIONS
from tests.support.golden import GOLDEN, ROOT, caffefix

_MODULE = '''"""One line: what is wrong, for lists of findings.

{sections}
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Finding, Pass, Subject

PASS = Pass.REPAIR
NAME = "{name}"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each place."""
    yield from ()
'''
_HINTS = {
    "What it finds": "The pattern, as it appears in files.",
    "Why it matters": "What Caffe does because of it, with Caffe's own words where it aborts.",
    "Example": "```\n a line before\n-what is wrong\n+what is right\n```",
    "Fix safety": "Safe: … (or Unsafe: …, or No fix: …)",
    "When it is a false alarm": "When somebody means it.",
    "References": "- BVLC Caffe, `src/caffe/…`, the function",
}
# The example, another file that it is wrong in, the same in an odd layout, and two that look alike and are right.
_CASES = ("example", "fires", "odd-layout", "looks-alike-is-fine", "other-layers-is-fine")


class NameTakenError(Exception):
    """There is such a finding; the message says where."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was begun.

    Attributes:
        written: files, from the root of the checkout.
        firing: findings that there are on the example already.
    """

    written: tuple[str, ...]
    firing: tuple[str, ...]


def finding(name: str, folder: str, example: bytes) -> Made:
    """Begin a finding.

    Args:
        name: named after the bad pattern, in kebab-case.
        folder: of its fixer.
        example: a net or solver that it is wrong in.

    Raises:
        NameTakenError: a finding or a golden folder of that name is there.
    """
    module = ROOT / "caffefix/fixers" / folder / f"{name.replace('-', '_')}.py"
    taken = [path for path in _places(name) if path.exists()]
    if taken:
        raise NameTakenError(f"there is a finding {name} already: {taken[0].relative_to(ROOT)}")
    sections = "\n\n".join(f"## {title}\n\n{_HINTS[title]}" for title in SECTIONS if title not in OPTIONAL)
    module.write_text(_MODULE.format(sections=sections, name=name), encoding="utf-8")
    written = [module]
    for case in _CASES:
        path = GOLDEN / name / case / "before.prototxt"
        path.parent.mkdir(parents=True)
        path.write_bytes(example)
        written.append(path)
    shown = tuple(path.relative_to(ROOT).as_posix() for path in written)
    return Made(shown, _firing(example))


def _places(name: str) -> list[Path]:
    modules = [ROOT / "caffefix/fixers" / folder / f"{name.replace('-', '_')}.py" for folder in FOLDERS]
    return [*modules, ROOT / "patches" / f"{name}.patch", GOLDEN / name]


def _firing(example: bytes) -> tuple[str, ...]:
    """What caffefix finds in the example as it is, patches among it."""
    done = caffefix("--check", "--notes", "--unsafe", "--format", "json", "-", stdin=example)
    files = json.loads(done.out)["files"]
    return tuple(sorted({row["name"] for row in files[0]["findings"]}))
