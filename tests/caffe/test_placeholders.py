"""Values that were never filled in are no findings; what is like them is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from caffefix.caffe.placeholders import is_placeholder
from caffefix.fixers import fixer_sources, name_of
from caffefix.syntax.parse import parse
from tests.support.golden import caffefix

STRINGS = (
    """
${NET}|$NET|$(NET)|{{ net }}|{{net}}.prototxt|{% net %}|{net}|{0}|{}|%s|conv%d|%(net)s|%NET%|#NET#|@NET@|<FILL>
<the net>|[FILL IN]|__NET__|a/__NET__/b|__net__|TODO|todo|TODO: a net|FIXME|TBD|FILL|FILL_ME|CHANGE_ME|CHANGEME
REPLACE_ME|PLACEHOLDER|xxx|XXX|xxx_train|train_xxx.prototxt|/path/to/net.prototxt|path/to/net|your_net|YOUR_NET
/data/your-net|...|???
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
NO_STRINGS = (
    """
net.prototxt|models/my_net/train.prototxt|exxxtra|todos.prototxt|conv__1__a|100%|a{b|fillers|a<b|$|c:/$|yourself|relu_x|x
conv1/3x3_reduce|../net|./net|a.b.c|fill|path/two/net|FILLED|unfilled|XX|a?|[0]|C[3]|50%done
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
WORDS = ["__CLASSES__", "TODO", "FIXME", "xxx", "XXX", "FILL", "PLACEHOLDER"]


def quoted(field: str, value: str) -> str:
    return f'{field}: "{value}"'


def value_of(text: str) -> bool:
    return is_placeholder(next(parse(text).root.children()))


@pytest.mark.parametrize("text", STRINGS)
def test_strings_that_stand_for_others(text: str) -> None:
    assert value_of(quoted("net", text))
    assert value_of(f"net: '{text}'")


@pytest.mark.parametrize("text", NO_STRINGS)
def test_strings_that_stand_for_themselves(text: str) -> None:
    assert not value_of(quoted("net", text))


@pytest.mark.parametrize("word", [*WORDS, "CLASSES", "NUM_CLASSES", "N2"])
def test_names_where_a_number_stands(word: str) -> None:
    assert value_of(f"num_output: {word}")


@pytest.mark.parametrize(
    "text",
    [
        "num_output: ten", "num_output: 64.0", "num_output: true", "num_output: N",
        "pool: MAXIMUM", "phase: TESTING", "solver_mode: CUDA", "bias_term: FALSE", "base_lr: inf",
        "num_output: 12", "mine: CLASSES", "net: a_b",
    ],
)  # fmt: skip
def test_values_that_are_wrong_or_right(text: str) -> None:
    assert not value_of(text)


# Files with one value each that is wrong, and is no finding where it is a placeholder: finding, file, wrong value.
LAYER = """
layer { name: "x" type: "Convolution" bottom: "a" top: "b" convolution_param { num_output: 2 kernel_size: 3 } }
"""
FILLER = "weight_filler { type: VALUE }"
SOLVER = 'net: "n.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 10 snapshot_prefix: "s" solver_mode: GPU'
NET = """
layer { name: "d" type: "Input" top: "a" input_param { shape { dim: 1 dim: 3 dim: 9 dim: 9 } } }
layer { name: "x" type: "ReLU" bottom: "a" top: "b" }
"""
QUOTED = (
    ("unknown-filler-type", LAYER.replace("3 }", f"3 {FILLER} }}"), "kaiming"),
    ("unknown-lr-policy", SOLVER.replace('"fixed"', "VALUE"), "fixd"),
    ("unknown-solver-type", SOLVER + " type: VALUE", "SDG"),
    ("missing-net-file", SOLVER.replace('"n.prototxt"', "VALUE"), "lost.prototxt"),
    ("unknown-bottom", NET.replace('bottom: "a"', "bottom: VALUE"), "c"),
    ("wrong-value-type", LAYER.replace("num_output: 2", "num_output: VALUE"), "2"),
    ("wrong-value-type", SOLVER.replace("solver_mode: GPU", "solver_mode: VALUE"), "GPU"),
)
BARE = (
    ("wrong-value-type", LAYER.replace("num_output: 2", "num_output: VALUE"), "2.5"),
    ("wrong-value-type", LAYER.replace('type: "Convolution"', "type: VALUE"), "CONVOLUTION1"),
    ("unknown-enum-value", LAYER.replace("} }", "engine: VALUE } }"), "CUDN"),
    ("unknown-enum-value", SOLVER.replace("GPU", "VALUE"), "TPU"),
    ("zero-base-lr", SOLVER.replace("0.1", "VALUE"), "0"),
    ("unusable-solver-value", SOLVER + " iter_size: VALUE", "0"),
)


def told(finding: str, text: str, folder: Path) -> int:
    (folder / "file.prototxt").write_text(text)
    done = caffefix(
        "--check", "--notes", "--no-cache", "--select", finding, "--format", "json", "file.prototxt", cwd=folder
    )
    return len(json.loads(done.out)["files"][0]["findings"])


@pytest.mark.parametrize(("finding", "text", "wrong"), QUOTED, ids=range(len(QUOTED)))
def test_no_finding_about_a_string_to_be_filled_in(finding: str, text: str, wrong: str, tmp_path: Path) -> None:
    assert told(finding, text.replace("VALUE", f'"{wrong}"'), tmp_path)
    for value in STRINGS:
        assert not told(finding, text.replace("VALUE", f'"{value}"'), tmp_path), value


@pytest.mark.parametrize(("finding", "text", "wrong"), BARE, ids=range(len(BARE)))
def test_no_finding_about_a_word_to_be_filled_in(finding: str, text: str, wrong: str, tmp_path: Path) -> None:
    assert told(finding, text.replace("VALUE", wrong), tmp_path)
    for value in WORDS:
        assert not told(finding, text.replace("VALUE", value), tmp_path), value


def test_the_names_of_fields_are_judged_all_the_same(tmp_path: Path) -> None:
    text = 'layer { name: "x" type: "ReLU" botom: "${BOTTOM}" top: "b" }'
    assert told("unknown-field", text, tmp_path)


def test_all_that_judge_values_say_so() -> None:
    """What compares a value with those that Caffe knows is among them."""
    judging = {name_of(path) for path in fixer_sources() if "\nVALUES = True\n" in Path(path).read_text("utf-8")}
    assert judging >= {finding for finding, _, _ in (*QUOTED, *BARE)} | {"unknown-layer-type"}
