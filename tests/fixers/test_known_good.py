"""Nets that are known to work stay silent; what remains is listed with the reason in docs/known-good.md."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from caffefix.engine.repair import Request, repair
from caffefix.findings import Severity
from caffefix.syntax.source import Source
from caffefix.zoo.family import Families
from tests.conftest import ROOT, SHARED, corpus_files
from tests.support.golden import caffefix

CORPUS = SHARED / "corpus"
PAGE = ROOT / "docs" / "known-good.md"
_FAMILY = re.compile(r"\| (?P<family>[^|]+) \| (?P<patterns>`[^|]+`) \| (?P<count>\d+) \|")
_LEFT = re.compile(r"\| `(?P<path>[^`|]+)` \| (?P<names>[a-z, -]+) \| .+ \|")


def families() -> dict[str, list[str]]:
    """The patterns of each family's paths, as the page lists them."""
    rows = map(_FAMILY.fullmatch, PAGE.read_text(encoding="utf-8").splitlines())
    return {row["family"]: re.findall("`([^`]+)`", row["patterns"]) for row in rows if row}


def listed() -> dict[str, frozenset[str]]:
    """What the page says is left, for each file."""
    rows = map(_LEFT.fullmatch, PAGE.read_text(encoding="utf-8").splitlines())
    return {row["path"]: frozenset(row["names"].split(", ")) for row in rows if row}


def members(family: str, every: int = 1) -> list[str]:
    """Paths in the corpus of a family's files."""
    names = [path.relative_to(CORPUS).as_posix() for path in corpus_files()]
    found = [name for name in names if any(fnmatchcase(name, pattern) for pattern in families()[family])]
    return found[::every]


def left(name: str) -> frozenset[str]:
    """Errors and warnings in a file, judged with its folder, but for old spellings."""
    roots = [str(CORPUS / Path(name).parts[0])]
    path = str(CORPUS / name)
    data = Path(path).read_bytes()
    result = repair(Source(path, data), Request(), name, Families(roots).of(path, data))
    if result.status.failed:
        return frozenset({"unreadable"})
    told = {d.name for d in result.findings if d.severity is not Severity.INFO}
    return frozenset(finding for finding in told if not finding.startswith("legacy-"))


def judge(family: str, every: int) -> None:
    names = members(family, every)
    assert names
    page = listed()
    found = {name: findings for name in names if (findings := left(name))}
    assert found == {name: page[name] for name in names if name in page}


@pytest.mark.parametrize("family", families())
def test_sample(shared: Path, family: str) -> None:
    judge(family, 16)


@pytest.mark.slow
@pytest.mark.parametrize("family", families())
def test_all(shared: Path, family: str) -> None:
    judge(family, 1)


@pytest.mark.slow
def test_the_page_names_files_that_are_there(shared: Path) -> None:
    counts = {row["family"]: int(row["count"]) for line in PAGE.read_text(encoding="utf-8").splitlines()
              if (row := _FAMILY.fullmatch(line))}  # fmt: skip
    assert counts == {family: len(members(family)) for family in counts}
    known = {name for family in counts for name in members(family)}
    assert set(listed()) <= known


def test_detectors_and_fcn_lack_fillers_only() -> None:
    made_for_weights = ("rbgirshick__py-faster-rcnn/", "shelhamer__fcn.berkeleyvision.org/")
    for path, names in listed().items():
        if path.startswith(made_for_weights):
            assert names == {"missing-weight-filler"}


@pytest.mark.parametrize("family", ["py-faster-rcnn"])
def test_what_is_made_for_fine_tuning_is_told_once_and_not_edited(shared: Path, family: str) -> None:
    page = listed()
    named = [name for name in members(family, 5) if name in page]
    assert named
    for name in named:
        data = (CORPUS / name).read_bytes()
        result = repair(Source(str(CORPUS / name), data), Request(), name)
        told = [d for d in result.findings if d.name == "missing-weight-filler"]
        assert [d.severity for d in told] == [Severity.WARNING]
        assert "from-scratch = false" in told[0].message
        assert not told[0].applied


def densenet(source: str, batch: int) -> str:
    """A DenseNet as its authors train it on CIFAR-10 (Huang et al. 2016), with two blocks of two layers."""
    frozen = "param { lr_mult: 0 decay_mult: 0 } " * 3
    text = [
        'layer { name: "data" type: "Data" top: "data" top: "label" '
        'transform_param { mean_file: "mean.binaryproto" } '
        f'data_param {{ source: "{source}" batch_size: {batch} backend: LMDB }} }}'
    ]
    made = 0

    def layer(kind: str, bottoms: list[str], rest: str = "", in_place: bool = False) -> str:
        nonlocal made
        made += 1
        top = bottoms[0] if in_place else f"{kind.lower()}{made}"
        given = " ".join(f'bottom: "{bottom}"' for bottom in bottoms)
        text.append(f'layer {{ name: "{kind}{made}" type: "{kind}" {given} top: "{top}" {rest} }}')
        return top

    def convolution(bottom: str, outputs: int, size: int) -> str:
        fields = f"num_output: {outputs} bias_term: false pad: {size // 2} kernel_size: {size}"
        fillers = 'weight_filler { type: "msra" } bias_filler { type: "constant" }'
        return layer("Convolution", [bottom], f"convolution_param {{ {fields} {fillers} }}")

    def activated(bottom: str) -> str:
        top = layer("BatchNorm", [bottom], frozen)
        scale = "scale_param { filler { value: 1 } bias_term: true bias_filler { value: 0 } }"
        return layer("ReLU", [layer("Scale", [top], scale, in_place=True)], in_place=True)

    blob = convolution("data", 16, 3)
    for block in range(2):
        for _ in range(2):
            new = layer("Dropout", [convolution(activated(blob), 12, 3)], "dropout_param { dropout_ratio: 0.2 }")
            blob = layer("Concat", [blob, new])
        if block == 0:
            shrunk = convolution(activated(blob), 40, 1)
            blob = layer("Pooling", [shrunk], "pooling_param { pool: AVE kernel_size: 2 stride: 2 }")
    blob = layer("Pooling", [activated(blob)], "pooling_param { pool: AVE global_pooling: true }")
    fillers = 'weight_filler { type: "xavier" } bias_filler { type: "constant" }'
    blob = layer("InnerProduct", [blob], f"inner_product_param {{ num_output: 10 {fillers} }}")
    layer("SoftmaxWithLoss", [blob, "label"])
    layer("Accuracy", [blob, "label"])
    return "\n".join(text) + "\n"


def test_densenet(tmp_path: Path) -> None:
    """The corpus has none."""
    (tmp_path / "train.prototxt").write_text(densenet("cifar10_train_lmdb", 64))
    (tmp_path / "test.prototxt").write_text(densenet("cifar10_test_lmdb", 50))
    (tmp_path / "solver.prototxt").write_text(
        'train_net: "train.prototxt"\ntest_net: "test.prototxt"\ntest_iter: 200\ntest_interval: 800\n'
        'base_lr: 0.1\ndisplay: 1\nmax_iter: 230000\nlr_policy: "multistep"\ngamma: 0.1\nmomentum: 0.9\n'
        'weight_decay: 0.0001\nsolver_mode: GPU\nstepvalue: 115000\nstepvalue: 172500\ntype: "Nesterov"\n'
    )
    done = caffefix("--check", "--format", "json", tmp_path)
    assert done.status == 0, done.out
    assert not [file["findings"] for file in json.loads(done.out)["files"] if file["findings"]]
