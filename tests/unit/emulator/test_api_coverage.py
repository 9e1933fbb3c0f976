"""docs/methods.md says what the routes serve, and what is not served says so itself."""

import pytest
from starlette.testclient import TestClient

from emulator import api_coverage
from emulator.api_coverage import Method


def test_the_table_is_made_from_the_routes_and_the_discovery_document() -> None:
    page = api_coverage.DOCS.read_text()
    assert api_coverage.insert_table(page) == page


def test_all_of_datasets_dicom_stores_and_hl7v2_stores_is_served() -> None:
    missing = {
        method.name.removeprefix("projects.locations.")
        for method in api_coverage.methods()
        if method.state != "served" and _is_complete(method.name)
    }
    assert missing == set()


def test_all_of_hl7v2_stores_is_served_in_v1beta1() -> None:
    states = {
        method.name.rpartition(".")[2]: method.state
        for method in api_coverage.methods("v1beta1")
        if ".hl7V2Stores." in method.name
    }
    assert states["batchGet"] == "served"
    assert set(states.values()) == {"served"}


def _is_complete(name: str) -> bool:
    resource = name.removeprefix("projects.locations.datasets.").partition(".")[0]
    return resource in ("dicomStores", "hl7V2Stores") or name.count(".") == 3


@pytest.mark.parametrize("version", api_coverage.NOTES)
def test_notes_are_about_methods_that_exist(version: str) -> None:
    methods = api_coverage.methods(version)
    assert set(api_coverage.NOTES[version]) <= {method.name for method in methods}


def test_every_method_is_served_or_has_a_reason() -> None:
    assert [name for name, method in UNSERVED.items() if not method.missing] == []


@pytest.mark.parametrize("version", api_coverage.NOTES)
def test_no_method_creates_a_workspace(version: str) -> None:
    """The reason why their policies are not served: it ends with the first method that does."""
    verbs = {
        method.name.rpartition(".")[2]
        for method in api_coverage.methods(version)
        if ".dataMapperWorkspaces." in method.name
    }
    assert verbs == {"getIamPolicy", "setIamPolicy", "testIamPermissions"}


def test_reasons_are_removed_once_a_method_is_served() -> None:
    """A note of an unserved method is about one that has no route."""
    reasons = {
        name
        for notes in api_coverage.NOTES.values()
        for name, text in notes.items()
        if not text.startswith("all but")
    }
    assert reasons == {method.name for method in UNSERVED.values()}


UNSERVED = {
    f"{method.http} {method.path}": method
    for version in api_coverage.NOTES
    for method in api_coverage.methods(version)
    if not method.served
}


@pytest.mark.parametrize("method", UNSERVED.values(), ids=UNSERVED)
def test_what_is_not_served_says_so(client: TestClient, method: Method) -> None:
    answer = client.request(method.http, method.path)
    assert answer.status_code == 501
    error = answer.json()["error"]
    assert (error["code"], error["status"]) == (501, "UNIMPLEMENTED")
    assert f"healthcare.{method.name} is not served" in error["message"]
