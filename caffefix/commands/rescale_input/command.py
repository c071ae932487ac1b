"""``caffefix rescale-input``: adapt a net to data stored in another range."""

from __future__ import annotations

import re
import sys

import click

from caffefix.commands._shared.output import say, write
from caffefix.commands._shared.own_caffe import own_caffe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.commands.rescale_input.work import Range

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"


def _range(ctx: click.Context, param: click.Parameter, value: str) -> Range:
    from caffefix.commands.rescale_input.work import Range

    match = re.fullmatch(rf"({_NUMBER})\.\.({_NUMBER})", value)
    if not match or not float(match[1]) < float(match[2]):
        raise click.BadParameter(f"{value!r} is not a range; write 0..255 or -1..1", ctx, param)
    return Range(float(match[1]), float(match[2]))


@click.command("rescale-input", short_help="Adapt a net to data stored in another range.")
@click.argument("net", metavar="NET")
@click.option(
    "--stored",
    "--to",
    "new",
    required=True,
    callback=_range,
    metavar="LOW..HIGH",
    help="The range that your stored pixels will have.",
)
@click.option(
    "--from",
    "old",
    default="0..255",
    show_default=True,
    callback=_range,
    metavar="LOW..HIGH",
    help="The range that your stored pixels have now.",
)
@click.option("--blob", default="", metavar="NAME", help="Which input, if data layers produce several.")
@click.option("--first-layer", is_flag=True, help="Keep the scale; let the first layer absorb the factor.")
@click.option("--dry-run", "--diff", is_flag=True, help="Write nothing; print the diff to standard output.")
def command(net: str, new: Range, old: Range, blob: str, first_layer: bool, dry_run: bool) -> None:
    """Adapt a net to data that are deliberately stored in another range.

    With --stored 0..1, your stored data will be 0..1: this is for the same images, stored again. It
    rewrites mean_value, mean_file (a new file next to the old one, which is kept) and scale, in both TRAIN
    and TEST, so the net sees the same numbers and weights remain valid. The proof is printed. If your
    data do not change, you do not need this command: a raw mean with a scale is right, and where
    pixels are too large for a net, the fix of missing-input-scale scales them in the net.

    Exit status: 0 done; 2 not done, with a named reason, or not written.
    """
    from caffefix.caffe.refusal import Refusal
    from caffefix.commands.rescale_input.cure import sees_pixels_too_large
    from caffefix.commands.rescale_input.mean_files import locate, save
    from caffefix.commands.rescale_input.text import cure, render
    from caffefix.commands.rescale_input.work import Range, RescaleOptions, rescale
    from caffefix.syntax.source import Source
    from caffefix.zoo.config_file import ConfigError
    from caffefix.zoo.files import MEAN, FileError, read
    from caffefix.zoo.files import write as write_file
    from caffefix.zoo.one_file import diff_name
    from caffefix.zoo.own_caffe import OwnCaffeError

    if old == new:
        raise click.UsageError("--from and --stored are the same range")
    key = blob.encode("utf-8", "surrogateescape").decode("latin-1")
    options = RescaleOptions(old, new, key, first_layer)
    too_large = False
    try:
        data = read(net)
        too_large = old == Range(0, 255) and sees_pixels_too_large(Source(net, data))
        caffes = own_caffe(net)
        done = rescale(
            Source(net, data), options, lambda name: read(locate(name, net), MEAN), diff_name(net), caffes
        )
        if not dry_run:
            save(net, done.mean_files)
            write_file(net, data, done.data)
    except (FileError, Refusal, ConfigError, OwnCaffeError) as error:
        say(sys.stderr, f"error: {error}\n{cure(net, written=False) if too_large else ''}")
        sys.exit(2)
    if dry_run:
        write(sys.stdout.buffer, done.diff)
    say(
        sys.stderr if dry_run else sys.stdout,
        render(done, options) + (cure(net, written=not dry_run) if too_large else ""),
    )
