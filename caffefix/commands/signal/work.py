"""The signals of a file's net, before and after its repair."""

from __future__ import annotations

from caffefix._startup.records import dataclass, replace
from caffefix.caffe.net import Net, Phase
from caffefix.caffe.roles import loss_stages
from caffefix.commands._shared.one_net import migrated, net_of
from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.evidence.prediction import Prediction
from caffefix.evidence.signal import predict
from caffefix.findings import Applicability
from caffefix.results import FileResult
from caffefix.syntax.source import Source


@dataclass(frozen=True, slots=True)
class Comparison:
    """Predictions for a net.

    Attributes:
        before: for the net before the repair (V0 is first migrated, as Caffe does).
        after: for the net after the safe repair; None if the repair changes nothing.
        unsafe: for the net after the repair with unsafe fixes; None if these change nothing in the prediction.
        unsafe_names: the findings that these fixes are for.
    """

    before: Prediction
    after: Prediction | None
    unsafe: Prediction | None = None
    unsafe_names: tuple[str, ...] = ()


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
    source = migrated(source)
    before = _predict(net_of(source), phase, input_mean_abs)
    safe, unsafe = (repair(source, Request(Selection(unsafe=unsafe))) for unsafe in (False, True))
    after = _predicted(safe, phase, input_mean_abs)
    names = [d.name for d in unsafe.findings if d.applied and d.applicability is Applicability.UNSAFE]
    more = _predicted(unsafe, phase, input_mean_abs) if names else None
    if more is not None and _same(more, after or before):
        more = None
    return Comparison(before, after, more, tuple(dict.fromkeys(names)) if more is not None else ())


def _predicted(result: FileResult, phase: Phase, input_mean_abs: float | None) -> Prediction | None:
    """The prediction for the repaired net; None if nothing was repaired."""
    if result.new is None:
        return None
    return _predict(net_of(Source(result.path, result.new)), phase, input_mean_abs)


def _same(one: Prediction, other: Prediction) -> bool:
    """Whether two predictions say the same; logits name the layers of their own nets."""
    return replace(one, logits=()) == replace(other, logits=())


def _predict(net: Net, phase: Phase, input_mean_abs: float | None) -> Prediction:
    return predict(net, phase, stages=loss_stages(net, phase), input_mean_abs=input_mean_abs)
