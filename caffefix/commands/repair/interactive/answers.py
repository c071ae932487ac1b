"""What was answered about a file, kept between runs: a run that is interrupted goes on where it was.

There is one file of JSON lines for each prototxt file, in the user's state folder. An answer holds for one content
only: after a change by hand, everything is asked again.
"""

from __future__ import annotations

import contextlib
import enum
import json
import os
from hashlib import blake2b
from typing import Any

from caffefix._startup.records import dataclass
from caffefix.results import Decisions, FindingKey, Silenced


class Reply(enum.Enum):
    """What was decided about a fix."""

    YES = "y"
    NO = "n"
    UNSAFE = "u"  # yes, although it is unsafe
    SUPPRESS = "s"


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision about a finding, with the reason if it is silenced."""

    reply: Reply
    reason: str = ""


Answers = dict[FindingKey, Answer]


def decisions(answers: Answers, *, only: bool = False) -> Decisions:
    """What the engine is to do.

    Args:
        answers: what was decided.
        only: whether what was not decided is left as it is.
    """
    refused = {key for key, answer in answers.items() if answer.reply in (Reply.NO, Reply.SUPPRESS)}
    return Decisions(
        declined=frozenset(refused),
        allowed=frozenset(key for key, answer in answers.items() if answer.reply is Reply.UNSAFE),
        silenced=tuple(
            Silenced(key, answer.reason) for key, answer in answers.items() if answer.reply is Reply.SUPPRESS
        ),
        only=frozenset(answers).difference(refused) if only else None,
    )


class Memory:
    """The answers about one file.

    Args:
        path: the prototxt file.

    No failure to read or write them makes the run fail: then one is asked again.
    """

    def __init__(self, path: str) -> None:
        name = blake2b(os.fsencode(os.path.realpath(path)), digest_size=20).hexdigest()
        self._path = os.path.join(_folder(), f"{name}.jsonl")

    def load(self, digest: bytes) -> Answers:
        """The answers for this content; the last one about a finding counts."""
        found: Answers = {}
        try:
            with open(self._path, encoding="utf-8", opener=_no_link) as lines:
                for line in lines:
                    with contextlib.suppress(ValueError, TypeError, KeyError):  # cut short, or another version's
                        mark, key, answer = _loaded(json.loads(line))
                        if mark == digest.hex():
                            found[key] = answer
        except (OSError, UnicodeDecodeError):
            return {}
        return found

    def add(self, digest: bytes, answers: Answers) -> None:
        """Keep further answers."""
        self._write("a", digest, answers)

    def replace(self, digest: bytes, answers: Answers) -> None:
        """Keep these answers alone."""
        if answers:
            self._write("w", digest, answers)
        else:
            with contextlib.suppress(OSError):
                os.unlink(self._path)

    def _write(self, mode: str, digest: bytes, answers: Answers) -> None:
        lines = (_line(digest, key, answer) for key, answer in answers.items())
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            with open(self._path, mode, encoding="utf-8", opener=_no_link) as file:
                file.writelines(lines)


def _folder() -> str:
    from platformdirs import user_state_dir

    return os.path.join(user_state_dir("caffefix", appauthor=False), "answers")


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


def _line(digest: bytes, key: FindingKey, answer: Answer) -> str:
    place = [key.name, key.line, key.column, key.layer]
    return json.dumps([digest.hex(), place, answer.reply.value, answer.reason]) + "\n"


def _loaded(line: Any) -> tuple[str, FindingKey, Answer]:
    digest, (name, number, column, layer), reply, reason = line
    if not (isinstance(number, int) and isinstance(column, int)):
        raise TypeError
    texts = (digest, name, layer, reason)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError
    return digest, FindingKey(name, number, column, layer), Answer(Reply(reply), reason)
