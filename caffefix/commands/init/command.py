"""``caffefix init``: a first configuration file, from what is in a folder."""

from __future__ import annotations

import os
import sys

import click

from caffefix.commands._shared.errors import fail
from caffefix.commands._shared.output import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.zoo.config import Configuration


@click.command("init", short_help="Write a first caffefix.toml, from what is in a folder.")
@click.argument("folder", default=".", metavar="[FOLDER]")
@click.option("--dry-run", is_flag=True, help="Write nothing; print the file to standard output.")
def command(folder: str, dry_run: bool) -> None:
    """Write a caffefix.toml for a folder (by default, this one), with what was found there.

    It says which formats, forks and findings there are, and has the keys that may be wanted for them, as comments:
    it changes nothing until you remove the # before a key. No prototxt file is changed. A configuration that is
    already in force is never replaced.

    Exit status: 0 written; 2 not written, with the reason, or wrong usage; 130 interrupted.
    """
    from caffefix.commands.init.as_toml import render
    from caffefix.commands.init.text import render as render_screen
    from caffefix.commands.init.work import survey
    from caffefix.zoo.config_file import OWN, ConfigError
    from caffefix.zoo.files import FileError, put

    if not os.path.isdir(folder):
        fail(f"{folder}: there is no such folder")
    path = os.path.join(folder, OWN) if folder != os.curdir else OWN
    try:
        found = survey(folder, _configuration(folder, path, dry_run=dry_run))
        if not found.files:
            fail(f"{folder}: there is no prototxt file in it; nothing was written")
        text = render(found)
        if not dry_run:
            put(path, text.encode())
    except (ConfigError, FileError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        say(sys.stderr, "\ninterrupted: nothing was written\n")
        sys.exit(130)
    if dry_run:
        say(sys.stdout, text)
    say(sys.stderr if dry_run else sys.stdout, render_screen(found, "" if dry_run else path, folder))


def _configuration(folder: str, path: str, *, dry_run: bool) -> Configuration:
    """What is in force for the files; a run that would replace a configuration ends here.

    Raises:
        ConfigError: there is a configuration, which may also be one that cannot be used.
    """
    from caffefix.syntax.source import visible
    from caffefix.zoo.config import Configuration
    from caffefix.zoo.config_file import ConfigError

    if dry_run:
        return Configuration(isolated=True)
    if os.path.lexists(path):
        raise ConfigError(f"{path}: it exists, and is not replaced; caffefix config shows what is in force")
    configuration = Configuration()
    known = configuration.of(folder)
    if not known.file:
        return configuration
    if os.path.samefile(os.path.dirname(known.file) or os.curdir, folder):
        raise ConfigError(f"{visible(known.file)}: it has the settings of this folder; {path} would replace them")
    raise ConfigError(
        f"{visible(known.file)}: its settings are in force here; {path} would replace them, not add to them: "
        "change that file"
    )
