"""The state of the stores of one collection, and the handlers of methods that start operations."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from emulator.core.rest import Call
from emulator.services.healthcare.context import HealthcareContext
from emulator.services.healthcare.stores import schema


class StoreService:
    """The state of the stores of a collection, as their handlers and operations see it.

    Attributes:
        context: what the stores use of the rest
        settings: of the context
        operations: of the context
        agent: of the context
    """

    collection: ClassVar[str]
    """The collection of the stores, such as `fhirStores`."""

    def __init__(self, context: HealthcareContext) -> None:
        self.context = context
        self.settings = context.settings
        self.operations = context.operations
        self.agent = context.agent
        self._stores = context.stores.resources

    def store(self, name: str) -> dict[str, Any]:
        """Return a store as a resource; raises 404."""
        return self._stores.get(name)


ServiceT = TypeVar("ServiceT", bound=StoreService)
Json = dict[str, Any]


def store_of(call: Call[ServiceT]) -> str:
    """Return the full name of the store in a path.

    Raises:
        ApiError: 404 for a store that does not exist; 400 or 403 if its key can't be used
    """
    return call.service.context.stores.require_store(call.service.collection, call.path)


def starting(
    message: str, begin: Callable[[ServiceT, str, Json, str], Json]
) -> Callable[[Call[ServiceT]], Json]:
    """Return the handler of a method that starts an operation of a store.

    Args:
        message: of the request, in the discovery document
        begin: starts the operation of a service, a store, a body and a version of the API
    """

    def start(call: Call[ServiceT]) -> Json:
        schema.check(call.version, message, call.body)
        return begin(call.service, store_of(call), call.body, call.version)

    return start
