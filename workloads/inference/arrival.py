"""An arrival: from the notification of a new instance to the instances that describe it."""

import base64
import binascii
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import ExplicitVRLittleEndian

from workloads.common.counters import Counters
from workloads.common.dicomweb import DicomWeb, StoreError
from workloads.common.logs import Log
from workloads.inference import reports
from workloads.inference.models import Model, NotMeasurableError, Pixels
from workloads.inference.observation import FhirStore, observations

LOG = Log("inference")
MAX_PIXEL_BYTES = 256 << 20
_INSTANCE = re.compile(
    r"(?P<store>projects/[^/]+/locations/[^/]+/datasets/[^/]+/dicomStores/[^/]+)/dicomWeb/"
    r"(?P<path>studies/[0-9.]+/series/[0-9.]+/instances/[0-9.]+)"
)
_WITHOUT_CONTENT = frozenset({"DeleteInstances", "SetBlobSettings"})
"""Values of the attribute `action` after which there is nothing to measure, as in
`workloads.dimse.outgoing`."""
_NOT_ACCEPTABLE, _NOT_FOUND = 406, 404


class PoisonError(Exception):
    """A message that no repetition helps, with the reason; it holds no patient data."""


@dataclass(frozen=True)
class Notification:
    """A message of the push subscription.

    Attributes:
        data: of the message
        attributes: of the message
        id: of the message
    """

    data: bytes
    attributes: Mapping[str, str]
    id: str


def parse(body: Any) -> Notification:
    """Return the message in the body of a push request.

    Raises:
        PoisonError: there is none
    """
    try:
        message = body["message"]
        data = base64.b64decode(message.get("data", ""), validate=True)
        attributes = {str(k): str(v) for k, v in message.get("attributes", {}).items()}
        return Notification(data, attributes, str(message["messageId"]))
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise PoisonError("The request is not a message of a push subscription.") from error


@dataclass(frozen=True)
class Arrivals:
    """Works on arrivals.

    Attributes:
        store: of the images and of the reports
        model: measures
        counters: counts `measured`, `skipped` and `duplicates`
        fhir: takes observations, if there is one
        has_presentation_state: whether a presentation state is stored beside each report
    """

    store: DicomWeb
    model: Model
    counters: Counters
    fhir: FhirStore | None = None
    has_presentation_state: bool = False

    def work(self, notification: Notification) -> None:
        """Measure the instance of a notification, and write what was found.

        Raises:
            PoisonError: the same message will fail again
            StoreError: a store did not answer; the message may be delivered again
        """
        path = self._path(notification)
        if not path:
            self.counters.add("skipped")
            return
        try:
            self._measure(path)
        except StoreError as error:
            if error.is_transient:
                raise
            raise PoisonError(f"{error.code} {error.reason}") from error
        except NotMeasurableError as error:
            raise PoisonError(str(error)) from error

    def _path(self, notification: Notification) -> str:
        """Return the path of the new instance; empty for a message about something else."""
        name = notification.data.decode("utf-8", "replace").strip()
        match = _INSTANCE.fullmatch(name)
        if match is None:
            raise PoisonError("The message does not name an instance of a DICOM store.")
        is_empty = notification.attributes.get("action", "") in _WITHOUT_CONTENT
        return "" if is_empty or match["store"] != self.store.store_name else match["path"]

    def _measure(self, path: str) -> None:
        header = self._header(path)
        refusal = "it was deleted" if header is None else self.model.refusal(header)
        if header is None or refusal:
            self.counters.add("skipped")
            LOG.info("skipped", instance=path, reason=refusal)
            return
        image = self._image(path, header)
        findings = self.model.measure(pixels_of(image))
        algorithm = self.model.algorithm
        self._store(reports.structured_report(image, algorithm, findings))
        if self.has_presentation_state and findings.lines:
            self._store(reports.presentation_state(image, algorithm, findings))
        if self.fhir is not None:
            for observation in observations(image, algorithm, findings):
                self.fhir.write(observation)
        self.counters.add("measured")

    def _header(self, path: str) -> Dataset | None:
        try:
            return Dataset.from_json(self.store.metadata(path), lambda *_: b"")
        except StoreError as error:
            if error.code == _NOT_FOUND:
                return None
            raise

    def _image(self, path: str, header: Dataset) -> Dataset:
        size = int(header.get("Rows", 0) or 0) * int(header.get("Columns", 0) or 0)
        size *= int(header.get("NumberOfFrames", 1) or 1)
        size *= (
            int(header.get("BitsAllocated", 8) or 8) // 8 * int(header.get("SamplesPerPixel", 1))
        )
        if size > MAX_PIXEL_BYTES:
            raise PoisonError(f"The image has {size} bytes of pixels, more than {MAX_PIXEL_BYTES}.")
        try:
            content = self.store.retrieve(path, ExplicitVRLittleEndian)
        except StoreError as error:
            if error.code != _NOT_ACCEPTABLE:
                raise
            raise PoisonError("The store can't decode the pixels of the image.") from error
        try:
            return pydicom.dcmread(io.BytesIO(content))
        except InvalidDicomError as error:
            raise PoisonError("The instance is not a DICOM file.") from error

    def _store(self, content: bytes) -> None:
        """Store an instance, unless a delivery before this one did."""
        try:
            self.store.store(content)
        except StoreError as error:
            if not error.is_duplicate:
                raise
            self.counters.add("duplicates")


def pixels_of(image: Dataset) -> Pixels:
    """Return the pixels of an image, dense tissue bright.

    Raises:
        NotMeasurableError: it has none, or several frames or colours
    """
    try:
        pixels = image.pixel_array
    except Exception as error:  # pydicom raises many types for damaged pixels
        raise NotMeasurableError("The pixels of the image can't be read.") from error
    if pixels.ndim != 2:
        raise NotMeasurableError("The image has several frames or colours.")
    grey: Pixels = pixels.astype(np.float32)
    return -grey if image.PhotometricInterpretation == "MONOCHROME1" else grey
