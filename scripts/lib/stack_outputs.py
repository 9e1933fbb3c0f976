"""The outputs of a stack that the scripts use."""

from dataclasses import dataclass, field
from typing import Any

from scripts.lib.errors import ScriptError

FIRST_DATASET = "healthcare"
"""The name of the first dataset in the outputs; the settings have no name for it."""
_STORES = ("dicomStores", "fhirStores", "hl7v2Stores", "consentStores")


@dataclass(frozen=True)
class Dataset:
    """One dataset of a stack.

    Attributes:
        name: its full name
        dicom_stores: short id -> full name
        first_dicom_store: short id of the store that is written first; empty if not known
        stores: full names of its stores of all types
    """

    name: str
    dicom_stores: dict[str, str]
    first_dicom_store: str = ""
    stores: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gateway:
    """A gateway of a stack.

    Attributes:
        uri: its address
        stores: full names of those that it leads to
        has_viewer: whether it serves the viewer
    """

    uri: str
    stores: tuple[str, ...]
    has_viewer: bool


@dataclass(frozen=True)
class Outputs:
    """The outputs of a stack that the scripts use; stores map a short id to the full name.

    Attributes:
        topics, subscriptions, keys: full names
        pipelines: what pipelines need on Dataflow, by the names of `PipelineWorkers.summary`
        granted_on: what the service agent has roles on, as people write it: `bq://P.D`, `gs://B`
    """

    project: str
    project_number: str
    location: str
    dataset: str
    dicom_stores: dict[str, str] = field(default_factory=dict)
    fhir_stores: dict[str, str] = field(default_factory=dict)
    hl7v2_stores: dict[str, str] = field(default_factory=dict)
    service_agent: str = ""
    bigquery_dataset: str = ""
    table_uri: str = ""
    datasets: dict[str, Dataset] = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    subscriptions: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    granted_on: tuple[str, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    pipelines: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, stack: str, body: dict[str, Any]) -> "Outputs":
        """Read `pulumi stack output --json`.

        Raises:
            ScriptError: the stack is empty, or another program created it
        """
        if not body:
            commands = (
                f"`make up STACK={stack}` for the resources alone, or `make lab STACK={stack}`"
            )
            raise ScriptError(f"Stack {stack!r} is not up.", f"Run {commands}.")
        try:
            return cls(
                project=body["projectId"],
                project_number=str(body["projectNumber"]),
                location=body["region"],
                dataset=body["dataset"],
                dicom_stores=dict(body["dicomStores"]),
                fhir_stores=dict(body["fhirStores"]),
                hl7v2_stores=dict(body["hl7v2Stores"]),
                service_agent=body["serviceAgent"],
                bigquery_dataset=body["bigqueryDataset"],
                # Missing in a stack without DICOM stores.
                table_uri=body.get("tableUri", ""),
                datasets=_datasets(body),
                topics=tuple(body.get("topics", {}).values()),
                subscriptions=tuple(body.get("subscriptions", {}).values()),
                # Missing in a stack of an older version.
                keys=tuple(body.get("keys", ())),
                granted_on=tuple(one["on"] for one in body.get("access", ())),
                gateways=tuple(
                    Gateway(each["uri"], tuple(each["stores"]), has_viewer=each["viewer"])
                    for each in body.get("gateways", {}).values()
                ),
                pipelines=dict(body.get("pipelines", {})),
            )
        except KeyError as missing:
            raise ScriptError(
                f"Stack {stack!r} has no output {missing}: it was not fully deployed.",
                f"Run `make up STACK={stack}`.",
            ) from None


def _datasets(body: dict[str, Any]) -> dict[str, Dataset]:
    """Read the datasets of a stack's outputs, by their names in the settings."""
    first = {"dataset": body["dataset"], "dicomStores": body["dicomStores"]}
    stores = body.get("firstDicomStores", {})
    # A stack of an older version names the first store of its first dataset in `tableUri` alone.
    older = {FIRST_DATASET: body.get("tableUri", "").rpartition(".")[2]}
    return {
        name: Dataset(
            each["dataset"],
            dict(each["dicomStores"]),
            {**older, **stores}.get(name, ""),
            tuple(full for key in _STORES for full in each.get(key, {}).values()),
        )
        for name, each in body.get("datasets", {FIRST_DATASET: first}).items()
    }
