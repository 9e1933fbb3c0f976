"""A stack whose audit logs go to BigQuery and that alerts on unexpected access: once through."""

from typing import Any

import httpx
import pytest

from tests.support import http
from tests.support.labs import Lab, Stack
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

NAME = "local-audit"
ALLOWED, STRANGER = "importer@example.com", "user:stranger@example.net"
STUDY = f"v1/projects/{NAME}/locations/us-central1/datasets/dataset1/dicomStores/dicomstore1"
TABLE = "cloudaudit_googleapis_com_data_access"
QUERY = (
    "SELECT protopayload_auditlog.authenticationInfo.principalEmail AS who, "
    "protopayload_auditlog.methodName AS method "
    f"FROM `{NAME}.dataset1.{TABLE}` "
    "WHERE protopayload_auditlog.resourceName LIKE '%/studies/1.2.840.1%'"
)
CHANNELS, POLICIES, METRICS, SINKS = (
    f"v3/projects/{NAME}/notificationChannels",
    f"v3/projects/{NAME}/alertPolicies",
    f"v2/projects/{NAME}/metrics",
    f"v2/projects/{NAME}/sinks",
)
LISTS = {
    CHANNELS: "notificationChannels",
    POLICIES: "alertPolicies",
    METRICS: "metrics",
    SINKS: "sinks",
}


@pytest.fixture(scope="module")
def audited(lab: Lab) -> Stack:
    stack = lab.stack(
        NAME,
        auditLogs=["DATA_READ", "DATA_WRITE"],
        auditLogSink={"destination": "bigqueryDataset"},
        accessAlert={"allowedPrincipals": [ALLOWED], "emails": ["privacy@example.com"]},
    )
    stack.up()
    return stack


def read_study(lab: Lab, member: str) -> None:
    base = lab.environment["GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT"].removesuffix("v1beta1/")
    url = f"{base}{STUDY}/dicomWeb/studies/1.2.840.1/metadata"
    http.get(url, headers={"Authorization": f"Bearer local:{member}"})


def rows(lab: Lab) -> list[list[str]]:
    body = {"query": QUERY, "useLegacySql": False}
    try:
        answer = lab.call("POST", f"bigquery/v2/projects/{NAME}/queries", body)
    except httpx.HTTPStatusError:  # the table comes with the first entry
        return []
    return [[cell["v"] for cell in row["f"]] for row in answer.get("rows", [])]


def listed(lab: Lab) -> dict[str, list[dict[str, Any]]]:
    return {path: lab.call("GET", path).get(field, []) for path, field in LISTS.items()}


def test_an_access_shows_in_the_table_of_the_sink(audited: Stack) -> None:
    read_study(audited.lab, STRANGER)
    wait_until(lambda: rows(audited.lab), "the sink writes no row")
    [[who, method]] = rows(audited.lab)
    assert who == "stranger@example.net"
    assert method.endswith("DicomWebService.RetrieveStudyMetadata")


def test_the_filter_of_the_alert_finds_strangers_alone(audited: Stack) -> None:
    read_study(audited.lab, f"user:{ALLOWED}")
    read_study(audited.lab, STRANGER)
    found = listed(audited.lab)
    [metric] = found[METRICS]
    [policy] = found[POLICIES]
    [channel] = found[CHANNELS]
    assert channel["labels"] == {"email_address": "privacy@example.com"}
    assert policy["notificationChannels"] == [channel["name"]]
    [condition] = policy["conditions"]
    assert condition["conditionMatchedLog"]["filter"] == metric["filter"]
    body = {"resourceNames": [f"projects/{NAME}"], "filter": metric["filter"]}
    entries = audited.lab.call("POST", "v2/entries:list", body)["entries"]
    emails = {entry["protoPayload"]["authenticationInfo"]["principalEmail"] for entry in entries}
    assert "stranger@example.net" in emails
    assert ALLOWED not in emails


def test_a_refresh_and_a_second_up_change_nothing(audited: Stack) -> None:
    assert audited.plan() == {}, audited.preview("--diff")
    audited.change("refresh", "--skip-preview", "--expect-no-changes")


def test_the_alert_is_updated_in_place(audited: Stack) -> None:
    alert = {"allowedDomains": ["example.com"], "emails": ["privacy@example.com"]}
    audited.configure(accessAlert=alert)
    assert audited.plan() == {"access-alert": "update"}
    audited.up()
    [policy] = listed(audited.lab)[POLICIES]
    [condition] = policy["conditions"]
    assert condition["conditionMatchedLog"]["filter"].endswith('=~"^([^@]+@example[.]com)$"')
    assert audited.plan() == {}


def test_tear_down_proves_that_nothing_is_left(audited: Stack) -> None:
    flags = ["--stack", NAME, "--cwd", str(audited.lab.program), "--keep-running", "--yes"]
    done = audited.lab.script("teardown", *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(map(len, listed(audited.lab).values())) == {0}
    assert audited.resources() == {}
