"""The options of ``caffefix PATH…``, in the order of its help."""

from __future__ import annotations

from caffefix.commands._shared import configuration, files
from caffefix.commands._shared.option import Kind, Option
from caffefix.reports.formats import NAMES

OPTIONS = (
    Option(("--dry-run", "--diff"), "Write no file, but the diff to standard output."),
    Option(("--check",), "Write nothing; exit with 1 if a file would change, too."),
    Option(
        ("--fail-on",), "Exit with 1 if a finding of severity error is left (error, the default), one of severity "
        "warning or error (warning), if a file changes or an error is left (change), or not at all (never).",
        Kind.CHOICE, "WHAT", choices=("never", "error", "warning", "change"),
    ),
    Option(("--exit-zero",), "Exit with 0 whatever is found: --fail-on never."),
    Option(
        ("--patch",),
        "Look for this semantic patch: a file, a folder of them, or the name of one that is shipped.",
        Kind.MANY, "PATCH", name="patches",
    ),
    Option(("--unsafe", "--no-unsafe"), "Also apply fixes that change what a working net computes.", Kind.ON_OFF),
    Option(("--root",), "Folder that paths in solvers start from.", Kind.FOLDERS, "DIR", name="roots"),
    *configuration.OPTIONS,
    Option(("--delta",), "Show what changes in the meaning, layer by layer."),
    Option(
        ("--log",), "What Caffe wrote when it trained them: evidence.", Kind.VALUE, "TRAIN.LOG", fallback=None
    ),
    Option(("--notes",), "Show notes, too."),
    Option(("--statistics",), "Write no file; show how often each finding was met, not each one."),
    Option(
        ("--format",), f"Report, any number of them: {', '.join(NAMES)}. One goes to standard output, the others "
        "to files.", Kind.MANY, "NAME[=FILE]", name="formats",
    ),
    Option(("--output-file",), "Where the report without a FILE of its own goes.", Kind.VALUE, "FILE"),
    Option(
        ("--docs-url",), "Folder with the findings' pages, for links in reports.", Kind.VALUE, "URL",
        variable="CAFFEFIX_DOCS_URL",
    ),
    Option(("--stdin-filename",), "What to call standard input (-).", Kind.VALUE, "NAME", fallback="<stdin>"),
    *files.OPTIONS,
)  # fmt: skip
