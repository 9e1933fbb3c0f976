"""The calls to bqemulator, which keeps the tables and runs the queries."""

import time
from typing import Any
from urllib.parse import quote

import httpx

from emulator.core import http_client
from emulator.core.backoff import delays
from emulator.core.errors import unavailable
from emulator.services.bigquery.errors import BigQueryError, of_reason

Json = dict[str, Any]
_SECONDS = 600.0
_INITIAL_DELAY_SECONDS = 0.02
_MAX_DELAY_SECONDS = 1.0
INTERNAL = "\n-- the emulator's own"
"""The end of the emulator's own statements, which are no jobs of the user."""


class Backend:
    """bqemulator at an address. Safe for many threads.

    Raises:
        ApiError: each call, where bqemulator refuses or can't be reached.
    """

    def __init__(self, url: str) -> None:
        self._client = http_client.client(url, seconds=_SECONDS)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def call(self, method: str, name: str, body: Json | None = None, **query: str) -> Json:
        """One call.

        Args:
            method: The HTTP method.
            name: The path below the version, such as `projects/P/datasets`.
            body: What is sent as JSON.
            query: Parameters.
        """
        path = f"/bigquery/v2/{quote(name)}"
        try:
            answer = self._client.request(method, path, json=body, params=query)
        except httpx.HTTPError as error:
            raise unavailable(f"BigQuery is not ready: {type(error).__name__}.") from error
        if not answer.is_error:
            content: Json = answer.json() if answer.content else {}
            return content
        try:
            body = answer.json()["error"]
            reason = body["errors"][0]["reason"]
        except (ValueError, KeyError, IndexError, TypeError):
            raise BigQueryError(
                answer.status_code, "internalError", f"bqemulator answered {answer.status_code}."
            ) from None
        raise BigQueryError(answer.status_code, reason, body["message"])

    def find(self, name: str) -> Json | None:
        """Return a resource, or None where there is none."""
        try:
            return self.call("GET", name)
        except BigQueryError as error:
            if error.code == 404:
                return None
            raise

    def query(self, project: str, statement: str) -> list[list[Any]]:
        """Return the rows of a query, each with its values as texts.

        Raises:
            ApiError: as for the class; what the query failed with.
        """
        query = {"query": statement + INTERNAL, "useLegacySql": False}
        result = self.call("POST", f"projects/{project}/queries", query)
        if errors := result.get("errors"):
            raise of_reason(errors[0]["reason"], errors[0]["message"])
        return [[cell["v"] for cell in row["f"]] for row in result["rows"]]

    def run(self, project: str, statement: str) -> None:
        """Run one statement to its end.

        Raises:
            ApiError: as for the class; what the statement failed with.
        """
        query = {"query": statement + INTERNAL, "useLegacySql": False}
        # Not `jobs.query`: bqemulator hides there what a statement failed with.
        job = self.call("POST", f"projects/{project}/jobs", {"configuration": {"query": query}})
        for delay in delays(_INITIAL_DELAY_SECONDS, _MAX_DELAY_SECONDS):
            if job["status"]["state"] == "DONE":
                break
            time.sleep(delay)
            job = self.call("GET", f"projects/{project}/jobs/{job['jobReference']['jobId']}")
        if error := job["status"].get("errorResult"):
            raise of_reason(error["reason"], error["message"])
