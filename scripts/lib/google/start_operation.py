"""A request that begins an operation, and the search for what it began if its answer is lost.

An operation does not tell what was asked for, only by which method and when. So the operations of
the dataset are listed before the request is sent; one of the method that is new afterwards is ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scripts.common import retrying
from scripts.common.errors import ScriptError, translated
from scripts.common.operations import Operation

LOOK_SECONDS = 10.0
"""How long a list is asked for: without it all goes on, but for what is lost."""
_PAGE = 1000

Say = Callable[[str], None]


@dataclass(frozen=True)
class Begun:
    """An operation that was begun.

    Attributes:
        name: its full name.
        doubtful: an answer was lost on the way, so that another one may have been begun as well.
    """

    name: str
    doubtful: bool = False


class Beginning:
    """One operation to begin on a DICOM store.

    Args:
        client: of the Healthcare API.
        store: the store's full name.
        method: the word that the method's name has in it, such as `Import`.
        send: sends the request.
        say: told of what was lost and found.
        repeatable: the request may be sent again though the first one may have been heeded.
    """

    def __init__(
        self,
        client: Any,
        store: str,
        method: str,
        send: Callable[[], Any],
        *,
        say: Say = lambda _: None,
        repeatable: bool = True,
    ) -> None:
        self._client, self._method, self._send = client, method, send
        self._say, self._repeatable = say, repeatable
        self._dataset = store.rpartition("/dicomStores/")[0]
        self._before: frozenset[str] | ScriptError = frozenset()
        self._doubtful = False

    def begin(self) -> Begun:
        """Send the request, and see to it that it is not heeded twice.

        Raises:
            Exception: the service refuses, or its answer was lost and what it began can't be told.
        """
        self._before = self._listed()
        try:
            return retrying.call(
                self._attempt, repeatable=self._repeatable, on_error=self._note_doubt
            )
        except Exception as error:
            self._note_doubt(error)
            if retrying.is_doubtful(error) and (name := self._found()):
                return Begun(name, doubtful=True)
            raise

    def _attempt(self) -> Begun:
        if self._doubtful and (name := self._found()):
            return Begun(name, doubtful=True)
        return Begun(str(self._send()["name"]), self._doubtful)

    def _note_doubt(self, error: Exception) -> None:
        self._doubtful |= retrying.is_doubtful(error)

    def _found(self) -> str:
        """The one operation that is new; empty if there is none, several, or nobody can tell."""
        before, now = self._before, self._listed()
        unknown = next((one for one in (before, now) if isinstance(one, ScriptError)), None)
        if isinstance(before, ScriptError) or isinstance(now, ScriptError):
            self._say(f"The answer was lost, and what it told of can't be looked for: {unknown}")
            return ""
        new = sorted(now - before)
        if len(new) > 1:
            self._say(f"The answer was lost, and several were begun: {', '.join(new)}.")
        if len(new) != 1:
            return ""
        self._say(f"The answer was lost; following what was begun: {new[0]}")
        return new[0]

    def _listed(self) -> frozenset[str] | ScriptError:
        """The names of the dataset's operations of the method, or why they can't be listed."""
        collection = self._client.projects().locations().datasets().operations()
        request = collection.list(name=self._dataset, pageSize=_PAGE)
        names: set[str] = set()
        try:
            while request is not None:
                with translated(f"listing the operations of {self._dataset}"):
                    answer = retrying.call(request.execute, deadline=LOOK_SECONDS)
                found = map(Operation.from_json, answer.get("operations", []))
                names.update(one.name for one in found if self._is_ours(one.method))
                request = collection.list_next(request, answer)
        except ScriptError as error:
            return error
        return frozenset(names)

    def _is_ours(self, method: str) -> bool:
        """Whether it is of the method, and of DICOM: `google...v1.dicom.DicomService.X`."""
        return ".dicom." in method and self._method in method.rpartition(".")[2]
