"""One patch of a series, as a mail that ``git am`` accepts."""

from __future__ import annotations

import os
from binascii import b2a_qp
from collections.abc import Iterable
from email.header import Header
from textwrap import fill

from caffefix import __version__
from caffefix.syntax.source import short, visible

_WIDTH = 72


def message(name: str, page: str, files: int, findings: int, *, again: bool, unsafe: bool) -> tuple[str, str]:
    """Subject and body of the commit for one finding.

    Args:
        name: of the finding.
        page: its page, as ``caffefix explain`` shows it.
        files: how many files change.
        findings: how many are fixed.
        again: whether an earlier patch of the series fixes the same finding.
        unsafe: whether unsafe fixes were requested.
    """
    summary, _, rest = page.partition("\n")
    where = f"{files} file{'s' * (files != 1)}"
    subject = f"Fix {name} in {where}{', again' if again else ''}"
    parts = [summary, f"Fixes {findings} finding{'s' * (findings != 1)} in {where}."]
    if again:
        parts.append("The repairs before this one revealed them.")
    sections = _sections(rest)
    parts += [sections[title] for title in ("Why it matters", "Fix safety") if title in sections]
    proof = "unsafe fixes were requested" if unsafe else "only safe fixes"
    parts.append(f"Made by caffefix {__version__} ({proof}), each repair proved; see caffefix explain {name}.")
    paragraphs = (text for part in parts if part for text in part.split("\n\n"))
    return subject, "\n\n".join(_wrapped(text) for text in paragraphs) + "\n"


def _sections(page: str) -> dict[str, str]:
    """The sections of a page, by title."""
    found: dict[str, list[str]] = {}
    title = ""
    for line in page.split("\n"):
        if line.startswith("## "):
            title = line[3:].strip()
        elif title:
            found.setdefault(title, []).append(line)
    return {title: "\n".join(lines).strip() for title, lines in found.items()}


def _wrapped(text: str) -> str:
    """A wrapped paragraph; indented text and lists are unchanged, and no line looks like the start of a diff."""
    if not text.startswith((" ", "-", "*", "`")) and "\n " not in text:
        text = fill(text, _WIDTH)
    risky = ("---", "diff ", "Index: ", "From ", "From:", "Subject:", "Date:", "-- ")
    return "\n".join(f" {line}" if line.startswith(risky) else line for line in text.split("\n"))


def head(author: str, subject: str, number: int, total: int, body: str, *, plain: bool) -> bytes:
    """A mail up to its diffs; what follows must be ``encoded`` if it is not plain.

    Args:
        author: ``Name <address>``.
        subject: of the commit.
        number: of the patch, from 1.
        total: of the patches.
        body: of the commit's message.
        plain: whether the diffs can be sent unencoded.
    """
    title = Header(f"[PATCH {number:0{len(str(total))}}/{total}] {subject}", _charset(subject), 900, "Subject")
    lines = [
        "From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001",
        f"From: {Header(author, _charset(author), 900, 'From').encode()}",
        f"Subject: {title.encode()}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=UTF-8",
        f"Content-Transfer-Encoding: {'8bit' if plain else 'quoted-printable'}",
        "",
        "",
    ]
    return "\n".join(lines).encode("ascii") + encoded(f"{body}---\n".encode(), plain=plain)


def spoken(name: str) -> str:
    """A file's or folder's name in a subject: on one line, with invisible characters and non-text bytes escaped.

    A name may be as long as a header line: a longer one is shortened to its beginning.
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return short(visible(text))


def encoded(data: bytes, *, plain: bool) -> bytes:
    """Complete lines, encoded for the mail: ``git am`` treats carriage returns as part of the mail's line ends."""
    if plain:
        return data
    # Line by line: if b2a_qp finds a carriage return before a line end, it would also use it in its own breaks.
    return b"\n".join(b2a_qp(line, istext=False) for line in data.split(b"\n"))


def tail(*, plain: bool) -> bytes:
    """The end of a mail."""
    return encoded(f"-- \ncaffefix {__version__}\n".encode(), plain=plain)


def is_plain(parts: Iterable[bytes]) -> bool:
    """Whether diffs survive a mail unencoded."""
    return not any(b"\r" in part or b"\0" in part for part in parts)


def _charset(text: str) -> str:
    return "us-ascii" if text.isascii() else "utf-8"
