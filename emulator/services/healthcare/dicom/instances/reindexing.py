"""Rows of the index that an earlier version wrote and this one would write otherwise.

A migration marks them; the files are read again at the next start, before the first request.
"""

import json
import logging
from sqlite3 import Connection

from pydicom.datadict import dictionary_VR, keyword_for_tag

from emulator.core.database import Database
from emulator.services.healthcare.dicom.instances import other_values
from emulator.services.healthcare.dicom.instances.blob_store import BlobStore
from emulator.services.healthcare.dicom.instances.group_commit import schema_key
from emulator.services.healthcare.dicom.parsing import parser
from emulator.services.healthcare.dicom.parsing.instance_json import compact
from emulator.services.healthcare.dicom.parsing.parser import ParseError, Record

LOG = logging.getLogger(__name__)
_BATCH = 500
_SCHEMA = """
CREATE TABLE dicom_outdated (
    instance INTEGER PRIMARY KEY REFERENCES dicom_instances (id) ON DELETE CASCADE
)
"""
_FILE_META = ("00020002", "00020003", "00020010", "00020012", "00020013", "00020016")
_ODD_TEXTS = ("NaN", "Infinity", '""', '"UN"', '"Ideographic"', '"Phonetic"')
"""In metadata: numbers that JSON lacks, empty components, unread values, groups of names."""
_ODD_CELLS = ('"nan"', '"inf"', '"-inf"', '"(')
"""In rows of BigQuery: the same numbers, and tags, of private elements."""
_SEVERAL = ("00080020", "00080050", "00080090", "00100010", "00100020")
"""Elements of a study that searches match, all of whose values they match now."""


def mark_odd_values(connection: Connection) -> None:
    """Migrate the state: mark instances whose values are read otherwise than before."""
    connection.execute(_SCHEMA)
    several = [
        "CASE WHEN json_valid(study_attributes) THEN"
        f" json_array_length(study_attributes, '$.\"{tag}\".Value') > 1 END"
        for tag in _SEVERAL
    ]
    conditions = [
        "frames < 1",
        "patient_name_folded LIKE '% %' OR patient_name_folded LIKE '%^'",
        "referring_physician_folded LIKE '% %' OR referring_physician_folded LIKE '%^'",
        "patient_id LIKE ' %' OR accession_number LIKE ' %'",
        *(f"instr(metadata, '{text}')" for text in _ODD_TEXTS),
        *(f"instr(bigquery_row, '{text}')" for text in _ODD_CELLS),
        *several,
    ]
    connection.execute(
        "INSERT INTO dicom_outdated SELECT id FROM dicom_instances"  # noqa: S608 - our own texts
        f" WHERE {' OR '.join(conditions)}"
    )


def add_file_meta(connection: Connection) -> None:
    """Migrate the state: add the file meta information, which BigQuery's rows have, to metadata."""
    keywords = {tag: str(keyword_for_tag(tag)) for tag in _FILE_META}
    ids = connection.execute("SELECT id FROM dicom_instances").fetchall()
    for (instance,) in ids:
        row, metadata = connection.execute(
            "SELECT bigquery_row, metadata FROM dicom_instances WHERE id = ?", [instance]
        ).fetchone()
        values = json.loads(row)
        found = {
            tag: {"Value": [values[keyword]], "vr": dictionary_VR(tag)}
            for tag, keyword in keywords.items()
            if keyword in values
        }
        connection.execute(
            "UPDATE dicom_instances SET metadata = ? WHERE id = ?",
            [f"{compact(found)[:-1]},{metadata[1:]}" if found else metadata, instance],
        )


def reindex(database: Database, blobs: BlobStore) -> None:
    """Read the files of all marked instances again."""
    while True:
        with database.read() as connection:
            rows = connection.execute(
                "SELECT id, store, sha256 FROM dicom_outdated JOIN dicom_instances"
                " ON id = instance ORDER BY id LIMIT ?",
                [_BATCH],
            ).fetchall()
        if not rows:
            return
        records = [(row["id"], row["store"], _record(blobs, row["sha256"])) for row in rows]
        with database.write() as connection:
            for instance, store, record in records:
                if record is not None:
                    _update(connection, instance, store, record)
                connection.execute("DELETE FROM dicom_outdated WHERE instance = ?", [instance])


def _record(blobs: BlobStore, name: str) -> Record | None:
    try:
        return parser.parse(blobs.path(name), name)
    except (ParseError, OSError) as error:
        LOG.warning("The file %s can't be read again: %s", name, type(error).__name__)
        return None


def _update(connection: Connection, instance: int, store: str, record: Record) -> None:
    schema = schema_key(record.schema)
    connection.execute("INSERT OR IGNORE INTO dicom_schemas VALUES (?, ?)", (schema, record.schema))
    columns = {
        "frames": record.frames,
        "patient_id": record.patient_id,
        "patient_name": record.patient_name,
        "study_date": record.study_date,
        "accession_number": record.accession_number,
        "referring_physician": record.referring_physician,
        "modality": record.modality,
        "patient_name_folded": record.patient_name_folded,
        "referring_physician_folded": record.referring_physician_folded,
        "study_attributes": record.study,
        "series_attributes": record.series,
        "instance_attributes": record.instance,
        "metadata": record.metadata,
        "bigquery_row": record.row,
        "bigquery_schema": schema,
    }
    names = ", ".join(f"{name} = ?" for name in columns)
    connection.execute(
        f"UPDATE dicom_instances SET {names} WHERE id = ?",  # noqa: S608 - names of columns
        [*columns.values(), instance],
    )
    other_values.add(connection, instance, store, record.other_values)
