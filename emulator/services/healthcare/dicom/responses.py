"""Requests and answers of the DICOM stores' JSON calls: import, export, metrics, storage class."""

from typing import Any

from emulator.errors import not_found
from emulator.healthcare import encryption, schema
from emulator.healthcare.dicom import exporter, importer, storage_settings
from emulator.healthcare.dicom.places import Place
from emulator.healthcare.kinds import KINDS
from emulator.healthcare.responses import store_name
from emulator.http import Call

_KIND = KINDS["dicomStores"]


def place_of(call: Call) -> Place:
    """Give the store of a path, or what is named below it.

    Raises:
        ApiError: 404 for a store that is not there, 400 or 403 where its dataset's key can't be
            used.
    """
    store = call.cloud.healthcare.get(store_name(_KIND, call))["name"]
    encryption.require(call.cloud, store.rpartition("/dicomStores/")[0])
    path = call.path
    return Place(store, path.get("study"), path.get("series"), path.get("instance"))


def import_data(call: Call) -> dict[str, Any]:
    """Start an import."""
    schema.check(call.version, "ImportDicomDataRequest", call.body)
    return importer.begin(call.cloud, place_of(call).store, call.body, call.version)


def export_data(call: Call) -> dict[str, Any]:
    """Start an export."""
    schema.check(call.version, "ExportDicomDataRequest", call.body)
    return exporter.begin(call.cloud, place_of(call).store, call.body, call.version)


def set_blob_storage_settings(call: Call) -> dict[str, Any]:
    """Start to change the storage class of what is stored."""
    schema.check(call.version, "SetBlobStorageSettingsRequest", call.body)
    return storage_settings.begin(call.cloud, place_of(call), call.body, call.version)


def metrics(call: Call) -> dict[str, Any]:
    """Count what a store, a study or a series holds."""
    place = place_of(call)
    columns = (
        "COUNT(*) AS instances, COUNT(DISTINCT series) AS series, COUNT(DISTINCT study) AS studies,"
        " COALESCE(SUM(size), 0) AS blob_bytes,"
        " COALESCE(SUM(LENGTH(metadata)), 0) AS structured_bytes"
    )
    row = call.cloud.dicom.contents.find(place, columns)[0]
    if place.study and not row["instances"]:
        raise not_found(f"{place.series or place.study} does not exist.")
    counts = {
        "instanceCount": str(row["instances"]),
        "blobStorageSizeBytes": str(row["blob_bytes"]),
        "structuredStorageSizeBytes": str(row["structured_bytes"]),
    }
    path = f"{place.store}/dicomWeb/studies/{place.study}"
    if place.series:
        return {"series": f"{path}/series/{place.series}", **counts}
    counts["seriesCount"] = str(row["series"])
    if place.study:
        return {"study": path, **counts}
    return {"name": place.store, "studyCount": str(row["studies"]), **counts}


def storage_info(call: Call) -> dict[str, Any]:
    """Tell where an instance is stored."""
    place = place_of(call)
    columns = "size, storage_class, updated, LENGTH(metadata) AS structured"
    rows = call.cloud.dicom.contents.find(place, columns)
    if not rows:
        raise not_found(f"{place.sop} does not exist.")
    [row] = rows
    resource = f"{place.store}/dicomWeb/studies/{place.study}/series/{place.series}"
    return {
        "referencedResource": f"{resource}/instances/{place.sop}",
        "blobStorageInfo": {
            "sizeBytes": str(row["size"]),
            "storageClass": row["storage_class"],
            "storageClassUpdateTime": row["updated"],
        },
        "structuredStorageInfo": {"sizeBytes": str(row["structured"])},
    }
