"""Datasets and stores as their handlers see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.core.operations.runner import Operations
from emulator.services.healthcare.service_agent import ServiceAgent
from emulator.services.healthcare.stores.cmek import KeyAccess
from emulator.services.healthcare.stores.models import Resources
from emulator.services.iam.service import Iam
from emulator.services.pubsub.topics import Topics
from emulator.services.serviceusage.service import ProjectAccess


@dataclass(frozen=True)
class Stores:
    """The resources of the Healthcare API, and what they refer to.

    Attributes:
        iam: the policies of datasets and stores
        projects: the projects that have enabled the API
        resources: datasets and stores
        operations: the long-running operations of datasets
        agent: the service agent, which streams and keys need
        keys: access to the keys of datasets
        topics: the topics of notifications
    """

    iam: Iam
    projects: ProjectAccess
    resources: Resources
    operations: Operations
    agent: ServiceAgent
    keys: KeyAccess
    topics: Topics

    def location_name(self, path: Mapping[str, str]) -> str:
        """Return the full name of the location in a path.

        Raises:
            ApiError: 403 if the project has not enabled the API.
        """
        return f"projects/{self.projects.resolve(path['project'])}/locations/{path['location']}"

    def dataset_name(self, path: Mapping[str, str]) -> str:
        """Return the full name of the dataset in a path; raises as `location_name`."""
        return f"{self.location_name(path)}/datasets/{path['dataset']}"

    def store_name(self, collection: str, path: Mapping[str, str]) -> str:
        """Return the full name of the store in a path; raises as `location_name`.

        Args:
            collection: such as `dicomStores`
            path: the variables of the route
        """
        return f"{self.dataset_name(path)}/{collection}/{path['store']}"

    def require_store(self, collection: str, path: Mapping[str, str]) -> str:
        """Return the full name of the store in a path; arguments and errors as of `require`."""
        return str(self.require(collection, path)["name"])

    def require(self, collection: str, path: Mapping[str, str]) -> dict[str, Any]:
        """Return the store in a path as a resource; its data is to be read or written.

        Args:
            collection: such as `dicomStores`
            path: the variables of the route

        Raises:
            ApiError: 404 for a store that does not exist, 400 or 403 if its dataset's key can't be
                used.
        """
        store = self.resources.get(self.store_name(collection, path))
        self.keys.require(store["name"].rpartition(f"/{collection}/")[0])
        return store
