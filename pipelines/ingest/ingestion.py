"""The way of one file into the store, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from pipelines.common.objects import File, ReadError
from pipelines.common.retry import Caller
from pipelines.ingest.cleaning import Cleaned, Rejected, clean, read
from pipelines.ingest.rules import Rules
from workloads.common.dicomweb import StoreError

STORED, PRESENT = "stored", "present"
REJECTED, CONFLICT, FAILED = "rejected", "conflict", "failed"
RESULTS = (STORED, PRESENT, REJECTED, CONFLICT, FAILED)
DEAD_LETTERS = frozenset({REJECTED, CONFLICT, FAILED})
"""Results of files that are not in the store."""


class Web(Protocol):
    """The calls of a store that an ingest makes."""

    def store(self, content: bytes) -> None:
        """Store an instance."""

    def retrieve(self, path: str, transfer_syntax: str) -> bytes:
        """Fetch the file of an instance."""


@dataclass(frozen=True)
class Outcome:
    """The result of a file.

    Attributes:
        source: `gs://BUCKET/NAME#GENERATION`
        result: one of `RESULTS`
        path: `studies/UID/series/UID/instances/UID`; empty if it could not be read
        reason: of a dead letter, without data of a patient
        fixes: names of the rules that changed it
    """

    source: str
    result: str
    path: str = ""
    reason: str = ""
    fixes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as the ledger has it."""
        fields = {"path": self.path, "reason": self.reason, "fixes": [*self.fixes]}
        given = {name: value for name, value in fields.items() if value}
        return {"source": self.source, "result": self.result, **given}


class Ingestion:
    """Brings files into a store, each once.

    Args:
        fetch: returns the content of a file; raises ReadError
        web: the store
        caller: throttles and retries the calls of the store
        rules: fix or reject files
    """

    def __init__(
        self, fetch: Callable[[File], bytes], web: Web, caller: Caller, rules: Rules
    ) -> None:
        self._fetch, self._web, self._caller, self._rules = fetch, web, caller, rules

    def run(self, file: File) -> Outcome:
        """Store a file, unless it is there, or is a dead letter."""
        if file.size > self._rules.max_bytes:
            reason = f"the file has {file.size} bytes, more than {self._rules.max_bytes}"
            return Outcome(file.key, REJECTED, reason=reason)
        try:
            cleaned = clean(self._fetch(file), self._rules)
        except Rejected as verdict:
            return Outcome(file.key, REJECTED, reason=str(verdict))
        except ReadError as error:
            return Outcome(file.key, FAILED, reason=str(error))
        try:
            result, reason = self._store(cleaned)
        except StoreError as error:
            result, reason = (FAILED if error.is_transient else REJECTED), error.reason
        return Outcome(file.key, result, cleaned.path, reason, cleaned.fixes)

    def _store(self, cleaned: Cleaned) -> tuple[str, str]:
        """Return the result, and the reason of a conflict."""
        try:
            self._caller.call(lambda: self._web.store(cleaned.content))
        except StoreError as error:
            if not error.is_duplicate:
                raise
        else:
            return STORED, ""
        # A request whose answer was lost, or an earlier run, may have stored the same.
        present = self._caller.call(lambda: self._web.retrieve(cleaned.path, "*"))
        if is_same(present, cleaned.content):
            return PRESENT, ""
        return CONFLICT, "the store has another instance of this SOP Instance UID"


def is_same(first: bytes, second: bytes) -> bool:
    """Whether two files hold the same data set in the same transfer syntax."""
    if first == second:
        return True
    try:
        one, other = read(first), read(second)
    except Rejected:
        return False
    syntaxes = {each.file_meta.TransferSyntaxUID for each in (one, other)}
    return len(syntaxes) == 1 and one == other
