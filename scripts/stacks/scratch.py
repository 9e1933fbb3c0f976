"""A copy of a stack, to try changes before they are made to the original."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from scripts.lib.pulumi_stack import PROVIDER_PREFIX, PulumiStack, State

# The keys of a configuration file that bind it to the encryption of its stack.
_ENCRYPTION_KEYS = frozenset({"encryptionsalt", "secretsprovider", "encryptedkey"})


def count_managed(state: State | None) -> int:
    """Count the resources that a state has under management, without components and providers."""
    resources = ((state or {}).get("deployment") or {}).get("resources") or []
    return sum(
        bool(r.get("custom")) and not r["type"].startswith(PROVIDER_PREFIX) for r in resources
    )


@contextmanager
def scratch(real: PulumiStack, state: State | None) -> Iterator[PulumiStack]:
    """Copy a stack, configuration and state, into a folder that is deleted after the block.

    The copy has the name of the original, so that all URNs are the same, and a backend of its own.
    It imports from the same cloud; the original does not learn of it.

    Args:
        real: the stack
        state: its state, encrypted as it is kept
    """
    with TemporaryDirectory(prefix="adopt-") as name:
        folder = Path(name)
        program, backend = folder / "program", folder / "state"
        backend.mkdir()
        program.mkdir()
        for part in real.program.iterdir():
            if part != real.config_file:
                (program / part.name).symlink_to(part)
        environment = {
            **real.environment,
            "PULUMI_BACKEND_URL": backend.as_uri(),
            # The folder is its owner's alone and is deleted: the passphrase protects nothing.
            "PULUMI_CONFIG_PASSPHRASE": "copy",
        }
        copy = PulumiStack(real.name.rpartition("/")[2], program, environment)
        copy.config_file.write_text(_configuration(real), "utf-8")
        copy.create()
        if count_managed(state):
            copy.import_state(_readable(real, copy, state))
        yield copy


def _configuration(real: PulumiStack) -> str:
    """Return the stack's configuration, without what binds it to the original's encryption."""
    # Nodes keep each value as it is written: YAML 1.1 reads `on` and 12:30:00 in its own way.
    root = yaml.compose(real.config_file.read_text("utf-8"), yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return ""
    if _has_secrets(root):
        return json.dumps({"config": real.config()})
    root.value = [(key, value) for key, value in root.value if key.value not in _ENCRYPTION_KEYS]
    text: str = yaml.serialize(root, Dumper=yaml.SafeDumper, allow_unicode=True)
    return text


def _has_secrets(node: yaml.Node) -> bool:
    if isinstance(node, yaml.MappingNode):
        return any(key.value == "secure" or _has_secrets(value) for key, value in node.value)
    return isinstance(node, yaml.SequenceNode) and any(map(_has_secrets, node.value))


def _readable(real: PulumiStack, copy: PulumiStack, state: State | None) -> State:
    """Return the state, with its secrets as the copy encrypts them."""
    plain = real.export_state(secrets=True) if '"ciphertext"' in json.dumps(state) else state
    assert plain is not None
    # Pulumi writes the salt when it creates the stack.
    salt = yaml.safe_load(copy.config_file.read_text("utf-8"))["encryptionsalt"]
    provider = {"type": "passphrase", "state": {"salt": salt}}
    return {**plain, "deployment": {**plain["deployment"], "secrets_providers": provider}}
