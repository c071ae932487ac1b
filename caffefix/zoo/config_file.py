"""One configuration file: ``caffefix.toml``, or the table ``[tool.caffefix]`` of a ``pyproject.toml``."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from importlib import import_module

from caffefix._startup.patterns import pattern
from caffefix._startup.records import dataclass
from caffefix.syntax.source import visible
from caffefix.zoo.files import LIST, FileError, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OWN = "caffefix.toml"
SHARED = "pyproject.toml"
KEYS = (
    "select", "ignore", "per-file-ignores", "exclude", "include", "unsafe", "dialect", "proto", "target",
    "from-scratch", "baseline",
)  # fmt: skip


_MOST = 1000  # patterns or names in a list: each is compared with each file
_PARTS = 32  # of a dotted key: TOML readers take time quadratic in their number
_DEEP_KEY = pattern(r"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){32}""", re.ASCII)


class ConfigError(Exception):
    """A configuration that cannot be used; the message names the file, the key and what to write."""

    def __init__(self, message: str) -> None:
        super().__init__(visible(message))


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The content of one file.

    Attributes:
        path: the file.
        root: the folder that its patterns are relative to.
        values: the given ones, by key: strings, bools, tuples of strings; ``per-file-ignores``
            is a tuple of (pattern, names).
    """

    path: str
    root: str
    values: dict[str, Any]


def load(path: str, root: str | None = None) -> ConfigFile | None:
    """Read and check a file; None for a ``pyproject.toml`` without our table.

    Raises:
        ConfigError: it cannot be read, is not TOML, or has an unknown key or invalid value.
    """
    try:
        data = read(path, LIST)
    except FileError as error:
        raise ConfigError(str(error)) from error
    shared = os.path.basename(path) == SHARED
    if shared and b"caffefix" not in data:
        return None  # mistakes in other tools' tables are not reported
    table: Any = _toml(path, data)
    where = ""
    if shared:
        tool = table.get("tool", {})
        table = tool.get("caffefix") if isinstance(tool, dict) else None
        where = "tool.caffefix."
        if table is None:
            return None
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: tool.caffefix: must be a table, but is {_kind(table)}")
    values = {key: _checked(f"{path}: {where}", key, value) for key, value in table.items()}
    folder = os.path.dirname(os.path.abspath(path))
    if values.get("baseline"):
        values["baseline"] = _below(f"{path}: {where}baseline", folder, values["baseline"], "--baseline")
    if values.get("proto"):
        values["proto"] = _proto(f"{path}: {where}proto", folder, values["proto"])
        if values.get("dialect"):
            raise ConfigError(f"{path}: {where}proto: dialect also names a Caffe; leave one of them out")
    return ConfigFile(path, folder if root is None else root, values)


def _proto(place: str, folder: str, value: str) -> str:
    """The caffe.proto that a configuration file names."""
    found = _below(place, folder, value, "--proto")
    if not os.path.isfile(found):
        raise ConfigError(f"{place}: there is no file {value}")
    return found


def _below(place: str, folder: str, value: str, option: str) -> str:
    """A path that a configuration file names: only below its folder, as a repository must not lead elsewhere."""
    found = os.path.join(folder, value)
    real = os.path.realpath(folder)
    if os.path.commonpath((os.path.realpath(found), real)) != real:
        raise ConfigError(f"{place}: {value} is not below this file's folder; give it with {option}")
    return found


def _toml(path: str, data: bytes) -> dict[str, Any]:
    toml: Any = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")  # the same by two names
    try:
        text = data.decode("utf-8")
        deep = _DEEP_KEY.search(text)
        if deep is not None:
            line = text.count("\n", 0, deep.start()) + 1
            raise ConfigError(f"{path}:{line}: a key of more than {_PARTS} parts")
        table: dict[str, Any] = toml.loads(text)
        return table
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8, which TOML requires; save it as UTF-8") from None
    except toml.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    except ValueError as error:  # numbers that Python cannot read
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{path}: not valid TOML: nested too deeply") from None


def _checked(where: str, key: str, value: Any) -> Any:
    check = _CHECKS.get(key)
    if check is None:
        from difflib import get_close_matches

        near = get_close_matches(key.replace("_", "-"), KEYS, 1)
        hint = f"did you mean {near[0]}?" if near else f"the known keys are {', '.join(KEYS)}"
        raise ConfigError(f"{where}{key}: there is no such key; {hint}")
    return check(f"{where}{key}", value)


def _kind(value: Any) -> str:
    kinds = {bool: "a bool", str: "a string", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return kinds.get(type(value), f"a {type(value).__name__}")


def _flag(place: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{place}: must be true or false, but is {_kind(value)}")
    return value


def _strings(place: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ConfigError(f'{place}: must be a list of strings (["…"]), but is {_kind(value)}')
    odd = next((item for item in value if not isinstance(item, str) or not item), None)
    if odd is not None:
        got = "empty" if odd == "" else _kind(odd)
        raise ConfigError(f"{place}: must be a list of strings, but one item is {got}")
    if len(value) > _MOST:
        raise ConfigError(f"{place}: a list of {len(value)} items; the maximum is {_MOST}")
    return tuple(value)


def _findings(place: str, value: Any) -> tuple[str, ...]:
    """Names and globs of findings."""
    from caffefix.engine.select import Selection, UnknownNameError

    names = _strings(place, value)
    try:
        Selection(select=names).check()
    except UnknownNameError as error:
        raise ConfigError(f"{place}: {error}") from None
    return names


def _by_pattern(place: str, value: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, dict):
        raise ConfigError(f'{place}: must be a table ({{ "old/*" = ["legacy-*"] }}), but is {_kind(value)}')
    if len(value) > _MOST:
        raise ConfigError(f"{place}: {len(value)} patterns; the maximum is {_MOST}")
    return tuple((pattern, _findings(f'{place}."{pattern}"', names)) for pattern, names in value.items())


def _one_of(place: str, value: Any, known: tuple[str, ...], what: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{place}: must be a string, but is {_kind(value)}")
    if value not in known:
        from difflib import get_close_matches

        near = get_close_matches(value, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"the known ones are {', '.join(sorted(known))}"
        raise ConfigError(f'{place}: there is no {what} "{value}"; {hint}')
    return value


def _dialect(place: str, value: Any) -> str:
    from caffefix.caffe.schema import load as schema

    return "" if value == "" else _one_of(place, value, tuple(schema().forks), "fork")


def _path(place: str, value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ConfigError(f"{place}: must be a path, but is {_kind(value)}")
    return value


def _target(place: str, value: Any) -> str:
    from caffefix.findings import CAFFE, OLD_CAFFE

    return _one_of(place, value, (CAFFE, OLD_CAFFE), "target")


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "select": _findings,
    "ignore": _findings,
    "per-file-ignores": _by_pattern,
    "exclude": _strings,
    "include": _strings,
    "unsafe": _flag,
    "dialect": _dialect,
    "proto": _path,
    "target": _target,
    "from-scratch": _flag,
    "baseline": _path,
}
