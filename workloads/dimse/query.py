"""Searches of the store for the identifier of a C-FIND, C-MOVE or C-GET."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from workloads.dimse import errors, matching
from workloads.dimse.dicomweb import DicomWeb, Result, value
from workloads.dimse.errors import Refusal

STUDY_UID, SERIES_UID, INSTANCE_UID = "0020000D", "0020000E", "00080018"
CLASS_UID, PATIENT_ID = "00080016", "00100020"
RESOURCES = {"PATIENT": "studies", "STUDY": "studies", "SERIES": "series", "IMAGE": "instances"}
"""Query/Retrieve level -> what is searched for: QIDO-RS has no patients."""
UNIQUE_KEYS = {
    "PATIENT": "PatientID",
    "STUDY": "StudyInstanceUID",
    "SERIES": "SeriesInstanceUID",
    "IMAGE": "SOPInstanceUID",
}
LEVELS = tuple(RESOURCES)

_STUDY_KEYS = frozenset(
    {
        *("StudyInstanceUID", "PatientName", "PatientID"),
        *("AccessionNumber", "ReferringPhysicianName", "StudyDate"),
    }
)
_SERIES_KEYS = _STUDY_KEYS | {"SeriesInstanceUID", "Modality"}
SEARCHABLE = {
    "studies": _STUDY_KEYS,
    "series": _SERIES_KEYS,
    "instances": _SERIES_KEYS | {"SOPInstanceUID"},
}
"""Resource -> keys of Google's conformance statement (docs/dicom#search_parameters): exact values,
and ranges of StudyDate."""
_CONTROL = frozenset({"QueryRetrieveLevel", "SpecificCharacterSet", "TimezoneOffsetFromUTC"})
_OWN = frozenset({"RetrieveAETitle", "InstanceAvailability"})
"""Keys that the adapter fills in."""
_NOT_RETURNED = frozenset({"AvailableTransferSyntaxUID"})
"""Keys that the service refuses to return (docs/dicom#search_parameters)."""


@dataclass
class Query:
    """An identifier, taken apart.

    Attributes:
        level: PATIENT, STUDY, SERIES or IMAGE
        keys: all keys to return
        searched: keyword -> values of which the store searches each
        filtered: keys that are compared here, because the store does not search them
        modalities: values of ModalitiesInStudy
        unknown: whether a key is none that the store could return
    """

    level: str
    keys: list[DataElement] = field(default_factory=list)
    searched: dict[str, list[str]] = field(default_factory=dict)
    filtered: list[DataElement] = field(default_factory=list)
    modalities: list[str] = field(default_factory=list)
    unknown: bool = False

    @property
    def resource(self) -> str:
        """Type of resource that is searched for."""
        return RESOURCES[self.level]

    @property
    def is_partly_supported(self) -> bool:
        """Whether the store does not support one of the keys."""
        return self.unknown or bool(self.filtered)


def parse(identifier: Dataset, levels: tuple[str, ...] = LEVELS) -> Query:
    """Take an identifier apart.

    Args:
        identifier: of the request
        levels: of the information model

    Raises:
        Refusal: the level or a key is not supported
    """
    level = str(identifier.get("QueryRetrieveLevel", ""))
    if level not in levels:
        raise Refusal(
            errors.DATASET_MISMATCH, f"QueryRetrieveLevel is not one of {', '.join(levels)}"
        )
    query = Query(level)
    for element in identifier:
        if element.tag.element == 0 or element.keyword in _CONTROL:
            continue
        query.keys.append(element)
        if element.VR == "SQ":
            if any(not nested.is_empty for item in element.value for nested in item):
                raise Refusal(
                    errors.DATASET_MISMATCH, f"{element.keyword}: sequence matching not supported"
                )
        elif _is_in_store(element):
            _add(query, element)
        else:
            query.unknown |= element.keyword not in _OWN
    return query


def _is_in_store(element: DataElement) -> bool:
    """Whether the store can return an element: private ones have no keyword to ask for."""
    return bool(keyword_for_tag(element.tag)) and element.keyword not in _OWN | _NOT_RETURNED


def _add(query: Query, element: DataElement) -> None:
    values = matching.values_of(element)
    if not values or values == ["*"]:
        return
    if element.keyword == "ModalitiesInStudy" and query.resource == "studies":
        query.modalities = values
        return
    exact = not matching.has_wildcard(element)
    ranged = matching.is_range(element) and element.keyword != "StudyDate"
    several = len(values) > 1 and element.VR != "UI"
    if element.keyword in SEARCHABLE[query.resource] and exact and not ranged and not several:
        query.searched[element.keyword] = values
    else:
        query.filtered.append(element)


def search(dicomweb: DicomWeb, query: Query) -> Iterator[Result]:
    """Yield what matches, in the DICOM JSON model; at the PATIENT level one study of each patient.

    Raises:
        StoreRefusal: with the reason of the store
    """
    included = [
        ("includefield", element.keyword) for element in query.keys if _is_in_store(element)
    ]
    studies = _studies_with(dicomweb, query) if query.modalities else None
    patients: set[str] = set()
    for parameters in _combinations(query.searched):
        for result in dicomweb.search(query.resource, [*parameters, *included]):
            if studies is not None and value(result, STUDY_UID) not in studies:
                continue
            if not all(matching.matches(element, result) for element in query.filtered):
                continue
            if query.level == "PATIENT":
                if (patient := value(result, PATIENT_ID)) in patients:
                    continue
                patients.add(patient)
            yield result


def _studies_with(dicomweb: DicomWeb, query: Query) -> set[str]:
    """Return the studies that have a series of one of the modalities: a search for each."""
    return {
        value(result, STUDY_UID)
        for modality in query.modalities
        for parameters in _combinations({**query.searched, "Modality": [modality]})
        for result in dicomweb.search("series", parameters)
    }


def _combinations(searched: dict[str, list[str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield the parameters of each search: Google searches for one UID at a time."""
    pairs = [[(keyword, value) for value in values] for keyword, values in searched.items()]
    return (list(combination) for combination in product(*pairs))


def instances(
    dicomweb: DicomWeb, identifier: Dataset, levels: tuple[str, ...] = LEVELS
) -> list[Result]:
    """Return the instances that a retrieval asks for, each once.

    Raises:
        Refusal: the level is not supported, or its unique key has no value (PS3.4 C.4.2.2.1)
    """
    level = parse(identifier, levels).level
    elements = {element.keyword: element for element in identifier}
    searched: dict[str, list[str]] = {}
    for above in LEVELS[: LEVELS.index(level) + 1]:
        keyword = UNIQUE_KEYS[above]
        values = matching.values_of(elements[keyword]) if keyword in elements else []
        if any("*" in value or "?" in value for value in values):
            raise Refusal(errors.DATASET_MISMATCH, f"{keyword}: wildcards not allowed here")
        if values:
            searched[keyword] = values
    if UNIQUE_KEYS[level] not in searched:
        raise Refusal(errors.DATASET_MISMATCH, f"{UNIQUE_KEYS[level]} is required at {level} level")
    found = {
        value(result, INSTANCE_UID): result
        for parameters in _combinations(searched)
        for result in dicomweb.search("instances", parameters)
    }
    return list(found.values())


def path(result: Result) -> str:
    """Return the path of an instance below the service's root."""
    return (
        f"studies/{value(result, STUDY_UID)}/series/{value(result, SERIES_UID)}"
        f"/instances/{value(result, INSTANCE_UID)}"
    )
