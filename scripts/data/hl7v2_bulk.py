"""Import and export of HL7v2 messages by Cloud Storage."""

from scripts.data import bulk
from scripts.data.bulk import Work
from scripts.data.stores import HL7V2


def import_work(uri: str) -> Work:
    """Return the import of the files of a URI, which may have wildcards."""
    return bulk.import_work("import_hl7v2.py", HL7V2, uri, {})


def export_work(uri: str, restriction: str, start: str, end: str) -> Work:
    """Return the export into a folder; empty texts leave a restriction out."""
    given = {"filter": restriction, "startTime": start, "endTime": end}
    body = {name: value for name, value in given.items() if value}
    return bulk.export_work("export_hl7v2.py", HL7V2, uri, body)
