"""The copy of the provider's schema, and what is derived from it."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from engine.standin import VERSION, provider_schema, registry
from engine.standin.checking import check
from engine.standin.properties import Naming, Properties, Property
from engine.standin.provider_schema import Field, ResourceSchema, generate
from engine.standin.provider_schema.derive import derive
from engine.standin.resource import ResourceType

TYPES = list(registry.resource_types())
SAME_WITHOUT_A_RULE = {
    # Self links and full names mean the same: programs of this project write full names alone.
    ("gcp:healthcare/dicomStore:DicomStore", "dataset"),
    ("gcp:healthcare/fhirStore:FhirStore", "dataset"),
    ("gcp:healthcare/hl7Store:Hl7Store", "dataset"),
    ("gcp:healthcare/consentStore:ConsentStore", "dataset"),
    ("gcp:kms/cryptoKey:CryptoKey", "keyRing"),
    # Suppressed where it says nothing but the defaults, which compare as if it was left out.
    ("gcp:artifactregistry/repository:Repository", "mavenConfig"),
    # Suppressed where the API alone has one: a computed object does not differ.
    ("gcp:cloudrunv2/service:Service", "scaling"),
    ("gcp:projects/service:Service", "project"),
    ("gcp:projects/iAMMember:IAMMember", "project"),
    ("gcp:projects/iAMAuditConfig:IAMAuditConfig", "project"),
    ("gcp:pubsub/topic:Topic", "name"),
    ("gcp:storage/bucketIAMMember:BucketIAMMember", "bucket"),
    # The API answers them as they were given.
    ("gcp:pubsub/subscription:Subscription", "expirationPolicy.ttl"),
    ("gcp:pubsub/subscription:Subscription", "retryPolicy.maximumBackoff"),
    ("gcp:pubsub/subscription:Subscription", "retryPolicy.minimumBackoff"),
    ("gcp:compute/address:Address", "ipCollection"),
    ("gcp:compute/address:Address", "ipVersion"),
    ("gcp:compute/backendService:BackendService", "logConfig.sampleRate"),
    ("gcp:compute/firewall:Firewall", "logConfig"),
    ("gcp:compute/firewall:Firewall", "sourceRanges"),
    ("gcp:compute/forwardingRule:ForwardingRule", "ipAddress"),
    ("gcp:compute/forwardingRule:ForwardingRule", "ipCollection"),
    ("gcp:compute/forwardingRule:ForwardingRule", "portRange"),
    ("gcp:compute/haVpnGateway:HaVpnGateway", "vpnInterfaces.interconnectAttachment"),
    ("gcp:compute/instanceTemplate:InstanceTemplate", "disks.storagePool"),
    (
        "gcp:compute/instanceTemplate:InstanceTemplate",
        "networkInterfaces.aliasIpRanges.ipCidrRange",
    ),
    (
        "gcp:compute/instanceTemplate:InstanceTemplate",
        "networkInterfaces.aliasIpv6Ranges.ipCidrRange",
    ),
    ("gcp:compute/instanceTemplate:InstanceTemplate", "networkInterfaces.ipv6Address"),
    ("gcp:compute/instanceTemplate:InstanceTemplate", "networkInterfaces.networkAttachment"),
    ("gcp:compute/instanceTemplate:InstanceTemplate", "scheduling.nodeAffinities"),
    ("gcp:compute/instanceTemplate:InstanceTemplate", "shieldedInstanceConfig"),
    ("gcp:compute/regionBackendService:RegionBackendService", "logConfig.sampleRate"),
    ("gcp:compute/regionHealthCheck:RegionHealthCheck", "grpcHealthCheck"),
    ("gcp:compute/regionHealthCheck:RegionHealthCheck", "grpcTlsHealthCheck"),
    ("gcp:compute/regionHealthCheck:RegionHealthCheck", "http2HealthCheck"),
    ("gcp:compute/regionHealthCheck:RegionHealthCheck", "httpHealthCheck"),
    ("gcp:compute/regionHealthCheck:RegionHealthCheck", "httpsHealthCheck"),
    ("gcp:compute/regionHealthCheck:RegionHealthCheck", "sslHealthCheck"),
    ("gcp:compute/regionHealthCheck:RegionHealthCheck", "tcpHealthCheck"),
}
"""Fields whose difference the provider suppresses, and the stand-in compares as they are."""
MADE_UP = ("name", "secretId", "accountId")
"""Required fields that Pulumi makes out of the name in the program."""
UNCHECKED = {
    ("gcp:storage/bucket:Bucket", "labels"),
    ("gcp:compute/firewall:Firewall", "priority"),
    ("gcp:compute/instanceTemplate:InstanceTemplate", "metadata"),
    ("gcp:compute/instanceTemplate:InstanceTemplate", "namePrefix"),
    ("gcp:compute/instanceTemplate:InstanceTemplate", "networkInterfaces.vlan"),
    (
        "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager",
        "autoHealingPolicies.initialDelaySec",
    ),
    (
        "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager",
        "updatePolicy.maxSurgePercent",
    ),
    (
        "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager",
        "updatePolicy.maxUnavailablePercent",
    ),
    (
        "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager",
        "updatePolicy.minReadySec",
    ),
    (
        "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager",
        "versions.targetSize.percent",
    ),
    ("gcp:compute/router:Router", "bgp.asn"),
    ("gcp:compute/subnetwork:Subnetwork", "ipCidrRange"),
    ("gcp:compute/vPNTunnel:VPNTunnel", "peerIp"),
}
"""Fields with a check of the provider's that the stand-in leaves to the API."""


