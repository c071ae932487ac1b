"""How large the signals of a net are before its first step: prediction by mean-field theory.

For each blob E|x| is predicted with a bracket, for each parameter from its filler, and the exact analysis
(``liveness``) determines which are exactly zero and which gradients are. Weights are assumed to come from the
fillers. No net describes its data: predictions are made for white noise and for smooth images, of the given or a
usual size, and the bracket covers both.

Sources: Glorot and Bengio 2010; He et al. 2015, arXiv:1502.01852; Poole et al. 2016,
arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232; the layers of BVLC's Caffe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import exp, isfinite, sqrt

from caffefix._startup.records import replace
from caffefix.caffe.fillers import FillerSpec, Shape, count, moments, read_filler
from caffefix.caffe.graph import Graph, Step, build
from caffefix.caffe.layers.moments import Place, Stop
from caffefix.caffe.layers.moments.signal import Signal, constant, images, noise, normal, spread
from caffefix.caffe.layers.rules import moments_rule
from caffefix.caffe.layers.shapes import ParamBlob
from caffefix.caffe.layers.zeros import Value
from caffefix.caffe.net import Generation, Layer, Net, Phase
from caffefix.caffe.roles import scores
from caffefix.caffe.shapes import Shapes, infer
from caffefix.evidence.liveness import Start, at_start
from caffefix.evidence.prediction import BlobPrediction, Logits, ParamPrediction, Prediction, Stopped
from caffefix.syntax.scalars import number_value

# E|x| of 8-bit images: with their mean subtracted, and unchanged (signal.md §3: √q ≈ 60 ± 15 and 130).
CENTRED, RAW = 45.0, 110.0
# Pixels over which natural images are alike, as seen by the layers above.
_SMOOTH = 12.0
_SIZE = 224


def predict(
    net: Net,
    phase: Phase = Phase.TRAIN,
    *,
    stages: frozenset[str] = frozenset(),
    input_mean_abs: float | None = None,
    filled: Mapping[Layer, FillerSpec] | None = None,
    inputs: Mapping[str, Signal] | None = None,
) -> Prediction:
    """Predict the signals of a net, V1 or V2.

    Args:
        net: the net.
        phase: TRAIN, or TEST before any training.
        stages: of the net's state.
        input_mean_abs: E|x| of the images as they leave the data layer, mean subtracted and scaled.
        filled: weight fillers to assume in place of the file's, by layer of ``net.layers``.
        inputs: signals of blobs that sources produce, by name, where more is known about them.
    """
    graph = build(net.view(phase, stages), net.inputs)
    run = _Run(
        net=net,
        phase=phase,
        graph=graph,
        size=input_mean_abs,
        filled=dict(filled or {}),
        inputs=dict(inputs or {}),
    )
    scenes = [run.forward(smooth) for smooth in (False, True)]
    rows = [row for step in graph.steps for row in run.rows(step, scenes)]
    params = [param for step in graph.steps for param in run.params(step)]
    stopped = tuple(Stopped(layer.name, layer.type, why) for layer, why in run.stopped.values())
    assumed = tuple(run.assumed)
    return Prediction(
        phase=phase,
        blobs=tuple(rows),
        params=tuple(params),
        stopped=stopped,
        assumed=assumed,
        loss=run.loss(scenes),
        logits=tuple(run.logits(scenes)),
    )


Scene = list[Signal | None]


class _Run:
    def __init__(
        self,
        net: Net,
        phase: Phase,
        graph: Graph,
        size: float | None,
        filled: dict[Layer, FillerSpec],
        inputs: dict[str, Signal],
    ) -> None:
        self.phase, self.graph, self.size, self.filled, self.inputs = phase, graph, size, filled, inputs
        self.assumed: dict[str, None] = {}
        self.stopped: dict[int, tuple[Layer, str]] = {}
        self.automatic: dict[int, list[Signal | None]] = {}
        self.shapes = self._shapes(net)
        self.aborts = {problem.layer: problem.message for problem in self.shapes.problems}
        self.start: Start = at_start(
            graph, phase, filled=[layer for layer, spec in filled.items() if not spec.is_zero]
        )
        self.known_behind = self._known_behind()

    # ---- shapes, with what the net leaves open assumed

    def _shapes(self, net: Net) -> Shapes:
        first = infer(self.graph, net, self.phase)
        given: dict[str, Shape] = {}
        for name, slot, shape in self._sources(first):
            if shape is not None and None not in shape:
                continue
            if slot or (shape is not None and len(shape) == 1):
                given[name] = (2,)
            elif shape is None or len(shape) == 4:
                batch, channels, height, width = shape or (None, None, None, None)
                given[name] = (batch or 2, channels or 3, height or _SIZE, width or _SIZE)
                if None in (channels, height, width):
                    self.assumed[f"'{name}' is {channels or 3} × {height or _SIZE} × {width or _SIZE}"] = None
        return infer(self.graph, net, self.phase, given) if given else first

    def _sources(self, shapes: Shapes) -> list[tuple[str, int, Shape]]:
        tops = [(blob.name, 0, shapes.of(blob)) for blob in self.graph.inputs]
        for step in self.graph.steps:
            if not step.bottoms:
                tops += [(top.name, top.slot, shapes.of(top)) for top in step.tops]
        return tops

    # ---- forward

    def forward(self, smooth: bool) -> Scene:
        """Signals of all blobs, for smooth images or for white noise."""
        scene: Scene = [None] * len(self.graph.blobs)
        for blob in self.graph.inputs:
            scene[blob.index] = self._outside(blob.name, self.shapes.of(blob), smooth)
        for step in self.graph.steps:
            for top, signal in zip(step.tops, self._step(step, scene, smooth), strict=False):
                exact = self.start.values[top.index]
                scene[top.index] = constant(0.0) if exact is Value.ZERO else signal
        return scene

    def _step(self, step: Step, scene: Scene, smooth: bool) -> list[Signal | None]:
        layer = step.layer
        if not step.bottoms:
            return [self._source(layer, top.name, top.slot, smooth) for top in step.tops]
        if layer in self.aborts:
            self.stopped[step.index] = (layer, f"Caffe aborts: {self.aborts[layer]}")
            return [None] * len(step.tops)
        if any(0 in (self.shapes.of(top) or ()) for top in step.tops):
            self.stopped[step.index] = (layer, "produces a blob without values, on which Caffe aborts")
            return [None] * len(step.tops)
        rule = moments_rule(layer.kind)
        signals = [scene[bottom.index] for bottom in step.bottoms]
        needed = signals[:1] if layer.kind.first_only else signals
        if step.tops and all(self.start.values[top.index] is Value.ZERO for top in step.tops):
            return [None] * len(step.tops)
        if any(signal is None for signal in needed):
            return [None] * len(step.tops)
        if rule is None:
            if not layer.kind.sink:
                self.stopped[step.index] = (layer, f"unknown from here: no rule for type '{layer.type}'")
            return [None] * len(step.tops)
        try:
            made = rule(self._place(step), [signal for signal in needed if signal is not None])
        except Stop as stop:
            self.stopped[step.index] = (layer, str(stop))
            return [None] * len(step.tops)
        except IndexError:
            self.stopped[step.index] = (layer, "its bottoms or tops do not fit its type")
            return [None] * len(step.tops)
        except (OverflowError, ZeroDivisionError, ValueError):
            self.stopped[step.index] = (layer, "too large or too small a number")
            return [None] * len(step.tops)
        if not step.tops:
            self.automatic.setdefault(step.index, []).extend(made[:1])
        return list(made)

    def _place(self, step: Step) -> Place:
        tops = tuple(self.shapes.of(top) for top in step.tops)
        bottoms = tuple(self.shapes.of(bottom) for bottom in step.bottoms)
        return Place(step.layer, self.phase, bottoms, tops, self._blobs(step))

    def _blobs(self, step: Step) -> tuple[ParamBlob, ...]:
        blobs = self.shapes.params_of(step)
        spec = self.filled.get(step.layer)
        if spec is None:
            return blobs
        return tuple(replace(blob, filler=spec) if blob.role == "weight" else blob for blob in blobs)

    # ---- data

    def _outside(self, name: str, shape: Shape, smooth: bool) -> Signal | None:
        """The signal of a blob from outside: of unknown size, unless it is given."""
        if name in self.inputs:
            return self.inputs[name]
        if shape is not None and len(shape) == 1:
            return None
        length = _SMOOTH if smooth else 1.0
        if self.size is not None:
            return noise(self.size, length)
        self.assumed[f"'{name}' is not zero"] = None
        return replace(noise(1.0, length), sized=False)

    def _source(self, layer: Layer, name: str, slot: int, smooth: bool) -> Signal | None:
        if name in self.inputs:
            return self.inputs[name]
        if layer.kind.images:
            return None if slot else self._images(layer, name, smooth)
        if layer.type == "DummyData":
            return _dummy(layer, slot, self._shape(layer, slot))
        if layer.type == "Parameter":
            return constant(0.0)
        shape = self._shape(layer, slot)
        if (layer.kind.input or layer.type == "HDF5Data") and not (slot and len(shape or (0,)) < 2):
            return self._outside(name, shape, smooth)
        if not slot:
            index = next(step.index for step in self.graph.steps if step.layer is layer)
            self.stopped[index] = (layer, f"the output of type '{layer.type}' is not known")
        return None

    def _shape(self, layer: Layer, slot: int) -> Shape:
        step = next(step for step in self.graph.steps if step.layer is layer)
        return self.shapes.of(step.tops[slot])

    def _images(self, layer: Layer, name: str, smooth: bool) -> Signal:
        holders = ["transform_param"]
        if layer.generation is Generation.V1:
            holders.append(layer.kind.v1_transform)
        nodes = [node for holder in holders if (node := layer.node.message(holder)) is not None]
        centred = any(node.has("mean_file") or node.has("mean_value") for node in nodes)
        factor = next((f for node in nodes if (f := number_value(node.scalar("scale") or ""))), 1.0)
        length = _SMOOTH if smooth else 1.0
        if self.size is not None:
            made = images(self.size, centred=centred or not smooth, length=length)
            return made.with_doubt(0.0002)
        size = (CENTRED if centred else RAW) * abs(factor)
        what = "with their mean subtracted" if centred else "without a mean subtracted"
        self.assumed[f"'{name}' are 8-bit images {what}: mean |x| about {size:.3g}"] = None
        made = images(size, centred=centred or not smooth, length=length)
        return made.with_doubt(0.02 if centred else 0.01)

    # ---- results

    def rows(self, step: Step, scenes: list[Scene]) -> list[BlobPrediction]:
        """The predictions for the tops of a step."""
        layer = step.layer
        found = []
        for top in step.tops:
            signals = [scene[top.index] for scene in scenes]
            found.append(_row(layer, top.name, signals, self.start.values[top.index]))
        if step.index in self.automatic:
            found.append(_row(layer, "(automatic)", self.automatic[step.index], Value.ANY))
        return found

    def params(self, step: Step) -> list[ParamPrediction]:
        """The predictions for the parameters of a step."""
        return [self._param(step, index, blob) for index, blob in enumerate(self._blobs(step))]

    def _param(self, step: Step, index: int, blob: ParamBlob) -> ParamPrediction:
        layer = step.layer
        if blob.role == "statistics":
            return ParamPrediction(
                layer=layer.name,
                index=index,
                type=layer.type,
                role=blob.role,
                mean_abs=None,
                low=None,
                high=None,
                zero=None,
                gradient_zero=None,
            )
        found = moments(blob.filler, blob.shape)
        zero = True if blob.filler.is_zero else False if blob.filler.type in _NEVER_ZERO else None
        mean = low = high = None
        if found is not None:
            mean = found.mean_abs
            zero = zero if mean or zero else None
            even = blob.filler.constant is not None or blob.filler.type == "bilinear"
            width = 1.0 if even else exp(4 / sqrt(count(blob.shape) or 1))
            low, high = mean / width, mean * width
        gradient = self._gradient_zero(step, index, blob)
        return ParamPrediction(
            layer=layer.name,
            index=index,
            type=layer.type,
            role=blob.role,
            mean_abs=mean,
            low=low,
            high=high,
            zero=zero,
            gradient_zero=gradient,
        )

    def _gradient_zero(self, step: Step, index: int, blob: ParamBlob) -> bool | None:
        if self.phase is Phase.TEST or step.layer.param(index).lr_mult == 0 or index > 1:
            return None
        if not _is_followed(step.layer, index):
            return None
        second = index == 1 or step.layer.type == "Bias"
        live = (self.start.bias_live if second else self.start.weight_live)[step.index]
        if not live:
            return True
        if step.layer.type == "PReLU" and self._hides_slope(step):
            return None
        return False if step.index in self.known_behind else None

    def _hides_slope(self, step: Step) -> bool:
        """Whether a PReLU's negative side may be cut off, so that its slope gets no gradient."""
        constant_bottom = self.start.values[step.bottoms[0].index] is not Value.ANY
        return constant_bottom or any(s.layer.type == "ReLU" for t in step.tops for s in self.graph.readers(t))

    def _known_behind(self) -> frozenset[int]:
        """Steps all of whose ways to a loss go through layers with rules."""
        clear: set[int] = set()
        reached: dict[int, bool] = {}  # by blob: whether all that leads to a loss is known
        for step in reversed(self.graph.steps):
            ways = [reached[top.index] for top in step.tops if top.index in reached]
            ends = scores(step.layer)
            # of equal values, a maximum passes the gradient to one, exactly
            ties = step.layer.word("eltwise_param", "operation", "") in ("MAX", "2")
            known = moments_rule(step.layer.kind) is not None and all(ways) and not ties
            if known and (ways or ends):
                clear.add(step.index)
            if ways or ends:
                for bottom in step.bottoms:
                    reached[bottom.index] = reached.get(bottom.index, True) and known
        return frozenset(clear)

    def loss(self, scenes: list[Scene]) -> float | None:
        """The loss that Caffe would print first."""
        total, seen = 0.0, False
        for step in self.graph.steps:
            if not scores(step.layer):
                continue
            weights = [number_value(value) for value in step.layer.node.scalars("loss_weight")] or [1.0]
            rows = self.rows(step, scenes)
            for row, weight in zip(rows, weights, strict=False):
                if row.mean_abs is None or weight is None:
                    return None
                total, seen = total + weight * row.mean_abs, True
        return total if seen else None

    def logits(self, scenes: list[Scene]) -> Iterator[Logits]:
        """The inputs of the losses with a softmax or sigmoid of their own."""
        for step in self.graph.steps:
            if not step.layer.kind.contains or not step.bottoms or not scores(step.layer):
                continue
            blob = step.bottoms[0]
            signals = [scene[blob.index] for scene in scenes]
            known = [signal for signal in signals if signal is not None and signal.sized]
            feeders = self.graph.upstream(blob)
            layers = tuple(feeder.layer for feeder in feeders)
            if len(known) < len(signals):
                yield Logits(
                    loss=step.layer, blob=blob.name, feeders=layers, std=None, low=None, high=None, reach=None
                )
                continue
            std, low, high = spread([replace(signal, mean_abs=sqrt(signal.variance)) for signal in known])
            yield Logits(
                loss=step.layer,
                blob=blob.name,
                feeders=layers,
                std=std,
                low=low,
                high=high,
                reach=self._reach(feeders, std),
            )

    def _reach(self, feeders: Sequence[Step], std: float) -> float | None:
        """Σ τ²/σ² over layers of weights σ: a logit is linear in the weights of each layer, which are independent.

        Where branches meet, each layer contributes only a part of τ.
        """
        total = 0.0
        for step in feeders:
            for blob in self._blobs(step):
                rate = step.layer.param(0).lr_mult
                if blob.role != "weight" or not rate:
                    continue
                found = moments(blob.filler, blob.shape)
                if found is None or not found.square:
                    return None
                total += rate * std * std / found.square
        return total


