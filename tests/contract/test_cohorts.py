"""Cohorts by SQL and by a search: the chosen instances arrive, each once, without their names."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from emulator.server.server_file import ServerInfo
from pipelines.cohort import plan
from pipelines.cohort.healthcare import Healthcare, HealthcareError
from pipelines.cohort.plan import Settings
from pipelines.cohort.selection import SelectionError
from scripts.data import metadata_export
from scripts.data.write_disposition import WriteDisposition
from scripts.lib.google import clients, operations
from scripts.lib.google.bigquery import Table
from tests.support import cohorts, http, pipelines
from tests.support.cohorts import IDENTIFYING, ROOT, Original
from tests.support.pipelines import Pipeline

pytestmark = [pytest.mark.sockets, pytest.mark.slow]

STUDIES, INSTANCES = 4, 3
TABLE = "warehouse.images"


@dataclass(frozen=True)
class Site:
    """A project with a store of patients, an empty store, a bucket and an exported table.

    Attributes:
        url: of the emulator
        project: its id
        source, destination: full names of the stores
        bucket: of runs
        originals: the instances of the source
    """

    url: str
    project: str
    source: str
    destination: str
    bucket: str
    originals: list[Original]

    def settings(self, **changes: str) -> Settings:
        """Return settings of a run."""
        given = {"sql": "", "search": "", **changes}
        settings = Settings(
            self.source,
            self.destination,
            f"gs://{self.bucket}/run/",
            given["sql"],
            given["search"],
            self.project,
        )
        return replace(settings, destination=given.get("destination", settings.destination))

    def arguments(self, run: str, **options: str) -> list[str]:
        """Return the command line of a run."""
        given = {
            "source": self.source,
            "destination": self.destination,
            "output": f"gs://{self.bucket}/{run}",
            **options,
        }
        return ["cohort", *(f"--{name}={value}" for name, value in given.items())]


@pytest.fixture
def site(emulator: ServerInfo, project: str, grant: Callable[..., None]) -> Site:
    grant("roles/bigquery.dataEditor", "roles/bigquery.jobUser", "roles/storage.objectViewer")
    source = pipelines.make_store(emulator.url, project)
    destination = pipelines.make_store(emulator.url, project, "copies")
    bucket = pipelines.make_bucket(emulator.url, project)
    found = cohorts.originals(STUDIES, INSTANCES)
    cohorts.store_all(emulator.url, source, found)
    clients.big_query(project).create_dataset("warehouse")
    client, table = clients.healthcare(), Table.from_uri(f"bq://{project}.{TABLE}")
    started = metadata_export.start(client, source, table, WriteDisposition.TRUNCATE)
    operations.follow(client, started.name, resume="")
    return Site(emulator.url, project, source, destination, bucket, found)


def assert_copied(site: Site, chosen: list[Original]) -> list[bytes]:
    """The copies are those of the chosen instances, each once, and name no patient."""
    found = [*cohorts.copies(site.url, site.destination)]
    assert sorted(map(cohorts.mark_of, found)) == sorted(one.mark for one in chosen)
    known = {*IDENTIFYING.values(), "Quixote", "Alonso", "Cervantes", f"{ROOT}."}
    for content in found:
        text = content.decode("latin-1")
        assert [value for value in known if value in text] == []
    return found


def test_a_cohort_by_sql_survives_the_death_of_a_worker(site: Site) -> None:
    deleted, *_ = chosen = [
        one for one in site.originals if one.modality == "CT" and one.study != f"{ROOT}.4"
    ]
    http.delete(
        f"{site.url}/v1/{site.source}/dicomWeb/studies/{deleted.study}/series/{deleted.series}"
        f"/instances/{deleted.uid}"
    ).raise_for_status()
    # Half of it by series, half by instance; a study that the store never had.
    sql = f"""
        SELECT StudyInstanceUID, SeriesInstanceUID, NULL AS SOPInstanceUID FROM {TABLE}
        WHERE Modality = 'CT' AND StudyInstanceUID = '{ROOT}.2'
        UNION ALL SELECT StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID FROM {TABLE}
        WHERE Modality = 'CT' AND StudyInstanceUID IN ('{ROOT}.1', '{ROOT}.3')
        UNION ALL SELECT '9.9', NULL, NULL UNION ALL SELECT 'no UID', NULL, NULL
    """
    run = Pipeline(
        *site.arguments("run", sql=sql, operations="2"),
        "--direct_num_workers=2",
        environment={"GOOGLE_CLOUD_PROJECT": site.project},
    )
    # While it follows the operations: the long form kills at any moment.
    assert run.kill_worker(0, 0, counter="copied"), run.log
    report = run.result(0)

    assert any("lost a worker in attempt 1" in line for line in run.lines)
    assert_copied(site, chosen[1:])
    assert len(report.pop("operations")) <= 2
    assert report == {"selected": 8, "instances": 8, "dead_letters": 3}
    letters = cohorts.json_at(
        site.url, site.bucket, "run/dead-letters-selection-00000-of-00001.ndjson"
    )
    gone = f"/studies/{deleted.study}/series/{deleted.series}/instances/{deleted.uid}"
    missing = "the store has no such study, series or instance"
    reasons = {one["source"].split()[0]: one["reason"] for one in letters}
    assert reasons == {
        gone: missing,
        "/studies/9.9": missing,
        "row": "the row has a value that is not a UID",
    }


def test_a_cohort_by_a_search_has_no_names_in_its_pixels(site: Site) -> None:
    pytest.importorskip("rapidocr", reason="the extra `redaction` is not installed")
    chosen = [one for one in site.originals if one.modality == "CT" and one.study == f"{ROOT}.1"]
    assert [cohorts.has_text(one.content) for one in chosen].count(True) == 1
    config = (
        b'{"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"},'
        b' "image": {"textRedactionMode": "REDACT_ALL_TEXT"}}'
    )
    pipelines.put_files(site.url, site.bucket, {"config.json": config})
    run = Pipeline(
        *site.arguments(
            "search",
            search="series?Modality=CT&StudyDate=20240101",
            config=f"gs://{site.bucket}/config.json",
        ),
        "--direct_running_mode=in_memory",
        environment={},
    )
    assert run.result(0)["instances"] == len(chosen)
    found = assert_copied(site, chosen)
    assert not any(map(cohorts.has_text, found))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"sql": f"SELECT Modality FROM {TABLE}"}, "does not select the column StudyInstanceUID"),
        ({"sql": f"SELECT * FROM {TABLE} WHERE FALSE"}, "selects no rows"),
        ({"sql": f"SELECT Modalty FROM {TABLE}"}, "Unrecognized name: Modalty"),
        ({"sql": "SELECT * FROM warehouse.gone"}, "Not found: Table"),
        ({"sql": f"DELETE FROM {TABLE} WHERE TRUE"}, "It is a DELETE statement"),
        ({"search": "StudyDate=19990101"}, "finds no studies"),
        ({"search": "Modality=CT"}, "refuses the search"),
    ],
)
def test_a_selection_is_refused_before_anything_is_changed(
    site: Site, changes: dict[str, str], complaint: str
) -> None:
    with pytest.raises(SelectionError, match=complaint):
        plan.select(site.settings(**changes))


def test_a_destination_that_does_not_exist_is_named(site: Site) -> None:
    settings = site.settings(destination=f"{site.source}-gone")
    api = Healthcare(settings.source, settings.destination, {})
    with pytest.raises(HealthcareError, match="images-gone"):
        plan.check_stores(settings, api.get)
