"""Fixes one by one: whatever is accepted or declined, what is written is proved."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caffefix.engine.repair import Request, repair
from caffefix.results import Decisions, FileResult, FindingKey
from caffefix.syntax.source import Source
from tests.conftest import corpus_files, or_skip
from tests.support.golden import GOLDEN

EXAMPLES = sorted(GOLDEN.glob("*/*/before.prototxt"))


def choices(path: Path) -> tuple[Source, FileResult, list[list[FindingKey]]]:
    """A file, its repair, and the findings of each choice."""
    source = Source(path.name, path.read_bytes())
    found = repair(source, Request(choices=True))
    return source, found, [[found.findings[index].key for index in choice.findings] for choice in found.choices]


def decided(source: Source, found: FileResult, keys: list[list[FindingKey]], accepted: list[bool]) -> FileResult:
    """The repair of a file for which each choice is accepted or declined."""
    declined, allowed = set[FindingKey](), set[FindingKey]()
    for choice, members, wanted in zip(found.choices, keys, accepted, strict=True):
        is_safe = any(found.findings[index].applied for index in choice.findings)
        if is_safe and not wanted:
            declined.update(members)
        elif wanted and not is_safe:
            allowed.update(members)
    return repair(source, Request(choices=True, decisions=Decisions(frozenset(declined), frozenset(allowed))))


@given(st.sampled_from(EXAMPLES), st.data())
@settings(max_examples=120)
def test_every_subset_is_proved(path: Path, data: st.DataObject) -> None:
    source, found, keys = choices(path)
    accepted = [data.draw(st.booleans()) for _ in keys]
    result = decided(source, found, keys, accepted)
    assert found.status.failed or not result.status.failed, result.reason
    declined = {key for members, wanted in zip(keys, accepted, strict=True) if not wanted for key in members}
    assert not [d for d in result.findings if d.applied and d.key in declined]


@pytest.mark.parametrize("path", EXAMPLES[::7], ids=lambda path: f"{path.parts[-3]}-{path.parts[-2]}")
def test_choices_are_the_repair(path: Path) -> None:
    """Accepting all safe ones is the repair; each applied finding is in one choice."""
    source, found, keys = choices(path)
    assert repair(source, Request()).new == found.new
    safe = [any(found.findings[index].applied for index in choice.findings) for choice in found.choices]
    assert decided(source, found, keys, safe).new == found.new
    indexes = [index for choice in found.choices for index in choice.findings]
    assert len(indexes) == len(set(indexes))
    assert {d.key for d in found.findings if d.applied} <= {key for members in keys for key in members}


@pytest.mark.slow
@pytest.mark.parametrize("path", or_skip(corpus_files(12), lambda path: "-".join(path.parts[-3:])))
def test_each_choice_of_a_real_file_alone(path: Path) -> None:
    source, found, keys = choices(path)
    for number in range(min(len(keys), 6)):
        for alone in (True, False):
            result = decided(source, found, keys, [(index == number) is alone for index in range(len(keys))])
            assert not result.status.failed, result.reason
