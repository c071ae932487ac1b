"""``caffefix diff``: names that change, what has no effect, and what the differences amount to."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from caffefix.caffe.delta import changes, same
from caffefix.caffe.inert import without_inert
from caffefix.caffe.net import Generation, Net, nets
from caffefix.caffe.normal import normal_form
from caffefix.commands.diff.work import CompareError, compare
from caffefix.syntax.edits import Edit, Replace
from caffefix.syntax.lowering import apply, lower
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.scalars import quoted, string_value
from caffefix.syntax.source import Source
from tests.conftest import ROOT, corpus_files, or_skip
from tests.support.golden import caffefix

NET = """\
name: "net"
layer { name: "data" type: "DummyData" top: "data" dummy_data_param { shape { dim: 1 dim: 2 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 3 } }
layer { name: "relu" type: "ReLU" bottom: "ip" top: "ip" }
layer { name: "out" type: "InnerProduct" bottom: "ip" top: "out" inner_product_param { num_output: 4 } }
layer { name: "sum" type: "Eltwise" bottom: "out" bottom: "out" top: "sum" }
"""


def differences(old: str, new: str) -> list[tuple[str, str, str, str]]:
    found = compare(Source("old", old.encode("latin-1")), Source("new", new.encode("latin-1"))).changes
    return [(c.layer, c.path, c.old, c.new) for c in found]


def said(folder: Path, old: str, new: str, *options: str) -> list[str]:
    (folder / "old.prototxt").write_text(old)
    (folder / "new.prototxt").write_text(new)
    done = caffefix("diff", "old.prototxt", "new.prototxt", *options, cwd=folder)
    assert done.err == b""
    lines = done.out.decode().splitlines()
    assert done.status == (0 if lines[0].endswith("mean the same") else 1)
    return lines


def renamed(text: str, layers: dict[str, str], blobs: dict[str, str]) -> str:
    """A net with other names."""
    document = parse(text)
    edits: list[Edit] = []
    for layer in Net(document.root).layers:
        for field, names in (("name", layers), ("bottom", blobs), ("top", blobs)):
            for node in layer.node.fields(field):
                new = names.get(string_value(node.value))
                if new is not None:
                    edits.append(Replace(node, quoted(new)))
    for node in document.root.fields("input"):
        new = blobs.get(string_value(node.value))
        if new is not None:
            edits.append(Replace(node, quoted(new)))
    return apply(text, lower(document, edits))


# ---------------------------------------------------------------- names


def test_a_renamed_layer_and_its_blob(tmp_path: Path) -> None:
    new = renamed(NET, {"ip": "fc"}, {"ip": "fc"})
    assert said(tmp_path, NET, new) == [
        "1 layer renamed, 1 blob renamed; only names differ (weights are loaded by the names of layers)",
        '~ layer "ip" → "fc"',
        '~ blob "ip" → "fc"',
    ]
    assert json.loads(caffefix("diff", "old.prototxt", "new.prototxt", "--format", "json", cwd=tmp_path).out) == {
        "version": 1, "same": False,
        "changes": [
            {"place": "", "layer": "fc", "ordinal": 0, "path": "name", "old": '"ip"', "new": '"fc"'},
            {"place": "", "layer": "", "ordinal": 0, "path": "blob", "old": '"ip"', "new": '"fc"'},
        ],
    }  # fmt: skip


def test_names_that_are_exchanged() -> None:
    assert differences(NET, renamed(NET, {}, {"ip": "out", "out": "ip"})) == [
        ("", "blob", '"ip"', '"out"'), ("", "blob", '"out"', '"ip"'),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        # Another content is another layer.
        (lambda t: t.replace('"relu" type: "ReLU"', '"act" type: "TanH"'), {("relu", ""), ("act", "")}),
        # A blob whose producer is another layer is another blob.
        (
            lambda t: t.replace('name: "ip" type: "InnerProduct" bottom: "data" top: "ip"',
                                'name: "fc" type: "InnerProduct" bottom: "data" top: "fc"')
            .replace("num_output: 3", "num_output: 5").replace('bottom: "ip" top: "ip"', 'bottom: "fc" top: "fc"'),
            {("ip", ""), ("fc", ""), ("relu", "bottom[0]"), ("relu", "top[0]")},
        ),
        # A layer that reads something else is not the same under another name.
        (
            lambda t: t.replace('name: "out" type: "InnerProduct" bottom: "ip"',
                                'name: "new" type: "InnerProduct" bottom: "data"'),
            {("out", ""), ("new", "")},
        ),
        # Only some readers follow a blob's new name: the others' change is told.
        (
            lambda t: t.replace('"ip" top: "ip" inner', '"ip" top: "ip" inner').replace(
                'bottom: "out" bottom: "out"', 'bottom: "out" bottom: "ip"'),
            {("sum", "bottom[1]")},
        ),
    ],
)  # fmt: skip
def test_what_is_no_new_name(change: Callable[[str], str], expected: set[tuple[str, str]]) -> None:
    assert {(layer, path) for layer, path, _, _ in differences(NET, change(NET))} == expected


def test_a_renamed_layer_beside_other_changes(tmp_path: Path) -> None:
    new = renamed(NET, {"relu": "act", "out": "fc2"}, {"out": "fc2"}).replace("num_output: 3", "num_output: 5")
    new += 'layer { name: "more" type: "Silence" bottom: "sum" }\n'
    assert said(tmp_path, NET, new) == [
        "1 layer changed, 2 renamed, 1 added, 1 blob renamed; the nets mean different things",
        '~ layer "relu" → "act"',
        '~ layer "out" → "fc2"',
        '~ blob "out" → "fc2"',
        'layer "ip"',
        "  inner_product_param.num_output: 3 → 5",
        '+ layer "more" { bottom: "sum" name: "more" type: "Silence" }',
    ]


def loadable(path: Path) -> str:
    """The text of a net of V2 layers; empty for any other file."""
    text = path.read_bytes().decode("latin-1")
    try:
        found = list(nets(parse(text)))
    except PrototxtError:
        return ""
    fine = len(found) == 1 and found[0].generations == {Generation.V2} and found[0].node.parent is None
    return text if fine else ""


@pytest.mark.parametrize("path", or_skip(corpus_files()[::40]), ids=lambda path: path.name)
def test_new_names_in_real_nets(path: Path) -> None:
    """Whatever is renamed, of nets with hundreds of layers that are alike, only these names are told."""
    text = loadable(path)
    chance = random.Random(path.name)
    layers = sorted({layer.name for layer in Net(parse(text).root).layers if layer.name}) if text else []
    blobs = sorted({name for la in Net(parse(text).root).layers for name in la.bottoms + la.tops}) if text else []
    for share in (0.1, 0.5, 1.0):
        some = {name: f"new/{name}" for name in layers if chance.random() < share}
        others = {name: f"new.{name}" for name in blobs if chance.random() < share}
        found = differences(text, renamed(text, some, others)) if text else []
        assert {path for _, path, _, _ in found} <= {"name", "blob"}
        assert {string_value(old): string_value(new) for _, path, old, new in found if path == "blob"} == others
        assert {string_value(old): string_value(new) for _, path, old, new in found if path == "name"} == some


TWIN = """\
layer {{ name: "r{0}" type: "ReLU" bottom: "x" top: "x" }}
layer {{ name: "t{0}" type: "ReLU" bottom: "x" top: "y{0}" }}
"""
TWINS = "".join(map(TWIN.format, range(6)))


@pytest.mark.parametrize("seed", range(60))
def test_what_is_told_is_the_whole_truth(seed: int) -> None:
    """The old net with the names that are told, and the new net, differ in exactly what else is told.

    The nets have many layers that are alike and are renamed, wired, dropped and moved at random.
    """
    chance = random.Random(seed)
    layers = [f"{kind}{i}" for kind in "rt" for i in range(6)]
    new = renamed(
        TWINS,
        {name: f"n{name}" for name in layers if chance.random() < 0.5},
        {name: chance.choice(["x", "y0", "z"]) for name in ("x", "y1", "y2") if chance.random() < 0.5},
    )
    lines = [line for line in re.split(r"(?<=\}) ?\n?(?=layer)", new) if chance.random() < 0.9]
    if chance.random() < 0.3:
        chance.shuffle(lines)
    new = "\n".join(lines)
    found = compare(Source("a", TWINS.encode()), Source("b", new.encode())).changes
    if not found:
        assert same(normal_form(parse(TWINS)), normal_form(parse(new)))
    if {change.path for change in found} <= {"name", "blob"}:
        names = {string_value(c.old): string_value(c.new) for c in found if c.path == "name"}
        blobs = {string_value(c.old): string_value(c.new) for c in found if c.path == "blob"}
        assert same(normal_form(parse(renamed(TWINS, names, blobs))), normal_form(parse(new)))


@pytest.mark.parametrize("kind", ["chain", "linked", "fan", "alike", "one layer"])
def test_a_hostile_net_takes_no_longer(kind: str, tmp_path: Path) -> None:
    """Time grows with the net, however many layers are alike: 14,000 layers in a few seconds."""

    def text(prefix: str, count: int) -> str:
        if kind == "one layer":
            return f'layer {{ name: "{prefix}" type: "Concat" ' + " ".join(
                f'bottom: "{prefix}{i}"' for i in range(count)
            ) + ' top: "y" }\n'  # fmt: skip
        names = {"alike": lambda i: prefix}.get(kind, lambda i: f"{prefix}{i}")
        ends = {
            "linked": lambda i: (f"{prefix}{i}", f"{prefix}{i + 1}"), "fan": lambda i: ("x", f"{prefix}{i}"),
        }.get(kind, lambda i: (prefix, prefix))  # fmt: skip
        return "".join(
            f'layer {{ name: "{names(i)}" type: "ReLU" bottom: "{ends(i)[0]}" top: "{ends(i)[1]}" }}\n'
            for i in range(count)
        )

    begun = time.monotonic()
    lines = said(tmp_path, text("a", 14000), text("b", 14000))
    assert time.monotonic() - begun < 40
    assert "only names differ" in lines[0]


# ---------------------------------------------------------------- what has no effect

BLOBS = {"with bias": ("", 2), "without bias": ("bias_term: false", 1)}
DATA = """\
layer { name: "data" type: "DummyData" top: "data" top: "label" dummy_data_param {
  shape { dim: 4 dim: 3 dim: 5 dim: 5 } shape { dim: 4 }
  data_filler { type: "gaussian" std: 1 } data_filler { type: "constant" value: 1 } } }
"""
WEIGHTED = """\
layer {{ name: "conv" type: "{kind}" bottom: "data" top: "conv" {param}
  convolution_param {{ num_output: 3 kernel_size: 3 {term} weight_filler {{ type: "xavier" }} {filler} }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" {param}
  inner_product_param {{ num_output: 2 {term} weight_filler {{ type: "xavier" }} {filler} }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" {loss} }}
"""


def inert(kind: str, bias: str) -> tuple[str, str]:
    """A net that says what has no effect, and the same net without this."""
    term, count = BLOBS[bias]
    filler = 'bias_filler { type: "constant" value: 7 }' if count == 1 else ""
    says = {"param": "param { lr_mult: 1 } " * count, "filler": filler, "loss": 'top: "loss" loss_weight: 1'}
    without = {"param": "", "filler": "", "loss": 'top: "loss"'}
    return (
        DATA + WEIGHTED.format(kind=kind, term=term, **says),
        DATA + WEIGHTED.format(kind=kind, term=term, **without),
    )


KINDS = ("Convolution", "Deconvolution")


@pytest.mark.parametrize("bias", BLOBS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_has_no_effect_is_no_difference(kind: str, bias: str, tmp_path: Path) -> None:
    assert said(tmp_path, *inert(kind, bias)) == ["the nets mean the same"]


@pytest.mark.caffe
@pytest.mark.parametrize("bias", BLOBS)
@pytest.mark.parametrize("kind", KINDS)
def test_real_caffe_agrees(kind: str, bias: str, caffe_python: str, tmp_path: Path) -> None:
    """Three steps of training with the same seed give the same weights, bit by bit."""
    one, other = (trained(text, caffe_python, tmp_path) for text in inert(kind, bias))
    assert one == other
    assert len(one) > 100
    changed = trained(inert(kind, bias)[0].replace("lr_mult: 1", "lr_mult: 2"), caffe_python, tmp_path)
    assert changed != one


SCRIPT = """
import sys, caffe
caffe.set_mode_cpu()
solver = caffe.get_solver("solver.prototxt")
solver.step(3)
print("".join(blob.data.tobytes().hex() for name in sorted(solver.net.params) for blob in solver.net.params[name]))
"""


def trained(text: str, python: str, folder: Path) -> str:
    (folder / "net.prototxt").write_text(text)
    (folder / "solver.prototxt").write_text(
        'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" weight_decay: 0.1 random_seed: 3 solver_mode: CPU'
    )
    done = subprocess.run(
        [python, "-c", SCRIPT], cwd=folder, capture_output=True, text=True, check=True,
        env={**os.environ, "GLOG_minloglevel": "2"},
    )  # fmt: skip
    return done.stdout.strip()


LAYER = 'layer {{ name: "a" type: "{}" bottom: "x" top: "y" {} {} }}\n'
CONVOLUTION = "convolution_param { num_output: 1 kernel_size: 1 }"
EFFECTS = {
    "too many params": (LAYER.format("Convolution", CONVOLUTION, "param { } param { } param { }"),
                        LAYER.format("Convolution", CONVOLUTION, "")),
    "a shared param": (LAYER.format("Convolution", CONVOLUTION, 'param { name: "w" }'),
                       LAYER.format("Convolution", CONVOLUTION, "")),
    "a param before another": (LAYER.format("Convolution", CONVOLUTION, "param { } param { lr_mult: 2 }"),
                               LAYER.format("Convolution", CONVOLUTION, "param { lr_mult: 2 }")),
    "BatchNorm's params": (LAYER.format("BatchNorm", "", "param { }"), LAYER.format("BatchNorm", "", "")),
    "a type of a fork": (LAYER.format("Quantised", "", "param { }"), LAYER.format("Quantised", "", "")),
    "a field of a fork": (
        LAYER.format("Convolution", CONVOLUTION, "param { } quant_param { a: 1 }"),
        LAYER.format("Convolution", CONVOLUTION, "quant_param { a: 1 }"),
    ),
    "a filler that is read": (
        LAYER.format("Convolution", CONVOLUTION.replace("1 }", "1 bias_filler { value: 2 } }"), ""),
        LAYER.format("Convolution", CONVOLUTION, ""),
    ),
    "a loss of no loss layer": (LAYER.format("ReLU", "", "loss_weight: 1"), LAYER.format("ReLU", "", "")),
    "another weight": (LAYER.format("EuclideanLoss", "", "loss_weight: 2"), LAYER.format("EuclideanLoss", "", "")),
    "weights of two tops": (
        LAYER.format("SoftmaxWithLoss", "", 'top: "z" loss_weight: 1'),
        LAYER.format("SoftmaxWithLoss", "", 'top: "z"'),
    ),
    "a loss that is read": (
        LAYER.format("EuclideanLoss", "", "loss_weight: 1") + LAYER.format("ReLU", "", "").replace('"x"', '"y"'),
        LAYER.format("EuclideanLoss", "", "") + LAYER.format("ReLU", "", "").replace('"x"', '"y"'),
    ),
}  # fmt: skip


@pytest.mark.parametrize("which", EFFECTS)
def test_what_may_have_an_effect_is_a_difference(which: str) -> None:
    old, new = EFFECTS[which]
    assert differences(old, new) != []
    assert differences(new, old) != []


def test_the_proofs_see_what_diff_leaves_out() -> None:
    """What a repair may change is decided by the whole normal form."""
    old, new = (normal_form(parse(text)) for text in inert("Convolution", "with bias"))
    assert not same(old, new)
    assert {change.path for change in changes(old, new)} == {"param", "loss_weight"}


@pytest.mark.parametrize("path", or_skip(corpus_files()[::25]), ids=lambda path: path.name)
def test_no_difference_means_equal_forms(path: Path) -> None:
    """Of real files, one number changed, or one line dropped: whatever diff calls the same is the same."""
    text = path.read_bytes().decode("latin-1")
    chance = random.Random(path.name)
    for _ in range(6):
        numbers = list(re.finditer(r"(?<=: )\d+", text))
        lines = text.splitlines(keepends=True)
        if not numbers or len(lines) < 3:
            return
        number, line = chance.choice(numbers), chance.randrange(len(lines))
        for changed in (
            f"{text[: number.start()]}{int(number[0]) + chance.choice([0, 1])}{text[number.end() :]}",
            "".join(lines[:line] + lines[line + 1 :]),
        ):
            try:
                sources = (Source("x", one.encode("latin-1")) for one in (text, changed))
                found = compare(*sources).changes
            except CompareError:  # it does not parse any more, or is no net any more
                continue
            if not found:
                assert same(*(without_inert(normal_form(parse(one))) for one in (text, changed)))
                continue
            assert not same(*(normal_form(parse(one)) for one in (text, changed)))


# ---------------------------------------------------------------- what it amounts to


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("num_output: 3", "num_output: 4", "1 layer changed; the nets mean different things"),
        ('name: "net"', 'name: "other"', "1 other field changed; only names differ"),
        ("num_output: 3", 'num_output: 3 weight_filler { type: "xavier" }',
         "1 layer changed; only learning rates and fillers differ"),
        ('bottom: "data" top: "ip"', 'bottom: "data" top: "ip" param { lr_mult: 2 }',
         "1 layer changed; only learning rates and fillers differ"),
        ('bottom: "data" top: "ip"', 'bottom: "data" top: "ip" param { name: "w" lr_mult: 2 }',
         "1 layer changed; the nets mean different things"),
    ],
)  # fmt: skip
def test_the_first_line(old: str, new: str, words: str, tmp_path: Path) -> None:
    assert said(tmp_path, NET, NET.replace(old, new))[0] == words


def test_solvers(tmp_path: Path) -> None:
    lines = said(tmp_path, 'net: "a" base_lr: 1\n', 'net: "a" base_lr: 2\n')
    assert lines == ["1 other field changed; the solvers mean different things", "solver", "  base_lr: 1 → 2"]


def test_colour_only_where_it_is_wanted(tmp_path: Path) -> None:
    plain = said(tmp_path, NET, renamed(NET, {"ip": "fc"}, {}).replace("num_output: 4", "num_output: 5"))
    assert "\x1b" not in "".join(plain)

    def coloured(**environment: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "caffefix", "diff", "old.prototxt", "new.prototxt"], cwd=tmp_path,
            capture_output=True, check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **environment},
        )  # fmt: skip
        return done.stdout.decode().splitlines()

    forced = coloured(FORCE_COLOR="1")
    assert "\x1b[32m" in "".join(forced)
    assert [re.sub(r"\x1b\[\d+m", "", line) for line in forced] == plain
    assert coloured(FORCE_COLOR="1", NO_COLOR="1") == plain


def test_names_that_a_terminal_would_obey(tmp_path: Path) -> None:
    lines = said(tmp_path, NET, renamed(NET, {"ip": "\x1b[31m\n"}, {"ip": "\x1b]0;x"}))
    assert "\x1b" not in "".join(lines)
    assert len(lines) == 3
