"""Checks of the services around the Healthcare API: errors and their texts."""

from conformance.check import Check, Lab
from conformance.cloud_project import Json


def _bigquery(lab: Lab, path: str, method: str = "GET", body: Json = None) -> Json:
    root = f"bigquery/v2/projects/{lab.names.project}"
    return lab.call("bigquery", method, f"{root}/{path}", json=body)


def _create_bigquery_dataset(lab: Lab, dataset_id: str) -> Json:
    return _bigquery(lab, "datasets", "POST", {"datasetReference": {"datasetId": dataset_id}})


def _write_entry(lab: Lab, **entry: object) -> Json:
    return lab.call("logging", "POST", "v2/entries:write", json={"entries": [entry]})


def _delete_used(lab: Lab) -> Json:
    """Delete a BigQuery dataset that has a table, without its contents."""
    dataset = lab.names.bigquery_dataset
    reference = {"tableReference": {"tableId": "kept"}}
    _bigquery(lab, f"datasets/{dataset}/tables", "POST", reference)
    return _bigquery(lab, f"datasets/{dataset}", "DELETE")


def _create_secret(lab: Lab, id_: str, body: Json) -> Json:
    path = f"v1/projects/{lab.names.project}/secrets"
    return lab.call("secretmanager", "POST", path, params={"secretId": id_}, json=body)


def _add_version(lab: Lab, **payload: str) -> Json:
    path = f"v1/{lab.names.secret}:addVersion"
    return lab.call("secretmanager", "POST", path, json={"payload": payload})


def _destroy_twice(lab: Lab) -> Json:
    path = f"v1/{lab.names.secret}/versions/1:destroy"
    _add_version(lab, data="c2FtcGxl")
    lab.call("secretmanager", "POST", path, json={})
    return lab.call("secretmanager", "POST", path, json={})


def _create_repository(lab: Lab, id_: str, body: Json) -> Json:
    path = f"v1/{lab.names.parent}/repositories"
    return lab.call("artifactregistry", "POST", path, params={"repositoryId": id_}, json=body)


CHECKS = (
    Check(
        "repository-missing-text",
        "a repository that does not exist: text",
        lambda lab: lab.call(
            "artifactregistry", "GET", f"v1/{lab.names.parent}/repositories/missing"
        ),
    ),
    Check(
        "repository-id-text",
        "creation of a repository with an invalid id: text",
        lambda lab: _create_repository(lab, "Not_Valid", {"format": "DOCKER"}),
    ),
    Check(
        "repository-format-text",
        "creation of a repository without a format: text",
        lambda lab: _create_repository(lab, "conformance-refused", {}),
    ),
    Check(
        "secret-id-text",
        "creation of a secret with an invalid id: text",
        lambda lab: _create_secret(lab, "not.valid", {"replication": {"automatic": {}}}),
    ),
    Check(
        "secret-replication-text",
        "creation of a secret without a replication: text",
        lambda lab: _create_secret(lab, "conformance-refused", {}),
    ),
    Check(
        "secret-rotation-text",
        "creation of a secret that rotates and has no topics: text",
        lambda lab: _create_secret(
            lab,
            "conformance-refused",
            {
                "replication": {"automatic": {}},
                "rotation": {"nextRotationTime": "2090-01-01T00:00:00Z"},
            },
        ),
    ),
    Check(
        "secret-topic-text",
        "creation of a secret with a topic that its agent may not publish to: text",
        lambda lab: _create_secret(
            lab,
            "conformance-refused",
            {"replication": {"automatic": {}}, "topics": [{"name": lab.names.closed_topic}]},
        ),
    ),
    Check(
        "secret-etag-text",
        "deletion of a secret with another etag: text",
        lambda lab: lab.call(
            "secretmanager", "DELETE", f"v1/{lab.names.secret}", params={"etag": '"0"'}
        ),
    ),
    Check(
        "secret-payload-text",
        "adding a version without a payload: text",
        _add_version,
    ),
    Check(
        "secret-checksum-text",
        "adding a version with a wrong checksum: text",
        lambda lab: _add_version(lab, data="c2FtcGxl", dataCrc32c="1"),
    ),
    Check(
        "secret-version-state-text",
        "destruction of a version that is destroyed: text",
        _destroy_twice,
    ),
    Check(
        "bigquery-dataset-missing-text",
        "a BigQuery dataset that does not exist: text",
        lambda lab: _bigquery(lab, "datasets/conformance_missing"),
    ),
    Check(
        "bigquery-dataset-exists-text",
        "creation of a BigQuery dataset that exists: text",
        lambda lab: _create_bigquery_dataset(lab, lab.names.bigquery_dataset),
    ),
    Check(
        "bigquery-id-text",
        "creation of a BigQuery dataset with an invalid id: text",
        lambda lab: _create_bigquery_dataset(lab, "not-valid"),
    ),
    Check(
        "bigquery-in-use-text", "deletion of a BigQuery dataset with a table: text", _delete_used
    ),
    Check(
        "storage-missing-text",
        "a bucket that does not exist: text",
        lambda lab: lab.call("storage", "GET", f"storage/v1/b/{lab.names.bucket}-missing"),
    ),
    Check(
        "storage-no-name-text",
        "creation of a bucket without a name: text",
        lambda lab: lab.call(
            "storage",
            "POST",
            "storage/v1/b",
            params={"project": lab.names.project},
            json={"location": lab.names.location},
        ),
    ),
    Check(
        "storage-no-permissions-text",
        "testing no permissions on a bucket: text",
        lambda lab: lab.call(
            "storage", "GET", f"storage/v1/b/{lab.names.bucket}/iam/testPermissions"
        ),
    ),
    Check(
        "logging-filter-text",
        "an invalid filter of log entries: text",
        lambda lab: lab.call(
            "logging",
            "POST",
            "v2/entries:list",
            json={"resourceNames": [f"projects/{lab.names.project}"], "filter": "severity >="},
        ),
    ),
    Check(
        "logging-missing-text",
        "a sink that does not exist: text",
        lambda lab: lab.call("logging", "GET", f"v2/projects/{lab.names.project}/sinks/missing"),
    ),
    Check(
        "monitoring-missing-text",
        "an alert policy that does not exist: text",
        lambda lab: lab.call(
            "monitoring", "GET", f"v3/projects/{lab.names.project}/alertPolicies/1"
        ),
    ),
    Check(
        "logging-no-name-text",
        "writing a log entry without a log: text",
        lambda lab: _write_entry(lab, resource={"type": "global"}, textPayload="sample"),
    ),
    Check(
        "logging-no-resource-text",
        "writing a log entry without a resource: text",
        lambda lab: _write_entry(
            lab, logName=f"projects/{lab.names.project}/logs/conformance", textPayload="sample"
        ),
    ),
    Check(
        "service-unknown-text",
        "a service that does not exist: text",
        lambda lab: lab.call(
            "serviceusage",
            "GET",
            f"v1/projects/{lab.names.project}/services/unknown.googleapis.com",
        ),
    ),
)
