"""What is no prototxt is refused with place, line, caret and the usual cause."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import caffefix, refused


@pytest.mark.parametrize("case", refused(), ids=lambda case: case.name)
def test_refusal(case: Path) -> None:
    before = (case / "before.prototxt").read_bytes()
    done = caffefix("before.prototxt", cwd=case)
    assert done.status == 2
    assert done.err == (case / "message.txt").read_bytes()
    assert (case / "before.prototxt").read_bytes() == before


HINTS = {
    "byte-order-mark": "byte-order mark",
    "smart-quotes": "typographic quote",
    "non-breaking-space": "no ASCII blank",
    "full-width-colon": "full-width",
    "slash-comment": "comments begin with #",
    "merge-conflict": "merge-conflict",
    "template-dollar": "template",
    "template-hash": "template",
    "template-braces": "template",
    "unterminated-string": "close the quote",
    "s003-dots": "dots",
    "octal": "leading zero",
    "s002-unclosed-brace": "never closed",
    "missing-close-inside": "never closed",
    "windows-path": "backslash",
}


@pytest.mark.parametrize(("name", "words"), HINTS.items())
def test_the_usual_causes_are_named(name: str, words: str) -> None:
    (case,) = [case for case in refused() if case.name == name]
    assert words in (case / "message.txt").read_text(encoding="utf-8", errors="replace")


def test_the_unclosed_brace_is_shown_where_it_was_opened() -> None:
    text = b'name: "n"\nlayer {\n  name: "a"\n  convolution_param {\n    num_output: 1\n  \nlayer { }\n}\n'
    done = caffefix("-", stdin=text)
    assert done.status == 2
    assert b'<stdin>:2:1: "layer {" is never closed' in done.err
