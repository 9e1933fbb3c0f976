"""Log entries as rows and columns of BigQuery."""

from typing import Any

from emulator.services.log_sinks.bigquery_rows import fields_of, row_of, table_of

AUDIT: dict[str, Any] = {
    "logName": "projects/p/logs/cloudaudit.googleapis.com%2Fdata_access",
    "timestamp": "2026-11-29T16:00:00.5Z",
    "insertId": "i1",
    "labels": {"Team.Name": "x"},
    "protoPayload": {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "methodName": "Decrypt",
        "authorizationInfo": [{"permission": "p1", "granted": True}],
        "status": {},
    },
}


def test_the_table_of_a_log() -> None:
    assert table_of(AUDIT, partitioned=True) == "cloudaudit_googleapis_com_data_access"
    assert table_of(AUDIT, partitioned=False) == "cloudaudit_googleapis_com_data_access_20261129"


def test_the_row_of_an_audit_log() -> None:
    assert row_of(AUDIT) == {
        "logName": AUDIT["logName"],
        "timestamp": AUDIT["timestamp"],
        "insertId": "i1",
        "labels": {"team_name": "x"},
        "protopayload_auditlog": {
            "type": "type.googleapis.com/google.cloud.audit.AuditLog",
            "methodName": "Decrypt",
            "authorizationInfo": [{"permission": "p1", "granted": True}],
        },
    }


def test_fields_of_users_are_in_lower_case() -> None:
    entry = {"logName": "projects/p/logs/app", "jsonPayload": {"MESSAGE": {"Sub-Field": 1}}}
    assert row_of(entry)["jsonPayload"] == {"message": {"sub_field": 1}}


def test_a_payload_with_a_type_has_a_column_of_its_own() -> None:
    type_ = "type.googleapis.com/google.cloud.healthcare.logging.ImportDicomLogEntry"
    entry = {"logName": "projects/p/logs/app", "jsonPayload": {"@type": type_, "sourceFile": "x"}}
    assert row_of(entry)["jsonpayload_logging_importdicomlogentry"]["sourceFile"] == "x"


def test_columns_are_those_of_all_rows() -> None:
    other = {"timestamp": "t", "protopayload_auditlog": {"authorizationInfo": [{"resource": "r"}]}}
    fields = {field["name"]: field for field in fields_of([row_of(AUDIT), other])}
    assert fields["timestamp"] == {"name": "timestamp", "type": "TIMESTAMP"}
    payload = {field["name"]: field for field in fields["protopayload_auditlog"]["fields"]}
    assert payload["methodName"] == {"name": "methodName", "type": "STRING"}
    assert payload["authorizationInfo"] == {
        "name": "authorizationInfo",
        "type": "RECORD",
        "mode": "REPEATED",
        "fields": [
            {"name": "permission", "type": "STRING"},
            {"name": "granted", "type": "BOOLEAN"},
            {"name": "resource", "type": "STRING"},
        ],
    }
