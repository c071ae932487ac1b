"""A cache that somebody else made: nothing in it is believed, run, or written through."""

from __future__ import annotations

import os
import pickle
import subprocess
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import pytest

from caffefix.caffe.family import Family
from caffefix.results import FileResult, Status
from caffefix.zoo.cache import key_of
from caffefix.zoo.config import Configuration
from caffefix.zoo.identity import identity
from caffefix.zoo.work import Repairing
from tests.conftest import ROOT
from tests.support.golden import GOLDEN, caffefix

DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
CONFIG = b"[core]\n\tbare = false\n"
EVIL = b"[core]\n\tfsmonitor = touch ran\n"
COUNT = 12  # enough files for the cache to be used without being asked for


def _global(module: str, name: str) -> bytes:
    return b"c" + f"caffefix.{module}\n{name}\n".encode()


def _text(value: str) -> bytes:
    return b"X" + len(value).to_bytes(4, "little") + value.encode()


def _bytes(value: bytes) -> bytes:
    return b"B" + len(value).to_bytes(4, "little") + value


def _overwriting(path: str, old: bytes, new: bytes) -> bytes:
    """A pickle that names nothing but our own records and enums, and overwrites a file when it is read.

    It makes a result with new content and calls the record that writes results.
    """
    status = _global("results", "Status") + _text("would-change") + b"\x85R"
    # findings, diff, new; unsafe, role, delta, suppressed, fixes; line, column, stages, forks, skipped
    middle = b")" + _bytes(b"") + _bytes(new) + b")N)))" + b"K\x00K\x00)N)"
    values = _text(path) + status + _text("") + middle + _bytes(blake2b(old, digest_size=16).digest())
    result = _global("results", "FileResult") + b"(" + values + b"tR"
    writer = _global("zoo.writing", "Writer") + b"(" + _text("") + b"\x88tR"
    return b"\x80\x04" + writer + result + b"\x85R."


def _repository(folder: Path) -> Path:
    (folder / ".git").mkdir(parents=True)
    (folder / ".git/config").write_bytes(CONFIG)
    for number in range(COUNT):
        (folder / f"net{number}.prototxt").write_bytes(DEAD + b"# %d\n" % number)
    return folder


def _keys(folder: Path) -> list[str]:
    """The keys under which a run looks for results of the files: anybody can work them out."""
    asked = Repairing().asked(Configuration().of(str(folder / "net0.prototxt")))
    return [key_of(path.read_bytes(), Family(), asked) for path in sorted(folder.glob("*.prototxt"))]


def _old_entry(key: str, payload: bytes) -> bytes:
    """An entry as earlier versions kept them: its checksum has no secret in it."""
    import zlib

    body = zlib.compress(payload, 1)
    return blake2b(body, digest_size=16, key=key.encode()).digest() + body


def _marked_with_nothing(key: str, payload: bytes) -> bytes:
    """An entry of today, made by somebody who has another secret."""
    from caffefix.zoo.cache import _packed

    return _packed(FileResult("", Status.CLEAN), key, b"0" * 32)


@pytest.mark.parametrize("entry", [_old_entry, _marked_with_nothing])
@pytest.mark.parametrize("place", [".caffefix_cache", "planted"])
@pytest.mark.parametrize("reached", ["by itself", "--cache-dir", "configuration"])
def test_a_planted_cache_changes_nothing_and_says_nothing(
    tmp_path: Path, entry: Callable[[str, bytes], bytes], place: str, reached: str
) -> None:
    repository = _repository(tmp_path / "zoo")
    payload = _overwriting(".git/config", CONFIG, EVIL)
    planted = repository / place
    for key in _keys(repository):
        path = planted / identity() / key[:2] / key[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry(key, payload))
    (planted / "CACHEDIR.TAG").write_text(
        "Signature: 8a477f597d28d172789f06886806bc55\n# The cache of caffefix; it may be deleted.\n"
    )
    options = ("--cache-dir", place) if reached == "--cache-dir" else ()
    if reached == "configuration":
        (repository / "caffefix.toml").write_text(f'cache-dir = "{place}"\n')
    before = {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()}
    done = caffefix("--check", "-j", "1", *options, ".", cwd=repository)
    assert {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()} == before
    if reached == "configuration":
        assert (done.status, b"cache-dir: there is no such key" in done.err) == (2, True)
        return
    assert done.status == 1
    assert done.out.count(b"missing-weight-filler") >= COUNT  # no entry told of a clean net
    assert (b"was not created by caffefix for you" in done.err) == (reached == "--cache-dir")


