"""Real shells that complete a line: each is started once, and typed into as from a keyboard."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest


class Completed(NamedTuple):
    """What TAB offers, and the line after it.

    Shells differ in how much of a word they offer again: here it is what comes after the last =, comma or slash.
    """

    offered: list[str]
    line: str


def _completed(offered: Iterable[str], line: str) -> Completed:
    return Completed(sorted({re.split("[=,/]", name.rstrip("/"))[-1] for name in offered if name}), line)


# After TAB, Ctrl-X x writes the line to a file; what was offered is written by a function around the shell's own.
BASH = r"""
bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; bind 'set completion-query-items 0'
bind 'set page-completions off'
source SCRIPT
probe() { _caffefix "$@"; printf '%s\0' "${COMPREPLY[@]}" > FOLDER/offered; }
complete -F probe caffefix
dump() { printf '%s' "$READLINE_LINE" > FOLDER/line.new; mv FOLDER/line.new FOLDER/line; }
bind -x '"\C-xx": dump'
PS1=; touch FOLDER/line
"""
ZSH = r"""
PS1= PROMPT_EOL_MARK=; unsetopt zle_bracketed_paste beep; unset zle_bracketed_paste
autoload -Uz compinit; compinit -u -D
source SCRIPT
zstyle ':completion:*' list-prompt ''; LISTMAX=10000
compadd() {
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
    local -a hits; builtin compadd -A hits "$@"
    (( $#hits )) && print -rN -- "${(Q)hits[@]}" >> FOLDER/offered
    builtin compadd "$@"
}
dump() { print -rn -- "$BUFFER" > FOLDER/line.new; command mv FOLDER/line.new FOLDER/line }
zle -N dump; bindkey -e; bindkey '^Xx' dump; bindkey '^I' complete-word
touch FOLDER/line
"""


class Terminal:
    """A shell on a terminal of its own."""

    def __init__(self, command: list[str], setup: str, script: Path, folder: Path) -> None:
        self._line, self._offered = folder / "line", folder / "offered"
        rc = folder / "rc"
        rc.write_text(setup.replace("SCRIPT", shlex.quote(str(script))).replace("FOLDER", str(folder)))
        pid, self._terminal = pty.fork()
        if pid == 0:
            try:
                os.environ.update(TERM="dumb", HOME=str(folder), HISTFILE="", LC_ALL="C.UTF-8")
                os.execvp(command[0], command)
            finally:
                os._exit(127)  # this is a copy of the tests' process
        self._pid = pid
        self._type(f" source {shlex.quote(str(rc))}\n")
        self._wait()

    def complete(self, line: str, cwd: Path) -> Completed:
        """What TAB offers at the end of a line that is typed in a folder."""
        self._type(f" cd {shlex.quote(str(cwd))}; touch {shlex.quote(str(self._line))}\n")
        self._wait()
        self._type(line + "\t\x18x")
        after = self._wait()
        offered = self._offered.read_text().split("\0") if self._offered.exists() else []
        self._offered.unlink(missing_ok=True)
        self._type("\x05\x15")
        return _completed(offered, after)

    def words(self, line: str, cwd: Path) -> list[str]:
        """The words of a line, as the shell reads it."""
        said = cwd.parent / f"{cwd.name}.words"
        command = f"printf '%s\\0' {line.strip()} > {shlex.quote(str(said))}"
        self._type(f" cd {shlex.quote(str(cwd))}; {command}; touch {shlex.quote(str(self._line))}\n")
        self._wait()
        return said.read_text().split("\0")[:-1]

    def close(self) -> None:
        os.close(self._terminal)  # hangs up
        os.waitpid(self._pid, 0)

    def _type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def _wait(self) -> str:
        """What the shell writes to the file of its line, once it has."""
        end = time.monotonic() + 30
        while not self._line.exists():
            assert time.monotonic() < end, "the shell does not answer"
            if select.select([self._terminal], [], [], 0.005)[0]:
                os.read(self._terminal, 1 << 16)
        text = self._line.read_text()
        self._line.unlink()
        return text


class Fish:
    """Fish offers its completions to programs."""

    def __init__(self, script: Path, folder: Path) -> None:
        self._code = f"source {shlex.quote(str(script))}; complete -C $argv[1]"
        self._environment = {**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8"}

    def complete(self, line: str, cwd: Path) -> Completed:
        done = subprocess.run(
            ["fish", "--no-config", "-c", self._code, line], cwd=cwd, env=self._environment,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert not done.stderr
        return _completed((row.partition("\t")[0] for row in done.stdout.splitlines()), line)

    def close(self) -> None:
        pass


def start(shell: str, script: Path, folder: Path) -> Terminal | Fish:
    """The shell of that name, with a completion script; the test is skipped where it is not installed."""
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}, which is not installed")
    if shell == "fish":
        return Fish(script, folder)
    if shell == "bash":
        return Terminal(["bash", "--norc", "--noprofile", "-i"], BASH, script, folder)
    return Terminal(["zsh", "-f", "-i"], ZSH, script, folder)
