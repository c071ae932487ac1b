"""What a Caffe registers, read from its C++ as text: nothing is compiled or run.

Layer types, solvers and fillers have their names in macros, in the cases of a switch (2013, 2014) or in
comparisons of strings; learning rate policies in comparisons. A kind that is not found is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from caffefix._startup.patterns import pattern
from caffefix._startup.records import dataclass
from caffefix.caffe.registry import Form, Kind

# A source without any of these words registers nothing.
WORDS = (b"REGISTER_LAYER", b"REGISTER_SOLVER", b"_LayerType_", b"_SolverType_", b"GetFiller", b"lr_policy")


@dataclass(frozen=True, slots=True)
class Registered:
    """The names that one Caffe registers.

    Attributes:
        names: of each kind and form, those that were found.
        upgrades: what types of V0 and V1 become, by ``v0`` or ``v1`` and the type as written.
    """

    names: frozenset[tuple[Kind, Form, str]]
    upgrades: tuple[tuple[str, str, str], ...]

    def knows(self, kind: Kind) -> bool:
        """Whether something of a kind was found."""
        return any(one is kind for one, _, _ in self.names)


NOTHING = Registered(frozenset(), ())

# An unclosed match extends to the end: a search that restarts at each place would take quadratic time.
_COMMENT = pattern(r'//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:[^"\\\n]|\\.)*(?:"|(?=\n)|\Z|\\\Z)', re.S)
_MACRO = pattern(r"^[ \t]*REGISTER_(LAYER|SOLVER)_(?:CLASS|CREATOR)\w*\s*\(\s*(\w{1,128})\b", re.M)
# A macro around these registers names that are not visible: no names of that kind are known then.
_OF_THEIR_OWN = pattern(
    r"^[ \t]*#[ \t]*define[ \t]+(?!REGISTER_(?:LAYER|SOLVER)_C\w+)\w+(?!\w)[^\n]*?\bREGISTER_(LAYER|SOLVER)_C",
    re.M,
)
_CASE = pattern(r"\bcase\s+(?:caffe\s*::\s*)?(?:V1)?(?:Layer|Solver)Parameter_(Layer|Solver)Type_(\w+)\s*:")
_TO_V2 = pattern(r'\bcase\s+(?:V1)?LayerParameter_LayerType_(\w+)\s*:\s*return\s+"([\w.+-]+)"\s*;')
_TO_V1 = pattern(
    r'\(\s*type\s*==\s*"([\w.+-]+)"\s*\)\s*(?:\{\s*)?return\s+'
    r"(?:V1)?LayerParameter_LayerType_(\w+)\s*;"
)
_COMPARED = pattern(r'\btype\s*==\s*"([\w.+-]+)"')
_POLICY = pattern(r'\blr_policy(?:\(\))?\s*==\s*"([\w.+-]+)"')
_FILLERS = pattern(r"\bGetFiller\s*\(\s*const\s+FillerParameter\s*&")
_LAYERS = pattern(r"\bGetLayer\s*\(\s*const\s+LayerParameter\s*&")


def registered(texts: Iterable[bytes]) -> Registered:
    """What the sources of a Caffe register.

    Args:
        texts: the sources, in any order; those without one of ``WORDS`` may be omitted.
    """
    names: set[tuple[Kind, Form, str]] = set()
    upgrades: set[tuple[str, str, str]] = set()
    hidden: set[Kind] = set()
    macros: dict[Kind, set[str]] = {Kind.LAYER: set(), Kind.SOLVER: set()}
    for data in texts:
        text = _bare(data.decode("latin-1"))
        names.update(_named(text))
        hidden.update(Kind.LAYER if what == "LAYER" else Kind.SOLVER for what in _OF_THEIR_OWN.findall(text))
        for what, name in _MACRO.findall(text):
            macros[Kind.LAYER if what == "LAYER" else Kind.SOLVER].add(name)
        upgrades.update(("v1", v1, v2) for v1, v2 in _TO_V2.findall(text))
        upgrades.update(("v0", v0, v1) for v0, v1 in _TO_V1.findall(text))
    for kind in hidden:
        names = {name for name in names if name[0] is not kind}
        macros[kind].clear()
    for kind, given in macros.items():
        # In 2014 macros took values of the enum; since then they take the types that are written in strings.
        form = Form.ENUM if all(name.isupper() for name in given) else Form.STRING
        names.update((kind, form, name) for name in given)
    return Registered(frozenset(names), tuple(sorted(upgrades)))


def _bare(text: str) -> str:
    """A source without its comments; strings stay."""
    return _COMMENT.sub(lambda found: found.group() if found.group()[0] == '"' else " ", text)


def _named(text: str) -> Iterator[tuple[Kind, Form, str]]:
    made = _TO_V2.sub(" ", text)  # upgraded types do not have to be created
    for what, name in _CASE.findall(made):
        yield (Kind.LAYER if what == "Layer" else Kind.SOLVER), Form.ENUM, name
    for start in islice(_FILLERS.finditer(text), _MOST):
        for name in _COMPARED.findall(_body(text, start.end())):
            yield Kind.FILLER, Form.STRING, name
    for start in islice(_LAYERS.finditer(text), _MOST):
        for name in _COMPARED.findall(_body(text, start.end())):
            yield Kind.LAYER, Form.V0, name
    for name in _POLICY.findall(text):
        yield Kind.POLICY, Form.STRING, name


_LONGEST = 1 << 14  # characters of a function
_MOST = 16  # functions of a name in one source


def _body(text: str, start: int) -> str:
    """A function's text, to the first brace at a line's start."""
    end = text.find("\n}", start, start + _LONGEST)
    return text[start : end if end >= 0 else start + _LONGEST]
