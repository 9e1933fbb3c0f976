"""Gateways of a stack: from the keys of its file to resources and outputs."""

import json
from typing import Any

from tests.support.program import run
from tests.unit.components.deployment import PROJECT_NUMBER, Deployment

STACK: dict[str, Any] = {
    "labels": {"team": "imaging"},
    "dicomStores": [{"name": "ct"}],
    "datasets": [{"name": "ward", "fhirStores": ["ct"]}],
    "adapterRepository": {"name": "images"},
    "gateways": [
        {
            "name": "reading",
            "members": ["group:ward@example.org"],
            "labels": {"tier": "front"},
            "limits": {"bodyMib": 64},
            "stores": [
                {"dicomStore": "ct", "readers": ["user:ana@example.org"]},
                {"fhirStore": "ward/ct", "editors": ["user:ana@example.org"]},
            ],
        }
    ],
}
PATH = "projects/local-project/locations/us-central1/datasets"
SERVICE = "gcp:cloudrunv2/service:Service"


def settings(deployed: Deployment) -> Any:
    [service] = deployed.of_type(SERVICE)
    return json.loads(service.inputs["template"]["containers"][0]["envs"][0]["value"])


def test_a_gateway_stands_before_the_stores_of_the_stack() -> None:
    deployed = run(**STACK)
    stores = {grant["store"]: grant["role"] for grant in settings(deployed)["grants"]}
    assert stores == {
        f"{PATH}/dataset1/dicomStores/ct": "roles/healthcare.dicomViewer",
        f"{PATH}/ward/fhirStores/ct": "roles/healthcare.fhirResourceEditor",
    }
    waited = deployed.all_dependencies("gateway-reading")
    assert {"healthcare-ct", "healthcare-ward-ct", "services-iap-agent"} <= waited
    assert "adapter-images" in waited
    audience = f"/projects/{PROJECT_NUMBER}/locations/us-central1/services/gateway-reading"
    assert settings(deployed)["identity"] == {"iapAudience": audience}
    assert settings(deployed)["limits"]["bodyBytes"] == 64 << 20


def test_its_image_and_labels_are_those_of_the_stack() -> None:
    [service] = run(**STACK).of_type(SERVICE)
    own = "us-central1-docker.pkg.dev/local-project/images"
    assert service.inputs["template"]["containers"][0]["image"] == f"{own}/gateway:latest"
    assert service.inputs["labels"] == {"team": "imaging", "tier": "front"}


def test_a_stack_enables_what_its_gateways_need() -> None:
    deployed = run(**STACK)
    enabled = {item.inputs["service"] for item in deployed.of_type("gcp:projects/service:Service")}
    assert enabled >= {f"{name}.googleapis.com" for name in ("iam", "iap", "run", "logging")}
    without = run(dicomStores=[{"name": "ct"}])
    assert "services-iap-agent" not in without.names
    assert "gateways" not in without.outputs["stack"]


def test_a_load_balancer_brings_its_parts_and_its_api() -> None:
    [one] = STACK["gateways"]
    armor = {"allowedRanges": ["192.0.2.0/24"], "preview": True}
    balancer = {"domains": ["images.example.org"], "armor": armor, "tlsProfile": "RESTRICTED"}
    deployed = run(**STACK | {"gateways": [{**one, "loadBalancer": balancer}]})
    enabled = {item.inputs["service"] for item in deployed.of_type("gcp:projects/service:Service")}
    assert "compute.googleapis.com" in enabled
    [policy] = deployed.of_type("gcp:compute/securityPolicy:SecurityPolicy")
    assert policy.inputs["labels"] == {"team": "imaging", "tier": "front"}
    assert policy.inputs["rules"][-1]["action"] == "deny(403)"
    [tls] = deployed.of_type("gcp:compute/sSLPolicy:SSLPolicy")
    assert tls.inputs["profile"] == "RESTRICTED"
    # The proxy verifies callers on the service, so the program reads tokens for the service.
    audience = f"/projects/{PROJECT_NUMBER}/locations/us-central1/services/gateway-reading"
    assert settings(deployed)["identity"] == {"iapAudience": audience}
    assert deployed.outputs["stack"]["gateways"]["reading"]["loadBalancer"] == {
        "address": "198.51.100.7",
        "urls": ["https://images.example.org"],
        "dnsRecords": [{"name": "images.example.org", "type": "A", "data": "198.51.100.7"}],
        "securityPolicy": "gateway-reading",
        "backendService": "gateway-reading",
    }


def test_outputs_say_where_it_is() -> None:
    assert run(**STACK).outputs["stack"]["gateways"] == {
        "reading": {
            "uri": "https://gateway-reading.run.app",
            "service": "gateway-reading",
            "serviceAccount": "gateway-reading@local-project.iam.gserviceaccount.com",
            "stores": [f"{PATH}/dataset1/dicomStores/ct", f"{PATH}/ward/fhirStores/ct"],
            "viewer": True,
        }
    }
