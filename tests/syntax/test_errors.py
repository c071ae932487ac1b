"""What is no prototxt is refused with place, line, caret and the usual cause."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.golden import GOLDEN, caffefix, refused


@pytest.mark.parametrize("case", refused(), ids=lambda case: case.name)
def test_refusal(case: Path) -> None:
    before = (case / "before.prototxt").read_bytes()
    done = caffefix("before.prototxt", cwd=case)
    assert done.status == 2
    assert done.err == (case / "message.txt").read_bytes()
    assert (case / "before.prototxt").read_bytes() == before


HINTS = {
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


LOOKALIKES = {
    "byte-order-mark": b"byte-order mark",
    "smart-quotes": b"typographic quote",
    "non-breaking-space": b"not an ASCII blank",
    "full-width-colon": b"full-width",
}


@pytest.mark.parametrize(("name", "words"), LOOKALIKES.items())
def test_what_would_be_written_as_ascii_is_an_error_where_that_is_not_wanted(name: str, words: bytes) -> None:
    case = GOLDEN / "non-ascii-syntax" / name
    done = caffefix("--ignore", "non-ascii-syntax", "--dry-run", "before.prototxt", cwd=case)
    assert done.status == 2
    assert not done.out
    assert words in done.err


def test_the_unclosed_brace_is_shown_where_it_was_opened() -> None:
    text = b'name: "n"\nlayer {\n  name: "a"\n  convolution_param {\n    num_output: 1\n  \nlayer { }\n}\n'
    done = caffefix("-", stdin=text)
    assert done.status == 2
    assert b'<stdin>:2:1: "layer {" is never closed' in done.err
