"""Rules for projects, locations, ids, roles, members and labels.

Sources: the REST reference of the Cloud Healthcare API (locations, ids, labels), BigQuery's naming
rules, IAM's role names, Resource Manager's project ids. Where the Google provider is stricter than
the API (ids of DICOM stores), the provider's rule stands, because it is met first.
"""

import difflib
import re
import unicodedata
import zoneinfo
from collections.abc import Callable, Iterable

LOCATIONS = (
    "asia-east1",
    "asia-east2",
    "asia-northeast1",
    "asia-northeast2",
    "asia-northeast3",
    "asia-south1",
    "asia-southeast1",
    "asia-southeast2",
    "australia-southeast1",
    "australia-southeast2",
    "eu",
    "europe-north1",
    "europe-west2",
    "europe-west3",
    "europe-west4",
    "europe-west6",
    "me-central1",
    "me-central2",
    "me-west1",
    "northamerica-northeast1",
    "northamerica-northeast2",
    "southamerica-east1",
    "us",
    "us-central1",
    "us-east1",
    "us-east4",
    "us-west1",
    "us-west2",
    "us-west3",
)
"""Where the Cloud Healthcare API keeps data: regions, and the multi-regions `us` and `eu`."""

FHIR_VERSIONS = ("DSTU2", "STU3", "R4")
"""The FHIR versions that the Google provider offers."""

HL7V2_PARSER_VERSIONS = ("V1", "V2", "V3")
"""The versions of the HL7v2 parser; the version of a store is fixed at its creation."""

MAX_LABELS = 64
"""Labels a store may carry."""

