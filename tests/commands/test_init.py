"""``caffefix init``: what it finds, what it writes, and what it never replaces."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from caffefix.zoo.config_file import KEYS, load
from tests.support.golden import GOLDEN, caffefix

DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
FINE = (GOLDEN / "missing-weight-filler/fires/after.prototxt").read_bytes()
V1 = b'layers { name: "relu" type: RELU bottom: "conv" top: "conv" }\nlayers { name: "ip" type: INNER_PRODUCT }\n'
V0 = b'layers { layer { name: "conv" type: "conv" num_output: 2 kernelsize: 3 } bottom: "data" top: "conv" }\n'


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    zoo = tmp_path / "zoo"
    for name, data in {
        "a/dead.prototxt": DEAD,
        "a/fine.prototxt": FINE,
        "b/old.prototxt": V1,
        "b/oldest.prototxt": V0,
        "b/solver.prototxt": b'net: "old.prototxt"\nbase_lr: 0.1\nlr_policy: "fixed"\nmax_iter: 9\n',
        "b/broken.prototxt": b"layer {\n",
    }.items():
        (zoo / name).parent.mkdir(parents=True, exist_ok=True)
        (zoo / name).write_bytes(data)
    return zoo


def uncommented(text: str, key: str) -> str:
    """The file after a person has removed the # before a key."""
    value = re.search(rf"^# {key} = (\[\n(?:# .*\n)*?# \]|.*)$", text, re.M)
    assert value is not None
    return text.replace(value[0], re.sub(r"^# ", "", value[0], flags=re.M))


def test_what_is_found_is_written_and_shown(zoo: Path) -> None:
    done = caffefix("init", zoo.name, cwd=zoo.parent)
    assert (done.status, done.err) == (0, b"")
    shown, text = done.out.decode(), (zoo / "caffefix.toml").read_text()
    assert shown.startswith("zoo/caffefix.toml: written; ")
    assert shown.endswith("\nnext: caffefix --check zoo\n")
    assert len(shown.splitlines()) < 24
    for said in (shown, text):
        assert "6 files: " in said
        assert "2 nets of V2, 1 net of V0, 1 net of V1" in said
        assert re.search(r"missing-weight-filler +3 to fix \(in 2 files\)", said)
    assert '"b/broken.prototxt"' in text
    assert "b/broken.prototxt: cannot be read or parsed" in shown


def test_counts_are_those_of_a_run(zoo: Path) -> None:
    text = caffefix("init", "--dry-run", zoo).out.decode()
    counted = json.loads(caffefix("--check", "--statistics", "--format", "json", zoo).out)
    told = dict(re.findall(r"^#   ([a-z0-9-]+) +(?:\d+ to fix|\d+ to look at).*\(in (\d+) file", text, re.M))
    expected = {row["name"]: str(row["files"]) for row in counted["statistics"]}
    assert told == expected
    assert len(told) >= 3


def test_the_file_loads_and_changes_nothing(zoo: Path) -> None:
    before = caffefix("--check", "--format", "json", zoo)
    assert caffefix("init", zoo).status == 0
    after = caffefix("--check", "--format", "json", zoo)
    assert (before.status, before.out) == (after.status, after.out)
    in_force = json.loads(caffefix("config", zoo, "--format", "json").out)
    assert in_force["file"].endswith("caffefix.toml")
    assert {value["from"] for value in in_force["settings"].values()} == {"default"}


@pytest.mark.parametrize("key", ["exclude", "ignore", "dialect", "from-scratch"])
def test_a_key_without_its_comment_is_in_force(zoo: Path, key: str) -> None:
    assert caffefix("init", zoo).status == 0
    file = zoo / "caffefix.toml"
    file.write_text(uncommented(file.read_text(), key))
    in_force = json.loads(caffefix("config", zoo, "--format", "json").out)
    assert in_force["settings"][key]["from"].endswith("caffefix.toml")
    done = caffefix("--check", zoo)
    assert b"caffefix.toml" not in done.err
    if key == "exclude":
        assert b"broken" not in done.err
        assert done.status == 1


