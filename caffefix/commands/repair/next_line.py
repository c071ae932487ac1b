"""The command line of a run with other options: what a report suggests to type next."""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.commands._shared.option import Kind, Option
from caffefix.commands.repair.options import OPTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Options that determine which files are judged, and how.
_KEPT = frozenset((
    "patches", "roots", "select", "ignore", "exclude", "dialect", "proto", "target", "from_scratch", "config",
    "no_config", "log", "files_from", "changed_since", "no_gitignore", "follow_links",
))  # fmt: skip


class NextLine:
    """Writes command lines for the files of a run.

    Args:
        given: the run's parameters, including ``paths``.
    """

    def __init__(self, given: Mapping[str, object]) -> None:
        self._given = given

    def __call__(self, what: str) -> str:
        """A command line, quoted for the shell; empty if the run cannot be repeated.

        Args:
            what: options to give (``--dry-run``), empty for none.
        """
        from shlex import join

        paths = self._given["paths"]
        assert isinstance(paths, tuple)
        if "-" in (*paths, self._given["files_from"], self._given["log"]):  # standard input was read
            return ""
        added = what.split()
        if self._given["unsafe"] and "--unsafe" not in added:
            added.append("--unsafe")
        return join(("caffefix", *added, *self._kept(), *paths))

    def _kept(self) -> Iterator[str]:
        """The run's own options that the next one needs, too."""
        for option in OPTIONS:
            value = self._given[option.parameter]
            if option.parameter in _KEPT and value != option.default:
                yield from _written(option, value)


def _written(option: Option, value: object) -> Iterator[str]:
    """An option as it is written on a command line."""
    if option.kind in (Kind.SWITCH, Kind.ON_OFF):
        yield option.flags[0 if value else 1]
    elif option.kind is Kind.NAMES and isinstance(value, tuple):
        yield from (option.flags[0], ",".join(value))
    else:
        for item in value if isinstance(value, tuple) else (value,):
            yield from (option.flags[0], str(item))
