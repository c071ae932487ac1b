"""The nets of the first five threads: what is wrong with each, and what finds it.

``python -m dev.seeds`` writes docs/seeds.md from the tool's current output; ``tests/fixers/test_seeds.py``
enforces this. The files are stored outside the project and are laid out here as their solvers expect them.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT, SHARED
from tests.support.golden import caffefix

PAGE = ROOT / "docs" / "seeds.md"


@dataclass(frozen=True)
class Defect:
    """Something wrong with a seed.

    Attributes:
        what: the defect in a few words.
        found: the finding's name, or words of ``caffefix log`` if ``file`` is a log; empty if nothing finds it.
        file: the file that has it.
        why: why nothing finds it; otherwise additional remarks.
    """

    what: str
    found: str = ""
    file: str = ""
    why: str = ""


@dataclass(frozen=True)
class Seed:
    """A thread's files, as a map from their path here to their stored name, and their defects.

    Attributes:
        title: the question.
        files: path in the folder → name among the seeds.
        defects: everything that is wrong.
        log: path of the training log, for the nets that it was written with.
        logged: those nets.
        closed: files whose last brace was cut off and is restored.
    """

    title: str
    files: dict[str, str]
    defects: tuple[Defect, ...]
    log: str = ""
    logged: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()


_BIASES = Defect(
    "biases decay like weights",
    why="a matter of taste, not a defect: many nets that work do the same",
)

SEEDS = {
    "000": Seed(
        "A VGG net does not learn: in its log conv2 and all layers after it are 0.",
        {"models/Custom_Model/train.prototxt": "s000_train.prototxt", "deploy.prototxt": "s000_deploy.prototxt",
         "solver.prototxt": "s000_solver.prototxt", "train.log": "s000_train.log"},
        (
            Defect("conv2 to fc8_cat have no weight_filler: all their weights start at 0 and stay 0 for ever",
                   "missing-weight-filler", "models/Custom_Model/train.prototxt"),
            Defect("conv1 to conv5 have blobs_lr 0 and load no weights: with fillers they stay random for ever",
                   "frozen-random-layer", "models/Custom_Model/train.prototxt"),
            Defect("V1 syntax in the train net", "legacy-v1-layers", "models/Custom_Model/train.prototxt"),
            Defect("V1 syntax in the deploy net", "legacy-v1-layers", "deploy.prototxt"),
            Defect("`input:` and `input_dim:` in the deploy net", "legacy-input-fields", "deploy.prototxt"),
            Defect("no Accuracy, and a loss without top: testing prints no figure",
                   "missing-test-output", "models/Custom_Model/train.prototxt"),
            Defect("snapshot_prefix is only a folder: snapshots are called `_iter_1000`",
                   "missing-snapshot-prefix", "solver.prototxt"),
            Defect("the log was written with batches of 32, the file says 30",
                   "batches of 32 where the file says batch_size: 30", "train.log"),
            Defect("a test is 1 batch of 15 images",
                   why="how many images are enough depends on the data, about which the files say nothing"),
            _BIASES,
            Defect("the asker says that conv1 is 0; it is conv2", "dead-blob", "train.log"),
            Defect("4048 outputs of fc6 and fc7 look like a slip for 4096",
                   why="a net may have 4048 outputs; nothing is guessed"),
        ),
        "train.log", ("models/Custom_Model/train.prototxt",),
    ),
    "001": Seed(
        "The same net learns in Keras, not in Caffe.",
        {"models/fneishnet_numbers/train_val.prototxt": "s001_train_val.prototxt",
         "solver.prototxt": "s001_solver.prototxt"},
        (
            Defect("pixels 0 to 255 meet xavier fillers: the first steps kill the ReLUs",
                   "missing-input-scale", "models/fneishnet_numbers/train_val.prototxt"),
            Defect("gamma does nothing with lr_policy poly", "ignored-policy-field", "solver.prototxt"),
            Defect("pool1 has stride 1, Keras's default is 2",
                   why="`stride: 1` is written there and applied: only the Keras code shows the difference, "
                   "and it is not why the net does not learn"),
            Defect("SGD with 0.01 here, Adadelta there", why="only the Keras code shows the difference"),
            _BIASES,
            Defect("whether the LMDB is shuffled", why="only the LMDB shows it; Caffe's Data never shuffles"),
        ),
    ),
    "002": Seed(
        "With BatchNorm and Scale all tops are 0.",
        {"fragment.prototxt": "s002_fragment.prototxt", "closed.prototxt": "s002_fragment.prototxt",
         "train.log": "s002_with_batchnorm.log"},
        (
            Defect("the last layer was cut off", "is never closed", "fragment.prototxt",
                   "refused with the line where the brace was opened; the rest is judged with the brace restored"),
            Defect("NVCaffe 0.15 starts gamma at 0 without a scale_filler: everything after it is 0 for ever",
                   "batch-norm-zero-gamma", "closed.prototxt"),
            Defect("the same, inferred from the log alone", "its five blobs are all 0, gamma among them",
                   "train.log"),
            Defect("BatchNorm in place has wrong gradients with cuDNN in that version",
                   "in-place-batch-norm", "closed.prototxt"),
            Defect("the Scale after it learns gamma and beta a second time", "redundant-scale", "closed.prototxt"),
            Defect("use_global_stats: false also holds in TEST",
                   why="NVCaffe 0.15 with cuDNN ignores the field and uses the phase; in a whole net for "
                   "another Caffe it is `batch-statistics-in-test`; a fragment does not show who tests it"),
            Defect("a bias in front of BatchNorm is redundant",
                   why="it costs a few numbers; without it, existing weights no longer fit"),
            Defect("std 0.0589 is √(1/288), where He et al. have √(2/288)",
                   why="the std is judged by its effect on the signal, and BatchNorm compensates for it"),
        ),
        "train.log", ("closed.prototxt",), ("closed.prototxt",),
    ),
    "003": Seed(
        "An FCN-32s fluctuates; may BatchNorm have one `param`?",
        {"a.prototxt": "s003_fragment_a.prototxt", "b.prototxt": "s003_fragment_b.prototxt",
         "c_scale.prototxt": "s003_fragment_c_scale.prototxt",
         "param.prototxt": "s003_fragment_param_snippet.prototxt",
         "dots.prototxt": "s003_fragment_a_with_dots.prototxt", "train.log": "s003_train.log"},
        (
            Defect("convolutions without weight_filler: all their weights start at 0 and stay 0 for ever",
                   "missing-weight-filler", "b.prototxt"),
            Defect("only the bias of score_fr gets a gradient, so the loss falls all the same",
                   "sole-learner", "train.log"),
            Defect("one param block for BatchNorm's three blobs, in a Caffe of 2016", "batch-norm-lr-mult",
                   "b.prototxt"),
            Defect("BatchNorm is written twice, for TRAIN and TEST", "batch-norm-phase-twins", "b.prototxt"),
            Defect("bilinear ignores `value: 0.5`", "ignored-filler-field", "a.prototxt"),
            Defect("the Deconvolution's weights are frozen, its bias learns", "unfrozen-bias", "a.prototxt"),
            Defect("a bias after upsampling has no purpose", "upsampling-bias", "a.prototxt"),
            Defect("score_fr has a bias_filler of 0.5",
                   why="the same number for every class changes nothing before a softmax, and does no harm"),
            Defect("the loss is a sum over pixels, for which base_lr is 1e-11", "the loss is not normalised",
                   "train.log", "inferred from the log; the fragment has neither loss nor solver"),
            Defect("the labels of a batch are all 0",
                   why="the log shows it once, and a batch of one image may well be all background"),
            Defect("pad 100 dilutes BatchNorm's statistics",
                   why="FCN needs the padding; how much the border dilutes them depends on the images"),
            Defect("dots stand for layers that were left out", "unexpected", "dots.prototxt",
                   "refused with the place, and with what to do about dots"),
        ),
        "train.log", ("b.prototxt",),
    ),
    "004": Seed(
        "VGG-16 with `scale: 0.00390625` does not learn.",
        {"models/es_vgg/train_val.prototxt": "s004_train_val.prototxt", "solver.prototxt": "s004_solver.prototxt",
         "filler.prototxt": "s004_fragment_filler_advice.prototxt"},
        (
            Defect("xavier over 15 ReLU layers at 1/256 leaves logits near 0: the loss stays at ln 1000",
                   "vanishing-signal", "models/es_vgg/train_val.prototxt"),
            Defect("relu5_3 is missing, which nobody saw", "missing-activation",
                   "models/es_vgg/train_val.prototxt"),
            Defect("the mean is right as written; the answer divides it by 255",
                   "mean-in-scaled-units", "models/es_vgg/train_val.prototxt", "a note that says so"),
            Defect("no snapshot in 18,900,000 iterations", "missing-snapshot", "solver.prototxt"),
            Defect("after 700,000 of them a ten-millionth of the rate is left", "vanishing-lr", "solver.prototxt"),
            Defect("the answer gives xavier a std, which it ignores", "ignored-filler-field", "filler.prototxt"),
            _BIASES,
            Defect("base_lr 0.0648 for batches of 6",
                   why="whether a rate is too high depends on the net and its signals, not on the solver; "
                   "`caffefix prove` trains both in real Caffe and shows it"),
            Defect("a test takes 6000 of 50000 images", why="the size of an LMDB is not in the files"),
            Defect("whoever deploys the net must also scale",
                   why="no deploy net was posted; if there is one in the folder, "
                   "`missing-deploy-scale` compares both"),
        ),
    ),
}  # fmt: skip


def lay_out(seed: Seed, folder: Path) -> None:
    """The seed's files in a folder, as its solver names them."""
    for path, name in seed.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SHARED / "seeds" / name, folder / path)
    for path in seed.closed:
        with (folder / path).open("ab") as file:
            file.write(b"}\n")