def test_it_is_printed_with_dry_run(zoo: Path) -> None:
    done = caffefix("init", "--dry-run", zoo)
    assert done.status == 0
    assert done.out.startswith(b"# Settings of caffefix for this folder")
    assert b"next: caffefix --check " in done.err
    assert not (zoo / "caffefix.toml").exists()
    assert caffefix("init", zoo).status == 0
    assert (zoo / "caffefix.toml").read_bytes() == done.out
    assert caffefix("init", "--dry-run", zoo).out == done.out


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("caffefix.toml", "", "caffefix.toml: it exists, and is not replaced"),
        ("caffefix.toml", "not toml", "caffefix.toml: it exists, and is not replaced"),
        (
            "pyproject.toml",
            "[tool.caffefix]\nunsafe = true\n",
            "pyproject.toml: it has the settings of this folder",
        ),
        ("pyproject.toml", "[tool.caffefix]\nunsfae = true\n", "there is no such key; did you mean unsafe?"),
        ("../caffefix.toml", "unsafe = true\n", "caffefix.toml: its settings are in force here"),
        ("../pyproject.toml", "[tool.caffefix]\n", "pyproject.toml: its settings are in force here"),
    ],
)
def test_settings_are_never_replaced(zoo: Path, file: str, text: str, reason: str) -> None:
    (zoo / file).write_text(text)
    done = caffefix("init", cwd=zoo)
    assert (done.status, done.out) == (2, b"")
    assert reason in done.err.decode()
    assert done.err.count(b"\n") == 1
    assert (zoo / file).read_text() == text
    assert (zoo / "caffefix.toml").exists() == (file == "caffefix.toml")


def test_a_pyproject_of_other_tools_is_no_hindrance(zoo: Path) -> None:
    (zoo / "pyproject.toml").write_text("[tool.ruff]\nline-length = 99\n")
    assert caffefix("init", cwd=zoo).status == 0


def test_a_link_in_its_place_is_not_followed(zoo: Path) -> None:
    (zoo / "caffefix.toml").symlink_to(zoo.parent / "elsewhere")
    assert caffefix("init", cwd=zoo).status == 2
    assert not (zoo.parent / "elsewhere").exists()


def test_settings_below_are_named_and_count(zoo: Path) -> None:
    (zoo / "a" / "caffefix.toml").write_text('ignore = ["missing-weight-filler"]\n')
    done = caffefix("init", cwd=zoo)
    assert done.status == 0
    text = (zoo / "caffefix.toml").read_text()
    assert "Their own settings, instead of this file, have: a/caffefix.toml." in text
    assert "missing-weight-filler  1 to fix (in 1 file)" in text  # of 3 in 2 files


def test_weights_beside_nets(zoo: Path) -> None:
    (zoo / "a" / "vgg16.caffemodel").touch()
    (zoo / "a" / "net_iter_1000.caffemodel").touch()  # what a training here has written
    with (zoo / "b/solver.prototxt").open("a") as file:
        file.write('weights: "vgg16.caffemodel"\n')
    done = caffefix("init", cwd=zoo)
    text = (zoo / "caffefix.toml").read_text()
    assert "Weights beside nets: a/vgg16.caffemodel. If training starts from these, use this key." in text
    assert "1 of 1 solvers name weights" in text
    assert b"files beside nets: 1 (see from-scratch)" in done.out


