"""The Caffe that a single file is for, for commands that have no options about it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from caffefix.commands._shared.output import say

if TYPE_CHECKING:
    from caffefix.caffe.caffes import Caffes
    from caffefix.zoo.family import Families


def own_caffe(path: str, families: Families | None = None, proto: str = "") -> Caffes | None:
    """The Caffes that a file is judged by, with its repository's own; None where there is none.

    What is wrong with the .proto file that is there is a warning.

    Args:
        path: the file.
        families: where they are found, by one who asks for several files.
        proto: the caffe.proto that the command line names; else the configuration may name one.

    Raises:
        OwnCaffeError: the one that is named cannot be used.
        ConfigError: a configuration file cannot be used.
    """
    from caffefix.zoo.config import Configuration
    from caffefix.zoo.family import Families

    found = (families or Families()).own(path, proto or Configuration().of(path).settings.proto)
    if found.trouble:
        say(sys.stderr, f"warning: {found.trouble}; {path} is judged by the known forks alone\n")
    return found.caffes
