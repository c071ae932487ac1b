"""What a word that caffefix does not know may have been meant to be: misspelt, or as another tool calls it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

_CHECK = "caffefix --check PATH reports and writes nothing"
_REPAIR = "caffefix PATH repairs files in place; --dry-run shows the edits first"
_LIST = "caffefix fixers lists what is found"
_UPGRADE = "caffefix --select 'legacy-*' PATH upgrades old formats"
_SUPPRESS = "caffefix suppress PATH adds comments for what is found today"

# Commands of linters, of formatters and of Caffe's own tools.
_COMMANDS = {
    **dict.fromkeys(("lint", "check", "validate", "verify", "analyse", "analyze"), _CHECK),
    **dict.fromkeys(("fix", "apply", "run", "write"), _REPAIR),
    **dict.fromkeys(
        ("format", "fmt", "pretty"), "the layout of a file is kept; caffefix PATH repairs what is wrong in it"
    ),
    **dict.fromkeys(("rules", "rule", "list", "list-fixers", "findings", "checks"), _LIST),
    **dict.fromkeys(("why", "docs", "doc", "describe"), "caffefix explain NAME shows the page of a finding"),
    **dict.fromkeys(("upgrade", "migrate", "upgrade-net-proto-text", "upgrade-solver-proto-text"), _UPGRADE),
    "upgrade-net-proto-binary": f"caffefix reads text, no .caffemodel; {_UPGRADE}",
    **dict.fromkeys(("train", "time"), "caffefix prove NET trains a net in real Caffe"),
    **dict.fromkeys(("parse-log", "plot", "logs"), "caffefix log TRAIN.LOG reports what a log shows"),
    **dict.fromkeys(("noqa", "add-noqa", "ignore", "silence"), _SUPPRESS),
    **dict.fromkeys(("settings", "show-settings"), "caffefix config PATH shows the settings in force"),
    "compare": "caffefix diff OLD NEW shows what differs in meaning",
    "clean": "caffefix cache clear deletes the cache",
    "help": "see caffefix --help",
    "version": "see caffefix --version",
}
# Options of linters and formatters, where ``caffefix PATH`` has another or needs none.
_OPTIONS = {
    **dict.fromkeys(
        ("--fix", "--write", "-w", "--in-place", "--inplace", "--apply"),
        "repairing files in place is the default; --dry-run shows the edits first",
    ),
    **dict.fromkeys(
        ("--no-fix", "--lint", "--lint-only", "--verify", "--validate", "--no-write"),
        "--check reports and writes nothing",
    ),
    **dict.fromkeys(
        ("-n", "--preview", "--show-diff", "--show-fixes", "--what-if"), "--dry-run shows the edits as a diff"
    ),
    **dict.fromkeys(
        ("--list-fixers", "--list-rules", "--list-checks", "--rules", "--fixers", "--list", "-l"), _LIST
    ),
    **dict.fromkeys(("--rule", "--enable", "--only", "--checks", "--extend-select"), "--select takes names"),
    **dict.fromkeys(("--disable", "--skip", "--extend-ignore"), "--ignore leaves findings out"),
    **dict.fromkeys(("--unsafe-fixes", "--aggressive", "-a"), "--unsafe also applies unsafe fixes"),
    **dict.fromkeys(("--output-format", "--reporter", "-f"), "--format selects the report"),
    **dict.fromkeys(("-o", "--output", "--out"), "--output-file takes the report; deploy -o makes a deploy net"),
    **dict.fromkeys(("--show-source", "--show-context"), "--format full has each finding with its line"),
    **dict.fromkeys(("-r", "-R", "--recursive"), "folders are searched as they are"),
    **dict.fromkeys(("--stdin", "--stdin-filepath"), "- as the path is standard input, --stdin-filename its name"),
    **dict.fromkeys(("--add-noqa", "--suppress"), _SUPPRESS),
    **dict.fromkeys(("--explain", "--rule-help"), "caffefix explain NAME shows the page of a finding"),
    **dict.fromkeys(("--show-settings", "--print-config"), "caffefix config PATH shows the settings in force"),
    **dict.fromkeys(("--upgrade", "--migrate"), _UPGRADE),
    "--isolated": "--no-config reads no configuration file",
    "--finetune": "--no-from-scratch says that weights are loaded",
}


def of_command(word: str, names: Collection[str]) -> str:
    """What a word in the place of a command may mean; empty if nothing is near."""
    return _COMMANDS.get(word.lower().replace("_", "-")) or _nearest(word, names)


def of_option(flag: str, flags: Collection[str], *, repairing: bool) -> str:
    """What an unknown flag may mean; empty if nothing is near.

    Args:
        flag: as it was written.
        flags: those of the command.
        repairing: whether the command is ``caffefix PATH…``, which other tools' options are compared with.
    """
    return (_OPTIONS.get(flag, "") if repairing else "") or _nearest(flag, flags)


def _nearest(word: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches

    names = list(names)
    longer = [name for name in names if len(word) > 3 and name.startswith(word)]
    bare = {name.lstrip("-"): name for name in names}  # dashes, which all flags have, do not make them alike
    near = longer if len(longer) == 1 else [bare[name] for name in get_close_matches(word.lstrip("-"), bare, 1)]
    return f"did you mean {near[0]}?" if near else ""
