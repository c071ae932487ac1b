"""Patch files that cannot be right: each is refused when it is loaded, with its place and what to do."""

from __future__ import annotations

import ast
import re

import pytest

from caffefix.patching.errors import Mistake, PatchError
from caffefix.patching.load import patch_of
from caffefix.syntax.source import Source
from tests.support.golden import ROOT

HEAD = 'name: "a-patch"\nsummary: "What is wrong."\n'
BODY = '  layer {\n    type: "ReLU"\n-   top: $T\n+   top: "x"\n    ...\n  }\n'


def front(line: str, body: str = BODY) -> str:
    """A patch with one more line, the third, in its front matter."""
    return f"{HEAD}{line}\n---\n{body}"


def body(*lines: str, head: str = "") -> str:
    """A patch with this body, which begins in line 4."""
    return f"{HEAD}{head}---\n" + "\n".join(lines) + "\n"


def relu(*lines: str) -> str:
    """A patch with these lines, from line 6 on, in a layer."""
    return body("  layer {", '    type: "ReLU"', *lines, "  }")


MISTAKES = [
    # ---- the file
    (Mistake.EMPTY, "", 1, 1),
    (Mistake.EMPTY, " \n\n", 1, 1),
    (Mistake.BINARY, HEAD + "---\n  layer {\0", 4, 10),
    (Mistake.TOO_LONG, HEAD + "---\n" + "# x\n" * (1 << 16), 1, 1),
    (Mistake.UNIFIED, "--- a/net.prototxt\n+++ b/net.prototxt\n@@ -1 +1 @@\n-a: 1\n+a: 2\n", 1, 1),
    (Mistake.UNIFIED, "diff --git a/x b/x\n", 1, 1),
    (Mistake.UNIFIED, HEAD + "---\n@@ -3,4 +3,4 @@ layer {\n", 4, 1),
    (Mistake.NO_SEPARATOR, HEAD, 2, 26),
    (Mistake.NO_SEPARATOR, "- top: 1\n+ top: 2\n", 2, 9),
    (Mistake.NO_BODY, HEAD + "---\n\n", 3, 1),
    # ---- front matter
    (Mistake.FRONT_SYNTAX, 'name: "a\n---\n' + BODY, 1, 9),
    (Mistake.UNKNOWN_FIELD, front("phases: REPAIR"), 3, 1),
    (Mistake.UNKNOWN_FIELD, front('variable { name: "T" regex: "x" }'), 3, 22),
    (Mistake.NOT_A_SCALAR, front("title { }"), 3, 1),
    (Mistake.NOT_A_MESSAGE, front("where: 3"), 3, 1),
    (Mistake.GIVEN_TWICE, front("phase: TUNE\nphase: TUNE"), 4, 1),
    (Mistake.MISSING, 'name: "a"\n---\n' + BODY, 1, 1),
    (Mistake.MISSING, front("variable { min: 1 }"), 3, 1),
    (Mistake.BAD_CHOICE, front("phase: FIX"), 3, 1),
    (Mistake.BAD_CHOICE, front("opt_in: yes"), 3, 1),
    (Mistake.BAD_CHOICE, front("where { role: TRAINING }"), 3, 9),
    (Mistake.BAD_NAME, 'name: "A_Patch"\nsummary: "x"\n---\n' + BODY, 1, 1),
    (Mistake.RESERVED_NAME, 'name: "all"\nsummary: "x"\n---\n' + BODY, 1, 1),
    (Mistake.BAD_NUMBER, front('variable { name: "T" min: nan }'), 3, 22),
    (Mistake.BAD_NUMBER, front('variable { name: "T" max: 1e400 }'), 3, 22),
    (Mistake.BAD_NUMBER, front('variable { name: "T" min: "a" }'), 3, 22),
    (Mistake.UNKNOWN_FORK, front('where { dialect: "nvidea" }'), 3, 9),
    (Mistake.UNUSED_VARIABLE, front('variable { name: "X" min: 1 }'), 3, 1),
    (Mistake.NOTHING_ALLOWED, front('variable { name: "T" min: 2 max: 1 }'), 3, 1),
    (Mistake.NOTHING_ALLOWED, front('variable { name: "T" any_of: [1, 2] min: 3 }'), 3, 1),
    (Mistake.NOTHING_ALLOWED, front('variable { name: "T" regexp: "a[z-a]" }'), 3, 1),
    (Mistake.CONSTRAINED_TWICE, front('variable { name: "T" min: 1 }\nvariable { name: "T" max: 1 }'), 4, 1),
    (
        Mistake.WHERE_OF_WHAT,
        front("where { phase: TEST }", BODY + '  layer { type: "Scale" bottom: $T ... }\n'),
        3,
        1,
    ),
    (Mistake.UNKNOWN_OF, front('where { of: "L" phase: TEST }'), 3, 1),
    (
        Mistake.NOT_A_LAYER,
        front(
            'where { of: "P" phase: TEST }',
            '  layer { type: "ReLU" relu_param $P {\n-  engine: $E\n   ... } ... }',
        ),
        3,
        1,
    ),
    (Mistake.NOT_A_LAYER, front("where { phase: TEST }", "- base_lr: 0.1\n"), 3, 1),
    (Mistake.BAD_PATH, front('where { absent: "relu param" }'), 3, 9),
    (Mistake.BAD_TEMPLATE, front('message: "${X} is wrong"'), 3, 1),
    # ---- regular expressions
    (Mistake.BAD_REGEXP, front('variable { name: "T" regexp: "(a" }'), 3, 22),
    (Mistake.BAD_REGEXP, front('variable { name: "T" regexp: "(a)\\\\1" }'), 3, 22),
    (Mistake.BAD_REGEXP, front('variable { name: "T" regexp: "(?=a)a" }'), 3, 22),
    (Mistake.REGEXP_LONG, front(f'variable {{ name: "T" regexp: "{"a" * 300}" }}'), 3, 22),
    (Mistake.REGEXP_LONG, front('variable { name: "T" regexp: "((a{99}){99}){99}" }'), 3, 22),
    # ---- the body's text
    (Mistake.BAD_COLUMN, body("layer {", '  type: "ReLU"', "}"), 4, 1),
    (Mistake.BAD_CHARACTER, relu("-   top: @x", "    ..."), 6, 10),
    (Mistake.BAD_CHARACTER, relu("-   top: \u2028", "    ..."), 6, 10),
    (Mistake.BAD_COLUMN, body("\xa0 layer {", '    type: "ReLU"', "  }"), 4, 1),
    (Mistake.UNEXPECTED, relu("-   top $T", "    ..."), 7, 5),
    (Mistake.UNEXPECTED, relu("+   top: ", "    ..."), 7, 5),
    (Mistake.UNEXPECTED, body("  layer {", '    type: "ReLU"', "-   }", "  }"), 7, 3),
    (Mistake.UNCLOSED, body("  layer {", "-   relu_param {", "    ...", "  }"), 4, 9),
    (Mistake.UNCLOSED, body("  layer {"), 4, 9),
    (Mistake.TOO_DEEP, body("  layer {", "  a {" * 40, "  }" * 41), 5, 160),
    (Mistake.TOO_MANY, relu(*["-   top: $T"] * 1100), 1004, 8),
    # ---- what it means
    (Mistake.NO_CHANGE, relu("    ..."), 4, 1),
    (Mistake.DISPLAY_CHANGES, front("applicability: DISPLAY"), 3, 1),
    (Mistake.UNBOUND, relu("+   top: $T", "    ..."), 6, 10),
    (Mistake.UNBOUND, relu('+   top: "${T}_x"', "    ..."), 6, 10),
    (Mistake.UNBOUND, relu("+   $$$T", "    ..."), 6, 5),
    (Mistake.BOUND_APART, relu("    top: $T", "-   relu_param $T { }", "    ..."), 7, 5),
    (Mistake.TWO_RESTS, relu("-   top: $T", "    ...", "    $$$X"), 8, 5),
    (Mistake.REST_ADDED, relu("+   relu_param { ... }", "    $$$X"), 6, 18),
    (Mistake.REST_AT_TOP, body("  ...", "- name: $N"), 4, 3),
    (Mistake.REST_WRAPPED, relu("+   relu_param {", "      ...", "+   }"), 7, 7),
    (Mistake.HIDDEN_DELETION, relu("-   relu_param { ... }", "    ..."), 6, 18),
    (Mistake.HIDDEN_DELETION, relu("-   ..."), 6, 5),
    (Mistake.CALCULATED, relu("-   loss_weight: $X * 2", "    ..."), 6, 5),
    (Mistake.TEMPLATE_MATCH, relu('-   top: "${A}_${B}"', "    ..."), 6, 5),
    (Mistake.MOVED_APART, relu("-   a {", "-     b {", "        c: 1", "-     }", "-   }", "    ..."), 8, 9),
    (Mistake.WRITTEN_AS_IS, relu("    relu_param $P { ... }", "+   $P { engine: CAFFE }", "    ..."), 7, 5),
    (Mistake.CALCULATES_TEXT, relu("+   top: $R", "    $$$R"), 6, 10),
    (Mistake.NO_ANCHOR, body("  layer {", "-   top: $T", "+   top: $B", "    bottom: $B", "    ...", "  }"), 4, 1),
    (Mistake.NO_LAYER, body('- type_of_net: "x"'), 4, 3),
    (Mistake.MIXED, body('- base_lr: 0.1', "  layer { }"), 5, 3),
    (Mistake.OLD_LAYERS, body("  layers {", "-   type: RELU", "    ...", "  }"), 4, 3),
    (Mistake.DISCONNECTED, HEAD + "---\n" + BODY + '  layer { type: "Scale" ... }\n', 10, 3),
    (Mistake.REPEATS, relu("    ...", '+   top: "y"'), 4, 1),
    (Mistake.NO_NUMBER, relu("+   loss_weight: nan", "    ..."), 6, 5),
    (Mistake.NO_NUMBER, relu("-   loss_weight: 1", "+   loss_weight: -1e400", "    ..."), 7, 5),
    (
        Mistake.CALCULATED_AGAIN,
        relu("-   loss_weight: $X", "+   loss_weight: $X * 2", "    ..."),
        7,
        5,
    ),
    (
        Mistake.REPEATS,
        HEAD + "---\n" + '  layer {\n    type: "ReLU"\n    top: $T\n    ...\n  }\n'
        '+ layer {\n+   type: "ReLU"\n+   bottom: $T\n+   top: "${T}_again"\n+ }\n',
        4,
        1,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("mistake", "text", "line", "column"), MISTAKES, ids=[f"{i}-{m[0].name}" for i, m in enumerate(MISTAKES)]
)
def test_a_mistake_is_refused_at_its_place(mistake: Mistake, text: str, line: int, column: int) -> None:
    source = Source("a.patch", text.encode())
    with pytest.raises(PatchError) as caught:
        patch_of("a.patch", text.encode())
    shown = caught.value.render(source)
    assert caught.value.mistake is mistake, shown
    assert shown.startswith(f"a.patch:{line}:{column}: "), shown
    assert not re.search(rf"\{{({'|'.join(_NAMES)})\}}", caught.value.message + caught.value.hint), shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (relu("-   top: \u2028", "    ..."), "U+2028 means nothing here"),
        (body("\xa0 layer {", "  }"), "a blank, - or +, not U+00A0\n"),
        (body("\x1b[31m layer {", "  }"), "a blank, - or +, not \\x1b\n"),
        ("\ufeff" + front(""), "byte-order mark (BOM), which Caffe refuses; save the file without it"),
    ],
)
def test_what_cannot_be_seen_is_named(text: str, words: str) -> None:
    with pytest.raises(PatchError) as caught:
        patch_of("a.patch", text.encode())
    shown = caught.value.render(Source("a.patch", text.encode()))
    assert words in shown
    assert all(char.isprintable() or char == "\n" for char in shown), shown


