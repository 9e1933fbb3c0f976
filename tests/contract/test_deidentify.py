"""De-identification, by Google's own client and dicomweb-client; every output file is read."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client as StorageClient
from googleapiclient.errors import HttpError
from pydicom.data import get_testdata_file
from pydicom.uid import UID

from emulator.server.server_file import ServerInfo
from emulator.services.healthcare.deidentify.profiles import Action, basic
from tests.support import http
from tests.support.deidentification import FILES, Site

pytestmark = pytest.mark.sockets

PAGE = Path(__file__).parents[2] / "docs" / "deidentify.md"
BASIC = {"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}}
_TELLING = 4
"""Different letters that a value must have to be told from chance in a file's bytes."""
_TELLING_DIGITS = 8


@pytest.fixture
def site(emulator: ServerInfo, project: str) -> Site:
    return Site(emulator, project)


def telling(dataset: pydicom.Dataset) -> set[str]:
    """The values that the basic profile removes and that identify by themselves."""
    public = " ".join(
        str(element.value) for element in dataset.iterall() if basic(element.tag) is Action.KEEP
    )
    values = {
        str(value).strip()
        for element in dataset.iterall()
        if basic(element.tag) not in (Action.KEEP, Action.RECURSE)
        and element.VR not in ("SQ", "OB", "OW", "UN", "US", "UL", "FD", "FL", "DS", "IS")
        for value in (element.value if element.VM > 1 else [element.value])
    }
    # A word that the file says elsewhere, where everything stays, does not identify; nor do a few
    # digits, which any UID may hold.
    return {
        value
        for value in values
        if len(set(value)) >= _TELLING
        and (len(value) >= _TELLING_DIGITS or not value.isdigit())
        and value not in public
    }


def test_no_identifier_of_the_source_is_left(site: Site) -> None:
    identifiers = {value for source in site.sources for value in telling(source)}
    assert len(identifiers) > 100
    target, done = site.into_store("copies", {"config": BASIC})
    assert done["metadata"]["counter"] == {"success": str(len(FILES))}
    assert done["response"]["@type"].endswith("v1.deidentify.DeidentifyDicomStoreSummary")
    files = list(site.files(target))
    assert len(files) == len(FILES)
    for content, dataset in files:
        text = content.decode("latin-1")
        assert [value for value in identifiers if value in text] == []
        assert not any(element.tag.is_private for element in dataset.iterall())
        assert dataset.PatientIdentityRemoved == "YES"


def test_the_page_shows_what_works(site: Site) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {
        "healthcare": site.api,
        "originals": site.store,
        "copies": site.add_store("copies"),
    }
    exec(code, names)
    # Only begun: reading text in all these pictures takes a while.
    site.datasets.operations().cancel(name=names["operation"]["name"]).execute()
    assert site.finish(names["operation"])["error"]["code"] == 1


def test_the_pictures_are_still_there(site: Site) -> None:
    target, _ = site.into_store("copies", {"config": BASIC})
    pictures = [dataset for _, dataset in site.files(target) if "PixelData" in dataset]
    assert len(pictures) == sum("PixelData" in source for source in site.sources)
    assert all(dataset.pixel_array.size for dataset in pictures)


def test_a_dataset_goes_into_a_new_one(site: Site) -> None:
    second = site.add_store("more")
    site.web(second).store_instances(site.sources[:1])
    body = {"destinationDataset": f"{site.location}/datasets/research", "config": BASIC}
    operation = site.datasets.deidentify(sourceDataset=site.dataset, body=body).execute()
    done = site.finish(operation)
    assert done["metadata"]["apiMethodName"].endswith("DatasetService.DeidentifyDataset")
    assert done["response"]["@type"].endswith("v1.deidentify.DeidentifySummary")
    copies = f"{site.location}/datasets/research/dicomStores"
    assert len(list(site.files(f"{copies}/originals"))) == len(FILES)
    [(_, copy)] = site.files(f"{copies}/more")
    # The same instance in two stores is the same instance in the copies, too.
    same = {dataset.SOPInstanceUID for _, dataset in site.files(f"{copies}/originals")}
    assert copy.SOPInstanceUID in same
    # The source is as it was.
    uids = {dataset.SOPInstanceUID for _, dataset in site.files(site.store)}
    assert uids == {source.SOPInstanceUID for source in site.sources}


def test_series_and_studies_stay_together(site: Site) -> None:
    target, _ = site.into_store("copies", {"config": BASIC})
    before, after = (
        sorted(
            (row["0020000D"]["Value"][0], row["0020000E"]["Value"][0])
            for row in site.web(store).search_for_instances()
        )
        for store in (site.store, target)
    )
    assert len(set(after)) == len(set(before))
    assert {study for study, _ in after}.isdisjoint({study for study, _ in before})


def test_another_run_gives_other_uids(site: Site) -> None:
    first, _ = site.into_store("first", {"config": BASIC})
    second, _ = site.into_store("second", {"config": BASIC})
    uids = [{one.SOPInstanceUID for _, one in site.files(store)} for store in (first, second)]
    assert uids[0].isdisjoint(uids[1])


