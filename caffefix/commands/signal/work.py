"""The signals of a file's net, before and after the safe repair."""

from __future__ import annotations

from caffefix._startup.records import dataclass
from caffefix.caffe.net import Generation, Net, Phase, nets
from caffefix.caffe.roles import loss_stages
from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.evidence.prediction import Prediction
from caffefix.evidence.signal import predict
from caffefix.syntax.parse import parse
from caffefix.syntax.source import Source


class NoNetError(Exception):
    """There is no net, or it cannot be predicted; the message says why."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Predictions for a net.

    Attributes:
        before: for the net before the repair (V0 is first migrated, as Caffe does).
        after: for the net after the safe repair; None if the repair changes nothing.
    """

    before: Prediction
    after: Prediction | None


def compare(source: Source, phase: Phase = Phase.TRAIN, input_mean_abs: float | None = None) -> Comparison:
    """Predict the first net of a file, before and after repair.

    Args:
        source: the file.
        phase: of the net.
        input_mean_abs: E|x| of the images as they leave the data layer.

    Raises:
        PrototxtError: the file does not parse.
        NoNetError: it has no net, or its V0 layers cannot be migrated.
    """
    source = _migrated(source)
    before = _predict(_net(source), phase, input_mean_abs)
    repaired = repair(source, Request())
    if repaired.new is None:
        return Comparison(before, None)
    after = _predict(_net(Source(source.path, repaired.new)), phase, input_mean_abs)
    return Comparison(before, after)


def _net(source: Source) -> Net:
    found = next(nets(parse(source.text)), None)
    if found is None or not found.layers:
        raise NoNetError(f"{source.path}: there is no net in this file; give a file with layers")
    return found


def _migrated(source: Source) -> Source:
    if Generation.V0 not in _net(source).generations:
        return source
    result = repair(source, Request(Selection(select=("legacy-v0-layers",))))
    migrated = source if result.new is None else Source(source.path, result.new)
    if Generation.V0 in _net(migrated).generations:
        raise NoNetError(f"{source.path}: its V0 layers cannot be migrated; {result.reason or 'see caffefix'}")
    return migrated


def _predict(net: Net, phase: Phase, input_mean_abs: float | None) -> Prediction:
    return predict(net, phase, stages=loss_stages(net, phase), input_mean_abs=input_mean_abs)
