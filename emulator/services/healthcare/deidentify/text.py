"""Take what is sensitive out of texts, as a TextConfig says.

https://cloud.google.com/healthcare-api/docs/reference/rest/v1/DeidentifyConfig#TextConfig
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from pydicom.valuerep import MAX_VALUE_LEN

from emulator.healthcare.deidentify import surrogates
from emulator.healthcare.deidentify.sensitive import DATE, Detector, Finding

FORMATS = ("%Y%m%d", "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d.%m.%Y", "%m-%d-%Y")
"""The writings of a date that can be shifted; others give way to their kind."""
_NO_TEXT = frozenset({"AS", "DA", "DT"})
"""Value representations that take no words."""


class Method(Enum):
    """What takes the place of a finding, in the words of `InfoTypeTransformation`."""

    REDACT = "redactConfig"
    MASK = "characterMaskConfig"
    HASH = "cryptoHashConfig"
    SHIFT = "dateShiftConfig"
    KIND = "replaceWithInfoTypeConfig"


@dataclass(frozen=True)
class Transformation:
    """What is done with some kinds of information.

    Attributes:
        method: what takes their place.
        kinds: the kinds; none means any that no other transformation names.
        mask: the character of `MASK`.
        key: of `HASH` and `SHIFT`; the operation's own if empty.
    """

    method: Method
    kinds: frozenset[str] = frozenset()
    mask: str = "*"
    key: bytes = b""


@dataclass(frozen=True)
class TextRules:
    """What is done with sensitive texts.

    Attributes:
        transformations: the first that fits applies.
        without: kinds that stay.
        contextual: whether what the instance itself calls identifying gives way to `[CTX]`.
        nothing: whether only the transformations apply, and no default.
    """

    transformations: tuple[Transformation, ...] = ()
    without: frozenset[str] = frozenset()
    contextual: bool = False
    nothing: bool = False

    def transformation(self, kind: str) -> Transformation | None:
        """Give what is done with a kind; None if it stays."""
        for named in (True, False):
            for one in self.transformations:
                if (kind in one.kinds) if named else not one.kinds:
                    return one
        if self.nothing:
            return None
        return Transformation(Method.SHIFT if kind == DATE else Method.KIND)


class Cleaner:
    """Cleans the texts of one instance.

    Args:
        rules: what is done.
        detector: what finds.
        key: the operation's own key.
        patient: whose dates shift together.
    """

    def __init__(self, rules: TextRules, detector: Detector, key: bytes, patient: str) -> None:
        self._rules = rules
        self._detector = detector
        self._key = key
        self._patient = patient

    def clean(self, text: str, vr: str, whole: str | None = None) -> str:
        """Give a text without what is sensitive.

        Args:
            text: a value, or a part of one.
            vr: its value representation.
            whole: the kind of information, where the whole value is one.
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
            parts.append(self._instead(text[finding.start : finding.end], finding.kind, words))
            last = finding.end
        return "".join([*parts, text[last:]])

    def _instead(self, text: str, kind: str, words: bool) -> str:
        how = self._rules.transformation(kind)
        if how is None:
            return text
        if how.method is Method.SHIFT:
            shifted = shift(text, surrogates.days(how.key or self._key, self._patient))
            if shifted is not None:
                return shifted
        if not words or how.method is Method.REDACT:
            return ""
        if how.method is Method.MASK:
            return how.mask * len(text)
        if how.method is Method.HASH:
            return surrogates.surrogate(how.key or self._key, text)
        return "[CTX]" if self._rules.contextual and kind != DATE else f"[{kind}]"


def shift(text: str, days: int) -> str | None:
    """Move a date, or the date that a date and time begins with; None if it is none."""
    for form in FORMATS:
        length = len(datetime(2000, 1, 1).strftime(form))
        try:
            moved = datetime.strptime(text[:length], form) + timedelta(days=days)
        except (ValueError, OverflowError):
            continue
        if re.fullmatch(r"[\d.+-]*", text[length:]):
            return moved.strftime(form) + text[length:]
    return None
