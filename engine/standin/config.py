"""Settings of the provider: from stack config, an explicit provider, or the environment."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from engine.loopback import is_loopback
from engine.standin.errors import StandInError
from engine.standin.properties import Failure
from engine.standin.values import Values, is_unknown

SERVICES: Mapping[str, tuple[str, str]] = {
    "healthcare": ("healthcareCustomEndpoint", "GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT"),
    "resourcemanager": ("resourceManagerCustomEndpoint", "GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT"),
    "serviceusage": ("serviceUsageCustomEndpoint", "GOOGLE_SERVICE_USAGE_CUSTOM_ENDPOINT"),
    "pubsub": ("pubsubCustomEndpoint", "GOOGLE_PUBSUB_CUSTOM_ENDPOINT"),
    "kms": ("kmsCustomEndpoint", "GOOGLE_KMS_CUSTOM_ENDPOINT"),
    "bigquery": ("bigQueryCustomEndpoint", "GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT"),
    "compute": ("computeCustomEndpoint", "GOOGLE_COMPUTE_CUSTOM_ENDPOINT"),
    "logging": ("loggingCustomEndpoint", "GOOGLE_LOGGING_CUSTOM_ENDPOINT"),
    "monitoring": ("monitoringCustomEndpoint", "GOOGLE_MONITORING_CUSTOM_ENDPOINT"),
    "storage": ("storageCustomEndpoint", "GOOGLE_STORAGE_CUSTOM_ENDPOINT"),
    "secretmanager": ("secretManagerCustomEndpoint", "GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT"),
    "artifactregistry": (
        "artifactRegistryCustomEndpoint",
        "GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT",
    ),
    "cloudrun": ("cloudRunV2CustomEndpoint", "GOOGLE_CLOUD_RUN_V2_CUSTOM_ENDPOINT"),
    "iam": ("iamCustomEndpoint", "GOOGLE_IAM_CUSTOM_ENDPOINT"),
    "iap": ("iapCustomEndpoint", "GOOGLE_IAP_CUSTOM_ENDPOINT"),
}
"""Google service -> (setting of the provider, environment variable) that hold its endpoint."""

_FROM_ENVIRONMENT = {
    "project": (
        "GOOGLE_PROJECT",
        "GOOGLE_CLOUD_PROJECT",
        "GCLOUD_PROJECT",
        "CLOUDSDK_CORE_PROJECT",
    ),
    "region": ("GOOGLE_REGION", "GCLOUD_REGION", "CLOUDSDK_COMPUTE_REGION"),
    "zone": ("GOOGLE_ZONE", "GCLOUD_ZONE", "CLOUDSDK_COMPUTE_ZONE"),
}
SETTINGS = frozenset(
    {
        "accessToken", "addPulumiAttributionLabel", "batching", "billingProject", "credentials",
        "defaultLabels", "deletionPolicy", "disableGooglePartnerName", "externalCredentials",
        "googlePartnerName", "impersonateServiceAccount", "impersonateServiceAccountDelegates",
        "pollInterval", "preferGlobalEndpoints", "preferRegionalEndpoints", "project",
        "pulumiAttributionLabelAdditionStrategy", "region", "requestReason", "requestTimeout",
        "scopes", "universeDomain", "userProjectOverride", "zone",
    }
)  # fmt: skip
"""The provider's settings besides endpoints; the stand-in uses those that matter offline."""
_OF_THE_ENGINE = frozenset({"version", "pluginDownloadURL", "pluginChecksums"})
_CURE = (
    "start the local Google Cloud with `python -m emulator start`, then take its addresses with "
    '`eval "$(python -m engine env)"`; the real Google Cloud needs the real plugin'
)


@dataclass(frozen=True)
class ProviderConfig:
    """The settings that the stand-in works by.

    Attributes:
        endpoints: service -> base URL, each ending in a version and a slash.
        project: default project, or None when it is not known before the update.
        attribution: when resources get the label that says Pulumi made them: "" (never),
            "CREATION_ONLY" or "PROACTIVE".
    """

    endpoints: Mapping[str, str]
    project: str | None = ""
    region: str | None = ""
    token: str = "local"  # noqa: S105 - the local Google Cloud takes any token
    default_labels: Mapping[str, str] = field(default_factory=dict)
    deletion_policy: str = "DELETE"
    attribution: str = "CREATION_ONLY"

    def endpoint(self, service: str) -> str:
        """Return the base URL of a service.

        Raises:
            StandInError: there is none; the text names the variable to set.
        """
        if endpoint := self.endpoints.get(service):
            return endpoint
        setting, variable = SERVICES[service]
        raise StandInError(
            f"the stand-in of the gcp plugin has no endpoint for {service}: neither gcp:{setting} "
            f"nor {variable} is set; {_CURE}"
        )


