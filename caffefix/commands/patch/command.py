"""``caffefix patch``: check, test and derive semantic patches."""

from __future__ import annotations

import sys

import click

from caffefix.commands._shared.errors import fail
from caffefix.commands._shared.groups import Group
from caffefix.commands._shared.output import say, write


@click.group("patch", cls=Group)
def command() -> None:
    """Check, test and derive semantic patches."""


@command.command("check")
@click.argument("paths", nargs=-1, required=True, metavar="PATCH...")
def check(paths: tuple[str, ...]) -> None:
    """Check patches, and show what each will match.

    PATCH is a file or a folder of *.patch files.

    Exit status: 0 all can be used; 2 one cannot, with the reason.
    """
    from caffefix.patching.describe import describe
    from caffefix.zoo.patches import PatchFileError, load_patch, patch_files

    failed = False
    for path in paths:
        try:
            files = patch_files(path)
        except PatchFileError as error:
            fail(str(error))
        for file in files:
            try:
                say(sys.stdout, describe(load_patch(file)))
            except PatchFileError as error:
                failed = True
                say(sys.stderr, f"{error}\n")
    sys.exit(2 if failed else 0)


@command.command("test")
@click.argument("paths", nargs=-1, required=True, metavar="DIR...")
def test(paths: tuple[str, ...]) -> None:
    """Run the tests that are stored next to patches.

    DIR is a folder of patches, or a patch. NAME.patch is tested by the folders in NAME/, each with
    before.prototxt and after.prototxt; without the second, the patch must find nothing.

    Exit status: 0 all as expected; 1 a test failed; 2 a patch cannot be used, or has no test.
    """
    from caffefix.commands.patch.cases import run_cases
    from caffefix.commands.patch.text import render_verdicts
    from caffefix.zoo.patches import PatchFileError

    try:
        verdicts = [verdict for path in paths for verdict in run_cases(path)]
    except PatchFileError as error:
        fail(str(error))
    say(sys.stdout, render_verdicts(verdicts))
    sys.exit(0 if all(verdict.ok for verdict in verdicts) else 1)


@command.command("new")
@click.argument("before")
@click.argument("after")
@click.option("--name", default="new-patch", show_default=True, help="What to call the finding.")
def new(before: str, after: str, name: str) -> None:
    """Derive a patch from an example: a net BEFORE and AFTER a manual edit.
    One of them may be standard input (-) or a pipe.

    The patch is written to standard output: the smallest pattern that makes the same edit to BEFORE,
    with names turned into variables.

    Exit status: 0 made; 2 a file cannot be read, or no patch makes this edit, with the reason.
    """
    from caffefix.commands.patch.derive import DeriveError, derive
    from caffefix.syntax.source import Source
    from caffefix.zoo.files import FileError, read_once
    from caffefix.zoo.patches import name_trouble

    trouble = name_trouble(name)
    if trouble:
        raise click.BadParameter(trouble, param_hint="--name")
    if before == after == "-":
        raise click.UsageError("only one of BEFORE and AFTER can be standard input (-)")
    try:
        old, new = (Source("<stdin>" if path == "-" else path, read_once(path)) for path in (before, after))
        text = derive(old, new, name)
    except (FileError, DeriveError) as error:
        fail(str(error))
    write(sys.stdout.buffer, text)
