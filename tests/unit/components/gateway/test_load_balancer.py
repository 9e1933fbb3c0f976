"""The load balancer of a gateway: what leads where, and the rules of its security policy."""

from typing import Any

import pytest

from components.base import ArgumentError
from components.gateway import armor_rules
from components.gateway.arguments import GatewayArgs, GatewayStoreArgs
from components.gateway.balancer_arguments import ArmorArgs, LoadBalancerArgs
from components.gateway.gateway import Gateway
from emulator.services.compute.rules.armor import rule_of
from engine.standin import provider_schema, registry
from engine.standin.checking import check
from engine.standin.properties import Naming
from tests.unit.components.deployment import Deployment, deploy

STORE = "projects/p/locations/us-central1/datasets/d/dicomStores/ct"
DOMAINS = ["images.example.org", "pictures.example.org"]
RANGES = [f"192.0.2.{number}/32" for number in range(12)]
LAST = armor_rules.LAST_PRIORITY


def up(**changed: Any) -> Deployment:
    args = GatewayArgs(
        project="my-project",
        project_number="7",
        region="us-central1",
        gateway="ward",
        image="us-docker.pkg.dev/my-project/images/gateway:1",
        stores=[GatewayStoreArgs(name="ct", dicom_store=STORE, readers=["user:a@example.org"])],
        members=["user:a@example.org"],
        iap_agent="serviceAccount:service-7@gcp-sa-iap.iam.gserviceaccount.com",
        labels={"team": "imaging"},
        load_balancer=LoadBalancerArgs(**{"domains": DOMAINS, **changed}),
    )
    return deploy(lambda: Gateway("gateway", args))


def inputs(deployed: Deployment, type_: str) -> dict[str, Any]:
    [found] = deployed.of_type(f"gcp:compute/{type_}")
    return found.inputs


def test_it_leads_from_its_address_to_the_service() -> None:
    deployed = up(redirect_http=False)
    group = inputs(deployed, "regionNetworkEndpointGroup:RegionNetworkEndpointGroup")
    assert group["cloudRun"] == {"service": "gateway-ward"}
    backend = inputs(deployed, "backendService:BackendService")
    assert backend["loadBalancingScheme"] == "EXTERNAL_MANAGED"
    assert backend["backends"] == [{"group": "gateway-balancer-id"}]
    assert backend["securityPolicy"] == "gateway-balancer-id"
    proxy = inputs(deployed, "targetHttpsProxy:TargetHttpsProxy")
    assert proxy["sslCertificates"] == ["gateway-balancer-id"]
    policy = inputs(deployed, "sSLPolicy:SSLPolicy")
    assert (policy["minTlsVersion"], policy["profile"]) == ("TLS_1_2", "MODERN")
    rule = inputs(deployed, "globalForwardingRule:GlobalForwardingRule")
    assert (rule["portRange"], rule["ipAddress"]) == ("443", "gateway-balancer-id")


def test_the_internet_reaches_the_service_by_nothing_else() -> None:
    [service] = up().of_type("gcp:cloudrunv2/service:Service")
    assert service.inputs["ingress"] == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
    # The proxy stays on the service: it can't be on both, and the backend service has none.
    assert service.inputs["iapEnabled"] is True
    assert "iap" not in inputs(up(), "backendService:BackendService")


def test_port_80_redirects() -> None:
    deployed = up()
    maps = {one.name: one.inputs for one in deployed.of_type("gcp:compute/uRLMap:URLMap")}
    assert maps["gateway-balancer-http"]["defaultUrlRedirect"]["httpsRedirect"] is True
    assert "defaultService" not in maps["gateway-balancer-http"]
    rules = deployed.of_type("gcp:compute/globalForwardingRule:GlobalForwardingRule")
    assert {rule.inputs["portRange"] for rule in rules} == {"80", "443"}
    assert len({rule.inputs["ipAddress"] for rule in rules}) == 1


def test_other_domains_are_another_certificate() -> None:
    type_ = "managedSslCertificate:ManagedSslCertificate"
    one, other = inputs(up(), type_), inputs(up(domains=DOMAINS[:1]), type_)
    assert one["managed"] == {"domains": DOMAINS}
    assert one["name"] != other["name"]
    assert inputs(up(), type_)["name"] == one["name"]


def test_given_certificates_take_its_place() -> None:
    given = "projects/my-project/global/sslCertificates/own"
    deployed = up(certificates=[given])
    assert deployed.of_type("gcp:compute/managedSslCertificate:ManagedSslCertificate") == []
    assert inputs(deployed, "targetHttpsProxy:TargetHttpsProxy")["sslCertificates"] == [given]


@pytest.mark.parametrize(
    "changed",
    [{}, {"armor": ArmorArgs(allowed_ranges=RANGES, ban_seconds=600, preview=True)}],
)
def test_the_provider_takes_every_resource(changed: dict[str, Any]) -> None:
    for resource in up(**changed).resources:
        if resource.type.startswith("gcp:compute/"):
            fields = provider_schema.load(resource.type).fields
            assert not [name for name in resource.inputs if fields[name].output]
            type_ = registry.find(resource.type)
            assert type_ is not None
            given = _whole_numbers(resource.inputs)
            _, failures = check(type_.properties, given, {}, Naming(logical="g"))
            assert failures == []


