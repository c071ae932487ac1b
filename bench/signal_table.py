"""How well signals are predicted: a table against what real Caffe's debug_info said.

    python bench/signal_table.py [FOLDER]

The folder holds ``oracle/signal.tsv``, ``oracle/signal/`` and ``corpus/``, and defaults to ``shared``
beside the project. Nothing is written. Metrics and BatchNorm's statistics are left out.
"""

from __future__ import annotations

import csv
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import log10
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from caffefix.caffe.graph import build
from caffefix.caffe.layers.moments.signal import Signal, noise
from caffefix.caffe.net import Generation, Net, Phase
from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.evidence.prediction import Prediction
from caffefix.evidence.signal import predict
from caffefix.syntax.parse import parse
from caffefix.syntax.scalars import number_value
from caffefix.syntax.source import Source

METRICS = frozenset({"Accuracy"})
# The oracle's data: Gaussian noise of that spread times transform scale, labels uniform in 0..4.
SPREAD = 58.0
LABEL = Signal(2.0, 6.0, 2.0, 4.0, doubt=0.15)


@dataclass
class Measured:
    """One net's debug_info at iteration 0: E|x| of tops, of parameters and of their gradients."""

    tops: dict[tuple[str, str], float] = field(default_factory=dict)
    params: dict[tuple[str, int], float] = field(default_factory=dict)
    gradients: dict[tuple[str, int], float] = field(default_factory=dict)


@dataclass
class Table:
    """What came out, over all nets.

    Attributes:
        zeros: (predicted, measured) → number of tops; predicted may be None.
        gradients: the same for gradients of parameters.
        rows: (type, predicted, low, high, measured) of tops that are not zero.
        params: the same for parameters.
        stopped: reasons, with the number of layers.
        wrong: nets, layers and blobs with a wrong verdict.
    """

    nets: int = 0
    zeros: Counter[tuple[bool | None, bool]] = field(default_factory=Counter)
    gradients: Counter[tuple[bool | None, bool]] = field(default_factory=Counter)
    rows: list[tuple[str, float, float, float, float]] = field(default_factory=list)
    params: list[tuple[str, float, float, float, float]] = field(default_factory=list)
    undecided: Counter[str] = field(default_factory=Counter)
    stopped: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def measured(lines: list[str]) -> Measured:
    """The first pass of a log."""
    found = Measured()
    for line in lines:
        head, _, number = line.rpartition(": ")
        if "All net params" in line:
            break
        way, _, rest = head.partition(" Layer ")
        layer, _, what = rest.rpartition(", ")
        if what.startswith("top blob "):
            found.tops[layer, what.removeprefix("top blob ").removesuffix(" data")] = float(number)
        elif what.startswith("param blob ") and way == "[Forward]":
            index = what.removeprefix("param blob ").removesuffix(" data")
            if index.isdigit():
                found.params[layer, int(index)] = float(number)
        elif what.startswith("param blob "):
            found.gradients[layer, int(what.removeprefix("param blob ").removesuffix(" diff"))] = float(number)
    return found


def load(path: Path) -> Net:
    """The net of a file; V0 is migrated first, as Caffe does."""
    source = Source(path.name, path.read_bytes())
    net = Net(parse(source.text).root)
    if Generation.V0 not in net.generations:
        return net
    result = repair(source, Request(Selection(select=("legacy-v0-layers",))))
    return Net(parse((result.new or source.data).decode("latin-1")).root)


def data(net: Net) -> dict[str, Signal]:
    """The oracle's data for a net."""
    graph = build(net.view(Phase.TRAIN), net.inputs)
    found = {blob.name: noise(SPREAD * 0.797885) if i == 0 else LABEL for i, blob in enumerate(graph.inputs)}
    for step in graph.steps:
        if step.bottoms or step.layer.type == "DummyData":
            continue
        scale = 1.0
        for name in ("transform_param", "data_param", "image_data_param", "window_data_param"):
            node = step.layer.node.message(name)
            scale = (number_value(node.scalar("scale") or "") if node is not None else None) or scale
        for top in step.tops:
            found[top.name] = LABEL if top.slot else noise(SPREAD * 0.797885 * abs(scale))
    return found


