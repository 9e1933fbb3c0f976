"""Errors of gateways: between their settings, and with what they refer to."""

from typing import Any

import pytest

from components import rules
from tests.support.settings import parse, problem, problems

ANA = "user:ana@example.org"
STORE: dict[str, Any] = {"dicomStore": "ct", "readers": [ANA]}
GATEWAY: dict[str, Any] = {
    "name": "ward",
    "image": "registry.example/images/gateway:1",
    "members": [ANA],
    "stores": [STORE],
}
OIDC = {
    "issuer": "https://login.example.org",
    "audience": "gateway",
    "keysUrl": "https://login.example.org/keys",
}
HOST = "images.example.org"
STACK = {"dicomStores": [{"name": "ct"}], "fhirStores": [{"name": "ct"}]}


def gateway(**changed: Any) -> dict[str, Any]:
    return {**STACK, "gateways": [{**GATEWAY, **changed}]}


def store(**changed: Any) -> dict[str, Any]:
    return gateway(stores=[{**STORE, **changed}])


def balanced(**changed: Any) -> dict[str, Any]:
    return gateway(loadBalancer={"domains": [HOST], **changed})


def test_a_complete_gateway_is_read() -> None:
    lab = parse(
        **gateway(
            stores=[STORE, {"fhirStore": "ct", "editors": ["domain:Example.org"]}],
            members=["domain:example.org"],
            origins=["https://viewer.example.org"],
            limits={"bodyMib": 64},
            minInstances=1,
        )
    )
    [read] = lab.gateways
    assert [item.reference for item in read.stores] == ["ct", "ct"]
    assert (read.viewer, read.oidc, read.max_instances) == (True, None, 4)
    assert (read.limits.body_mib, read.limits.requests_per_minute) == (64, 1_200)


def test_groups_and_domains_bring_callers_through() -> None:
    for member in ("group:ward@example.org", "domain:example.org"):
        assert parse(**gateway(members=[member]))
    assert parse(**store(readers=["domain:example.org"]))
    assert parse(**store(readers=["allAuthenticatedUsers"]))


def test_an_identity_provider_stands_in_the_place_of_the_proxy() -> None:
    [read] = parse(**gateway(members=[], oidc=OIDC)).gateways
    assert read.oidc is not None
    assert read.oidc.keys_url == OIDC["keysUrl"]


def test_a_load_balancer_is_read() -> None:
    armor = {"allowedRanges": ["192.0.2.0/24", "2001:db8::/32"], "banSeconds": 600}
    [read] = parse(**balanced(armor=armor, redirectHttp=False, logSampleRate=0.5)).gateways
    assert read.load_balancer is not None
    assert read.load_balancer.armor.allowed_ranges == ["192.0.2.0/24", "2001:db8::/32"]
    assert (read.load_balancer.redirect_http, read.load_balancer.log_sample_rate) == (False, 0.5)
    assert read.load_balancer.armor.waf_rule_sets == [*rules.DEFAULT_WAF_RULE_SETS]


