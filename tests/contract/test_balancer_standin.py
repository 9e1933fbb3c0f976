"""The stand-in's external load balancer on the emulator: created, changed, imported, deleted."""

import pytest

from emulator.server.server_file import ServerInfo
from tests.support.compute_standin import Make, Values, changes, configured, maker
from tests.support.plugin import Engine, RefusedError

pytestmark = pytest.mark.sockets
ADDRESS, CERTIFICATE, POLICY, SERVICE, GROUP, RULE, MAP, HTTPS, HTTP, TLS = (
    f"gcp:compute/{name}:{name[0].upper()}{name[1:]}"
    for name in (
        "globalAddress", "managedSslCertificate", "securityPolicy", "backendService",
        "regionNetworkEndpointGroup", "globalForwardingRule", "uRLMap", "targetHttpsProxy",
        "targetHttpProxy", "sSLPolicy",
    )
)  # fmt: skip
LAST = 2147483647
WAF = "evaluatePreconfiguredWaf('sqli-v33-stable', {'sensitivity': 1})"


def rule(priority: int, action: str, *ranges: str, **more: object) -> Values:
    match = {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": list(ranges)}}
    return {"priority": priority, "action": action, "match": match, **more}


@pytest.fixture
def engine(emulator: ServerInfo, project: str) -> Engine:
    return configured(emulator, project)


@pytest.fixture
def make(engine: Engine) -> Make:
    return maker(engine)


@pytest.fixture
def backend(make: Make) -> tuple[str, Values, Values]:
    """A backend service before a Cloud Run service: id, state and inputs."""
    group, _ = make(GROUP, {"name": "n", "region": "us-central1", "cloudRun": {"service": "g"}})
    news = {
        "name": "b",
        "loadBalancingScheme": "EXTERNAL_MANAGED",
        "protocol": "HTTPS",
        "backends": [{"group": group}],
        "logConfig": {"enable": True, "sampleRate": 0.5},
    }
    id_, state = make(SERVICE, news)
    return id_, state, news


def test_rules_change_one_by_one(engine: Engine, make: Make) -> None:
    limits = {
        "rateLimitThreshold": {"count": 100, "intervalSec": 60},
        "conformAction": "allow",
        "exceedAction": "deny(429)",
        "enforceOnKey": "IP",
        "banDurationSec": 600,
    }
    waf = {"priority": 100, "action": "deny(403)", "match": {"expr": {"expression": WAF}}}
    excluded = {"operator": "EQUALS", "value": "PatientName"}
    waf["preconfiguredWafConfig"] = {
        "exclusions": [{"targetRuleSet": "sqli-v33-stable", "requestQueryParams": [excluded]}]
    }
    ban = rule(1000, "rate_based_ban", "192.0.2.0/24", "198.51.100.0/24", rateLimitOptions=limits)
    last = rule(LAST, "deny(403)", "*")
    news = {"name": "p", "rules": [waf, ban, last], "labels": {"site": "a"}}
    id_, state = make(POLICY, news)
    assert {one["priority"] for one in state["rules"]} == {100, 1000, LAST}

    # One rule added, one changed into another kind of match, one gone; the rest stays.
    changed = {
        **news,
        "description": "Who may call.",
        "labels": {"site": "b"},
        "rules": [
            rule(100, "deny(404)", "203.0.113.0/24", preview=True),
            rule(50, "allow", "192.0.2.7/32"),
            last,
        ],
    }
    assert changes(engine, POLICY, id_, state, changed)
    state = engine.update(POLICY, id_, state, changed)
    kept = {one["priority"]: one for one in state["rules"]}
    assert sorted(kept) == [50, 100, LAST]
    assert kept[100]["match"]["config"]["srcIpRanges"] == ["203.0.113.0/24"]
    assert kept[100]["match"]["expr"] is None
    assert kept[100]["preconfiguredWafConfig"] is None
    assert (kept[100]["preview"], state["description"]) == (True, "Who may call.")
    assert state["labels"] == {"site": "b"}
    assert changes(engine, POLICY, id_, state, changed) == set()
    engine.delete(POLICY, id_, state)


def test_a_backend_service_gets_its_policy_by_a_call(
    engine: Engine, make: Make, backend: tuple[str, Values, Values]
) -> None:
    policy, _ = make(POLICY, {"name": "p", "rules": [rule(LAST, "deny(403)", "*")]})
    id_, state, news = backend
    assert state["securityPolicy"] == ""
    guarded = {**news, "securityPolicy": policy}
    state = engine.update(SERVICE, id_, state, guarded)
    assert state["securityPolicy"].endswith(policy)
    # A change of the rest, by a request for the whole, keeps it.
    state = engine.update(SERVICE, id_, state, {**guarded, "logConfig": {"enable": False}})
    assert state["securityPolicy"].endswith(policy)
    assert state["logConfig"]["enable"] is False

    _, other = make(SERVICE, {**guarded, "name": "c"})
    assert other["securityPolicy"].endswith(policy)
    state = engine.update(SERVICE, id_, state, news)
    assert state["securityPolicy"] == ""


def test_a_whole_balancer(
    engine: Engine, make: Make, backend: tuple[str, Values, Values], project: str
) -> None:
    service, _, _ = backend
    address, reserved = make(ADDRESS, {"name": "a", "labels": {"site": "a"}})
    managed = {"name": "c", "managed": {"domains": ["images.example.org"]}}
    certificate, issued = make(CERTIFICATE, managed)
    tls, allowed = make(TLS, {"name": "t", "profile": "MODERN", "minTlsVersion": "TLS_1_2"})
    assert "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" in allowed["enabledFeatures"]
    urls, mapped = make(MAP, {"name": "u", "defaultService": service})
    proxy = {"name": "p", "urlMap": urls, "sslCertificates": [certificate], "sslPolicy": tls}
    proxy_id, proxied = make(HTTPS, proxy)
    listen = {
        "name": "r",
        "ipAddress": address,
        "loadBalancingScheme": "EXTERNAL_MANAGED",
        "portRange": "443",
        "target": proxy_id,
        "labels": {"site": "a"},
    }
    rule_id, listening = make(RULE, listen)
    assert (listening["ipAddress"], listening["portRange"]) == (reserved["address"], "443-443")

    code = "MOVED_PERMANENTLY_DEFAULT"
    redirect = {"httpsRedirect": True, "stripQuery": False, "redirectResponseCode": code}
    to_https, redirecting = make(MAP, {"name": "w", "defaultUrlRedirect": redirect})
    assert redirecting["defaultUrlRedirect"]["redirectResponseCode"] == code
    plain, plainly = make(HTTP, {"name": "h", "urlMap": to_https})
    plainly = engine.update(HTTP, plain, plainly, {"name": "h", "urlMap": urls})
    assert plainly["urlMap"].endswith(urls)

    # New domains are a new certificate, which the proxy takes before the old one goes.
    news = {"name": "d", "managed": {"domains": ["other.example.org"]}}
    response = engine.diff(CERTIFICATE, certificate, issued, news)
    assert response.replaces
    assert not response.deleteBeforeReplace
    other, renewed = make(CERTIFICATE, news)
    changed = {**proxy, "sslCertificates": [other], "quicOverride": "DISABLE"}
    proxied = engine.update(HTTPS, proxy_id, proxied, changed)
    assert [one.rpartition("/")[2] for one in proxied["sslCertificates"]] == ["d"]
    assert proxied["quicOverride"] == "DISABLE"
    engine.delete(CERTIFICATE, certificate, issued)
    with pytest.raises(RefusedError, match="is already being used by"):
        engine.delete(CERTIFICATE, other, renewed)

    id_, imported, _ = engine.read(RULE, f"{project}/r", {}, {})
    assert (id_, imported["target"]) == (rule_id, listening["target"])
    listening = engine.update(RULE, rule_id, listening, {**listen, "labels": {"site": "b"}})
    assert listening["labels"] == {"site": "b"}
    for type_, gone, state in (
        (RULE, rule_id, listening),
        (HTTPS, proxy_id, proxied),
        (HTTP, plain, plainly),
        (MAP, urls, mapped),
        (MAP, to_https, redirecting),
        (CERTIFICATE, other, renewed),
        (TLS, tls, allowed),
        (ADDRESS, address, reserved),
    ):
        engine.delete(type_, gone, state)


@pytest.mark.parametrize(
    ("type_", "news", "reason"),
    [
        (MAP, {"name": "u"}, "one of `default_service,default_url_redirect`"),
        (TLS, {"name": "t", "minTlsVersion": "TLS_1"}, "min_tls_version"),
        (
            HTTPS,
            {
                "name": "p",
                "urlMap": "u",
                "sslCertificates": ["c"],
                "certificateManagerCertificates": ["d"],
            },
            "certificate",
        ),
        (POLICY, {"name": "p", "type": "CLOUD"}, "expected type to be one of"),
    ],
)
def test_constraints_of_the_provider(engine: Engine, type_: str, news: Values, reason: str) -> None:
    response = engine.check(type_, news)
    assert reason in " ".join(failure.reason for failure in response.failures)
