"""Checks of DICOMweb searches: default attributes, matching, refused parameters."""

from conformance import samples
from conformance.check import Check, Lab, shape
from conformance.cloud_project import Json


def _search(lab: Lab, path: str, **params: str) -> Json:
    return shape(lab.dicom_web(path, params=params))


def _attributes(lab: Lab, path: str, **params: str) -> Json:
    """Return the tags of the first result, with the values of those that the service makes."""
    found = _search(lab, path, **params)
    if found["status"] != 200:
        return found
    first = found["body"][0]
    computed = ("00080056", "00080061", "00081190", "00201206", "00201208", "00201209")
    return {"tags": sorted(first), "values": {tag: first[tag] for tag in computed if tag in first}}


def _matches(lab: Lab, **params: str) -> Json:
    """Return which studies a search finds."""
    found = _search(lab, "studies", **params)
    if found["status"] != 200:
        return found
    return sorted(one["0020000D"]["Value"][0] for one in found["body"])


_INSTANCES = f"studies/{samples.STUDY}/instances"

CHECKS = (
    Check(
        "search-study-attributes",
        "what a search for studies returns beside the documented attributes",
        lambda lab: _attributes(lab, "studies", StudyInstanceUID=samples.STUDY),
    ),
    Check(
        "search-series-attributes",
        "attributes of the study in a search for series of all studies",
        lambda lab: _attributes(lab, "series", StudyInstanceUID=samples.STUDY),
    ),
    Check(
        "search-instance-attributes",
        "attributes of study and series in a search for instances below a study",
        lambda lab: _attributes(lab, _INSTANCES, SOPInstanceUID=f"{samples.STUDY}.1.1"),
    ),
    Check(
        "search-all-fields",
        "what `includefield=all` adds to a study",
        lambda lab: _attributes(lab, "studies", StudyInstanceUID=samples.STUDY, includefield="all"),
    ),
    Check(
        "search-parameter-text",
        "a parameter that is not a match key: text",
        lambda lab: _search(lab, "studies", StudyDescription="Samples"),
    ),
    Check(
        "search-accept-query",
        "a search with the query parameter `accept`",
        lambda lab: _search(lab, "studies", PatientID="nobody", accept="application/dicom+json"),
    ),
    Check(
        "search-sop-class",
        "a search for instances by SOP class",
        lambda lab: _search(lab, _INSTANCES, SOPClassUID="1.2.840.10008.5.1.4.1.1.2", limit="1"),
    ),
    Check(
        "search-includefield-text",
        "an attribute to include that is unknown: text",
        lambda lab: _search(lab, "studies", includefield="NotAKeyword"),
    ),
    Check(
        "search-limit-text",
        "a limit over the maximum: text",
        lambda lab: _search(lab, "studies", limit="5001"),
    ),
    Check(
        "search-date-text",
        "an invalid date range: text",
        lambda lab: _search(lab, "studies", StudyDate="2020-01-02"),
    ),
    Check(
        "search-fuzzy-text",
        "a `fuzzymatching` that is neither true nor false: text",
        lambda lab: _search(lab, "studies", fuzzymatching="maybe", PatientName="Sample"),
    ),
    Check(
        "search-name-case",
        "whether names match in other case",
        lambda lab: _matches(lab, PatientName="SAMPLE^SYNTHETIC"),
    ),
    Check(
        "search-name-accents",
        "whether names match without accents",
        lambda lab: _matches(lab, ReferringPhysicianName="orn^asa"),
    ),
    Check(
        "search-fuzzy-words",
        "whether fuzzy matching finds names by the beginning of any word",
        lambda lab: _matches(lab, PatientName="synth other", fuzzymatching="true"),
    ),
    Check(
        "search-wildcards",
        "whether `*` matches any text in a patient's id",
        lambda lab: _matches(lab, PatientID="SAM*"),
    ),
    Check(
        "search-uid-list",
        "a list of UIDs, by comma",
        lambda lab: _matches(lab, StudyInstanceUID=f"{samples.STUDY},{samples.ODD_STUDY}"),
    ),
    Check(
        "search-name-groups",
        "whether a name matches by its ideographic group",
        lambda lab: _matches(lab, PatientName="サンプル"),
    ),
)
