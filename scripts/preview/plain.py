"""The losses of a preview as plain text, for the end of a long diff in a terminal."""

from scripts.preview.loss import LOSES_DATA, losses
from scripts.preview.model import Preview
from scripts.preview.sentences import text


def plain(preview: Preview, *, hide: bool = False, exit_code: int = 0) -> str:
    """Return the losses of a preview, one a line.

    Args:
        preview: the preview
        hide: write no values and no names of the cloud, only the program's names
        exit_code: of `pulumi preview`
    """
    failed = preview.failed or bool(exit_code)
    lost = [f"  - {text(loss.sentence)}" for loss in losses(preview, hide=hide)]
    if not lost:
        unknown = "The preview failed: whether data would be lost is not known."
        return f"{unknown if failed else 'No data would be lost.'}\n"
    incomplete = ["The preview failed: the list may be incomplete."] if failed else []
    return "\n".join([f"{LOSES_DATA}:", *lost, *incomplete]) + "\n"
