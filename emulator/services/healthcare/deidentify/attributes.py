"""Application of a profile's actions to an instance's attributes."""

from collections.abc import Callable
from typing import Any

import pydicom
from pydicom.dataelem import DataElement, empty_value_for_VR
from pydicom.multival import MultiValue

from emulator.services.healthcare.deidentify import surrogates
from emulator.services.healthcare.deidentify.info_types import info_type_of
from emulator.services.healthcare.deidentify.profiles import Action, Profile
from emulator.services.healthcare.deidentify.text import TextTransformer

DUMMIES: dict[str, Any] = {
    "AS": "000Y",
    "DA": "19000101",
    "DT": "19000101000000",
    "TM": "000000",
    "UR": "http://anonymized.invalid",
}
"""Placeholder by value representation, if neither a word nor a zero is valid."""
WORDS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"})
NUMBERS = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
DUMMY = "ANONYMIZED"


class Attributes:
    """Applies a profile to data sets.

    Args:
        profile: which action each attribute gets
        cleaner: cleans texts
        key: of the new UIDs
    """

    def __init__(self, profile: Profile, cleaner: TextTransformer, key: bytes) -> None:
        self._profile = profile
        self._cleaner = cleaner
        self._key = key

    def apply(self, dataset: pydicom.Dataset) -> None:
        """Change a data set and its sequences."""
        self._apply(dataset, self._profile)

    def _apply(self, dataset: pydicom.Dataset, profile: Profile) -> None:
        for tag in list(dataset.keys()):
            element = dataset[tag]
            self._change(dataset, element, profile.action(element.tag, str(element.VR)), profile)

    def _change(
        self, dataset: pydicom.Dataset, element: DataElement, action: Action, profile: Profile
    ) -> None:
        if action is Action.DELETE:
            del dataset[element.tag]
        elif action is Action.EMPTY:
            element.value = empty_value_for_VR(str(element.VR))
        elif action is Action.RESET:
            self._reset(element)
        elif action is Action.NEW_UID and element.VR == "UI":
            _each(element, lambda uid: surrogates.new_uid(self._key, uid))
        elif element.VR == "SQ":
            for item in element.value:
                self._apply(item, profile.inside())
        elif action is Action.CLEAN_TEXT:
            self._clean(element)

    def _clean(self, element: DataElement) -> None:
        info_type = info_type_of(element.keyword, str(element.VR))
        _each(element, lambda text: self._cleaner.clean(text, str(element.VR), info_type))

    def _reset(self, element: DataElement) -> None:
        """Replace each value with a placeholder that is valid for its value representation."""
        vr = str(element.VR)
        if vr == "SQ":
            # The shape of a structured report stays: its codes' schemes and its numbers of items.
            for item in element.value:
                for tag in list(item.keys()):
                    self._reset(item[tag])
        elif vr == "UI":
            if self._profile.action(element.tag, vr) is not Action.KEEP:
                _each(element, lambda uid: surrogates.new_uid(self._key, uid))
        elif vr in DUMMIES:
            element.value = DUMMIES[vr]
        elif vr == "CS" and element.keyword in ("ValueType", "RelationshipType"):
            return
        elif vr in WORDS:
            element.value = DUMMY
        elif vr in NUMBERS:
            element.value = 0
        else:  # bytes of any type: nothing that could stand for them is valid everywhere
            element.value = b""


def _each(element: DataElement, change: Callable[[str], str]) -> None:
    """Change every value of an element but empty ones."""
    value = element.value
    if isinstance(value, MultiValue):
        element.value = [change(str(one)) if one else one for one in value]
    elif value:
        element.value = change(str(value))
