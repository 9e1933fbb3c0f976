"""`applyAdminConsents`: the policies of administrators come into force.

Documented (`ApplyAdminConsentsRequest`, `ApplyAdminConsentsErrorDetail` and the guide): the list
replaces the one before; one consent that can't be enforced fails the call; a cascading policy needs
the integrity of references. Inferred (conformance: fhir-consent-admin): the texts, and that two
calls at a time are not refused but run one after the other.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from emulator.core.errors import RPC_CODES, ApiError, invalid_argument, not_found
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.fhir import instants
from emulator.services.healthcare.fhir.consents import models, parsing
from emulator.services.healthcare.fhir.consents.application import (
    TYPE,
    counts,
    pages,
    require_config,
)
from emulator.services.healthcare.fhir.consents.directives import Directive
from emulator.services.healthcare.fhir.consents.evaluation import matches_of
from emulator.services.healthcare.fhir.consents.models import AppliedConsent, Status
from emulator.services.healthcare.fhir.consents.settings import ADMIN_CONSENTS, FIELD
from emulator.services.healthcare.fhir.resources.models import StoreGoneError
from emulator.services.healthcare.fhir.resources.version import Version
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.fhir.store_settings import StoreSettings
from emulator.services.healthcare.operation_types import operation_type

METHOD = "fhir.FhirStoreService.ApplyAdminConsents"
MAX_POLICIES = 200
_DETAIL = "type.googleapis.com/google.cloud.healthcare.{}.fhir.ApplyAdminConsentsErrorDetail"


class _PolicyError(Exception):
    """A consent that is none of the store's policies, or can't be enforced."""


def begin(fhir: Fhir, store: str, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request with all its consents, and start the operation.

    Raises:
        ApiError: 400, with an error for each consent that can't be applied
    """
    settings = require_config(fhir, store)
    names: list[str] = list(dict.fromkeys(body.get("newConsentsList", {}).get("names", [])))
    if len(names) > MAX_POLICIES:
        raise invalid_argument(
            f"new_consents_list.names has {len(names)} values; at most {MAX_POLICIES}"
        )
    found: set[str] = set()
    errors: list[dict[str, Any]] = []
    for name in names:
        try:
            policy = _policy(fhir, settings, name)
            if policy.id in found:
                raise _PolicyError(f"another name in the list is of Consent/{policy.id} too")
            found.add(policy.id)
        except (_PolicyError, parsing.UnsupportedConsentError) as error:
            status = {"code": RPC_CODES["INVALID_ARGUMENT"], "message": str(error)}
            errors.append({"name": name, "error": status})
    if errors:
        raise ApiError(
            400,
            "INVALID_ARGUMENT",
            f"{len(errors)} consents can't be applied: {errors[0]['error']['message']}",
            [{"@type": _DETAIL.format(version), "consentErrors": errors}],
        )
    request = {"store": store, "only_validates": bool(body.get("validateOnly")), "names": names}
    parent = str(ResourceName.parse(store).parent)
    return fhir.operations.start(parent, METHOD, request, version=version)


def register(fhir: Fhir) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        return _apply(fhir, operation)

    fhir.operations.register(operation_type(METHOD, run))


def complete(fhir: Fhir, store: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a store with the names of the policies in force, which only this method changes."""
    config = store.get(FIELD)
    if not config:
        return store
    keeps_versions = not store.get("disableResourceVersioning")
    names = [
        f"{store['name']}/fhir/{TYPE}/{each.id}"
        + (f"/_history/{instants.version_id(each.version)}" if keeps_versions else "")
        for each in fhir.consents.policies(store["name"])
    ]
    kept = {key: value for key, value in config.items() if key != ADMIN_CONSENTS}
    return {**store, FIELD: {**kept, **({ADMIN_CONSENTS: names} if names else {})}}


def _apply(fhir: Fhir, operation: OperationRun) -> dict[str, str]:
    store, names = operation.request["store"], operation.request["names"]
    settings = StoreSettings.of(fhir.store(store))
    try:
        policies = [_policy(fhir, settings, name) for name in names]
    except (_PolicyError, parsing.UnsupportedConsentError) as error:
        raise invalid_argument(str(error)) from error  # changed since the call
    affected = 0
    if not operation.request["only_validates"]:
        before = fhir.consents.policies(store)
        now = instants.next_version()
        applied = [
            AppliedConsent(each.id, "", each.version, Status.ENFORCEABLE, now, each.body)
            for each in policies
        ]
        try:
            with fhir.resources.writing(store) as connection:
                models.replace(connection, store, "", applied)
        except StoreGoneError as error:
            raise not_found(str(error)) from error
        affected = _count_affected(fhir, store, [*before, *applied])
    operation.progress(success=len(policies), failure=0, pending=0, secondary=affected)
    return counts(consentApplySuccess=len(policies), affectedResources=affected)


def _policy(fhir: Fhir, settings: StoreSettings, name: str) -> Version:
    """Return the version of a policy that a name of the request is of, and check it.

    Raises:
        _PolicyError: the name is none of an active policy of the store
        UnsupportedConsentError: the policy can't be enforced
    """
    id_, history, version_id = name.removeprefix(f"{settings.name}/fhir/{TYPE}/").partition(
        "/_history/"
    )
    if not name.startswith(f"{settings.name}/fhir/{TYPE}/") or "/" in id_ or not id_:
        raise _PolicyError(f"{name} is not the name of a Consent of {settings.name}")
    if bool(history) != settings.keeps_versions:
        wanted = "with" if settings.keeps_versions else "without"
        raise _PolicyError(f"{name} must be a name {wanted} a version: /_history/VERSION_ID")
    if history:
        number = instants.parse_version_id(version_id)
        found = number and fhir.resources.find_version(settings.name, TYPE, id_, number)
    else:
        found = fhir.resources.find(settings.name, TYPE, id_)
    if not found or found.is_deletion:
        raise _PolicyError(f"{name} does not exist")
    consent = found.resource()
    if not parsing.is_admin_policy(consent):
        raise _PolicyError(
            f"{name} is not a policy of administrators: it needs the extension "
            f"{parsing.ADMIN_POLICY}, and no patient"
        )
    if not parsing.is_active(consent):
        raise _PolicyError(f"{name} is not active")
    if parsing.is_cascading(consent) and not settings.checks_references:
        raise _PolicyError(
            f"{name} is a cascading policy, and the store's disable_referential_integrity is true"
        )
    parsing.parse(consent, settings.name)
    return found


def _count_affected(fhir: Fhir, store: str, consents: Sequence[AppliedConsent]) -> int:
    """Return the number of resources that policies are about, with the consents themselves."""
    directives: dict[Directive, None] = {}
    for consent in consents:
        directives |= dict.fromkeys(models.directives_of(store, consent.body))
    own = {consent.id for consent in consents}

    def read(type_: str, id_: str) -> Mapping[str, Any] | None:
        found = fhir.resources.find(store, type_, id_)
        return found.resource() if found else None

    return sum(
        1
        for version in pages(fhir, store)
        if (version.type == TYPE and version.id in own)
        or any(matches_of(version.resource(), [*directives], read))
    )
