"""The options of ``caffefix PATH…``, in the order of its help."""

from __future__ import annotations

from caffefix.commands._shared import configuration, files
from caffefix.commands._shared.option import COLOUR, Kind, Option
from caffefix.reports.formats import NAMES

OPTIONS = (
    Option(("--dry-run", "--diff"), "Write no file; print the diff to standard output."),
    Option(("--check",), "Write nothing; also exit with 1 if a file would change."),
    Option(("--interactive", "-i"), "Ask about each fix, as git add -p asks about hunks."),
    Option(("--ask-again",), "With -i: also ask about what was declined in an earlier run."),
    Option(("--watch",), "Check again whenever a file is saved; write nothing. Ctrl-C ends it."),
    Option(
        ("--fail-on",), "Exit with 1 if a finding of severity error remains (error, the default), if one of "
        "severity warning or error remains (warning), if a file changes or an error remains (change), or never "
        "(never).",
        Kind.CHOICE, "WHAT", choices=("never", "error", "warning", "change"),
    ),
    Option(
        ("--baseline",), "With --check: hide what this file of `caffefix baseline` records.", Kind.VALUE, "FILE",
    ),
    Option(("--prune",), "Remove from the --baseline what no longer occurs."),
    Option(("--exit-zero",), "Exit with 0 whatever is found, as with --fail-on never."),
    Option(
        ("--patch",),
        "Apply this semantic patch: a file, a folder of them, or the name of a shipped one.",
        Kind.MANY, "PATCH", name="patches",
    ),
    Option(("--unsafe", "--no-unsafe"), "Also apply fixes that change what a working net computes.", Kind.ON_OFF),
    Option(("--root",), "Folder that paths in solvers are relative to.", Kind.FOLDERS, "DIR", name="roots"),
    *configuration.OPTIONS,
    Option(("--quiet", "-q"), "Report only what remains or failed: no summary, no next step, no progress."),
    Option(("--verbose", "-v"), "Report each place of a finding, and what its fix does."),
    COLOUR,
    Option(("--no-pager",), "Show a diff that is longer than the screen without a pager (PAGER, or less)."),
    Option(("--show-unsafe",), "Also show the diffs of unsafe fixes that are not applied."),
    Option(("--delta",), "Show what changes in meaning, layer by layer."),
    Option(
        ("--log",), "What Caffe wrote while training the net, as evidence.", Kind.VALUE, "TRAIN.LOG", fallback=None
    ),
    Option(("--notes",), "Also show notes."),
    Option(("--statistics",), "Write no file; show how often each finding occurs instead of each finding."),
    Option(
        ("--format",), f"Report format, any number of them: {', '.join(NAMES)}. One report goes to standard "
        "output, the others to files.", Kind.MANY, "NAME[=FILE]", name="formats",
    ),
    Option(("--output-file",), "File for the report that has no FILE of its own.", Kind.VALUE, "FILE"),
    Option(
        ("--docs-url",), "Folder of the findings' pages, for links in reports.", Kind.VALUE, "URL",
        variable="CAFFEFIX_DOCS_URL",
    ),
    Option(("--stdin-filename",), "What to call standard input (-).", Kind.VALUE, "NAME", fallback="<stdin>"),
    *files.OPTIONS,
)  # fmt: skip
