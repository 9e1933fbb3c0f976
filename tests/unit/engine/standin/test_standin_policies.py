"""The functions that read policies, with the arguments and results of the installed SDK."""

import inspect
import json
from collections.abc import Callable
from typing import Any

import pytest
from pulumi_gcp import bigquery, healthcare, kms, projects, pubsub, storage

from engine.pulumi_proto import provider_pb2
from engine.standin.values import Values, from_struct, to_struct
from tests.support.fake_google import FakeGoogle
from tests.support.plugin import Engine, RefusedError

PROJECT = "projects/local-project"
DATASET = f"{PROJECT}/locations/l/datasets/d"
KEY = f"{PROJECT}/locations/l/keyRings/r/cryptoKeys/k"
BINDINGS = [
    {"role": "roles/viewer", "members": ["user:anna@example.org"]},
    {"role": "roles/editor", "members": ["user:b@example.org"], "condition": {"title": "t"}},
]
AUDIT = [{"service": "healthcare.googleapis.com", "auditLogConfigs": [{"logType": "DATA_READ"}]}]


def invoke(engine: Engine, token: str, args: Values) -> Values:
    request = provider_pb2.InvokeRequest(tok=token, args=to_struct(args))
    return from_struct(getattr(engine.stub.Invoke(request), "return"))


FUNCTIONS: list[tuple[str, Callable[..., Any], Values, str]] = [
    (
        "projects/getIamPolicy:getIamPolicy",
        projects.get_iam_policy,
        {"project": "local-project"},
        PROJECT,
    ),
    (
        "storage/getBucketIamPolicy:getBucketIamPolicy",
        storage.get_bucket_iam_policy,
        {"bucket": "b1"},
        "b/b1",
    ),
    (
        "kms/getCryptoKeyIamPolicy:getCryptoKeyIamPolicy",
        kms.get_crypto_key_iam_policy,
        {"cryptoKeyId": KEY},
        KEY,
    ),
    (
        "pubsub/getTopicIamPolicy:getTopicIamPolicy",
        pubsub.get_topic_iam_policy,
        {"topic": f"{PROJECT}/topics/t"},
        f"{PROJECT}/topics/t",
    ),
    (
        "healthcare/getDatasetIamPolicy:getDatasetIamPolicy",
        healthcare.get_dataset_iam_policy,
        {"datasetId": DATASET},
        DATASET,
    ),
]


@pytest.mark.parametrize(
    ("token", "function", "args", "name"), FUNCTIONS, ids=[token for token, *_ in FUNCTIONS]
)
def test_a_policy_is_read_with_the_fields_of_the_sdk(
    engine: Engine,
    google: FakeGoogle,
    token: str,
    function: Callable[..., Any],
    args: Values,
    name: str,
) -> None:
    bindings = BINDINGS if name.startswith("b/") or name == PROJECT else BINDINGS[:1]
    google.policies[name] = {"etag": "7", "version": 3, "bindings": bindings}

    found = invoke(engine, f"gcp:{token}", args)

    assert json.loads(found["policyData"]) == {"bindings": bindings}
    assert found["etag"] == "7"
    assert {**found, **args} == found
    short = token.rpartition(":")[2]
    result = getattr(inspect.getmodule(function), f"{short[0].upper()}{short[1:]}Result")
    assert {_snake(name) for name in found} == set(inspect.signature(result).parameters)


def test_audit_configurations_are_in_the_policy_of_a_project(
    engine: Engine, google: FakeGoogle
) -> None:
    google.policies[PROJECT] = {"etag": "7", "bindings": BINDINGS, "auditConfigs": AUDIT}

    found = invoke(engine, "gcp:projects/getIamPolicy:getIamPolicy", {"project": "local-project"})

    assert json.loads(found["policyData"]) == {"auditConfigs": AUDIT, "bindings": BINDINGS}


def test_the_policy_of_a_bigquery_dataset_is_its_access_list(
    engine: Engine, google: FakeGoogle
) -> None:
    access = [{"role": "READER", "userByEmail": "anna@example.org"}]
    google.resources[f"{PROJECT}/datasets/d1"] = {"etag": "3", "access": access}
    token = "gcp:bigquery/getDatasetIamPolicy:getDatasetIamPolicy"

    found = invoke(engine, token, {"datasetId": "d1"})

    role = {"role": "roles/bigquery.dataViewer", "members": ["user:anna@example.org"]}
    assert json.loads(found["policyData"])["bindings"] == [role]
    parameters = inspect.signature(bigquery.get_dataset_iam_policy).parameters
    assert {_snake(name) for name in ("datasetId", "project")} <= set(parameters)


def test_a_policy_that_cannot_be_read_says_whose(engine: Engine) -> None:
    with pytest.raises(RefusedError) as refused:
        invoke(
            engine,
            "gcp:bigquery/getDatasetIamPolicy:getDatasetIamPolicy",
            {"datasetId": "nowhere"},
        )
    expected = f"Error retrieving IAM policy for {PROJECT}/datasets/nowhere: googleapi"
    assert refused.value.text.startswith(expected)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
