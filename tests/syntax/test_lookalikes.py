"""Characters that look like prototxt's own: read as they are meant, and nothing else is touched."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from caffefix.syntax.lookalikes import as_meant, lookalikes
from tests.support.golden import caffefix

BLANK = st.sampled_from([" ", "  ", "\u00a0", "\u3000", "\ufeff ", "\u200b", "\t"])
QUOTES = st.sampled_from([('"', '"'), ("'", "'"), ("“", "”"), ("”", "”"), ("＂", "＂")])
# What a string in ASCII quotes holds is its own business, one in typographic quotes holds ASCII.
WORD = st.text("abc019_/.", min_size=1, max_size=5)


@st.composite
def fields(draw: st.DrawFn) -> tuple[str, str]:
    """A field with lookalikes in places, and the same in ASCII."""
    name, (opening, closing) = draw(st.sampled_from(["name", "type", "top"])), draw(QUOTES)
    value = draw(WORD)
    plain = '"' if opening in "“”＂" else opening
    if opening in "\"'" and draw(st.booleans()):
        value += draw(st.sampled_from(["：", "“", "\u00a0", "｝#"]))
    colon, separator = draw(st.sampled_from([":", "："])), draw(st.sampled_from(["", ",", "，", ";", "；"]))
    comment = draw(st.sampled_from(["", " # “x”：", "#\ufeff"]))
    blank = draw(BLANK)
    mine = f"{blank}{name}{colon}{opening}{value}{closing}{separator}{comment}\n"
    ascii_separator = {"，": ",", "；": ";"}.get(separator, separator)
    meant = "".join({"\ufeff": "", "\t": "\t"}.get(c, " ") for c in blank)
    return mine, f"{meant}{name}:{plain}{value}{plain}{ascii_separator}{comment}\n"


@given(st.lists(fields(), min_size=1, max_size=6), st.booleans())
def test_the_repair_is_the_text_as_it_was_meant(parts: list[tuple[str, str]], marked: bool) -> None:
    mine = ("\ufeff" if marked else "") + "layer {\n" + "".join(a for a, _ in parts) + "}\n"
    meant = "layer {\n" + "".join(b for _, b in parts) + "}\n"
    done = caffefix("--select", "non-ascii-syntax", "-", stdin=mine.encode())
    assert done.status == 0
    assert done.out.decode() == meant


@given(st.text("layer{}：“”\u00a0\ufeff\"'#\n\\ａ：name", max_size=60))
def test_any_text_keeps_its_length_and_its_lines(text: str) -> None:
    data = text.encode().decode("latin-1")
    found = lookalikes(data)
    meant = as_meant(data, found)
    assert len(meant) == len(data)
    assert [i for i, c in enumerate(meant) if c == "\n"] == [i for i, c in enumerate(data) if c == "\n"]
