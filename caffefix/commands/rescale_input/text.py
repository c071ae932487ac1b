"""The report of ``caffefix rescale-input``, with the proof that nothing changes for the net."""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.commands.rescale_input.work import Rescaled, RescaleOptions, Shown
from caffefix.syntax.source import visible


def render(done: Rescaled, options: RescaleOptions) -> str:
    """The identity, the numbers of each data layer, and the files."""
    return "".join(f"{line}\n" for line in _lines(done, options))


def cure(net: str, *, written: bool) -> str:
    """What to do for a net whose trouble is that pixels are too large for it.

    Args:
        net: its path.
        written: whether it has been rescaled, which must be undone first.
    """
    first = "undo this change, leave" if written else "leave"
    return (
        "pixels of 0..255 are too large for this net (missing-input-scale), and this command does not repair "
        f"that: the net sees the same numbers\nto repair it, {first} your data unchanged, and scale them in the "
        f"net: caffefix --select missing-input-scale {visible(net)}\n"
    )


def _lines(done: Rescaled, options: RescaleOptions) -> Iterator[str]:
    yield f"your stored data will be {options.new} (now {options.old}): x' = {_map(options)}"
    if options.first_layer:
        factor = f"{options.factor:.9g}"
        yield f"the net sees {factor} × what it saw; the first layer's weights are divided by that factor"
    else:
        yield "(x' − mean') · scale' = (x − mean) · scale"
    for shown in done.proof:
        yield from _layer(shown)
    for file in done.mean_files:
        yield f"mean file {file.old} → {file.new}"
    for name in done.first_layers:
        yield (
            f'first layer "{name}": exact for SGD, momentum and Nesterov, trained from its filler; existing '
            "weights do not fit, and AdaGrad, RMSProp and Adam need a different lr_mult"
        )


def _layer(shown: Shown) -> Iterator[str]:
    phases = " and ".join(phase.value for phase in shown.phases) or "no phase"
    (mean, scale), (new_mean, new_scale) = shown.old, shown.new
    yield f'"{shown.layer}" ({phases}): mean {mean} → {new_mean}; scale {scale} → {new_scale}'
    for old, seen, new, seen_new in shown.pixels:
        yield f"  pixel {old:.6g} gives {seen:.6g}; stored as {new:.6g} it gives {seen_new:.6g}"
    yield f"  largest difference: {shown.error:.1e} of the range"


def _map(options: RescaleOptions) -> str:
    factor = f"{options.factor:.9g} · x"
    return f"{factor} {'+' if options.offset > 0 else '−'} {abs(options.offset):.9g}" if options.offset else factor
