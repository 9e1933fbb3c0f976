"""Fill the bucket of the patients: add missing objects, change nothing else."""

from pathlib import Path

from emulator.seed.patients import resources
from emulator.services.storage import object_files
from emulator.services.storage.public_bucket import PATIENTS_BUCKET

CONTENT_TYPE = "application/fhir+ndjson"


def object_names() -> list[str]:
    """Return the names of the objects: one for each resource type."""
    return [f"{type_}.ndjson" for type_ in resources.TYPES]


def ensure_patients_bucket(storage: Path) -> int:
    """Add the objects that the bucket lacks, each whole or not at all; return their number.

    Args:
        storage: fake-gcs-server's `-filesystem-root`.

    Raises:
        OSError: the folder is not writable
    """
    folder = storage / PATIENTS_BUCKET
    missing = [name for name in object_names() if not _exists(folder / name)]
    if missing:
        content = resources.build()
        for name in missing:
            object_files.write_object(
                folder / name,
                storage.with_name(f"{storage.name}-drafts"),
                content[name.removesuffix(".ndjson")],
                CONTENT_TYPE,
                {"generator": resources.GENERATOR, "patients": "synthetic"},
            )
    return len(missing)


def _exists(path: Path) -> bool:
    return object_files.metadata_of(path).get("generator") == resources.GENERATOR
