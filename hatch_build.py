"""Writes what is made of the fixers and patches, when a wheel or an editable installation is built.

These modules (``_index.py``, ``_compiled.py``) say in Python what sources say elsewhere, so that a run imports and
reads only what its files need. They are not committed: a checkout without them, or with sources edited since,
asks the sources themselves.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULES = ("caffefix.fixers", "caffefix.patching")


class Generate(BuildHookInterface):  # type: ignore[type-arg]
    """The hook; it needs no package besides hatchling."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the modules."""
        for module in MODULES:
            subprocess.run([sys.executable, "-m", module], cwd=self.root, check=True, stdout=subprocess.DEVNULL)