_NEVER_ZERO = frozenset({"constant", "uniform", "gaussian", "xavier", "msra", "bilinear", "positive_unitball"})


def _is_followed(layer: Layer, index: int) -> bool:
    """Whether the exact analysis knows the gradient of a layer's parameter."""
    if layer.kind.recurrent or (layer.type == "PReLU" and index):
        return False
    return bool(layer.kind.zero) or layer.kind.inner


def _dummy(layer: Layer, slot: int, shape: Shape) -> Signal:
    """The output of DummyData's filler; zeros where there is none."""
    param = layer.node.message("dummy_data_param")
    fillers = [node for node in param.fields("data_filler") if node.is_message] if param is not None else []
    node = fillers[min(slot, len(fillers) - 1)] if fillers else None
    found = moments(read_filler(node), None)
    if found is None:
        return replace(noise(1.0), sized=False)
    var = max(0.0, found.square - found.mean**2)
    doubt = 0.57 / (count(shape) or 100) if var else 0.0
    return replace(normal(found.mean, var, 0.0, constant(0.0)), mean_abs=found.mean_abs, doubt=doubt)


def _row(layer: Layer, blob: str, signals: list[Signal | None], exact: Value) -> BlobPrediction:
    if exact is Value.ZERO:
        return BlobPrediction(
            layer=layer.name, blob=blob, type=layer.type, mean_abs=0.0, low=0.0, high=0.0, zero=True
        )
    known = [signal for signal in signals if signal is not None]
    if len(known) < len(signals) or not known:
        return BlobPrediction(
            layer=layer.name, blob=blob, type=layer.type, mean_abs=None, low=None, high=None, zero=None
        )
    middle, low, high = spread(known)
    # Single precision ends at 1e-38, and a signal that hardly passes a ReLU counts as zero.
    if not isfinite(high):
        return BlobPrediction(
            layer=layer.name, blob=blob, type=layer.type, mean_abs=None, low=None, high=None, zero=None
        )
    sure = 1e-36 < low < 1e38 and all(signal.doubt < 1 for signal in known)
    zero = False if sure else None
    if not all(signal.sized for signal in known):
        return BlobPrediction(
            layer=layer.name, blob=blob, type=layer.type, mean_abs=None, low=None, high=None, zero=zero
        )
    return BlobPrediction(
        layer=layer.name, blob=blob, type=layer.type, mean_abs=middle, low=low, high=high, zero=zero
    )
