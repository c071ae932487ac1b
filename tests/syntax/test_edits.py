"""Edits: lowered, composed, printed as a diff, and applied by three appliers."""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from caffefix.engine.applier import apply_diff
from caffefix.engine.proof import keeps_comments
from caffefix.syntax import comments
from caffefix.syntax.diff import unified
from caffefix.syntax.edits import (
    After,
    Before,
    Delete,
    Edit,
    EditError,
    First,
    Insert,
    Kept,
    Last,
    NewField,
    NewMessage,
    Rename,
    Replace,
    Unwrap,
    wrap,
)  # fmt: skip
from caffefix.syntax.lowering import TextEdit, apply, lower
from caffefix.syntax.parse import parse
from caffefix.syntax.piecetable import PieceTable
from caffefix.syntax.tree import Document, Node, descend
from tests.support.texts import plain_bodies, texts


def made(text: str, *edits: Edit) -> str:
    document = parse(text)
    return apply(text, lower(document, edits))


def field(document: Document, *path: str) -> Node:
    node = document.root
    for name in path:
        found = node.field(name)
        assert found is not None, path
        node = found
    return node


def test_each_verb_in_the_style_of_the_place() -> None:
    text = "layer {\n\tname: 'a' # called a\n\tblobs_lr: 1 # w\n\t# bias\n\tblobs_lr: 2, # b\n}\n"
    document = parse(text)
    layer = field(document, "layer")
    first, second = layer.fields("blobs_lr")
    out = apply(
        text,
        lower(
            document,
            [
                Rename(layer, "layers"),
                Replace(field(document, "layer", "name"), "'z'"),
                wrap([first], "param", ["lr_mult"]),
                wrap([second], "param", ["lr_mult"]),
                Insert(First(layer), (NewField("type", "ReLU", string=True),)),
                Insert(Last(layer), (NewMessage("include", (NewField("phase", "TEST"),)),)),
            ],
        ),
    )
    assert out == (
        "layers {\n\ttype: 'ReLU'\n\tname: 'z' # called a\n\tparam {\n\t\tlr_mult: 1 # w\n\t}\n"
        "\tparam {\n\t\t# bias\n\t\tlr_mult: 2, # b\n\t}\n\tinclude {\n\t\tphase: TEST\n\t}\n}\n"
    )


def test_insertion_on_one_line() -> None:
    text = "a {b:1} c { }"
    document = parse(text)
    a, c = field(document, "a"), field(document, "c")
    new = (NewField("d", "2"),)
    assert made(text, Insert(Last(a), new), Insert(First(c), new)) != text
    assert apply(text, lower(document, [Insert(Last(a), new)])) == "a {b:1 d:2 } c { }"
    assert apply(text, lower(document, [Insert(First(c), new)])) == "a {b:1} c { d: 2 }"
    assert apply(text, lower(document, [Insert(Before(a), new)])) == "d: 2\na {b:1} c { }"
    assert apply(text, lower(document, [Insert(After(c), new)])) == "a {b:1} c { }\nd: 2"


def test_insertion_follows_crlf_brace_and_quotes() -> None:
    text = "layer{\r\n    name:'a'\r\n    pool{\r\n        size:2\r\n    }\r\n}\r\n"
    document = parse(text)
    new = NewMessage("filler", (NewField("type", "msra", string=True),))
    out = apply(text, lower(document, [Insert(After(field(document, "layer", "pool")), (new,))]))
    assert out.endswith("    }\r\n    filler{\r\n        type:'msra'\r\n    }\r\n}\r\n")


def test_a_moved_field_takes_its_comments_along() -> None:
    text = "a {\n  # own\n  x: 1  # tail\n  y: 2\n}\nb {\n    z: 3\n}\n"
    document = parse(text)
    move = Insert(Last(field(document, "b")), (Kept(field(document, "a", "x")),))
    assert apply(text, lower(document, [move])) == (
        "a {\n  y: 2\n}\nb {\n    z: 3\n    # own\n    x: 1  # tail\n}\n"
    )


def test_deleting_keeps_comments_unless_told() -> None:
    text = "a {\n  # own\n  x: 1  # tail\n  y: 2\n}\n"
    document = parse(text)
    x = field(document, "a", "x")
    assert apply(text, lower(document, [Delete(x)])) == "a {\n  # own\n  # tail\n  y: 2\n}\n"
    assert apply(text, lower(document, [Delete(x, comments=False)])) == "a {\n  y: 2\n}\n"


def test_unwrapping_moves_fields_out_one_level() -> None:
    text = "layers {\n  layer { # inner\n    name: 'a'\n    m {\n      x: 1\n    }\n  }\n  top: 'b'\n}\n"
    document = parse(text)
    out = apply(text, lower(document, [Unwrap(field(document, "layers", "layer"))]))
    assert out == "layers {\n  # inner\n  name: 'a'\n  m {\n    x: 1\n  }\n  top: 'b'\n}\n"


def test_a_comment_between_name_and_brace_is_not_left_with_the_brace() -> None:
    document = parse("a { b # note\n{ x: 1 } }\n")
    with pytest.raises(EditError, match="shares its line"):
        lower(document, [Unwrap(field(document, "a", "b"))])


def test_contradicting_edits_are_refused() -> None:
    document = parse("a { x: 1 }\ndim: [1, 2]\n")
    x = field(document, "a", "x")
    with pytest.raises(EditError, match="two edits meet in line 1"):
        lower(document, [Replace(x, "2"), Replace(x, "3")])
    with pytest.raises(EditError, match="list"):
        lower(document, [Delete(next(document.root.fields("dim")))])
    with pytest.raises(EditError, match="message"):
        lower(document, [Insert(First(x), (NewField("y", "1"),))])


# ---------------------------------------------------------------- properties


