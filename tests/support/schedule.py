"""The order of a run on several workers: what takes longest comes first, so that no one waits."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FOLDERS = ("e2e", "soak", "contract", "unit")
LONGEST = (
    "e2e/test_interrupts.py",
    "e2e/test_adoption.py",
    "e2e/test_imaging_platform.py",
    "contract/test_gcloud.py",
    "e2e/test_lab.py",
    "e2e/test_teardown.py",
    "contract/test_gsp615.py",
    "contract/test_conformance.py",
    "soak/test_crashes.py",
    "e2e/test_inference.py",
    "soak/test_serial_model.py",
    "contract/test_pipelines.py",
    "soak/test_fault_program.py",
    "contract/test_deidentify.py",
    "contract/test_viewer_in_browser.py",
    "e2e/test_advice.py",
    "contract/test_lifecycle.py",
    "e2e/test_shared_grants.py",
    "e2e/test_hospital.py",
    "soak/test_fhir_serial_model.py",
    "soak/test_fault_matrix.py",
    "e2e/test_engine.py",
    "e2e/test_program.py",
    "contract/test_clean_environment.py",
    "e2e/test_policy.py",
    "e2e/test_adapters.py",
    "e2e/test_gateway_stack.py",
    "contract/test_gateway_in_browser.py",
)
"""Files that take 12 s and more, the longest first: `make test ARGS="--durations=0"`."""


def rank(item: pytest.Item) -> tuple[int, int]:
    """Return what tests are sorted by; those of one file stay together, in their order."""
    file = item.path.relative_to(TESTS)
    folder = file.parts[0]
    index = FOLDERS.index(folder) if folder in FOLDERS else len(FOLDERS)
    longest = LONGEST.index(file.as_posix()) if file.as_posix() in LONGEST else len(LONGEST)
    return longest - bool(item.get_closest_marker("slow")), index
