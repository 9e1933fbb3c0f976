"""Projects, their services and topics by google-api-python-client, every answer of its schema."""

from typing import Any

import google.auth
import pytest
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from emulator.core import discovery
from emulator.server.server_file import ServerInfo

pytestmark = pytest.mark.sockets

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class Client:
    """A client of one API that holds each answer against the discovery document."""

    def __init__(self, running: ServerInfo, api: str, version: str) -> None:
        self._messages = discovery.api(api, version)
        self.api = build(
            api,
            version,
            credentials=google.auth.default(scopes=[_SCOPE])[0],
            client_options={"api_endpoint": running.url},
            static_discovery=True,
            cache_discovery=False,
        )

    def call(self, request: Any, message: str) -> dict[str, Any]:
        """The answer to a request, which has to be a message of this name."""
        answer: dict[str, Any] = request.execute()
        self._messages.check(message, answer)
        return answer


def test_a_project_and_its_policy(emulator: ServerInfo, project: str, service_agent: str) -> None:
    manager = Client(emulator, "cloudresourcemanager", "v1")
    projects = manager.api.projects()

    shown = manager.call(projects.get(projectId=project), "Project")
    assert shown["projectId"] == project
    assert shown["lifecycleState"] == "ACTIVE"
    listed = manager.call(projects.list(), "ListProjectsResponse")
    assert shown in listed["projects"]

    policy = manager.call(projects.getIamPolicy(resource=project, body={}), "Policy")
    policy["bindings"].append({"role": "roles/storage.objectViewer", "members": [service_agent]})
    request = projects.setIamPolicy(resource=project, body={"policy": policy})
    written = manager.call(request, "Policy")
    assert written["bindings"] == policy["bindings"]
    with pytest.raises(HttpError) as caught:
        request.execute()  # its etag is stale by now
    assert caught.value.status_code == 409

    body = {"permissions": ["resourcemanager.projects.get"]}
    tested = projects.testIamPermissions(resource=project, body=body)
    assert manager.call(tested, "TestIamPermissionsResponse") == body


def test_what_a_project_logs(emulator: ServerInfo, project: str) -> None:
    manager = Client(emulator, "cloudresourcemanager", "v1")
    projects = manager.api.projects()
    policy = manager.call(projects.getIamPolicy(resource=project, body={}), "Policy")
    logs = [{"logType": "DATA_READ", "exemptedMembers": ["user:a@b.example"]}]
    configs = [{"service": "healthcare.googleapis.com", "auditLogConfigs": logs}]

    def write(mask: str | None) -> dict[str, Any]:
        body = {"policy": {"auditConfigs": configs}, **({"updateMask": mask} if mask else {})}
        return manager.call(projects.setIamPolicy(resource=project, body=body), "Policy")

    written = write("auditConfigs,etag")

    assert (written["auditConfigs"], written["bindings"]) == (configs, policy["bindings"])
    read = manager.call(projects.getIamPolicy(resource=project, body={}), "Policy")
    assert read == written
    configs = []
    assert "auditConfigs" not in write("auditConfigs")
    with pytest.raises(HttpError) as caught:
        write("audits")
    assert caught.value.status_code == 400


def test_the_agent_of_a_project_that_has_none(emulator: ServerInfo, project: str) -> None:
    manager = Client(emulator, "cloudresourcemanager", "v1").api.projects()
    number = manager.get(projectId="contract-untouched").execute()["projectNumber"]
    agent = f"service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"
    binding = {"role": "roles/storage.objectViewer", "members": [f"serviceAccount:{agent}"]}
    body = {"policy": {"bindings": [binding]}}

    with pytest.raises(HttpError) as caught:
        manager.setIamPolicy(resource="contract-untouched", body=body).execute()

    assert caught.value.status_code == 400
    assert caught.value.reason == f"Service account {agent} does not exist."


def test_services_are_listed_enabled_and_disabled(emulator: ServerInfo, project: str) -> None:
    usage = Client(emulator, "serviceusage", "v1")
    services = usage.api.services()
    parent = f"projects/{project}"
    name = f"{parent}/services/compute.googleapis.com"

    def enabled() -> set[str]:
        found: set[str] = set()
        request = services.list(parent=parent, filter="state:ENABLED", pageSize=2)
        while request is not None:
            page = usage.call(request, "ListServicesResponse")
            found |= {one["config"]["name"] for one in page["services"]}
            request = services.list_next(request, page)
        return found

    assert "compute.googleapis.com" not in enabled()
    operation = usage.call(services.enable(name=name, body={}), "Operation")
    assert operation["done"] is True
    polled = usage.api.operations().get(name=operation["name"])
    assert usage.call(polled, "Operation") == operation
    assert {"compute.googleapis.com", "healthcare.googleapis.com"} <= enabled()
    shown = usage.call(services.get(name=name), "GoogleApiServiceusageV1Service")
    assert shown["state"] == "ENABLED"
    several = services.batchGet(parent=parent, names=[name])
    assert usage.call(several, "BatchGetServicesResponse")["services"] == [shown]
    usage.call(services.disable(name=name, body={}), "Operation")
    assert "compute.googleapis.com" not in enabled()


def test_a_service_that_is_not_enabled_refuses_by_name(emulator: ServerInfo) -> None:
    healthcare = Client(emulator, "healthcare", "v1").api.projects().locations().datasets()

    with pytest.raises(HttpError) as caught:
        healthcare.list(parent="projects/contract-untouched/locations/us").execute()

    assert caught.value.status_code == 403
    assert "Cloud Healthcare API has not been used in project" in caught.value.reason
    assert caught.value.error_details[0]["reason"] == "SERVICE_DISABLED"


def test_topics_and_their_policies(emulator: ServerInfo, project: str) -> None:
    pubsub = Client(emulator, "pubsub", "v1")
    topics = pubsub.api.projects().topics()
    name = f"projects/{project}/topics/images"

    created = pubsub.call(topics.create(name=name, body={"labels": {"site": "a"}}), "Topic")
    assert created == {"name": name, "labels": {"site": "a"}}
    assert pubsub.call(topics.get(topic=name), "Topic") == created
    listed = topics.list(project=f"projects/{project}")
    assert pubsub.call(listed, "ListTopicsResponse") == {"topics": [created]}
    body = {"topic": {"labels": {"site": "b"}}, "updateMask": "labels"}
    assert pubsub.call(topics.patch(name=name, body=body), "Topic")["labels"] == {"site": "b"}
    policy = pubsub.call(topics.getIamPolicy(resource=name), "Policy")
    assert "bindings" not in policy
    binding = {"role": "roles/pubsub.publisher", "members": ["user:a@b.example"]}
    given = topics.setIamPolicy(resource=name, body={"policy": {**policy, "bindings": [binding]}})
    assert pubsub.call(given, "Policy")["bindings"] == [binding]
    assert topics.delete(topic=name).execute() == {}
    with pytest.raises(HttpError) as caught:
        topics.get(topic=name).execute()
    assert caught.value.status_code == 404
