"""Cases of adapters: their addresses, firewalls, accounts and TLS."""

import json
from collections.abc import Sequence
from typing import Any

from policy.model import UNKNOWN, Resource
from tests.unit.policy.builders import grant, production_store, resource
from tests.unit.policy.case import Case

TEMPLATE = "gcp:compute/instanceTemplate:InstanceTemplate"
ADDRESS = "gcp:compute/address:Address"
RULE = "gcp:compute/forwardingRule:ForwardingRule"
FIREWALL = "gcp:compute/firewall:Firewall"
TCP = [{"protocol": "tcp", "ports": ["104"]}]
BY_LABEL = 'and the label environment of "images" says "production"'
ACCOUNT = resource(
    "gcp:serviceaccount/account:Account", {"accountId": "dimse-ct", "project": "p"}, name="account"
)
OWN = "serviceAccount:dimse-ct@p.iam.gserviceaccount.com"
PACS = {"name": "PACS", "host": "h", "port": 1, "tls": True}


def firewall(**props: Any) -> Resource:
    return resource(FIREWALL, {"allows": TCP, "direction": "INGRESS", **props})


def instances(command: str) -> Resource:
    return resource(TEMPLATE, {"metadata": {"user-data": f"ExecStart=docker run i {command}\n"}})


def pool(*args: str, **variables: str) -> Resource:
    envs = [{"name": name, "value": value} for name, value in variables.items()]
    containers = [{"image": "i", "args": ["--outgoing", *args], "envs": envs}]
    token = "gcp:cloudrunv2/workerPool:WorkerPool"
    return resource(token, {"template": {"containers": containers}})


def dimse_pool(**peer: Any) -> Resource:
    entries = json.dumps([{**PACS, **peer}])
    return pool("--dicomweb-store", "s", "--peer", "PACS", ENV_AETS_JSON=entries)


JOB = "gcp:dataflow/flexTemplateJob:FlexTemplateJob"
OBJECT = "gcp:storage/bucketObject:BucketObject"


def template(**environment: Any) -> Resource:
    spec = {"image": "i", "sdkInfo": {"language": "PYTHON"}, "defaultEnvironment": environment}
    return resource(OBJECT, {"content": json.dumps(spec)})


ADAPTER_CASES: dict[str, Sequence[Case]] = {
    "no-external-addresses": (
        Case(
            "inside the network",
            [
                resource(TEMPLATE, {"networkInterfaces": [{"network": "n", "subnetwork": "s"}]}),
                resource(ADDRESS, {"addressType": "INTERNAL"}),
                resource(RULE, {"loadBalancingScheme": "INTERNAL"}),
            ],
        ),
        Case(
            "instances with an external address",
            [resource(TEMPLATE, {"networkInterfaces": [{"accessConfigs": [{"natIp": ""}]}]})],
            ["networkInterfaces[0].accessConfigs gives an external address"],
        ),
        Case(
            "defaults are external",
            [resource(ADDRESS), resource(RULE, {"loadBalancingScheme": "EXTERNAL_MANAGED"})],
            ["addressType is EXTERNAL, its default", "loadBalancingScheme is EXTERNAL_MANAGED"],
        ),
        Case(
            "workers of Dataflow inside the network",
            [
                resource(JOB, {"ipConfiguration": "WORKER_IP_PRIVATE"}),
                template(ipConfiguration="WORKER_IP_PRIVATE"),
                resource(OBJECT, {"content": "no template"}),
                resource(OBJECT, {"content": '{"image": "a"}'}),
            ],
        ),
        Case(
            "workers of Dataflow with external addresses",
            [resource(JOB), template(ipConfiguration="WORKER_IP_PUBLIC"), template()],
            [
                "ipConfiguration is WORKER_IP_PUBLIC, its default",
                "defaultEnvironment.ipConfiguration of the template is WORKER_IP_PUBLIC",
                "defaultEnvironment.ipConfiguration of the template is WORKER_IP_PUBLIC, its "
                "default",
            ],
        ),
    ),
    "no-public-ranges": (
        Case(
            "a hospital and the health checks",
            [firewall(sourceRanges=["10.20.0.0/16", "35.191.0.0/16", "130.211.0.0/22"])],
        ),
        Case("what goes out", [firewall(direction="EGRESS", sourceRanges=["0.0.0.0/0"])]),
        Case("what is denied", [resource(FIREWALL, {"denies": TCP})]),
        Case("by account", [firewall(sourceServiceAccounts=["a@p.iam.gserviceaccount.com"])]),
        Case(
            "a public range that is needed",
            [firewall(sourceRanges=["8.8.8.0/24"])],
            config={"ranges": ["8.8.8.0/24"]},
        ),
        Case(
            "the internet",
            [firewall(sourceRanges=["10.0.0.0/8", "0.0.0.0/0", "8.8.8.8/32"])],
            ['sourceRanges "0.0.0.0/0" is public', 'sourceRanges "8.8.8.8/32" is public'],
        ),
        Case(
            "no range at all",
            [firewall()],
            ["sourceRanges is not set, so every address is admitted"],
        ),
    ),
    "no-project-roles-for-workloads": (
        Case(
            "logs belong to the project",
            [ACCOUNT, grant("roles/logging.logWriter", OWN)],
        ),
        Case("accounts of others", [ACCOUNT, grant("roles/healthcare.dicomEditor")]),
        Case(
            "every store of the project",
            [ACCOUNT, grant("roles/healthcare.dicomEditor", OWN)],
            ["role roles/healthcare.dicomEditor on the whole project for a service account"],
        ),
        Case(
            "an account still to come",
            [
                ACCOUNT,
                grant("roles/healthcare.dicomEditor", UNKNOWN, sources={"member": [ACCOUNT]}),
            ],
            ["role roles/healthcare.dicomEditor on the whole project for a service account"],
        ),
    ),
    "production-adapter-tls": (
        Case("no production", [instances("--hl7v2-store s"), pool("--peer", "h:1")]),
        Case(
            "all with TLS",
            [
                production_store(),
                instances("--dicomweb-store s --tls-certificate c --tls-key k"),
                instances("--hl7v2-store s --tls-cert c --tls-key k"),
                instances("serve"),
                pool("--peer", "h:1", "--peer-ca", "ca"),
                dimse_pool(),
            ],
        ),
        Case(
            "plain text",
            [
                production_store(),
                instances("--dicomweb-store s"),
                instances("--hl7v2-store s"),
                pool("--peer", "h:1"),
                dimse_pool(tls=False),
                dimse_pool(name="OTHER"),
            ],
            [
                f"the adapter has no --tls-certificate, {BY_LABEL}",
                f"the adapter has no --tls-cert, {BY_LABEL}",
                *[f"the adapter sends without TLS, {BY_LABEL}"] * 3,
            ],
        ),
    ),
}
