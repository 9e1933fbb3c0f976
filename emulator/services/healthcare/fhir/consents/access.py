"""Access of a request to the resources of a store by its consents, and its entry in audit logs.

Documented (the guides): the modes, that a denied resource can't be told from one that does not
exist, and that searches leave it out. Inferred (conformance: fhir-consent-read): the members of
audit logs beside `consentMode`; a version is judged by its own content; Binary and `$references`
are judged like other reads; writes are not.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from sqlite3 import Connection
from typing import Any

from emulator.services.healthcare.fhir import instants, json_text
from emulator.services.healthcare.fhir.consents import evaluation, scopes
from emulator.services.healthcare.fhir.consents.directives import Directive
from emulator.services.healthcare.fhir.consents.evaluation import Determination, Match, Outcome
from emulator.services.healthcare.fhir.consents.models import ConsentStore
from emulator.services.healthcare.fhir.consents.parsing import local_name
from emulator.services.healthcare.fhir.consents.refusals import denied
from emulator.services.healthcare.fhir.consents.scopes import ConsentScope
from emulator.services.healthcare.fhir.consents.settings import DISABLED, VERBOSE, VERSION
from emulator.services.healthcare.fhir.resources.models import ResourceStore
from emulator.services.healthcare.fhir.resources.version import Version
from emulator.services.healthcare.fhir.search.value_tests import Sql
from emulator.services.healthcare.fhir.store_settings import StoreSettings

OFF, EMPTY_SCOPE, ENFORCED = "off", "emptyScope", "enforced"
_FUNCTION = "consents_permit"


class Access:
    """The access of one request.

    Args:
        resources: of all stores
        consents: as they were applied
        settings: of the store
        header: `X-Consent-Scope`; empty without one
        audit: gets what the audit log says beside the call

    Raises:
        OutcomeError: 403, the scope is not valid, or the store requires one
    """

    def __init__(
        self,
        resources: ResourceStore,
        consents: ConsentStore,
        settings: StoreSettings,
        header: str,
        audit: dict[str, Any],
    ) -> None:
        self._resources, self._consents, self._settings = resources, consents, settings
        self._audit = audit
        self._directives: dict[str, Sequence[Directive]] = {}
        self._by_number: dict[int, bool] = {}
        self._header = header.strip()
        self.scope = self._parse()

    def _parse(self) -> ConsentScope | None:
        """Return the scope to enforce; None if every resource may be read."""
        config = self._settings.consents
        if not config.is_enforced:
            self._log(OFF)
            return None
        if not self._header:
            self._log(EMPTY_SCOPE)
            if config.requires_scope:
                self._log(EMPTY_SCOPE, Outcome.DENY, "the consent scope is missing")
                raise denied("the store requires the header X-Consent-Scope on reads")
            return None
        self._log(ENFORCED, Outcome.DENY, "the consent scope is not valid")
        scope = scopes.parse(self._header)
        if scope.special:
            self._log(scope.special, Outcome.PERMIT, f"consents are not checked: {scope.special}")
            return None
        self._log(ENFORCED, Outcome.PERMIT, "resources without consent are left out")
        actors = tuple(local_name(actor, self._settings.name) for actor in scope.actors)
        return ConsentScope(actors, scope.purpose, scope.environment, "", scope.text)

    def check(self, version: Version) -> None:
        """Refuse a version of a resource that may not be read.

        Raises:
            OutcomeError: 403
        """
        if self.scope is None:
            return
        if version.is_deletion:
            self.check_missing(version.type, version.id)
            return
        self._require(self._determine(version.resource()))

    def check_missing(self, type_: str, id_: str) -> None:
        """Refuse a resource that does not exist, if the request may not know that.

        Raises:
            OutcomeError: 403
        """
        if self.scope is not None:
            policies = self._of(set())
            self._require(evaluation.determine_missing(type_, id_, self.scope, policies))

    def permits(self, version: Version) -> bool:
        """Whether a version may be read with others; those that may not are left out."""
        if self.scope is None:
            return True
        if version.is_deletion:
            policies = self._of(set())
            found = evaluation.determine_missing(version.type, version.id, self.scope, policies)
        else:
            found = self._determine(version.resource())
        return found.outcome is Outcome.PERMIT

    @contextmanager
    def filtering(self, connection: Connection) -> Iterator[Sql | None]:
        """Yield a condition on rows of `fhir_resources` that may be read; None without one."""
        if self.scope is None:
            yield None
            return
        connection.create_function(_FUNCTION, 2, self._permits_row)
        try:
            yield Sql(f"{_FUNCTION}(number, body)")
        finally:
            connection.create_function(_FUNCTION, 2, None)

    def _permits_row(self, number: int, body: bytes) -> bool:
        if number not in self._by_number:
            found = self._determine(json_text.parse(body))
            self._by_number[number] = found.outcome is Outcome.PERMIT
        return self._by_number[number]

    def _determine(self, resource: Mapping[str, Any]) -> Determination:
        assert self.scope is not None
        return evaluation.determine(resource, self.scope, self._of, self._read)

    def _of(self, patients: set[str]) -> Sequence[Directive]:
        """Return the directives of administrators and of patients."""
        found: list[Directive] = []
        for owner in ("", *sorted(patients)):
            if owner not in self._directives:
                self._directives[owner] = self._consents.directives(self._settings.name, owner)
            found += self._directives[owner]
        return found

    def _read(self, type_: str, id_: str) -> Mapping[str, Any] | None:
        found = self._resources.find(self._settings.name, type_, id_)
        return found.resource() if found else None

    def _require(self, found: Determination) -> None:
        permits = found.outcome is Outcome.PERMIT
        number = len(found.matches)
        summary = f"{number} directive{'s' * (number != 1)} matched"
        self._log(ENFORCED, found.outcome, summary)
        if self._settings.consents.log_level == VERBOSE:
            self._audit["consents"] = [self._described(match) for match in found.matches]
        if not permits:
            raise denied()

    def _described(self, match: Match) -> dict[str, Any]:
        directive, store = match.directive, self._settings.name
        accessor = directive.accessor
        applied = self._consents.find(store, directive.consent)
        described: dict[str, Any] = {
            "name": f"{store}/fhir/Consent/{directive.consent}",
            "policyType": directive.policy.value,
            "consentScope": scope_text(accessor.actor, accessor.purpose, accessor.environment),
            "enforcementVersion": VERSION,
        }
        if directive.owner:
            described["resourceOwner"] = f"{store}/fhir/Patient/{directive.owner}"
        if applied is not None:
            described["enforcementTime"] = instants.last_updated(applied.applied)
            described["consentTime"] = instants.last_updated(applied.version)
        return described

    def _log(self, mode: str, outcome: Outcome | None = None, summary: str = "") -> None:
        config = self._settings.consents
        if not config.is_configured or config.log_level == DISABLED:
            return
        self._audit["consentMode"] = mode
        self._audit["logLevel"] = config.log_level
        if self._header:
            self._audit["requestHeaders"] = {"X-Consent-Scope": self._header}
        if outcome is not None:
            self._audit |= {"decision": outcome.value, "summary": summary}


def scope_text(actor: str, purpose: str, environment: str) -> str:
    """Return an accessor as a consent scope writes it."""
    parts = [f"actor/{actor}", f"purp/v3/{purpose}" if purpose else ""]
    return " ".join(filter(None, [*parts, f"env/{environment}" if environment else ""]))
