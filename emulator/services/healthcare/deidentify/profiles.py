"""Which action each attribute gets: profiles, lists, and the actions of v1beta1's tag config.

The basic profile is that of DICOM PS3.15 E.1, from the tables of the library dicom-anonymizer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as standard
from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.tag import BaseTag, Tag


class Action(Enum):
    """What becomes of an attribute, in the words of v1beta1's `Action`."""

    KEEP = "keepTag"
    DELETE = "deleteTag"
    EMPTY = "removeTag"
    RESET = "resetTag"
    NEW_UID = "regenUidTag"
    CLEAN_TEXT = "cleanTextTag"
    RECURSE = "recurseTag"


class Base(Enum):
    """What is done with attributes that nothing else is said of."""

    KEEP_ALL = "KEEP_ALL_PROFILE"
    MINIMAL = "MINIMAL_KEEP_LIST_PROFILE"
    BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
    CLEAN_TEXT = "DEIDENTIFY_TAG_CONTENTS"
    KEEP_LIST = "keepList"
    REMOVE_LIST = "removeList"


def _tags(*keywords: str) -> frozenset[BaseTag]:
    return frozenset(Tag(keyword) for keyword in keywords)


IDENTITY = _tags("SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
"""Without these no store takes an instance."""
PIXELS = _tags("PixelData", "FloatPixelData", "DoubleFloatPixelData")
REQUIRED = (
    IDENTITY
    | PIXELS
    | _tags(
        "Rows",
        "Columns",
        "SamplesPerPixel",
        "PhotometricInterpretation",
        "PlanarConfiguration",
        "NumberOfFrames",
        "BitsAllocated",
        "BitsStored",
        "HighBit",
        "PixelRepresentation",
        "PixelAspectRatio",
        "SmallestImagePixelValue",
        "LargestImagePixelValue",
        "RedPaletteColorLookupTableDescriptor",
        "GreenPaletteColorLookupTableDescriptor",
        "BluePaletteColorLookupTableDescriptor",
        "RedPaletteColorLookupTableData",
        "GreenPaletteColorLookupTableData",
        "BluePaletteColorLookupTableData",
        "ExtendedOffsetTable",
        "ExtendedOffsetTableLengths",
        "SpecificCharacterSet",
    )
)
"""What an instance with a picture needs: the minimal profile, and part of every keep list."""
TEXT = frozenset({"AE", "AS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "UC", "UT"})
"""The value representations whose text can be cleaned."""
DESCRIPTORS = _tags(
    "AcquisitionComments",
    "AdditionalPatientHistory",
    "AdmittingDiagnosesDescription",
    "DerivationDescription",
    "ImageComments",
    "PatientComments",
    "PerformedProcedureStepDescription",
    "ProtocolName",
    "ReasonForStudy",
    "RequestedProcedureDescription",
    "SeriesDescription",
    "StudyComments",
    "StudyDescription",
)
"""What the option to clean descriptors (PS3.15 E.3.5) keeps, cleaned."""


@dataclass(frozen=True)
class Custom:
    """An action for chosen attributes.

    Attributes:
        tags: the attributes.
        vrs: value representations, all of whose attributes are chosen.
        action: what becomes of them.
    """

    tags: frozenset[int]
    vrs: frozenset[str]
    action: Action


@dataclass(frozen=True)
class Profile:
    """Which action each attribute gets.

    Attributes:
        base: what is done with attributes that the rest says nothing of.
        listed: the tags of a keep or remove list.
        new_ids: whether studies, series and instances get new UIDs.
        custom: actions that come before all else.
        clean_descriptors: whether descriptions are cleaned, where the basic profile removes them.
    """

    base: Base
    listed: frozenset[int] = frozenset()
    new_ids: bool = True
    custom: tuple[Custom, ...] = ()
    clean_descriptors: bool = False

    def action(self, tag: BaseTag, vr: str) -> Action:
        """Say what becomes of an attribute."""
        for custom in self.custom:
            if tag in custom.tags or vr in custom.vrs:
                return custom.action
        if names_an_instance(tag):
            return Action.NEW_UID if self.new_ids else Action.KEEP
        if self.clean_descriptors and tag in DESCRIPTORS:
            return Action.CLEAN_TEXT
        return self._by_base(tag, vr)

    def _by_base(self, tag: BaseTag, vr: str) -> Action:
        if self.base is Base.BASIC:
            return basic(tag)
        if self.base in (Base.MINIMAL, Base.KEEP_LIST):
            return Action.KEEP if tag in REQUIRED or tag in self.listed else Action.DELETE
        if self.base is Base.REMOVE_LIST:
            return Action.DELETE if tag in self.listed else Action.KEEP
        if self.base is Base.CLEAN_TEXT and vr in TEXT:
            return Action.CLEAN_TEXT
        return Action.KEEP

    def inside(self) -> "Profile":
        """Give the profile of what a kept sequence holds: a list names sequences as a whole."""
        return replace(self, base=Base.KEEP_ALL) if self.base is Base.KEEP_LIST else self


def names_an_instance(tag: BaseTag) -> bool:
    """Whether an attribute holds the UID of a study, a series or an instance, or refers to one."""
    return "InstanceUID" in keyword_for_tag(tag) and basic(tag) is Action.NEW_UID


@cache
def basic(tag: BaseTag) -> Action:
    """Say what the basic profile does: where it leaves a choice, what stays valid in any IOD."""
    if tag.is_private:
        return Action.DELETE
    if tag in _exact():
        return _exact()[tag]
    for group, element, group_mask, element_mask in _masked():
        if (tag.group & group_mask, tag.element & element_mask) == (group, element):
            return Action.DELETE
    return Action.KEEP


@cache
def _exact() -> Mapping[int, Action]:
    tables: tuple[tuple[Iterable[tuple[int, ...]], Action], ...] = (
        (standard.D_TAGS, Action.RESET),
        (standard.Z_TAGS, Action.EMPTY),
        (standard.X_TAGS, Action.DELETE),
        (standard.U_TAGS, Action.NEW_UID),
        (standard.Z_D_TAGS, Action.RESET),
        (standard.X_Z_TAGS, Action.EMPTY),
        (standard.X_D_TAGS, Action.RESET),
        (standard.X_Z_D_TAGS, Action.RESET),
        (standard.X_Z_U_STAR_TAGS, Action.RECURSE),
    )
    return {Tag(tag): action for tags, action in tables for tag in tags if len(tag) == 2}


@cache
def _masked() -> tuple[tuple[int, ...], ...]:
    return tuple(tag for tag in standard.X_TAGS if len(tag) == 4)


def find_tag(name: str) -> BaseTag | None:
    """Give the tag of a keyword or of eight hexadecimal digits; None if it is neither."""
    known = tag_for_keyword(name)
    if known is not None:
        return Tag(known)
    digits = name.strip("()").replace(",", "")
    try:
        return Tag(int(digits, 16)) if len(digits) == 8 else None
    except ValueError:
        return None
