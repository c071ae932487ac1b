"""A proof by training, as text: verdict, both runs, their losses as a plot."""

from __future__ import annotations

import math
from collections.abc import Sequence

from caffefix.commands._shared.shell import command_line
from caffefix.commands.prove.work import Alternative, Proved
from caffefix.evidence.training.trial import Proof, Side, TrialVerdict
from caffefix.evidence.training.verdict import Outcome
from caffefix.reports.as_text import Paint, plain

_ROWS = 12
_COLUMNS = 60
_STYLES = {TrialVerdict.LEARNS: "fixed", TrialVerdict.DOES_NOT_LEARN: "warning", TrialVerdict.WORSE: "error"}


def render(proved: Proved, paint: Paint = plain) -> str:
    """The whole report."""
    proof = proved.proof
    lines = [f"{paint(proved.path, 'path')}: {paint(headline(proof), _STYLES[proof.verdict])}"]
    if proof.changed:
        lines += ["", *_side("before", proof.before), *_side("after", proof.after)]
    else:
        lines += ["", *_side("net", proof.before)]
    lines += ["", *_plot(proof), "", *_losses(proof), "", *_setup(proved)]
    if proved.alternatives:
        lines += ["", *map(_alternative, proved.alternatives)]
    return "\n".join(lines) + "\n"


def headline(proof: Proof) -> str:
    """The verdict in a sentence."""
    before, after = proof.before.outcome.value, proof.after.outcome.value
    if not proof.changed:
        return f"nothing was repaired; the net {after}"
    if proof.verdict is TrialVerdict.WORSE:
        return f"the repair makes it worse: before, the net {before}; after, it {after}"
    if proof.verdict is TrialVerdict.DOES_NOT_LEARN:
        return f"not proved: before, the net {before}; after, it {after}"
    if proof.before.outcome is Outcome.LEARNS:
        return "the net learns before and after the repair"
    return f"proved: before, the net {before}; after, it learns"


def _alternative(tried: Alternative) -> str:
    """What else could be tried, and what came of it where it was."""
    if tried.side is None:
        result = tried.why
    elif tried.side.outcome is Outcome.UNLOADABLE:
        result = f"tried: {tried.side.outcome.value}: {tried.side.reason}"
    else:
        result = f"tried: {tried.side.outcome.value}, {_curve(tried.side)}"
    return f"  {command_line(tried.option)} {tried.what} ({result})"


def _side(name: str, side: Side) -> list[str]:
    if side.outcome is Outcome.UNLOADABLE:
        return [f"  {name:<7} {side.outcome.value}: {side.reason}"]
    out = [f"  {name:<7} {side.outcome.value}, {_curve(side)}"]
    for what, names in (
        ("always zero", side.dead_blobs),
        ("zero at the end", side.died_blobs),
        ("never a gradient", side.dead_params),
        ("no gradient at the end", side.died_params),
    ):
        if names:
            out.append(f"          {what}: {_some(names)}")
    silent = side.dead_blobs or side.died_blobs or side.dead_params or side.died_params
    if not silent and side.outcome is not Outcome.DIVERGES:
        out.append(f"          alive: all {side.blobs} tops, all {side.params} learnable parameters")
    if side.frozen:
        out.append(f"          frozen by a learning rate of zero: {side.frozen} parameters")
    return out


def _curve(side: Side) -> str:
    return f"loss {_number(side.losses[0])} → {_number(side.tail)}" if side.losses else "no loss"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _number(value: float) -> str:
    return "nan" if not math.isfinite(value) else f"{value:.4g}"


# ---------------------------------------------------------------- the plot


def _plot(proof: Proof) -> list[str]:
    """Both curves over the iterations: o before, * after, - the constant prediction."""
    curves = (
        [(proof.before.losses, "o"), (proof.after.losses, "*")] if proof.changed else [(proof.after.losses, "*")]
    )
    finite = [v for losses, _ in curves for v in losses if math.isfinite(v)]
    baseline = next((s.baseline for s in (proof.after, proof.before) if math.isfinite(s.baseline)), math.nan)
    if not finite or not math.isfinite(baseline):
        return ["  no losses to plot"]
    top = max(min(max(finite), 4 * baseline), 1.25 * baseline, 1e-12)
    count = max(len(losses) for losses, _ in curves)
    width = min(_COLUMNS, count)
    grid = [[" "] * width for _ in range(_ROWS)]
    grid[_row(baseline, top)] = ["-"] * width
    for losses, mark in curves:
        for column, value in _sampled(losses, count, width):
            grid[_row(value, top)][column] = mark if value <= top else "^"
    out = []
    for index, row in enumerate(grid):
        label = _number(top * (_ROWS - 1 - index) / (_ROWS - 1)) if index % 4 == 0 or index == _ROWS - 1 else ""
        out.append(f"  {label:>9} |{''.join(row).rstrip()}")
    out.append(f"  {'':>9} +{'-' * width} {count} iterations")
    legend = "o before, * after" if proof.changed else "* the net"
    above = ", ^ above the plot" if max(finite) > top else ""
    out.append(f"  {'':>9}  {legend}, - the best constant prediction ({_number(baseline)}){above}")
    return out


def _row(value: float, top: float) -> int:
    share = min(max(value / top, 0.0), 1.0)
    return round((1 - share) * (_ROWS - 1))


def _sampled(losses: Sequence[float], count: int, width: int) -> list[tuple[int, float]]:
    """(column, mean of the losses there); a curve that ends in nan ends early."""
    out = []
    for column in range(width):
        part = losses[column * count // width : (column + 1) * count // width]
        finite = [value for value in part if math.isfinite(value)]
        if finite:
            out.append((column, sum(finite) / len(finite)))
    return out


# ---------------------------------------------------------------- numbers


def _losses(proof: Proof) -> list[str]:
    sides = [("before", proof.before), ("after", proof.after)] if proof.changed else [("net", proof.after)]
    out = []
    for name, side in sides:
        if side.losses:
            step = max(1, len(side.losses) // 10)
            shown = [*side.losses[:-1:step], side.losses[-1]]
            out.append(f"  {name:<7} {' '.join(_number(value) for value in shown)}")
    return out


def _setup(proved: Proved) -> list[str]:
    proof = proved.proof
    options = proof.options
    side = next((s for s in (proof.after, proof.before) if s.losses), proof.after)
    shapes = ", ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in side.shapes)
    compared = proved.repaired or "caffefix's own repair"
    run = f"{options.iterations} iterations, seed {options.seed}"
    constant = _number(side.baseline)
    lines = [
        f"  {side.classes} classes of synthetic images, {run}: {shapes}",
        f"  learned means a loss below {_number(side.bound)}; the best constant prediction has {constant}",
        f"  solver: {' '.join(proof.solver)}",
        *(f"  {note}" for note in proof.notes),
        f"  Caffe {proof.interpreter.caffe} on Python {proof.interpreter.python}",
    ]
    if proof.changed:
        fixed = ", ".join(dict.fromkeys(f.name for f in proved.findings))
        lines.append(f"  compared with {compared}" + (f": {fixed}" if fixed else ""))
    return lines
