"""``caffefix signal``: how large a net's signals are before training."""

from __future__ import annotations

import sys

import click

from caffefix.commands._shared.options import finite
from caffefix.commands._shared.output import say


@click.command("signal")
@click.argument("net", metavar="NET")
@click.option("--phase", type=click.Choice(["TRAIN", "TEST"]), default="TRAIN", help="Phase of the net.")
@click.option(
    "--input-mean-abs",
    type=click.FloatRange(min=0, min_open=True),
    callback=finite,
    metavar="M",
    help="Mean |x| of the images as they leave the data layer.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Report format.")
def command(net: str, phase: str, input_mean_abs: float | None, form: str) -> None:
    """Predict mean |x| of each blob before the first step, also after the repair.

    Mean |x| (sum |x| / count, not an L2 norm) is what Caffe's debug_info prints. Logits and losses
    are judged as exploding-signal and vanishing-signal judge them. A column shows the net after
    its safe repair, another one after unsafe fixes as well, if these change the prediction.
    """
    from caffefix.caffe.net import Phase
    from caffefix.commands._shared.one_net import NoNetError
    from caffefix.commands.signal.as_json import as_json
    from caffefix.commands.signal.text import as_text
    from caffefix.commands.signal.work import compare
    from caffefix.syntax.parse import PrototxtError
    from caffefix.syntax.source import Source
    from caffefix.zoo.files import FileError, read

    try:
        source = Source(net, read(net))
    except FileError as error:
        say(sys.stderr, f"error: {error}\n")
        sys.exit(2)
    try:
        found = compare(source, Phase[phase], input_mean_abs)
    except (PrototxtError, NoNetError) as error:
        reason = error.render(source) if isinstance(error, PrototxtError) else str(error)
        say(sys.stderr, f"error: {reason}\n")
        sys.exit(2)
    if form == "json":
        import json

        say(sys.stdout, json.dumps(as_json(found), indent=1, ensure_ascii=False) + "\n")
    else:
        say(sys.stdout, as_text(source.path, found))
