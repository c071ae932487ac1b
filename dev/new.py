"""Begins a finding: its module with the sections of its page, and golden cases that are made of two files."""

from __future__ import annotations

import json
import re
from pathlib import Path

from caffefix._startup.records import dataclass
from caffefix.fixers import FOLDERS, OPTIONAL, SECTIONS
from tests.support.golden import GOLDEN, ROOT, caffefix

_MODULE = '''"""One line: what is wrong, for lists of findings.

{sections}
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Finding, Pass, Severity, Subject

PASS = Pass.REPAIR
# CHANGES = ("layer.relu_param",)   # paths of the meaning that a fix may change
# SIGNS = ("ReLU",)                 # names without which there is nothing to find: files without them are skipped
NAME = "{name}"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each place."""
    for net in subject.nets:
        for layer in net.layers:
            if layer.type == "TheType" and layer.number("the_param", "the_field", 0) > 1:
                message = "what is wrong, so what Caffe does; what the edit does"
                yield Finding(NAME, Severity.WARNING, message, layer.node, layer=layer.name)
                # With a fix: Fix((Replace(node, "1"),), Applicability.SAFE, "field 7 → 1"), from caffefix.findings
                # and caffefix.syntax.edits; fixers/data/mirror_in_test.py is a short example.
'''
_HINTS = {
    "What it finds": "The pattern, as it appears in files.",
    "Why it matters": "What Caffe does because of it, with Caffe's own words where it aborts.",
    "Example": "```\n a line before\n-what is wrong\n+what is right\n```",
    "Fix safety": "Safe: … (or Unsafe: …, or No fix: …)",
    "When it is a false alarm": "When somebody means it.",
    "References": "- BVLC Caffe, `src/caffe/…`, the function",
}
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_STRING_BLANK_OR_COMMENT = re.compile(r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|#[^\n]*|\s+""")


class UnusableNameError(Exception):
    """A name that no finding can have; the message says why."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was begun.

    Attributes:
        written: files, from the root of the checkout.
        firing: findings that the example already has.
    """

    written: tuple[str, ...]
    firing: tuple[str, ...]


def finding(name: str, folder: str, example: bytes, fine: bytes) -> Made:
    """Begin a finding.

    Args:
        name: named after the bad pattern, in kebab-case.
        folder: of its fixer.
        example: a net or solver with the pattern.
        fine: one that looks like it and is right.

    Raises:
        UnusableNameError: the name is not in kebab-case, or a finding or golden folder of that name exists.
    """
    if not _NAME.fullmatch(name):
        raise UnusableNameError(f"{name}: name it after the bad pattern, in kebab-case: missing-weight-filler")
    module = ROOT / "caffefix/fixers" / folder / f"{name.replace('-', '_')}.py"
    taken = [path for path in _places(name) if path.exists()]
    if taken:
        raise UnusableNameError(f"there is a finding {name} already: {taken[0].relative_to(ROOT)}")
    sections = "\n\n".join(f"## {title}\n\n{_HINTS[title]}" for title in SECTIONS if title not in OPTIONAL)
    module.write_text(_MODULE.format(sections=sections, name=name), encoding="utf-8")
    written = [module]
    for case, data in _cases(name, example, fine).items():
        path = GOLDEN / name / case / "before.prototxt"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        written.append(path)
    shown = tuple(path.relative_to(ROOT).as_posix() for path in written)
    return Made(shown, _firing(example))


def _cases(name: str, example: bytes, fine: bytes) -> dict[str, bytes]:
    """The golden cases: the example in three layouts, the example silenced, and what is right."""
    text = example.decode("latin-1")
    one_line = _STRING_BLANK_OR_COMMENT.sub(lambda match: match[1] or " ", text).strip() + "\n"
    lines = (line.replace("  ", "\t") + "  # as found\r\n" for line in text.splitlines())
    return {
        "example": example,
        "odd-layout": one_line.encode("latin-1"),
        "odd-comments": "".join(lines).encode("latin-1"),
        "suppressed-is-silent": f"# caffefix: ignore-file[{name}] it is meant\n".encode() + example,
        "looks-alike-is-fine": fine,
    }


def _places(name: str) -> list[Path]:
    modules = [ROOT / "caffefix/fixers" / folder / f"{name.replace('-', '_')}.py" for folder in FOLDERS]
    return [*modules, ROOT / "patches" / f"{name}.patch", GOLDEN / name]


def _firing(example: bytes) -> tuple[str, ...]:
    """What caffefix finds in the example as it is, patches among it."""
    done = caffefix("--check", "--notes", "--unsafe", "--format", "json", "-", stdin=example)
    files = json.loads(done.out)["files"]
    return tuple(sorted({row["name"] for row in files[0]["findings"]}))
