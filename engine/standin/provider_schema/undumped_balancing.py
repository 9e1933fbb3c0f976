"""Resource types of external load balancers that the dump lacks, in the form of a dump.

Documented: the names, types and required fields are those of the plug-in's SDK, which a test
compares; what replaces a resource, the defaults, the allowed values and the timeouts are those of
the provider's own schemas, https://github.com/hashicorp/terraform-provider-google-beta, as its
versions 6 have them, and of the pages of version 8 for what is new. Fields of objects that the
stand-in leaves out are left out here too.
"""

from collections.abc import Mapping
from typing import Any

from engine.standin.provider_schema.dump_form import (
    TEXT,
    TIMEOUTS,
    Fields,
    field,
    named,
    several,
    single,
    texts,
)

_COMMON: Fields = {
    "creation_timestamp": field("c"),
    "deletion_policy": field("oc"),
    "description": field("of"),
    "name": field("rf"),
    "project": field("ocf"),
    "self_link": field("c"),
}
_LABELS: Fields = {
    "effective_labels": field("c", "Map", elem=TEXT),
    "label_fingerprint": field("c"),
    "labels": field("o", "Map", elem=TEXT),
    "terraform_labels": field("c", "Map", elem=TEXT, pulumi="pulumiLabels"),
}
_NAME = "^(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)$"
_REDIRECTS = ["EXTERNAL_302", "GOOGLE_RECAPTCHA"]
_KEYS = [
    "ALL", "IP", "HTTP_HEADER", "XFF_IP", "HTTP_COOKIE", "HTTP_PATH", "SNI", "REGION_CODE",
    "TLS_JA3_FINGERPRINT", "TLS_JA4_FINGERPRINT", "USER_IP", "",
]  # fmt: skip
_OPERATORS = ["EQUALS", "STARTS_WITH", "ENDS_WITH", "CONTAINS", "EQUALS_ANY"]
_THRESHOLD: Fields = {"count": field("o", "Int"), "interval_sec": field("o", "Int")}
_REDIRECT: Fields = {"target": field("o"), "type": field("o", values=_REDIRECTS)}
_EXCLUDED: Fields = {"operator": field("r", values=_OPERATORS), "value": field("o")}
_EXCLUSION: Fields = {
    **{
        f"request_{part}": several("o", _EXCLUDED, pulumi=name)
        for part, name in {
            "body": "requestBodies",
            "cookie": "requestCookies",
            "header": "requestHeaders",
            "query_param": "requestQueryParams",
            "uri": "requestUris",
        }.items()
    },
    "target_rule_ids": texts("o", "Set"),
    "target_rule_set": field("r"),
}
_RATE_LIMIT: Fields = {
    "ban_duration_sec": field("o", "Int"),
    "ban_threshold": single("o", _THRESHOLD),
    "conform_action": field("o", values=["allow"]),
    "enforce_on_key": field("o", values=_KEYS),
    "enforce_on_key_configs": several(
        "o", {"enforce_on_key_name": field("o"), "enforce_on_key_type": field("o", values=_KEYS)}
    ),
    "enforce_on_key_name": field("o"),
    "exceed_action": field(
        "o", values=["redirect", "deny(403)", "deny(404)", "deny(429)", "deny(502)"]
    ),
    "exceed_redirect_options": single("o", _REDIRECT),
    "rate_limit_threshold": single("o", _THRESHOLD),
}
_MATCH: Fields = {
    "config": single("o", {"src_ip_ranges": texts("o", "Set", minItems=1, maxItems=10)}),
    "expr": single("o", {"expression": field("r")}),
    "expr_options": single(
        "o",
        {
            "recaptcha_options": single(
                "r", {"action_token_site_keys": texts("o"), "session_token_site_keys": texts("o")}
            )
        },
    ),
    "versioned_expr": field("o", values=["SRC_IPS_V1"]),
}
_RULE: Fields = {
    "action": field("r"),
    "description": field("o", default=""),
    "header_action": single(
        "o",
        {
            "request_headers_to_adds": several(
                "o", {"header_name": field("o"), "header_value": field("o")}
            )
        },
    ),
    "match": single("r", _MATCH),
    "preconfigured_waf_config": single(
        "o", {"exclusion": several("o", _EXCLUSION, pulumi="exclusions")}
    ),
    "preview": field("oc", "Bool"),
    "priority": field("r", "Int"),
    "rate_limit_options": single("o", _RATE_LIMIT),
    "redirect_options": single("o", _REDIRECT),
}
_OPTIONS: Fields = {
    "json_custom_config": single("oc", {"content_types": texts("r", "Set")}),
    "json_parsing": field("oc", values=["DISABLED", "STANDARD", "STANDARD_WITH_GRAPHQL"]),
    "log_level": field("oc", values=["NORMAL", "VERBOSE"]),
    "request_body_inspection_size": field("oc"),
    "user_ip_request_headers": texts("o", "Set"),
}
_DEFAULTS = ["default_service", "default_url_redirect"]
_URL_REDIRECT: Fields = {
    "host_redirect": field("o"),
    "https_redirect": field("o", "Bool", default=False),
    "path_redirect": field("o"),
    "prefix_redirect": field("o"),
    "redirect_response_code": field(
        "o",
        values=[
            "FOUND",
            "MOVED_PERMANENTLY_DEFAULT",
            "PERMANENT_REDIRECT",
            "SEE_OTHER",
            "TEMPORARY_REDIRECT",
            "",
        ],
    ),
    "strip_query": field("r", "Bool"),
}
_PROXY: Fields = {
    **_COMMON,
    "fingerprint": field("c"),
    "http_keep_alive_timeout_sec": field("of", "Int"),
    "proxy_bind": field("ocf", "Bool"),
    "proxy_id": field("c", "Int"),
    "url_map": field("rs"),
}

