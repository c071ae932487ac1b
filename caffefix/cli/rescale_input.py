"""``caffefix rescale-input``: move a net to data stored in another range."""

from __future__ import annotations

import re
import sys

import click

from caffefix.cli._output import say, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.engine.rescale import Range

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"


def _range(ctx: click.Context, param: click.Parameter, value: str) -> Range:
    from caffefix.engine.rescale import Range

    match = re.fullmatch(rf"({_NUMBER})\.\.({_NUMBER})", value)
    if not match or not float(match[1]) < float(match[2]):
        raise click.BadParameter(f"{value!r} is no range; write 0..255 or -1..1", ctx, param)
    return Range(float(match[1]), float(match[2]))


@click.command("rescale-input", short_help="Move a net to data stored in another range.")
@click.argument("net", metavar="NET")
@click.option("--from", "old", required=True, callback=_range, metavar="LOW..HIGH", help="Pixels as stored now.")
@click.option("--to", "new", required=True, callback=_range, metavar="LOW..HIGH", help="Pixels as stored then.")
@click.option("--blob", default="", metavar="NAME", help="Which input, where data layers make several.")
@click.option("--first-layer", is_flag=True, help="Leave the scale; let the first layer make up for the factor.")
@click.option("--dry-run", "--diff", is_flag=True, help="Write nothing, but the diff to standard output.")
def command(net: str, old: Range, new: Range, blob: str, first_layer: bool, dry_run: bool) -> None:
    """Move a net to data that are stored in another range, on purpose.

    For the same images stored as 0..1 in place of 0..255: mean_value, mean_file (a new file beside
    the old one, which stays) and scale, in TRAIN and TEST alike, so that the net sees the same numbers,
    and weights stay right. The proof is printed. If your data stay as they are, you need none of this:
    a raw mean beside a scale is right.

    Exit status: 0 done; 2 not done, by a named reason, or not written.
    """
    from caffefix.caffe.refusal import Refusal
    from caffefix.engine.rescale import Options, rescale
    from caffefix.reports.rescale_text import render
    from caffefix.syntax.source import Source
    from caffefix.zoo.files import MEAN, FileError, read
    from caffefix.zoo.files import write as write_file
    from caffefix.zoo.means import locate, save
    from caffefix.zoo.one_file import diff_name

    if old == new:
        raise click.UsageError("--from and --to are the same range")
    key = blob.encode("utf-8", "surrogateescape").decode("latin-1")
    options = Options(old, new, key, first_layer)
    try:
        data = read(net)
        done = rescale(Source(net, data), options, lambda name: read(locate(name, net), MEAN), diff_name(net))
        if not dry_run:
            save(net, done.mean_files)
            write_file(net, data, done.data)
    except (FileError, Refusal) as error:
        say(sys.stderr, f"error: {error}\n")
        sys.exit(2)
    if dry_run:
        write(sys.stdout.buffer, done.diff)
    say(sys.stderr if dry_run else sys.stdout, render(done, options))
