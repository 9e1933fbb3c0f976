"""The parts of an external load balancer: who refers to whom, rules of policies, refusals."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.testclient import TestClient

from tests.support.balancer_requests import (
    BODIES,
    DEFAULT,
    GROUP,
    LIMITS,
    POLICIES,
    expression,
    path_of,
    rule,
)
from tests.support.compute_requests import Json, Send, url

Refused = Callable[..., Json]
CERTIFICATES, SERVICES = "global/sslCertificates", "global/backendServices"
WAF = "evaluatePreconfiguredWaf('sqli-v33-stable', {'sensitivity': 1})"


@pytest.fixture
def refused(compute_client: TestClient) -> Refused:
    """Sends a request that has to fail with 400; returns the error."""

    def refused(method: str, path: str, body: Any = None, **query: str) -> Json:
        answer = compute_client.request(method, url(path), json=body, params=query)
        assert answer.status_code == 400, answer.text
        found: Json = answer.json()["error"]
        return found

    return refused


@pytest.fixture
def balancer(send: Send) -> Send:
    """A balancer with all of its parts."""
    for api, body in BODIES.items():
        send("POST", path_of(api), body)
    return send


def test_the_address_of_a_rule_is_the_reserved_one(balancer: Send) -> None:
    address = balancer("GET", "global/addresses/ga")
    found = balancer("GET", "global/forwardingRules/gr")
    assert (found["IPAddress"], found["portRange"]) == (address["address"], "443-443")
    assert (address["status"], address["users"]) == ("IN_USE", [found["selfLink"]])


@pytest.mark.parametrize(
    ("used", "user"),
    [
        ("globalAddresses", "forwardingRules/gr"),
        ("regionNetworkEndpointGroups", "backendServices/gb"),
        ("securityPolicies", "backendServices/gb"),
        ("backendServices", "urlMaps/u"),
        ("urlMaps", "targetHttpProxies/hp"),
        ("sslCertificates", "targetHttpsProxies/tp"),
        ("sslPolicies", "targetHttpsProxies/tp"),
        ("targetHttpsProxies", "forwardingRules/gr"),
    ],
)
def test_a_part_that_another_uses_stays(
    balancer: Send, refused: Refused, used: str, user: str
) -> None:
    policy = {"securityPolicy": f"{POLICIES}/s"}
    balancer("POST", f"{SERVICES}/gb/setSecurityPolicy", policy)
    path = f"{path_of(used)}/{BODIES[used]['name']}"

    error = refused("DELETE", path)

    assert error["errors"][0]["reason"] == "resourceInUseByAnotherResource"
    assert error["message"].endswith(f"{user}'")
    assert balancer("GET", path)


def test_the_parts_are_deleted_in_the_other_order(balancer: Send) -> None:
    for api in reversed([*BODIES]):
        balancer("DELETE", f"{path_of(api)}/{BODIES[api]['name']}")
        assert balancer("GET", path_of(api))["items"] == []


def test_a_security_policy_is_set_by_its_own_method(balancer: Send) -> None:
    link = {"securityPolicy": f"{POLICIES}/s"}
    balancer("PATCH", f"{SERVICES}/gb", {**link, "description": "new"})
    found = balancer("GET", f"{SERVICES}/gb")
    assert ("securityPolicy" in found, found["description"]) == (False, "new")

    balancer("POST", f"{SERVICES}/gb/setSecurityPolicy", link)
    body = BODIES["backendServices"]
    balancer("PUT", f"{SERVICES}/gb", {**body, "fingerprint": ""})
    assert balancer("GET", f"{SERVICES}/gb")["securityPolicy"].endswith("/securityPolicies/s")

    balancer("POST", f"{SERVICES}/gb/setSecurityPolicy", {})
    assert "securityPolicy" not in balancer("GET", f"{SERVICES}/gb")


def test_rules_are_kept_by_priority_and_changed_one_by_one(balancer: Send) -> None:
    def rules() -> list[tuple[int, str]]:
        listed = balancer("GET", f"{POLICIES}/s")["rules"]
        return [(one["priority"], one["action"]) for one in listed]

    last = (2147483647, "deny(403)")
    assert rules() == [(1000, "rate_based_ban"), last]
    balancer("POST", f"{POLICIES}/s/addRule", expression(100, WAF))
    assert rules() == [(100, "deny(403)"), (1000, "rate_based_ban"), last]
    balancer("POST", f"{POLICIES}/s/patchRule", {"action": "deny(404)"}, priority="100")
    balancer("POST", f"{POLICIES}/s/removeRule", priority="1000")
    assert rules() == [(100, "deny(404)"), last]
    found = balancer("GET", f"{POLICIES}/s/getRule", priority="100")
    assert found["match"] == {"expr": {"expression": WAF}}
    before = balancer("GET", f"{POLICIES}/s")["fingerprint"]
    balancer("PATCH", f"{POLICIES}/s", {"rules": [DEFAULT], "description": "new"})
    assert rules() == [(100, "deny(404)"), last]
    assert balancer("GET", f"{POLICIES}/s")["fingerprint"] != before


def test_a_policy_without_rules_has_the_default_one(send: Send) -> None:
    send("POST", POLICIES, {"name": "empty"})
    [only] = send("GET", f"{POLICIES}/empty")["rules"]
    assert (only["action"], only["priority"], only["description"]) == (
        "allow",
        2147483647,
        "default rule",
    )


@pytest.mark.parametrize(
    ("bad", "field", "reason"),
    [
        (rule(1, "drop"), "rules[0].action", "It must be one of allow, deny(403)"),
        (rule(-1), "rules[0].priority", "It must be from 0 to 2147483647."),
        (rule(1, ranges="10.0.0.0/99"), "srcIpRanges[0]", "It must be an address range"),
        (rule(1, ranges="10.0.0.1/8"), "srcIpRanges[0]", "It must be an address range"),
        (
            rule(1)
            | {"match": {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["*"] * 11}}},
            "srcIpRanges",
            "At most 10 ranges",
        ),
        (expression(1, "evaluatePreconfiguredWaf('sqly')"), "expr.expression", "'sqly'"),
        (rule(1, rateLimitOptions=LIMITS), "rateLimitOptions", "for the actions rate_based_ban"),
        (
            rule(1, "throttle", rateLimitOptions=LIMITS),
            "rateLimitOptions.banDurationSec",
            "for the action rate_based_ban alone",
        ),
        (
            rule(
                1,
                "rate_based_ban",
                rateLimitOptions={**LIMITS, "rateLimitThreshold": {"count": 1, "intervalSec": 61}},
            ),
            "rateLimitThreshold.intervalSec",
            "It must be one of 10, 30, 60",
        ),
        (DEFAULT, "rules[1].priority", "Another rule has this priority."),
    ],
)
def test_a_bad_rule_is_refused(refused: Refused, bad: Json, field: str, reason: str) -> None:
    error = refused("POST", POLICIES, {"name": "p", "rules": [bad, DEFAULT]})
    assert field in error["message"]
    assert reason in error["message"]


def test_a_policy_keeps_its_default_rule(balancer: Send, refused: Refused) -> None:
    assert "default rule" in refused("POST", POLICIES, {"name": "p", "rules": [rule(1)]})["message"]
    error = refused("POST", f"{POLICIES}/s/removeRule", priority="2147483647")
    assert "can't be removed" in error["message"]
    error = refused("POST", f"{POLICIES}/s/patchRule", {"action": "allow"}, priority="77")
    assert "There is no rule with this priority" in error["message"]
    assert balancer("GET", f"{POLICIES}/s")["rules"][-1]["action"] == "deny(403)"


@pytest.mark.parametrize(
    ("api", "change", "message"),
    [
        (
            "backendServices",
            {"backends": [{"group": GROUP, "maxUtilization": 0.8}]},
            "Max utilization",
        ),
        ("backendServices", {"timeoutSec": 60}, "Timeout sec is not supported"),
        ("backendServices", {"loadBalancingScheme": "INTERNAL_MANAGED"}, "serves EXTERNAL and"),
        ("backendServices", {"backends": []}, "'resource.healthChecks' not specified"),
        ("regionNetworkEndpointGroups", {"cloudRun": None}, "'resource.cloudRun' not specified"),
        ("regionNetworkEndpointGroups", {"cloudRun": {}}, "'resource.cloudRun"),
        ("urlMaps", {"defaultService": None}, "'resource.defaultService' not specified"),
        ("urlMaps", {"defaultUrlRedirect": {"httpsRedirect": True}}, "It can't be with"),
        ("sslPolicies", {"minTlsVersion": "TLS_1_3"}, "TLS_1_3 needs the profile RESTRICTED"),
        ("sslPolicies", {"profile": "CUSTOM"}, "'resource.customFeatures' not specified"),
        ("sslCertificates", {"managed": {"domains": ["*.example.org"]}}, "without a wildcard"),
        ("sslCertificates", {"managed": {}}, "'resource.managed.domains' not specified"),
        ("targetHttpsProxies", {"sslCertificates": []}, "'resource.sslCertificates' not specified"),
        ("globalForwardingRules", {"portRange": "443-444"}, "needs one port"),
        ("globalForwardingRules", {"loadBalancingScheme": "EXTERNAL"}, "has EXTERNAL_MANAGED"),
        ("globalForwardingRules", {}, "would result in a conflict"),
    ],
)
def test_a_part_that_can_not_work_is_refused(
    balancer: Send, refused: Refused, api: str, change: Json, message: str
) -> None:
    body = {**BODIES[api], "name": "other", **change}
    error = refused("POST", path_of(api), {k: v for k, v in body.items() if v is not None})
    assert message in error["message"]
    names = [item["name"] for item in balancer("GET", path_of(api))["items"]]
    assert names == [BODIES[api]["name"]]


def test_a_managed_certificate_waits_for_its_domains(balancer: Send) -> None:
    managed = balancer("GET", f"{CERTIFICATES}/sc")["managed"]
    assert managed["status"] == "PROVISIONING"
    assert managed["domainStatus"] == {"images.example.org": "PROVISIONING"}


def test_a_profile_enables_features(balancer: Send) -> None:
    found = balancer("GET", "global/sslPolicies/sp")["enabledFeatures"]
    assert "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" in found
    assert not [name for name in found if name.startswith("TLS_RSA_")]


def test_a_given_certificate_is_read_and_its_key_hidden(send: Send, refused: Refused) -> None:
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    body = {"name": "given", "certificate": _certificate(key), "privateKey": _pem(key)}
    send("POST", CERTIFICATES, body)

    found = send("GET", f"{CERTIFICATES}/given")

    assert found["type"] == "SELF_MANAGED"
    assert found["subjectAlternativeNames"] == ["a.example.org"]
    assert found["expireTime"].startswith("2030-01-01T")
    assert _pem(key) not in str(found)
    wrong = refused("POST", CERTIFICATES, {**body, "name": "b", "privateKey": _pem(other)})
    assert "not the one of the certificate" in wrong["message"]
    wrong = refused("POST", CERTIFICATES, {**body, "name": "b", "certificate": "x"})
    assert "could not be parsed" in wrong["message"]


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _certificate(key: ec.EllipticCurvePrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a.example.org")])
    ends = datetime(2030, 1, 1, tzinfo=UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("a.example.org")])
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), 1, ends - timedelta(days=9), ends
    )
    built = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    return built.public_bytes(Encoding.PEM).decode()
