"""The comment on a pull request, as GitHub's own Markdown renders it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caffefix.caffe.change import Change
from caffefix.findings import Applicability, Severity
from caffefix.reports import _markdown as md
from caffefix.reports.as_markdown import LIMIT, Markdown
from caffefix.reports.report import Setting
from caffefix.results import Diagnostic, FileResult, Status
from tests.support.golden import GOLDEN, caffefix

DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
DOCS = "https://pages.example/findings"
# What GitHub makes a mention or a reference of where it stands in text, after Markdown is done.
_HARM = re.compile(r"@\w|#\d|GH-\d", re.I)


class Page(HTMLParser):
    """Tags in order, text outside of code, text in code, and the cells of tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.runs: list[str] = []
        self.codes: list[str] = []
        self.rows: list[list[str]] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("br", "hr", "img"):
            self._open.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "code":
            self.codes.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "code" in self._open:
            self.codes[-1] += data
        else:
            self.runs.append(data)
        if "td" in self._open:
            self.rows[-1][-1] += data


def rendered(text: str) -> Page:
    cmarkgfm = pytest.importorskip("cmarkgfm", reason="GitHub's renderer of Markdown")
    from cmarkgfm.cmark import Options

    return Page(cmarkgfm.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE))


def finding(number: int = 1, *, applied: bool = True, message: str = "m", layer: str = "conv1") -> Diagnostic:
    risk = Applicability.SAFE if applied else Applicability.UNSAFE
    place = (number, 1, number, 2)
    return Diagnostic("some-name", Severity.ERROR, risk, message, *place, layer, applied, "the fix")


def comment(results: Iterable[FileResult], docs: str = DOCS) -> str:
    made = Markdown(Setting(docs=docs))
    return made.begin() + "".join(map(made.add, results)) + made.end()


def test_a_comment_tells_what_why_and_at_what_risk(tmp_path: Path) -> None:
    (tmp_path / "x.prototxt").write_bytes(DEAD)
    (tmp_path / "y.prototxt").write_bytes(b"layer {")
    options = ("--check", "--format", "markdown", "--docs-url", DOCS)
    text = caffefix(*options, "x.prototxt", "y.prototxt", cwd=tmp_path).out.decode()
    page = rendered(text)
    assert "### caffefix: 2 files, 1 to fix, 1 with errors\n" in text
    assert page.rows[0] == ["file", "layer", "field", "before", "after"] or page.rows[0] == [""] * 5
    assert page.rows[1:] == [
        ["x.prototxt", "conv1", "convolution_param.weight_filler", "absent", '{ type: "xavier" }'],
        ["x.prototxt", "fc", "inner_product_param.weight_filler", "absent", '{ type: "xavier" }'],
    ]
    assert page.links.count(f"{DOCS}/missing-weight-filler.md") == 2
    assert "Left out, because they change what a working net computes (1; " in text
    assert f"[`missing-input-scale`]({DOCS}/missing-input-scale.md) (unsafe)" in text
    diff = caffefix("--diff", "x.prototxt", cwd=tmp_path).out.decode()
    assert page.tags.count("details") == 1
    assert diff in page.codes[-1]
    quiet = caffefix("--check", "--format", "markdown", GOLDEN / "missing-weight-filler/fires/after.prototxt")
    assert b"nothing to fix" in quiet.out


def test_a_migration_changes_no_meaning_and_the_comment_says_so() -> None:
    case = GOLDEN / "legacy-v1-layers/fires/before.prototxt"
    text = caffefix("--check", "--select", "legacy-v1-layers", "--format", "markdown", case).out.decode()
    assert "1 file keeps its meaning: only the format changes." in text
    assert "|---|" not in text


