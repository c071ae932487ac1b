"""Patches that rewrite each place once a run, and patches that would rewrite each other's output."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.golden import caffefix
from tests.support.patches import patch, patched, write

TENTH = "- base_lr: $LR\n+ base_lr: $LR * 0.1\n"
SOLVER = 'net: "net.prototxt"\nbase_lr: %s # of the paper\nmax_iter: 100\n'


def test_a_calculation_is_made_once() -> None:
    assert patched(patch(TENTH, "once: true\n"), SOLVER % "0.01") == SOLVER % "0.001"


def test_each_place_is_one_of_its_own() -> None:
    body = "  layer {\n    param {\n-     lr_mult: $X\n+     lr_mult: $X * 2\n      ...\n    }\n    ...\n  }\n"
    rates = "param { lr_mult: %s } param { lr_mult: %s decay_mult: 0 }"
    layer = 'layer { name: "%s" type: "Scale" bottom: "a" top: "b" ' + rates + " }\n"
    text = layer % ("s", 1, 2) + layer % ("t", 4, 2)
    assert patched(patch(body, "once: true\n"), text) == layer % ("s", 2, 4) + layer % ("t", 8, 4)


def test_what_is_added_is_added_once() -> None:
    body = '  layer {\n    type: "ReLU"\n+   propagate_down: true\n    ...\n  }\n'
    text = 'layer {\n  name: "r"\n  type: "ReLU"\n  bottom: "a"\n  top: "a"\n}\n'
    made = patched(patch(body, "once: true\n"), text)
    assert made.count("propagate_down") == 1


def test_without_it_the_patch_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, "a-tenth", body=TENTH)
    done = caffefix("--patch", file, "-", stdin=b"base_lr: 0.01\n")
    assert (done.status, b"may be matched again" in done.err) == (2, True)


def test_over_a_zoo_and_no_finding_stays_behind(tmp_path: Path) -> None:
    file = write(tmp_path, "a-tenth", "once: true\n", TENTH)
    for number in range(3):
        (tmp_path / f"solver{number}.prototxt").write_text(SOLVER % "0.5")
    done = caffefix("--patch", file, "--fail-on", "warning", ".", cwd=tmp_path)
    assert (done.status, b"3 files, 3 fixed\n" in done.out) == (0, True)
    assert (tmp_path / "solver2.prototxt").read_text() == SOLVER % "0.05"
    dry = caffefix("--patch", file, "--dry-run", "solver0.prototxt", cwd=tmp_path)
    assert b"+base_lr: 0.005 # of the paper" in dry.out  # another run is another tenth


@pytest.mark.parametrize("once", ["", "once: true\n"])
def test_patches_do_not_rewrite_each_others_output(tmp_path: Path, once: str) -> None:
    first = write(tmp_path, "a-first", once, "- base_lr: 0.01\n+ base_lr: 0.001\n")
    second = write(tmp_path, "b-second", once, "- base_lr: 0.001\n+ base_lr: 0.0001\n")
    net = tmp_path / "solver.prototxt"
    net.write_text(SOLVER % "0.01")
    done = caffefix("--patch", first, "--patch", second, net, cwd=tmp_path)
    assert done.status == 2
    assert b"it would rewrite what a-first has written; run the two one at a time (fixing b-second)" in done.err
    assert net.read_text() == SOLVER % "0.01"


def test_patches_that_do_not_meet_run_together(tmp_path: Path) -> None:
    first = write(tmp_path, "a-first", "", "- base_lr: 0.01\n+ base_lr: 0.001\n")
    second = write(tmp_path, "b-second", "", "- max_iter: 100\n+ max_iter: 200\n")
    done = caffefix("--patch", first, "--patch", second, "-", stdin=(SOLVER % "0.01").encode())
    assert done.out.decode() == (SOLVER % "0.001").replace("100", "200")


def test_files_of_an_old_format_are_counted_aloud(tmp_path: Path) -> None:
    file = write(tmp_path, "renamed")
    for number in range(3):
        (tmp_path / f"old{number}.prototxt").write_text('layers { name: "r" type: RELU bottom: "a" top: "old" }\n')
    (tmp_path / "new.prototxt").write_text('layer { name: "r" type: "ReLU" bottom: "a" top: "old" }\n')
    said = b"warning: 3 files of an old format were not checked by --patch: migrate first"
    for form in ("text", "json", "concise"):
        done = caffefix("--patch", file, "--check", "--format", form, ".", cwd=tmp_path)
        assert said in done.err
    both = ("--patch", file, "--select", "legacy-v1-layers")
    assert b"not looked at" not in caffefix(*both, "--check", ".", cwd=tmp_path).err
