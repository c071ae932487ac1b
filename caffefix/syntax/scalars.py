"""Scalars as written, and what they mean (google/protobuf/io/tokenizer.cc)."""

from __future__ import annotations

import re
from functools import lru_cache
from math import copysign, inf, isfinite

from caffefix._startup.patterns import pattern

_STRING_TOKENS = pattern(
    r"""(?P<skip>[ \t\r\f\v\n]+|\#[^\n]*)|"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'"""
)
_ESCAPE = pattern(
    r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})"
    r"|(?:u|U0000)([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"  # a surrogate pair
    r"|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))"
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def is_string(value: str) -> bool:
    """Whether a scalar is written as a string."""
    return value[:1] in ('"', "'")


def string_value(value: str) -> str:
    """The value of a string, one character per byte; anything else is returned unchanged.

    Adjacent strings are joined, whatever trivia is between them.
    """
    if not is_string(value):
        return value
    if "\\" not in value and value.find(value[0], 1) == len(value) - 1:
        return value[1:-1]  # nearly every string
    parts = []
    for match in _STRING_TOKENS.finditer(value):
        body = match.group("double") if match.group("double") is not None else match.group("single")
        if body is not None:
            parts.append(_ESCAPE.sub(_unescape, body))
    return "".join(parts)


def _unescape(match: re.Match[str]) -> str:
    octal, hexadecimal, head, trail, short, long, simple = match.groups()
    if octal is not None:
        return chr(int(octal, 8) & 0xFF)
    if hexadecimal is not None:
        return chr(int(hexadecimal, 16))
    if head is not None:
        point = 0x10000 + ((int(head, 16) - 0xD800) << 10) + int(trail, 16) - 0xDC00
        return chr(point).encode("utf-8").decode("latin-1")
    if short is not None or long is not None:
        # Caffe's parser stores UTF-8, including surrogates without their other half, as it finds them.
        encoded = chr(int(short or long, 16)).encode("utf-8", "surrogatepass")
        return encoded.decode("latin-1")
    return _SIMPLE.get(simple, simple)


def quoted(text: str, quote: str = '"') -> str:
    """A string literal for ``text`` (one character per byte)."""
    out = []
    for char in text:
        if char in (quote, "\\"):
            out.append("\\" + char)
        elif char == "\n":
            out.append("\\n")
        elif char < " " or char == "\x7f":
            out.append(f"\\{ord(char):03o}")
        else:
            out.append(char)
    return quote + "".join(out) + quote


@lru_cache(1 << 12)  # a net has few different numbers, each many times
def number_value(value: str) -> float | None:
    """The number a scalar stands for, or None if it is not a number: ``0x10``, ``010``, ``- 1``, ``.5f``."""
    text = re.sub(r"#[^\n]*|[ \t\r\f\v\n]+", "", value)
    sign = -1.0 if text.startswith("-") else 1.0
    text = text.lstrip("-").lower()
    try:
        if text.startswith("0x"):
            return sign * int(text, 16)
        if re.fullmatch("0[0-7]+", text):
            return sign * int(text, 8)
        if text[:1].isdigit() or text[:1] == ".":
            return sign * float(text.rstrip("f"))
    except (ValueError, OverflowError):
        return None
    return sign * float(text) if text in ("inf", "infinity", "nan") else None


_MOST_DIGITS = 4000  # Python refuses to read many more; no field of protobuf accepts them
_HUGE: int = 10**_MOST_DIGITS


def integer_value(value: str) -> int | None:
    """The exact integer that protobuf's tokenizer reads, or None: ``3.0`` is not an integer, as in Caffe."""
    text = _bare(value)
    sign = -1 if value.startswith("-") else 1
    if text.startswith("0x"):
        return sign * int(text, 16)
    if not (text.isascii() and text.isdigit()):
        return None
    if len(text) > _MOST_DIGITS:
        return sign * _HUGE
    return sign * int(text, 8 if text[0] == "0" and not set(text) & {"8", "9"} else 10)


def is_radix(value: str) -> bool:
    """Whether a number is written as hexadecimal or octal: integers only."""
    text = _bare(value)
    return text.startswith("0x") or (len(text) > 1 and text[0] == "0" and text.isdigit())


def _bare(value: str) -> str:
    """A number without sign, blanks and comments."""
    return "".join(value.split()).lstrip("-").lower() if "#" not in value else value.rpartition("\n")[2].strip()


def number_text(number: float) -> str:
    """A number as a person writes it: ``104``, ``0.00390625``, ``-0.5``."""
    if not isfinite(number):
        return repr(number)
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


def float32(number: float) -> float:
    """The float32 nearest to a number."""
    from struct import pack, unpack

    try:
        return float(unpack("<f", pack("<f", number))[0])
    except OverflowError:
        return copysign(inf, number)


def float_text(number: float) -> str:
    """The shortest decimal that float32 reads as the number; non-finite numbers unchanged."""
    wanted = float32(number)
    for digits in range(1, 10):
        short = float(f"{wanted:.{digits}g}")
        if float32(short) == wanted:
            return number_text(short)
    return number_text(number)
