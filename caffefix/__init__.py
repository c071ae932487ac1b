"""caffefix repairs Caffe prototxt files, and proves each repair.

``check``, ``repair``, ``diff`` and ``parse`` are for Python programs (docs/python.md); they are imported on first
use, so the command line starts fast.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False

if TYPE_CHECKING:
    from types import ModuleType

    from caffefix.api import Applicability as Applicability
    from caffefix.api import Change as Change
    from caffefix.api import Document as Document
    from caffefix.api import Finding as Finding
    from caffefix.api import ParseError as ParseError
    from caffefix.api import RefusedError as RefusedError
    from caffefix.api import Repair as Repair
    from caffefix.api import Severity as Severity
    from caffefix.api import check as check
    from caffefix.api import diff as diff
    from caffefix.api import parse as parse
    from caffefix.api import repair as repair


def __getattr__(name: str) -> object:
    if name.startswith("_") or name == "api":
        raise AttributeError(name)
    api = _api()
    if name not in api.__all__:
        raise AttributeError(f"module 'caffefix' has no attribute {name!r}")
    return getattr(api, name)


def __dir__() -> list[str]:
    return [*globals(), *_api().__all__]


def _api() -> ModuleType:
    from importlib import import_module

    return import_module("caffefix.api")