def commands(seed: Seed) -> Iterator[tuple[str, ...]]:
    """The commands that are run, each in the seed's folder."""
    rest = [path for path in seed.files if path.endswith(".prototxt") and path not in seed.logged]
    if seed.logged:
        yield ("--check", "--notes", "--log", seed.log, *seed.logged)
        yield ("log", seed.log, *(net for net in seed.logged if net not in seed.closed))
    if rest:
        yield ("--check", "--notes", *rest)


@dataclass(frozen=True)
class Told:
    """The tool's output for a seed: findings as (file, name, applicability) → layers, and the rest as text."""

    findings: dict[tuple[str, str, str], list[str]]
    texts: dict[str, str]


def ask(seed: Seed, folder: Path) -> Told:
    """What caffefix reports about a seed's files."""
    findings: dict[tuple[str, str, str], list[str]] = {}
    texts: dict[str, str] = {}
    for command in commands(seed):
        if command[0] == "log":
            texts[command[1]] = caffefix(*command, cwd=folder).out.decode()
            continue
        report = json.loads(caffefix(*command, "--format", "json", cwd=folder).out)
        for file in report["files"]:
            texts[file["path"]] = file.get("reason") or ""
            for found in file["findings"]:
                key = (
                    file["path"],
                    found["name"],
                    "note" if found["severity"] == "info" else found["applicability"],
                )
                findings.setdefault(key, []).append(found["layer"])
    return Told(findings, texts)


