"""Means of 8-bit images, and how to tell which units a mean is in.

Caffe computes (x − mean) · scale (data_transformer.cpp), so a mean is always in raw units,
0..255, whatever the scale.
"""

from __future__ import annotations

from collections.abc import Sequence

from caffefix.syntax.scalars import number_value

# Means that people use: ImageNet's by channel (three roundings), mid-grey.
_KNOWN = (104.0, 117.0, 123.0, 104.007, 116.669, 122.679, 103.939, 116.779, 123.68, 103.94, 116.78, 127.5, 128.0)


def decimals(value: str) -> int:
    """How many digits a number has after its decimal point."""
    mantissa = value.lower().partition("e")[0]
    return len(mantissa.partition(".")[2].rstrip("f"))


def known_mean(value: str, factor: float) -> float | None:
    """The known mean that a value times a factor equals, within the precision of its digits."""
    number = number_value(value)
    if number is None:
        return None
    slack = min(0.5 * 10.0 ** -decimals(value) * factor, 0.6) + 1e-3
    near = [mean for mean in _KNOWN if abs(number * factor - mean) <= slack]
    return min(near, key=lambda mean: abs(number * factor - mean)) if near else None


def raw_means(values: Sequence[str], scale: float) -> list[float] | None:
    """The raw means behind scaled ones, by a factor of 255 or 1/scale; None if neither gives known means."""
    best: tuple[float, list[float]] | None = None
    for factor in (255.0, 1.0 / scale):
        means = [known_mean(value, factor) for value in values]
        if all(mean is not None for mean in means):
            found = [mean for mean in means if mean is not None]
            numbers = [number_value(value) or 0.0 for value in values]
            error = sum(abs(n * factor - m) for n, m in zip(numbers, found, strict=True))
            if best is None or error < best[0]:
                best = error, found
    return best[1] if best else None
