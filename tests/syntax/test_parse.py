"""The parser: lossless, strict, and the same whichever way it goes."""

from __future__ import annotations

import pytest
from hypothesis import given

from caffefix._startup.resources import content, resource
from caffefix.syntax import _tables, tables
from caffefix.syntax.lexer import LineLexer
from caffefix.syntax.parse import PrototxtError, parse, parse_fine
from caffefix.syntax.scalars import string_value
from caffefix.syntax.shape_key import shape_key
from caffefix.syntax.source import Source
from caffefix.syntax.tree import Document, descend
from tests.conftest import corpus_files, or_skip
from tests.support.texts import texts
from tests.support.trees import events, stock_items, values


def read(data: bytes) -> Document:
    return parse(Source("x", data).text)


@given(texts())
def test_printing_a_parsed_text_gives_the_text(text: str) -> None:
    text = text.encode().decode("latin-1")
    assert parse(text).print() == text


@given(texts())
def test_coarse_fine_and_stock_lark_build_the_same_tree(text: str) -> None:
    fine = events(parse_fine(text))
    assert events(parse(text).root.block.items) == fine
    assert events(stock_items(text, "fine")) == fine


def test_saved_tables_are_what_lark_makes_of_the_grammar() -> None:
    grammar = content(resource(tables.GRAMMAR)).decode()
    fresh = tables.compile_grammar(grammar)
    assert (fresh.terminals, fresh.rules, fresh.states, fresh.start, fresh.end) == (
        _tables.TERMINALS,
        _tables.RULES,
        _tables.STATES,
        _tables.START,
        _tables.END,
    )


def test_an_edited_grammar_is_compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_tables, "GRAMMAR", 0)
    monkeypatch.setattr(_tables, "STATES", ())
    assert len(tables.load().states) > 10


def test_the_line_memo_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LineLexer, "MEMO_LINES", 10)
    lexer = LineLexer(tables.load())
    for number in range(40):
        lexer.lex(f"stride: {number}\n")
    assert len(lexer.memo) <= 10
    lexer.lex(f"name: '{'x' * 10_000}'\n")
    assert max(map(len, lexer.memo)) <= lexer.MEMO_WIDTH


ODD = {
    "empty": b"",
    "only blanks": b" \t\n\n  ",
    "no final newline": b'name: "a"',
    "only a comment": b"# nothing",
    "non-UTF-8 comment": b"# \xd5\xd3\xc6\xac\nname: 'a'\n",
    "non-UTF-8 string": b"source: '\xd5\xc6/\xff'\n",
    "mixed line ends": b"a: 1\r\nb: 2\nc: 3\r\n",
    "CR only": b"layer {\r name: 'a'\r}\r",
    "form feeds": b"\f\v a\f: 1\v\n",
    "angle brackets": b"layer < name: 'a' param: < lr_mult: 1 > >\n",
    "adjacent strings": b"name: 'a' \"b\"\n  # between\n  'c'\n",
    "lists": b"dim: [1, # one\n 2 ]\nshape [{dim: 1}, <dim: 2>];\nempty: []\n",
    "brace on the next line": b"layer\n{\n  name: 'a'\n}\n",
    "brace after a comment": b"layer # why\n  # oh why\n{\n}\n",
    "split everywhere": b"a\n:\n1\n,\nb:\n-\n2\n",
    "no blanks": b'layer{name:"a"type:"b"include{phase:TRAIN}}',
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD.keys())
def test_odd_layout_is_kept(data: bytes) -> None:
    document = read(data)
    assert document.print().encode("latin-1") == data
    assert events(parse_fine(document.text)) == events(document.root.block.items)
    assert events(stock_items(document.text, "fine")) == events(document.root.block.items)


def test_values_through_odd_layout() -> None:
    document = read(ODD["adjacent strings"] + ODD["lists"] + ODD["split everywhere"])
    assert document.root.string("name") == "abc"
    assert document.root.scalars("dim") == ["1", "2"]
    assert [node.scalar("dim") for node in document.root.fields("shape")] == ["1", "2"]
    assert document.root.scalar("a") == "1"
    assert values(document)[-1][0] == ("b",)


