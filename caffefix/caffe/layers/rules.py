"""The rules that the book's records name, imported on first use."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import import_module

from caffefix.caffe.layers.kind import LayerType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from caffefix.caffe.layers.moments.base import Rule as MomentsRule
    from caffefix.caffe.layers.shapes.base import Rule as ShapeRule
    from caffefix.caffe.layers.zeros import ZeroRule


@lru_cache(1 << 10)
def shape_rule(kind: LayerType) -> ShapeRule | None:
    """The rule for a type's shapes and parameter blobs, if there is one."""
    rule: ShapeRule | None = _named(f"shapes.{kind.shape}") if kind.shape else None
    return rule


@lru_cache(1 << 10)
def zero_rule(kind: LayerType) -> ZeroRule | None:
    """The rule for what is exactly zero, if there is one."""
    rule: ZeroRule | None = _named(f"zeros.{kind.zero}") if kind.zero else None
    return rule


@lru_cache(1 << 10)
def moments_rule(kind: LayerType) -> MomentsRule | None:
    """The rule for the size of a type's tops, if there is one."""
    if kind.function is not None:
        return _of_function(kind)
    rule: MomentsRule | None = _named(f"moments.{kind.moments}") if kind.moments else None
    return rule


@cache
def _of_function(kind: LayerType) -> MomentsRule:
    from caffefix.caffe.layers.moments.activations import pointwise

    assert kind.function is not None
    return pointwise(kind.function, kind.bounded)


@cache
def _named(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(f"{__package__}.{module}"), name)
