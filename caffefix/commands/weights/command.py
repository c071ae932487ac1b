"""``caffefix weights``: what Caffe does with trained weights in a net."""

from __future__ import annotations

import sys

import click

from caffefix.commands._shared.errors import fail
from caffefix.commands._shared.options import names
from caffefix.commands._shared.output import colour, say, width


@click.command("weights", short_help="Say what Caffe does with trained weights in a net.")
@click.argument("net", metavar="NET")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@click.option("--phase", type=click.Choice(["TRAIN", "TEST"]), default="TEST", help="Phase of the net.")
@click.option("--stage", "stages", multiple=True, callback=names, metavar="NAMES", help="Stages of the net.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Report format.")
def command(net: str, models: tuple[str, ...], phase: str, stages: tuple[str, ...], form: str) -> None:
    """Say what Caffe does with the weights in MODEL when NET loads them, layer by layer.

    MODEL is a binary .caffemodel of any generation. What Caffe would copy, ignore or abort on is reported
    in its own words, then what the numbers look like and what to do. No file is changed.

    Exit status: 0 Caffe loads them all; 1 it aborts, or copies nothing; 2 a file could not be read.
    """
    from caffefix.caffe.net import Phase
    from caffefix.commands._shared.one_net import NoNetError, migrated, net_of
    from caffefix.commands.weights.as_json import as_json
    from caffefix.commands.weights.text import render
    from caffefix.commands.weights.work import load
    from caffefix.evidence.weights.copying import Outcome
    from caffefix.reports.as_text import colored, plain
    from caffefix.syntax.parse import PrototxtError
    from caffefix.syntax.source import Source
    from caffefix.zoo.files import FileError, read

    status = 0
    try:
        source = Source(net, read(net))
        try:
            parsed = net_of(migrated(source))
        except PrototxtError as error:
            fail(error.render(source))
        for model in models:
            found = load(parsed, net, model, Phase[phase], frozenset(stages))
            is_used = found.copying.of(Outcome.COPIED) or not found.copying.of(Outcome.FILLER)
            status = max(status, int(bool(found.copying.abort) or not is_used))
            paint = colored if colour(sys.stdout) else plain
            say(sys.stdout, as_json(found) if form == "json" else render(found, width(sys.stdout), paint))
    except (FileError, NoNetError) as error:
        fail(str(error))
    sys.exit(status)
