"""Checks of access determinations."""

from conformance.check import Check, Lab
from conformance.checks.audit import entries
from conformance.checks.consents.calls import (
    consent,
    define,
    mapping,
    name_of,
    policy,
    post,
    store,
)
from conformance.cloud_project import Json


def _check(lab: Lab, name: str, data_id: str, **more: Json) -> Json:
    fields = {"requestAttributes": {"purpose": "a"}, "responseView": "FULL", **more}
    return post(lab, ":checkDataAccess", to=name, dataId=data_id, **fields)


def _refused(lab: Lab) -> Json:
    name = store(lab, "consents-asked")
    mapping(lab, "asked", "a", to=name)
    values: tuple[Json, ...] = ({"none": "a"}, {"kind": "a"}, {"purpose": "c"}, {})
    return [
        _check(lab, name, ""),
        _check(lab, name, "absent"),
        *(_check(lab, name, "asked", requestAttributes=each) for each in values),
        *(
            post(lab, ":evaluateUserConsents", to=name, userId=user, requestAttributes=given)
            for user, given in (("", {"purpose": "a"}), ("user", {}))
        ),
    ]


def _listed(lab: Lab) -> Json:
    name = store(lab, "consents-chosen")
    mapping(lab, "chosen", "a", to=name)
    draft = name_of(consent(lab, to=name, state="DRAFT"))
    others = name_of(consent(lab, to=name, userId="other"))
    lists: tuple[Json, ...] = (
        [draft],
        [others],
        [draft, others],
        [],
        [f"{name}/consents/none"],
        ["none"],
    )
    answers = [_check(lab, name, "chosen", consentList={"consents": each}) for each in lists]
    for answer in answers:
        if details := answer["body"].get("consentDetails"):
            # By names that differ from run to run: their order says nothing.
            answer["body"]["consentDetails"] = sorted(details.values(), key=str)
    return answers


def _missing_attribute(lab: Lab) -> Json:
    name = store(lab, "consents-missing")
    define(lab, "role", "REQUEST", to=name)
    mapping(lab, "missing", to=name)
    rules = ("role != 'b'", "role == 'a' || purpose == 'a'", "role == 'a'")
    for rule in rules:
        consent(lab, to=name, policies=[policy(rule)])
    return sorted(
        each["evaluationResult"]
        for each in _check(lab, name, "missing")["body"].get("consentDetails", {}).values()
    )


def _defaults(lab: Lab) -> Json:
    """Return the determinations of a store whose attributes have default values in consents."""
    name = store(lab, "consents-defaults")
    define(lab, "site", "RESOURCE", to=name, consentDefaultValues=["a"])
    define(lab, "role", "REQUEST", to=name, consentDefaultValues=["a"])
    consent(lab, to=name)
    mapping(lab, "default", to=name)
    site = [{"attributeDefinitionId": "site", "values": ["a"]}]
    post(lab, "userDataMappings", to=name, userId="u", dataId="none")
    given = {"userId": "conformance-user", "dataId": "sited", "resourceAttributes": site}
    post(lab, "userDataMappings", to=name, **given)
    uses = ({"purpose": "a"}, {"purpose": "a", "role": "a"}, {"purpose": "a", "role": "b"})
    return [
        _check(lab, name, data_id, requestAttributes=use)
        for data_id in ("default", "sited")
        for use in uses
    ]


def _query(lab: Lab) -> Json:
    name = store(lab, "consents-queried")
    define(lab, "role", "REQUEST", to=name)
    consent(lab, to=name, policies=[policy(), policy("role == 'a'")])
    for data_id in ("second", "first"):
        mapping(lab, data_id, to=name)
    destination = {"uriPrefix": f"gs://{lab.names.bucket}/consents"}
    given = {"requestAttributes": {"purpose": "a"}, "gcsDestination": destination}
    return [
        lab.finish(post(lab, ":queryAccessibleData", to=name, **given)),
        post(lab, ":queryAccessibleData", to=name, requestAttributes={"purpose": "a"}),
    ]


def _audited(lab: Lab) -> Json:
    read = f"{store(lab)}/attributeDefinitions/kind"
    lab.healthcare("GET", read)
    return entries(lab, "data_access", read, "GetAttributeDefinition")


CHECKS = (
    Check("consent-evaluation-text", "determinations that are refused: texts", _refused),
    Check("consent-list-text", "determinations by listed consents", _listed),
    Check(
        "consent-rule-missing-attribute",
        "rules about a value that a request lacks",
        _missing_attribute,
    ),
    Check("consent-default-values", "attributes with default values in consents", _defaults),
    Check("consent-query", "a query of accessible data, and its operation", _query),
    Check("consent-audit", "the entry about a read of a consent store: method", _audited),
)
