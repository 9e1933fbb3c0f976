"""docs/policies.md against the registry: neither may know what the other does not."""

import json
from pathlib import Path

from policy.judge import EXCEPT
from policy.model import ConfigKey, Policy, StackPolicy
from policy.registry import POLICIES

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs" / "policies.md").read_text()


def table(heading: str) -> list[str]:
    """The rows of the first table under a heading, without its two head lines."""
    section = DOCS.split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]
    return [line for line in section.splitlines() if line.startswith("|")][2:]


def policy_row(policy: Policy) -> str:
    asks = "stack" if isinstance(policy, StackPolicy) else "resource"
    level = f"{policy.level.value}, {policy.severity.value}"
    keys = ", ".join(f"`{key.name}`" for key in policy.config) or "-"
    texts = (policy.what, policy.why, policy.cure)
    return f"| `{policy.name}` | {level} | {asks} | {' | '.join(texts)} | {keys} |"


def key_row(owners: str, key: ConfigKey) -> str:
    return f"| {owners} | `{key.name}` | `{json.dumps(key.schema['default'])}` | {key.text} |"


def key_rows() -> list[str]:
    """One row a key; policies that share one share its row."""
    owners: dict[int, list[str]] = {}
    keys: dict[int, ConfigKey] = {}
    for policy in POLICIES:
        for key in policy.config:
            keys[id(key)] = key
            owners.setdefault(id(key), []).append(f"`{policy.name}`")
    return [key_row("all", EXCEPT)] + [key_row(", ".join(owners[at]), keys[at]) for at in keys]


def test_the_table_of_policies_is_the_registry() -> None:
    rows = [policy_row(policy) for policy in POLICIES]
    assert table("## The policies") == rows, "\n".join(["paste this:", *rows])


def test_the_table_of_keys_is_the_registry() -> None:
    rows = key_rows()
    assert table("## Configuration") == rows, "\n".join(["paste this:", *rows])


def test_every_file_it_names_exists() -> None:
    names = ("policy/config.json", "policy/production.json", "policy/registry.py")
    for name in (*names, "policy/requirements.in", "policy/adapter.py"):
        assert f"`{name}`" in DOCS
        assert (ROOT / name).is_file()
