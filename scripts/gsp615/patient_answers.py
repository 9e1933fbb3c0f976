"""The expected answers of the second act: counted on the records of the x-rays."""

from typing import Any

RESOURCES = {"Condition": 163, "ImagingStudy": 405, "Observation": 588, "Patient": 99}
"""Rows of each table."""

PATIENT_88: list[list[Any]] = [
    ["Cardiomegaly|Effusion", "female", 44, "Cardiomegaly"],
    ["Cardiomegaly|Effusion", "female", 44, "Effusion"],
]
SENIORS: list[list[Any]] = [
    ["Infiltration", 27],
    ["Effusion", 23],
    ["Atelectasis", 18],
    ["Nodule", 12],
    ["Cardiomegaly", 9],
    ["Emphysema", 9],
    ["Mass", 8],
    ["Fibrosis", 5],
    ["Pleural_Thickening", 5],
    ["Consolidation", 4],
    ["Pneumothorax", 4],
    ["Pneumonia", 3],
    ["Edema", 1],
    ["Hernia", 1],
]
UNREMARKABLE: list[list[Any]] = [["female", 67], ["male", 47]]
ANSWERS = (PATIENT_88, SENIORS, UNREMARKABLE)
"""The rows of each query, in the order of the queries."""
