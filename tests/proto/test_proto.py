"""``grammar/proto.lark`` and its reader, held against protoc."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caffefix.proto.link import MOST_FILES, link
from caffefix.proto.model import ProtoError
from caffefix.proto.reader import LARGEST, read
from caffefix.syntax.source import Source
from tests.support.protos import descriptor, linked, plain, protoc

pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install 'caffefix[test]'")

INSTALLED = sorted(Path(sysconfig.get_path("purelib")).rglob("*.proto"))


def included(path: Path) -> tuple[Path, str]:
    """The folder that a file's imports are relative to, and its name there."""
    for folder in reversed(path.parents):
        if (folder / "google/protobuf/descriptor.proto").exists():
            return folder, path.relative_to(folder).as_posix()
    return path.parent, path.name


def same(folder: Path, name: str) -> None:
    """Both make the same of a file, message for message, and of all that it imports."""
    theirs = {file.name: plain(file) for file in protoc(folder, name).file}
    ours = linked(folder, name, Path(sys.modules["grpc_tools"].__file__ or "").parent / "_proto")
    assert {file.source.path for file in ours.files} == set(theirs)
    for file in ours.files:
        assert descriptor(file, ours) == theirs[file.source.path]


@pytest.mark.parametrize("path", INSTALLED, ids=lambda path: path.name)
def test_what_packages_ship(path: Path, tmp_path: Path) -> None:
    folder, name = included(path)
    for file in folder.rglob("*.proto"):
        there = tmp_path / file.relative_to(folder)
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(file.read_bytes())
    same(tmp_path, name)


def test_packages_ship_some() -> None:
    assert len(INSTALLED) > 10


