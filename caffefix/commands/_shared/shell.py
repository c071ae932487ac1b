"""A command as a line that can be pasted into a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

# What a terminal would obey, and bytes that no encoding knows: bash and zsh read their escapes in $'…'.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def command_line(words: Sequence[str]) -> str:
    """The words of a command, each quoted where the shell needs it."""
    return " ".join(map(_quoted, words))


def path_word(path: str) -> str:
    """A path as a word of a command: one that begins with a hyphen is not an option."""
    return f"./{path}" if path.startswith("-") and path != "-" else path


def _quoted(word: str) -> str:
    if not _UNSEEN.search(word):
        return shlex.quote(word)
    plain = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{_UNSEEN.sub(_escape, plain)}'"


def _escape(match: re.Match[str]) -> str:
    return "".join(f"\\x{byte:02x}" for byte in match.group().encode("utf-8", "surrogateescape"))
