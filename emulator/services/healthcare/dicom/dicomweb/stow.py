"""Storing instances: STOW-RS (PS3.18 10.5).

https://cloud.google.com/healthcare-api/docs/dicom#store_transaction
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emulator.healthcare.dicom.additions import MISMATCH, Incoming, Outcome
from emulator.healthcare.dicom.attributes import RETRIEVE_URL, DicomJson
from emulator.healthcare.dicom.parsing import ParseError, Record
from emulator.healthcare.dicom.parts import Part

if TYPE_CHECKING:
    from emulator.healthcare.dicom.service import Dicom

FAILED = 272
"""FailureReason 0110H: processing failure. The service gives no other."""
_FAILED_SEQUENCE = "00081198"
_REFERENCED_SEQUENCE = "00081199"
_SOP_CLASS = "00081150"
_SOP_INSTANCE = "00081155"
_REASON = "00081197"
_CREATOR = "GOOGLE"
"""Of the private element with the text that says why an instance was refused."""
STUDY_MISMATCH = "study mismatch: the instance is of another study than the request"
EXISTS = f"already exists: {MISMATCH}"
"""Clients look for the first two words, which are Google's."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A part that was not stored.

    Attributes:
        why: says it without any of the instance's data.
        record: what was read; None if nothing could be.
    """

    why: str
    record: Record | None = None


@dataclass
class Stored:
    """What became of the parts of a request."""

    stored: list[Record] = field(default_factory=list)
    new: list[Record] = field(default_factory=list)
    failed: list[Refused] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The HTTP status: 202 is not used."""
        return 409 if self.failed else 200


def store(dicom: "Dicom", store_name: str, parts: Sequence[Part], study: str | None) -> Stored:
    """Store parts; they are used up.

    Args:
        dicom: the stores.
        store_name: full name of the DICOM store.
        parts: each a file.
        study: the study that all must belong to, if any.

    Raises:
        StoreGoneError: the store was deleted meanwhile.
    """
    result, good, whose = Stored(), [], []
    for part in parts:
        try:
            record = part.parse()
        except ParseError as error:
            result.failed.append(Refused(str(error)))
            continue
        if study and record.study_uid != study:
            result.failed.append(Refused(STUDY_MISMATCH, record))
        else:
            good.append(Incoming(record, part.settle(), is_named=True))
            whose.append(part)
    outcomes = dicom.contents.add(store_name, good) if good else []
    for part in whose:
        part.release()
    for incoming, outcome in zip(good, outcomes, strict=True):
        if outcome is Outcome.MISMATCH:
            result.failed.append(Refused(EXISTS, incoming.record))
            continue
        result.stored.append(incoming.record)
        if outcome is Outcome.STORED:
            result.new.append(incoming.record)
    return result


def answer(result: Stored, root: str, *, in_xml: bool) -> DicomJson:
    """Give the response's data set (PS3.18 I.2), which is not quite the same in XML and JSON."""
    response: DicomJson = {}
    if result.failed:
        items = [_failure(refused, in_xml) for refused in result.failed]
        response[_FAILED_SEQUENCE] = {"vr": "SQ", "Value": items}
    if result.stored:
        items = []
        for record in result.stored:
            url = f"{root}/studies/{record.study_uid}/series/{record.series_uid}"
            url += f"/instances/{record.sop_uid}"
            items.append({**_reference(record), RETRIEVE_URL: _one("UR", url)})
        response[_REFERENCED_SEQUENCE] = {"vr": "SQ", "Value": items}
        if len({record.study_uid for record in result.stored}) == 1:
            url = f"{root}/studies/{result.stored[0].study_uid}"
            response[RETRIEVE_URL] = _one("UR", url)
    return response


def _failure(refused: Refused, in_xml: bool) -> DicomJson:
    item = _reference(refused.record) if refused.record else {}
    item[_REASON] = _one("US", FAILED)
    detail = _one("LT", refused.why)
    if in_xml:  # where a private element's tag is without its block
        item["00090097"] = {**detail, "keyword": "FailureDetail", "privateCreator": _CREATOR}
    else:
        item |= {"00090010": _one("LO", _CREATOR), "00091097": detail}
    return item


def _reference(record: Record) -> DicomJson:
    return {_SOP_CLASS: _one("UI", record.sop_class), _SOP_INSTANCE: _one("UI", record.sop_uid)}


def _one(vr: str, value: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}
