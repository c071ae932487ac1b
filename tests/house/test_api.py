"""``import caffefix``: what docs/python.md shows is true, and its types are."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import caffefix
from tests.conftest import ROOT
from tests.support.golden import GOLDEN

NET = (GOLDEN / "missing-weight-filler/example/before.prototxt").read_bytes()


def test_the_page_is_true() -> None:
    done = doctest.testfile(str(ROOT / "docs/python.md"), module_relative=False)
    assert (done.failed, done.attempted > 10) == (0, True)


def test_what_is_given_as_text_comes_back_as_text() -> None:
    made = caffefix.repair(NET)
    assert isinstance(made.text, bytes)
    assert caffefix.repair(NET.decode()).text == made.text.decode()
    assert caffefix.repair(made.text).changed is False


def test_text_beyond_ascii_has_its_columns_in_characters() -> None:
    text = 'layer { name: "größe" type: "Relu" bottom: "a" top: "b" }\n'
    (found,) = (f for f in caffefix.check(text) if f.name == "unknown-layer-type")
    assert (found.column, found.layer) == (text.index("type") + 1, "größe")
    assert caffefix.repair(text).text == text.replace("Relu", "ReLU")
    old, new = text.replace("Relu", "ReLU"), text.replace("Relu", "TanH")
    assert [change.layer for change in caffefix.diff(old, new)] == ["größe"]


def test_a_finding_that_is_not_there_is_refused() -> None:
    with pytest.raises(Exception, match="there is no finding 'missing-weight-fillr'"):
        caffefix.check(NET, select=["missing-weight-fillr"])


def test_options() -> None:
    assert any(f.name == "missing-weight-filler" for f in caffefix.check(NET))
    assert not caffefix.check(NET, ignore=["*"])
    assert caffefix.repair(NET, from_scratch=False).text == NET
    assert not any(finding.applied for finding in caffefix.check(NET))


def test_what_cannot_be_compared() -> None:
    with pytest.raises(caffefix.ParseError, match="they cannot be compared"):
        caffefix.diff(NET, 'base_lr: 0.1\nlr_policy: "fixed"\nmax_iter: 3\n')


def test_importing_it_imports_nothing() -> None:
    code = "import sys, caffefix; print([name for name in sys.modules if name.startswith('caffefix.')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


SCRIPT = """
import caffefix

def names(text: str) -> list[str]:
    made: caffefix.Repair[str] = caffefix.repair(text)
    left: tuple[caffefix.Finding, ...] = made.findings
    return [finding.name for finding in left if finding.severity is caffefix.Severity.ERROR]

made: bytes = caffefix.repair(b"").text
"""


def test_its_types_hold_in_a_program_of_somebody_else(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is not installed: pip install 'caffefix[dev]'")
    (tmp_path / "program.py").write_text(SCRIPT)
    for text, status in ((SCRIPT, 0), (SCRIPT.replace("made: bytes", "made: str"), 1)):
        (tmp_path / "program.py").write_text(text)
        command = [sys.executable, "-m", "mypy", "--strict", "program.py"]
        environment = {"MYPYPATH": str(ROOT), "PATH": "", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout
