"""What ``caffefix weights`` finds out."""

from __future__ import annotations

from caffefix._startup.records import dataclass
from caffefix.evidence.weights.advice import Advice, Looks
from caffefix.evidence.weights.copying import Copying
from caffefix.evidence.weights.model import Model


@dataclass(frozen=True, slots=True)
class Loading:
    """A model in a net.

    Attributes:
        net: name of the net's file.
        path: name of the model file.
        phase: in which the net loads it.
        model: what it holds.
        copying: what Caffe does with it.
        looks: what the blobs of each layer look like; empty without NumPy.
        advice: what is worth knowing.
        has_numbers: whether the numbers were looked at.
    """

    net: str
    path: str
    phase: str
    model: Model
    copying: Copying
    looks: Looks
    advice: tuple[Advice, ...]
    has_numbers: bool
