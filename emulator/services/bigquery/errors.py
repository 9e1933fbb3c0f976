"""Errors as BigQuery answers them: with a reason, which its clients go by.

https://cloud.google.com/bigquery/docs/error-messages

Inferred (conformance: bigquery-dataset-missing-text): the text of a refusal.
"""

from typing import Any

from emulator.core.errors import STATUSES, ApiError

_CODES = {
    "accessDenied": 403,
    "backendError": 503,
    "duplicate": 409,
    "notFound": 404,
    "notImplemented": 501,
}


class BigQueryError(ApiError):
    """An error with BigQuery's reason, such as `notFound` or `invalidQuery`."""

    def __init__(self, code: int, reason: str, message: str, status: str = "") -> None:
        super().__init__(code, status or STATUSES.get(code, "UNKNOWN"), message)
        self.reason = reason

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the answer."""
        body = super().body()
        error = {"domain": "global", "reason": self.reason, "message": self.message}
        body["error"]["errors"] = [error]
        return body


_REASONS = {
    400: "invalid",
    403: "accessDenied",
    404: "notFound",
    409: "duplicate",
    412: "conditionNotMet",
    501: "notImplemented",
    503: "backendError",
}


def to_bigquery_error(error: ApiError) -> BigQueryError:
    """Return an error in the shape of BigQuery."""
    if isinstance(error, BigQueryError):
        return error
    reason = _REASONS.get(error.code, "invalid" if error.code < 500 else "internalError")
    return BigQueryError(error.code, reason, error.message, error.status)


def of_reason(reason: str, message: str) -> BigQueryError:
    """Return the error that stands for what a job ended with."""
    return BigQueryError(_CODES.get(reason, 400), reason, message)


def no_dataset(project: str, dataset: str) -> BigQueryError:
    """Return a 404: the dataset does not exist."""
    return BigQueryError(404, "notFound", f"Not found: Dataset {project}:{dataset}")


def no_table(project: str, dataset: str, table: str) -> BigQueryError:
    """Return a 404: the table does not exist."""
    return BigQueryError(404, "notFound", f"Not found: Table {project}:{dataset}.{table}")


def invalid(message: str) -> BigQueryError:
    """Return a 400: the request is invalid."""
    return BigQueryError(400, "invalid", message)