def test_each_mistake_has_its_case() -> None:
    assert {mistake for mistake, *_ in MISTAKES} == set(Mistake)


def test_the_reference_lists_every_message() -> None:
    reference = " ".join((ROOT / "docs" / "patch-reference.md").read_text(encoding="utf-8").split())
    for mistake in Mistake:
        for text in filter(None, mistake.value):
            shown = re.sub(r"\{(\w+)\}", lambda m: m[1].upper() if m[1] in _NAMES else m[0], text)
            assert shown in reference, shown


RAISED = {"ValueMistake", "TooManySteps", "PatchFileError", "DeriveError"}


def _raised() -> list[str]:
    """Regular expressions for the messages that these are raised with; what is filled in may be anything."""
    package = ROOT / "caffefix"
    files = [*package.glob("patching/*.py"), *package.glob("zoo/patch*.py"), *package.glob("commands/patch/*.py")]
    found = []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED
            if call and isinstance(node, ast.Call) and node.args:
                texts = [n.value for n in ast.walk(node.args[0]) if isinstance(n, ast.Constant)]
                parts = [
                    re.escape(" ".join(text.split())) for text in texts if isinstance(text, str) and len(text) > 3
                ]
                found += parts
    return found


def test_the_reference_lists_what_is_raised_in_files_and_by_commands() -> None:
    reference = " ".join((ROOT / "docs" / "patch-reference.md").read_text(encoding="utf-8").split())
    messages = _raised()
    assert len(messages) > 20
    assert not [message for message in messages if not re.search(message, reference)]


_NAMES = frozenset(
    """
    size most reason name known value near field variable rest hint what char token side expected one other type
    """.split()
)