def test_the_planted_entry_would_have_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without this, the test before would be of a pickle that does nothing anyhow.
    repository = _repository(tmp_path / "zoo")
    (repository / "payload").write_bytes(_overwriting(".git/config", CONFIG, EVIL))
    script = "import pickle; pickle.load(open('payload', 'rb'))"
    subprocess.run(
        [os.sys.executable, "-c", script],  # type: ignore[attr-defined]
        cwd=repository, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
    )  # fmt: skip
    assert (repository / ".git/config").read_bytes() == EVIL


def test_nothing_that_reads_files_knows_pickle() -> None:
    users = [path for path in (ROOT / "caffefix").rglob("*.py") if "pickle" in path.read_text(encoding="utf-8")]
    # Records can be pickled, for the pipes between processes of one run; nothing reads a pickle.
    assert {path.name for path in users} <= {"records.py", "work.py", "one_file.py"}
    assert not any("import pickle" in path.read_text(encoding="utf-8") for path in users)


@pytest.mark.parametrize("what", ["the folder", "the tag", "the version", "gitignore", "dangling tag"])
def test_nothing_is_written_through_links_in_a_cache_folder(tmp_path: Path, what: str) -> None:
    repository = _repository(tmp_path / "zoo")
    outside = tmp_path / "outside"
    outside.mkdir()
    cache = repository / "cache"
    if what == "the folder":
        cache.symlink_to(outside)
    else:
        cache.mkdir()
        name = {"the version": identity(), "gitignore": ".gitignore"}.get(what, "CACHEDIR.TAG")
        (cache / name).symlink_to(outside if what == "the version" else outside / "file")
        if what == "the tag":
            (outside / "file").write_text("kept")
    before = sorted((path, path.is_file() and path.read_bytes()) for path in outside.rglob("*"))
    done = caffefix("--check", "--cache-dir", "cache", ".", cwd=repository)
    assert sorted((path, path.is_file() and path.read_bytes()) for path in outside.rglob("*")) == before
    assert (done.status, b"warning: results of earlier runs are not used" in done.err) == (1, True)


def _state(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    return folder / "caffefix/cache-secret"


def test_the_secret_is_made_once_and_for_the_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = _state(monkeypatch, tmp_path / "home")
    _repository(tmp_path / "zoo")
    for _ in range(2):
        caffefix("--check", "zoo", cwd=tmp_path)
        assert secret.stat().st_mode & 0o777 == 0o600
        assert secret.parent.stat().st_mode & 0o777 == 0o700
    first = secret.read_bytes()
    assert len(first) == 32
    caffefix("--check", "zoo", cwd=tmp_path)
    assert secret.read_bytes() == first


@pytest.mark.parametrize("how", ["readable", "short", "link", "folder"])
def test_a_secret_that_others_may_know_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    secret = _state(monkeypatch, tmp_path / "home")
    secret.parent.mkdir(parents=True)
    if how == "link":
        (tmp_path / "theirs").write_bytes(b"0" * 32)
        (tmp_path / "theirs").chmod(0o600)
        secret.symlink_to(tmp_path / "theirs")
    elif how == "folder":
        secret.mkdir()
    else:
        secret.write_bytes(b"0" * (32 if how == "readable" else 5))
        secret.chmod(0o644 if how == "readable" else 0o600)
    _repository(tmp_path / "zoo")
    done = caffefix("--check", "zoo", cwd=tmp_path)
    assert (done.status, b"warning: results of earlier runs are not used" in done.err) == (1, True)
    assert not (tmp_path / "home/cache/caffefix").exists()


def test_forged_and_foreign_data_is_no_result() -> None:
    from caffefix.zoo.plain import RESULT

    good = RESULT.pack(FileResult("net", Status.CLEAN))
    assert RESULT.unpack(good) == FileResult("net", Status.CLEAN)
    for index in range(len(good)):
        for wrong in (7, True, 1.5, "nonsense", [["x"]], {"a": 1}):
            if type(wrong) is type(good[index]) and not (index == 1 or isinstance(wrong, list)):
                continue
            if good[index] is None and index == 5 and isinstance(wrong, str):
                continue  # new content is text
            with pytest.raises(ValueError):  # noqa: PT011
                RESULT.unpack([*good[:index], wrong, *good[index + 1 :]])
    with pytest.raises(ValueError):  # noqa: PT011
        RESULT.unpack([*good, ""])


def test_pickles_still_cross_from_process_to_process() -> None:
    result = FileResult("net", Status.CLEAN)
    assert pickle.loads(pickle.dumps(result)) == result
