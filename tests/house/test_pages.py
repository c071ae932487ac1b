"""Every finding has its page: whole, true, and not stale."""

from __future__ import annotations

import json
import re
from difflib import SequenceMatcher

import pytest

from caffefix.commands._shared.page import Page
from caffefix.commands._shared.pages import pages
from dev.pages import DOCS, PATCHES, case_of, example, find, made
from tests.support.golden import GOLDEN, ROOT, caffefix, findings, repaired

JSON_MD = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
PAGES = {page.name: page for page in pages()}


def places(old: str, new: str) -> int:
    """How many separate stretches of lines differ."""
    blocks = SequenceMatcher(None, old.split("\n"), new.split("\n"), autojunk=False).get_opcodes()
    return sum(tag != "equal" for tag, *_ in blocks)


FIXERS = {name: page for name, page in PAGES.items() if name not in PATCHES}


@pytest.mark.parametrize("page", FIXERS.values(), ids=FIXERS)
def test_the_example_is_true(page: Page) -> None:
    """Its lines before the edit are a finding; those after it are none, and are what the tool writes."""
    case, hunk = case_of(page.name), example(page)
    text = (case / "before.prototxt").read_text(encoding="utf-8")
    lines = text.split("\n")
    place = find(hunk.old, lines)
    assert place is not None, "the case does not hold the lines of the Example"
    start, indent = place
    stop = start + len(hunk.old)
    by_hand = "\n".join([*lines[:start], *(indent + line for line in hunk.new), *lines[stop:]])

    found = [f for f in findings(case, text.encode()) if f["name"] == page.name]
    assert page.applicability is not None
    assert {f["applicability"] for f in found} == {page.applicability.value}, "the page says something else"
    if page.applicability.value == "display":
        assert page.name not in {f["name"] for f in findings(case, by_hand.encode())}
    else:
        mended = repaired(case, text.encode()).decode()
        assert find(hunk.new, mended.split("\n")) is not None
        assert mended == by_hand or places(text, mended) > 1
        assert page.name not in {f["name"] for f in findings(case, mended.encode())}


def test_the_pages_are_not_stale() -> None:
    expected = made()
    assert {path.name for path in DOCS.iterdir()} == set(expected), "run python -m dev regen"
    for name, text in expected.items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, f"{name}: run python -m dev regen"


def test_the_index_leads_to_every_page_and_every_link_somewhere() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert {f"{name}.md" for name in PAGES} == set(re.findall(r"\]\(([^)]+)\)", index))
    for path in DOCS.iterdir():
        for target in re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8")):
            assert (DOCS / target).is_file(), f"{path.name}: {target}"


def explain(*args: str) -> str:
    done = caffefix("explain", *args)
    assert done.status == 0, done.err
    return done.out.decode()


def test_pages_as_json() -> None:
    report = json.loads(explain("--all", "--format", "json"))
    assert report["version"] == 1
    listed = {row["name"]: row for row in json.loads(caffefix("fixers", "--format", "json").out)}
    assert [f["name"] for f in report["findings"]] == sorted(listed)
    described = re.search(r"^## `caffefix explain --format json`.*?```\n(.*?)```", JSON_MD, re.M | re.S)
    assert described is not None
    keys = re.findall(r'"(\w+)":', described[1])
    for found in report["findings"]:
        assert ["version", "findings", *found] == keys
        assert found["summary"] == listed[found["name"]]["summary"]
        assert found["phase"] == listed[found["name"]]["phase"]
        assert found["applicability"] in ("safe", "unsafe", "display")
        assert all(found["sections"].values())
    one = json.loads(explain("deploy-drift", "--format", "json"))["findings"]
    assert [(f["name"], f["needs_family"]) for f in one] == [("deploy-drift", True)]


def test_pages_as_markdown_are_the_documentation() -> None:
    """The same headings, text and facts; there, a golden case follows the Example."""
    for name in PAGES:
        page = (DOCS / f"{name}.md").read_text(encoding="utf-8")
        head, tail = explain(name, "--format", "markdown").rstrip().split("\n## Fix safety\n")
        assert page.startswith(head)
        assert page.rstrip().endswith(tail)
        assert [line for line in page.splitlines() if line.startswith("# ")] == [f"# {name}"]


def test_pages_as_text_hold_every_section() -> None:
    text = explain("mirror-in-test", "batch-norm-*")
    assert text.count("## What it finds") == 4 + 1
    assert explain("mirror-in-test") in text
    assert len(explain("--all")) > len(text)


@pytest.mark.parametrize(
    "args", [[], ["--all", "mirror-in-test"], ["mirror-in-tests"], ["--all", "--format", "html"]]
)
def test_what_cannot_be_explained(args: list[str]) -> None:
    done = caffefix("explain", *args)
    assert done.status == 2
    assert not done.out
    assert b"Error: " in done.err


@pytest.mark.parametrize("name", FIXERS)
def test_messages_are_one_line_that_says_what_to_do(name: str) -> None:
    """The part behind the last semicolon or colon of a message with a fix tells what the fix does."""
    files = (GOLDEN / name).glob("*/findings.json")
    told = [f for path in files for f in json.loads(path.read_text(encoding="utf-8")) if f["name"] == name]
    assert told
    for finding in told:
        message = finding["message"]
        assert message.isprintable()
        assert len(message) <= 300
        if finding["applicability"] != "display":
            clauses = re.split(r"[;:] (?=[a-z])", message)[1:]
            assert any(re.match(r"[a-z]+s\b", clause) for clause in clauses), message
