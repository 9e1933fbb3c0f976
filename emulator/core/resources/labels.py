"""The rules of labels, the same in every service.

Inferred (conformance: label-text): the text of a refusal.
"""

import re
from collections.abc import Mapping

from emulator.core.errors import invalid_argument

_MAX_LABELS = 64
_LABEL = {
    "key": re.compile(r"[^\W\dA-Z_][\w-]{0,62}"),
    "value": re.compile(r"[\w-]{0,63}"),
}


def check_labels(labels: Mapping[str, str]) -> None:
    """Refuse labels against https://cloud.google.com/healthcare-api/docs/how-tos/labeling-resources.

    Raises:
        ApiError: 400, naming the label.
    """
    if len(labels) > _MAX_LABELS:
        raise invalid_argument(f"{len(labels)} labels: at most {_MAX_LABELS} are allowed")
    for key, value in labels.items():
        for part, text in (("key", key), ("value", value)):
            if not _LABEL[part].fullmatch(text) or text != text.lower():
                raise invalid_argument(
                    f"invalid label {part} {text!r}: lowercase letters, digits, _ and -, at most 63"
                    + (", beginning with a letter" if part == "key" else "")
                )
