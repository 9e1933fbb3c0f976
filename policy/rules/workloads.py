"""That programs of the stack may do no more than their task, and speak with peers by TLS."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from policy import resource_types
from policy.model import UNKNOWN, Config, Finding, Resource
from policy.properties import look
from policy.rules.production import production

PROJECT_ROLES = ("roles/logging.logWriter", "roles/monitoring.metricWriter")
"""Roles that no resource below the project has."""
_SERVERS = {"--dicomweb-store": "--tls-certificate", "--hl7v2-store": "--tls-cert"}
"""An option of each adapter's incoming side -> the option of its certificate."""


def narrow_roles(resources: Sequence[Resource], config: Config) -> Iterator[Finding]:
    """Check that service accounts of the stack have no roles on the project but those listed."""
    members = {f"serviceAccount:{_email(item)}" for item in resources if _is_account(item)}
    for resource in resources:
        role, member = look(resource.props, "role"), look(resource.props, "member")
        if resource.type not in resource_types.GRANTS or role is UNKNOWN:
            continue
        is_own = any(map(_is_account, resource.sources.get("member", ())))
        if role not in config["roles"] and (member in members or (member is UNKNOWN and is_own)):
            yield Finding(f"role {role} on the whole project for a service account", resource)


def adapter_tls(resources: Sequence[Resource], config: Config) -> Iterator[Finding]:
    """In production, adapters take connections, and make them, by TLS alone."""
    because = production(resources, config)
    if because is None:
        return
    for resource in resources:
        if resource.type == resource_types.INSTANCE_TEMPLATE:
            text = look(resource.props, "metadata", "user-data")
            words = text.split() if isinstance(text, str) else []
            for option, certificate in _SERVERS.items():
                if option in words and certificate not in words:
                    yield Finding(f"the adapter has no {certificate}, {because}", resource)
        if resource.type == resource_types.WORKER_POOL:
            for container in _known(look(resource.props, "template", "containers")):
                if _sends_plain_text(container):
                    yield Finding(f"the adapter sends without TLS, {because}", resource)


def _sends_plain_text(container: Any) -> bool:
    words = look(container, "args") if isinstance(container, dict) else None
    if not isinstance(words, list | tuple) or UNKNOWN in words or "--outgoing" not in words:
        return False
    if "--dicomweb-store" not in words:
        return "--peer-ca" not in words
    variables = look(container, "envs")
    texts = [
        look(item, "value")
        for item in _known(variables)
        if isinstance(item, dict) and look(item, "name") in (UNKNOWN, "ENV_AETS_JSON")
    ]
    if variables is UNKNOWN or UNKNOWN in texts or UNKNOWN in _known(variables):
        return False
    peer = words[words.index("--peer") + 1] if "--peer" in words[:-1] else None
    return not any(_has_tls(text, peer) for text in texts)


def _has_tls(text: Any, peer: Any) -> bool:
    try:
        entries = json.loads(text) if isinstance(text, str) else []
    except ValueError:
        return False
    return any(
        isinstance(entry, dict) and entry.get("name") == peer and entry.get("tls") is True
        for entry in entries
    )


def _known(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _is_account(resource: Resource) -> bool:
    return resource.type == resource_types.SERVICE_ACCOUNT


def _email(account: Resource) -> str:
    name, project = look(account.props, "accountId"), look(account.props, "project")
    return f"{name}@{project}.iam.gserviceaccount.com"
