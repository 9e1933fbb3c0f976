"""JSON Patch (RFC 6902) of the metadata of an instance.

Documented (the reference of `updateMetadata`): the body is a JSON Patch document, which is applied
to the metadata of each instance.

Inferred (conformance: dicom-patch-path, dicom-patch-identity, dicom-patch-text,
dicom-patch-charset): paths begin at the elements of one instance, as `/00100010/Value/0`; what
identifies or encodes an instance can't be patched; the texts of refusals; and a text that the
character set of an instance lacks makes it one of ISO_IR 192.
"""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jsonpatch
import jsonpointer
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataset import Dataset, FileDataset

from emulator.services.healthcare.dicom.parsing import attributes, byte_order, instance_json
from emulator.services.healthcare.dicom.parsing.attributes import DicomJson
from emulator.services.healthcare.dicom.parsing.dicom_json import PIXEL_DATA
from emulator.services.healthcare.dicom.parsing.pydicom_errors import PARSE_ERRORS

UTF_8 = "ISO_IR 192"
_TAG = re.compile(r"[0-9A-F]{8}")
_FILE_META = "0002"
_BULK_DATA = re.compile(r".*/bulkdata/([0-9A-F]{8}(?:/[0-9]+/[0-9A-F]{8})*)", re.IGNORECASE)
_IDENTITY = frozenset(
    {attributes.STUDY_UID, attributes.SERIES_UID, attributes.SOP_UID, attributes.SOP_CLASS}
)
_PIXELS = frozenset(f"{tag:08X}" for tag in PIXEL_DATA)
_OPERATIONS = frozenset({"add", "remove", "replace", "move", "copy", "test"})

Patch = Sequence[Mapping[str, Any]]


class PatchError(Exception):
    """The patch is not valid, or does not fit the instance; the text has no data of it."""


def check(patch: object) -> Patch:
    """Return a JSON Patch document.

    Raises:
        PatchError: it is not one
    """
    if not isinstance(patch, list):
        raise PatchError("The body must be a JSON Patch document: an array of operations.")
    for index, operation in enumerate(patch):
        name = operation.get("op") if isinstance(operation, dict) else None
        if not isinstance(name, str) or name not in _OPERATIONS:
            raise _bad_operation(index, f"needs an op, one of {', '.join(sorted(_OPERATIONS))}")
        if not isinstance(operation.get("path"), str):
            raise _bad_operation(index, "needs a path")
        if name in ("move", "copy") and not isinstance(operation.get("from"), str):
            raise _bad_operation(index, "needs a from")
        if name in ("add", "replace", "test") and "value" not in operation:
            raise _bad_operation(index, "needs a value")
    return patch


def apply(dataset: FileDataset, patch: Patch) -> bool:
    """Apply a patch to an instance; elements that it does not change keep the bytes of the file.

    Returns:
        Whether it changes anything

    Raises:
        PatchError: it does not fit
    """
    before = instance_json.serialize(dataset).model
    after = _patched(before, patch)
    changed = list(_changed_tags(before, after))
    for tag in changed:
        _refuse_protected(tag, after)
    added = [after[tag] for tag in changed if tag in after]
    if not _is_encodable(dataset, added) or attributes.CHARACTER_SET in changed:
        dataset.decode()
        dataset.SpecificCharacterSet = UTF_8
    try:
        _Builder(dataset).update(dataset, before, after)
    except PARSE_ERRORS as error:
        raise PatchError(
            f"The patched elements are not valid DICOM JSON ({type(error).__name__})."
        ) from error
    return bool(changed)


def _patched(model: DicomJson, patch: Patch) -> DicomJson:
    result: Any = copy.deepcopy(model)
    for index, operation in enumerate(patch):
        try:
            result = jsonpatch.JsonPatch([operation]).apply(result, in_place=True)
        except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as error:
            raise _bad_operation(index, _reason(error)) from None
        except (TypeError, AttributeError, LookupError, ValueError):
            raise _bad_operation(index, "is not valid") from None
    if not isinstance(result, dict):
        raise PatchError("The patch replaces the metadata by something that is not an object.")
    return result


def _reason(error: Exception) -> str:
    if isinstance(error, jsonpatch.JsonPatchTestFailed):
        return "tests a value that is another one"
    if isinstance(error, (jsonpatch.JsonPatchConflict, jsonpointer.JsonPointerException)):
        return "names a path that does not exist"
    return "is not valid"


def _bad_operation(index: int, reason: str) -> PatchError:
    """Return the error of an operation, without the library's words: they quote the instance."""
    return PatchError(f"Operation {index} of the patch {reason}.")


