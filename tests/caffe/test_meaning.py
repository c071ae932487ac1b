"""The meaning of nets: what counts as a difference, and proof 6 against fixers that are wrong on purpose."""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caffefix.caffe.delta import changes, same
from caffefix.caffe.normal import normal_form
from caffefix.caffe.slots import slots
from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers import Fixer, fixers
from caffefix.results import FileResult, Status
from caffefix.syntax.edits import Before, Delete, Edit, Insert, Kept, Rename, Replace
from caffefix.syntax.parse import parse
from caffefix.syntax.source import Source
from caffefix.syntax.tree import Node
from tests.caffe.test_schema import oracle
from tests.conftest import SHARED, corpus_files, or_skip
from tests.support.golden import caffefix

NET = """\
name: "net"
layer { name: "data" type: "DummyData" top: "data" dummy_data_param { shape { dim: 1 dim: 2 } } }
layer {
  name: "ip"  # the only weights
  type: "InnerProduct"
  bottom: "data"
  top: "ip"
  param { lr_mult: 1 decay_mult: 1 }
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } }
}
layer { name: "silence" type: "Silence" bottom: "ip" include { phase: TEST } }
"""


def differences(old: str, new: str) -> list[tuple[str, str, str, str]]:
    found = changes(normal_form(parse(old)), normal_form(parse(new)))
    return [(c.layer, c.path, c.old, c.new) for c in found]


