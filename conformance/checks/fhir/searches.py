"""Checks of searches, and of the validation of resources."""

from conformance.check import Check, Lab
from conformance.checks.fhir.calls import call, observation, patient, put, store
from conformance.cloud_project import Json
from conformance.waiting import wait_until


def _filled(lab: Lab) -> str:
    """Return a store with three patients, which searches find."""

    def fill(lab: Lab) -> str:
        filled = store(lab, "fhir-searches")
        for number, born in enumerate(["1980-05", "1980-05-17", ""]):
            members = {"birthDate": born} if born else {}
            put(lab, patient(f"p{number}", name=[{"family": "Zoe"}], **members), to=filled)
        put(
            lab,
            {**observation("o", "Patient/p0"), "effectiveDateTime": "2024-03-01T00:30:00+01:00"},
            to=filled,
        )

        def total(path: str) -> int:
            return int(call(lab, "GET", path, to=filled)["body"]["total"])

        wait_until(
            lambda: total("Patient?family=zoe") == 3 and total("Observation?code:text=code") == 1,
            min(lab.cloud.max_wait_seconds, 120.0),
            "the index of the searches",
        )
        return filled

    return str(lab.once("fhir-searches-filled", fill))


def _texts(lab: Lab) -> Json:
    queries = (
        *("Patient?colour=red", "Patient?birthdate=yesterday", "Patient?gender:of-type=a"),
        *("Patient?_count=x", "Patient?_sort=organization", "Patient?_summary=count"),
        *("Patient?_include=Patient:gender", "Patient?_revinclude=*", "Patient?gender.name=a"),
        *("Observation?value-quantity=x", "Observation?code-value-string=a"),
        *("Observation?code:above=a", "Observation?code:below=a"),
        *("Patient?_has:Observation:patient=a", "Patient?_page_token=x", "?_type=Robot"),
    )
    filled = _filled(lab)
    return [call(lab, "GET", one, to=filled, Prefer="handling=strict") for one in queries]


def _links(lab: Lab) -> Json:
    filled = _filled(lab)
    paths = ("Patient?family=zoe&_count=2", "Patient?family=none", "?_type=Patient&_id=p1")
    return [call(lab, "GET", path, to=filled) for path in paths]


def _order(lab: Lab) -> Json:
    filled = _filled(lab)
    answers = [
        call(lab, "GET", f"Patient?family=zoe&_sort={key}&_elements=id", to=filled)
        for key in ("birthdate", "-birthdate")
    ]
    return [
        [entry["resource"]["id"] for entry in answer["body"].get("entry", [])] for answer in answers
    ]


def _dates(lab: Lab) -> Json:
    filled = _filled(lab)
    days = ("2024-02-29", "2024-03-01", "2024-02-29T23:30", "2024-02-29T23:30Z")
    return [call(lab, "GET", f"Observation?date={day}", to=filled)["body"]["total"] for day in days]


def _subsets(lab: Lab) -> Json:
    filled = _filled(lab)
    queries = ("_elements=gender", "_summary=text", "_summary=data")
    return [call(lab, "GET", f"Observation?_id=o&{one}", to=filled) for one in queries]


def _form(lab: Lab) -> Json:
    form = "application/x-www-form-urlencoded"
    path = "Patient/_search"
    return call(lab, "POST", path, b"family=zoe", to=_filled(lab), media_type=form)


def _validation(lab: Lab) -> Json:
    wrong = (
        {"colour": "red"},
        {"name": {"family": "a"}},
        {"gender": "man"},
        {"birthDate": "2021-02-29"},
        {"active": "true"},
        {"link": [{"type": "refer"}]},
        {"managingOrganization": {"reference": "Patient/p"}},
        {"implicitRules": "%zz"},
        {"name": [{"family": "a\u0001"}]},
    )
    answers = [put(lab, patient("wrong", **members)) for members in wrong]
    return [*answers, call(lab, "PUT", "Patient/wrong", observation("wrong", "Patient/p"))]


CHECKS = (
    Check("fhir-search-text", "wrong queries with strict handling: text", _texts),
    Check("fhir-search-links", "links and entries of search results", _links),
    Check("fhir-search-order", "where resources without the value to sort by stand", _order),
    Check("fhir-search-dates", "dates of searches near the border of a day", _dates),
    Check("fhir-search-subset", "_elements and _summary: elements and tag", _subsets),
    Check("fhir-search-form", "a search by a form in the body: code and text", _form),
    Check("fhir-validation-text", "resources that are not valid: codes and texts", _validation),
)
