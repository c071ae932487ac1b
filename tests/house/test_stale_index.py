"""What was edited in a checkout counts at once, whatever the generated indexes say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.golden import GOLDEN

GENERATED = ("fixers/_index.py", "patching/_index.py", "patching/_compiled.py")
SOLVER = (GOLDEN / "zero-base-lr/example/before.prototxt").read_text()
LRN = 'layer { name: "n" type: "%s" bottom: "a" top: "b" lrn_param { local_size: 4 } }\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("tree")
    for name in ("caffefix", "grammar", "patches"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    return tree


@pytest.fixture
def edited(made: Path) -> Path:
    """A checkout of its own for each edit; it is put back by the next one."""
    for name in ("caffefix/fixers", "caffefix/caffe", "patches"):
        shutil.rmtree(made / name)
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__"))
    return made


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def _run(tree: Path, text: str, *args: str) -> str:
    (tree / "net.prototxt").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "caffefix", "--dry-run", "--notes", *args, "net.prototxt"], cwd=tree,
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_without_what_is_generated_all_is_as_with_it(edited: Path) -> None:
    texts = [SOLVER, LRN % "LRN", (GOLDEN / "seeds/s000_train/before.prototxt").read_text()]
    before = [_run(edited, text) for text in texts]
    for module in GENERATED:
        (edited / "caffefix" / module).unlink()
    assert [_run(edited, text) for text in texts] == before


def test_what_is_generated_is_what_the_package_is_built_with(edited: Path) -> None:
    """It needs nothing that is not in the standard library: a build has nothing else."""
    for module in GENERATED:
        (edited / "caffefix" / module).write_text("stale =")
    for module in ("caffefix.fixers", "caffefix.patching"):
        assert f'"{module}"' in (ROOT / "hatch_build.py").read_text()
        subprocess.run([sys.executable, "-S", "-m", module], cwd=edited, check=True, env={"PATH": ""})
    for code in (
        "import caffefix.fixers as f; from caffefix.fixers import _index as i;"
        "print(i.INDEX == tuple(map(f.declared, f.fixer_sources())))",
        "import caffefix.patching.shipped as s; from caffefix.patching import _index as i, _compiled as c;"
        "print(i.INDEX == tuple(map(s.declared, s.files())), len(c.SUMS) == len(i.INDEX))",
    ):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=edited, check=True, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(edited)},
        )  # fmt: skip
        assert set(done.stdout.split()) == {"True"}


def test_signs_of_a_fixer(edited: Path) -> None:
    assert "zero-base-lr" in _run(edited, SOLVER)
    _edit(edited / "caffefix/fixers/solver/zero_base_lr.py", 'SIGNS = ("solver",)', 'SIGNS = ("no_such_field",)')
    assert "zero-base-lr" not in _run(edited, SOLVER)


def test_a_new_fixer_and_one_that_is_gone(edited: Path) -> None:
    fixers = edited / "caffefix/fixers/solver"
    (fixers / "zero_base_lr.py").rename(fixers / "nought_base_lr.py")
    _edit(fixers / "nought_base_lr.py", 'NAME = "zero-base-lr"', 'NAME = "nought-base-lr"')
    said = _run(edited, SOLVER)
    assert "nought-base-lr" in said
    assert "zero-base-lr" not in said


def test_what_declarations_take_from_other_modules(edited: Path) -> None:
    relu = 'layer { name: "a" type: "InnerProduct" bottom: "d" top: "a" inner_product_param { num_output: 1 } }\n'
    before = _run(edited, relu)
    _edit(edited / "caffefix/fixers/solver/zero_base_lr.py", 'SIGNS = ("solver",)', "SIGNS = ANSWER")
    _edit(
        edited / "caffefix/fixers/solver/zero_base_lr.py",
        "from caffefix.findings import",
        "from caffefix.caffe.generation import ANSWER\nfrom caffefix.findings import",
    )
    (edited / "caffefix/caffe/generation.py").write_text('ANSWER = ("solver",)\n')
    subprocess.run([sys.executable, "-m", "caffefix.fixers"], cwd=edited, check=True, capture_output=True)
    assert "zero-base-lr" in _run(edited, SOLVER)
    assert _run(edited, relu) == before
    (edited / "caffefix/caffe/generation.py").write_text('ANSWER = ("no_such_field",)\n')
    assert "zero-base-lr" not in _run(edited, SOLVER)


def test_a_shipped_patch(edited: Path) -> None:
    assert "even-lrn-size" in _run(edited, LRN % "LRN")
    assert "even-lrn-size" not in _run(edited, LRN % "Pooling")
    _edit(edited / "patches/even-lrn-size.patch", '    type: "LRN"', '    type: "Pooling"')
    assert "even-lrn-size" in _run(edited, LRN % "Pooling")
    assert "even-lrn-size" not in _run(edited, LRN % "LRN")