def test_a_repository_with_a_caffe_of_its_own(zoo: Path) -> None:
    shutil.rmtree(zoo / "b")
    (zoo / ".git").mkdir()
    proto = zoo / "src/caffe/proto/caffe.proto"
    proto.parent.mkdir(parents=True)
    proto.write_text(
        'syntax = "proto2";\n'
        "message NetParameter { optional string name = 1; repeated LayerParameter layer = 100; }\n"
        "message LayerParameter { optional string name = 1; optional string type = 2; }\n"
    )
    done = caffefix("init", cwd=zoo)
    text = (zoo / "caffefix.toml").read_text()
    assert done.status == 0
    assert "This repository's own (src/caffe/proto/caffe.proto) is found without a key" in text
    (zoo / "caffefix.toml").write_text(uncommented(text, "proto"))
    assert load(str(zoo / "caffefix.toml")).values == {"proto": str(zoo / "src/caffe/proto/caffe.proto")}  # type: ignore[union-attr]
    proto.write_text("message {")
    (zoo / "caffefix.toml").unlink()
    assert b"src/caffe/proto/caffe.proto:1" in caffefix("init", cwd=zoo).out


def test_a_fork_that_accepts_the_files(zoo: Path) -> None:
    shutil.rmtree(zoo / "b")
    (zoo / "a/ssd.prototxt").write_text(
        'layer { name: "p" type: "PriorBox" bottom: "x" top: "p" prior_box_param { min_size: 3 } }\n'
    )
    assert caffefix("init", cwd=zoo).status == 0
    text = (zoo / "caffefix.toml").read_text()
    assert "Not BVLC's Caffe, but these accept all nets and solvers:" in text
    file = zoo / "caffefix.toml"
    file.write_text(uncommented(text, "dialect"))
    assert caffefix("--check", zoo).status == 1  # the fork is one that caffefix knows


HOSTILE = (b'"q".prototxt', b"[x]*.prototxt", b"new\nline = 1.prototxt", b"\x7f\x1b[2J.prototxt", b"\xff.prototxt",
           "ü.prototxt".encode(), b"back\\slash.prototxt", b"' # ]].prototxt")  # fmt: skip


def test_hostile_names(tmp_path: Path) -> None:
    for name in HOSTILE:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"layer {\n")
    (tmp_path / "x.prototxt").write_bytes(b"layer {\n")
    done = caffefix("init", cwd=tmp_path)
    assert done.status == 0
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", done.out)
    file = tmp_path / "caffefix.toml"
    assert set(load(str(file)).values) == set()  # type: ignore[union-attr]
    file.write_text(uncommented(file.read_text(encoding="utf-8"), "exclude"), encoding="utf-8")
    left = caffefix("--check", "--format", "json", ".", cwd=tmp_path)
    names = [row["path"] for row in json.loads(left.out)["files"]]
    assert len(names) == 3  # those that no string of TOML is for


def test_nothing_to_look_at(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments, reason in (((empty,), b"there is no prototxt file in it"), (("nowhere",), b"no such folder")):
        done = caffefix("init", *arguments, cwd=tmp_path)
        assert (done.status, done.out) == (2, b"")
        assert reason in done.err
    assert not (empty / "caffefix.toml").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(zoo: Path) -> None:
    zoo.chmod(0o555)
    done = caffefix("init", cwd=zoo)
    zoo.chmod(0o755)
    assert done.status == 2
    assert b"cannot be written" in done.err


def test_keys_that_are_suggested_exist(zoo: Path) -> None:
    text = caffefix("init", "--dry-run", zoo).out.decode()
    keys = re.findall(r"^# ([a-z-]+) = ", text, re.M)
    assert len(keys) >= 4
    assert set(keys) <= set(KEYS)


def test_real_folders(shared: Path, tmp_path: Path) -> None:
    """The same results with the file as without, for real repositories."""
    for name in ("KaimingHe__deep-residual-networks", "chuanqi305__MobileNet-SSD", "davheld__GOTURN"):
        copy = tmp_path / name
        shutil.copytree(shared / "corpus" / name, copy)
        before = caffefix("--check", "--format", "json", ".", cwd=copy)
        assert caffefix("init", cwd=copy).status == 0
        after = caffefix("--check", "--format", "json", ".", cwd=copy)
        assert (before.status, before.out) == (after.status, after.out)
