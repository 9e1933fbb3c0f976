"""Checks of imports, exports and rollbacks of HL7v2 stores."""

from typing import Any

from conformance import hl7v2_samples as samples
from conformance.check import Check, Lab
from conformance.checks.hl7v2 import ingest, store
from conformance.checks.imports import operation_entries
from conformance.cloud_project import Json


def _import(lab: Lab, name: str, uri: str) -> Json:
    return lab.healthcare("POST", f"{name}:import", json={"gcsSource": {"uri": uri}})


def _imported(lab: Lab) -> Json:
    """Import a file of which some lines hold no message."""

    def run(lab: Lab) -> Json:
        content = samples.lines(
            samples.body(samples.header("L1"), first="yes"),
            samples.body(samples.header("L1"), second="yes"),
            samples.body("This is a text."),
            "This is not JSON.",
        )
        lab.cloud.send(
            "storage",
            "POST",
            f"upload/storage/v1/b/{lab.names.bucket}/o",
            params={"uploadType": "media", "name": "hl7v2/in.ndjson"},
            data=content,
        )
        name = store(lab, "hl7-imported")
        return lab.finish(_import(lab, name, f"gs://{lab.names.bucket}/hl7v2/*.ndjson"))

    return lab.once("hl7v2-imported", run)


def _import_texts(lab: Lab) -> Json:
    uris = ("", f"gs://{lab.names.bucket}/none/*", f"gs://{lab.names.bucket}-missing/*")
    return [_import(lab, store(lab, "hl7-imported"), uri) for uri in uris]


def _export(lab: Lab, **body: Any) -> Json:
    return lab.healthcare("POST", f"{store(lab, 'hl7-imported')}:export", json=body)


def _export_texts(lab: Lab) -> Json:
    folder = {"uriPrefix": f"gs://{lab.names.bucket}/hl7v2-none"}
    late = {"startTime": "2024-02-01T00:00:00Z", "endTime": "2024-01-01T00:00:00Z"}
    bodies: tuple[dict[str, Any], ...] = (
        {},
        {"gcsDestination": {"uriPrefix": "folder"}},
        {"gcsDestination": folder, **late},
        {"gcsDestination": folder, "filter": "color = red"},
        {"pubsubDestination": {"pubsubTopic": lab.names.closed_topic}},
    )
    return [_export(lab, **body) for body in bodies]


def _exported(lab: Lab) -> Json:
    """Return the operation of an export, and the names of the objects that it writes."""
    _imported(lab)
    undated = samples.header("L2").replace("2024030107", "")
    ingest(lab, samples.body(undated), store(lab, "hl7-imported"))
    prefix = "hl7v2-out"
    done = lab.finish(
        _export(lab, gcsDestination={"uriPrefix": f"gs://{lab.names.bucket}/{prefix}"})
    )
    return [done, _objects(lab, prefix)]


def _objects(lab: Lab, prefix: str) -> Json:
    path = f"storage/v1/b/{lab.names.bucket}/o"
    listed = lab.cloud.send("storage", "GET", path, params={"prefix": prefix})
    return [one["name"] for one in listed.json().get("items", [])] if listed.is_ok else []


def _roll_back(lab: Lab, **body: Any) -> Json:
    return lab.healthcare("POST", f"{store(lab, 'hl7-rolled')}:rollback", json=body)


def _rollback_texts(lab: Lab) -> Json:
    moment = "2024-01-01T00:00:00Z"
    bodies: tuple[dict[str, str], ...] = (
        {},
        {"rollbackTime": moment},
        {"resultGcsBucket": lab.names.bucket},
    )
    return [_roll_back(lab, **body) for body in bodies]


def _rolled_back(lab: Lab, *, force: bool) -> Json:
    """Return the operation of a rollback, the messages left, and how many objects it writes."""
    name = store(lab, "hl7-rolled")
    created = ingest(lab, samples.body(samples.header("R1")), name)["body"]
    moment = created.get("message", {}).get("createTime", "")
    ingest(lab, samples.body(samples.header("R2")), name)
    before = _objects(lab, "")
    bucket = f"gs://{lab.names.bucket}"
    done = lab.finish(_roll_back(lab, rollbackTime=moment, resultGcsBucket=bucket, force=force))
    left = lab.healthcare("GET", f"{name}/messages")
    return [done, left, len(_objects(lab, "")) - len(before)]


CHECKS = (
    Check("hl7v2-import-text", "imports that are refused: codes and texts", _import_texts),
    Check("hl7v2-import-partly-failed", "an import of which a part fails", _imported),
    Check(
        "hl7v2-import-log-entries",
        "log entries of lines that failed",
        lambda lab: operation_entries(lab, _imported(lab), 2),
    ),
    Check("hl7v2-export-text", "exports that are refused: codes and texts", _export_texts),
    Check("hl7v2-export-objects", "the objects of an export", _exported),
    Check("hl7v2-rollback-text", "rollbacks that are refused: codes and texts", _rollback_texts),
    Check(
        "hl7v2-rollback-dry-run",
        "a rollback without force: messages and objects",
        lambda lab: _rolled_back(lab, force=False),
    ),
    Check(
        "hl7v2-rollback-result",
        "a rollback: messages and objects",
        lambda lab: _rolled_back(lab, force=True),
    ),
)
