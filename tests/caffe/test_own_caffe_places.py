"""Where a repository's own Caffe is found, and what cannot be one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from caffefix.zoo import own_caffe
from tests.support.golden import caffefix

pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install 'caffefix[test]'")

from tests.support.own_caffes import USUAL
from tests.support.own_repositories import FOREIGN, NET, PROTO, SOURCES, names, write


def is_found(root: Path, *args: str) -> bool:
    found = names(root, *args)
    assert found in (set(), {"unknown-field"})
    return found == set()


def test_the_only_proto_with_layers(repository: Path) -> None:
    (repository / USUAL).rename(repository / "src/layers.proto")
    write(repository / "other.proto", 'syntax = "proto2"; message Other { }')
    assert is_found(repository)
    write(repository / "vendor/caffe.proto", PROTO)
    assert not is_found(repository)  # there are two


def test_the_nearest_of_several(repository: Path) -> None:
    write(repository / "models" / USUAL, PROTO.replace("FancyParameter fancy_param", "FancyParameter plain_param"))
    assert "unknown-field" in names(repository)


@pytest.mark.parametrize("bound", ["git", "root", "folder"])
def test_nothing_beyond_the_repository(repository: Path, bound: str) -> None:
    """Nor is there a search without one: what lies above a file is not the file's for that."""
    (repository / ".git").rmdir()
    if bound == "git":
        assert not is_found(repository)
        (repository / "models/.git").write_text("gitdir: elsewhere")  # a submodule's
        assert not is_found(repository)
    elif bound == "root":
        assert is_found(repository, "--root", ".")
        assert not is_found(repository, "--root", "models")
    else:
        for given, findings in ((".", 0), ("models", 1)):
            done = caffefix("--dry-run", "--notes", "--format", "json", given, cwd=repository)
            (file,) = [f for f in json.loads(done.out)["files"] if f["path"].endswith("net.prototxt")]
            assert len({f["name"] for f in file["findings"]}) == findings


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_not_followed(repository: Path, tmp_path: Path) -> None:
    (repository / USUAL).rename(tmp_path / "caffe.proto")
    (repository / USUAL).symlink_to(tmp_path / "caffe.proto")
    assert not is_found(repository)
    (repository / USUAL).unlink()
    (repository / "src/caffe/proto").rmdir()
    (tmp_path / "proto").mkdir()
    (tmp_path / "caffe.proto").rename(tmp_path / "proto/caffe.proto")
    (repository / "src/caffe/proto").symlink_to(tmp_path / "proto")
    assert not is_found(repository)


def test_more_than_can_be_searched_is_not_searched(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / USUAL).rename(repository / "layers.proto")
    assert is_found(repository)
    monkeypatch.setattr(own_caffe, "MOST_ENTRIES", 2)
    assert not is_found(repository)


def test_sources_that_cannot_be_read_whole_say_nothing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repository / "models/net.prototxt", NET.replace("FancyAttention", "Other"))
    assert names(repository) == {"unknown-layer-type"}
    with monkeypatch.context() as patch:
        patch.setattr(own_caffe, "LARGEST_SOURCE", 10)
        assert names(repository) == set()
    with monkeypatch.context() as patch:
        patch.setattr(own_caffe, "MOST_BYTES", 10)
        assert names(repository) == set()
    write(repository / "src/caffe/more.cpp", "")
    with monkeypatch.context() as patch:
        patch.setattr(own_caffe, "MOST_SOURCES", 1)
        assert names(repository) == set()


def test_a_proto_that_is_named(repository: Path) -> None:
    (repository / USUAL).rename(repository / "mine.proto")
    write(repository / "other.proto", PROTO.replace("heat", "cold"))
    assert is_found(repository, "--proto", "mine.proto")
    assert "unknown-field" in names(repository, "--proto", "other.proto")
    write(repository / "caffefix.toml", 'proto = "mine.proto"')
    assert is_found(repository)
    assert "unknown-field" in names(repository, "--proto", "other.proto")
    assert names(repository, "--dialect", "bvlc") == FOREIGN
    shown = caffefix("config", "--format", "json", "models", cwd=repository).out
    assert b"mine.proto" in shown


