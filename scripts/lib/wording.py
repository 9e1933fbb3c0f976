"""Words of messages that depend on a number."""


def plural(count: int, noun: str) -> str:
    """Return `1 DICOM store`, `2 DICOM stores`."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("ry") else f"{count} {noun}s"
