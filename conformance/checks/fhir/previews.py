"""Checks of methods of FHIR stores that only v1beta1 has: histories in files, search parameters."""

from typing import Any

from conformance.check import Check, Lab
from conformance.checks.fhir.calls import call, patient, put, store
from conformance.cloud_project import Json

_PARAMETERS = "http://conformance.example.com/parameters"


def _start(lab: Lab, name: str, verb: str, **body: Any) -> Json:
    return lab.call("healthcare", "POST", f"v1beta1/{name}:{verb}", json=body)


def _with_history(lab: Lab) -> str:
    """Return a store that has two versions of a resource, and a deleted one."""

    def make(lab: Lab) -> str:
        name = store(lab, "fhir-versions", enableHistoryModifications=True)
        for gender in ("male", "female"):
            put(lab, patient("changed", gender=gender), to=name)
        put(lab, patient("removed"), to=name)
        call(lab, "DELETE", "Patient/removed", to=name)
        return name

    return str(lab.once("fhir-versions-made", make))


def _folder(lab: Lab) -> str:
    return f"gs://{lab.names.bucket}/fhir-versions"


def _exported(lab: Lab) -> Json:
    """Return the operation of an export of histories, and the names of its objects."""
    destination = {"uriPrefix": _folder(lab)}
    name = _with_history(lab)
    done = lab.finish(_start(lab, name, "exportHistory", gcsDestination=destination))
    path = f"storage/v1/b/{lab.names.bucket}/o"
    listed = lab.cloud.send("storage", "GET", path, params={"prefix": "fhir-versions"})
    items = listed.json().get("items", []) if listed.is_ok else []
    # The names begin with the number of the operation.
    names = [one["name"].rpartition("/")[2].partition("_")[2] for one in items]
    refused = _start(lab, name, "exportHistory", gcsDestination=destination, _type="Nothing")
    return [done, names, refused, _start(lab, name, "exportHistory")]


def _imported(lab: Lab) -> Json:
    """Import the histories that were exported, and look at one of them."""
    _exported(lab)
    source = {"uri": f"{_folder(lab)}/*"}
    target = store(lab, "fhir-versions-copied", enableHistoryModifications=True)
    done = lab.finish(_start(lab, target, "importHistory", gcsSource=source))
    as_resources = {"gcsSource": source, "contentStructure": "RESOURCE", "maxErrorCount": "1"}
    return [
        done,
        call(lab, "GET", "Patient/changed/_history", to=target),
        lab.finish(_start(lab, target, "importHistory", **as_resources)),
        _start(lab, store(lab), "importHistory", gcsSource=source),
    ]


def _parameter(code: str, expression: str, **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "SearchParameter",
        "id": code,
        "url": f"{_PARAMETERS}/{code}",
        "name": code,
        "status": "active",
        "description": "a parameter of the conformance kit",
        "code": code,
        "base": ["Patient"],
        "type": "string",
        "expression": expression,
        **members,
    }


def _configured(lab: Lab) -> Json:
    """Configure search parameters, valid and other ones, and search by one."""
    name = store(lab, "fhir-configured")
    put(lab, patient("found", contact=[{"name": {"text": "Sam"}}]), to=name)
    for one in (
        _parameter("friend", "Patient.contact.name"),
        _parameter("family", "Patient.contact.name.text"),
        _parameter("first", "Patient.name.first().family"),
        _parameter("both", "Patient.name", type="composite"),
    ):
        put(lab, one, to=name)

    def configure(*codes: str, **more: Any) -> Json:
        urls = [f"{_PARAMETERS}/{code}" for code in codes]
        return lab.finish(_start(lab, name, "configureSearch", canonicalUrls=urls, **more))

    return [
        configure("friend", "family"),
        call(lab, "GET", "Patient?friend=sam", to=name),
        call(lab, "GET", "Patient?family=sam", to=name),
        _shown(lab, name),
        *(configure(code, validateOnly=True) for code in ("first", "both", "none")),
    ]


def _shown(lab: Lab, name: str) -> Json:
    """Return the configuration that a store shows, without the versions of its parameters."""
    found = lab.call("healthcare", "GET", f"v1beta1/{name}")["body"].get("searchConfig", {})
    listed = found.get("searchParameters", [])
    return [[one["canonicalUrl"], one["parameter"].partition("/_history/")[0]] for one in listed]


CHECKS = (
    Check("fhir-history-export", "the objects of an export of histories", _exported),
    Check("fhir-history-import", "an import of histories: operation and versions", _imported),
    Check("fhir-configure-search", "search parameters of a store, and refusals", _configured),
)
