"""Checks of consent enforcement in FHIR stores."""

from typing import Any

from conformance.check import Check, Lab
from conformance.checks.fhir.calls import call, observation, patient, put, store
from conformance.cloud_project import Json

_HL7 = "http://terminology.hl7.org/CodeSystem"
_EXTENSIONS = "https://g.co/fhir/medicalrecords"
_DOCTOR = "actor/Practitioner/doctor"
_STORE = "fhir-consents"
_SCOPES = (
    _DOCTOR,
    "purp/v3/TREAT",
    "btg",
    "btg bypass actor/Admin/1 env/App/1",
    "bypass actor/Admin/1",
    "actor/A/1 actor/A/2 actor/A/3 actor/A/4",
    f"{_DOCTOR} purp/v2/TREAT",
    f"{_DOCTOR} purp/v3/A-LONG-PURPOSE",
    f"{_DOCTOR} env/App/a-long-environment",
    f"{_DOCTOR} openid",
)


def _consent(id_: str, owner: str = "", status: str = "active", **provision: Any) -> dict[str, Any]:
    """Return a consent of a patient, or a policy of administrators without one."""
    role = {"coding": [{"system": f"{_HL7}/v3-RoleCode", "code": "GRANTEE"}]}
    actor = {"reference": {"reference": "Practitioner/doctor"}, "role": role}
    types = provision.pop("types", None)
    rule = {"type": "permit", "actor": [actor], "class": types, **provision}
    found: dict[str, Any] = {
        "resourceType": "Consent",
        "id": id_,
        "status": status,
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "policyRule": {"coding": [{"system": f"{_HL7}/v3-ActCode", "code": "OPTIN"}]},
        "scope": {},
        "patient": {"reference": owner} if owner else {},
        "provision": {key: value for key, value in rule.items() if value is not None},
    }
    if not owner:
        found["extension"] = [{"url": f"{_EXTENSIONS}/ConsentAdminPolicy"}]
    return found


def _types(*types: str) -> list[dict[str, str]]:
    return [{"system": "http://hl7.org/fhir/resource-types", "code": each} for each in types]


def _filled(lab: Lab) -> str:
    """Return a store with consents that are not applied."""

    def fill(lab: Lab) -> str:
        level = {"logLevel": "VERBOSE"}
        config = {"version": "V1", "accessEnforced": True, "accessDeterminationLogConfig": level}
        name = store(lab, _STORE, consentConfig=config)
        label = {"code": "seen", "system": "urn:example"}
        put(lab, {"resourceType": "Practitioner", "id": "doctor"}, to=name)
        put(lab, patient("one"), to=name)
        put(lab, observation("a", "Patient/one"), to=name)
        put(lab, {**observation("b", "Patient/one"), "meta": {"security": [label]}}, to=name)
        raw = {"resourceType": "Binary", "id": "raw", "contentType": "text/plain", "data": "YQ=="}
        put(lab, raw, to=name)
        put(lab, _consent("yes", "Patient/one", types=_types("Observation")), to=name)
        put(lab, _consent("old", "Patient/one", "inactive"), to=name)
        put(lab, _consent("odd", "Patient/one", period={"start": "2020"}), to=name)
        put(lab, _consent("untyped", "Patient/one", type=None), to=name)
        put(lab, _consent("policy", types=_types("Organization")), to=name)
        return name

    return str(lab.once(_STORE, fill))


def _applied(lab: Lab) -> Json:
    def run(lab: Lab) -> Json:
        return lab.finish(lab.healthcare("POST", f"{_filled(lab)}:applyConsents", json={}))

    return lab.once("fhir-consents-applied", run)


def _read(lab: Lab, path: str, scope: str = _DOCTOR, method: str = "GET", body: Any = None) -> Json:
    _applied(lab)
    return call(lab, method, path, body, to=_filled(lab), X_Consent_Scope=scope)


def _scopes(lab: Lab) -> Json:
    return [_read(lab, "Patient/one", scope) for scope in _SCOPES]


