"""What a training log says about a finding."""

from __future__ import annotations

from caffefix.caffe.net import Layer
from caffefix.findings import Subject


def not_refuted(subject: Subject, zero: list[Layer]) -> list[Layer]:
    """Of the layers that start at zero according to the file, those that the log does not contradict.

    The log may show weights that are not zero. If it loads weights, they are not the filler's; without
    debug_info, this counts for all layers.
    """
    log = subject.options.log
    if log is None:
        return zero
    known = log.zero_weights if log.loads_weights else None
    return [
        layer for layer in zero if layer.name not in log.other_weights and (known is None or layer.name in known)
    ]


def seen_zero(subject: Subject, layer: Layer) -> str:
    """The end of a message if the log confirms that the weights are zero; otherwise empty."""
    log = subject.options.log
    if log is None or layer.name not in log.zero_weights:
        return ""
    tops = " and its top" if layer.name in log.zero_tops else ""
    return f"; {log.name} shows its weights{tops} at exactly 0"


def seen_lost(subject: Subject) -> str:
    """Words for a message if the log confirms that the loss is out of range; otherwise empty."""
    log = subject.options.log
    if log is None:
        return ""
    if log.lost_at is not None:
        return f" ({log.name} shows a loss that is not a finite number at iteration {log.lost_at})"
    return f" ({log.name} shows the largest loss that a softmax can have)" if log.saturated else ""
