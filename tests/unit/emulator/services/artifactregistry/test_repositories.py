"""Repositories of Artifact Registry: settings, operations, lists, policies."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from tests.support.emulator_names import LOCATION

REPOSITORIES = f"{LOCATION}/repositories"
NAME = f"{REPOSITORIES}/images"
PATIENCE_SECONDS = 60


class Registry:
    """Calls about the repository `images`."""

    def __init__(self, cloud: Cloud, client: TestClient) -> None:
        self._cloud = cloud
        self.client = client

    def create(self, id_: str = "images", **body: Any) -> Any:
        """Start to create a repository for Docker."""
        url = f"/v1/{REPOSITORIES}?repositoryId={id_}"
        return self.client.post(url, json={"format": "DOCKER", **body})

    def done(self, answer: Any) -> Any:
        """Return the operation that an answer names, when it is done."""
        name = answer.raise_for_status().json()["name"]
        self._cloud.operations.wait(name, PATIENCE_SECONDS)
        return self.client.get(f"/v1/{name}").json()

    def patch(self, mask: str, **body: Any) -> Any:
        """Change the fields that a mask names."""
        return self.client.patch(f"/v1/{NAME}?updateMask={mask}", json=body)

    def get(self, name: str = NAME, **query: str) -> Any:
        """Read a resource."""
        return self.client.get(f"/v1/{name}", params=query)


@pytest.fixture
def registry(cloud: Cloud, client: TestClient) -> Registry:
    cloud.service_usage.services.enable("local-project", ["artifactregistry.googleapis.com"])
    return Registry(cloud, client)


def reason(answer: Any) -> str:
    assert answer.status_code == 400, answer.text
    return str(answer.json()["error"]["message"])


def test_an_operation_ends_with_the_repository(registry: Registry) -> None:
    answer = registry.create(labels={"team": "imaging"}, description="for adapters")
    assert set(answer.json()) == {"name"}
    operation = registry.done(answer)
    package = "type.googleapis.com/google.devtools.artifactregistry.v1"
    assert operation["metadata"] == {"@type": f"{package}.OperationMetadata"}
    response = operation["response"]
    assert response.pop("@type") == f"{package}.Repository"
    found = registry.get().json()
    assert found.pop("registryUri") == "us-central1-docker.pkg.dev/local-project/images"
    assert found == response
    assert found["name"] == NAME
    assert found["mode"] == "STANDARD_REPOSITORY"
    assert found["createTime"] == found["updateTime"]
    assert found["vulnerabilityScanningConfig"]["enablementState"] == "SCANNING_DISABLED"


def test_a_name_is_taken_once(registry: Registry) -> None:
    registry.done(registry.create())
    again = registry.create()
    assert again.status_code == 409
    assert again.json()["error"]["message"] == "the repository already exists"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"format": None}, "format is required"),
        ({"format": "TAR"}, "one of DOCKER"),
        ({"labels": {"A": "x"}}, "invalid label key"),
        ({"mode": "REMOTE_REPOSITORY"}, "remoteRepositoryConfig is for"),
        ({"virtualRepositoryConfig": {}}, "virtualRepositoryConfig is for"),
        ({"mavenConfig": {"allowSnapshotOverwrites": True}}, "of the format MAVEN"),
        ({"colour": "red"}, "Unknown name"),
    ],
)
def test_settings_that_are_refused(registry: Registry, body: Any, message: str) -> None:
    assert message in reason(registry.create(**body))
    assert registry.get().status_code == 404


@pytest.mark.parametrize("id_", ["", "Images", "a-", "1a", "a" * 64])
def test_ids_that_are_refused(registry: Registry, id_: str) -> None:
    assert "lowercase letters" in reason(registry.create(id_))


def test_a_location_that_is_none(registry: Registry) -> None:
    answer = registry.get("projects/local-project/locations/US_1/repositories")
    assert "'US_1' is not a valid location" in reason(answer)


def test_a_patch_changes_what_the_mask_names(registry: Registry) -> None:
    registry.done(registry.create(labels={"a": "1"}, description="old"))
    before = registry.get().json()
    changed = registry.patch("description", description="new", labels={}).json()
    assert (changed["description"], changed["labels"]) == ("new", {"a": "1"})
    assert changed["updateTime"] > before["updateTime"]
    assert registry.get().json() == changed
    registry.patch("", labels={"b": "2"}).raise_for_status()
    assert (registry.get().json()["labels"], changed["description"]) == ({"b": "2"}, "new")


@pytest.mark.parametrize(
    ("mask", "body", "message"),
    [
        ("format", {"format": "PYTHON"}, "format can't be changed"),
        ("kmsKeyName", {"kmsKeyName": "k"}, "kmsKeyName can't be changed"),
        ("name", {}, "name can't be changed"),
        ("labels", {"labels": {"A": "x"}}, "invalid label"),
    ],
)
def test_patches_that_are_refused(registry: Registry, mask: str, body: Any, message: str) -> None:
    registry.done(registry.create())
    before = registry.get().json()
    assert message in reason(registry.patch(mask, **body))
    assert registry.get().json() == before
    registry.patch("format,description", format="DOCKER", description="x").raise_for_status()


def test_lists_of_a_location(registry: Registry) -> None:
    for id_ in ("one", "other", "images"):
        registry.done(registry.create(id_))

    def ids(**query: str) -> list[str]:
        page = registry.get(REPOSITORIES, **query).json()
        return [one["registryUri"].rpartition("/")[2] for one in page.get("repositories", [])]

    assert ids() == ["images", "one", "other"]
    assert ids(filter=f'name="{REPOSITORIES}/o*"') == ["one", "other"]
    assert ids(filter=f'name="{REPOSITORIES}/x*"') == []
    assert "by name only" in reason(registry.get(REPOSITORIES, orderBy="createTime"))
    elsewhere = "projects/local-project/locations/europe-west4/repositories"
    assert registry.get(elsewhere).json() == {}


def test_a_repository_has_no_images(registry: Registry) -> None:
    assert registry.get(f"{NAME}/dockerImages").status_code == 404
    registry.done(registry.create())
    assert registry.get(f"{NAME}/dockerImages").json() == {}
    packages = registry.get(f"{NAME}/packages")
    assert packages.status_code == 501
    assert "repositories.packages.list is not served" in packages.json()["error"]["message"]


def test_a_policy_goes_with_its_repository(registry: Registry, cloud: Cloud) -> None:
    registry.done(registry.create())
    binding = {"role": "roles/artifactregistry.reader", "members": ["user:a@example.com"]}
    policy = {"policy": {"bindings": [binding]}}
    registry.client.post(f"/v1/{NAME}:setIamPolicy", json=policy).raise_for_status()
    assert registry.get(f"{NAME}:getIamPolicy").json()["bindings"] == [binding]
    deleted = registry.done(registry.client.delete(f"/v1/{NAME}"))
    assert deleted["response"] == {"@type": "type.googleapis.com/google.protobuf.Empty"}
    assert registry.get().status_code == 404
    assert not cloud.iam.policies.is_set(NAME)
    assert registry.client.delete(f"/v1/{NAME}").status_code == 404


def test_repositories_and_operations_survive_a_restart(
    registry: Registry, open_cloud: Callable[..., Cloud]
) -> None:
    operation = registry.done(registry.create())["name"]
    again = open_cloud()
    assert again.artifact_registry.repositories.get(NAME)["format"] == "DOCKER"
    assert again.operations.get(operation)["done"] is True