def is_found(defect: Defect, told: Told) -> bool:
    """Whether the report contains what a defect calls for."""
    named = {(file, name) for file, name, _ in told.findings}
    return (defect.file, defect.found) in named or defect.found in told.texts.get(defect.file, "")


def page() -> str:
    """docs/seeds.md."""
    lines = [_HEAD]
    for number, seed in SEEDS.items():
        with tempfile.TemporaryDirectory() as name:
            lay_out(seed, Path(name))
            told = ask(seed, Path(name))
        lines += [f"## Seed {number}", "", seed.title, "", "```"]
        lines += [f"caffefix {' '.join(command)}" for command in commands(seed)]
        lines += ["```", "", "| file | finding | layers |", "|---|---|---|"]
        for (file, finding, kind), layers in told.findings.items():
            names = ", ".join(dict.fromkeys(layer for layer in layers if layer)) or "–"
            lines.append(f"| {file} | `{finding}` ({kind}) | {names} |")
        lines += ["", "| what is wrong | found by |", "|---|---|"]
        lines += [f"| {defect.what} | {_answer(defect)} |" for defect in seed.defects]
        lines.append("")
    return "\n".join(lines)


_HEAD = """# The first five nets

Five questions from forums started this project: nets that did not learn, with answers that were right, half right
or wrong. For each, this page lists everything that caffefix finds, and everything that is known to be wrong with
the net, with what finds it, or why nothing does. What the nets do was measured in real Caffe.

`python -m dev.seeds` generates this page from the files of the threads, laid out as their solvers name them.
*safe* findings are repaired at once, *unsafe* ones on request; *note* is shown with `--notes`.
"""


def _answer(defect: Defect) -> str:
    if not defect.found:
        return f"not found: {defect.why}"
    if defect.file.endswith(".log"):
        where = "`caffefix log`"
    else:
        where = f"`{defect.found}`" if "-" in defect.found else "the parser"
    return f"{where}: {defect.why}" if defect.why else where


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
