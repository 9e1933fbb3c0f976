"""The Store transaction: STOW-RS (PS3.18 10.5), and the update of whole instances in v1beta1.

https://cloud.google.com/healthcare-api/docs/dicom#store_transaction

Documented (https://cloud.google.com/healthcare-api/docs/how-tos/dicom-update-patch): an update
replaces an instance or adds it, and takes one or several DICOM files, but no JSON metadata.
Inferred (conformance: dicom-update-response): its response is that of the Store transaction.

Inferred (conformance: stow-response, stow-conflict-text, stow-same-again, stow-study-text,
stow-xml): the attributes of the response, and the reasons of failures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.services.healthcare.dicom.dicomweb.body_parts import BodyPart
from emulator.services.healthcare.dicom.instances.changes import Action
from emulator.services.healthcare.dicom.instances.group_commit import MISMATCH, StoreResult
from emulator.services.healthcare.dicom.instances.models import STANDARD
from emulator.services.healthcare.dicom.instances.staged_file import ANY, StagedFile
from emulator.services.healthcare.dicom.parsing.attributes import RETRIEVE_URL, DicomJson
from emulator.services.healthcare.dicom.parsing.parser import ParseError, Record
from emulator.services.healthcare.dicom.service import Dicom

FAILED = 272
"""FailureReason 0110H, processing failure: the only one that the service returns."""
_FAILED_SEQUENCE = "00081198"
_REFERENCED_SEQUENCE = "00081199"
_SOP_CLASS = "00081150"
_SOP_INSTANCE = "00081155"
_REASON = "00081197"
_CREATOR = "GOOGLE"
"""Creator of the private element with the reason of a failure."""
STUDY_MISMATCH = "study mismatch: the instance is of another study than the request"
EXISTS = f"already exists: {MISMATCH}"
"""Clients look for the first two words, which are Google's."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A part that was not stored.

    Attributes:
        why: the reason, without data of the instance
        record: the parsed instance; None if it is invalid
    """

    why: str
    record: Record | None = None


@dataclass
class Stored:
    """The results of the parts of a request."""

    stored: list[Record] = field(default_factory=list)
    failed: list[Refused] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The HTTP status: 202 is not used."""
        return 409 if self.failed else 200


def store(
    dicom: Dicom,
    store_name: str,
    parts: Sequence[BodyPart],
    study: str | None,
    action: Action = Action.STORED,
) -> Stored:
    """Store parts; the files of stored parts are detached.

    Args:
        dicom: the DICOM stores
        store_name: full name of the DICOM store
        parts: one instance each
        study: the study that all must belong to; None for any
        action: stores new instances, or updates: replaces those that are stored already

    Raises:
        StoreGoneError: the store was deleted
    """
    result, good, persisted = Stored(), [], []
    replaces = ANY if action is Action.UPDATED else ""
    for part in parts:
        try:
            record = part.parse()
        except ParseError as error:
            result.failed.append(Refused(str(error)))
            continue
        if study and record.study_uid != study:
            result.failed.append(Refused(STUDY_MISMATCH, record))
        else:
            good.append(StagedFile(record, part.persist(), is_named=True, replaces=replaces))
            persisted.append(part)
    outcomes = dicom.contents.add(store_name, good, STANDARD, action) if good else []
    for part in persisted:
        part.detach()
    for staged, outcome in zip(good, outcomes, strict=True):
        if outcome is StoreResult.MISMATCH:
            result.failed.append(Refused(EXISTS, staged.record))
        else:
            result.stored.append(staged.record)
    return result


def answer(result: Stored, root: str, *, in_xml: bool) -> DicomJson:
    """Return the response's data set (PS3.18 I.2), which differs between XML and JSON."""
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
