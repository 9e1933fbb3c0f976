"""A client of BigQuery's REST API v2, for exports and streams."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from emulator.core import http_client
from emulator.core.backoff import delays
from emulator.core.errors import ApiError, already_exists, internal, not_found, unavailable
from emulator.services.healthcare.clients import bigquery_schema_update

TIMEOUT_SECONDS = 600.0
CHUNK_BYTES = 8 << 20
"""Upload chunks must be multiples of 256 KiB."""
INITIAL_DELAY_SECONDS = 0.05
MAX_DELAY_SECONDS = 2.0


@dataclass(frozen=True)
class Table:
    """A table, by its names."""

    project: str
    dataset: str
    table: str

    def __str__(self) -> str:
        return f"{self.project}.{self.dataset}.{self.table}"

    def reference(self) -> dict[str, str]:
        """Return BigQuery's TableReference."""
        return {"projectId": self.project, "datasetId": self.dataset, "tableId": self.table}


class BigQueryClient:
    """A client of the BigQuery service at an address.

    Raises:
        ApiError: from each call, if the service refuses it or is unavailable
    """

    def __init__(self, url: str) -> None:
        self._client = http_client.client(url, seconds=TIMEOUT_SECONDS)

    def __enter__(self) -> "BigQueryClient":
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()

    def has_dataset(self, project: str, dataset: str) -> bool:
        """Return whether a dataset exists."""
        path = f"/bigquery/v2/projects/{project}/datasets/{dataset}"
        return self._send("GET", path).status_code != httpx.codes.NOT_FOUND

    def rows(self, table: Table) -> int | None:
        """Return the number of rows of a table; None if it does not exist."""
        answer = self._send("GET", self._path(table))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        return int(answer.json().get("numRows") or 0)

    def create(
        self,
        table: Table,
        fields: list[dict[str, Any]],
        partitioning: Mapping[str, Any] | None = None,
        *,
        replace: bool,
    ) -> None:
        """Create an empty table unless it exists; `replace` deletes an existing one first."""
        if replace:
            self._send("DELETE", self._path(table))
        body = {"tableReference": table.reference(), "schema": {"fields": fields}}
        if partitioning:
            body["timePartitioning"] = partitioning
        path = f"/bigquery/v2/projects/{table.project}/datasets/{table.dataset}/tables"
        if (answer := self._send("POST", path, json=body)).status_code != httpx.codes.CONFLICT:
            _check(answer, table)

    def create_view(self, view: Table, query: str) -> None:
        """Create a view of SQL, unless a table or view of this name exists."""
        body = {
            "tableReference": view.reference(),
            "view": {"query": query, "useLegacySql": False},
        }
        path = f"/bigquery/v2/projects/{view.project}/datasets/{view.dataset}/tables"
        if (answer := self._send("POST", path, json=body)).status_code != httpx.codes.CONFLICT:
            _check(answer, view)

    def load(
        self,
        table: Table,
        fields: list[dict[str, Any]],
        disposition: str,
        rows: Iterable[bytes],
        partitioning: Mapping[str, Any] | None = None,
    ) -> None:
        """Load rows in one job: all of them arrive, or none.

        Args:
            table: the destination
            fields: the table's schema
            disposition: WRITE_EMPTY, WRITE_TRUNCATE or WRITE_APPEND
            rows: lines of newline-delimited JSON
            partitioning: BigQuery's TimePartitioning of a table that is created

        Raises:
            ApiError: as for the class; 409 for WRITE_EMPTY on a table with rows.
        """
        load: dict[str, Any] = {
            "destinationTable": table.reference(),
            "schema": {"fields": fields},
            "sourceFormat": "NEWLINE_DELIMITED_JSON",
            "createDisposition": "CREATE_IF_NEEDED",
            "writeDisposition": disposition,
        }
        if disposition == "WRITE_TRUNCATE":
            # The stand-in empties a table and keeps its columns; the service replaces both.
            self.create(table, fields, partitioning, replace=True)
        elif partitioning and self.rows(table) is None:
            self.create(table, fields, partitioning, replace=False)
        else:
            self._widen(table, fields)
        response = self._send(
            "POST",
            f"/upload/bigquery/v2/projects/{table.project}/jobs",
            params={"uploadType": "resumable"},
            headers={"X-Upload-Content-Type": "application/octet-stream"},
            json={"configuration": {"load": load}},
        )
        _check(response, table)
        self._wait(self._upload(response.headers["Location"], rows, table), table)

    def _widen(self, table: Table, fields: list[dict[str, Any]]) -> None:
        """Add the columns that a table lacks, also nested ones: a load job drops their values."""
        answer = self._send("GET", self._path(table))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return
        _check(answer, table)
        known = answer.json().get("schema", {}).get("fields", [])
        wider = bigquery_schema_update.merge_fields(known, fields)
        for change in bigquery_schema_update.changes(known, wider):
            self._alter(table, change)
        if wider != known:
            # The statements change the data alone, this call the schema of the table resource.
            body = {"schema": {"fields": wider}}
            _check(self._send("PATCH", self._path(table), json=body), table)

    def _alter(self, table: Table, change: str) -> None:
        query = f"ALTER TABLE `{table.dataset}.{table.table}` {change}"
        body = {"configuration": {"query": {"query": query, "useLegacySql": False}}}
        response = self._send("POST", f"/bigquery/v2/projects/{table.project}/jobs", json=body)
        _check(response, table)
        self._wait(response.json(), table)

    def _upload(self, session: str, rows: Iterable[bytes], table: Table) -> dict[str, Any]:
        """Send the rows to an upload session; return the job that the last chunk starts."""
        start = 0
        for chunk, is_last in _chunks(rows):
            end = start + len(chunk)
            total = str(end) if is_last else "*"
            answer = self._send(
                "PUT",
                session,
                headers={
                    "Content-Type": "application/octet-stream",
                    "Content-Range": f"bytes {start}-{end - 1}/{total}",
                },
                content=chunk,
            )
            if is_last:
                _check(answer, table)
                job: dict[str, Any] = answer.json()
                return job
            if answer.status_code != httpx.codes.PERMANENT_REDIRECT:  # 308: resume incomplete
                _check(answer, table)
            start = end
        raise internal("an upload without rows")

    def _wait(self, job: dict[str, Any], table: Table) -> None:
        reference = job["jobReference"]
        path = f"/bigquery/v2/projects/{reference['projectId']}/jobs/{reference['jobId']}"
        for delay in delays(INITIAL_DELAY_SECONDS, MAX_DELAY_SECONDS):
            if job["status"]["state"] == "DONE":
                break
            time.sleep(delay)
            answer = self._send("GET", path)
            _check(answer, table)
            job = answer.json()
        if error := job["status"].get("errorResult"):
            raise _job_error(error, table)

    def _path(self, table: Table) -> str:
        datasets = f"/bigquery/v2/projects/{table.project}/datasets"
        return f"{datasets}/{table.dataset}/tables/{table.table}"

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise unavailable(f"BigQuery can't be reached: {type(error).__name__}") from error
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise unavailable(f"BigQuery answered {answer.status_code}.")
        return answer


def _chunks(rows: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield chunks of the upload's size, each with whether it is the last."""
    held = bytearray()
    for line in rows:
        held += line
        while len(held) > CHUNK_BYTES:
            yield bytes(held[:CHUNK_BYTES]), False
            del held[:CHUNK_BYTES]
    if held:
        yield bytes(held), True


def _check(answer: httpx.Response, table: Table) -> None:
    if not answer.is_error:
        return
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise not_found(f"BigQuery dataset or table {table} does not exist.")
    try:
        error = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        error = {"message": f"status {answer.status_code}"}
    raise _job_error({"reason": error.get("status", ""), **error}, table)


def _job_error(error: dict[str, Any], table: Table) -> ApiError:
    # BigQuery's texts may quote a row's values, which are patient data: only the reason is shown.
    reason = str(error.get("reason", "unknown"))
    if reason in {"duplicate", "ALREADY_EXISTS"}:
        return already_exists(f"BigQuery table {table} already exists and has rows.")
    return internal(f"The BigQuery load job into {table} failed: {reason}.")