# ---------------------------------------------------------------- what counts


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('layer { type: "ReLU" }', "layer: <type:'Re' 'LU';>  # why"),
        ('layer { name: "a" type: "B" }', 'layer { type: "B" name: "a" }'),
        ("layer { param { lr_mult: 1 } }", "layer { param { lr_mult: 1.0 decay_mult: 1e0 } }"),
        ("layer { param { lr_mult: 1 } }", "layer { param { } }"),
        ('layer { type: "ReLU" }', 'layer { type: "ReLU" relu_param { negative_slope: 0 } }'),
        ("layer { power_param { scale: 0.1 } }", "layer { power_param { scale: 0.100000001490116 } }"),
        ("layer { include { phase: TEST } }", "layer { include { phase: 1 } }"),
        ('layers { type: CONVOLUTION }', 'layers { type: 4 }'),
        ('layers { type: CONVOLUTION }', 'layer { type: "Convolution" }'),
        (
            'layers { type: CONVOLUTION blobs_lr: 1 blobs_lr: 2 weight_decay: 0 }',
            'layer { type: "Convolution" param { lr_mult: 1 decay_mult: 0 } param { lr_mult: 2 } }',
        ),
        (
            'layers { type: DATA data_param { scale: 2 source: "x" } }',
            'layer { type: "Data" transform_param { scale: 2 } data_param { source: "x" } }',
        ),
        (
            'input: "x" layers { bottom: "x" top: "p" layer { name: "p" type: "padding" pad: 2 } }\n'
            'layers { bottom: "p" top: "c" layer { name: "c" type: "conv" kernelsize: 3 biasterm: false } }',
            'layer { name: "c" type: "Convolution" bottom: "x" top: "c" '
            "convolution_param { bias_term: false pad: 2 kernel_size: 3 } }",
        ),
        (
            'input: "x" input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 4 layer { name: "a" }',
            'layer { name: "input" type: "Input" top: "x" input_param { shape { dim: [1, 2, 3, 4] } } }\n'
            'layer { name: "a" }',
        ),
        ('layer { type: "BatchNorm" param { } param { } param { lr_mult: 3 } }',
         'layer { type: "BatchNorm"' + " param { lr_mult: 0 decay_mult: 0 }" * 3 + " }"),
        ("layer { concat_param { concat_dim: 2 } }", "layer { concat_param { axis: 2 } }"),
        ("base_lr: 1 solver_type: ADAGRAD", 'type: "AdaGrad" base_lr: 1.0'),
        ("layer { odd_param { a: 1 } }", "layer { odd_param: { a: 1 } }"),
        ("base_lr: 1 net: 'a'", "base_lr: 1 net: 'a' momentum2: 0.999 delta: 1e-8 solver_mode: GPU"),
        ("base_lr: 1 net: 'a'", "base_lr: 1 net: 'a' test_initialization: true rms_decay: 0.99"),
        ('layer { batch_norm_param { eps: 1e-5 } }', 'layer { }'),
        ('layer { pooling_param { kernel_size: 2 pad: 0 stride: 1 } }',
         'layer { pooling_param { kernel_size: 2 } }'),
        ('layer { convolution_param { kernel_size: 2 pad: 0 stride: 1 dilation: 1 } }',
         'layer { convolution_param { kernel_h: 2 kernel_w: 2 pad_h: 0 pad_w: 0 } }'),
        ("base_lr: 1 net_param { layer { concat_param { concat_dim: 0 } } }",
         "base_lr: 1 net_param { layer { concat_param { axis: 0 } } }"),
        # Caffe drops a new layer among layers of the first format.
        ('input: "x" layers { layer { name: "a" type: "relu" } bottom: "x" } layer { name: "b" type: "ReLU" }',
         'input: "x" layers { layer { name: "a" type: "relu" } bottom: "x" }'),
    ],
)  # fmt: skip
def test_the_same(old: str, new: str) -> None:
    assert differences(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ('layer { name: "a" type: "B" }', 'layer { name: "a" type: "C" }', ("a", "type", '"B"', '"C"')),
        ('layer { name: "a" param { lr_mult: 1 } }', 'layer { name: "a" }', ("a", "param", "[{}]", "")),
        (
            'layer { name: "a" param { } param { lr_mult: 2 } }',
            'layer { name: "a" param { } param { lr_mult: 3 } }',
            ("a", "param[1].lr_mult", "2", "3"),
        ),
        # Whether statistics are global depends on the phase where the file does not say.
        (
            'layer { name: "a" type: "BatchNorm" batch_norm_param { use_global_stats: false } }',
            'layer { name: "a" type: "BatchNorm" }',
            ("a", "batch_norm_param", "{ use_global_stats: false }", ""),
        ),
        ('layer { name: "a" type: "ReLU" odd: 1 }', 'layer { name: "a" type: "ReLU" odd: 2 }',
         ("a", "odd[0]", "1", "2")),
        ('layer { name: "a" source: "\\377" }', 'layer { name: "a" source: "\\376" }',
         ("a", "source", '"\xff"', '"\xfe"')),
        ('layer { name: "a" }', 'layer { name: "b" }', ("a", "", '{ name: "a" }', "")),
        ('base_lr: 1 net: "x"', 'base_lr: 2 net: "x"', ("", "base_lr", "1", "2")),
        ('base_lr: 1 random_seed: 9007199254740993', 'base_lr: 1 random_seed: 9007199254740992',
         ("", "random_seed", "9007199254740993", "9007199254740992")),
        ('base_lr: 1 random_seed: 9223372036854775807', 'base_lr: 1',
         ("", "random_seed", "9223372036854775807", "-1")),
        # Caffe asks whether these are given.
        ('layer { name: "a" type: "PReLU" prelu_param { filler { value: 0 } } }',
         'layer { name: "a" type: "PReLU" }',
         ("a", "prelu_param", "{ filler {} }", "")),
        ("base_lr: 1 train_state { phase: TEST }", "base_lr: 1", ("", "train_state", "{ phase: TEST }", "")),
        ('state { phase: TEST } layer { }', "layer { }", ("", "state", "{ phase: TEST }", "")),
        ('layer { name: "a" param { name: "w" lr_mult: 1 } }', 'layer { name: "a" param { name: "w" } }',
         ("a", "param[0].lr_mult", "1", "")),
        ('layer { name: "a" type: "ReLU" __b: 1 }', 'layer { name: "a" type: "ReLU" __b: 2 }',
         ("a", "__b[0]", "1", "2")),
        ("bogus: 1 layer { } layer: 5", "bogus: 1 layer { }", ("", "layer", "[5]", "")),
        ("base_lr: 1 test_net_param { } test_net_param { }", "base_lr: 1 test_net_param { }", ("", "", "{}", "")),
        ('name: "x" layer { }', 'name: "y" layer { }', ("", "name", '"x"', '"y"')),
        (
            'layer { name: "a" } layer { name: "b" } layer { name: "c" }',
            'layer { name: "b" } layer { name: "c" } layer { name: "a" }',
            ("a", "order", "first", "after c"),
        ),
    ],
)  # fmt: skip
def test_a_difference(old: str, new: str, difference: tuple[str, str, str, str]) -> None:
    assert differences(old, new)[0] == difference
    assert differences(old, old) == []