def _whole_numbers(value: Any) -> Any:
    """Return inputs as programs give them: the mock makes all numbers floats."""
    if isinstance(value, dict):
        return {name: _whole_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def test_the_local_cloud_takes_every_rule() -> None:
    args = ArmorArgs(allowed_ranges=RANGES, ban_seconds=600, waf_sensitivity=4)
    for rule in armor_rules.rules(args):
        assert rule_of(_wire(rule), "rule")


def _wire(value: Any) -> Any:
    """Return a value with the names that the API has."""
    if isinstance(value, dict):
        return {_camel(name): _wire(item) for name, item in value.items()}
    return [_wire(item) for item in value] if isinstance(value, list) else value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


def decide(rules: list[dict[str, Any]], address: str, method: str = "POST") -> tuple[str, int]:
    """Return what the first rule in force does with a request that rule sets would refuse."""
    for rule in sorted(rules, key=lambda one: one["priority"]):
        match = rule["match"]
        if "expr" in match:
            is_match = f"request.method != '{method}'" not in match["expr"]["expression"]
        else:
            ranges = match["config"]["src_ip_ranges"]
            is_match = "*" in ranges or f"{address}/32" in ranges
        if is_match and not rule["preview"]:
            return rule["action"], rule["priority"]
    raise AssertionError("no rule matches")


def test_everyone_may_call_within_the_limit() -> None:
    rules = armor_rules.rules(ArmorArgs())
    assert decide(rules, "203.0.113.9") == ("throttle", 2500)
    assert decide(rules, "203.0.113.9", "GET") == ("deny(403)", 1000)
    [limited] = [rule for rule in rules if rule["action"] == "throttle"]
    assert limited["rate_limit_options"]["rate_limit_threshold"] == {
        "count": 6_000,
        "interval_sec": 60,
    }
    assert "ban_duration_sec" not in limited["rate_limit_options"]


def test_others_than_the_allowed_ranges_are_refused() -> None:
    rules = armor_rules.rules(ArmorArgs(allowed_ranges=RANGES, ban_seconds=600))
    assert decide(rules, "192.0.2.0") == ("rate_based_ban", 2000)
    assert decide(rules, "192.0.2.11") == ("rate_based_ban", 2001)
    assert decide(rules, "203.0.113.9") == ("deny(403)", LAST)


def test_a_preview_lets_the_allowed_ranges_through_and_no_others() -> None:
    rules = armor_rules.rules(ArmorArgs(allowed_ranges=RANGES, preview=True))
    assert decide(rules, "192.0.2.11", "GET") == ("allow", 3001)
    assert decide(rules, "203.0.113.9", "GET") == ("deny(403)", LAST)
    open_rules = armor_rules.rules(ArmorArgs(preview=True))
    assert decide(open_rules, "203.0.113.9", "GET") == ("allow", LAST)


def test_rule_sets_see_requests_without_a_body_alone() -> None:
    rules = armor_rules.rules(ArmorArgs(waf_rule_sets=["sqli"]))
    expression = rules[0]["match"]["expr"]["expression"]
    assert expression.endswith("evaluatePreconfiguredWaf('sqli-v33-stable', {'sensitivity': 1})")
    # Cloud Armor takes five conditions in a rule.
    assert expression.count("&&") < 5


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"domains": []}, "1 to 100 are allowed"),
        ({"domains": ["*.example.org"]}, "names each domain in full"),
        ({"domains": ["https://images.example.org/"]}, 'Did you mean "images.example.org"'),
        ({"domains": [DOMAINS[0]] * 2}, "is there twice"),
        ({"certificates": ["own"]}, "is not the full name of a certificate"),
        ({"tls_profile": "COMPATIBLE"}, "is not a TLS profile"),
        ({"log_sample_rate": 1.5}, "is not 0 to 1"),
    ],
)
def test_what_can_not_work_is_refused(changed: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ArgumentError, match=complaint):
        up(**changed)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"allowed_ranges": ["0.0.0.0/0"]}, "is the range of all addresses"),
        ({"allowed_ranges": ["192.0.2.1/24"]}, 'Did you mean "192.0.2.0/24"'),
        ({"allowed_ranges": ["hospital"]}, "is not a range of addresses"),
        ({"allowed_ranges": [f"10.0.{n}.0/24" for n in range(51)]}, "are more than 50"),
        ({"waf_rule_sets": ["methodenforcement"]}, "would refuse PUT, PATCH and DELETE"),
        ({"waf_rule_sets": ["sqly"]}, "is not a rule set"),
        ({"waf_rule_sets": ["sqli", "sqli"]}, "is there twice"),
        ({"waf_sensitivity": 5}, "is not 1 to 4"),
        ({"requests_per_minute": 0}, "is not 1 to 1000000"),
        ({"ban_seconds": 10}, "is not 60 to 86400"),
    ],
)
def test_a_policy_that_can_not_work_is_refused(changed: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ArgumentError, match=complaint):
        ArmorArgs(**changed)
