"""Checks of imports: refusals, counters, failures and their log entries."""

from typing import Any

from conformance.check import Check, Lab
from conformance.cloud_project import Json
from conformance.waiting import poll


def _import(lab: Lab, uri: str, store: str = "imported") -> Json:
    return lab.healthcare(
        "POST", f"{lab.names.store(store)}:import", json={"gcsSource": {"uri": uri}}
    )


def _started(lab: Lab) -> Json:
    return lab.once("import", lambda lab: _import(lab, f"gs://{lab.names.bucket}/import/*.dcm"))


def _finished(lab: Lab) -> Json:
    return lab.once("import-finished", lambda lab: lab.finish(_started(lab)))


def mismatch(lab: Lab) -> Json:
    """Import a file whose UIDs are stored with other content."""

    def run(lab: Lab) -> Json:
        _finished(lab)
        return lab.finish(_import(lab, f"gs://{lab.names.bucket}/mismatch/*.dcm"))

    return lab.once("import-mismatch", run)


def log_entries(lab: Lab, restriction: str, at_least: int) -> list[Json]:
    """Return log entries of the run, in the order of their payloads, once there are so many."""
    body: dict[str, Any] = {
        "resourceNames": [f"projects/{lab.names.project}"],
        "filter": f'resource.labels.dataset_id="{lab.names.dataset_id}" AND {restriction}',
        "pageSize": 100,
    }

    def look() -> list[Json] | None:
        listed = lab.cloud.require("logging", "POST", "v2/entries:list", json=body)
        found: list[Json] = listed.get("entries", [])
        return found if len(found) >= at_least else None

    found = poll(look, min(lab.cloud.max_wait_seconds, 120.0)) or []
    return sorted((_stable(entry) for entry in found), key=lambda entry: str(entry["jsonPayload"]))


def operation_entries(lab: Lab, operation: Json, at_least: int = 1) -> list[Json]:
    """Return the log entries of an operation."""
    if "name" not in operation:
        return [operation]
    return log_entries(lab, f'operation.id="{operation["name"]}" AND severity>=ERROR', at_least)


def _stable(entry: Json) -> Json:
    """Return an entry without its times, which some entries have and others have not."""
    return {
        key: value
        for key, value in entry.items()
        if key not in ("timestamp", "receiveTimestamp", "insertId")
    }


def _entries(lab: Lab) -> list[Json]:
    return list(lab.once("import-entries", lambda lab: operation_entries(lab, _finished(lab), 2)))


def _reasons(lab: Lab, name: str) -> Json:
    """Return the error of the log entry about one file."""
    payloads = [entry["jsonPayload"] for entry in _entries(lab) if "jsonPayload" in entry]
    return [one.get("error") for one in payloads if str(one.get("source", "")).endswith(f"/{name}")]


def _form(lab: Lab) -> Json:
    """Return the entries without the texts of their errors, which other checks compare."""
    return [
        {**entry, "jsonPayload": {**entry["jsonPayload"], "error": {}}}
        if "jsonPayload" in entry
        else entry
        for entry in _entries(lab)
    ]


CHECKS = (
    Check(
        "import-no-match-text",
        "an import that matches no object: code and text",
        lambda lab: _import(lab, f"gs://{lab.names.bucket}/nothing/*.dcm"),
    ),
    Check(
        "import-uri-text",
        "an import with a wildcard that is not allowed: text",
        lambda lab: _import(lab, f"gs://{lab.names.bucket}/**/x*.dcm"),
    ),
    Check(
        "import-bucket-text",
        "an import from a bucket that the service agent may not read: code and text",
        lambda lab: _import(lab, f"gs://{lab.names.bucket}-missing/*.dcm"),
    ),
    Check(
        "import-no-source-text",
        "an import without a source: text",
        lambda lab: lab.healthcare("POST", f"{lab.names.store('imported')}:import", json={}),
    ),
    Check("import-started", "the first response of an import", _started),
    Check("import-partly-failed", "an import of which a part fails: counters and error", _finished),
    Check("import-log-entries", "log entries of files that failed: all but the reason", _form),
    Check(
        "import-not-dicom-text",
        "the reason for a file that is not DICOM",
        lambda lab: _reasons(lab, "2-not-dicom.dcm"),
    ),
    Check(
        "import-empty-text",
        "the reason for an empty file",
        lambda lab: _reasons(lab, "3-empty.dcm"),
    ),
    Check(
        "import-mismatch-text",
        "the reason for a file whose UIDs are stored with other content",
        lambda lab: [
            entry.get("jsonPayload", {}).get("error", entry)
            for entry in operation_entries(lab, mismatch(lab))
        ],
    ),
)