def _changed_tags(before: DicomJson, after: DicomJson) -> Iterator[str]:
    for tag in sorted({*before, *after}):
        if before.get(tag) != after.get(tag):
            yield tag


def _refuse_protected(tag: str, after: DicomJson) -> None:
    if not _TAG.fullmatch(tag):
        raise PatchError("A path of the patch names no element: a tag is 8 digits as in 00100010.")
    if tag in _IDENTITY:
        raise PatchError(f"{tag} identifies the instance: it can't be patched.")
    if tag in _PIXELS:
        raise PatchError(f"{tag} is pixel data: update the instance instead.")
    if tag.startswith(_FILE_META):
        raise PatchError(f"{tag} is file meta information: it can't be patched.")
    if tag == attributes.CHARACTER_SET and after.get(tag, {}).get("Value") != [UTF_8]:
        raise PatchError(f"{tag}, the character set, can be patched to {UTF_8} only.")


def _is_encodable(dataset: Dataset, elements: object) -> bool:
    """Whether the character set of an instance surely has the texts of patched elements."""
    if dataset.get("SpecificCharacterSet") == UTF_8:
        return True
    return all(text.isascii() for text in _texts(elements))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


class _Builder:
    """Builder of the changed elements of an instance.

    Args:
        dataset: the instance, whose bulk data elements may refer to
    """

    def __init__(self, dataset: Dataset) -> None:
        self._swap = byte_order.is_big_endian(dataset)
        # Elements are replaced while others still refer to the values that they had.
        self._original = copy.copy(dataset)

    def update(self, dataset: Dataset, before: DicomJson, after: DicomJson) -> None:
        """Make a data set, or an item, equal to its patched model."""
        for tag in _changed_tags(before, after):
            number = int(tag, 16)
            if tag not in after:
                del dataset[number]
            elif _is_sequence(before.get(tag)) and _is_sequence(after[tag]):
                items = self._items(
                    dataset[number].value, before[tag]["Value"], after[tag]["Value"]
                )
                dataset[number].value = list(items)
            else:
                dataset.update(self._build({tag: after[tag]}))

    def _items(
        self, items: Sequence[Dataset], before: Sequence[DicomJson], after: Sequence[DicomJson]
    ) -> Iterator[Dataset]:
        """Yield the items of a sequence; those that are unchanged as they are in the file."""
        for number, model in enumerate(after):
            if model in before:
                yield items[before.index(model)]
            elif number < len(before):
                item = copy.deepcopy(items[number])
                self.update(item, before[number], model)
                yield item
            else:
                yield self._build(model)

    def _build(self, model: DicomJson) -> Dataset:
        for tag, element in _elements(model):
            _check_vr(tag, element)
        built = Dataset.from_json(model, self._bulk_value)
        if self._swap:
            byte_order.swap_words(built)
        return built

    def _bulk_value(self, tag: str, _vr: str, uri: str) -> bytes:
        """Return the value that a BulkDataURI of the metadata refers to."""
        match = _BULK_DATA.fullmatch(str(uri))
        if match is None:
            raise PatchError(f"{tag} has a BulkDataURI that is none of this instance.")
        *outer, last = match[1].split("/")
        item: Any = self._original
        try:
            for sequence, number in zip(outer[::2], outer[1::2], strict=True):
                item = item[int(sequence, 16)].value[int(number)]
            value = item[int(last, 16)].value
        except PARSE_ERRORS:
            raise PatchError(f"{tag} has a BulkDataURI that is none of this instance.") from None
        if not isinstance(value, bytes):
            raise PatchError(f"{tag} refers to numbers, which have no bytes: write them as Value.")
        return byte_order.swap(value, _vr) if self._swap and _vr in byte_order.WORD_BYTES else value


def _is_sequence(element: Any) -> bool:
    return isinstance(element, dict) and element.get("vr") == "SQ" and bool(element.get("Value"))


def _elements(model: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each element of a data set and of its items.

    Raises:
        PatchError: something is not an element
    """
    if not isinstance(model, dict):
        raise PatchError("An item of a patched sequence is not an object.")
    for tag, element in model.items():
        if not _TAG.fullmatch(tag) or not isinstance(element, dict):
            raise PatchError(f"{tag[:20]!r} is not an element of DICOM JSON.")
        yield tag, element
        if element.get("vr") == "SQ":
            for item in element.get("Value") or []:
                yield from _elements(item)


def _check_vr(tag: str, element: Mapping[str, Any]) -> None:
    vr, number = element.get("vr"), int(tag, 16)
    if not isinstance(vr, str):
        raise PatchError(f"{tag} has no vr.")
    if dictionary_has_tag(number) and vr not in (allowed := dictionary_VR(number)).split(" or "):
        raise PatchError(f"{tag} must be of the vr {allowed}.")
