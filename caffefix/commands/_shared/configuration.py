"""The options that several commands share, and what they mean. Click is not imported here: see the package."""

from __future__ import annotations

from caffefix.commands._shared.errors import fail, misuse
from caffefix.commands._shared.option import Kind, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from caffefix.zoo import patches
    from caffefix.zoo.config import Configuration

# Options that a configuration file may also set (the command line wins), and those that name the file.
OPTIONS = (
    Option(("--select",), "Check for these findings only.", Kind.NAMES, "NAMES"),
    Option(("--ignore",), "Leave these findings out.", Kind.NAMES, "NAMES"),
    Option(("--exclude",), "Skip matching files and folders in searches.", Kind.MANY, "PATTERN"),
    Option(("--dialect",), "The fork of Caffe that the files are for.", Kind.VALUE, "FORK", fallback=None),
    Option(
        ("--proto",), "The caffe.proto that the files are for, if not the one in their repository.",
        Kind.VALUE, "FILE", fallback=None,
    ),
    Option(("--target",), "caffe-old: Caffe before 2016.", Kind.CHOICE, choices=("caffe", "caffe-old")),
    Option(("--from-scratch", "--no-from-scratch"), "Whether nets are trained from their fillers.", Kind.ON_OFF),
    Option(("--config",), "Use this configuration file for all paths.", Kind.VALUE, "FILE", fallback=None),
    Option(("--no-config",), "Read no configuration file."),
)  # fmt: skip


def configuration(config: str | None, no_config: bool, unsafe: bool | None = None, **given: Any) -> Configuration:
    """What ``OPTIONS`` say, checked."""
    from caffefix.engine.select import Selection, UnknownNameError
    from caffefix.zoo.config import CliOverrides, Configuration

    if config is not None and no_config:
        raise misuse("--config and --no-config cannot both be given")
    select, ignore = given["select"], given["ignore"]
    try:
        Selection(select, ignore).check()
    except UnknownNameError as error:
        raise misuse(str(error)) from None
    check_dialect(given["dialect"] or "")
    if given["proto"] == "":
        raise misuse("--proto needs a file")
    if given["dialect"] and given["proto"]:
        raise misuse("--dialect and --proto cannot both be given")
    said = CliOverrides(
        select=select or None,
        ignore=ignore or None,
        exclude=given["exclude"] or None,
        unsafe=unsafe,
        dialect=given["dialect"],
        proto=given["proto"],
        target=given["target"],
        from_scratch=given["from_scratch"],
    )
    return Configuration(said, config or "", isolated=no_config)


def patches_of(values: tuple[str, ...]) -> patches.UserPatches | None:
    """The patches of ``--patch``; an invalid one ends the run before it starts."""
    if not values:
        return None
    from caffefix.zoo.patches import PatchFileError, given

    try:
        return given(values)
    except PatchFileError as error:
        fail(str(error))


def check_dialect(name: str) -> None:
    """Refuse the name of an unknown fork."""
    if not name:
        return
    from difflib import get_close_matches

    from caffefix.caffe.schema import load

    forks = load().forks
    if name not in forks:
        near = get_close_matches(name, forks, 1)
        hint = f"did you mean {near[0]}?" if near else f"the known forks are {', '.join(sorted(forks))}"
        raise misuse(f"there is no fork {name!r}; {hint}")
