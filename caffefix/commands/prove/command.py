"""``caffefix prove``: real Caffe trains a net before and after its repair."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import click

from caffefix.commands._shared.configuration import check_dialect
from caffefix.commands._shared.options import finite, names
from caffefix.commands._shared.output import colour, say

if TYPE_CHECKING:
    from caffefix.commands.prove.work import Proved
    from caffefix.evidence.training.trial import TrialOptions


def _size(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,4})(?:[x×]([1-9]\d{0,4}))?", value)
    if not match:
        raise click.BadParameter(f"{value!r} is not a size; write 64 or 64x48 (height x width)", ctx, param)
    return int(match[1]), int(match[2] or match[1])


def _shapes(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    shapes = {}
    for item in value:
        name, _, dims = item.rpartition("=")
        if not name or not re.fullmatch(r"[1-9]\d{0,8}([,x][1-9]\d{0,8})*", dims):
            raise click.BadParameter(f"{item!r} is not a shape; write BLOB=CHANNELS,HEIGHT,WIDTH", ctx, param)
        shapes[name.encode("utf-8", "surrogateescape").decode("latin-1")] = tuple(map(int, re.split("[,x]", dims)))
    return shapes


@click.command("prove", short_help="Train a net in real Caffe, before and after its repair.")
@click.argument("net", metavar="NET")
@click.option("--repaired", metavar="FILE", help="Compare with this file instead of caffefix's own repair.")
@click.option("--solver", metavar="FILE", help="Solver whose rates are used; default: SGD, 0.01, momentum 0.9.")
@click.option(
    "--lr",
    type=click.FloatRange(0, min_open=True),
    callback=finite,
    help="Learning rate, overriding the solver's.",
)
@click.option("--iterations", type=click.IntRange(10, 100000), default=60, show_default=True, help="Solver steps.")
@click.option("--batch", type=click.IntRange(2, 10000), default=10, show_default=True, help="Images in a batch.")
@click.option("--size", callback=_size, metavar="N|HxW", help="Size of images, overriding the file's.")
@click.option(
    "--shape", "shapes", multiple=True, callback=_shapes, metavar="BLOB=C,H,W", help="Shape of an input."
)
@click.option(
    "--seed",
    type=click.IntRange(1, 2**31 - 1),
    default=1,
    show_default=True,
    help="Random seed of Caffe and data.",
)
@click.option("--unsafe", is_flag=True, help="Also apply fixes that change what a working net computes.")
@click.option("--select", multiple=True, callback=names, metavar="NAMES", help="Repair these findings only.")
@click.option("--ignore", multiple=True, callback=names, metavar="NAMES", help="Leave these findings out.")
@click.option("--dialect", default="", metavar="FORK", help="The fork of Caffe that the net is for.")
@click.option("--caffe-python", default="", metavar="PATH", help="Python that imports caffe.")
@click.option("--timeout", type=click.FloatRange(1, 1e6), default=1800, show_default=True, help="Seconds per run.")
@click.option("--memory", type=click.FloatRange(0.25, 4096), default=8, show_default=True, help="GB per run.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Report format.")
def command(
    net: str,
    repaired: str | None,
    solver: str | None,
    lr: float | None,
    iterations: int,
    batch: int,
    size: tuple[int, int] | None,
    shapes: dict[str, tuple[int, ...]],
    seed: int,
    unsafe: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    dialect: str,
    caffe_python: str,
    timeout: float,
    memory: float,
    form: str,
) -> None:
    """Train a net in real Caffe before and after its repair, and report whether it learns.

    Data layers are replaced by synthetic images of a few classes; everything else is unchanged,
    and Caffe's solver trains the net. Nothing is written. Caffe runs in a separate process with
    limited time and memory: an interpreter that imports caffe is given by --caffe-python, by
    CAFFEFIX_CAFFE_PYTHON, or found as python3 or python.

    Exit status: 0 the repaired net learns; 1 it does not, or is worse; 2 no verdict; 130 interrupted.
    """
    from caffefix.engine.repair import Request
    from caffefix.engine.select import Selection, UnknownNameError
    from caffefix.evidence.training.sources import StatedInput
    from caffefix.evidence.training.trial import TrialOptions
    from caffefix.findings import Assumptions

    selection = Selection(select, ignore, unsafe)
    try:
        selection.check()
    except UnknownNameError as error:
        raise click.UsageError(str(error)) from None
    check_dialect(dialect)
    options = TrialOptions(
        iterations=iterations,
        batch=batch,
        seed=seed,
        timeout=timeout,
        memory=int(memory * (1 << 30)),
        caffe_python=caffe_python,
        given=StatedInput(shapes, size),
        rate=lr,
    )
    try:
        proved = _proved((net, repaired, solver), Request(selection, Assumptions(dialect=dialect)), options)
    except KeyboardInterrupt:
        say(sys.stderr, "\ninterrupted: nothing was written\n")
        sys.exit(130)
    sys.exit(_report(proved, form))


def _proved(files: tuple[str, str | None, str | None], request: object, options: TrialOptions) -> Proved:
    """The proof; if there is none, the reason goes to standard error and the program exits with 2."""
    from dataclasses import replace

    from caffefix.commands.prove.work import prove_file
    from caffefix.engine.repair import Request
    from caffefix.evidence.training.run import NoCaffeError
    from caffefix.evidence.training.sources import Unrepresentable
    from caffefix.evidence.training.trial import ProveError
    from caffefix.syntax.source import Source
    from caffefix.zoo.files import FileError, read

    assert isinstance(request, Request)
    net, repaired, solver = files
    try:
        source = Source(net, read(net))
        other = Source(repaired, read(repaired)) if repaired is not None else None
        text = read(solver).decode("latin-1") if solver is not None else None
        options = replace(options, solver=text)
        if not sys.stderr.isatty():
            return prove_file(source, other, request, options)
        from caffefix.commands.prove.progress import Bars

        with Bars(sys.stderr, options.iterations) as bars:
            return prove_file(source, other, request, options, bars.watch)
    except (FileError, NoCaffeError, ProveError) as error:
        say(sys.stderr, f"error: {error}\n")
    except Unrepresentable as error:
        say(sys.stderr, f"error: {net}: cannot be proved by training: {error}\n")
    sys.exit(2)


def _report(proved: Proved, form: str) -> int:
    """Write the report; return the exit status."""
    from caffefix.commands.prove import as_json as prove_json
    from caffefix.commands.prove import text as prove_text
    from caffefix.evidence.training.trial import TrialVerdict
    from caffefix.reports.as_text import colored, plain

    if form == "json":
        say(sys.stdout, prove_json.render(proved))
    else:
        say(sys.stdout, prove_text.render(proved, colored if colour(sys.stdout) else plain))
    return 0 if proved.proof.verdict is TrialVerdict.LEARNS else 1
