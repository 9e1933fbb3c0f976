"""The action for each attribute: profiles, lists, and the actions of v1beta1's tag config.

The basic profile is that of DICOM PS3.15 E.1, from the tables of the library dicom-anonymizer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from types import ModuleType

from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.tag import BaseTag, Tag


class Action(Enum):
    """An action on an attribute, as v1beta1's `Action` names it."""

    KEEP = "keepTag"
    DELETE = "deleteTag"
    EMPTY = "removeTag"
    RESET = "resetTag"
    NEW_UID = "regenUidTag"
    CLEAN_TEXT = "cleanTextTag"
    RECURSE = "recurseTag"


class Base(Enum):
    """The default action for attributes."""

    KEEP_ALL = "KEEP_ALL_PROFILE"
    MINIMAL = "MINIMAL_KEEP_LIST_PROFILE"
    BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
    CLEAN_TEXT = "DEIDENTIFY_TAG_CONTENTS"
    KEEP_LIST = "keepList"
    REMOVE_LIST = "removeList"


def _tags(*keywords: str) -> frozenset[BaseTag]:
    return frozenset(Tag(keyword) for keyword in keywords)


IDENTITY = _tags("SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
"""Attributes without which no store accepts an instance."""
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
"""Attributes that a picture needs: the minimal profile, and part of every keep list."""
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
"""Attributes that the option to clean descriptors (PS3.15 E.3.5) keeps, cleaned."""


@dataclass(frozen=True)
class Custom:
    """An action for chosen attributes.

    Attributes:
        tags: the attributes
        vrs: value representations whose attributes are all chosen
        action: the action on them
    """

    tags: frozenset[int]
    vrs: frozenset[str]
    action: Action


@dataclass(frozen=True)
class Profile:
    """The actions for all attributes.

    Attributes:
        base: the default action
        listed: the tags of a keep or remove list
        new_ids: whether studies, series and instances get new UIDs
        custom: actions that take precedence
        clean_descriptors: whether descriptions are cleaned that the basic profile removes
    """

    base: Base
    listed: frozenset[int] = frozenset()
    new_ids: bool = True
    custom: tuple[Custom, ...] = ()
    clean_descriptors: bool = False

    def action(self, tag: BaseTag, vr: str) -> Action:
        """Return the action for an attribute."""
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
        """Return the profile for items of a kept sequence: a list names sequences as a whole."""
        return replace(self, base=Base.KEEP_ALL) if self.base is Base.KEEP_LIST else self


def names_an_instance(tag: BaseTag) -> bool:
    """Whether an attribute holds the UID of a study, a series or an instance, or refers to one."""
    return "InstanceUID" in keyword_for_tag(tag) and basic(tag) is Action.NEW_UID


@cache
def basic(tag: BaseTag) -> Action:
    """Return the action of the basic profile; of its choices, the one that is valid in any IOD."""
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
    standard = _standard()
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
    return tuple(tag for tag in _standard().X_TAGS if len(tag) == 4)


def _standard() -> ModuleType:
    # 1 MB of tables: not before the first de-identification.
    from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c

    tables: ModuleType = dicomfields_2026c
    return tables


def find_tag(name: str) -> BaseTag | None:
    """Return the tag of a keyword or of eight hexadecimal digits; None if it is neither."""
    known = tag_for_keyword(name)
    if known is not None:
        return Tag(known)
    digits = name.strip("()").replace(",", "")
    try:
        return Tag(int(digits, 16)) if len(digits) == 8 else None
    except ValueError:
        return None
