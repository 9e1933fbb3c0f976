"""The gateways of a stack: from their settings to components before the stores."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.gateway.arguments import GatewayArgs, GatewayStoreArgs, OidcArgs
from components.gateway.balancer_arguments import ArmorArgs, LoadBalancerArgs
from components.gateway.gateway import Gateway
from components.healthcare_dataset import HealthcareDataset
from components.project_services import ProjectServices
from program.adapters import Adapters
from program.component_args import IAP
from program.config import Settings
from program.config.services.gateway import GatewaySettings, GatewayStoreSettings
from program.config.services.load_balancer import LoadBalancerSettings
from program.stores_and_images import image_of, store_name, store_parts


@dataclass(frozen=True)
class Gateways:
    """The gateways of a stack.

    Attributes:
        gateways: name -> gateway
    """

    gateways: Mapping[str, Gateway] = field(default_factory=dict)

    def outputs(self) -> dict[str, Any]:
        """Return their outputs, by the name that stacks export them under."""
        found = {name: gateway.summary for name, gateway in self.gateways.items()}
        return {"gateways": found} if found else {}


def make_gateways(
    settings: Settings,
    services: ProjectServices,
    datasets: Mapping[str, HealthcareDataset],
    adapters: Adapters,
) -> Gateways:
    """Make the gateways.

    Args:
        settings: of the stack
        services: that must be enabled
        datasets: name -> dataset, with the stores of the gateways
        adapters: with the repository of images, if the stack has one
    """
    builder = _Builder(settings, services, datasets, adapters)
    return Gateways({item.name: builder.gateway(item) for item in settings.gateways})


@dataclass(frozen=True)
class _Builder:
    settings: Settings
    services: ProjectServices
    datasets: Mapping[str, HealthcareDataset]
    adapters: Adapters

    def gateway(self, gateway: GatewaySettings) -> Gateway:
        limits, oidc = gateway.limits, gateway.oidc
        args = GatewayArgs(
            project=self.settings.project,
            project_number=self.services.project_number,
            region=gateway.region or self.settings.location,
            gateway=gateway.name,
            image=image_of(self.settings, gateway.image, "gateway"),
            stores=[self._store(item) for item in gateway.stores],
            members=gateway.members,
            iap_agent=self.services.agent_members.get(IAP),
            oidc=None if oidc is None else OidcArgs(**oidc.model_dump()),
            origins=gateway.origins,
            requests_per_minute=limits.requests_per_minute,
            max_body_bytes=limits.body_mib << 20,
            idle_seconds=limits.idle_seconds,
            viewer=gateway.viewer,
            min_instances=gateway.min_instances,
            max_instances=gateway.max_instances,
            labels={**self.settings.labels, **gateway.labels},
            load_balancer=_load_balancer(gateway.load_balancer),
        )
        return Gateway(f"gateway-{gateway.name}", args, self._options(gateway))

    def _store(self, item: GatewayStoreSettings) -> GatewayStoreArgs:
        collection = "dicomStores" if item.dicom_store else "fhirStores"
        full = store_name(self.datasets, item.reference, collection)
        # A DICOM store and a FHIR store of a dataset may have one name.
        logical = f"{collection.removesuffix('Stores')}-{item.reference.replace('/', '-')}"
        return GatewayStoreArgs(
            name=logical,
            dicom_store=full if item.dicom_store else None,
            fhir_store=full if item.fhir_store else None,
            readers=item.readers,
            editors=item.editors,
        )

    def _options(self, gateway: GatewaySettings) -> pulumi.ResourceOptions:
        names = dict.fromkeys(store_parts(item.reference)[0] for item in gateway.stores)
        waits: list[Any] = [self.services, *(self.datasets[name] for name in names)]
        waits += [self.adapters.repository] if self.adapters.repository is not None else []
        return pulumi.ResourceOptions(depends_on=waits)


def _load_balancer(settings: LoadBalancerSettings | None) -> LoadBalancerArgs | None:
    if settings is None:
        return None
    return LoadBalancerArgs(
        **settings.model_dump(exclude={"armor"}), armor=ArmorArgs(**settings.armor.model_dump())
    )
