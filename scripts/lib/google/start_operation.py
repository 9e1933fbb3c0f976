"""Start of an operation, and the search for it if the response is lost.

An operation does not hold its request, only its method and time. So the operations of the dataset
are listed before the request is sent: a new one of the method afterwards is the one it started.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scripts.lib.errors import ScriptError
from scripts.lib.google import clients, retry
from scripts.lib.google.errors import translate_errors
from scripts.lib.google.operations import Operation, OperationFailedError

LOOK_SECONDS = 10.0
"""Deadline of the list, in seconds; only a lost response needs it."""
_PAGE = 1000
_PACKAGES = {"dicomStores": "dicom", "fhirStores": "fhir", "hl7V2Stores": "hl7v2"}
"""Collection of stores -> the part of the names of its methods."""
_ROWS_IN_THE_WAY = ("ALREADY_EXISTS", "FAILED_PRECONDITION")
"""Status of an export to a table that has rows."""

Report = Callable[[str], None]


@dataclass(frozen=True)
class StartedOperation:
    """An operation that was started.

    Attributes:
        name: its full name
        is_ambiguous: a response was lost, so another one may have been started as well
    """

    name: str
    is_ambiguous: bool = False

    def explain_rows(self, error: OperationFailedError) -> None:
        """Add to the error of a table with rows that an earlier attempt may have written them."""
        if self.is_ambiguous and error.details["status"] in _ROWS_IN_THE_WAY:
            error.hint = (
                "The response to an earlier attempt of this command was lost, so these may be its"
                f" own rows: if they are complete, nothing is wrong. Otherwise: {error.hint}"
            )


class OperationStart:
    """One operation to start on a store.

    Args:
        client: of the Healthcare API
        store: the store's full name
        method: a word of the method's name, such as `Import`
        send: sends the request
        report: called if the response was lost
        repeatable: the request may be sent again though the first one may have been executed
    """

    def __init__(
        self,
        client: Any,
        store: str,
        method: str,
        send: Callable[[], Any],
        *,
        report: Report = lambda _: None,
        repeatable: bool = True,
    ) -> None:
        self._client, self._method, self._send = client, method, send
        self._report, self._repeatable = report, repeatable
        self._store = store
        self._dataset, collection, _ = store.rsplit("/", 2)
        self._package = _PACKAGES[collection]
        self._before: frozenset[str] | ScriptError = frozenset()
        self._doubtful = False

    def begin(self) -> StartedOperation:
        """Send the request, and make sure that it is not executed twice.

        Raises:
            Exception: the service refuses, or its response was lost and the operation is not found
        """
        self._before = self._listed()
        try:
            return retry.call(self._attempt, repeatable=self._repeatable, on_error=self._note_doubt)
        except Exception as error:
            self._note_doubt(error)
            if retry.is_doubtful(error) and (name := self._found()):
                return StartedOperation(name, is_ambiguous=True)
            raise

    def begin_as(self, doing: str) -> StartedOperation:
        """Send the request as `begin` does; its errors name the action and say where to look.

        Args:
            doing: the action, as a gerund

        Raises:
            ScriptError: the service refuses, or its response was lost
        """
        try:
            with translate_errors(doing):
                return self.begin()
        except ScriptError as error:
            if not self._repeatable and retry.is_doubtful(error.__cause__):
                error.hint = _look_first(self._store)
            raise

    def _attempt(self) -> StartedOperation:
        if self._doubtful and (name := self._found()):
            return StartedOperation(name, is_ambiguous=True)
        return StartedOperation(str(self._send()["name"]), self._doubtful)

    def _note_doubt(self, error: Exception) -> None:
        self._doubtful |= retry.is_doubtful(error)

    def _found(self) -> str:
        """Return the one operation that is new; empty if there is none, or more than one."""
        before, now = self._before, self._listed()
        unknown = next((one for one in (before, now) if isinstance(one, ScriptError)), None)
        if isinstance(before, ScriptError) or isinstance(now, ScriptError):
            self._report(f"The response was lost, and its operation can't be looked up: {unknown}")
            return ""
        new = sorted(now - before)
        if len(new) > 1:
            self._report(
                f"The response was lost, and several operations were started: {', '.join(new)}."
            )
        if len(new) != 1:
            return ""
        self._report(f"The response was lost; following the operation that was started: {new[0]}")
        return new[0]

    def _listed(self) -> frozenset[str] | ScriptError:
        """Return the dataset's operations of the method, or the error of the list."""
        collection = clients.operations_of(self._client)
        request = collection.list(name=self._dataset, pageSize=_PAGE)
        names: set[str] = set()
        try:
            while request is not None:
                with translate_errors(f"listing the operations of {self._dataset}"):
                    answer = retry.call(request.execute, deadline=LOOK_SECONDS)
                found = map(Operation.from_json, answer.get("operations", []))
                names.update(one.name for one in found if self._is_ours(one.method))
                request = collection.list_next(request, answer)
        except ScriptError as error:
            return error
        return frozenset(names)

    def _is_ours(self, method: str) -> bool:
        """Whether it is of the method and the type of store: `google...v1.dicom.DicomService.X`."""
        return f".{self._package}." in method and self._method in method.rpartition(".")[2]


def _look_first(store: str) -> str:
    _, project, _, location, _, dataset, *_ = store.split("/")
    listing = ["--project", project, "--location", location, "--dataset", dataset]
    return (
        "The export may have been started nevertheless, and a second one would add every row again."
        f" See `gcloud healthcare operations list {' '.join(listing)}`: follow one that runs with"
        " --resume; if there is none, run the same command again."
    )
