"""Fixers: one file a finding, registered by being here.

A fixer is a module named after the bad pattern (``missing_weight_filler`` finds
``missing-weight-filler``). It has

- a docstring with the sections of ``SECTIONS``, in this order: its page in ``caffefix explain`` and
  ``docs/findings``. "Fix safety" begins with "Safe", "Unsafe" or "No fix", for what its fixes are at best;
- ``PHASE``: when it runs;
- ``GROUP``: one of ``GROUPS``, under which its page is listed;
- ``CHANGES``: paths of what its fixes may change in the meaning of a net, as field names from
  the net down (``layer.convolution_param.weight_filler``, and all below it); left out by a fixer
  that preserves the meaning. The engine refuses a fix that changes anything else;
- ``NEEDS_FAMILY = True``, if what it finds depends on the files beside the one that is judged
  (``subject.family``): it cannot be told from the file's content alone;
- ``find(subject)``: yields findings, with fixes where there are any.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache

from caffefix.findings import Finding, Phase, Subject
from caffefix.records import dataclass

SECTIONS = (
    "What it finds",
    "Why it matters",
    "Example",
    "Fix safety",
    "When it is a false alarm",
    "What the forums say",
    "References",
)
OPTIONAL = ("What the forums say",)

COMPARING = "Deploy and train consistency"  # findings in a file that compare it with another
GROUPS = (
    "Syntax and migration",
    "Initialisation",
    "Learning rates and freezing",
    "Normalisation",
    "Data and transform",
    "Loss and output",
    "Graph and shapes",
    "Solver",
    COMPARING,
    "Forks",
    "Suppression comments",
)


@dataclass(frozen=True, slots=True)
class Fixer:
    """A registered fixer.

    Attributes:
        name: the finding's name.
        phase: when it runs; fixers of a phase run in the order of their names.
        summary: first line of its page.
        page: the whole page.
        find: its findings in a file.
        changes: paths of what its fixes may change in the meaning of a net.
        needs_family: whether its findings depend on other files.
        group: one of ``GROUPS``.
        opt_in: whether it is run only if it is asked for by name.
    """

    name: str
    phase: Phase
    summary: str
    page: str
    find: Callable[[Subject], Iterator[Finding]]
    changes: tuple[str, ...] = ()
    needs_family: bool = False
    group: str = ""
    opt_in: bool = False


@cache
def fixers() -> tuple[Fixer, ...]:
    """All fixers in the order in which they run."""
    found = []
    for info in pkgutil.iter_modules(__path__):
        if info.name.startswith("_"):
            continue  # helpers that fixers share
        module = importlib.import_module(f"{__name__}.{info.name}")
        page = inspect.cleandoc(module.__doc__ or "")
        name = info.name.replace("_", "-")
        changes = getattr(module, "CHANGES", ())
        family = getattr(module, "NEEDS_FAMILY", False)
        summary, group = page.partition("\n")[0], getattr(module, "GROUP", "")
        found.append(Fixer(name, module.PHASE, summary, page, module.find, changes, family, group))
    return tuple(sorted(found, key=lambda f: (f.phase, f.name)))
