"""Draw a deployed stack as a flowchart of Mermaid: `pulumi stack export | picture.py`.

Nothing is drawn by hand: a program leads to the stores that its service account has roles on, a
store to the topics that it notifies and the tables that it streams to, a topic to what reads it.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_SHAPES = {
    "gcp:healthcare/dicomStore:DicomStore": '[("{name}<br/>DICOM store")]',
    "gcp:healthcare/fhirStore:FhirStore": '[("{name}<br/>FHIR store")]',
    "gcp:healthcare/hl7Store:Hl7Store": '[("{name}<br/>HL7v2 store")]',
    "gcp:bigquery/dataset:Dataset": '[("{name}<br/>BigQuery")]',
    "gcp:pubsub/topic:Topic": '(["{name}<br/>topic"])',
    "gcp:cloudrunv2/service:Service": '["{name}<br/>Cloud Run service"]',
    "gcp:cloudrunv2/workerPool:WorkerPool": '["{name}<br/>Cloud Run worker pool"]',
    "gcp:compute/instanceTemplate:InstanceTemplate": '["{name}<br/>instance group"]',
    "gcp:logging/projectSink:ProjectSink": '[/"{name}<br/>log sink"/]',
}
"""Types of resources that are drawn -> the shape of one."""
_ROLES = {
    "roles/healthcare.dicomEditor": "reads and writes",
    "roles/healthcare.dicomViewer": "reads",
    "roles/healthcare.fhirResourceEditor": "writes",
    "roles/healthcare.fhirResourceReader": "reads",
    "roles/healthcare.hl7V2Ingest": "ingests",
    "roles/healthcare.hl7V2Consumer": "reads",
}


@dataclass(frozen=True)
class Resource:
    """A resource of the state.

    Attributes:
        type: such as gcp:pubsub/topic:Topic
        inputs: what the program declares
        outputs: what the provider returns
    """

    type: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name without the end that Google adds."""
        keys = ("name", "datasetId", "namePrefix")
        found = next((str(self.inputs[key]) for key in keys if key in self.inputs), "")
        return found.rstrip("-")

    @property
    def node(self) -> str:
        """Its id in the picture."""
        short_type = self.type.rpartition(":")[2]
        return f"{short_type}_{self.name}".replace("-", "_")

    @property
    def account(self) -> str:
        """The service account that it runs as; empty without one."""
        given = self.inputs.get("serviceAccount") or self.inputs.get("template", {}).get(
            "serviceAccount", ""
        )
        return str(given["email"] if isinstance(given, dict) else given)


def draw(state: Mapping[str, Any]) -> str:
    """Return the flowchart of a stack.

    Args:
        state: as `pulumi stack export` prints it
    """
    found = [
        Resource(each["type"], each.get("inputs", {}), each.get("outputs", {}))
        for each in state["deployment"]["resources"]
    ]
    drawn = {each.node: each for each in found if each.type in _SHAPES}
    edges = sorted({edge for edge in _edges(found, list(drawn.values())) if edge})
    shapes = [
        f"  {node}{_SHAPES[each.type].format(name=each.name)}"
        for node, each in sorted(drawn.items())
    ]
    return "\n".join(["flowchart LR", *shapes, *(f"  {edge}" for edge in edges), ""])


def _edges(found: Iterable[Resource], drawn: list[Resource]) -> Iterator[str]:
    for each in found:
        short_type = each.type.rpartition(":")[2]
        if short_type in ("DicomStore", "FhirStore", "Hl7Store"):
            yield from _of_store(each, drawn)
        elif short_type in ("DicomStoreIamMember", "FhirStoreIamMember", "Hl7StoreIamMember"):
            yield _of_role(each, drawn)
        elif short_type in ("Subscription", "SubscriptionIAMMember"):
            yield _of_subscription(each, list(found), drawn)
            yield _of_dead_letters(each, drawn)
        elif short_type == "ProjectSink":
            target = _ending(drawn, each.inputs["destination"].rpartition("/")[2], "bigquery")
            yield f"{each.node} --> {target}" if target else ""
        elif short_type == "WebCloudRunServiceIamMember":
            member = each.inputs["member"]
            service = _ending(drawn, each.inputs["cloudRunServiceName"], "Service")
            yield f'members(("{member}")) -->|Identity-Aware Proxy| {service}'


def _of_store(store: Resource, drawn: list[Resource]) -> Iterator[str]:
    configs = [*store.inputs.get("notificationConfigs", [])]
    configs += [store.inputs["notificationConfig"]] if "notificationConfig" in store.inputs else []
    for config in configs:
        topic = _ending(drawn, config["pubsubTopic"].rpartition("/")[2], "Topic")
        yield f"{store.node} -->|notifies| {topic}" if topic else ""
    for stream in store.inputs.get("streamConfigs", []):
        uri = stream.get("bigqueryDestination", {}).get("tableUri", "")
        dataset = _ending(drawn, uri.removeprefix("bq://").split(".")[1], "bigquery")
        yield f"{store.node} -->|streams| {dataset}" if dataset else ""


def _of_role(grant: Resource, drawn: list[Resource]) -> str:
    """Return the edge from a program to the store that its account has a role on."""
    key = next(key for key in grant.inputs if key.endswith("StoreId"))
    store = _ending(drawn, str(grant.inputs[key]).rpartition("/")[2], "Store")
    program = _running_as(drawn, grant.inputs["member"])
    role = _ROLES.get(grant.inputs["role"], grant.inputs["role"].rpartition(".")[2])
    return f"{program} -->|{role}| {store}" if program and store else ""


def _of_subscription(one: Resource, found: list[Resource], drawn: list[Resource]) -> str:
    """Return the edge from a topic to the service that it pushes to, or to what pulls."""
    if one.type.endswith("IAMMember"):
        reader = _running_as(drawn, one.inputs["member"])
        name = str(one.inputs["subscription"]).rpartition("/")[2]
        [one] = [
            each for each in found if each.type.endswith(":Subscription") and each.name == name
        ]
    else:
        endpoint = one.inputs.get("pushConfig", {}).get("pushEndpoint")
        services = [each for each in drawn if endpoint and each.outputs.get("uri") == endpoint]
        reader = services[0].node if services else ""
    topic = _ending(drawn, one.inputs["topic"].rpartition("/")[2], "Topic")
    return f"{topic} --> {reader}" if topic and reader else ""


def _of_dead_letters(one: Resource, drawn: list[Resource]) -> str:
    """Return the edge from a topic to that of its dead letters."""
    dead = one.inputs.get("deadLetterPolicy", {}).get("deadLetterTopic", "")
    source, target = (
        _ending(drawn, str(name).rpartition("/")[2], "Topic")
        for name in (one.inputs.get("topic", ""), dead)
    )
    return f"{source} -.->|dead letters| {target}" if source and target else ""


def _running_as(drawn: list[Resource], member: str) -> str:
    email = member.removeprefix("serviceAccount:")
    return next((each.node for each in drawn if each.account == email), "")


def _ending(drawn: list[Resource], name: str, type_part: str = "") -> str:
    """Return the node of a name; of several, the one whose type has a part."""
    named = [each for each in drawn if each.name == name and type_part in each.type]
    return named[0].node if named else ""


if __name__ == "__main__":
    sys.stdout.write(draw(json.load(sys.stdin)))
