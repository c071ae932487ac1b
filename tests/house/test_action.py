"""The GitHub Action, its steps run as the runner runs them, and the pre-commit hooks, in made-up repositories."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support import report_readers as read
from tests.support.golden import GOLDEN, ROOT

yaml = pytest.importorskip("yaml", reason="needs PyYAML to read action.yml")

DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
ALIVE = (GOLDEN / "missing-weight-filler/fires/after.prototxt").read_bytes()
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
_EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
# What stands in for GitHub's command line: it notes what it is asked, and knows one old comment or none.
_GH = """#!/usr/bin/env bash
[ -z "${GH_FAILS:-}" ] || exit 1
printf '%s\\n' "$*" >> "$CALLS"
for argument in "$@"; do
  case "$argument" in body=@*) cat "${argument#body=@}" > "$CALLS.body" ;; esac
done
case "$*" in *--jq*) [ -z "${OLD_COMMENT:-}" ] || echo "$OLD_COMMENT" ;; esac
"""
_REVIEWDOG = '#!/usr/bin/env bash\nprintf "%s\\n" "reviewdog $*" >> "$CALLS"\ncat > "$CALLS.stdin"\n'


@dataclass
class Runner:
    """A runner of GitHub Actions, as far as the action asks it for anything."""

    workspace: Path
    folder: Path
    event: dict[str, Any]
    inputs: dict[str, str]
    environment: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    log: str = ""

    def run(self, *, installing: bool = False) -> int:
        """Run the steps; the exit status of the first that fails."""
        for file in ("event.json", "output", "summary"):
            (self.folder / file).write_text("")
        (self.folder / "event.json").write_text(json.dumps(self.event))
        if not installing:
            self._program(
                "temp/caffefix-venv/bin/caffefix", f'#!/bin/sh\nexec "{sys.executable}" -m caffefix "$@"\n'
            )
        self._program("bin/gh", _GH)
        self._program("bin/reviewdog", _REVIEWDOG)
        if not (self.folder / "bin/python3").exists():
            (self.folder / "bin/python3").symlink_to(sys.executable)
        for step in ACTION["runs"]["steps"]:
            if step["name"] == "Install caffefix" and not installing:
                continue
            if "if" not in step or self._holds(step["if"]):
                self.ran.append(step["name"])
                status = self._shell(step) if "run" in step else 0
                if status:
                    return status
        return 0

    def _program(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def _shell(self, step: dict[str, Any]) -> int:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "what users write must not become part of a script"
        script = self.folder / "step.sh"
        script.write_text(step["run"])
        output = self.folder / "output"
        output.write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace, env=self._variables(step), capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.log += done.stdout + done.stderr
        pairs = (line.partition("=") for line in output.read_text().splitlines())
        self.outputs[step.get("id", "")] = {key: value for key, _, value in pairs}
        return done.returncode

    def _variables(self, step: dict[str, Any]) -> dict[str, str]:
        given = {key: self._filled(value) for key, value in step.get("env", {}).items()}
        return {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "RUNNER_TEMP": str(self.folder / "temp"),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GITHUB_REPOSITORY": "someone/nets",
            "GITHUB_SERVER_URL": "https://github.example",
            "CALLS": str(self.folder / "calls"),
            **{key: value for key, value in os.environ.items() if key.startswith("PIP_")},
            **self.environment,
            **given,
        }

    def _filled(self, text: str) -> str:
        return _EXPRESSION.sub(lambda match: self._value(match.group(1)), text)

    def _value(self, name: str) -> str:
        if name.startswith("'"):
            return name.strip("'")
        kind, _, rest = name.partition(".")
        if kind == "inputs":
            return self._filled(self.inputs.get(rest, ACTION["inputs"][rest].get("default", "")))
        if kind == "steps":
            step, _, output = rest.partition(".outputs.")
            return self.outputs.get(step, {}).get(output, "")
        context = {"token": "secret", "action_repository": "maker/tool", "action_ref": "v1"}
        context["event_name"] = "pull_request" if "pull_request" in self.event else "push"
        return context[rest]

    def _holds(self, condition: str) -> bool:
        """Comparisons joined by &&: there are no others in the action."""
        for part in condition.split("&&"):
            left, operator, right = part.split()
            if (self._value(left) == self._value(right)) != (operator == "=="):
                return False
        return True

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text()


def git(*args: str, cwd: Path) -> str:
    identity = [
        "-c",
        "user.name=Tester",
        "-c",
        "user.email=tester@example.org",
        "-c",
        "protocol.file.allow=always",
    ]
    done = subprocess.run(["git", *identity, *args], cwd=cwd, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def pull_request(tmp_path: Path) -> Runner:
    """A shallow clone of a pull request that adds a dead net; an older one is not its matter."""
    origin, workspace = tmp_path / "origin", tmp_path / "work space"
    origin.mkdir()
    git("init", "--quiet", "--initial-branch=main", cwd=origin)
    git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=origin)
    (origin / "old.prototxt").write_bytes(DEAD)
    (origin / "notes.md").write_text("notes")
    git("add", "-A", cwd=origin)
    git("commit", "--quiet", "-m", "base", cwd=origin)
    base = git("rev-parse", "HEAD", cwd=origin)
    (origin / "new nets").mkdir()
    (origin / "new nets/a;b $(touch x).prototxt").write_bytes(DEAD)
    (origin / "notes.md").write_text("more notes")
    git("add", "-A", cwd=origin)
    git("commit", "--quiet", "-m", "a net", cwd=origin)
    git("clone", "--quiet", "--depth=1", origin.as_uri(), str(workspace), cwd=tmp_path)
    (tmp_path / "runner").mkdir()
    event = {"pull_request": {"number": 7, "base": {"sha": base}}}
    return Runner(workspace, tmp_path / "runner", event, {})


def test_a_pull_request_is_annotated_commented_on_and_fails(pull_request: Runner) -> None:
    assert pull_request.run() == 1
    assert pull_request.ran == ["Check", "Comment", "Verdict"]
    assert pull_request.outputs["check"]["status"] == "1"
    marked = read.github("\n".join(line for line in pull_request.log.splitlines() if line.startswith("::")))
    assert {seen.path for seen in marked} == {"new nets/a;b $(touch x).prototxt"}
    asked, posted = pull_request.calls
    assert asked.startswith("api --paginate repos/someone/nets/issues/7/comments --jq ")
    assert posted.startswith("api --silent --method POST repos/someone/nets/issues/7/comments -F body=@")
    body = (pull_request.folder / "calls.body").read_text()
    assert body == pull_request.summary
    assert body.startswith("<!-- caffefix -->\n### caffefix: 1 file, 1 to fix\n")
    assert "(https://github.example/maker/tool/blob/v1/docs/findings/missing-weight-filler.md)" in body
    reports = Path(pull_request.outputs["check"]["reports"])
    assert {p.name for p in reports.iterdir()} == {
        f"caffefix.{kind}" for kind in ("sarif", "rdjson", "json", "md")
    }
    assert not (pull_request.workspace / "x").exists()
    assert (pull_request.workspace / "old.prototxt").read_bytes() == DEAD


def test_the_old_comment_is_brought_up_to_date(pull_request: Runner) -> None:
    pull_request.environment["OLD_COMMENT"] = "99"
    pull_request.inputs = {"fail": "false"}
    assert pull_request.run() == 0
    assert pull_request.calls[1].startswith("api --silent --method PATCH repos/someone/nets/issues/comments/99 ")


def test_what_may_not_be_commented_on_is_said_in_the_log(pull_request: Runner) -> None:
    pull_request.environment["GH_FAILS"] = "yes"
    pull_request.inputs = {"fail": "false"}
    assert pull_request.run() == 0
    assert "::warning::caffefix could not read the comments" in pull_request.log


def test_suggestions_and_code_scanning(pull_request: Runner) -> None:
    pull_request.inputs = {"suggestions": "true", "sarif": "true", "comment": "false"}
    assert pull_request.run() == 1
    assert pull_request.ran == ["Check", "Upload to code scanning", "Install reviewdog", "Suggest", "Verdict"]
    (call,) = pull_request.calls
    assert call.startswith("reviewdog -f=rdjson ")
    text = (pull_request.folder / "calls.stdin").read_text()
    assert {seen.name for seen in read.rdjson(text)} == {"missing-weight-filler", "missing-input-scale"}
    upload = next(step for step in ACTION["runs"]["steps"] if step["name"] == "Upload to code scanning")
    file = pull_request._filled(upload["with"]["sarif_file"])
    assert read.sarif(Path(file).read_text())


def test_a_push_looks_at_all_paths(pull_request: Runner) -> None:
    pull_request.event = {"ref": "refs/heads/main"}
    paths = {"annotations": "false", "paths": "new nets\nold.prototxt\n"}
    pull_request.inputs = {**paths, "args": "--select=legacy-*\n"}
    assert pull_request.run() == 0
    assert "### caffefix: 2 files, nothing to fix" in pull_request.summary
    assert pull_request.calls == []
    pull_request.inputs = paths
    assert pull_request.run() == 1
    assert "old.prototxt:14:3: missing-weight-filler conv1: " in pull_request.log


def test_nothing_to_look_at_and_wrong_usage(pull_request: Runner) -> None:
    pull_request.inputs = {"paths": "notes.md"}
    assert pull_request.run() == 0
    assert "No prototxt file was changed." in pull_request.log
    assert pull_request.ran == ["Check", "Verdict"]
    pull_request.inputs = {"args": "--select=no-such-finding"}
    assert pull_request.run() == 2
    assert "there is no finding" in pull_request.log


ABORTS = b"""layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "relu" }
"""


def test_a_net_that_caffe_aborts_on_fails_though_nothing_can_be_fixed(pull_request: Runner) -> None:
    (pull_request.workspace / "aborts.prototxt").write_bytes(ABORTS)
    pull_request.inputs = {"changed-only": "false", "paths": "aborts.prototxt"}
    assert pull_request.run() == 1
    assert "unknown-bottom" in pull_request.log
    pull_request.inputs |= {"fail": "false"}
    assert pull_request.run() == 0


@pytest.mark.parametrize(
    "hook", yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text()), ids=lambda h: h["id"]
)
def test_the_hooks_fail_for_a_net_that_caffe_aborts_on(tmp_path: Path, hook: dict[str, Any]) -> None:
    (tmp_path / "net.prototxt").write_bytes(ABORTS)
    command = hook["entry"].split()
    assert command[0] == "caffefix"
    done = subprocess.run(
        [sys.executable, "-m", *command, "net.prototxt"], cwd=tmp_path, capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 1
    assert b"unknown-bottom" in done.stdout


def test_a_broken_file_fails_even_where_findings_do_not(pull_request: Runner) -> None:
    (pull_request.workspace / "broken.prototxt").write_bytes(b"layer {")
    pull_request.inputs = {"fail": "false", "changed-only": "false", "paths": "broken.prototxt"}
    assert pull_request.run() == 2
    assert "file=broken.prototxt,line=1" in pull_request.log


def test_the_files_for_github_gitlab_and_pre_commit_follow_their_schemas(tmp_path: Path) -> None:
    checker = pytest.importorskip("check_jsonschema", reason="it brings the schemas, from Python 3.11 on")
    blocks = re.findall(r"^```yaml (\S+)\n(.*?)^```$", (ROOT / "docs/reviewers.md").read_text(), re.M | re.S)
    assert {name for name, _ in blocks} >= {
        ".github/workflows/caffefix.yml",
        ".gitlab-ci.yml",
        ".pre-commit-config.yaml",
    }
    kinds = {"workflows": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}
    checks = [("vendor.github-actions", ROOT / "action.yml")]
    for number, (name, body) in enumerate(blocks):
        path = tmp_path / f"{number}.yml"
        path.write_text(body)
        assert yaml.safe_load(body)
        checks += [(schema, path) for word, schema in kinds.items() if word in name]
    assert len(checks) >= 3
    for schema, path in checks:
        done = subprocess.run(
            [sys.executable, "-m", checker.__name__, "--builtin-schema", schema, str(path)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_in_the_documentation_uses_inputs_that_there_are() -> None:
    blocks = re.findall(r"^```yaml (\S+)\n(.*?)^```$", (ROOT / "docs/reviewers.md").read_text(), re.M | re.S)
    (workflow,) = (yaml.safe_load(body) for name, body in blocks if name.endswith("workflows/caffefix.yml"))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    (ours,) = (step for step in steps if "/caffefix@" in step["uses"])
    assert set(ours["with"]) <= set(ACTION["inputs"])


def _source(folder: Path) -> Path:
    """This version of the tool as a repository of its own."""
    source = folder / "caffefix"
    names = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
    for name in filter(None, names):
        if not name.startswith(("golden/", "tests/")) and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    git("init", "--quiet", "--initial-branch=main", cwd=source)
    git("add", "-A", cwd=source)
    git("commit", "--quiet", "-m", "caffefix", cwd=source)
    return source


def _needs_an_index(log: str) -> None:
    """Skip where what is installed from cannot be reached; any other failure is one."""
    if re.search(r"No matching distribution|Connection|Temporary failure|Could not find a version", log):
        pytest.skip("needs a package index to install from")


@pytest.mark.slow
def test_pre_commit_runs_the_hooks(tmp_path: Path) -> None:
    pytest.importorskip("pre_commit", reason="needs pre-commit")
    if not (ROOT / ".git").exists():
        pytest.skip("needs a clone of the repository")
    source, repository = _source(tmp_path), tmp_path / "nets"
    repository.mkdir()
    git("init", "--quiet", cwd=repository)
    revision = git("rev-parse", "HEAD", cwd=source)
    hooks = [{"id": "caffefix-check"}, {"id": "caffefix"}]
    config = {"repos": [{"repo": source.as_uri(), "rev": revision, "hooks": hooks}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    (repository / "net.prototxt").write_bytes(DEAD)
    (repository / "weights.pt").write_bytes(b"PK\x03\x04\0\0")
    (repository / "notes.txt").write_bytes(b"layer {")
    git("add", "-A", cwd=repository)

    def pre_commit(*args: str) -> subprocess.CompletedProcess[str]:
        # The hooks' environment must be made of the hook's repository alone.
        kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PRE_COMMIT_HOME")}
        environment = {
            **kept, "PRE_COMMIT_HOME": str(tmp_path / "home"), "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always",
        }  # fmt: skip
        command = [sys.executable, "-m", "pre_commit", *args]
        return subprocess.run(
            command, cwd=repository, env=environment, capture_output=True, text=True, check=False
        )

    prepared = pre_commit("install-hooks")
    if prepared.returncode:
        _needs_an_index(prepared.stdout + prepared.stderr)
    assert prepared.returncode == 0, prepared.stdout + prepared.stderr
    checked = pre_commit("run", "caffefix-check", "--all-files")
    assert checked.returncode == 1, checked.stdout
    assert "net.prototxt:14:3: missing-weight-filler" in checked.stdout
    assert "notes.txt" not in checked.stdout
    assert (repository / "net.prototxt").read_bytes() == DEAD
    repaired = pre_commit("run", "caffefix")
    assert repaired.returncode == 1
    assert "files were modified by this hook" in repaired.stdout
    assert (repository / "net.prototxt").read_bytes() == ALIVE
    git("add", "-A", cwd=repository)
    again = pre_commit("run")
    assert again.returncode == 0, again.stdout


@pytest.mark.slow
def test_the_action_installs_itself(pull_request: Runner) -> None:
    pull_request.environment["PYTHONPATH"] = ""
    status = pull_request.run(installing=True)
    if status and pull_request.ran == ["Install caffefix"]:
        _needs_an_index(pull_request.log)
    assert status == 1, pull_request.log
    assert pull_request.ran == ["Install caffefix", "Check", "Comment", "Verdict"]
    assert "### caffefix: 1 file, 1 to fix" in pull_request.summary