def test_what_caffe_cannot_load_says_so() -> None:
    mixed = 'layers { name: "a" type: RELU } layer { name: "b" type: "ReLU" }'
    whole = 'layer { name: "a" type: "ReLU" } layer { name: "b" type: "ReLU" }'
    [(layer, path, old, new)] = differences(mixed, whole)
    assert (layer, path, new) == ("", "unloadable", "")
    assert "Refusing to upgrade inconsistent NetParameter" in old
    [(_, path, old, _), *_] = differences('base_lr: 1 solver_type: ADAM type: "SGD"', 'base_lr: 1 type: "SGD"')
    assert path == "unloadable"
    assert "cannot be both specified" in old


NUMBER = re.compile(r"(?<=: )\d+")


@given(st.randoms(use_true_random=False))
def test_any_changed_number_is_seen(random: random.Random) -> None:
    """A change of one number or type that is no default is a difference, in the layer where it was made."""
    places = list(NUMBER.finditer(NET))
    place = random.choice(places)
    changed = f"{NET[: place.start()]}{int(place[0]) + 7}{NET[place.end() :]}"
    assert len(differences(NET, changed)) == 1


# ---------------------------------------------------------------- fixers that are wrong on purpose

Plan = Callable[[Node], list[Edit]]


def run(monkeypatch: pytest.MonkeyPatch, plan: Plan, changes: tuple[str, ...] = (), text: str = NET) -> FileResult:
    def find(subject: Subject) -> Iterator[Finding]:
        edits = plan(subject.document.root)
        if edits:
            fix = Fix(tuple(edits), Applicability.SAFE, "made up")
            yield Finding("made-up", Severity.ERROR, "made up", subject.document.root, "", fix)

    made = Fixer("made-up", Pass.REPAIR, find, changes)
    monkeypatch.setattr(Selection, "fixers", lambda self: [made])
    return repair(Source("x", text.encode()), Request())


def layer(root: Node, name: str) -> Node:
    return next(node for node in root.fields("layer") if node.string("name") == name)


def lost_include(root: Node) -> list[Edit]:
    return [Delete(node) for node in layer(root, "silence").fields("include")]


def changed_lr_mult(root: Node) -> list[Edit]:
    node = layer(root, "ip").message("param")
    assert node is not None
    rate = node.field("lr_mult")
    assert rate is not None
    return [Replace(rate, "2")] if rate.value == "1" else []


def swapped_layers(root: Node) -> list[Edit]:
    first = next(root.fields("layer"))
    moved = layer(root, "silence")
    return [Insert(Before(first), (Kept(moved),))] if moved.index > first.index else []


def renamed_field(root: Node) -> list[Edit]:
    node = next(layer(root, "silence").fields("bottom"), None)
    return [Rename(node, "top")] if node is not None else []


@pytest.mark.parametrize(
    ("plan", "values"),
    [
        (lost_include, ["silence", "include", "[{ phase: TEST }]", "absent"]),
        (changed_lr_mult, ["ip", "param[0].lr_mult", "1 → 2"]),
        (swapped_layers, ["silence", "order", "after ip → first"]),
        (renamed_field, ["silence", "bottom"]),
    ],
)
def test_an_undeclared_change_is_refused_with_both_values(
    monkeypatch: pytest.MonkeyPatch, plan: Plan, values: list[str]
) -> None:
    result = run(monkeypatch, plan)
    assert result.status is Status.REFUSED
    assert "the meaning would change" in result.reason
    for value in values:
        assert value in result.reason
    assert result.new is None


@pytest.mark.parametrize(
    ("plan", "changes"),
    [
        (lost_include, ("layer.include",)),
        (changed_lr_mult, ("layer.param.lr_mult",)),
        (changed_lr_mult, ("layer.para*",)),
        (swapped_layers, ("layer",)),
        (renamed_field, ("layer.bottom", "layer.top")),
    ],
)
def test_a_declared_change_is_made(monkeypatch: pytest.MonkeyPatch, plan: Plan, changes: tuple[str, ...]) -> None:
    assert run(monkeypatch, plan, changes).status is Status.WOULD_CHANGE