def test_standard_input_has_a_place(repository: Path) -> None:
    done = caffefix(
        "-", "--stdin-filename", "models/other.prototxt", "--dry-run", cwd=repository, stdin=NET.encode()
    )
    assert (done.status, done.out) == (0, b"")


@pytest.mark.parametrize(
    ("args", "config", "words"),
    [
        (("--proto", "none.proto"), "", "none.proto"),
        (("--proto", "models/net.prototxt"), "", "models/net.prototxt:1:1: "),
        (("--proto", "other.proto"), "", "other.proto: it has no LayerParameter"),
        (("--proto", USUAL, "--dialect", "bvlc"), "", "--dialect and --proto cannot both be given"),
        ((), 'proto = "none.proto"', "caffefix.toml: proto: there is no file none.proto"),
        ((), 'proto = "../caffe.proto"', "is not below this file's folder; give it with --proto"),
        ((), 'proto = "/caffe.proto"', "is not below this file's folder; give it with --proto"),
        ((), "proto = 1", "must be a path, but is a number"),
        ((), f'proto = "{USUAL}"\ndialect = "bvlc"', "dialect also names a Caffe"),
        ((), 'proto = "other.proto"', "other.proto: it has no LayerParameter"),
    ],
)
def test_what_cannot_be_the_dialect(repository: Path, args: tuple[str, ...], config: str, words: str) -> None:
    write(repository / "other.proto", 'syntax = "proto2"; message Other { }')
    write(repository.parent / "caffe.proto", PROTO)
    if config:
        write(repository / "caffefix.toml", config)
    done = caffefix(*args, "models/net.prototxt", cwd=repository)
    assert done.status == 2
    assert words in done.err.decode()
    assert (repository / "models/net.prototxt").read_text() == NET


def test_a_proto_that_is_found_and_cannot_be_used_is_a_warning(repository: Path) -> None:
    write(repository / USUAL, PROTO + "message Broken { optional int32 a = 1 optional int32 b = 2; }")
    write(repository / "models/net2.prototxt", NET)
    done = caffefix("--dry-run", "--notes", "models", cwd=repository)
    assert done.status in (0, 1)
    warnings = [line for line in done.err.decode().splitlines() if line.startswith("warning")]
    line = PROTO.count("\n") + 1
    assert warnings == [
        f'warning: {USUAL}:{line}:39: unexpected "optional", expected "[" or ";"; '
        "2 files are judged by the known forks instead"
    ]


def test_imports_of_the_same_folder(repository: Path) -> None:
    head, _, tail = PROTO.partition("message FancyParameter")
    fancy, _, rest = tail.partition("message InnerProductParameter")
    write(repository / USUAL, f'import "caffe/proto/fancy.proto";{head}message InnerProductParameter{rest}')
    write(
        repository / USUAL.replace("caffe.proto", "fancy.proto"), f"package caffe; message FancyParameter{fancy}"
    )
    assert is_found(repository)


def test_a_result_is_not_kept_for_another_caffe(repository: Path) -> None:
    cache = ("--cache-dir", str(repository / "cache"))
    assert is_found(repository, *cache)
    write(repository / USUAL, PROTO.replace("fancy_param", "plain_param"))
    assert "unknown-field" in names(repository, *cache)
    write(repository / USUAL, PROTO)
    assert is_found(repository, *cache)
    write(repository / "src/caffe/layers.cpp", SOURCES.replace("FancyAttention", "Other"))
    assert names(repository, *cache) == {"unknown-layer-type"}


def test_several_processes(repository: Path) -> None:
    for number in range(12):
        write(repository / f"models/{number}/net.prototxt", NET)
    done = caffefix("--check", "--notes", "-j", "2", "--no-cache", ".", cwd=repository)
    assert (done.status, done.out.decode().splitlines()[-1]) == (0, "13 files, nothing to fix")
