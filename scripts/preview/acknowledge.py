"""Acknowledgement of a loss of data."""

import json
from dataclasses import dataclass

from scripts.preview.errors import PreviewInputError

DEFAULT_LABEL = "acknowledge-data-loss"


@dataclass(frozen=True)
class Acknowledgement:
    """The acknowledgement of a loss: `by` is `flag`, `label`, or empty for none."""

    by: str = ""
    label: str = DEFAULT_LABEL

    def __bool__(self) -> bool:
        """Return whether it was acknowledged."""
        return bool(self.by)


def acknowledgement(*, flag: bool, labels: str, label: str) -> Acknowledgement:
    """Return the acknowledgement by the flag or a label of the pull request.

    Args:
        flag: whether `--acknowledge` is set
        labels: a JSON list, or names separated by commas or line breaks
        label: the name of the label that acknowledges; case-insensitive, as on GitHub

    Raises:
        PreviewInputError: `labels` begins like a JSON list, but is not a list of names
    """
    if flag:
        return Acknowledgement("flag", label)
    wanted = label.strip().casefold()
    given = {name.strip().casefold() for name in _names(labels)}
    return Acknowledgement("label" if wanted and wanted in given else "", label)


def _names(labels: str) -> list[str]:
    if not labels.lstrip().startswith("["):
        return labels.replace("\n", ",").split(",")
    try:
        found = json.loads(labels)
    except json.JSONDecodeError as error:
        raise PreviewInputError(
            f"--labels is not a JSON list ({error.msg}): separate the names by commas, or pass "
            "`toJSON(github.event.pull_request.labels.*.name)`"
        ) from None
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise PreviewInputError("--labels is JSON, but not a list of names")
    return found
