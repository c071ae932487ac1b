"""The report of ``caffefix deploy``, for people."""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.commands.deploy.work import Deployed, InputBlob
from caffefix.syntax.scalars import number_text


def render(made: Deployed) -> str:
    """Inputs with how to prepare them, outputs, dropped layers, and notes."""
    return "".join(f"{line}\n" for line in _lines(made))


def _lines(made: Deployed) -> Iterator[str]:
    if made.migrated:
        yield "migrated to the current layer format first"
    for blob in made.inputs:
        yield f"input   {blob.name}  {' × '.join(map(str, blob.shape))}{_how(blob)}"
    for name in made.outputs:
        yield f"output  {name}"
    for why, names in made.dropped:
        yield f"dropped {', '.join(dict.fromkeys(names))} ({why})"
    for note in made.notes:
        yield f"note    {note}"


def _how(blob: InputBlob) -> str:
    parts = []
    if blob.mean:
        parts.append(f"subtract the mean {blob.mean} from it first")
    if blob.scale != 1:
        parts.append(f"do not scale: the Power layer multiplies by {number_text(blob.scale)}")
    return f"  ({'; '.join(parts)})" if parts else ""
