"""The export of more FHIR resources to BigQuery than one process makes rows of."""

from collections.abc import Callable

import pytest
from google.cloud import bigquery

from emulator.server.server_file import ServerInfo
from emulator.services.healthcare.fhir.operations.bigquery_export import FEW
from emulator.services.healthcare.fhir.operations.selection import PAGE
from tests.support.fhir_resources import patient
from tests.support.fhir_ward import Ward
from tests.support.import_export import ANONYMOUS

pytestmark = pytest.mark.sockets
COUNT = FEW * PAGE + 1


def test_all_rows_arrive_with_the_columns_of_each(
    emulator: ServerInfo, project: str, grant: Callable[..., None]
) -> None:
    grant("roles/storage.objectAdmin", "roles/bigquery.dataEditor", "roles/bigquery.jobUser")
    ward = Ward(emulator, project)
    extension = [{"url": "http://example.com/last", "valueString": "there"}]
    last = patient(f"p{COUNT}", extension=extension)
    ward.write("in", *(patient(f"p{number}") for number in range(COUNT - 1)), last)
    assert ward.import_("in", "RESOURCE")["metadata"]["counter"]["success"] == str(COUNT)
    client = bigquery.Client(
        project=project,
        credentials=ANONYMOUS(),
        client_options={"api_endpoint": f"http://127.0.0.1:{emulator.ports.bigquery}"},
    )
    client.create_dataset("large")

    schema = {"schemaType": "ANALYTICS_V2"}
    destination = {"datasetUri": f"bq://{project}.large", "schemaConfig": schema}
    body = {"bigqueryDestination": destination}
    done = ward.wait(ward.stores.export(name=ward.store, body=body))

    assert done["metadata"]["counter"] == {"success": str(COUNT)}, done
    table = f"`{project}.large.Patient`"
    [row] = client.query(f"SELECT COUNT(*), COUNT(DISTINCT id) FROM {table}").result()
    assert tuple(row) == (COUNT, COUNT)
    found = "SELECT id, last[OFFSET(0)].value.string"
    query = f"{found} FROM {table} WHERE ARRAY_LENGTH(last) > 0"
    assert [tuple(row) for row in client.query(query).result()] == [(f"p{COUNT}", "there")]
