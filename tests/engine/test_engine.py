"""The engine refuses what it cannot prove; shown with fixers that are wrong on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from caffefix.engine.applier import ApplyError, apply_diff
from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers import Fixer
from caffefix.results import FileResult, Status
from caffefix.syntax.edits import After, Delete, Edit, Insert, NewField, Rename, Replace
from caffefix.syntax.source import Source
from caffefix.syntax.tree import Node

TEXT = b"# about a\na: 1  # one\nb: 2\n"

Plan = Callable[[Node], list[list[Edit]]]


def run(monkeypatch: pytest.MonkeyPatch, *plans: Plan, unsafe: bool = False, text: bytes = TEXT) -> FileResult:
    """Repair a text with fixers that propose, each time, what their plans say."""

    def fixer(name: str, plan: Plan) -> Fixer:
        def find(subject: Subject) -> Iterator[Finding]:
            for edits in plan(subject.document.root):
                fix = Fix(tuple(edits), Applicability.SAFE, "made up")
                yield Finding(name, Severity.ERROR, "made up", subject.document.root, "", fix)

        return Fixer(name, Pass.REPAIR, find, ("*",))

    made = [fixer(f"fixer-{index}", plan) for index, plan in enumerate(plans)]
    monkeypatch.setattr(Selection, "fixers", lambda self: made)
    return repair(Source("x", text), Request(Selection(unsafe=unsafe)))


def named(root: Node, name: str) -> Node:
    node = root.field(name)
    assert node is not None
    return node


def test_a_result_that_does_not_parse_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, lambda root: [[Replace(named(root, "a"), '"')]])
    assert result.status is Status.REFUSED
    assert "does not parse" in result.reason
    assert "fixer-0" in result.reason
    assert result.new is None


def test_fixes_that_go_in_circles_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def flip(root: Node) -> list[list[Edit]]:
        node = root.field("a")
        return [[Rename(node, "c")]] if node is not None else []

    def flop(root: Node) -> list[list[Edit]]:
        node = root.field("c")
        return [[Rename(node, "a")]] if node is not None else []

    result = run(monkeypatch, flip, flop)
    assert result.status is Status.REFUSED
    assert "circles" in result.reason


def test_fixes_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, lambda root: [[Insert(After(named(root, "b")), (NewField("c", "1"),))]])
    assert result.status is Status.REFUSED
    assert "have not finished after" in result.reason


def test_a_lost_comment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deletion that says it keeps comments, and does not."""
    from caffefix.engine import compatible

    real = compatible.lower

    def delete(root: Node) -> list[list[Edit]]:
        node = root.field("a")
        return [[Delete(node)]] if node is not None else []

    def lossy(document, edits, label=""):  # type: ignore[no-untyped-def]
        return real(document, [Delete(edit.node, comments=False) for edit in edits], label)

    assert run(monkeypatch, delete).new == b"# about a\n# one\nb: 2\n"
    monkeypatch.setattr(compatible, "lower", lossy)
    result = run(monkeypatch, delete)
    assert result.status is Status.REFUSED
    assert "is lost" in result.reason


def test_a_comment_beside_another_field_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rename that is not declared as one: the comment's owner is another field afterwards."""
    from caffefix.engine import compatible

    real = compatible.lower

    def lying(document, edits, label=""):  # type: ignore[no-untyped-def]
        return real(document, [Rename(named(document.root, "a"), "z")], label)

    monkeypatch.setattr(compatible, "lower", lying)
    result = run(monkeypatch, lambda root: [[Replace(named(root, "b"), "3")]] if root.has("a") else [])
    assert result.status is Status.REFUSED
    assert "the comment '# about a' no longer belongs to a: 1" in result.reason


def test_a_second_run_that_would_change_something_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def moody(root: Node) -> list[list[Edit]]:
        nonlocal calls
        calls += 1
        return [[Replace(named(root, "b"), str(calls))]] if calls in (1, 4) else []

    result = run(monkeypatch, moody)
    assert result.status is Status.REFUSED
    assert "a second run would change the file again: fixer-0" in result.reason


def test_overlapping_fixes_wait_and_then_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def both(root: Node) -> list[list[Edit]]:
        value = named(root, "b").value
        return (
            [[Replace(named(root, "b"), f"1{value}")]]
            if value == "2"
            else ([[Replace(named(root, "b"), "99")], [Replace(named(root, "b"), "98")]] if value == "12" else [])
        )

    result = run(monkeypatch, both)
    assert result.new == TEXT.replace(b"b: 2", b"b: 99")


def test_a_fix_is_made_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def plan(root: Node) -> list[list[Edit]]:
        a, b = named(root, "a"), named(root, "b")
        if a.value == "5":
            return []
        return [[Replace(a, "5")], [Replace(a, "6"), Replace(b, "7")]]

    assert run(monkeypatch, plan).new == TEXT.replace(b"a: 1", b"a: 5")


@pytest.mark.parametrize(
    "diff",
    [b"@@ -1,1 +1,1 @@\n-x\n+y\n", b"@@ -9,1 +9,1 @@\n-a\n", b"@@ nonsense\n", b"@@ -1,1 +1,1 @@\n*b\n"],
)
def test_the_applier_refuses_a_diff_that_does_not_fit(diff: bytes) -> None:
    with pytest.raises(ApplyError):
        apply_diff(TEXT, diff)
