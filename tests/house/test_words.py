"""Messages, pages and docs are free of phrases that were wrong before."""

from __future__ import annotations

from dev.words import BETTER, complaints


def test_no_phrase_that_was_wrong_before() -> None:
    assert not list(complaints())


def test_the_list_finds_what_it_is_for() -> None:
    import re

    said = "Caffe of before 2016; accuracy is another at each run; a field may stand once; 3x is no number"
    assert sum(bool(re.search(pattern, said)) for pattern in BETTER) >= 4