TEXTS = st.text(st.sampled_from("`|*_<>&@#[]()!\\:/~$-\"' \n\tabwGHx1."), max_size=30)
HOSTILE = (
    "</details><script>alert(1)</script>", "![x](https://evil.example/x.png)", "[x](https://evil.example)",
    "@someone @org/team", "#123 GH-12 owner/repo#7", "https://evil.example www.evil.example a@evil.example",
    "``` ` ```` ", "| a | b |\n|---|---|", "<!-- ", "&lt;b&gt; &#64;someone", "\\|`\\`|\\", "$x$ ~~y~~ **z** _w_",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_only_text(text: str) -> None:
    _is_only_text(text)


@given(TEXTS)
def test_no_text_is_markup(text: str) -> None:
    _is_only_text(text)


def _is_only_text(text: str) -> None:
    change = Change("", text.replace("\n", " "), 0, "param", text, text + "`")
    diff = f"--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-a\n+{text}\n".encode()
    found = finding(message=text.replace("\n", " "), layer=text.replace("\n", " "))
    left = finding(2, applied=False, message=text.replace("\n", " "))
    failed = FileResult(f"f{text}.prototxt", Status.ERROR, f"f{text}.prototxt: {text}")
    name = f"n{text}.prototxt"
    result = FileResult(name, Status.WOULD_CHANGE, "", (found, left), diff, b"x", delta=(change,))
    made = comment([result, failed])
    page = rendered(made)
    allowed = set("h3 p strong ul li code a table thead tbody tr th td details summary pre".split())
    assert set(page.tags) <= allowed, made
    assert page.tags.count("details") == page.tags.count("table") == page.tags.count("pre") == 1
    assert set(page.links) == {f"{DOCS}/some-name.md"}
    assert not [run for run in page.runs if _HARM.search(run)], made
    assert [len(row) for row in page.rows] == [5, 5]
    shown = md.clean(change.layer)
    if shown.strip() and len(shown) < 80:
        assert page.rows[1][1].strip() == shown.strip()


def test_a_comment_is_never_too_long_and_counts_what_it_leaves_out() -> None:
    change = Change("", "conv1", 0, "convolution_param.weight_filler", "", '{ type: "xavier" }')
    diff = b"--- a/x\n+++ b/x\n" + b"".join(b"@@ -%d,1 +%d,1 @@\n-a\n+b\n" % (n, n) for n in range(9))
    findings = (
        *(finding(n, message="é" * 90) for n in range(1, 6)),
        *(finding(n, applied=False) for n in range(6, 9)),
    )
    changed = [
        FileResult(f"zoo/net{n}.prototxt", Status.WOULD_CHANGE, "", findings, diff, b"x", delta=(change,) * 4)
        for n in range(1000)
    ]
    failed = [FileResult(f"zoo/bad{n}.prototxt", Status.ERROR, f"zoo/bad{n}.prototxt: no") for n in range(1000)]
    text = comment([*changed, *failed])
    assert len(text.encode()) <= LIMIT == 65536
    assert len(text.encode()) > LIMIT * 0.8
    left_out = {what: int(n.replace(",", "")) for n, what in re.findall(r"… and ([\d,]+) more (\w+)", text)}
    page = rendered(text)
    lines = text.splitlines()
    assert left_out["differences"] + len(page.rows) - 1 == 4000
    assert left_out["findings"] + sum("(safe)" in line for line in lines) == 5000
    assert left_out["unsafe"] + sum("(unsafe)" in line for line in lines) == 3000
    assert left_out["files"] + sum("bad" in line for line in lines) == 1000
    (hunks,) = re.findall(r"([\d,]+) more hunks left out", text)
    assert int(hunks.replace(",", "")) + text.count("@@ -") == 9000
    assert "### caffefix: 2,000 files, 1,000 to fix, 1,000 with errors\n" in text


def test_one_huge_file_is_cut_between_hunks() -> None:
    hunk = b"@@ -%d,1 +%d,1 @@\n-" + b"a" * 9000 + b"\n+b\n"
    diff = b"--- a/x\n+++ b/x\n" + b"".join(hunk % (n, n) for n in range(5))
    text = comment([FileResult("x", Status.WOULD_CHANGE, "", (finding(),), diff, b"x")])
    assert text.count("@@ -") == 2
    assert "3 more hunks left out" in text
    whole = comment([FileResult("x", Status.WOULD_CHANGE, "", (finding(),), hunk % (1, 1) * 40, b"x")])
    assert len(whole.encode()) <= LIMIT
