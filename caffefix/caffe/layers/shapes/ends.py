"""Layers at the ends of a net whose blobs no net describes: HDF5 files, and discarded blobs."""

from __future__ import annotations

from caffefix.caffe.layers.shapes.base import Outcome, Site, require


def hdf5_data(site: Site) -> Outcome:
    """Axes and sizes are those of the file's data sets (hdf5_data_layer.cpp)."""
    return Outcome((None,) * len(site.layer.tops))


def hdf5_output(site: Site) -> Outcome:
    """Two blobs with equally many items go to a file (hdf5_output_layer.cpp, ``SaveBlobs`` at the first pass)."""
    return Outcome()


def silence(site: Site) -> Outcome:
    """There are no tops."""
    return Outcome()


def lstm_unit(site: Site) -> Outcome:
    """One step of an LSTM: cell and hidden state, each like the cell before (lstm_unit_layer.cpp)."""
    cell = site.bottom
    streams = cell[1] if cell is not None and len(cell) > 1 else None
    for i, shape in enumerate(site.bottoms[:3]):
        if shape is not None:
            axes = 2 if i == 2 else 3
            require(f"{axes} == bottom[i]->num_axes()", axes, len(shape))
            require("1 == bottom[i]->shape(0)", 1, shape[0])
            require("num_instances == bottom[i]->shape(1)", streams, shape[1])
    gates = site.bottoms[1] if len(site.bottoms) > 1 else None
    if cell is not None and gates is not None and cell[2] is not None:
        require("4 * hidden_dim_ == bottom[1]->shape(2)", 4 * cell[2], gates[2])
    return Outcome((cell, cell)[: len(site.layer.tops)])
