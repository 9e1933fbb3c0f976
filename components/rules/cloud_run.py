"""Rules for services of Cloud Run: memory, CPU, and the model of an inference service.

Source: https://cloud.google.com/run/docs/configuring/services/memory-limits and .../cpu
"""

import re

from components.rules.general import one_of

CPUS = ("1", "2", "4", "6", "8")
"""Whole CPUs that a service may have; fractions would serve one request at a time."""
DEFAULT_MODEL = "cardiothoracic-ratio"
"""The model that the image of the inference service has."""

_MEMORY = re.compile(r"(?P<number>[1-9][0-9]*)(?P<unit>Mi|Gi)")
_MIB = {"Mi": 1, "Gi": 1024}
_MIN_MEMORY, _MAX_MEMORY = 512, 32 * 1024
_NEEDED = {"4": 2 * 1024, "6": 4 * 1024, "8": 4 * 1024}
_PATH = re.compile(r"(?:/[A-Za-z0-9._-]+)+\.json")


def cpu(value: str) -> str | None:
    """Return a number of CPUs."""
    return one_of(value, CPUS, "a number of CPUs")


def memory(value: str) -> str | None:
    """Return an amount of memory."""
    if _MEMORY.fullmatch(value) and _MIN_MEMORY <= mebibytes(value) <= _MAX_MEMORY:
        return None
    return "is not an amount of memory. Allowed: 512Mi to 32Gi, such as 1Gi."


def mebibytes(amount: str) -> int:
    """Return an amount of memory in MiB; 0 for what is none."""
    match = _MEMORY.fullmatch(amount)
    return int(match["number"]) * _MIB[match["unit"]] if match else 0


def memory_of_cpus(amount: str, cpus: str) -> str | None:
    """Return an amount of memory for a number of CPUs: more of them need more."""
    needed = _NEEDED.get(cpus, 0)
    if memory(amount) is not None or mebibytes(amount) >= needed:
        return None
    return f"is too little for {cpus} CPUs. Allowed: {needed // 1024}Gi or more."


def model(value: str) -> str | None:
    """Return a model: the default one, or the path of a description in the image."""
    if value == DEFAULT_MODEL or _PATH.fullmatch(value):
        return None
    return (
        f"is not a model. Allowed: {DEFAULT_MODEL}, or the full path of a description in the "
        "image, such as /models/mine.json."
    )
