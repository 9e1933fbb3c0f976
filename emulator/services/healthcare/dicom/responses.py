"""Requests and answers of the DICOM stores' JSON calls: import, export, metrics, storage class."""

from typing import Any

from emulator.core.errors import not_found
from emulator.core.rest import Call
from emulator.services.healthcare.dicom.operations import blob_storage_settings, exporter, importer
from emulator.services.healthcare.dicom.resource_path import ResourcePath
from emulator.services.healthcare.dicom.service import Dicom
from emulator.services.healthcare.stores import schema


def resource_path_of(call: Call[Dicom]) -> ResourcePath:
    """Return the store of a path, or the resource below it.

    Raises:
        ApiError: 404 for a store that is not there, 400 or 403 where its dataset's key can't be
            used.
    """
    path = call.path
    store = call.service.context.stores.require_store("dicomStores", path)
    return ResourcePath(store, path.get("study"), path.get("series"), path.get("instance"))


def import_data(call: Call[Dicom]) -> dict[str, Any]:
    """Start an import."""
    schema.check(call.version, "ImportDicomDataRequest", call.body)
    return importer.begin(call.service, resource_path_of(call).store, call.body, call.version)


def export_data(call: Call[Dicom]) -> dict[str, Any]:
    """Start an export."""
    schema.check(call.version, "ExportDicomDataRequest", call.body)
    return exporter.begin(call.service, resource_path_of(call).store, call.body, call.version)


def set_blob_storage_settings(call: Call[Dicom]) -> dict[str, Any]:
    """Start to change the storage class of instances."""
    schema.check(call.version, "SetBlobStorageSettingsRequest", call.body)
    return blob_storage_settings.begin(
        call.service, resource_path_of(call), call.body, call.version
    )


def metrics(call: Call[Dicom]) -> dict[str, Any]:
    """Count what a store, a study or a series holds."""
    resource_path = resource_path_of(call)
    columns = (
        "COUNT(*) AS instances, COUNT(DISTINCT series) AS series, COUNT(DISTINCT study) AS studies,"
        " COALESCE(SUM(size), 0) AS blob_bytes,"
        " COALESCE(SUM(LENGTH(metadata)), 0) AS structured_bytes"
    )
    row = call.service.contents.find(resource_path, columns)[0]
    if resource_path.study and not row["instances"]:
        raise not_found(f"{resource_path.id} does not exist.")
    counts = {
        "instanceCount": str(row["instances"]),
        "blobStorageSizeBytes": str(row["blob_bytes"]),
        "structuredStorageSizeBytes": str(row["structured_bytes"]),
    }
    if resource_path.series:
        return {"series": str(resource_path), **counts}
    counts["seriesCount"] = str(row["series"])
    if resource_path.study:
        return {"study": str(resource_path), **counts}
    return {"name": resource_path.store, "studyCount": str(row["studies"]), **counts}


def storage_info(call: Call[Dicom]) -> dict[str, Any]:
    """Return the storage of an instance."""
    resource_path = resource_path_of(call)
    columns = "size, storage_class, updated, LENGTH(metadata) AS structured"
    rows = call.service.contents.find(resource_path, columns)
    if not rows:
        raise not_found(f"{resource_path.instance} does not exist.")
    [row] = rows
    return {
        "referencedResource": str(resource_path),
        "blobStorageInfo": {
            "sizeBytes": str(row["size"]),
            "storageClass": row["storage_class"],
            "storageClassUpdateTime": row["updated"],
        },
        "structuredStorageInfo": {"sizeBytes": str(row["structured"])},
    }
