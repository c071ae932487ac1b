"""A model file in a net: what Caffe does with it, and what the weights are."""

from __future__ import annotations

from caffefix.caffe.net import Net, Phase
from caffefix.caffe.wire import Store, WireError
from caffefix.commands.weights.results import Loading
from caffefix.evidence.weights.advice import Looks, advice
from caffefix.evidence.weights.binary import read_model
from caffefix.evidence.weights.copying import copy
from caffefix.evidence.weights.model import Model
from caffefix.evidence.weights.numbers import Look
from caffefix.syntax.source import visible
from caffefix.zoo.files import FileError
from caffefix.zoo.mistaken import mistaken
from caffefix.zoo.stores import open_store


def load(net: Net, source: str, path: str, phase: Phase, stages: frozenset[str]) -> Loading:
    """Look into a model file, and say what Caffe does with it in a net.

    Args:
        net: the net.
        source: name of its file.
        path: the model file.
        phase: in which the net loads it.
        stages: likewise.

    Raises:
        FileError: the model cannot be read, or is not one.
    """
    with open_store(path) as store:
        model = _model(store, path)
        copying = copy(model, net, phase, stages)
        looks = _looks(store, model)
    found = tuple(advice(model, copying, looks or {}))
    return Loading(source, path, phase.value, model, copying, looks or {}, found, looks is not None)


def _model(store: Store, path: str) -> Model:
    try:
        model = read_model(store)
    except WireError as error:
        start = store.read(0, 512)
        words = mistaken("", start) if error.offset < len(start) and not _is_model(start) else ""
        words = words or (_TEXT if _is_text(start) else "")
        if words:
            raise FileError(f"{visible(path)}: not a model: this is {words}") from None
        where = f"byte {error.offset} of {store.size}"
        raise FileError(
            f"{visible(path)}: cut off, or not a model: {where}: {error}; get the file again"
        ) from None
    if not model.layers:
        raise FileError(f"{visible(path)}: it holds no layers, so Caffe would copy nothing")
    return model


_TEXT = "text, not binary weights; the net comes first: caffefix weights NET MODEL"


def _is_text(start: bytes) -> bool:
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:  # not a character that the last byte cuts in two
            return False
        text = start[: error.start].decode("utf-8")
    return all(character.isprintable() or character in "\t\r\n" for character in text)


def _is_model(start: bytes) -> bool:
    """Whether a file begins as models do: with the net's name, which is field 1."""
    return start.startswith(b"\n")


def _looks(store: Store, model: Model) -> Looks | None:
    """What the blobs of each layer look like; None without NumPy."""
    try:
        from caffefix.evidence.weights.numbers import look

        found: dict[str, list[Look]] = {}
        for layer in model.layers:
            found.setdefault(layer.name, [look(store, blob) for blob in layer.blobs])
        return found
    except ImportError:
        return None
