"""What names and comments say that fields do not: what data are stored, where weights come from."""

from __future__ import annotations

import re

from caffefix._startup.patterns import pattern
from caffefix.caffe.net import Layer, Net
from caffefix.findings import Subject
from caffefix.syntax.scalars import number_value
from caffefix.syntax.tree import descend

_FLOATS = pattern(
    r"(?<![a-z])(feats?|features?|floats?|fp32|embeddings?|descriptors?|fc[678]|normali[sz]ed)(?![a-z])",
    re.IGNORECASE,
)
_LSUV = pattern(r"(?<![a-z])lsuv(?![a-z])", re.IGNORECASE)
_FINE_TUNING = pattern(r"fine[-_ ]?tun|pre[-_ ]?train", re.IGNORECASE)


def may_hold_floats(layer: Layer) -> bool:
    """Whether it is doubtful that a data layer's database holds pixels of 0..255.

    A name mentions features or floats; or a mean in 0..1 is subtracted from data that are not scaled down; or the
    data are scaled up, as only small numbers are, and no mean says otherwise.
    """
    if not layer.kind.images or layer.kind.image_files:
        return False
    names = [layer.name, *layer.tops[:1], *(n.value for n in descend(layer.node) if n.name == "source")]
    if any(map(_FLOATS.search, names)):
        return True
    scale = layer.number("transform_param", "scale", 1.0)
    node = layer.node.message("transform_param")
    given = node.scalars("mean_value") if node is not None else []
    means = [number for number in map(number_value, given) if number is not None]
    return (scale > 1 or (scale == 1 and any(means))) and all(abs(mean) <= 1 for mean in means)


def start(subject: Subject, net: Net) -> str:
    """What a net or its solver says about where its weights come from, in words; else empty.

    In the net, its name is searched, and for LSUV (an initialisation that scales weights by the data) the
    comments as well; in a solver, the whole text. Fixers that call this function have ``NEEDS_FAMILY``.
    """
    solvers = " ".join(f"{member.name} {member.text}" for member in subject.family.solvers)
    name = net.node.string("name") or ""
    if _LSUV.search(subject.document.text) or _LSUV.search(solvers):
        return "LSUV, which sets weights from the data"
    if _FINE_TUNING.search(name) or _FINE_TUNING.search(solvers):
        return "fine-tuning, which loads weights"
    return ""