def random_edits(document: Document, rnd: random.Random) -> list[Edit]:
    """Edits on nodes that do not contain each other."""
    nodes = [n for n in descend(document.root) if not n.in_list]
    rnd.shuffle(nodes)
    edits: list[Edit] = []
    taken: list[tuple[int, int]] = []
    for node in nodes[:6]:
        first = node.parent.item_offset(comments.first_owned(node)) if node.parent else 0
        span = (first, node.end)
        if any(a < span[1] and span[0] < b for a, b in taken):
            continue
        verb = rnd.choice(["replace", "rename", "delete", "drop", "before", "after", "wrap", "last", "unwrap"])
        new = NewMessage("new", (NewField("v", str(rnd.randint(0, 9))),))
        if verb == "replace" and not node.is_message and not node.is_list:
            edits.append(Replace(node, "42"))
        elif verb == "rename":
            edits.append(Rename(node, "renamed"))
        elif verb == "delete":
            edits.append(Delete(node))
        elif verb == "drop":
            edits.append(Delete(node, comments=False))
        elif verb == "before":
            edits.append(Insert(Before(node), (new,)))
        elif verb == "after":
            edits.append(Insert(After(node), (new, new)))
        elif verb == "wrap":
            edits.append(wrap([node], "wrapped", ["inner"] if not node.is_list else []))
        elif verb == "last" and node.is_message:
            edits.append(Insert(Last(node), (new,)))
        elif verb == "unwrap" and node.is_message:
            edits.append(Unwrap(node))
        else:
            continue
        taken.append(span)
    return edits


def values_of(text: str) -> Counter[str]:
    return Counter(n.value for n in descend(parse(text).root) if n.value)


@given(plain_bodies(), st.integers(0, 2**32))
def test_edits_at_once_equal_edits_one_after_another(text: str, seed: int) -> None:
    document = parse(text)
    edits = random_edits(document, random.Random(seed))
    try:
        at_once = apply(text, lower(document, edits))
    except EditError:
        return
    # One after another, last first: what comes before stays where it is.
    now = text
    alone = [lower(document, [edit]) for edit in edits]
    order = sorted(range(len(alone)), key=lambda i: ([(e.start, e.end) for e in alone[i]], i), reverse=True)
    for index in order:
        now = apply(now, alone[index])
    assert at_once == now
    parse(at_once)


@given(texts(), st.integers(0, 2**32))
@example('layer:"a" layer:"a" layer # note\n{ # note\n}', 0)  # the same comment before the brace and behind it
def test_edited_text_parses_and_the_diff_leads_to_it(text: str, seed: int) -> None:
    rnd = random.Random(seed)
    table = PieceTable(text)
    now = text
    for _ in range(3):
        document = parse(now)
        try:
            edits = lower(document, random_edits(document, rnd), f"pass{_}")
            new = apply(now, edits)
        except EditError:
            continue
        table.apply(edits)
        assert table.text() == new
        now = new
    composed = [TextEdit(e.start, e.end, e.new) for e in table.edits()]
    assert apply(text, composed) == now
    diff = unified("x", text, table.edits(), lambda offset: "ctx")
    assert apply_diff(text.encode(), diff.encode()) == now.encode()
    assert bool(diff) == (now != text)


@given(plain_bodies(), st.integers(0, 2**32))
def test_comments_keep_their_owners(text: str, seed: int) -> None:
    document = parse(text)
    edits = random_edits(document, random.Random(seed))
    try:
        new = apply(text, lower(document, edits))
    except EditError:
        return
    keeps_comments(document, parse(new), edits)


@given(texts())
def test_every_comment_has_one_owner(text: str) -> None:
    owned = Counter(c.text for c in comments.owned(parse(text)))
    total = sum(owned.values())
    assert (
        total == sum(len(comments.in_text(line)) for line in text.split("\n") if "#" in line)
        or '"' in text
        or "'" in text
    )


@given(
    st.text("ab\n", max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 6), st.text("xy\n", max_size=5)), max_size=6),
)
def test_diffs_of_any_text_apply(text: str, raw: list[tuple[int, int, str]]) -> None:
    edits, position = [], 0
    for start, length, new in sorted(raw):
        start = max(start, position)
        if start > len(text):
            break
        end = min(len(text), start + length)
        edits.append(TextEdit(start, end, new, "f"))
        position = end
    table = PieceTable(text)
    table.apply(edits)
    diff = unified("x", text, table.edits(), lambda offset: "")
    assert apply_diff(text.encode(), diff.encode()) == apply(text, edits).encode()


@pytest.mark.parametrize("name", ["net.prototxt", "a net.prototxt", "d\xe9j\xe0.prototxt", "dir/x.prototxt"])
@pytest.mark.parametrize("text", ["a: 1\nb: 2\n", "a: 1\r\nb: 2\r\n", "a: 1\nb: 2", "a: 1", "\n" * 20 + "b: 2"])
def test_git_and_patch_apply_the_diff(tmp_path: Path, name: str, text: str) -> None:
    document = parse(text)
    nodes = list(document.root.children())
    edits = [Replace(nodes[-1], "3"), Insert(After(nodes[-1]), (NewField("c", "4"),))]
    table = PieceTable(text)
    table.apply(lower(document, edits, "some-finding"))
    diff = unified(name.encode().decode("latin-1"), text, table.edits(), lambda offset: 'layer "x"').encode(
        "latin-1"
    )
    for tool in (["git", "apply", "-p1", "-"], ["patch", "-p1", "--quiet"]):
        folder = tmp_path / tool[0]
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(text.encode())
        done = subprocess.run(tool, cwd=folder, input=diff, capture_output=True, check=False)
        assert done.returncode == 0, (done.stderr, diff)
        assert (folder / name).read_bytes() == table.text().encode()