def _denied(lab: Lab) -> Json:
    return [_read(lab, path) for path in ("Observation/a", "Patient/one", "Patient")]


def _reads(lab: Lab) -> Json:
    put(lab, observation("a", "Patient/one"), to=_filled(lab))
    paths = ("Observation/a/_history", "Patient/one/_history", "Binary/raw", "Observation")
    written = _read(lab, "Observation/c", method="PUT", body=observation("c", "Patient/one"))
    return [*(_read(lab, path) for path in paths), written]


def _policies(lab: Lab) -> Json:
    def run(lab: Lab) -> Json:
        name = _filled(lab)
        versions = {}
        for id_ in ("policy", "yes", "odd"):
            answer = call(lab, "GET", f"Consent/{id_}", to=name)
            version = answer["body"]["meta"]["versionId"]
            versions[id_] = f"{name}/fhir/Consent/{id_}/_history/{version}"

        def apply(*names: str) -> Json:
            body = {"newConsentsList": {"names": [*names]}}
            return lab.healthcare("POST", f"{name}:applyAdminConsents", json=body)

        done = lab.finish(apply(versions["policy"]))
        unversioned = f"{name}/fhir/Consent/policy"
        return [done, apply(versions["yes"], versions["odd"]), apply(unversioned)]

    return lab.once("fhir-consents-policies", run)


def _missing(lab: Lab) -> Json:
    _policies(lab)
    return [_read(lab, path) for path in ("Observation/none", "Organization/none", "Location/none")]


def _status(lab: Lab) -> Json:
    _applied(lab)
    name, verb = _filled(lab), "$consent-enforcement-status"
    paths = ("Consent/yes", "Consent/odd", "Consent/untyped", "Patient/one")
    return [_without_versions(call(lab, "GET", f"{path}/{verb}", to=name)) for path in paths]


def _without_versions(answer: Json) -> Json:
    """Return an answer whose parameters name no version of a consent, which differ in each run."""
    body = answer["body"]
    for parameters in [body, *(entry["resource"] for entry in body.get("entry", []))]:
        for parameter in parameters.get("parameter", []):
            if parameter["name"] == "versionId":
                kept = [key for key in parameter if key != "name"]
                parameter.update(dict.fromkeys(kept, "{version id}"))
    return answer


def _explained(lab: Lab) -> Json:
    _applied(lab)
    names = ("Observation/a", "Observation/none", "text")
    url = f"{_filled(lab)}:explainDataAccess"
    return [lab.healthcare("GET", url, params={"resourceId": name}) for name in names]


def _config(lab: Lab) -> Json:
    bodies: tuple[dict[str, Any], ...] = (
        {"version": "R4", "consentConfig": {"accessEnforced": True}},
        {"version": "DSTU2", "consentConfig": {"version": "V1"}},
    )
    url, query = f"{lab.names.dataset}/fhirStores", {"fhirStoreId": "fhir-consents-none"}
    plain = f"{store(lab)}:applyConsents"
    answers = [lab.healthcare("POST", url, params=query, json=body) for body in bodies]
    return [*answers, lab.healthcare("POST", plain, json={})]


CHECKS = (
    Check("fhir-consent-scope", "Texts about the header X-Consent-Scope", _scopes),
    Check("fhir-consent-denied", "Answers to reads and searches by consent", _denied),
    Check("fhir-consent-read", "History, Binary and writes by consent", _reads),
    Check("fhir-consent-missing", "Resources that do not exist, by consent", _missing),
    Check("fhir-consent-apply", "The operation of applyConsents", _applied),
    Check("fhir-consent-unsupported", "Consents that can't be enforced", _status),
    Check("fhir-consent-status", "The enforcement status of consents", _status),
    Check("fhir-consent-admin", "The operation and refusals of applyAdminConsents", _policies),
    Check("fhir-consent-explain", "explainDataAccess", _explained),
    Check("fhir-consent-config", "Refusals of consentConfig", _config),
)
