"""Checks of datasets and stores: errors and their texts."""

from conformance.check import Check, Lab
from conformance.cloud_project import Json


def _missing_dataset(lab: Lab) -> Json:
    return lab.healthcare("GET", f"{lab.names.dataset}-missing")


def _create_dataset(lab: Lab, dataset_id: str, location: str = "", body: Json = None) -> Json:
    parent = f"projects/{lab.names.project}/locations/{location or lab.names.location}"
    params = {"datasetId": dataset_id}
    return lab.healthcare("POST", f"{parent}/datasets", params=params, json=body or {})


def _create_store(lab: Lab, store_id: str, body: Json = None, store_type: str = "dicom") -> Json:
    path = f"{lab.names.dataset}/{store_type}Stores"
    return lab.healthcare("POST", path, params={f"{store_type}StoreId": store_id}, json=body or {})


def _patch_store(lab: Lab, mask: str, body: Json) -> Json:
    params = {"updateMask": mask} if mask else {}
    return lab.healthcare("PATCH", lab.names.store("main"), params=params, json=body)


def _list_stores(lab: Lab, **params: str) -> Json:
    return lab.healthcare("GET", f"{lab.names.dataset}/dicomStores", params=params)


def _both_notification_configs(lab: Lab) -> Json:
    config = {"pubsubTopic": lab.names.topic}
    body = {"notificationConfig": config, "notificationConfigs": [config]}
    return _create_store(lab, "both", body)


def _missing_topic(lab: Lab) -> Json:
    config = {"pubsubTopic": f"{lab.names.topic}-missing"}
    return _create_store(lab, "no-topic", {"notificationConfigs": [config]})


def _missing_stream_dataset(lab: Lab) -> Json:
    uri = f"bq://{lab.names.project}.conformance_missing.table"
    return _create_store(
        lab, "stream", {"streamConfigs": [{"bigqueryDestination": {"tableUri": uri}}]}
    )


CHECKS = (
    Check(
        "dataset-missing", "GET of a dataset that does not exist: code and text", _missing_dataset
    ),
    Check(
        "dataset-exists",
        "creation of a dataset that exists: text",
        lambda lab: _create_dataset(lab, lab.names.dataset_id),
    ),
    Check(
        "dataset-id-text",
        "creation of a dataset with an invalid id: text",
        lambda lab: _create_dataset(lab, "not/valid"),
    ),
    Check(
        "location-text",
        "creation of a dataset in an unsupported location: text",
        lambda lab: _create_dataset(lab, "never-created", "mars-north1"),
    ),
    Check(
        "time-zone-text",
        "creation of a dataset with an unknown time zone: text",
        lambda lab: _create_dataset(lab, "never-created", body={"timeZone": "Mars/Olympus"}),
    ),
    Check(
        "store-missing",
        "GET of a DICOM store that does not exist: text",
        lambda lab: lab.healthcare("GET", lab.names.store("missing")),
    ),
    Check(
        "store-exists",
        "creation of a DICOM store that exists: text",
        lambda lab: _create_store(lab, "main"),
    ),
    Check(
        "bad-value-text",
        "a field of the wrong type: how much of the value the text repeats",
        lambda lab: _create_store(lab, "bad", {"labels": "x" * 100}),
    ),
    Check(
        "label-text",
        "a label with a capital letter: text",
        lambda lab: _create_store(lab, "bad", {"labels": {"Key": "value"}}),
    ),
    Check(
        "fhir-version-text",
        "creation of a FHIR store without a version: text",
        lambda lab: _create_store(lab, "fhir", store_type="fhir"),
    ),
    Check(
        "update-mask-missing-text",
        "PATCH without an update mask: text",
        lambda lab: _patch_store(lab, "", {"labels": {"a": "b"}}),
    ),
    Check(
        "update-mask-fixed-text",
        "PATCH of a field that can't change: text",
        lambda lab: _patch_store(lab, "name", {"name": "other"}),
    ),
    Check(
        "notification-configs-text",
        "a store with both forms of notification settings: text",
        _both_notification_configs,
    ),
    Check("notification-topic-text", "a store with a topic that does not exist", _missing_topic),
    Check(
        "stream-dataset-text",
        "a store with a stream into a dataset that does not exist: text",
        _missing_stream_dataset,
    ),
    Check(
        "page-token-text",
        "an invalid page token: text",
        lambda lab: _list_stores(lab, pageToken="invalid"),
    ),
    Check(
        "page-size-text",
        "a page size that is not a number: text",
        lambda lab: _list_stores(lab, pageSize="many"),
    ),
    Check(
        "list-filter-text",
        "an invalid filter of a list: text",
        lambda lab: _list_stores(lab, filter="labels.a ="),
    ),
)
