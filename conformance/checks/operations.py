"""Checks of long-running operations."""

from conformance import samples
from conformance.check import Check, Lab
from conformance.cloud_project import Json


def _deletion(lab: Lab) -> Json:
    """Delete a study; return the finished operation."""
    study = "2.25.74020"

    def run(lab: Lab) -> Json:
        lab.store_instance("scratch", samples.make(study, 1))
        path = f"{lab.names.store('scratch')}/dicomWeb/studies/{study}"
        return lab.finish(lab.healthcare("DELETE", path))

    return lab.once("deletion", run)


def _creation(lab: Lab) -> Json:
    """Return the operation that created the dataset."""
    params = {"filter": "metadata.apiMethodName:CreateDataset"}
    return lab.healthcare("GET", f"{lab.names.dataset}/operations", params=params)


def _cancel_finished(lab: Lab) -> Json:
    return lab.healthcare("POST", f"{_deletion(lab)['name']}:cancel", json={})


def _id(lab: Lab) -> Json:
    """Return which characters the id of an operation has."""
    number = str(_deletion(lab)["name"]).rpartition("/")[2]
    return {"is_decimal": number.isdecimal(), "has_many_digits": len(number) > 15}


CHECKS = (
    Check("operation-creation", "the operation that creates a dataset, as it is listed", _creation),
    Check("operation-deletion", "the operation that deletes a study: metadata", _deletion),
    Check("operation-id", "the id of an operation is a long decimal number", _id),
    Check(
        "operation-missing-text",
        "an operation that does not exist: text",
        lambda lab: lab.healthcare("GET", f"{lab.names.dataset}/operations/1"),
    ),
    Check(
        "operation-cancel-text", "cancelling a finished operation: code and text", _cancel_finished
    ),
)
