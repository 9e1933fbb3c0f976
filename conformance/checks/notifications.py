"""Checks of notifications: attributes, data, and messages that can't be published."""

import base64

from conformance import samples
from conformance.check import Check, Lab
from conformance.checks.imports import log_entries
from conformance.cloud_project import Json
from conformance.pulling import pull
from conformance.waiting import poll

_STUDY = "2.25.74040"
_STORED = ("scratch", _STUDY, "StoreInstances")
_DELETED = ("scratch", _STUDY, "DeleteInstances")
_IMPORTED = ("scratch", samples.SCRATCH_STUDY, "ImportDicomData")
_BULK = ("singular", samples.SCRATCH_STUDY, "ImportDicomData")


def _received(lab: Lab) -> list[Json]:
    """Return the messages about a stored and deleted instance and about two imports.

    One import is into a store with settings in the plural, the other into one in the singular,
    which asks for messages about imports.
    """

    def run(lab: Lab) -> list[Json]:
        lab.store_instance("scratch", samples.make(_STUDY, 1))
        path = f"{lab.names.store('scratch')}/dicomWeb/{samples.path(_STUDY, 1)}"
        lab.healthcare("DELETE", path)
        _create_singular(lab)
        for store in ("scratch", "singular"):
            uri = {"gcsSource": {"uri": f"gs://{lab.names.bucket}/import/1-good.dcm"}}
            lab.finish(lab.healthcare("POST", f"{lab.names.store(store)}:import", json=uri))
        found: list[Json] = []

        def look() -> bool:
            found.extend(pull(lab.cloud, lab.names.subscription))
            return all(_of(found, *awaited) for awaited in (_STORED, _DELETED, _IMPORTED, _BULK))

        poll(look, min(lab.cloud.max_wait_seconds, 60.0))
        return found

    return list(lab.once("messages", run))


def _create_singular(lab: Lab) -> Json:
    """Create a store with notification settings in the singular, once."""
    config = {"pubsubTopic": lab.names.topic, "sendForBulkImport": True}

    def run(lab: Lab) -> Json:
        return lab.healthcare(
            "POST",
            f"{lab.names.dataset}/dicomStores",
            params={"dicomStoreId": "singular"},
            json={"notificationConfig": config},
        )

    return lab.once("singular", run)


def _of(messages: list[Json], store: str, study: str, action: str) -> list[Json]:
    """Return data and attributes of the messages about a study in a store, each once.

    Pub/Sub delivers a message at least once.
    """
    unique = {message["messageId"]: message for message in messages}
    return [
        {
            "data": base64.b64decode(message.get("data", "")).decode(),
            "attributes": message["attributes"],
        }
        for message in unique.values()
        if message.get("attributes", {}).get("action") == action
        and message["attributes"].get("studyInstanceUID") == study
        and message["attributes"].get("storeName", "").endswith(f"/{store}")
    ]


def _refused(lab: Lab) -> Json:
    """Store an instance whose notification can't be published; return the log entries."""
    lab.store_instance("refused", samples.make(_STUDY, 2))
    restriction = 'resource.labels.dicom_store_id="refused" AND severity>=ERROR'
    return log_entries(lab, restriction, 1)


def _actions(lab: Lab) -> Json:
    """Return which actions about the study were notified of."""
    found = {
        message["attributes"].get("action")
        for message in _received(lab)
        if message.get("attributes", {}).get("studyInstanceUID") == _STUDY
    }
    return sorted(str(one) for one in found)


CHECKS = (
    Check(
        "notification-stored",
        "the message about a stored instance: data and attributes",
        lambda lab: _of(_received(lab), *_STORED),
    ),
    Check(
        "notification-imported",
        "whether an import has messages where settings are in the plural",
        lambda lab: _of(_received(lab), *_IMPORTED),
    ),
    Check(
        "notification-bulk",
        "the message about an imported instance where the settings ask for it",
        lambda lab: _of(_received(lab), *_BULK),
    ),
    Check("notification-singular", "settings in the singular: the store", _create_singular),
    Check("notification-actions", "which changes of an instance have a message", _actions),
    Check("notification-log-entries", "a message that can't be published: log entry", _refused),
)