def check_config(news: Values, environment: Mapping[str, str]) -> tuple[Values, list[Failure]]:
    """Check the inputs of a provider and fills project, region and zone from the environment."""
    failures = []
    for name in news:
        endpoint = name.endswith("CustomEndpoint")
        if name in SETTINGS | _OF_THE_ENGINE or endpoint or name.startswith("__"):
            continue
        near = get_close_matches(
            name, [*SETTINGS, *(setting for setting, _ in SERVICES.values())], n=1
        )
        hint = f'; did you mean "{near[0]}"?' if near else ""
        failures.append(Failure(name, f'the gcp provider has no setting "{name}"{hint}'))
    inputs = dict(news)
    for name, variables in _FROM_ENVIRONMENT.items():
        if not inputs.get(name) and (value := _first(environment, variables)):
            inputs[name] = value
    return inputs, failures


def configure(settings: Values, environment: Mapping[str, str]) -> ProviderConfig:
    """Return settings and environment as a `ProviderConfig`.

    Args:
        settings: the provider's inputs; from stack config all are strings, JSON where need be.
        environment: variables of the process.

    Raises:
        StandInError: no endpoint at all, or one that is not on this machine.
    """
    endpoints = {}
    for service, (setting, variable) in SERVICES.items():
        if endpoint := settings.get(setting) or environment.get(variable):
            endpoints[service] = str(endpoint).rstrip("/") + "/"
    _refuse_remote(settings, environment)
    if not endpoints:
        variables = ", ".join(variable for _, variable in SERVICES.values())
        raise StandInError(
            f"the stand-in of the gcp plugin works on local endpoints only, and none is set "
            f"({variables}); {_CURE}"
        )
    found = {
        name: settings.get(name) or _first(environment, _FROM_ENVIRONMENT[name])
        for name in ("project", "region")
    }
    attributed = _as_json(settings.get("addPulumiAttributionLabel"), True)
    strategy = settings.get("pulumiAttributionLabelAdditionStrategy") or "CREATION_ONLY"
    token = settings.get("accessToken") or environment.get("GOOGLE_OAUTH_ACCESS_TOKEN") or "local"
    return ProviderConfig(
        endpoints=endpoints,
        project=None if is_unknown(found["project"]) else found["project"],
        region=None if is_unknown(found["region"]) else found["region"],
        token=token,
        default_labels=_as_json(settings.get("defaultLabels"), {}),
        deletion_policy=settings.get("deletionPolicy") or "DELETE",
        attribution=strategy if attributed else "",
    )


def _refuse_remote(settings: Values, environment: Mapping[str, str]) -> None:
    named = {
        f"gcp:{name}": value for name, value in settings.items() if name.endswith("CustomEndpoint")
    }
    named |= {
        n: v for n, v in environment.items() if re.fullmatch(r"GOOGLE_\w+_CUSTOM_ENDPOINT", n)
    }
    for name, endpoint in named.items():
        if endpoint and not _is_local(str(endpoint)):
            raise StandInError(
                f"{name} is {endpoint}, which is not on this machine: the stand-in of the gcp "
                f"plugin refuses every endpoint but loopback ones (127.0.0.1); {_CURE}"
            )


def _is_local(endpoint: str) -> bool:
    return urlsplit(endpoint).scheme in ("http", "https") and is_loopback(endpoint)


def _first(environment: Mapping[str, str], variables: Iterable[str]) -> str:
    return next((value for name in variables if (value := environment.get(name))), "")


def _as_json(value: Any, default: Any) -> Any:
    if value is None or value == "":
        return default
    if isinstance(value, str) and not is_unknown(value):
        return json.loads(value)
    return default if is_unknown(value) else value
