"""A stack under `--enforce-iam` with the clients of its members, and the refusals of services."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from dicomweb_client import DICOMwebClient
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from tests.support.labs import Lab, Stack
from tests.support.waiting import wait_until


@dataclass(frozen=True)
class Hospital:
    """A stack with members, and the clients of each."""

    lab: Lab
    stack: Stack

    def credentials(self, member: str) -> Credentials:
        """The access token of a member."""
        return Credentials(f"local:{member}")  # type: ignore[no-untyped-call]

    def api(self, name: str, version: str, member: str) -> Any:
        """Google's API client, as a member."""
        return build(
            name,
            version,
            credentials=self.credentials(member),
            client_options={"api_endpoint": f"{self.root}/"},
            static_discovery=True,
            cache_discovery=False,
        )

    @property
    def root(self) -> str:
        """The root of all services."""
        return self.lab.environment["STORAGE_EMULATOR_HOST"]

    def stores(self, member: str) -> Any:
        """The DICOM stores of Google's API client, as a member."""
        api = self.api("healthcare", "v1", member)
        return api.projects().locations().datasets().dicomStores()

    def dicom_web(self, store: str, member: str) -> DICOMwebClient:
        """A client of a store's DICOMweb service, as a member."""
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer local:{member}"
        return DICOMwebClient(f"{self.root}/v1/{store}/dicomWeb", session=session)

    def import_files(self, member: str, store: str, uri: str) -> dict[str, Any]:
        """Import objects into a store as a member; the operation's end."""
        body = {"gcsSource": {"uri": uri}}
        name = self.stores(member).import_(name=store, body=body).execute()["name"]
        operations = self.api("healthcare", "v1", member).projects().locations().datasets()

        def ended() -> dict[str, Any]:
            found: dict[str, Any] = operations.operations().get(name=name).execute()
            return found if found.get("done") else {}

        return wait_until(ended, f"{name} has not ended")

    def entries(self, member: str, principal: str) -> list[dict[str, Any]]:
        """Entries about a principal that a member finds in the log of data accesses."""
        wanted = 'log_id("cloudaudit.googleapis.com/data_access")'
        wanted += f' AND protoPayload.authenticationInfo.principalEmail="{principal}"'
        body = {"resourceNames": [f"projects/{self.stack.project}"], "filter": wanted}
        found = self.api("logging", "v2", member).entries().list(body=body).execute()
        return [entry["protoPayload"] for entry in found.get("entries", [])]

    def may(self, member: str, permission: str, resource: str) -> tuple[int, Any]:
        """The exit code of `access.py`, and its answer."""
        flags = ("--stack", self.stack.name, "--check", member, permission, "--resource", resource)
        done = self.lab.script("access", *flags, "--json")
        assert done.returncode in (0, 1), done.stderr
        return done.returncode, json.loads(done.stdout)


def refused(call: Any) -> dict[str, Any]:
    """The error of a call of Google's API client that is refused."""
    with pytest.raises(HttpError) as caught:
        call.execute()
    assert caught.value.status_code == 403
    error: dict[str, Any] = json.loads(caught.value.content)["error"]
    return error


def refusal(permission: str, resource: str) -> dict[str, Any]:
    """The error of the Healthcare API, as Google has it."""
    host = "//healthcare.googleapis.com"
    return {
        "code": 403,
        "message": f"Permission '{permission}' denied on resource '{host}/{resource}'"
        " (or it may not exist).",
        "status": "PERMISSION_DENIED",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "IAM_PERMISSION_DENIED",
                "domain": "iam.googleapis.com",
                "metadata": {"permission": permission, "resource": resource},
            }
        ],
    }


def refused_web(call: Any) -> dict[str, Any]:
    """The error of a call of the DICOMweb client that is refused."""
    with pytest.raises(requests.HTTPError) as caught:
        call()
    answer = caught.value.response
    assert answer is not None
    assert answer.status_code == 403
    error: dict[str, Any] = answer.json()["error"]
    return error
