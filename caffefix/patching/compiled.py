"""Shipped patches as Python, so that a run does not have to read them: the text of ``_compiled.py``.

A record is written as the call that creates it, with everything that finding matches needs; what only pages and
messages about the patch file need is omitted.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator

from caffefix._startup.records import fields, replace
from caffefix.patching.automaton import Automaton
from caffefix.patching.patch import Patch
from caffefix.patching.prefilter import Prefilter
from caffefix.syntax.source import Source
from caffefix.syntax.tables import checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEAD = '''"""The shipped patches, read. Made when the package is built. Do not edit."""

{imports}

'''
_PATCH = """
def {name}() -> Patch:
    return {patch}
"""


def source(patches: Iterable[Patch]) -> str:
    """A module with a function for each patch, named after it, and the checksums of their files."""
    taken: set[tuple[str, str]] = set()
    named = [("patch_" + patch.front.name.replace("-", "_"), patch) for patch in patches]
    functions = [_PATCH.format(name=name, patch=_written(_bare(patch), taken)) for name, patch in named]
    sums = {name: checksum(patch.source.data) for name, patch in named}
    imports = "\n".join(f"from {module} import {name}" for module, name in sorted(taken))
    return _HEAD.format(imports=imports) + f"SUMS = {sums!r}\n\n" + "\n".join(functions)


def _bare(patch: Patch) -> Patch:
    """A patch without its text and its page."""
    front = replace(patch.front, sections={}, offsets={})
    return replace(patch, source=Source(patch.source.path.rpartition("/")[2], b""), front=front)


def _written(value: Any, taken: set[tuple[str, str]]) -> str:
    """An expression for a value; recurses as deep as a body may nest.

    Args:
        value: a record, or a value in a record.
        taken: the modules and names that the expression needs to import.
    """
    if value is None or (isinstance(value, str | bytes | int | float) and not isinstance(value, enum.Enum)):
        return repr(value)
    if isinstance(value, tuple):
        return "(" + "".join(f"{_written(part, taken)}, " for part in value) + ")"
    if isinstance(value, list):
        return "[" + ", ".join(_written(part, taken) for part in value) + "]"
    if isinstance(value, frozenset):
        return "frozenset((" + "".join(f"{part}, " for part in sorted(_written(p, taken) for p in value)) + "))"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {_written(part, taken)}" for k, part in value.items()) + "}"
    kind = type(value)
    place = (kind.__module__, kind.__name__)
    taken.add(place)
    called = kind.__name__
    if isinstance(value, enum.Enum):
        return f"{called}.{value.name}"
    return f"{called}({', '.join(_written(part, taken) for part in _parts(value))})"


def _parts(value: Any) -> Iterator[Any]:
    """The parts of an object, as its class accepts them."""
    if isinstance(value, Source):
        yield from (value.path, value.data)
    elif isinstance(value, Prefilter):
        yield from (frozenset(value.names), tuple(value.inner))
    elif isinstance(value, Automaton):
        yield from (value.expression, value.arrows, value.free, value.start, value.end)
    else:
        yield from (getattr(value, field.name) for field in fields(value))
