"""Checks of the workflows beyond actionlint: pins, permissions, limits, no injection."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.lib.errors import ExitCode

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# `preview` runs the code of a pull request: it writes the comment, and nothing else anywhere.
ALLOWED = {
    "ci.yml": {"contents: read"},
    "preview.yml": {"contents: read", "id-token: write", "pull-requests: write"},
    "deploy.yml": {"contents: read", "id-token: write", "pull-requests: read"},
    "teardown.yml": {"contents: read", "id-token: write"},
}


def load(path: Path) -> dict[Any, Any]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    found = load(path)["jobs"]
    assert isinstance(found, dict)
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(path).values() for step in job["steps"]]


def triggers(path: Path) -> set[str]:
    """YAML 1.1 reads the key `on` as true."""
    return set(load(path)[True])


def test_the_four_workflows_are_there() -> None:
    assert {path.name for path in WORKFLOWS} == set(ALLOWED)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
class TestEveryWorkflow:
    def test_actions_are_pinned_by_commit_with_their_version(self, path: Path) -> None:
        uses = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
        assert uses
        for use in uses:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use

    def test_no_other_partys_text_gets_into_a_script(self, path: Path) -> None:
        for step in steps(path):
            assert "${{" not in step.get("run", ""), step["run"]

    def test_permissions_are_the_least(self, path: Path) -> None:
        assert load(path)["permissions"] == {}
        for job in jobs(path).values():
            given = {f"{key}: {value}" for key, value in job["permissions"].items()}
            assert given <= ALLOWED[path.name]

    def test_every_job_ends(self, path: Path) -> None:
        assert all(1 <= job["timeout-minutes"] <= 60 for job in jobs(path).values())

    def test_the_token_is_not_left_in_the_checkout(self, path: Path) -> None:
        checkouts = [s for s in steps(path) if s.get("uses", "").startswith("actions/checkout@")]
        assert checkouts
        assert all(s["with"]["persist-credentials"] is False for s in checkouts)

    def test_no_keys_but_federation(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        assert "credentials_json" not in text
        assert set(re.findall(r"secrets\.(\w+)", text)) <= {"PULUMI_CONFIG_PASSPHRASE"}

    def test_scripts_and_targets_exist(self, path: Path) -> None:
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        for step in steps(path):
            for script in re.findall(r"scripts/\w+\.py", step.get("run", "")):
                assert (ROOT / script).is_file(), script
            for target in re.findall(r"^\s*make (\w+)", step.get("run", ""), re.MULTILINE):
                assert re.search(rf"^{target}:", makefile, re.MULTILINE), target

    def test_untrusted_code_never_runs_with_the_rights_of_main(self, path: Path) -> None:
        assert not triggers(path) & {"pull_request_target", "workflow_run", "issue_comment"}


def test_the_gitlab_example_is_valid_and_its_script_compiles() -> None:
    text = (ROOT / "docs" / "previews.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    job = yaml.safe_load(block)["preview"]
    assert all(isinstance(line, str) for line in job["script"])
    (script,) = [line for line in job["script"] if line.startswith(".venv/bin/python - <<")]
    compile(script.split("\n", 1)[1].rsplit("END", 1)[0], "gitlab", "exec")


def test_the_documents_name_every_variable_and_exit_code() -> None:
    text = (ROOT / "docs" / "previews.md").read_text(encoding="utf-8")
    used = {
        name
        for path in WORKFLOWS
        for name in re.findall(r"(?:vars|secrets)\.(\w+)", path.read_text(encoding="utf-8"))
    }
    assert {name for name in used if f"`{name}`" not in text} == set()


def test_stacks_are_changed_one_at_a_time_and_never_cut_off() -> None:
    for file, job, stack in (
        ("deploy.yml", "up", "matrix.stack"),
        ("teardown.yml", "teardown", "matrix.stack"),
    ):
        concurrency = jobs(ROOT / ".github" / "workflows" / file)[job]["concurrency"]
        assert concurrency == {
            "group": f"stack-${{{{ {stack} }}}}",
            "cancel-in-progress": False,
        }


def test_only_environments_get_the_account_that_may_change_things() -> None:
    for path in WORKFLOWS:
        for job in jobs(path).values():
            if "GCP_DEPLOY_SERVICE_ACCOUNT" in str(job):
                assert job["environment"]


def test_a_preview_that_did_not_run_is_never_green() -> None:
    """A job that is skipped counts as passed: refusing forks must fail instead."""
    job = jobs(ROOT / ".github" / "workflows" / "preview.yml")["preview"]
    assert "if" not in job
    first = job["steps"][0]
    assert first["if"] == ("github.event.pull_request.head.repo.full_name != github.repository")
    assert "exit 1" in first["run"]


COMMENTS = [
    {"id": 1, "user": {"login": "someone"}, "body": "<!-- gcp-healthcare-dicom:preview:dev -->"},
    {"id": 2, "user": {"login": "github-actions[bot]"}, "body": "<!-- another -->"},
]
OURS = {
    "id": 3,
    "user": {"login": "github-actions[bot]"},
    "body": "<!-- gcp-healthcare-dicom:preview:dev -->\nold",
}


@pytest.mark.sockets
@pytest.mark.skipif(not shutil.which("jq"), reason="GitHub's machines have jq; this one has not")
@pytest.mark.parametrize(
    ("comments", "call"),
    [
        (COMMENTS, "--silent --method POST repos/o/r/issues/7/comments"),
        ([*COMMENTS, OURS], "--silent --method PATCH repos/o/r/issues/comments/3"),
    ],
)
def test_the_comment_is_updated_in_place(
    tmp_path: Path, comments: list[dict[str, Any]], call: str
) -> None:
    """The step's own script, with a `gh` that notes what it is asked."""
    workflow = jobs(ROOT / ".github" / "workflows" / "preview.yml")["preview"]
    (script,) = [step["run"] for step in workflow["steps"] if step.get("name") == "Comment"]
    gh = tmp_path / "gh"
    gh.write_text(
        '#!/bin/sh\necho "$*" >> "$CALLS"\ncase "$*" in *--paginate*) cat "$COMMENTS";; esac\n'
    )
    gh.chmod(0o755)
    (tmp_path / "comments.json").write_text(json.dumps(comments))
    (tmp_path / "summary.md").write_text("<!-- gcp-healthcare-dicom:preview:dev -->\nnew\n")
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "COMMENTS": str(tmp_path / "comments.json"),
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "step.md"),
        "REPOSITORY": "o/r",
        "NUMBER": "7",
    }
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    subprocess.run(shell, env=environment, check=True)
    asked, written = (tmp_path / "calls").read_text().splitlines()
    assert asked == "api --paginate repos/o/r/issues/7/comments?per_page=100"
    assert written == f"api {call} --field body=@{tmp_path}/summary.md"
    assert "new" in (tmp_path / "step.md").read_text()


