"""Which paths get through, and how they are written to the API."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads.gateway.errors import RefusedError
from workloads.gateway.paths import Right, target

DATASET = "projects/p/locations/l/datasets/d"
DICOM, FHIR = f"{DATASET}/dicomStores/s", f"{DATASET}/fhirStores/f"
STORES = {DICOM, FHIR}
WEB, RESOURCES = f"/v1/{DICOM}/dicomWeb", f"/v1/{FHIR}/fhir"
INSTANCE = f"{WEB}/studies/1.2/series/3.4/instances/5.6"


@pytest.mark.parametrize(
    ("method", "path", "right"),
    [
        ("GET", f"{WEB}/studies", Right.READ),
        ("GET", f"{WEB}/instances", Right.READ),
        ("GET", f"{WEB}/studies/1.2/series", Right.READ),
        ("GET", f"{WEB}/studies/1.2/metadata", Right.READ),
        ("GET", INSTANCE, Right.READ),
        ("GET", f"{INSTANCE}/rendered", Right.READ),
        ("GET", f"{INSTANCE}/frames/1,2", Right.READ),
        ("GET", f"{INSTANCE}/frames/1/rendered", Right.READ),
        ("GET", f"{INSTANCE}/bulkdata/00420011/0/00420011", Right.READ),
        ("POST", f"{WEB}/studies", Right.WRITE),
        ("POST", f"{WEB}/studies/1.2", Right.WRITE),
        ("DELETE", INSTANCE, Right.WRITE),
        ("GET", f"{RESOURCES}/metadata", Right.READ),
        ("GET", f"{RESOURCES}/", Right.READ),
        ("GET", f"{RESOURCES}/Patient/a-1.b", Right.READ),
        ("GET", f"{RESOURCES}/Patient/1/_history/2", Right.READ),
        ("GET", f"{RESOURCES}/Patient/1/$everything", Right.READ),
        ("POST", f"{RESOURCES}/Patient/_search", Right.READ),
        ("POST", RESOURCES, Right.WRITE),
        ("PUT", f"{RESOURCES}/Patient/1", Right.WRITE),
        ("DELETE", f"{RESOURCES}/Patient", Right.WRITE),
    ],
)
def test_calls_of_the_interfaces_get_through(method: str, path: str, right: Right) -> None:
    found = target(method, path.encode(), b"a=b", STORES)
    assert (found.path, found.right) == (path, right)
    assert found.store in path


def test_an_escape_is_written_as_the_character_that_it_stands_for() -> None:
    path = f"{INSTANCE}/frames/1%2C2".encode()
    assert target("GET", path, b"", STORES).path == f"{INSTANCE}/frames/1,2"
    path = f"{RESOURCES}/Patient/1/%24everything".encode()
    assert target("GET", path, b"", STORES).path == f"{RESOURCES}/Patient/1/$everything"


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", f"{WEB}/../../../s2/dicomWeb/studies", 400),
        ("GET", f"{WEB}/studies/..%2f..%2fs2", 400),
        ("GET", f"{WEB}/studies/%2e%2e/studies", 400),
        ("GET", f"{WEB}/studies/1.2%00", 400),
        ("GET", f"{WEB}/studies/%252e%252e", 400),
        ("GET", f"{WEB}/studies/1.2%0d%0aX:y", 400),
        ("GET", f"{WEB}/studies;x=1", 400),
        ("GET", f"{WEB}\\studies", 400),
        ("GET", f"{WEB}//studies", 404),
        ("GET", f"{WEB}/studies/", 404),
        ("GET", f"{WEB}/studies/1..2", 404),
        ("GET", f"{WEB}/studies/{'1' * 65}", 404),
        ("GET", f"{WEB}/studies/\u0661", 400),
        ("GET", f"{WEB}/studies/%D9%A1", 404),
        ("GET", f"{WEB}/studies\n", 400),
        ("GET", f"/v1/{DATASET}/dicomStores/other/dicomWeb/studies", 404),
        ("GET", f"/v1/{DICOM}/fhir/Patient", 404),
        ("GET", f"/v1/{DICOM}", 404),
        ("GET", f"/v1/{DICOM}:getIamPolicy", 404),
        ("GET", f"/v1beta1/{DICOM}/dicomWeb/studies", 404),
        ("POST", f"/v1/{DICOM}:import", 404),
        ("GET", f"{RESOURCES}/Patient/..", 400),
        ("DELETE", f"{RESOURCES}/Patient/1/$purge", 404),
        ("PUT", f"{WEB}/studies", 405),
        ("TRACE", f"{WEB}/studies", 405),
        ("POST", f"{RESOURCES}/Patient/1", 405),
        ("GET", "/", 404),
        ("CONNECT", "example.org:443", 404),
        ("GET", "http://example.org/", 404),
    ],
)
def test_other_spellings_and_other_calls_do_not(method: str, path: str, code: int) -> None:
    with pytest.raises(RefusedError) as refused:
        target(method, path.encode(), b"", STORES)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "query", ["access_token=x", "a=1&key=x", "%61lt=media", "$.xgafv=1", "key"]
)
def test_parameters_of_the_api_itself_do_not(query: str) -> None:
    with pytest.raises(RefusedError, match="does not pass on the query parameter"):
        target("GET", f"{WEB}/studies".encode(), query.encode(), STORES)


@given(
    st.text(alphabet="/.%2eEfF5cC0;\\ studies1\u0661", max_size=40),
    st.sampled_from([WEB, RESOURCES]),
)
def test_what_gets_through_stays_below_its_store(rest: str, root: str) -> None:
    try:
        found = target("GET", f"{root}/{rest}".encode(), b"", STORES)
    except RefusedError:
        return
    assert found.path.startswith(f"{root}/")
    assert not {"", ".", ".."} & set(found.path[1:].removesuffix("/").split("/"))
    assert "%" not in found.path