UNDUMPED_OF_BALANCERS: Mapping[str, Mapping[str, Any]] = {
    token: {"importer": True, "timeouts": timeouts, "fields": named(fields)}
    for token, timeouts, fields in (
        (
            "gcp:compute/globalAddress:GlobalAddress",
            TIMEOUTS,
            {
                **_COMMON,
                **_LABELS,
                "address": field("ocf"),
                "address_type": field(
                    "of", default="EXTERNAL", values=["EXTERNAL", "INTERNAL", ""]
                ),
                "ip_version": field("of", values=["IPV4", "IPV6", ""]),
                "network": field("ofs"),
                "prefix_length": field("ocf", "Int"),
                "purpose": field("of"),
            },
        ),
        (
            "gcp:compute/managedSslCertificate:ManagedSslCertificate",
            {"create": "30m0s", "delete": "30m0s"},
            {
                **_COMMON,
                "certificate_id": field("c", "Int"),
                "expire_time": field("c"),
                "managed": single("of", {"domains": texts("rfs", maxItems=100)}),
                "name": field("of"),
                "subject_alternative_names": texts("c"),
                "type": field("of", default="MANAGED", values=["MANAGED", ""]),
            },
        ),
        (
            "gcp:compute/sSLPolicy:SSLPolicy",
            TIMEOUTS,
            {
                **_COMMON,
                "custom_features": texts("o", "Set"),
                "enabled_features": texts("c", "Set"),
                "fingerprint": field("c"),
                "min_tls_version": field(
                    "o",
                    default="TLS_1_0",
                    values=["TLS_1_0", "TLS_1_1", "TLS_1_2", "TLS_1_3", ""],
                ),
                "post_quantum_key_exchange": field(
                    "o", values=["DEFAULT", "ENABLED", "DEFERRED", ""]
                ),
                "profile": field(
                    "o",
                    default="COMPATIBLE",
                    values=["COMPATIBLE", "MODERN", "RESTRICTED", "CUSTOM", "FIPS_202205", ""],
                ),
            },
        ),
        (
            "gcp:compute/securityPolicy:SecurityPolicy",
            {"create": "8m0s", "delete": "8m0s", "update": "8m0s"},
            {
                **{name: _COMMON[name] for name in _COMMON if name != "creation_timestamp"},
                **_LABELS,
                "adaptive_protection_config": single("o", {}),
                "advanced_options_config": single("oc", _OPTIONS),
                "description": field("o"),
                "fingerprint": field("c"),
                "name": field("rf", validated=True, pattern=_NAME),
                "recaptcha_options_config": single("o", {"redirect_site_key": field("r")}),
                "rule": several("oc", _RULE, "Set", pulumi="rules"),
                "type": field(
                    "ocf",
                    values=["CLOUD_ARMOR", "CLOUD_ARMOR_EDGE", "CLOUD_ARMOR_INTERNAL_SERVICE"],
                ),
            },
        ),
        ("gcp:compute/targetHttpProxy:TargetHttpProxy", TIMEOUTS, _PROXY),
        (
            "gcp:compute/targetHttpsProxy:TargetHttpsProxy",
            TIMEOUTS,
            {
                **_PROXY,
                "certificate_manager_certificates": texts("os", conflictsWith=["ssl_certificates"]),
                "certificate_map": field("o"),
                "quic_override": field(
                    "o", default="NONE", values=["NONE", "ENABLE", "DISABLE", ""]
                ),
                "server_tls_policy": field("os"),
                "ssl_certificates": texts("os", conflictsWith=["certificate_manager_certificates"]),
                "ssl_policy": field("os"),
                "tls_early_data": field(
                    "ocf", values=["STRICT", "PERMISSIVE", "UNRESTRICTED", "DISABLED", ""]
                ),
            },
        ),
        (
            "gcp:compute/uRLMap:URLMap",
            TIMEOUTS,
            {
                **_COMMON,
                "default_custom_error_response_policy": single("o", {}),
                "default_route_action": single("o", {}),
                "default_service": field("os", exactlyOneOf=_DEFAULTS),
                "default_url_redirect": single("o", _URL_REDIRECT, exactlyOneOf=_DEFAULTS),
                "description": field("o"),
                "fingerprint": field("c"),
                "header_action": single("o", {}),
                "host_rule": several("o", {}, "Set", pulumi="hostRules"),
                "map_id": field("c", "Int"),
                "path_matcher": several("o", {}, pulumi="pathMatchers"),
                "test": several("o", {}, pulumi="tests"),
            },
        ),
    )
}
