"""Placeholders: values that a program, or a person, was to fill in.

Nothing is wrong with such a value itself; it is right or wrong once it is filled in. A file that cannot be read
because of it (``num_output: ${N}``) is reported by the parser (``syntax/hints.py``).
"""

from __future__ import annotations

import re
from functools import lru_cache

from caffefix._startup.patterns import pattern
from caffefix.caffe.schema import SCALARS, load
from caffefix.syntax.scalars import is_string, number_value, string_value
from caffefix.syntax.tree import Node

# As template engines, shells, make, CMake and format strings write them.
_MARK = pattern(
    r"\$\{[^{}]*\}|\$\([^()]*\)|\$[A-Za-z_]|\{\{|\{%|\{[A-Za-z_]\w*\}|\{\d*\}|%\(\w+\)|%[sdifgr](?![A-Za-z0-9])"
    r"|%[A-Z_]{2,}%|#[A-Z_]{2,}#|@[A-Za-z_]\w*@|<[A-Za-z][^<>]*>|\[[A-Z][A-Z_ ]+\]|__[A-Z][A-Z0-9_]*?__|^__\w+__$"
)
# As people write them: TODO, xxx_lmdb, /path/to/lmdb, your_net.prototxt, three dots or question marks.
_WORD = pattern(
    r"(?<![A-Za-z0-9])(TODO|FIXME|TBD|FILL(_?(ME|IN|THIS))?|CHANGE_?(ME|THIS)|REPLACE_?(ME|THIS)|PLACEHOLDER"
    r"|[Xx]{3,})(?![A-Za-z0-9])|^(todo|fixme|tbd|placeholder)$|(^|/)path/to/|(?<![A-Za-z])([Yy]our|YOUR)[-_ A-Z]"
    r"|^\.{3}(/|$)|^\?+$"
)
_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]+")
_NUMBERS = SCALARS - {"bool", "string", "bytes"}


def is_placeholder(node: Node) -> bool:
    """Whether the value of a field was never filled in."""
    if node.is_message or node.is_list:
        return False
    value = node.value
    if is_string(value):
        text = string_value(value)
        return bool(_MARK.search(text) or _WORD.search(text))
    if number_value(value) is not None:
        return False
    return bool(_MARK.search(value) or _WORD.search(value)) or _is_constant(node)


def _is_constant(node: Node) -> bool:
    """Whether a name like that of a constant (``NUM_CLASSES``) is in a place where Caffe accepts only numbers."""
    return _CONSTANT.fullmatch(node.value) is not None and _takes_numbers(node.name)


@lru_cache(maxsize=1 << 10)
def _takes_numbers(field: str) -> bool:
    """Whether Caffe accepts only numbers in fields of a name, in any fork."""
    messages = load().messages
    kinds = {v.kind for name in load().holders(field) for v in messages[name][field]}
    return bool(kinds) and kinds <= _NUMBERS
