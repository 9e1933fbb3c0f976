"""Arguments of a gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from components import rules
from components.base import ArgumentError, require, require_each
from components.gateway.balancer_arguments import LoadBalancerArgs

MAX_INSTANCES = 100


@dataclass(frozen=True, kw_only=True)
class GatewayStoreArgs:
    """A store that a gateway leads to: a DICOM store or a FHIR store.

    Attributes:
        name: What the program calls the store; logical names end with it.
        dicom_store: The full name of the DICOM store.
        fhir_store: The full name of the FHIR store.
        readers: Callers who may read and search: `user:...`, `serviceAccount:...`, `domain:...`, or
            `allAuthenticatedUsers` for every caller whose identity is verified.
        editors: Callers who may read, search, write and delete.
    """

    name: str
    dicom_store: pulumi.Input[str] | None = None
    fhir_store: pulumi.Input[str] | None = None
    readers: Sequence[str] = ()
    editors: Sequence[str] = ()

    def __post_init__(self) -> None:
        owner = "GatewayStoreArgs"
        if (self.dicom_store is None) == (self.fhir_store is None):
            raise ArgumentError(f"{owner}: one of dicom_store and fhir_store is needed")
        if not self.readers and not self.editors:
            raise ArgumentError(f"{owner}: {self.name} has no readers and no editors")
        for name in ("readers", "editors"):
            for member in getattr(self, name):
                require(owner, name, member, rules.gateway_caller)


@dataclass(frozen=True, kw_only=True)
class OidcArgs:
    """An identity provider in the place of Identity-Aware Proxy.

    Attributes:
        issuer: The claim `iss` of its tokens.
        audience: The claim `aud` of tokens for the gateway.
        keys_url: The address of its JSON Web Key Set.
    """

    issuer: str
    audience: str
    keys_url: str

    def __post_init__(self) -> None:
        require("OidcArgs", "issuer", self.issuer, rules.https_address)
        require("OidcArgs", "keys_url", self.keys_url, rules.https_address)


@dataclass(frozen=True, kw_only=True)
class GatewayArgs:
    """Arguments of `Gateway`.

    Attributes:
        project: The id of the project.
        project_number: The number of the project.
        region: The region of the service. Replaces.
        gateway: The name of the gateway; names of its resources end with it. Replaces.
        image: The container image.
        stores: The stores that it leads to.
        members: Whom Identity-Aware Proxy lets through: `user:...`, `group:...`, `domain:...`,
            `serviceAccount:...`.
        iap_agent: Identity-Aware Proxy's own service agent, as IAM writes it: needed but with
            `oidc`.
        oidc: The identity provider, in the place of Identity-Aware Proxy. The service is then open
            to the internet, and the gateway alone verifies who calls.
        origins: Pages elsewhere that may call from a browser, such as `https://viewer.example.org`.
        requests_per_minute: Of each caller, at each instance.
        max_body_bytes: Of a request.
        idle_seconds: How long a client may send or take nothing.
        viewer: Whether it serves the OHIF viewer.
        min_instances: Instances that are kept running.
        max_instances: Instances at most.
        labels: Labels of the service and its load balancer.
        load_balancer: A load balancer with Cloud Armor before it. The service then takes no request
            from the internet but through it.
    """

    project: pulumi.Input[str]
    project_number: pulumi.Input[str]
    region: str
    gateway: str
    image: str
    stores: Sequence[GatewayStoreArgs]
    members: Sequence[str] = ()
    iap_agent: pulumi.Input[str] | None = None
    oidc: OidcArgs | None = None
    origins: Sequence[str] = ()
    requests_per_minute: int = 1_200
    max_body_bytes: int = 1 << 30
    idle_seconds: int = 30
    viewer: bool = True
    min_instances: int = 0
    max_instances: int = 4
    labels: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    load_balancer: LoadBalancerArgs | None = None

    def __post_init__(self) -> None:
        """Check the arguments.

        Raises:
            ArgumentError: an argument can't be used
        """
        owner = "GatewayArgs"
        require_each(
            self,
            project=rules.project,
            region=rules.region,
            gateway=rules.gateway,
            image=rules.image,
        )
        for name, rule in {"members": rules.gateway_member, "origins": rules.origin}.items():
            for value in getattr(self, name):
                require(owner, name, value, rule)
        if not self.stores:
            raise ArgumentError(f"{owner}.stores: a gateway without one leads nowhere")
        for _, store, _ in rules.repeated([store.name for store in self.stores]):
            raise ArgumentError(f'{owner}.stores: two are named "{store}"')
        self._check_identity(owner)
        self._check_numbers(owner)

    def _check_identity(self, owner: str) -> None:
        if self.oidc is None and (not self.members or self.iap_agent is None):
            raise ArgumentError(f"{owner}: members and iap_agent are needed, or oidc")
        if self.oidc is not None and self.members:
            raise ArgumentError(f"{owner}.members: has no effect with oidc")

    def _check_numbers(self, owner: str) -> None:
        for name in ("requests_per_minute", "max_body_bytes", "idle_seconds", "max_instances"):
            if getattr(self, name) < 1:
                raise ArgumentError(f"{owner}.{name}: {getattr(self, name)} is less than 1")
        if not 0 <= self.min_instances <= self.max_instances <= MAX_INSTANCES:
            raise ArgumentError(
                f"{owner}: min_instances {self.min_instances} and max_instances "
                f"{self.max_instances} are not 0 to {MAX_INSTANCES}, in this order"
            )
