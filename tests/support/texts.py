"""Hypothesis strategies: prototxt text in all its odd layouts."""

from __future__ import annotations

from hypothesis import strategies as st

names = st.sampled_from(["layer", "layers", "name", "type", "param", "lr_mult", "inf", "a", "x_1", "top", "dim"])
blanks = st.sampled_from(["", " ", "  ", "\t", " \r", "\f"])
breaks = st.sampled_from(["", " ", "\n", "\n\n", " # note\n", "\n# whole line \xe9\n", "\r\n", "\n  "])
strings = st.sampled_from(
    ['"a"', "'b'", '"a#b"', '"\\x41\\n"', '""', '"\\"q"', "'it\\'s'", '"\xe5\x8d\xb7"', '"a" "b"', "'a'\n 'b'"]
)
numbers = st.sampled_from(["1", "0.5", ".5f", "-1", "- 2", "0x1F", "010", "1e-3", "inf", "-inf", "nan", "3."])
words = st.sampled_from(["true", "MAX", "TRAIN", "f"])
scalars = st.one_of(strings, numbers, words)
separators = st.sampled_from(["", "", "", ",", ";", " ,"])


@st.composite
def fields(draw: st.DrawFn, depth: int = 3) -> str:
    name = draw(names)
    kind = draw(st.sampled_from(["scalar", "scalar", "message", "list", "messages"] if depth else ["scalar"]))
    gap = draw(blanks)
    if kind == "scalar":
        body = f"{name}{gap}:{draw(breaks)}{draw(scalars)}"
    elif kind == "list":
        inner = f"{draw(blanks)},{draw(breaks)}".join(draw(st.lists(scalars, max_size=3)))
        body = f"{name}:{gap}[{draw(breaks)}{inner}{draw(breaks)}]"
    elif kind == "messages":
        inner = f"{draw(blanks)},{draw(breaks)}".join(
            "{" + m + "}" for m in draw(st.lists(bodies(depth - 1), max_size=2))
        )
        body = f"{name}{draw(st.sampled_from(['', ':']))}{gap}[{inner}{draw(breaks)}]"
    else:
        opening, closing = draw(st.sampled_from(["{}", "<>"]))
        colon = draw(st.sampled_from(["", ":", " "]))
        body = f"{name}{colon}{draw(breaks)}{opening}{draw(breaks)}{draw(bodies(depth - 1))}{closing}"
    return body + draw(separators)


@st.composite
def bodies(draw: st.DrawFn, depth: int = 3) -> str:
    out = ""
    for field in draw(st.lists(fields(depth), max_size=4)):
        # A word or number must not run into the next name.
        out += draw(blanks) + field + draw(st.sampled_from([" ", "\n", " # c\n", "\n\n", "\n  # own\n  "]))
    return out


@st.composite
def texts(draw: st.DrawFn) -> str:
    text = draw(breaks) + draw(bodies())
    return text if draw(st.booleans()) else text.rstrip(" \n")


@st.composite
def plain_bodies(draw: st.DrawFn, depth: int = 2, indent: str = "") -> str:
    """Text as people write it: fields on lines of their own, comments, some messages on one line."""
    out = ""
    newline = "\n"
    for index in range(draw(st.integers(0, 4))):
        if draw(st.booleans()):
            out += f"{indent}# before {draw(st.integers(0, 99))}{newline}"
        tail = draw(st.sampled_from(["", "", "  # after", ","]))
        if depth and draw(st.booleans()):
            if draw(st.booleans()):
                inner = draw(plain_bodies(depth - 1, indent + "  "))
                out += f"{indent}m{index} {{{tail.strip(',')}{newline}{inner}{indent}}}{newline}"
            else:
                out += f"{indent}o{index} {{ a: 1 b: 'x' }}{tail}{newline}"
        else:
            out += f"{indent}f{index}: {draw(scalars).splitlines()[0]}{tail}{newline}"
        if draw(st.integers(0, 4)) == 0:
            out += newline
    return out
