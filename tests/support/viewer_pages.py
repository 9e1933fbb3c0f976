"""The viewer's pages in a browser, over a store with the x-rays of some patients."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

from emulator.seed import dicom_file, records
from tests.support import http
from tests.support.waiting import wait_until
from viewer import fetch

Picture = NDArray[np.float64]
"""Grey values, 0 to 255."""

_READ = """() => {
  const canvas = document.querySelector('canvas.cornerstone-canvas');
  return canvas && canvas.width ? canvas.toDataURL('image/png') : '';
}"""


def why_not() -> str | None:
    """Why the viewer can't be fetched; None once it is in the cache."""
    try:
        fetch.fetch(lambda _: None)
    except fetch.ViewerError as error:
        return str(error).splitlines()[0]
    return None


def fill_store(url: str, project: str, *patients: str) -> str:
    """Create a store with the x-rays of some patients; return its full name."""
    api = f"{url}/v1/projects/{project}/locations/us-central1/datasets"
    http.post(f"{api}?datasetId=dataset1", json={}).raise_for_status()
    http.post(f"{api}/dataset1/dicomStores?dicomStoreId=dicomstore1", json={}).raise_for_status()
    store = f"{api}/dataset1/dicomStores/dicomstore1"
    for record in records.load():
        if record.patient_id in patients:
            http.post(
                f"{store}/dicomWeb/studies",
                content=dicom_file.build(record),
                headers={"Content-Type": "application/dicom"},
            ).raise_for_status()
    return store.removeprefix(f"{url}/v1/")


def study_of(image: str) -> str:
    """Return the StudyInstanceUID of an image, such as `00000088_000`."""
    return dicom_file.uid("study", image)


def rendered(url: str, store: str, image: str) -> Picture:
    """Return an image as the store renders it."""
    uids = [dicom_file.uid(level, image) for level in ("study", "series", "instance")]
    path = "studies/{}/series/{}/instances/{}/rendered".format(*uids)
    answer = http.get(f"{url}/v1/{store}/dicomWeb/{path}", headers={"Accept": "image/png"})
    return _grey(answer.content)


def wait_for_picture(page: Page) -> None:
    """Wait until the viewport shows more than black."""
    wait_until(lambda: _viewport(page).any(), "the viewport stays black")


def shown(page: Page, shape: tuple[int, ...]) -> Picture:
    """Return the picture in the viewport, reduced to the rows and columns of the image.

    The viewer fits an image into its viewport, in the middle.
    """
    canvas = _viewport(page)
    scale = min(canvas.shape[0] / shape[0], canvas.shape[1] / shape[1])
    height, width = (round(length * scale) for length in shape)
    top, left = (canvas.shape[0] - height) // 2, (canvas.shape[1] - width) // 2
    middle = Image.fromarray(canvas[top : top + height, left : left + width].astype(np.uint8))
    return np.asarray(middle.resize((shape[1], shape[0]), Image.Resampling.BOX), float)


def _viewport(page: Page) -> Picture:
    """Return the picture of the viewport; an empty one while there is none."""
    png = base64.b64decode(page.evaluate(_READ).partition(",")[2])
    return _grey(png) if png else np.zeros((0, 0))


def _grey(png: bytes) -> Picture:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"), float)