def judge(name: str, net: Net, prediction: Prediction, truth: Measured, table: Table) -> None:
    """Add a net to the table."""
    sources = {layer.name for layer in net.layers if not layer.bottoms}
    for row in prediction.blobs:
        real = truth.tops.get((row.layer, row.blob))
        if real is None or row.type in METRICS or row.layer in sources:
            continue
        table.zeros[row.zero, real == 0] += 1
        if row.zero is not None and row.zero != (real == 0):
            table.wrong.append(f"{name}: {row.layer} {row.blob}: zero {row.zero}, measured {real}")
        if row.mean_abs is None:
            table.undecided[row.type] += 1
        elif real and row.low is not None and row.high is not None and row.low > 0:
            table.rows.append((row.type, row.mean_abs, row.low, row.high, real))
    for param in prediction.params:
        key = (param.layer, param.index)
        if param.role == "statistics":
            continue
        if key in truth.params and param.zero is not None and param.zero != (truth.params[key] == 0):
            table.wrong.append(f"{name}: {key}: parameter zero {param.zero}, measured {truth.params[key]}")
        real = truth.params.get(key)
        if real and param.mean_abs and param.low and param.high:
            table.params.append((param.type, param.mean_abs, param.low, param.high, real))
        if key in truth.gradients:
            zero = truth.gradients[key] == 0
            table.gradients[param.gradient_zero, zero] += 1
            if param.gradient_zero is not None and param.gradient_zero != zero:
                table.wrong.append(f"{name}: {key}: gradient zero {param.gradient_zero}, {truth.gradients[key]}")
    for stop in prediction.stopped:
        if stop.type not in METRICS:
            table.stopped[f"{stop.type}: {stop.why}"] += 1


def oracle(shared: Path) -> Iterator[tuple[str, Net, Measured]]:
    """Every net of the oracle with its log."""
    with (shared / "oracle" / "signal.tsv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["log"]]
    for row in rows:
        log = (shared / "oracle" / "signal" / row["log"]).read_text(encoding="utf-8")
        yield row["file"], load(shared / "corpus" / row["file"]), measured(log.splitlines())


def build_table(shared: Path) -> Table:
    """Predict every net of the oracle and compare."""
    table = Table()
    for name, net, truth in oracle(shared):
        table.nets += 1
        judge(name, net, predict(net, inputs=data(net)), truth, table)
    return table


def show(table: Table) -> None:
    """Print the table."""
    print(f"{table.nets} nets")
    for what, counts in (("tops", table.zeros), ("gradients of parameters", table.gradients)):
        print(f"exactly zero: {what}          measured zero   measured not zero")
        for verdict in (True, False, None):
            print(f"  predicted {verdict!s:<18}{counts[verdict, True]:>16}{counts[verdict, False]:>20}")
    for what, rows in (("tops", table.rows), ("parameters", table.params)):
        widths = [high / low for _, _, low, high, _ in rows]
        inside = sum(low <= real <= high for _, _, low, high, real in rows)
        print(
            f"brackets, {what}: {len(rows)}, median high/low {median(widths):.3g}, inside {inside / len(rows):.1%}"
        )
    decided = len(table.rows) + table.zeros[True, True]
    print(f"sizes decided: {decided} of {sum(table.zeros.values())} tops; undecided {dict(table.undecided)}")
    print("|log10(predicted / measured)|   median    95%   number")
    by_type = defaultdict(list)
    for kind, mean, _, _, real in table.rows:
        by_type[kind].append(abs(log10(mean / real)))
    for kind, errors in sorted(by_type.items()):
        errors.sort()
        print(f"  {kind:<28}{median(errors):>8.3f}{errors[int(0.95 * (len(errors) - 1))]:>8.3f}{len(errors):>8}")
    print("stopped")
    for why, number in table.stopped.most_common():
        print(f"  {number:>4}  {why}")
    for line in table.wrong:
        print("WRONG", line)


if __name__ == "__main__":
    default = os.environ.get("CAFFEFIX_SHARED", Path(__file__).resolve().parent.parent.parent / "shared")
    show(build_table(Path(sys.argv[1] if len(sys.argv) > 1 else default)))
