"""Layers of forks that resize maps."""

from __future__ import annotations

from caffefix.caffe.layers.shapes.base import Outcome, Site, times


def bilinear_interpolation(site: Site) -> Outcome:
    """To the size of a second bottom, or by an integer factor: two forks' layers of one name."""
    bottom = site.bottom
    if bottom is None or len(bottom) != 4:
        return Outcome((None,))
    if len(site.bottoms) > 1:
        like = site.bottoms[1]
        sizes = like[2:4] if like is not None and len(like) >= 4 else (None, None)
        return Outcome(((*bottom[:2], *sizes),))
    factor = site.fields("bilinear_interpolation_param").integer("interpolation_factor", None)
    return Outcome(((*bottom[:2], *(times(size, factor) for size in bottom[2:])),))
