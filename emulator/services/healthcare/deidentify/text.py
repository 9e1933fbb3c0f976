"""Transformation of sensitive text, as a TextConfig says.

https://cloud.google.com/healthcare-api/docs/reference/rest/v1/DeidentifyConfig#TextConfig
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from pydicom.valuerep import MAX_VALUE_LEN

from emulator.services.healthcare.deidentify import surrogates
from emulator.services.healthcare.deidentify.info_types import DATE, Finding, InfoTypeDetector

FORMATS = ("%Y%m%d", "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d.%m.%Y", "%m-%d-%Y")
"""Formats of dates that can be shifted; other dates are replaced with their info type."""
_NO_TEXT = frozenset({"AS", "DA", "DT"})
"""Value representations that do not allow words."""


class Method(Enum):
    """The replacement of a finding, as `InfoTypeTransformation` names it."""

    REDACT = "redactConfig"
    MASK = "characterMaskConfig"
    HASH = "cryptoHashConfig"
    SHIFT = "dateShiftConfig"
    INFO_TYPE = "replaceWithInfoTypeConfig"


@dataclass(frozen=True)
class Transformation:
    """The transformation of some info types.

    Attributes:
        method: of replacement
        info_types: the info types; none for all that no other transformation names
        mask: the character of `MASK`
        key: of `HASH` and `SHIFT`; empty for the operation's own
    """

    method: Method
    info_types: frozenset[str] = frozenset()
    mask: str = "*"
    key: bytes = b""


@dataclass(frozen=True)
class TextRules:
    """The rules for sensitive text.

    Attributes:
        transformations: the first that fits an info type applies
        without: info types that are kept
        contextual: whether identifying values of the instance are replaced with `[CTX]`
        nothing: whether only the transformations apply, and no default
    """

    transformations: tuple[Transformation, ...] = ()
    without: frozenset[str] = frozenset()
    contextual: bool = False
    nothing: bool = False

    def transformation(self, info_type: str) -> Transformation | None:
        """Return the transformation of an info type; None to keep it."""
        for named in (True, False):
            for one in self.transformations:
                if (info_type in one.info_types) if named else not one.info_types:
                    return one
        if self.nothing:
            return None
        return Transformation(Method.SHIFT if info_type == DATE else Method.INFO_TYPE)


class TextTransformer:
    """Transformer of the texts of one instance.

    Args:
        rules: for sensitive text
        detector: of sensitive text
        key: the operation's own key
        patient: all dates of a patient are shifted alike
    """

    def __init__(
        self, rules: TextRules, detector: InfoTypeDetector, key: bytes, patient: str
    ) -> None:
        self._rules = rules
        self._detector = detector
        self._key = key
        self._patient = patient

    def clean(self, text: str, vr: str, whole: str | None = None) -> str:
        """Return a text without its sensitive parts.

        Args:
            text: a value, or a part of one
            vr: its value representation
            whole: the info type of the whole value, if it is one
        """
        if not text:
            return text
        if whole in self._rules.without:
            return text
        findings = [Finding(0, len(text), whole)] if whole else self._detector.find(text)
        cleaned = self._replaced(text, findings, words=vr not in _NO_TEXT)
        longest = MAX_VALUE_LEN.get(vr)
        return cleaned[:longest] if longest else cleaned

    def _replaced(self, text: str, findings: Sequence[Finding], *, words: bool) -> str:
        parts, last = [], 0
        for finding in findings:
            parts.append(text[last : finding.start])
            parts.append(self._instead(text[finding.start : finding.end], finding.info_type, words))
            last = finding.end
        return "".join([*parts, text[last:]])

    def _instead(self, text: str, info_type: str, words: bool) -> str:
        transformation = self._rules.transformation(info_type)
        if transformation is None:
            return text
        if transformation.method is Method.SHIFT:
            shifted = shift(text, surrogates.days(transformation.key or self._key, self._patient))
            if shifted is not None:
                return shifted
        if not words or transformation.method is Method.REDACT:
            return ""
        if transformation.method is Method.MASK:
            return transformation.mask * len(text)
        if transformation.method is Method.HASH:
            return surrogates.surrogate(transformation.key or self._key, text)
        return "[CTX]" if self._rules.contextual and info_type != DATE else f"[{info_type}]"


def shift(text: str, days: int) -> str | None:
    """Return a shifted date, or date and time; None if the text is neither."""
    for form in FORMATS:
        length = len(datetime(2000, 1, 1).strftime(form))
        try:
            moved = datetime.strptime(text[:length], form) + timedelta(days=days)
        except (ValueError, OverflowError):
            continue
        if re.fullmatch(r"[\d.+-]*", text[length:]):
            return moved.strftime(form) + text[length:]
    return None
