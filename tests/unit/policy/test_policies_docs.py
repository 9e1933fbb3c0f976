"""docs/policies.md against the registry: neither may know what the other does not."""

import json
from pathlib import Path

import pytest

from policy.evaluate import EXCEPT
from policy.model import ConfigKey, Policy, StackPolicy
from policy.registry import POLICIES

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs" / "policies.md").read_text()


def table(heading: str) -> list[str]:
    """Return the rows of the first table under a heading, without its two head lines."""
    section = DOCS.split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]
    return [line for line in section.splitlines() if line.startswith("|")][2:]


def policy_row(policy: Policy) -> str:
    checks = "stack" if isinstance(policy, StackPolicy) else "resource"
    level = f"{policy.level.value}, {policy.severity.value}"
    return f"| [{policy.name}](#{policy.name}) | {level} | {checks} | {policy.what} |"


def key_row(key: ConfigKey) -> str:
    return f"| `{key.name}` | `{json.dumps(key.schema['default'])}` | {key.text} |"


def section(policy: Policy) -> str:
    """Return the generated beginning of a policy's section; details may follow."""
    texts = [policy.what, "", f"- **Why**: {policy.why}", f"- **Fix**: {policy.hint}"]
    keys = [key_row(key) for key in policy.config]
    head = ["", "| key | default | meaning |", "|---|---|---|"] if keys else []
    return "\n".join([f"### {policy.name}", *texts, *head, *keys, ""])


def test_the_table_of_policies_is_the_registry() -> None:
    rows = [policy_row(policy) for policy in POLICIES]
    sections = [line.removeprefix("### ") for line in DOCS.splitlines() if line.startswith("### ")]
    assert table("## The policies")[: len(rows)] == rows, "\n".join(["paste this:", *rows])
    assert sections == [policy.name for policy in POLICIES]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_the_section_of_a_policy_is_the_registry(policy: Policy) -> None:
    text = section(policy)
    assert text in DOCS, f"paste this:\n{text}"
    if not policy.config:
        assert "|" not in DOCS.split(f"\n### {policy.name}\n")[1].split("\n#")[0]


def test_the_keys_of_every_policy_are_listed() -> None:
    assert key_row(EXCEPT) in table("## Configuration")


def test_every_file_it_names_exists() -> None:
    names = ("policy/config.json", "policy/production.json", "policy/registry.py")
    for name in (*names, "policy/requirements.in", "policy/adapter.py"):
        assert f"`{name}`" in DOCS
        assert (ROOT / name).is_file()
