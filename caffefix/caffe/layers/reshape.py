"""Layers that rearrange, repeat or drop axes."""

from __future__ import annotations

from caffefix.caffe.layers.kind import ONE, LayerType

TYPES = (
    LayerType(
        "Flatten",
        v1=("FLATTEN", 8),
        v0="flatten",
        params=("flatten_param",),
        bottoms=ONE,
        tops=ONE,
        shape="axes.flatten",
        zero="same",
        moments="joins.same",
        keeps_channels=True,
        by_channel=True,
    ),
    LayerType(
        "Reshape",
        params=("reshape_param",),
        bottoms=ONE,
        tops=ONE,
        shape="axes.reshape",
        zero="same",
        moments="joins.same",
    ),
    LayerType(
        "Tile",
        params=("tile_param",),
        needs_params=True,
        bottoms=ONE,
        tops=ONE,
        shape="axes.tile",
        zero="zero_stays",
        moments="joins.same",
    ),
    LayerType(
        "Reduction",
        params=("reduction_param",),
        bottoms=ONE,
        tops=ONE,
        shape="axes.reduction",
        zero="zero_stays",
        moments="joins.reduction",
    ),
    LayerType(
        "ArgMax",
        v1=("ARGMAX", 30),
        params=("argmax_param",),
        bottoms=ONE,
        tops=ONE,
        shape="axes.arg_max",
        gradient=False,
    ),
    # of forks
    LayerType("Permute", shape="axes.permute", zero="zero_stays", moments="joins.same"),
    LayerType("ShuffleChannel", shape="base.same", zero="same", moments="joins.same"),
    LayerType("Reverse", shape="base.same"),
    LayerType("Reorg", params=("reorg_param",), shape="detection.reorg", zero="zero_stays"),
)
