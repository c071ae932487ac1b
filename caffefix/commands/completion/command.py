"""``caffefix completion``: what makes a shell complete caffefix's commands, options and their values."""

from __future__ import annotations

import sys

import click

from caffefix.commands._shared.output import say
from caffefix.commands.completion.script import SHELLS, script


@click.command("completion", short_help="Print a script that completes commands, options and names.")
@click.argument("shell", type=click.Choice(SHELLS), metavar="SHELL")
def command(shell: str) -> None:
    """Print the script that makes SHELL (bash, zsh or fish) complete commands, options, files and names.

    \b
    Save it where your shell reads it, and again after an upgrade:
      caffefix completion bash > ~/.local/share/bash-completion/completions/caffefix
      caffefix completion zsh  > ~/.zfunc/_caffefix     (a folder in fpath, before compinit)
      caffefix completion fish > ~/.config/fish/completions/caffefix.fish

    The script runs no program when TAB is pressed. Findings, forks and shipped patches are those of this
    version of caffefix. Without the package bash-completion, source the bash script in ~/.bashrc.
    """
    say(sys.stdout, script(shell))
