"""``caffefix deploy``: a deploy net from a train net."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

import click

from caffefix.commands._shared.options import names
from caffefix.commands._shared.output import say, write
from caffefix.commands._shared.own_caffe import own_caffe
from caffefix.commands._shared.shell import command_line, path_word


def _shapes(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for item in value:
        name, _, dims = item.rpartition("=")
        if not re.fullmatch(r"[1-9]\d{0,8}([,x][1-9]\d{0,8})*", dims):
            raise click.BadParameter(f"{item!r} is not a shape; write 1,3,224,224 or BLOB=1,3,224,224", ctx, param)
        key = name.encode("utf-8", "surrogateescape").decode("latin-1")
        if key in shapes or ("" in shapes and key) or (shapes and not key):
            raise click.BadParameter("give one shape per input, as BLOB=N,C,H,W", ctx, param)
        shapes[key] = tuple(map(int, re.split("[,x]", dims)))
    return shapes


@click.command("deploy", short_help="Make a deploy net from a train net.")
@click.argument("train_val", metavar="TRAIN_VAL")
@click.option("-o", "--out", metavar="FILE", help="Write to FILE instead of standard output.")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@click.option(
    "--input-shape", "shapes", multiple=True, callback=_shapes, metavar="[BLOB=]N,C,H,W", help="Shape of an input."
)
@click.option("--output", "outputs", multiple=True, callback=names, metavar="BLOBS", help="Outputs to keep.")
@click.option("--stage", "stages", multiple=True, callback=names, metavar="NAMES", help="Stages, besides TEST.")
@click.option("--keep-auxiliary", is_flag=True, help="Keep heads that only help training.")
@click.option("--strip", is_flag=True, help="Also drop fillers and learning rates.")
def command(
    train_val: str,
    out: str | None,
    force: bool,
    shapes: dict[str, tuple[int, ...]],
    outputs: tuple[str, ...],
    stages: tuple[str, ...],
    keep_auxiliary: bool,
    strip: bool,
) -> None:
    """Make a deploy net from a train net; TRAIN_VAL, or - for standard input, is not changed.

    Data layers are replaced by Input layers, SoftmaxWithLoss by Softmax, SigmoidCrossEntropyLoss by
    Sigmoid; other losses, labels and what only training needs are dropped. A scale of the data layer
    is kept as a Power layer; the mean is reported, because the caller of the net subtracts it. The
    batch is one image. Auxiliary heads, whose loss_weight is smaller than that of another loss of
    the same trunk and labels, are dropped.

    Exit status: 0 made; 2 not made, with a named reason, or not written.
    """
    from caffefix.caffe.refusal import Refusal
    from caffefix.commands.deploy.text import render
    from caffefix.commands.deploy.work import DeployOptions, deploy
    from caffefix.syntax.source import Source
    from caffefix.zoo.config_file import ConfigError
    from caffefix.zoo.files import FileError, put, read_once
    from caffefix.zoo.own_caffe import OwnCaffeError

    if force and out is None:
        raise click.UsageError("--force allows FILE to be replaced: give -o FILE as well")
    flags = {"--force": force, "--keep-auxiliary": keep_auxiliary, "--strip": strip}
    try:
        source = Source("<stdin>" if train_val == "-" else train_val, read_once(train_val))
        wanted = DeployOptions(shapes, _bytes(outputs), frozenset(_bytes(stages)), strip, keep_auxiliary)
        made = deploy(source, wanted, own_caffe(source.path))
        if out is not None:
            put(out, made.data, force=force)
    except (FileError, Refusal, ConfigError, OwnCaffeError) as error:
        say(sys.stderr, f"error: {error}\n")
        if isinstance(error, Refusal) and error.options:
            again = _again(train_val, out, {"--output": outputs, "--stage": stages}, flags)
            say(sys.stderr, f"next: {command_line([*again, *map(_typed, error.options)])}\n")
        sys.exit(2)
    if out is None:
        write(sys.stdout.buffer, made.data)
    say(sys.stderr, render(made))


def _again(
    train_val: str, out: str | None, lists: Mapping[str, tuple[str, ...]], flags: Mapping[str, bool]
) -> list[str]:
    """The command line without shapes."""
    words = ["caffefix", "deploy", path_word(train_val)]
    words += ["-o", path_word(out)] if out is not None else []
    for option, given in lists.items():
        words += [option, ",".join(given)] if given else []
    return words + [flag for flag, given in flags.items() if given]


def _typed(word: str) -> str:
    """A word in which a name is as in the net, as a user types it."""
    return word.encode("latin-1").decode("utf-8", "surrogateescape")


def _bytes(given: tuple[str, ...]) -> tuple[str, ...]:
    """Names in the form in which nets are read: one character per byte."""
    return tuple(name.encode("utf-8", "surrogateescape").decode("latin-1") for name in given)