def walk(properties: Properties, prefix: str = "") -> Any:
    for name, prop in properties.items():
        yield f"{prefix}{name}", prop
        yield from walk(prop.fields, f"{prefix}{name}.")


def test_the_copy_has_every_type_and_no_other() -> None:
    assert set(provider_schema.tokens()) == {type_.pulumi_type for type_ in TYPES}
    assert provider_schema.sources() == {("google-beta 7.45.0", f"pulumi-gcp {VERSION}")}


@pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.pulumi_type)
def test_a_table_follows_the_copy(type_: ResourceType) -> None:
    """Quirks say how values travel; what may be given, and what replaces, is the schema's."""
    fields = provider_schema.load(type_.pulumi_type).fields
    for path, prop in walk(type_.properties):
        field = fields[path]
        assert (prop.terraform, prop.output) == (field.terraform, field.output), path
        assert prop.replace == field.forceNew, path
        assert prop.computed == (field.computed and not field.output), path
        assert prop.required == field.required or path in MADE_UP, path
        if path != "rejectDuplicateMessage":  # observed: see the quirk
            assert prop.default == field.default, path
        if path != "deletionPolicy":  # inferred: see the quirk
            assert prop.choices == field.values, path
    covered = {path for path, _ in walk(type_.properties)}
    uncovered = {path for path in fields if path.partition(".")[0] in type_.uncovered}
    assert covered | uncovered == fields.keys()


@pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.pulumi_type)
def test_checks_and_comparisons_that_are_code_are_quirks(type_: ResourceType) -> None:
    fields = provider_schema.load(type_.pulumi_type).fields
    token = type_.pulumi_type
    for path, prop in walk(type_.properties):
        field = fields[path]
        if (
            field.validated
            and not (field.values or field.pattern)
            and (token, path) not in UNCHECKED
        ):
            assert prop.validate, path
        assert field.validated or not prop.validate, path
        suppressed = field.diffSuppress or field.stateFunc
        if suppressed and (token, path) not in SAME_WITHOUT_A_RULE:
            assert prop.same or prop.implied or prop.ignored_keys, path


def field(**values: Any) -> Field:
    return Field(**{"terraform": "a_field", "type": "String", "optional": True, **values})


def reasons(fields: dict[str, Field], news: dict[str, Any]) -> list[str]:
    schema = ResourceSchema(fields=fields, timeouts={}, importable=True)
    _, failures = check(derive(schema, {}), news, {}, Naming(logical="one"))
    return [failure.reason for failure in failures]


