"""Expectations over Gaussians that mean-field prediction needs.

Sources: Cho and Saul 2009 (rectified pairs); Poole et al. 2016, arXiv:1606.05340, and Schoenholz et
al. 2017, arXiv:1611.01232 (two-point maps); order statistics of normal samples (Harter 1961).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import acos, erf, exp, log, pi, sqrt

_STEPS = 32
# Midpoints of z in ±4.5 and their normal weights, which add up to one.
_Z = [-4.5 + 9 * (i + 0.5) / _STEPS for i in range(_STEPS)]
_TOTAL = sum(exp(-z * z / 2) for z in _Z)
NODES = tuple((z, exp(-z * z / 2) / _TOTAL) for z in _Z)


def density(z: float) -> float:
    """Of the standard normal distribution."""
    return exp(-z * z / 2) / sqrt(2 * pi)


def share_below(z: float) -> float:
    """Its distribution function."""
    return (1 + erf(z / sqrt(2))) / 2


def mean_abs(mean: float, var: float) -> float:
    """E|z| of a normal z."""
    if var <= 0:
        return abs(mean)
    std = sqrt(var)
    return 2 * std * density(mean / std) + mean * erf(mean / (std * sqrt(2)))


def rectified_mean(mean: float, var: float) -> float:
    """E[max(z, 0)]."""
    if var <= 0:
        return max(mean, 0.0)
    std = sqrt(var)
    return std * density(mean / std) + mean * share_below(mean / std)


def rectified_square(mean: float, var: float) -> float:
    """E[max(z, 0)²]."""
    if var <= 0:
        return max(mean, 0.0) ** 2
    std = sqrt(var)
    return (mean * mean + var) * share_below(mean / std) + mean * std * density(mean / std)


def rectified_product(mean: float, var: float, cov: float) -> float:
    """E[max(x, 0) · max(y, 0)] of two correlated normals (Cho and Saul 2009, for a mean of zero)."""
    if mean == 0 and var > 0:
        alike = min(1.0, max(-1.0, cov / var))
        return var * (sqrt(1 - alike * alike) + alike * (pi - acos(alike))) / (2 * pi)
    return expect(lambda a: rectified_mean(a, var - cov) ** 2, mean, cov)


def expect(function: Callable[[float], float], mean: float, var: float) -> float:
    """E[f(z)] of a normal z."""
    if var <= 0:
        return function(mean)
    std = sqrt(var)
    return sum(weight * function(mean + std * z) for z, weight in NODES)


# size of a sample of standard normals: mean of its maximum, variance of it
_MAXIMA = (
    (1, 0.0, 1.0), (2, 0.5642, 0.6817), (3, 0.8463, 0.5595), (4, 1.0294, 0.4917), (6, 1.2672, 0.4159),
    (9, 1.4850, 0.3574), (16, 1.7660, 0.2958), (25, 1.9653, 0.2585), (49, 2.2414, 0.2157), (100, 2.5076, 0.1814),
    (1000, 3.2414, 0.1184), (10000, 3.8516, 0.0867),
)  # fmt: skip


def maximum(size: float) -> tuple[float, float]:
    """Mean and variance of the maximum of that many standard normals."""
    for (n0, mean0, var0), (n1, mean1, var1) in pairwise(_MAXIMA):
        if size <= n1:
            share = log(max(size, n0) / n0) / log(n1 / n0)
            return mean0 + share * (mean1 - mean0), var0 + share * (var1 - var0)
    return _MAXIMA[-1][1:]
