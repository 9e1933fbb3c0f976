"""Storing instances: STOW-RS (PS3.18 10.5)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emulator.healthcare.dicom.additions import Incoming, Outcome
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


@dataclass
class Stored:
    """What became of the parts of a request."""

    stored: list[Record] = field(default_factory=list)
    new: list[Record] = field(default_factory=list)
    failed: list[Record | None] = field(default_factory=list)

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
    result, good = Stored(), []
    for part in parts:
        record = _record(part)
        if record is None or (study and record.study_uid != study):
            result.failed.append(record)
        else:
            good.append(Incoming(record, part.settle()))
    outcomes = dicom.contents.add(store_name, good) if good else []
    for incoming, outcome in zip(good, outcomes, strict=True):
        kept = outcome is not Outcome.MISMATCH
        (result.stored if kept else result.failed).append(incoming.record)
        if outcome is Outcome.STORED:
            result.new.append(incoming.record)
    return result


def _record(part: Part) -> Record | None:
    try:
        return part.parse()
    except ParseError:
        return None


def answer(result: Stored, root: str) -> DicomJson:
    """Give the response's data set (PS3.18 I.2)."""
    response: DicomJson = {}
    if result.failed:
        items = [{**_reference(record), _REASON: _one("US", FAILED)} for record in result.failed]
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


def _reference(record: Record | None) -> DicomJson:
    if record is None:
        return {}
    return {_SOP_CLASS: _one("UI", record.sop_class), _SOP_INSTANCE: _one("UI", record.sop_uid)}


def _one(vr: str, value: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}
