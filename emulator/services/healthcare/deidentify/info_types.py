"""Detection of info types in text: by patterns, and by the identifying values of the same file.

Google looks with Sensitive Data Protection. Here a name is found where the instance itself gives
it (in its names, ids, institutions) or where a title comes before it; other names are not.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pydicom

DATE = "DATE"
AGE = "AGE"
PERSON = "PERSON_NAME"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
PATTERNS: Mapping[str, re.Pattern[str]] = {
    "EMAIL_ADDRESS": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "URL": re.compile(r"\b(?:https?|ftp)://\S+", re.IGNORECASE),
    "MAC_ADDRESS": re.compile(r"\b[0-9A-F]{2}(?:[:-][0-9A-F]{2}){5}\b", re.IGNORECASE),
    "IP_ADDRESS": re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"),
    "US_SOCIAL_SECURITY_NUMBER": re.compile(r"\b\d{3}-\d{2}-\d{4}\b"),
    DATE: re.compile(
        r"\b(?:(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
        r"|(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}"
        r"|\d{1,2}[-/.]\d{1,2}[-/.](?:(?:19|20)\d{2}|\d{2})"
        rf"|\d{{1,2}}\.?\s+{_MONTH}\s+(?:19|20)\d{{2}}"
        rf"|{_MONTH}\s+\d{{1,2}},?\s+(?:19|20)\d{{2}})\b",
        re.IGNORECASE,
    ),
    "PHONE_NUMBER": re.compile(
        r"(?<![\w.])(?:\+\d{1,3}[ -]?)?(?:\(\d{2,4}\)|\d{2,4})(?:[ -]\d{2,4}){2,3}\b"
    ),
    "CREDIT_CARD_NUMBER": re.compile(r"\b(?:\d{4}[ -]?){3}\d{4}\b"),
    AGE: re.compile(
        r"\b\d{1,3}\s?-?(?:years?|yrs?|y/?o|months?)(?:[ -]old)?\b|\b\d{3}[DWMY]\b", re.IGNORECASE
    ),
    PERSON: re.compile(r"\b(?:Dr|Mr|Mrs|Ms|Prof)\.?\s+[A-Z][\w'-]+(?:\s+[A-Z][\w'-]+)?"),
}
"""Pattern of each info type, the most specific first."""

_INFO_TYPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^(?:Other)?PatientIDs?$"), "MEDICAL_RECORD_NUMBER"),
    (re.compile(r"AccessionNumber|AdmissionID|StudyID|SerialNumber|OrderNumber"), "GENERIC_ID"),
    (re.compile(r"Telephone"), "PHONE_NUMBER"),
    (re.compile(r"Address|Residence"), "LOCATION"),
    (re.compile(r"Institution(?:al)?(?:Department)?Name"), "ORGANIZATION_NAME"),
)
"""Keywords of attributes that hold one info type only."""
INFO_TYPES = frozenset({*PATTERNS, *(info_type for _, info_type in _INFO_TYPES)})
"""Every info type that is detected here."""
_SHORTEST = 3
"""Minimum length of a part of a name that is searched for in other texts."""


@dataclass(frozen=True)
class Finding:
    """A part of a text, `start` to `end`, of an info type."""

    start: int
    end: int
    info_type: str


def info_type_of(keyword: str, vr: str) -> str | None:
    """Return the info type that an attribute holds as a whole, if any."""
    whole = {"PN": PERSON, "DA": DATE, "DT": DATE, "AS": AGE}
    if vr in whole:
        return whole[vr]
    return next((info_type for pattern, info_type in _INFO_TYPES if pattern.search(keyword)), None)


def phrases(dataset: pydicom.Dataset) -> dict[str, str]:
    """Return the identifying phrases of an instance, with their info types."""
    found: dict[str, str] = {}
    for element in dataset.iterall():
        info_type = info_type_of(element.keyword, element.VR)
        if info_type in (None, DATE, AGE) or element.VR == "SQ":
            continue
        values = element.value if element.VM > 1 else [element.value]
        for value in values:
            text = str(value or "").strip()
            parts = re.split(r"[\^=\s]+", text) if info_type == PERSON else []
            for phrase in (text, " ".join(parts), " ".join(reversed(parts)), *parts):
                if len(phrase) >= _SHORTEST:
                    found.setdefault(phrase, str(info_type))
    return found


class InfoTypeDetector:
    """Detector of sensitive parts of texts.

    Args:
        known: phrases that are sensitive in any text, with their info types
        without: info types that are not detected
        further: custom patterns, with the groups that are sensitive (none: the whole)
    """

    def __init__(
        self,
        known: Mapping[str, str],
        without: Iterable[str] = (),
        further: Iterable[tuple[re.Pattern[str], tuple[int, ...]]] = (),
    ) -> None:
        skipped = frozenset(without)
        self._info_types = {
            phrase.casefold(): info_type
            for phrase, info_type in known.items()
            if info_type not in skipped
        }
        # The longest first: a whole name before its parts.
        alternatives = "|".join(map(re.escape, sorted(self._info_types, key=len, reverse=True)))
        self._known = (
            re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE) if alternatives else None
        )
        self._patterns = [
            (info_type, one) for info_type, one in PATTERNS.items() if info_type not in skipped
        ]
        self._further = tuple(further)

    def find(self, text: str) -> list[Finding]:
        """Return the sensitive parts of a text, in order, without overlaps."""
        found: list[Finding] = []
        for finding in self._candidates(text):
            free = all(finding.end <= one.start or one.end <= finding.start for one in found)
            if free and finding.start < finding.end:
                found.append(finding)
        return sorted(found, key=lambda one: one.start)

    def _candidates(self, text: str) -> Iterable[Finding]:
        for pattern, groups in self._further:
            for match in pattern.finditer(text):
                for group in groups or (0,):
                    yield Finding(*match.span(group), "CUSTOM_REGEX")
        if self._known:
            for match in self._known.finditer(text):
                yield Finding(*match.span(), self._info_types[match[0].casefold()])
        for info_type, pattern in self._patterns:
            for match in pattern.finditer(text):
                yield Finding(*match.span(), info_type)
