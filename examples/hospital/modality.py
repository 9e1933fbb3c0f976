"""An X-ray unit and a workstation: they store and search by DIMSE, as any modality does.

DCMTK's `storescu` and `findscu` do it where they are installed, pynetdicom otherwise.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE

from scripts.lib.errors import ScriptError

XRAY, WORKSTATION = "XRAY", "WORKSTATION"
"""The titles of the modality and of the workstation; the adapter knows both."""
TIMEOUT_SECONDS = 60
_STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
"""SOP class of a search by studies (PS3.4 C.6.2.3)."""
_HINT = "Check that this machine reaches the adapter: its address is internal to the VPC network."

Address = tuple[str, int]


def acquire(original: Path, folder: Path) -> Path:
    """Write a picture as that of a new examination, with UIDs of its own.

    Returns:
        The new file.
    """
    picture = pydicom.dcmread(original)
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(picture, keyword, generate_uid())
    picture.file_meta.MediaStorageSOPInstanceUID = picture.SOPInstanceUID
    file = folder / f"{picture.SOPInstanceUID}.dcm"
    picture.save_as(file)
    return file


def store(files: Sequence[Path], aet: str, address: Address) -> str:
    """Send files by C-STORE, on one association; return the name of the client.

    Raises:
        ScriptError: the adapter can't be reached, or refuses a file
    """
    command = _dcmtk("storescu")
    if command is None:
        _store_by_pynetdicom(files, aet, address)
        return "pynetdicom"
    host, port = address
    titles = ["-aet", XRAY, "-aec", aet]
    _run([command, *titles, host, str(port), *map(str, files)])
    return "storescu"


def find_studies(patient: str, aet: str, address: Address) -> set[str]:
    """Return the Study Instance UIDs of a patient, by C-FIND.

    Raises:
        ScriptError: the adapter can't be reached, or refuses the query
    """
    command = _dcmtk("findscu")
    if command is None:
        return _find_by_pynetdicom(patient, aet, address)
    host, port = address
    keys = ("QueryRetrieveLevel=STUDY", f"PatientID={patient}", "StudyInstanceUID")
    with TemporaryDirectory() as folder:
        titles = ["-S", "-aet", WORKSTATION, "-aec", aet]
        options = ["--extract", "--output-directory", folder]
        options += [word for key in keys for word in ("--key", key)]
        _run([command, *titles, *options, host, str(port)])
        answers = [pydicom.dcmread(file, force=True) for file in Path(folder).iterdir()]
    return {str(answer.StudyInstanceUID) for answer in answers}


def _dcmtk(name: str) -> str | None:
    """Return a program of DCMTK; pynetdicom has others of the same names in its environment."""
    own = Path(sys.prefix, "bin")
    folders = [one for one in os.get_exec_path() if Path(one) != own]
    return shutil.which(name, path=os.pathsep.join(folders))


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise ScriptError(f"{Path(command[0]).name} failed: {lines[-1]}", _HINT)


def _store_by_pynetdicom(files: Sequence[Path], aet: str, address: Address) -> None:
    pictures = [pydicom.dcmread(file) for file in files]
    entity = AE(XRAY)
    for picture in pictures:
        entity.add_requested_context(picture.SOPClassUID, picture.file_meta.TransferSyntaxUID)
    association = entity.associate(*address, ae_title=aet)
    if not association.is_established:
        raise _refused(aet, address)
    try:
        for picture in pictures:
            status = association.send_c_store(picture)
            if status.get("Status") != 0:
                reason = status.get("ErrorComment", "no answer")
                raise ScriptError(f"{aet} refused {picture.SOPInstanceUID}: {reason}.")
    finally:
        association.release()


def _find_by_pynetdicom(patient: str, aet: str, address: Address) -> set[str]:
    entity = AE(WORKSTATION)
    entity.add_requested_context(_STUDY_ROOT_FIND)
    association = entity.associate(*address, ae_title=aet)
    if not association.is_established:
        raise _refused(aet, address)
    query = Dataset()
    query.QueryRetrieveLevel, query.PatientID, query.StudyInstanceUID = "STUDY", patient, ""
    try:
        answers = association.send_c_find(query, _STUDY_ROOT_FIND)
        return {str(found.StudyInstanceUID) for _, found in answers if found is not None}
    finally:
        association.release()


def _refused(aet: str, address: Address) -> ScriptError:
    host, port = address
    return ScriptError(f"{aet} at {host}:{port} accepted no association.", _HINT)