_PROJECT = re.compile(r"(?:[a-z][a-z0-9.-]*[a-z0-9]:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
# Python's \w is letters, numbers and the underscore of every script: the API's [\p{L}\p{N}_].
_HEALTHCARE_ID = re.compile(r"[\w.-]{1,256}")
_DICOM_STORE_ID = re.compile(r"[A-Za-z0-9_-]{1,256}")
_BIGQUERY_DATASET_ID = re.compile(r"[A-Za-z0-9_]{1,1024}")
_SERVICE = re.compile(r"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*\.googleapis\.com")
_ROLE = re.compile(
    r"roles/[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*"
    r"|projects/[a-z][a-z0-9:.-]+/roles/[A-Za-z0-9_.]{3,64}"
    r"|organizations/[0-9]+/roles/[A-Za-z0-9_.]{3,64}"
)
_MEMBER = re.compile(r"([a-zA-Z]+):\S+")
_MEMBER_TYPES = (
    "user",
    "group",
    "serviceAccount",
    "domain",
    "principal",
    "principalSet",
    "projectOwner",
    "projectEditor",
    "projectViewer",
)
_PUBLIC = ("allUsers", "allAuthenticatedUsers")


def nearest(value: str, allowed: Iterable[str]) -> str:
    """Return a sentence that offers the allowed value most like `value`; empty if none is."""
    by_folded = {item.casefold(): item for item in allowed}
    close = difflib.get_close_matches(value.strip().casefold(), by_folded, n=1)
    return f' Did you mean "{by_folded[close[0]]}"?' if close else ""


def one_of(value: str, allowed: Iterable[str], what: str) -> str | None:
    """Return a value from a closed list."""
    choices = tuple(allowed)
    if value in choices:
        return None
    return f"is not {what}.{nearest(value, choices)} Allowed: {', '.join(choices)}."


def project(value: str) -> str | None:
    """Return a project id, not a project number and not a project's display name."""
    if _PROJECT.fullmatch(value):
        return None
    if value.isdecimal():
        return "is a project number. Give the project's id, as `gcloud projects list` shows it."
    return (
        "is not a project id. Allowed: 6 to 30 lower-case letters, digits and hyphens, beginning "
        "with a letter and not ending with a hyphen."
    )


def location(value: str) -> str | None:
    """Return a location of the Cloud Healthcare API."""
    return one_of(value, LOCATIONS, "a location of the Cloud Healthcare API")


def time_zone(value: str) -> str | None:
    """Return a time zone name of the IANA database."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = zoneinfo.available_timezones()
    else:
        return None
    # A machine without the database cannot judge: the API will.
    if not known:
        return None
    return (
        f"is not a time zone.{nearest(value, known)} "
        "Allowed: names of the IANA time zone database, such as UTC or Europe/Zurich."
    )


def healthcare_id(value: str) -> str | None:
    """Return the id of a Healthcare dataset, a FHIR store or an HL7v2 store."""
    if _HEALTHCARE_ID.fullmatch(value):
        return None
    return (
        "is not an id of the Cloud Healthcare API. Allowed: 1 to 256 letters, digits, "
        "underscores, hyphens and dots."
    )


def dicom_store_id(value: str) -> str | None:
    """Return the id of a DICOM store, which also becomes the name of a BigQuery table."""
    if _DICOM_STORE_ID.fullmatch(value):
        return None
    return (
        "is not an id of a DICOM store. Allowed: 1 to 256 of a-z, A-Z, 0-9, underscores and "
        "hyphens."
    )


def bigquery_dataset_id(value: str) -> str | None:
    """Return the id of a BigQuery dataset: no hyphens."""
    if _BIGQUERY_DATASET_ID.fullmatch(value):
        return None
    return (
        "is not an id of a BigQuery dataset. Allowed: 1 to 1024 of a-z, A-Z, 0-9 and underscores "
        "(no hyphens)."
    )


def service(value: str) -> str | None:
    """Return the name of a Google Cloud service."""
    if _SERVICE.fullmatch(value):
        return None
    hint = f' Did you mean "{value}.googleapis.com"?' if re.fullmatch(r"[a-z]+", value) else ""
    return (
        f"is not the name of a service.{hint} Allowed: NAME.googleapis.com, as "
        "`gcloud services list --available` shows it."
    )


def role(value: str) -> str | None:
    """Return the full name of a predefined or custom role."""
    if _ROLE.fullmatch(value):
        return None
    bare = re.fullmatch(r"[a-z]+\.[A-Za-z.]+", value)
    hint = f' Did you mean "roles/{value}"?' if bare else ""
    return (
        f"is not the name of a role.{hint} Allowed: roles/SERVICE.ROLE, projects/ID/roles/NAME or "
        "organizations/NUMBER/roles/NAME."
    )


def member(value: str) -> str | None:
    """Return a principal as IAM writes it; refuse `allUsers` and `allAuthenticatedUsers`."""
    match = _MEMBER.fullmatch(value)
    if match and match[1] in _MEMBER_TYPES:
        return None
    if value in _PUBLIC:
        return "would open patient data to everyone. Allowed: single people, groups, workloads."
    near = nearest(match[1], _MEMBER_TYPES) if match else ""
    return (
        f"is not an IAM member.{near} Allowed: TYPE:NAME, such as "
        f"serviceAccount:name@example.com; types: {', '.join(_MEMBER_TYPES)}."
    )


def label_key(value: str) -> str | None:
    """Return the key of a label."""
    first_is_letter = bool(value) and unicodedata.category(value[0]) in ("Ll", "Lo")
    if first_is_letter and len(value) <= 63 and _is_label_text(value):
        return None
    return (
        "is not the key of a label. Allowed: 1 to 63 lower-case letters, digits, underscores and "
        "hyphens, beginning with a letter, at most 128 bytes."
    )


def label_value(value: str) -> str | None:
    """Return the value of a label."""
    if len(value) <= 63 and _is_label_text(value):
        return None
    return (
        "is not the value of a label. Allowed: up to 63 lower-case letters, digits, underscores "
        "and hyphens, at most 128 bytes."
    )


def _is_label_text(value: str) -> bool:
    r"""Whether all is of the classes [\p{Ll}\p{Lo}\p{N}_-], within 128 bytes of UTF-8."""
    categories = {unicodedata.category(char) for char in value if char not in "_-"}
    return len(value.encode()) <= 128 and categories <= {"Ll", "Lo", "Nd", "Nl", "No"}


def repeated(values: Iterable[str]) -> list[tuple[int, str, int]]:
    """Values that came before: (index, value, index of the first one)."""
    first: dict[str, int] = {}
    found: list[tuple[int, str, int]] = []
    for index, value in enumerate(values):
        if value in first:
            found.append((index, value, first[value]))
        else:
            first[value] = index
    return found


def not_a_range(value: str, parse: Callable[..., object], of_what: str, example: str) -> str:
    """Return what is wrong with a text that is not a range of addresses, with the range meant.

    Args:
        value: the text
        parse: makes a range of a text; takes `strict`
        of_what: such as `addresses`
        example: a valid range
    """
    try:
        meant = parse(value, strict=False)
    except ValueError:
        hint = ""
    else:
        hint = f' Did you mean "{meant}"?'
    return f"is not a range of {of_what}.{hint} Allowed: CIDR notation, such as {example}."
