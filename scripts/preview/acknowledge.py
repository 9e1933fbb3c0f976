"""Who said that the data may go."""

import json
from dataclasses import dataclass

from scripts.preview.errors import PreviewInputError

DEFAULT_LABEL = "acknowledge-data-loss"


@dataclass(frozen=True)
class Acknowledgement:
    """How a loss was acknowledged: `by` is `flag`, `label`, or empty for not at all."""

    by: str = ""
    label: str = DEFAULT_LABEL

    def __bool__(self) -> bool:
        """Tell whether it was acknowledged."""
        return bool(self.by)


def acknowledgement(*, flag: bool, labels: str, label: str) -> Acknowledgement:
    """Decide from the flag and the labels of the pull request.

    Args:
        flag: `--acknowledge` was given.
        labels: The labels: a JSON list, or names between commas or line breaks.
        label: The name of the one that acknowledges; case makes no difference on GitHub.

    Raises:
        PreviewInputError: `labels` begins like a JSON list, but is none of names.
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
            f"--labels is not a JSON list ({error.msg}): pass the names between commas, or what "
            "`toJSON(github.event.pull_request.labels.*.name)` gives"
        ) from None
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise PreviewInputError("--labels is JSON, but no list of names")
    return found
