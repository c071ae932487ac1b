"""The Caffe that a single file is for, for commands without options that select it."""

from __future__ import annotations

import sys

from caffefix.commands._shared.output import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.caffe.caffes import Caffes
    from caffefix.zoo.family import Families


def own_caffe(path: str, families: Families | None = None, proto: str = "") -> Caffes | None:
    """The Caffes that a file is judged by, including its repository's own; None where it has none of its own.

    If the repository's .proto file cannot be used, a warning says why.

    Args:
        path: the file.
        families: a shared cache of them, for callers with several files.
        proto: the caffe.proto that the command line names; otherwise the configuration may name one.

    Raises:
        OwnCaffeError: the named caffe.proto cannot be used.
        ConfigError: a configuration file cannot be used.
    """
    from caffefix.zoo.config import Configuration
    from caffefix.zoo.family import Families

    found = (families or Families()).own(path, proto or Configuration().of(path).settings.proto)
    if found.trouble:
        say(sys.stderr, f"warning: {found.trouble}; {path} is judged by the known forks only\n")
    return found.caffes
