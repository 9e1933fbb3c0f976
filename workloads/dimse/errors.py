"""Errors of the adapter, and the DIMSE statuses that peers get for them."""

from pydicom.dataset import Dataset

SUCCESS = 0x0000
PROCESSING_FAILURE = 0x0110
DUPLICATE_INSTANCE = 0x0111
NO_SUCH_INSTANCE = 0x0112
NOT_AUTHORIZED = 0x0124
OUT_OF_RESOURCES = 0xA700
UNABLE_TO_PERFORM = 0xA702
DESTINATION_UNKNOWN = 0xA801
DATASET_MISMATCH = 0xA900
"""Also an identifier that does not match the SOP class."""
CANNOT_UNDERSTAND = 0xC000
CANCELLED = 0xFE00
PENDING = 0xFF00
PENDING_WITH_WARNING = 0xFF01
"""Matches continue, and an optional key was not supported by the store (PS3.4 C.4.1.1.4)."""

MAX_COMMENT = 64
"""Characters of ErrorComment (0000,0902), whose VR is LO."""


class UsageError(Exception):
    """An option, a file or a service that the adapter can't start with, in a sentence."""


class Refusal(Exception):  # noqa: N818 (a request fails, not the adapter)
    """A request that fails, with what its peer gets as the answer.

    Args:
        status: of DIMSE
        comment: the reason, without patient data
    """

    def __init__(self, status: int, comment: str) -> None:
        super().__init__(comment)
        self.status, self.comment = status, comment


def status_dataset(refusal: Refusal) -> Dataset:
    """Return the status and the Error Comment of a response."""
    dataset = Dataset()
    dataset.Status = refusal.status
    dataset.ErrorComment = error_comment(refusal.comment)
    return dataset


def error_comment(text: str) -> str:
    """Return a text as an Error Comment can hold it: 64 characters of ASCII on one line."""
    plain = " ".join(text.encode("ascii", "replace").decode().replace("\\", "/").split())
    return plain if len(plain) <= MAX_COMMENT else plain[: MAX_COMMENT - 3] + "..."