@pytest.mark.parametrize("changes", [("layer.param.decay_mult",), ("layer.include", "name"), ("unloadable",)])
def test_what_is_declared_allows_nothing_else(monkeypatch: pytest.MonkeyPatch, changes: tuple[str, ...]) -> None:
    assert run(monkeypatch, changed_lr_mult, changes).status is Status.REFUSED


def test_a_dropped_comment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meaning does not change; it is proof 5 that sees it."""
    from caffefix.engine import compatible

    real = compatible.lower

    def dropping(document: object, edits: object, label: str) -> object:
        return [
            type(edit)(edit.start, edit.end + len("  # the only weights"), edit.new, edit.label)
            for edit in real(document, edits, label)  # type: ignore[arg-type]
        ]

    def rename(root: Node) -> list[Edit]:
        node = layer(root, "ip").field("name")
        assert node is not None
        return [Replace(node, "'ip'")] if node.value != "'ip'" else []

    assert run(monkeypatch, rename).status is Status.WOULD_CHANGE
    monkeypatch.setattr(compatible, "lower", dropping)
    result = run(monkeypatch, rename)
    assert result.status is Status.REFUSED
    assert "'# the only weights'" in result.reason


def test_a_fix_may_not_make_a_file_unloadable(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(root: Node) -> list[Edit]:
        node = layer(root, "ip").message("inner_product_param")
        assert node is not None
        count = node.field("num_output")
        assert count is not None
        return [Replace(count, '"3"')] if count.value == "3" else []

    result = run(monkeypatch, spoil, ("layer.inner_product_param",))
    assert result.status is Status.REFUSED
    assert 'Expected integer, got: "3"' in result.reason


# ---------------------------------------------------------------- real files


UPGRADED = [row[0] for row in oracle() if row[3] == "upgraded"]


def meaning(path: Path) -> object:
    return normal_form(parse(path.read_bytes().decode("latin-1")))


@pytest.mark.parametrize("name", or_skip(UPGRADED[::4]))
def test_a_net_and_what_caffe_upgrades_it_to_are_the_same(name: str) -> None:
    old, new = meaning(SHARED / "corpus" / name), meaning(SHARED / "oracle/upgraded" / name)
    assert same(old, new), changes(old, new)[:3]  # type: ignore[arg-type]


@pytest.mark.slow
def test_all_that_caffe_upgrades_stay_the_same(shared: Path) -> None:
    for name in UPGRADED:
        assert same(meaning(shared / "corpus" / name), meaning(shared / "oracle/upgraded" / name)), name  # type: ignore[arg-type]


@pytest.mark.slow
def test_no_repair_changes_what_no_fixer_declares(shared: Path) -> None:
    """Each file, repaired, against its original: only declared paths differ, whatever way they went."""
    declared = {path for fixer in fixers() for path in fixer.changes if path != "unloadable"}
    patterns = [re.compile(path.replace(".", r"(\[\d+\])?\.").replace("*", r"\w*")) for path in declared]
    seen: Counter[str] = Counter()
    for file in corpus_files():
        result = repair(Source(file.name, file.read_bytes()), Request(delta=True))
        assert result.status is not Status.REFUSED, result.reason
        loadable = not any(change.path == "unloadable" for change in result.delta)
        for change in result.delta if loadable else ():
            path = f"layer.{change.path}" if change.layer else change.path
            assert any(pattern.match(path) for pattern in patterns), (file, change)
            seen[path.partition("[")[0]] += 1
    assert seen["layer.convolution_param.weight_filler"] > 100


# ---------------------------------------------------------------- the command


def test_diff_of_two_generations(tmp_path: Path) -> None:
    old, new = tmp_path / "old.prototxt", tmp_path / "new.prototxt"
    old.write_text('layers { name: "a" type: RELU bottom: "x" top: "x" }')
    new.write_text('layer { name: "a" type: "ReLU" bottom: "x" top: "x" }')
    done = caffefix("diff", old, new)
    assert (done.status, done.out) == (0, b"the nets mean the same\n")
    new.write_text('layer { name: "a" type: "ReLU" bottom: "x" top: "y" }')
    done = caffefix("diff", old, new)
    told = '1 layer changed; the nets mean different things\nlayer "a"\n  top[0]: "x" → "y"\n'
    assert (done.status, done.out.decode()) == (1, told)
    report = json.loads(caffefix("diff", "--format", "json", old, new).out)
    assert report == {
        "version": 1,
        "same": False,
        "changes": [{"place": "", "layer": "a", "ordinal": 0, "path": "top[0]", "old": '"x"', "new": '"y"'}],
    }
    assert caffefix("diff", "-", new, stdin=new.read_bytes()).status == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"layer {", b"new.prototxt:1:1"),
        (b'base_lr: 1 net: "x"', b"new.prototxt a solver: they cannot be compared"),
        (b'item { name: "cat" }', b"neither a net nor a solver"),
        (None, b"No such file"),
    ],
)
def test_what_cannot_be_compared(tmp_path: Path, text: bytes | None, message: bytes) -> None:
    (tmp_path / "old.prototxt").write_text("layer { }")
    if text is not None:
        (tmp_path / "new.prototxt").write_bytes(text)
    done = caffefix("diff", "old.prototxt", "new.prototxt", cwd=tmp_path)
    assert done.status == 2
    assert message in done.err
    assert done.out == b""


def test_a_folder_is_no_file_to_compare(tmp_path: Path) -> None:
    done = caffefix("diff", tmp_path, tmp_path)
    assert done.status == 2
    assert b"this is a folder, but a file is needed" in done.err


def test_delta_beside_a_dry_run(tmp_path: Path) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text(
        'layer { name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param { num_output: 2 } }'
    )
    done = caffefix("--dry-run", "--delta", net)
    assert 'layer "c"\n  convolution_param.weight_filler: absent → { type: "xavier" }\n' in done.err.decode()
    [file] = json.loads(caffefix("--check", "--format", "json", net).out)["files"]
    assert [change["path"] for change in file["delta"]] == ["convolution_param.weight_filler"]


def test_protobuf_and_deepdiff_are_imported_only_for_a_fix(tmp_path: Path) -> None:
    import subprocess
    import sys

    script = (
        "import sys; from caffefix.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(sorted({'google.protobuf', 'deepdiff', 'lark'} & set(sys.modules)))"
    )

    def imported(*args: str | Path) -> str:
        done = subprocess.run(
            [sys.executable, "-c", script, *map(str, args)], capture_output=True, text=True, check=True
        )
        return done.stdout.splitlines()[-1]

    clean, broken = tmp_path / "clean.prototxt", tmp_path / "broken.prototxt"
    clean.write_text(NET)
    broken.write_text(NET.replace("layer {", "layers {").replace('"InnerProduct"', "INNER_PRODUCT"))
    assert imported("--check", clean) == "[]"
    broken.write_text('layers { name: "a" type: RELU bottom: "x" top: "x" }')
    assert imported("--check", broken) == "['google.protobuf']"
    assert imported("--check", "--delta", broken) == "['google.protobuf']"


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('layer { name: "a" name: "b" }', 'layer { name: "a" name: "c" }', "name (unread)[0]"),
        ('layer { name: "a" param { lr_mult: "x" } }', 'layer { name: "a" param { lr_mult: "y" } }', "param[0]"),
        ("layer { relu_param { } relu_param { negative_slope: 1 } }", "layer { relu_param { } }", "relu_param"),
    ],
)
def test_what_caffe_cannot_read_counts_too(old: str, new: str, path: str) -> None:
    assert any(found.startswith(path) for _, found, _, _ in differences(old, new))


def test_not_a_number_is_equal_to_itself() -> None:
    net = 'layers { layer { name: "a" type: "relu" alpha: nan } }'
    assert differences(net, net + "\n# and a comment") == []


def test_minus_zero_stays_minus_zero() -> None:
    """As protobuf's parser has it: the sign goes before the number that it read."""
    slot = slots("SolverParameter")["base_lr"]
    assert [math.copysign(1, slot.value(text)) for text in ("-0", "- 0", "-0.0", "-0.", "0")] == [
        -1,
        -1,
        -1,
        -1,
        1,
    ]