def test_what_cannot_be_read_is_left_out_and_reported_of(site: Site) -> None:
    broken = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    broken.SOPInstanceUID = broken.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4.5")
    broken.PixelData = broken.PixelData[:1000]
    source, target = site.add_store("broken"), site.add_store("copies")
    site.web(source).store_instances([broken, site.sources[0]])
    config = {**BASIC, "image": {"textRedactionMode": "REDACT_ALL_TEXT"}}
    body = {"destinationStore": target, "config": config}
    request = site.datasets.dicomStores().deidentify(sourceStore=source, body=body)
    done = site.finish(request.execute())
    assert done["metadata"]["counter"] == {"success": "1", "failure": "1"}
    assert "error" not in done
    log = http.get(done["metadata"]["logsUrl"]).text
    assert "1.2.3.4.5" in log
    assert "can't be decoded" in log
    assert len(list(site.files(target))) == 1


def test_the_configuration_can_lie_in_cloud_storage(
    site: Site, emulator: ServerInfo, grant: Callable[..., None]
) -> None:
    bucket = StorageClient(
        site.project,
        AnonymousCredentials(),  # type: ignore[no-untyped-call]
    ).create_bucket(f"{site.project}-configs")
    bucket.blob("deidentify/config.json").upload_from_string(json.dumps(BASIC))
    uri = f"gs://{bucket.name}/deidentify/config.json"
    with pytest.raises(HttpError) as refusal:
        site.into_store("refused", {"gcsConfigUri": uri})
    assert refusal.value.status_code == 403
    assert "roles/storage.objectViewer" in refusal.value.reason
    grant("roles/storage.objectViewer")
    target, done = site.into_store("copies", {"gcsConfigUri": uri})
    assert done["metadata"]["counter"] == {"success": str(len(FILES))}
    assert all(not one.get("PatientName") for _, one in site.files(target))


def test_a_filter_takes_a_part(site: Site, grant: Callable[..., None]) -> None:
    grant("roles/storage.objectViewer")
    bucket = StorageClient(
        site.project,
        AnonymousCredentials(),  # type: ignore[no-untyped-call]
    ).create_bucket(f"{site.project}-filters")
    first, second = site.sources[:2]
    lines = [
        f"/studies/{first.StudyInstanceUID}",
        f"/studies/{first.StudyInstanceUID}/series/{first.SeriesInstanceUID}",
        f"/studies/{second.StudyInstanceUID}/series/{second.SeriesInstanceUID}"
        f"/instances/{second.SOPInstanceUID}",
        "/studies/1.2.3.999",
    ]
    bucket.blob("wanted").upload_from_string("\r\n".join(lines))
    bucket.blob("wrong").upload_from_string("/studies/1.2\nstudies/1.2")
    body = {"config": BASIC, "filterConfig": {"resourcePathsGcsUri": f"gs://{bucket.name}/wanted"}}
    target, done = site.into_store("copies", body)
    assert done["metadata"]["counter"] == {"success": "2", "failure": "1"}
    assert "1.2.3.999" in http.get(done["metadata"]["logsUrl"]).text
    assert len(list(site.files(target))) == 2
    wrong = {"config": BASIC, "filterConfig": {"resourcePathsGcsUri": f"gs://{bucket.name}/wrong"}}
    with pytest.raises(HttpError, match="line 2"):
        site.into_store("refused", wrong)


@pytest.mark.parametrize(
    ("body", "code", "culprit"),
    [
        ({"config": BASIC}, 400, "destination_dataset"),
        ({"destinationDataset": "research", "config": BASIC}, 400, "invalid destination_dataset"),
        ({"destinationDataset": "{location}/datasets/clinic", "config": BASIC}, 409, "exists"),
        ({"destinationDataset": "{location}/datasets/new"}, 400, "exactly one of config"),
        (
            {
                "destinationDataset": "projects/{project}/locations/us-east1/datasets/x",
                "config": {},
            },
            400,
            "same location",
        ),
        (
            {
                "destinationDataset": "{location}/datasets/new",
                "config": {"dicom": {"keepList": {"tags": ["Nonsense"]}}},
            },
            400,
            "'Nonsense'",
        ),
    ],
)
def test_bad_requests_make_nothing(
    site: Site, body: dict[str, Any], code: int, culprit: str
) -> None:
    words = {"{location}": site.location, "{project}": site.project}
    text = json.dumps(body)
    for word, value in words.items():
        text = text.replace(word, value)
    with pytest.raises(HttpError) as refusal:
        site.datasets.deidentify(sourceDataset=site.dataset, body=json.loads(text)).execute()
    assert refusal.value.status_code == code
    assert culprit in refusal.value.reason
    listed = site.datasets.list(parent=site.location).execute()["datasets"]
    assert [dataset["name"] for dataset in listed] == [site.dataset]