def test_exactly_one_of_several() -> None:
    among = ("one", "two")
    fields = {name: field(terraform=name, exactlyOneOf=among) for name in among}

    combination = "Invalid combination of arguments"
    none = [f'{combination}. "{name}": one of `one,two` must be specified' for name in among]
    assert reasons(fields, {}) == none
    assert reasons(fields, {"one": "x"}) == []
    only = "only one of `one,two` can be specified, but `one,two` were specified."
    both = [f'{combination}. "{name}": {only}' for name in among]
    assert reasons(fields, {"one": "x", "two": "y"}) == both


def test_one_that_requires_others() -> None:
    fields = {
        "one": field(terraform="one", requiredWith=("two",)),
        "two": field(terraform="two"),
    }

    needs = 'Missing required argument. "one": all of `one,two` must be specified'
    assert reasons(fields, {"one": "x"}) == [needs]
    assert reasons(fields, {"two": "x"}) == []
    assert reasons(fields, {"one": "x", "two": "y"}) == []


def test_too_few_items_and_a_pattern() -> None:
    fields = {
        "items": field(terraform="items", type="List", elem="String", minItems=2),
        "text": field(terraform="text", pattern="^a+$"),
    }

    assert reasons(fields, {"items": ["a"], "text": "b"}) == [
        "Not enough list items. Attribute items requires 2 item minimum, but config has only 1 "
        "declared.",
        '"text" ("b") doesn\'t match regexp "^a+$"',
    ]


def test_a_quirk_of_no_field_is_refused() -> None:
    schema = ResourceSchema(fields={"name": field()}, timeouts={}, importable=True)

    with pytest.raises(KeyError, match="not in the schema: nam"):
        derive(schema, {"nam": {"wire": None}})


def test_a_new_field_is_in_the_table() -> None:
    schema = provider_schema.load("gcp:healthcare/dicomStore:DicomStore")
    new = {**schema.fields, "newField": field(terraform="new_field", type="Bool", forceNew=True)}

    derived = derive(dataclasses.replace(schema, fields=new), {})

    assert derived["newField"] == Property(
        terraform="new_field", type="boolean", replace=True, wire="newField"
    )


def test_the_generator_writes_what_it_reads(tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    dump.mkdir()
    inner = {"kms_key_name": {"pulumi": "kmsKeyName", "type": "String", "optional": True}}
    spec = {"pulumi": "encryptionSpec", "type": "List", "elem": "object", "maxItems": 1}
    resource = {
        "token": "gcp:kms/example:Example",
        "kind": "resource",
        "timeouts": {"create": "20m0s", "delete": "1h20m0s"},
        "fields": {"encryption_spec": {**spec, "computed": True, "fields": inner}},
    }
    for module in {provider_schema.module_of(token) for token in provider_schema.tokens()}:
        stored = json.loads((provider_schema.FOLDER / f"{module}.json").read_text())["resources"]
        listed = [
            {"token": token, "kind": "resource", "importer": True, "fields": {}} for token in stored
        ]
        (dump / f"{module}.json").write_text(
            json.dumps([*listed, resource] if module == "kms" else listed)
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate, "_AMENDMENTS", {})
        generate.write(dump, "google-beta 0", ["gcp:kms/example:Example"], tmp_path)

    written = json.loads((tmp_path / "kms.json").read_text())
    assert (written["provider"], written["plugin"]) == ("google-beta 0", f"pulumi-gcp {VERSION}")
    parsed = provider_schema.parse(written["resources"]["gcp:kms/example:Example"])
    assert parsed.timeouts == {"create": 20, "delete": 80}
    assert not parsed.importable
    assert parsed.fields == {
        "encryptionSpec": Field(
            terraform="encryption_spec", type="List", elem="object", maxItems=1, computed=True
        ),
        "encryptionSpec.kmsKeyName": Field(terraform="kms_key_name", type="String", optional=True),
    }
