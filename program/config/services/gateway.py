"""Settings of gateways: a guarded way to the stack's stores."""

from typing import Annotated

from pydantic import Field

from components import rules
from program.config.model import Labels, Model, follows
from program.config.services.load_balancer import LoadBalancerSettings

Caller = Annotated[str, follows(rules.gateway_caller)]


class GatewayStoreSettings(Model):
    """A store that a gateway leads to, and the roles of callers on it."""

    dicom_store: str | None = None
    """A DICOM store by its name, or as DATASET/STORE in a further dataset."""
    fhir_store: str | None = None
    """A FHIR store by its name, or as DATASET/STORE; one of the two is needed."""
    readers: list[Caller] = []
    """Callers who may read and search: user:, serviceAccount:, domain:, allAuthenticatedUsers."""
    editors: list[Caller] = []
    """Callers who may read, search, write and delete."""

    @property
    def reference(self) -> str:
        """The store as it is written."""
        return self.dicom_store or self.fhir_store or ""


class OidcSettings(Model):
    """An identity provider in the place of Identity-Aware Proxy."""

    issuer: Annotated[str, follows(rules.https_address)]
    """The claim iss of its tokens."""
    audience: str
    """The claim aud of tokens for the gateway."""
    keys_url: Annotated[str, follows(rules.https_address)]
    """The address of its JSON Web Key Set."""


class GatewayLimitSettings(Model):
    """The limits of a gateway."""

    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 1_200
    """Requests of each caller, at each instance."""
    body_mib: Annotated[int, Field(ge=1, le=65_536)] = 1_024
    """The longest body of a request, in MiB."""
    idle_seconds: Annotated[int, Field(ge=1, le=3_600)] = 30
    """How long a client may send or take nothing."""


class GatewaySettings(Model):
    """A gateway: a reverse proxy before stores that verifies who calls, and decides by roles."""

    name: Annotated[str, follows(rules.gateway)]
    """The name of the gateway; names of its resources end with it. A change replaces them."""
    stores: Annotated[list[GatewayStoreSettings], Field(min_length=1)]
    """The stores that it leads to."""
    members: list[Annotated[str, follows(rules.gateway_member)]] = []
    """Whom Identity-Aware Proxy lets through: user:, group:, serviceAccount:, domain:."""
    oidc: OidcSettings | None = None
    """The identity provider; Identity-Aware Proxy if not given."""
    limits: GatewayLimitSettings = GatewayLimitSettings()
    """Limits of requests."""
    origins: list[Annotated[str, follows(rules.origin)]] = []
    """Pages elsewhere that may call from a browser, such as https://viewer.example.org."""
    viewer: bool = True
    """Whether it serves the OHIF viewer."""
    region: Annotated[str, follows(rules.region)] | None = None
    """The region of the service; the stack's location if not given. A change replaces it."""
    image: Annotated[str, follows(rules.image)] | None = None
    """The container image; `gateway` of the repository if not given."""
    min_instances: Annotated[int, Field(ge=0, le=100)] = 0
    """Instances that are kept running, so that no caller waits for a start."""
    max_instances: Annotated[int, Field(ge=1, le=100)] = 4
    """Instances at most."""
    labels: Labels = {}
    """Labels of the service and its load balancer, over those of the stack."""
    load_balancer: LoadBalancerSettings | None = None
    """A load balancer with Cloud Armor before it; the internet then reaches it by no other way."""
