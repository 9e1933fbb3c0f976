"""Open a slide with ez-wsi-dicomweb, and find its instances with wsidicom; print what they saw.

Usage: slides.py ADDRESS_OF_SERIES...
"""

import json
import sys

import google.auth.credentials
from dicomweb_client.api import DICOMwebClient
from ez_wsi_dicomweb import dicom_slide, dicom_web_interface
from ez_wsi_dicomweb.credential_factory import GoogleAuthCredentialFactory
from ez_wsi_dicomweb.ml_toolkit import dicom_path
from pydicom.uid import UID, JPEG2000Lossless, JPEGBaseline8Bit
from wsidicom.web.wsidicom_web_client import WsiDicomWebClient

TILES = 4


def read_by_ez_wsi(address: str) -> dict[str, object]:
    anonymous = google.auth.credentials.AnonymousCredentials()  # type: ignore[no-untyped-call]
    service = dicom_web_interface.DicomWebInterface(GoogleAuthCredentialFactory(anonymous))
    slide = dicom_slide.DicomSlide(service, dicom_path.FromString(address))
    level = slide.native_level
    frames = [slide.get_frame(level, number + 1) for number in range(TILES)]
    return {
        "size": [slide.total_pixel_matrix_columns, slide.total_pixel_matrix_rows],
        "frames": [frame.image_np.tolist() for frame in frames],
        "patch": slide.get_patch(level, 8, 8, 16, 16).image_bytes().tolist(),
    }


def find_by_wsidicom(address: str) -> dict[str, object]:
    web, _, path = address.partition("/studies/")
    study, _, series = path.partition("/series/")
    client = WsiDicomWebClient(DICOMwebClient(web))
    # It first asks for what the service refuses, and knows the refusals by their words.
    [(_, instance, syntaxes)] = client.get_wsi_instances(UID(study), [UID(series)])
    uids = (UID(study), UID(series), UID(instance))
    return {
        "instance": instance,
        "syntaxes": syntaxes,
        "supported": [
            client.is_transfer_syntax_supported(*uids, syntax)
            for syntax in (JPEGBaseline8Bit, JPEG2000Lossless)
        ],
        "class": client.get_instance(*uids).SOPClassUID,
    }


if __name__ == "__main__":
    saw = [
        {"ez": read_by_ez_wsi(address), "wsidicom": find_by_wsidicom(address)}
        for address in sys.argv[1:]
    ]
    sys.stdout.write(json.dumps(saw))