def test_a_line_of_a_megabyte() -> None:
    data = b"layer {" + b" a: 1" * 200_000 + b" }"
    assert read(data).print().encode() == data
    assert read(b"#" + b"x" * 1_000_000).print() == "#" + "x" * 1_000_000


@pytest.mark.parametrize("opening", ["a {", "a <", "a {\n", "a: [{"])
def test_deep_nesting_needs_no_recursion(opening: str) -> None:
    depth = 20_000
    closing = {"{": "}", "<": ">"}[opening.strip()[-1]] + ("]" if "[" in opening else "")
    text = opening * depth + closing * depth
    document = parse(text)
    assert document.print() == text
    assert document.root.size == len(text)
    assert sum(1 for _ in descend(document.root)) >= depth
    with pytest.raises(PrototxtError, match="never closed"):
        parse(text[:-1])


def test_nodes_know_where_they_are() -> None:
    text = "name: 'n'\n# about a\nlayer { # open\n  a: [1,\n 22] b: 3\n} # close\n"
    root = parse(text).root
    layer = root.field("layer")
    assert layer is not None
    assert text[layer.start : layer.stop] == "layer { # open\n  a: [1,\n 22] b: 3\n}"
    elements = list(layer.fields("a"))
    assert [text[n.start : n.stop] for n in elements] == ["1", "22"]
    assert elements[1] is list(layer.fields("a"))[1]
    b = layer.field("b")
    assert b is not None
    assert text[b.start : b.stop] == "b: 3"


@pytest.mark.parametrize("path", or_skip(corpus_files(60)))
def test_corpus_sample_builds_the_same_tree_three_ways(path: object) -> None:
    _three_ways([path])


@pytest.mark.slow
def test_the_whole_corpus_builds_the_same_tree_three_ways(shared: object) -> None:
    _three_ways(corpus_files())


def _three_ways(paths: list[object]) -> None:
    for path in paths:
        text = Source(str(path), path.read_bytes()).text  # type: ignore[attr-defined]
        try:
            document = parse(text)
        except PrototxtError:
            continue
        assert document.print() == text
        mine = events(document.root.block.items)
        assert events(parse_fine(text)) == mine
        assert events(stock_items(text, "fine")) == mine


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\ud83d\ude00", "😀".encode()), (r"\U0000d83d\ude00", "😀".encode()), (r"\U0001f600", "😀".encode()),
        (r"\ud83d", b"\xed\xa0\xbd"), (r"\ud83d\U0000de00", b"\xed\xa0\xbd\xed\xb8\x80"),
        (r"\ud83d\ud83d\ude00", b"\xed\xa0\xbd\xf0\x9f\x98\x80"), (r"\u00e9\x41\101", "éAA".encode()),
    ],
)  # fmt: skip
def test_escapes_are_the_bytes_that_protobuf_makes_of_them(written: str, meant: bytes) -> None:
    """Half a surrogate is kept as it stands, a pair written with \\u at its end is one character."""
    assert string_value(f'"{written}"').encode("latin-1") == meant


def test_a_capital_x_begins_no_escape_sequence() -> None:
    """Protobuf 2 accepted it; 3.17, which real Caffe is built with here, says "Invalid escape sequence"."""
    assert parse('name: "\\x41"').root.string("name") == "A"
    with pytest.raises(PrototxtError, match="protobuf 2 accepted it"):
        parse('name: "\\X41"')


def test_a_list_without_a_colon_is_not_like_one_with_it() -> None:
    texts = ("a { b [] }", "a { b # :\n [] }", "a { b: [] }", "a { b # c\n : [] }")
    bare, commented, colon, other = (shape_key(next(parse(text).root.children()).block) for text in texts)
    assert bare == commented != colon == other
