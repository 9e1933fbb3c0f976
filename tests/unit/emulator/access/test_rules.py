"""Which permission each call needs, and that every call of the emulator has one."""

import re

import pytest
from starlette.routing import Route

from emulator.access import rules
from emulator.access.rules import Requirement
from emulator.app import routes_of
from emulator.cloud import Cloud
from emulator.services.iam.roles import permissions_of
from emulator.services.method_tables import TABLES, find

ELSEWHERE = re.compile(
    r"/token|/v1(beta1)?/roles.*|.*:testIamPermissions|.*/iam/testPermissions|.*\{(path|object):path\}|/projects|.*discovery.*|/batch/.*"
    r"|/v2/entries:(list|write)|(/storage/v1)?/b|/v1(beta1)?/projects/\{project\}/locations.*"
    r"|/v1(beta1)?/(projects|operations)(/.*)?|/v3/.*|.*(serviceAccount|managedFolders).*"
)
"""Paths that the middleware decides without a rule, or leaves to the owner."""


@pytest.mark.parametrize(
    ("call", "service", "permission", "resource"),
    [
        ("PUT /v1/projects/p/topics/t", "pubsub", "pubsub.topics.create", "projects/p"),
        (
            "POST /v1/projects/p/topics/t:publish",
            "pubsub",
            "pubsub.topics.publish",
            "projects/p/topics/t",
        ),
        (
            "POST /v1/projects/p/subscriptions/s:pull",
            "pubsub",
            "pubsub.subscriptions.consume",
            "projects/p/subscriptions/s",
        ),
        (
            "POST /v1/projects/p/locations/l/keyRings/r/cryptoKeys/k:decrypt",
            "cloudkms",
            "cloudkms.cryptoKeyVersions.useToDecrypt",
            "projects/p/locations/l/keyRings/r/cryptoKeys/k",
        ),
        (
            "POST /v1/projects/p/services/healthcare.googleapis.com:enable",
            "serviceusage",
            "serviceusage.services.enable",
            "projects/p",
        ),
        ("GET /storage/v1/b/bb/o/a/b.dcm", "storage", "storage.objects.get", "b/bb/o/a/b.dcm"),
        ("POST /upload/storage/v1/b/bb/o", "storage", "storage.objects.create", "b/bb"),
        (
            "GET /bigquery/v2/projects/p/datasets/d/tables/t/data",
            "bigquery",
            "bigquery.tables.getData",
            "projects/p/datasets/d",
        ),
        ("DELETE /v2/projects/p/logs/a%2Fb", "logging", "logging.logs.delete", "projects/p"),
    ],
)
def test_calls(call: str, service: str, permission: str, resource: str) -> None:
    verb, path = call.split(" ")
    method = find(verb, path)
    assert method is not None
    assert rules.requirement(method) == Requirement(service, permission, resource)


def test_every_permission_is_one_of_the_owner() -> None:
    named = frozenset().union(*(table.permissions() for table in TABLES))
    assert named - permissions_of("roles/owner") == frozenset()


def test_every_path_has_a_rule(cloud: Cloud) -> None:
    without = []
    for route in routes_of(cloud):
        assert isinstance(route, Route)
        path = re.sub(r"\{\w+(:\w+)?\}", "x", route.path)
        verb = sorted((route.methods or {"GET"}) - {"HEAD"})[0]
        if find(verb, path) is None and not ELSEWHERE.fullmatch(route.path):
            without.append(f"{verb} {route.path}")
    assert without == []