TEARDOWN = ROOT / ".github" / "workflows" / "teardown.yml"
STACKS = ["dev", "lab-anna", "org/lab-b-2", "prod-lab-x", "lab-", "lab-Upper", "lab-a;b"]


def script_of(job: str, step: str) -> str:
    (found,) = [s["run"] for s in jobs(TEARDOWN)[job]["steps"] if s.get("name") == step]
    return str(found)


def act(
    script: str, folder: Path, python: str, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a step's own script, with a Python that does what the test says."""
    (folder / ".venv" / "bin").mkdir(parents=True)
    file = folder / ".venv" / "bin" / "python"
    file.write_text(f'#!/bin/sh\necho "$*" >> "$CALLS"\n{python}\n')
    file.chmod(0o755)
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "CALLS": str(folder / "calls"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_lab_stacks_are_torn_down_every_hour_or_manually() -> None:
    on = load(TEARDOWN)[True]
    assert set(on) == {"schedule", "workflow_dispatch"}
    (often,) = on["schedule"]
    assert re.fullmatch(r"\d+ \* \* \* \*", often["cron"])
    assert on["workflow_dispatch"]["inputs"]["dry_run"]["default"] is True
    assert jobs(TEARDOWN)["teardown"]["environment"] == "lab"
    # To list the stacks takes no more than to read their state.
    assert "GCP_DEPLOY_SERVICE_ACCOUNT" not in str(jobs(TEARDOWN)["choose"])


@pytest.mark.sockets
@pytest.mark.skipif(not shutil.which("jq"), reason="GitHub's machines have jq; this one has not")
class TestChoosing:
    def choose(self, folder: Path, event: str, stack: str = "") -> subprocess.CompletedProcess[str]:
        listed = json.dumps([{"name": name} for name in STACKS])
        (folder / "listed.json").write_text(listed)
        environment = {
            "EVENT": event,
            "STACK": stack,
            "GITHUB_OUTPUT": str(folder / "output"),
            "LISTED": str(folder / "listed.json"),
        }
        return act(script_of("choose", "Choose the stacks"), folder, 'cat "$LISTED"', environment)

    def test_by_schedule_all_lab_stacks_and_no_others(self, tmp_path: Path) -> None:
        done = self.choose(tmp_path, "schedule")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "output").read_text() == 'stacks=["lab-anna","lab-b-2"]\n'

    def test_a_manual_run_takes_the_named_stack(self, tmp_path: Path) -> None:
        assert self.choose(tmp_path, "workflow_dispatch", "lab-anna").returncode == 0
        assert (tmp_path / "output").read_text() == 'stacks=["lab-anna"]\n'
        assert not (tmp_path / "calls").exists()

    @pytest.mark.parametrize("stack", ["dev", "prod", "lab-", "", "lab-a b", "x-lab-a"])
    def test_no_other_can_be_named(self, tmp_path: Path, stack: str) -> None:
        done = self.choose(tmp_path, "workflow_dispatch", stack)
        assert done.returncode == 1
        assert "::error::" in done.stdout
        assert not (tmp_path / "output").exists()


@pytest.mark.sockets
class TestTearingDown:
    def tear_down(
        self, folder: Path, event: str, *, code: int = 0, dry_run: str = ""
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            "EVENT": event,
            "STACK": "lab-anna",
            "DRY_RUN": dry_run,
            "TIME_TO_LIVE": "8h",
        }
        python = f'case "$*" in scripts/*) exit {code};; esac'
        return act(script_of("teardown", "Tear down"), folder, python, environment)

    def calls(self, folder: Path) -> list[str]:
        return (folder / "calls").read_text().splitlines()

    def test_by_schedule_only_what_is_old_enough(self, tmp_path: Path) -> None:
        assert self.tear_down(tmp_path, "schedule").returncode == 0
        assert self.calls(tmp_path) == [
            "-m engine run --stack lab-anna -- pulumi config refresh --force --stack lab-anna",
            "scripts/teardown.py --stack lab-anna --yes --remove-grants --older-than 8h",
        ]

    def test_a_manual_run_ignores_the_age(self, tmp_path: Path) -> None:
        (tmp_path / "Pulumi.lab-anna.yaml").touch()
        assert self.tear_down(tmp_path, "workflow_dispatch", dry_run="false").returncode == 0
        assert self.calls(tmp_path) == [
            "scripts/teardown.py --stack lab-anna --yes --remove-grants"
        ]

    def test_a_manual_run_can_be_a_dry_run(self, tmp_path: Path) -> None:
        self.tear_down(tmp_path, "workflow_dispatch", dry_run="true")
        assert self.calls(tmp_path)[-1].endswith("--yes --remove-grants --dry-run")

    @pytest.mark.parametrize(
        ("event", "code", "ends"),
        [
            ("schedule", ExitCode.PROTECTED, 0),
            ("workflow_dispatch", ExitCode.PROTECTED, 6),
            ("schedule", ExitCode.REFUSED, 5),
            ("schedule", ExitCode.FAILED, 1),
        ],
    )
    def test_a_failure_is_one_but_what_is_protected_is_none_by_schedule(
        self, tmp_path: Path, event: str, code: ExitCode, ends: int
    ) -> None:
        done = self.tear_down(tmp_path, event, code=int(code))
        assert done.returncode == ends
        assert ("::warning::" in done.stdout) is (ends == 0)
