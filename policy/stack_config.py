"""The pack's configuration for one stack: the shipped file, and what the stack's own file says.

Pulumi's policy SDK for Python passes no stack configuration to a pack, so it is merged beforehand.
`python -m policy.stack_config STACK` writes the merged file and prints its path.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from policy.model import PROJECT

LOCATIONS_KEY = f"{PROJECT}:allowedLocations"
_LOCATIONS_POLICY = "allowed-locations"
_ROOT = Path(__file__).resolve().parents[1]


class StackConfigError(Exception):
    """A configuration file can't be used; the message names it and says what to do."""


def merge(pack: Mapping[str, Any], stack: Mapping[str, Any], stack_file: str) -> dict[str, Any]:
    """Return the pack's configuration with the locations that the stack allows.

    Locations that the pack's configuration lists win: a stack can't allow itself more.

    Args:
        pack: policy name -> its configuration
        stack: configuration key -> value, of the stack's file
        stack_file: name of that file, for the hint of a violation
    """
    locations = stack.get(LOCATIONS_KEY)
    policy = pack.get(_LOCATIONS_POLICY, {})
    if not locations or not isinstance(policy, dict) or "locations" in policy:
        return dict(pack)
    source = f"{LOCATIONS_KEY} in {stack_file}"
    merged = {"locations": list(locations), "source": source, **policy}
    return {**pack, _LOCATIONS_POLICY: merged}


def write(stack: str, config: Path, folder: Path) -> Path:
    """Write the merged configuration of a stack.

    Args:
        stack: the stack's name
        config: the pack's configuration
        folder: of the file to write

    Returns:
        The file that was written.

    Raises:
        StackConfigError: a file can't be read or is not JSON or YAML
    """
    stack_file = _ROOT / f"Pulumi.{stack}.yaml"
    try:
        pack = json.loads(config.read_text())
        # A stack without a file has no configuration yet.
        text = stack_file.read_text() if stack_file.exists() else "{}"
        values = (yaml.safe_load(text) or {}).get("config") or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise StackConfigError(f"The policies' configuration can't be read: {error}") from error
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{stack}.json"
    target.write_text(json.dumps(merge(pack, values, stack_file.name), indent=2) + "\n")
    return target


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file and print its path."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("stack")
    parser.add_argument("--config", type=Path, default=Path("policy/config.json"))
    given = parser.parse_args(arguments)
    lab = Path(os.environ.get("LAB_DIR") or _ROOT / ".lab")
    try:
        print(write(given.stack, given.config, lab / "policy"))  # noqa: T201 - read by make
    except StackConfigError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