WRITTEN = {
    "usual": """
        // Of layers.
        syntax = "proto2";
        package caffe;
        /* A blob's
           shape. */
        message BlobShape { repeated int64 dim = 1 [packed = true]; }
        message FillerParameter {
          optional string type = 1 [default = 'constant'];
          optional float value = 2 [default = 0]; // zero
          optional float min = 3 [default = -1.5e-3];
          enum VarianceNorm { FAN_IN = 0; FAN_OUT = 1; AVERAGE = 2; }
          optional VarianceNorm variance_norm = 8 [default = FAN_IN];
        }
        enum Phase { TRAIN = 0; TEST = 1; }
        message LayerParameter {
          optional string name = 1; optional Phase phase = 10;
          optional FillerParameter filler = 3;
          repeated caffe.BlobShape shapes = 4 [deprecated = true, (x.y) = { a: 1 b { c: "}" } }];
        }
        """,
    "defaults": r"""
        message M {
          optional int32 a = 1 [default = 0x1F];   optional int32 b = 2 [default = -017];
          optional uint64 c = 3 [default = 18446744073709551615];
          optional float d = 4 [default = inf];    optional double e = 5 [default = -inf];
          optional float f = 6 [default = nan];    optional double g = 7 [default = .5];
          optional string h = 8 [default = "a\tb" 'c"'];
          optional string i = 9 [default = ""];    optional bool j = 10 [default = true];
          optional double k = 11 [default = 1e3];  optional float l = 12 [default = 4.];
          optional sint64 m = 13 [default = -9223372036854775808];
        }
        """,
    "scopes": """
        package a.b;
        message Outer {
          message Inner { enum Kind { X = 0; } optional Kind kind = 1; optional Outer.Inner again = 2; }
          optional Inner one = 1; optional .a.b.Outer two = 2; optional b.Outer.Inner.Kind three = 3;
          optional Other other = 4; message Other { optional Inner inner = 1; }
        }
        message Other { message Outer { } optional Outer mine = 2; optional .a.b.Outer.Other other = 1; }
        """,
    "words": """
        message message { optional string message = 1; optional int32 optional = 2;
                          repeated message repeated = 3; }
        message M {
          optional group group = 1; optional max to = 2; optional int32 syntax = 5; optional int32 map = 6;
          enum E { message = 0; enum = 1; extend = 2; max = -3; rpc = 4; }
          reserved "reserved", 'extensions'; reserved 10, 12 to 14, 100 to max; option deprecated = true;
        }
        message group { } message max { };
        """.replace("optional group group", "optional .group group"),
    "rest": """
        syntax = "proto2"; option java_package = "x"; option optimize_for = LITE_RUNTIME;
        message M {
          oneof choice { option (o) = 1; string path = 1; bytes data = 2 [default = "x"]; M inner = 3; }
          map<string, M> parts = 4; map<int32, float> by_number_of = 5;
          extensions 100 to 199, 1000 to max;
          extend M { optional int32 more = 100; }
          required M must = 6;
        }
        extend M { repeated float most = 101; optional M.PartsEntry e = 102; }
        enum Alias { option allow_alias = true; A = 0; B = 0; C = -1; reserved -9 to -5, 7; reserved "D"; }
        service S { rpc Do (M) returns (stream M) { option deprecated = true; }; rpc It (stream .M) returns (M); }
        """.replace("option (o) = 1; ", "").replace("optional M.PartsEntry e = 102; ", ""),
    "proto3": """
        syntax = "proto3"; package p;
        message M { int32 a = 1; optional int32 b = 2; repeated M c = 3; oneof o { M d = 4; } stream.X e = 5;
                    optional string f = 6; map<string, int32> g = 7; message stream { message X {} } }
        """,
    "edition": """
        edition = "2023"; message M { int32 a = 1; repeated M b = 2; string c = 3 [default = "x"];
          reserved old, older; }
        """,
    "empty": "",
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in WRITTEN if name != "usual"])
def test_what_is_written(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.proto").write_text(WRITTEN[name], encoding="utf-8")
    same(tmp_path, "a.proto")


def test_options_that_hold_messages_are_passed_over(tmp_path: Path) -> None:
    options = "message X { optional int32 a = 1; optional X b = 2; optional string c = 3; }"
    extension = 'package x; import "google/protobuf/descriptor.proto"; extend google.protobuf.FieldOptions'
    (tmp_path / "x.proto").write_text(f"{extension} {{ optional X y = 50000; }} {options}", encoding="utf-8")
    text = WRITTEN["usual"].replace("package caffe;", 'package caffe; import "x.proto";')
    text = (
        text.replace('a: 1 b { c: "}" }', 'a: 1, b < a: 0x2; > c: "}" "{"')
        .replace("b <", "b {")
        .replace("; >", "; }")
    )
    (tmp_path / "a.proto").write_text(text, encoding="utf-8")
    same(tmp_path, "a.proto")


def test_imports(tmp_path: Path) -> None:
    texts = {
        "a": 'import "b.proto"; import public "c.proto"; message A { optional n.B b = 1; optional C c = 2; }',
        "b": 'package n; import "c.proto"; message B { optional C c = 1; }',
        "c": "message C { }",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.proto").write_text(text, encoding="utf-8")
    same(tmp_path, "a.proto")


BROKEN = {
    "no end": ("message M {", "the file ends too early"),
    "comment": ("message M { /* }", 'unexpected "/"'),
    "string": ('syntax = "proto2', "is unexpected here"),
    "label": ("message M { int32 a = 1; }", '"a" has no label'),
    "number": ("message M { optional int32 a = 0; }", "0 is not a field number"),
    "large number": ("message M { optional int32 a = 536870912; }", "is not a field number"),
    "twice": ("message M { optional int32 a = 1; optional int32 a = 2; }", '"M.a" is defined twice'),
    "same number": ("message M { optional int32 a = 1; optional int32 b = 1; }", '"b" has the number 1, like "a"'),
    "reserved": ("message M { optional int32 a = 3; reserved 2 to 4; }", '"a = 3" is reserved'),
    "reserved name": ('message M { optional int32 a = 3; reserved "a"; }', '"a = 3" is reserved'),
    "type": ("message M { optional Foo a = 1; }", 'the type "Foo" was not found'),
    "hidden": ("message A { } message M { message A {} optional A.B a = 1; } ", 'the type "A.B" was not found'),
    "enum": ("enum E { }", 'the enum "E" has no values'),
    "values": ("enum E { A = 0; } enum F { A = 0; }", '"A" is defined twice'),
    "alias": ("enum E { A = 0; B = 0; }", '"B" has the number 0, like "A"; see allow_alias'),
    "messages": ("message M { } message M { }", '"M" is defined twice'),
    "import": ('import "b.proto";', 'the imported file "b.proto" was not found'),
    "syntax": ('syntax = "proto9";', 'unknown syntax "proto9"'),
    "garbage": ("\x00\x01", "byte 0x00 is unexpected here"),
    "prototxt": ('name: "x"\nlayer { }', 'unexpected "name"'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_protoc_refuses_is_refused_at_its_place(name: str, tmp_path: Path) -> None:
    text, words = BROKEN[name]
    (tmp_path / "a.proto").write_text(text, encoding="utf-8")
    with pytest.raises(AssertionError):
        protoc(tmp_path, "a.proto")
    with pytest.raises(ProtoError) as refused:
        linked(tmp_path, "a.proto")
    assert words in str(refused.value)
    assert str(refused.value).startswith("a.proto:1:")


def test_groups_are_refused_by_name() -> None:
    with pytest.raises(ProtoError, match="groups are not read") as refused:
        read(Source("a.proto", b"message M {\n  repeated group Result = 1 { optional int32 a = 2; }\n}"))
    assert str(refused.value).startswith("a.proto:2:12:")


HOSTILE = {
    "nested": b"message M {" * 100_000,
    "nested in options": b"option a = " + b"{" * 100_000,
    "large": b"// x\n" * 10_000_000,
    "long name": b"message " + b"M" * 1_000_000 + b" {}",
    "long package": b"package " + b".".join([b"a"] * 400_000) + b";",
    "many messages": b"message A{}" * 90_000,
    "a comment without an end": b"/*" + b"*" * 1_000_000,
    "a string without an end": b'option a = "' + b"\\x" * 500_000,
    "a number without an end": b"message M { optional int32 a = " + b"9" * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused(name: str) -> None:
    with pytest.raises(ProtoError) as refused:
        read(Source("a.proto", HOSTILE[name]))
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "text",
    [
        b"message M { reserved " + b",".join(b"%d" % n for n in range(1, 100_000)) + b"; }",
        b"message M { reserved " + b",".join(b'"a%d"' % n for n in range(90_000)) + b"; optional int32 b = 1; }",
        b"message M { " + b" ".join(b"optional M f%d = %d;" % (n, n) for n in range(1, 18_000)) + b" }",
        b'option a = ' + b'"a" ' * 200_000 + b";",
        b"enum E { " + b" ".join(b"A%d = %d;" % (n, n) for n in range(60_000)) + b" }",
        b";" * 1_000_000,
    ],
    ids=lambda text: text[:20].decode(),
)  # fmt: skip
def test_long_lists_take_time_by_their_length(text: bytes) -> None:
    """No assertion on time: what is quadratic does not end."""
    assert len(text) <= LARGEST
    link(read(Source("a.proto", text)), lambda path: None)


def test_imports_that_go_in_circles(tmp_path: Path) -> None:
    (tmp_path / "a.proto").write_text('import "b.proto";', encoding="utf-8")
    (tmp_path / "b.proto").write_text('\nimport "a.proto";', encoding="utf-8")
    with pytest.raises(ProtoError, match=r"^b.proto:2:1: .a.proto. imports itself"):
        linked(tmp_path, "a.proto")


def test_imports_without_number() -> None:
    def opened(path: str) -> Any:
        return read(Source(path, f'import "{int(path) + 1}";'.encode()))

    with pytest.raises(ProtoError, match=f"more than {MOST_FILES} files"):
        link(opened("1"), opened)


# ---------------------------------------------------------------- generated files

NAMES = st.sampled_from("a b c d message optional group to name type Layer Blob".split())
TYPES = st.sampled_from("float int32 uint64 bool string A B A.B .A A.E E".split())
NUMBERS = st.integers(1, 40)
COMMENTS = st.sampled_from(["", " ", "\n", "// x\n", "/* message A { */", "\t"])


@st.composite
def fields(draw: Any) -> str:
    label = draw(st.sampled_from(["optional", "required", "repeated"]))
    type_ = draw(TYPES)
    default = {"float": "-2.5", "int32": "0x10", "bool": "true", "string": "'x'"}.get(type_)
    given_default = label != "repeated" and default is not None and draw(st.booleans())
    options = f" [default = {default}]" if given_default else ""
    return f"{draw(COMMENTS)}{label} {type_} {draw(NAMES)}{draw(COMMENTS)} = {draw(NUMBERS)}{options};"


@st.composite
def messages(draw: Any, depth: int = 0) -> str:
    parts = draw(st.lists(fields(), max_size=3))
    parts += draw(st.lists(st.sampled_from(["enum E { X = 0; }", "enum F { Y = 1; X = 2; }", ";"]), max_size=1))
    if depth < 2:
        parts += draw(st.lists(messages(depth + 1), max_size=2))
    name = draw(st.sampled_from("ABCE"))
    return f"message {name} {{{draw(COMMENTS)}{' '.join(parts)}}}"


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.lists(messages(), min_size=1, max_size=3), st.sampled_from(["", "package A;", "package p.q;"]))
def test_generated_files(tmp_path_factory: Any, parts: list[str], package: str) -> None:
    """Both refuse a file, or both read the same in it."""
    folder = tmp_path_factory.mktemp("proto")
    (folder / "a.proto").write_text(package + "\n".join(parts), encoding="utf-8")
    try:
        theirs = protoc(folder, "a.proto")
    except AssertionError:
        with pytest.raises(ProtoError):
            linked(folder, "a.proto")
        return
    ours = linked(folder, "a.proto")
    assert descriptor(ours.files[0], ours) == plain(theirs.file[0])
