"""A study in a viewer: the local Google Cloud's own, or one that reaches Google Cloud."""

import os
import sys
import webbrowser
from collections.abc import Mapping
from typing import Any

from engine import viewer
from engine.errors import EngineError
from scripts.lib import stack
from scripts.lib.cli import Output
from scripts.lib.errors import ScriptError
from scripts.lib.google import clients, dicomweb
from scripts.lib.google.dicomweb import DicomWeb
from scripts.lib.options import Choice
from viewer import address

NOTICE = "The viewer is not a medical device and not for diagnosis."
DOCUMENTATION = "https://cloud.google.com/healthcare-api/docs/how-tos/dicom-viewers"
_DISPLAYS = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")
"""Variables of a session that can show a browser's window."""


def show(choice: Choice, patient: str, output: Output, *, may_open: bool) -> None:
    """Open the patient's latest study in a browser, or print how to.

    Args:
        choice: the store
        patient: PatientID
        output: where to report
        may_open: whether a browser may be opened; none is with `--json`

    Raises:
        ScriptError: the store has none of the patient, the viewer can't be fetched, or the service
            refuses
    """
    target = stack.resolve(choice, output.report)
    session, root = clients.dicom_web(target.store)
    study = _latest_study(DicomWeb(session, root), target.store, patient)
    try:
        url = viewer.study_page(clients.healthcare_root(), target.store, study, output.report)
    except EngineError as error:
        raise ScriptError(str(error)) from error
    found: dict[str, Any] = {
        "store": target.store,
        "study_instance_uid": study,
        "dicom_web": root,
        "url": url,
    }
    guarded = [address.study(uri, target.store, study) for uri in target.gateways]
    found |= {"gateways": guarded} if guarded else {}
    for page in guarded:
        output.report(f"Through a gateway, for its members: {page}")
    if url is None:
        _explain(root, study, output)
        output.json({**found, "opened": False, "documentation": DOCUMENTATION})
        return
    output.result(url)
    output.report(NOTICE)
    opened = may_open and not output.as_json and can_open(os.environ) and webbrowser.open(url)
    if may_open and not opened:
        output.report("Open this address in a browser on this machine.")
    output.json({**found, "opened": opened, "notice": NOTICE})


def can_open(environment: Mapping[str, str]) -> bool:
    """Whether a browser with a window can be opened: one of text would take over the terminal."""
    return sys.platform == "darwin" or any(environment.get(name) for name in _DISPLAYS)


def _latest_study(web: DicomWeb, store: str, patient: str) -> str:
    """Return the StudyInstanceUID of the patient's latest study.

    Raises:
        ScriptError: there is none
    """
    studies = [
        (
            dicomweb.value(each, dicomweb.STUDY_DATE),
            dicomweb.value(each, dicomweb.STUDY_INSTANCE_UID),
        )
        for each in web.search("studies", PatientID=patient)
    ]
    if not studies:
        raise ScriptError(
            f"{store} has no study of that patient.",
            "Import first (import_dicom.py), or name another --patient.",
        )
    return max(studies)[1]


def _explain(root: str, study: str, output: Output) -> None:
    """Print how a viewer reaches a store on Google Cloud."""
    output.result(f"{root}/studies/{study}")
    output.report(
        "Google Cloud serves no viewer for this store. A viewer reads the study by DICOMweb at "
        "this address, with an access token of a user who has roles/healthcare.dicomViewer. To "
        f"set up OHIF or Weasis for it, see {DOCUMENTATION}. view_instance.py saves pictures."
    )
