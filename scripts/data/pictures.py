"""Pictures of instances, rendered by the DICOM store."""

from pathlib import Path

from scripts.lib import stack
from scripts.lib.cli import Output
from scripts.lib.errors import ScriptError
from scripts.lib.google import clients, dicomweb
from scripts.lib.google.dicomweb import DicomWeb
from scripts.lib.options import Choice


def save(choice: Choice, patient: str, into: Path, maximum: int, output: Output) -> None:
    """Save a patient's pictures as PNG files.

    Args:
        choice: the store
        patient: PatientID
        into: folder for the files
        maximum: how many to save at most
        output: where to report

    Raises:
        ScriptError: the store has none of the patient, or the service refuses
    """
    target = stack.resolve(choice, output.report)
    web = DicomWeb(*clients.dicom_web(target.store))
    saved = []
    for number, instance in zip(range(maximum), web.search(PatientID=patient), strict=False):
        uid = dicomweb.value(instance, dicomweb.SOP_INSTANCE_UID)
        file = into / f"{number:03d}_{uid}.png"
        file.write_bytes(web.fetch_rendered(instance))
        saved.append({"file": str(file), "sop_instance_uid": uid})
        output.result(str(file))
    if not saved:
        raise ScriptError(
            f"{target.store} has no instance of that patient.",
            "Import first (import_dicom.py), or name another --patient.",
        )
    output.json({"store": target.store, "files": saved})
