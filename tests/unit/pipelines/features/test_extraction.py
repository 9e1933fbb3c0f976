"""Features of instances: from attributes, which may lack or be wrong, and from pixels."""

import numpy as np

from pipelines.features.extraction import COLUMNS, from_metadata, from_pixels, path_of
from tests.support.dicom_files import make_dicom

INSTANCE = {
    "0020000D": {"vr": "UI", "Value": ["1.2"]},
    "0020000E": {"vr": "UI", "Value": ["1.2.3"]},
    "00080018": {"vr": "UI", "Value": ["1.2.3.4"]},
    "00080020": {"vr": "DA", "Value": ["20240131"]},
    "00080060": {"vr": "CS", "Value": ["CT"]},
    "00280010": {"vr": "US", "Value": [512]},
    "00280008": {"vr": "IS", "Value": ["12"]},
    "00280030": {"vr": "DS", "Value": [0.5, 0.75]},
    "00180050": {"vr": "DS"},
    "00180060": {"vr": "DS", "Value": ["many"]},
}


def test_attributes_become_columns() -> None:
    row = from_metadata(INSTANCE)
    assert row.keys() == COLUMNS.keys()
    assert (row["study_date"], row["modality"], row["rows"]) == ("2024-01-31", "CT", 512)
    assert (row["frames"], row["row_spacing"], row["column_spacing"]) == (12, 0.5, 0.75)
    assert (row["slice_thickness"], row["kvp"], row["body_part"]) == (None, None, None)
    assert path_of(row) == "studies/1.2/series/1.2.3/instances/1.2.3.4"


def test_dates_that_are_none_are_left_out() -> None:
    for text in ("2024", "2024.01.02", "notadate"):
        wrong = {**INSTANCE, "00080020": {"vr": "DA", "Value": [text]}}
        assert from_metadata(wrong)["study_date"] is None


def test_pixels_are_measured() -> None:
    pixels = np.array([[0, 2], [4, 10]], np.uint8)
    measured = from_pixels(make_dicom(pixels=pixels))
    assert (measured["pixel_min"], measured["pixel_max"]) == (0.0, 10.0)
    assert measured["pixel_mean"] == 4.0
    assert from_pixels(make_dicom()) == {}