def test_all_errors_of_a_load_balancer_are_reported_together() -> None:
    config = balanced(domains=["*"], armor={"allowedRanges": ["all"], "wafRuleSets": ["sqly"]})
    at = "gateways[0].loadBalancer"
    keys = ("domains[0]", "armor.allowedRanges[0]", "armor.wafRuleSets[0]")
    assert problems(**config).keys() == {f"{at}.{key}" for key in keys}


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("gateways[0].name", gateway(name="Ward"), "is not a name of a gateway"),
    ("gateways[1].name", {**STACK, "gateways": [GATEWAY, GATEWAY]}, "is the same as"),
    ("gateways[0].image", gateway(image=None), "or gcp-healthcare-dicom:adapterRepository.name"),
    ("gateways[0].stores", gateway(stores=[]), "at least 1"),
    ("gateways[0].stores[0].dicomStore", store(dicomStore="ctt"), 'Did you mean "ct"?'),
    ("gateways[0].stores[0].dicomStore", store(dicomStore="a/ct"), "not one of the stack's"),
    ("gateways[0].stores[0]", store(dicomStore=None), "names no store"),
    ("gateways[0].stores[0]", store(fhirStore="ct"), "names two stores"),
    ("gateways[0].stores[1].dicomStore", gateway(stores=[STORE, STORE]), "each store once"),
    ("gateways[0].stores[0].readers", store(readers=[]), "lists no caller"),
    ("gateways[0].stores[0].readers[1]", store(readers=[ANA, ANA]), "is the same as"),
    (
        "gateways[0].stores[0].readers[0]",
        store(readers=["user:bo@example.org"]),
        "does not pass Identity-Aware Proxy. Add it to gcp-healthcare-dicom:gateways[0].members",
    ),
    (
        "gateways[0].stores[0].editors[0]",
        store(editors=["group:ward@example.org"]),
        "does not say which groups its caller is in",
    ),
    ("gateways[0].members", gateway(members=[]), "would let none through"),
    ("gateways[0].members", gateway(oidc=OIDC), "has no effect with oidc"),
    ("gateways[0].members[0]", gateway(members=["allUsers"]), "is not a member of a gateway"),
    ("gateways[0].members[1]", gateway(members=[ANA, ANA]), "is the same as"),
    (
        "gateways[0].oidc.keysUrl",
        gateway(members=[], oidc={**OIDC, "keysUrl": "http://login.example.org"}),
        "is not an https address",
    ),
    (
        "gateways[0].origins[0]",
        gateway(origins=["https://viewer.example.org/"]),
        'Did you mean "https://viewer.example.org"?',
    ),
    ("gateways[0].origins[0]", gateway(origins=["https://*.example.org"]), "is not an origin."),
    ("gateways[0].loadBalancer.domains", gateway(loadBalancer={}), "is required"),
    ("gateways[0].loadBalancer.domains", balanced(domains=[]), "at least 1"),
    ("gateways[0].loadBalancer.domains[0]", balanced(domains=["Images"]), "is not a domain"),
    ("gateways[0].loadBalancer.domains[1]", balanced(domains=[HOST, HOST]), "is the same as"),
    (
        "gateways[1].loadBalancer.domains[0]",
        {
            **STACK,
            "gateways": [
                {**GATEWAY, "name": name, "loadBalancer": {"domains": [HOST]}}
                for name in ("ward", "home")
            ],
        },
        "is a domain of another gateway, gcp-healthcare-dicom:gateways[0].loadBalancer.domains[0]",
    ),
    (
        "gateways[0].loadBalancer.certificates[0]",
        balanced(certificates=["own"]),
        "projects/PROJECT/global/sslCertificates/CERTIFICATE",
    ),
    ("gateways[0].loadBalancer.tlsProfile", balanced(tlsProfile="OLD"), "MODERN"),
    (
        "gateways[0].loadBalancer.logSampleRate",
        balanced(logSampleRate=2),
        "less than or equal to 1",
    ),
    (
        "gateways[0].loadBalancer.armor.allowedRanges[0]",
        balanced(armor={"allowedRanges": ["192.0.2.1/24"]}),
        'Did you mean "192.0.2.0/24"?',
    ),
    (
        "gateways[0].loadBalancer.armor.allowedRanges[1]",
        balanced(armor={"allowedRanges": ["192.0.2.0/24"] * 2}),
        "is the same as",
    ),
    (
        "gateways[0].loadBalancer.armor.requestsPerMinute",
        balanced(armor={"requestsPerMinute": 0}),
        "greater than or equal to 1",
    ),
    (
        "gateways[0].loadBalancer.armor.banSeconds",
        balanced(armor={"banSeconds": 10}),
        "greater than or equal to 60",
    ),
    (
        "gateways[0].loadBalancer.armor.wafRuleSets[0]",
        balanced(armor={"wafRuleSets": ["methodenforcement"]}),
        "would refuse PUT, PATCH and DELETE",
    ),
    ("gateways[0].minInstances", gateway(minInstances=5), "is more than maxInstances, 4"),
    ("gateways[0].region", {**gateway(), "location": "us"}, "the stack's location us is not"),
    (
        "gateways[0].region",
        {**gateway(region="us-east1"), "allowedLocations": ["us-central1"]},
        "is not among gcp-healthcare-dicom:allowedLocations",
    ),
]


@pytest.mark.parametrize(("key", "config", "complaint"), WRONG)
def test_each_wrong_setting_is_named_with_what_is_allowed(
    key: str, config: dict[str, Any], complaint: str
) -> None:
    body = [
        {
            name: [_given(one) for one in value] if name == "stores" else value
            for name, value in item.items()
            if value is not None
        }
        for item in config["gateways"]
    ]
    assert complaint in problem(key, **{**config, "gateways": body})


def _given(store: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in store.items() if value is not None}


def test_the_repository_of_the_stack_has_the_image() -> None:
    body = {name: value for name, value in GATEWAY.items() if name != "image"}
    assert parse(**STACK, gateways=[body], adapterRepository={"name": "images"})
