"""A fake Google with scripted answers, and the result of a command line."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httplib2

DATASET = "projects/local-project/locations/us-central1/datasets/dataset1"
STORE = f"{DATASET}/dicomStores/dicomstore1"
OPERATION = f"{DATASET}/operations/42"

OUTPUTS = {
    "projectId": "local-project",
    "projectNumber": "123456789012",
    "region": "us-central1",
    "datasetId": "dataset1",
    "dataset": DATASET,
    "dicomStores": {"dicomstore1": STORE, "dicomstore2": f"{DATASET}/dicomStores/dicomstore2"},
    "fhirStores": {},
    "hl7v2Stores": {},
    "serviceAgent": "service-123456789012@gcp-sa-healthcare.iam.gserviceaccount.com",
    "bigqueryDataset": "dataset1",
    "tableUri": "bq://local-project.dataset1.dicomstore1",
}

Answer = tuple[int, Any] | Exception


def operation(
    *,
    success: int = 0,
    failure: int = 0,
    pending: int = 0,
    done: bool = False,
    error: dict[str, Any] | None = None,
    logs_url: str = "https://console.cloud.google.com/logs/query",
) -> dict[str, Any]:
    """An operation as the Healthcare API words it."""
    counter = {"success": str(success), "failure": str(failure), "pending": str(pending)}
    body: dict[str, Any] = {
        "name": OPERATION,
        "metadata": {"counter": counter, "logsUrl": logs_url, "apiMethodName": "Import"},
    }
    if done:
        body["done"] = True
        body |= {"error": error} if error else {"response": {}}
    return body


def refusal(code: int, status: str, message: str) -> tuple[int, dict[str, Any]]:
    return code, {"error": {"code": code, "status": status, "message": message}}


@dataclass
class FakeGoogle:
    """Answers in the order given; the last answer is repeated. Records what it was asked.

    Lists of operations are apart, in `listed`, and not recorded; without any, there are none.
    A fake that answers by itself takes them with the rest: `lists_apart`.
    """

    answers: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    listed: list[Answer] = field(default_factory=list)
    lists_apart: bool = True

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any
    ) -> tuple[httplib2.Response, bytes]:
        if self.lists_apart and urlsplit(uri).path.endswith("/operations"):
            answers = self.listed or [(200, {})]
        else:
            self.asked.append((method, uri, json.loads(body) if body else None))
            answers = self.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        code, content = answer
        response = httplib2.Response({"status": str(code), "content-type": "application/json"})
        return response, json.dumps(content).encode()

    def close(self) -> None:
        """Part of httplib2's interface."""


@dataclass(frozen=True)
class Ran:
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)
