"""The settings in force for a path and where they come from, for people and for programs."""

from __future__ import annotations

import json

from caffefix.reports.as_json import clean
from caffefix.syntax.source import visible
from caffefix.zoo.config import EffectiveConfig, Settings
from caffefix.zoo.config_file import KEYS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 1


def render(found: EffectiveConfig) -> str:
    """A line for each key: its value as TOML, and the origin of the value."""
    rows = [(key, _toml(_value(found.settings, key)), _origin(found, key)) for key in KEYS]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    out = [f"{visible(found.path)}: {visible(found.file) or 'no configuration file'}"]
    out += [f"{key:<{widths[0]}} = {value:<{widths[1]}}  # {origin}" for key, value, origin in rows]
    if found.ignored_here:
        out.append(f"left out here by per-file-ignores: {', '.join(found.ignored_here)}")
    if found.excluded_by:
        out.append(f'skipped when a folder is searched: exclude has "{found.excluded_by}"')
    return "".join(f"{line}\n" for line in out)


def as_json(found: EffectiveConfig) -> str:
    """The object that docs/json.md describes."""
    settings = {
        key: {"value": _value(found.settings, key), "from": clean(found.origins[key.replace("-", "_")])}
        for key in KEYS
    }
    report = {
        "version": VERSION,
        "path": clean(found.path),
        "file": clean(found.file) or None,
        "settings": settings,
        "ignored_here": list(found.ignored_here),
        "excluded": bool(found.excluded_by),
    }
    return json.dumps(report, indent=1) + "\n"


def _origin(found: EffectiveConfig, key: str) -> str:
    return visible(found.origins[key.replace("-", "_")])


def _value(settings: Settings, key: str) -> Any:
    """A value as a type of TOML and JSON."""
    value = getattr(settings, key.replace("-", "_"))
    if key == "per-file-ignores":
        return {pattern: list(names) for pattern, names in value}
    return list(value) if isinstance(value, tuple) else value


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    return json.dumps(value, ensure_ascii=False)
