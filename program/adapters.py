"""The adapters of a stack: from their settings to components before the stores."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi

from components import existing_grants, rules
from components.adapters.adapter_repository import AdapterRepository, AdapterRepositoryArgs
from components.adapters.arguments import AetArgs, OutgoingArgs, TlsArgs
from components.adapters.dimse_adapter import DimseAdapter, DimseAdapterArgs
from components.adapters.hospital_vpn import HospitalVpn, HospitalVpnArgs, TunnelArgs
from components.adapters.mllp_adapter import MllpAdapter, MllpAdapterArgs
from components.encryption_key import EncryptionKey, EncryptionKeyArgs
from components.healthcare_dataset import HealthcareDataset
from components.notification_topic import NotificationTopic, SubscriptionArgs
from components.project_services import ProjectServices
from program.component_args import PUBSUB, full_topic
from program.config import (
    AdapterSettings,
    DimseAdapterSettings,
    MllpAdapterSettings,
    Settings,
)
from program.config.adapters import AdapterOutgoingSettings, VpnSettings
from program.stores_and_images import image_of, store_name, store_parts


@dataclass(frozen=True)
class Adapters:
    """The adapters of a stack.

    Attributes:
        dimse: name -> DIMSE adapter
        mllp: name -> MLLP adapter
        repository: of their images, if the stack has one
        vpns: name -> VPN
    """

    dimse: Mapping[str, DimseAdapter] = field(default_factory=dict)
    mllp: Mapping[str, MllpAdapter] = field(default_factory=dict)
    repository: AdapterRepository | None = None
    vpns: Mapping[str, HospitalVpn] = field(default_factory=dict)

    def outputs(self) -> dict[str, Any]:
        """Return their outputs, by the names that stacks export them under."""
        lists = {"dimseAdapters": self.dimse, "mllpAdapters": self.mllp}
        found: dict[str, Any] = {
            key: {name: adapter.summary for name, adapter in adapters.items()}
            for key, adapters in lists.items()
            if adapters
        }
        if self.vpns:
            found["vpns"] = {name: {"addresses": vpn.addresses} for name, vpn in self.vpns.items()}
        if self.repository is not None:
            found["adapterRepository"] = self.repository.path
        return found


def make_adapters(
    settings: Settings,
    services: ProjectServices,
    datasets: Mapping[str, HealthcareDataset],
    topics: Mapping[str, NotificationTopic],
) -> Adapters:
    """Make the adapters, the repository of their images, and VPNs.

    Args:
        settings: of the stack
        services: that must be enabled
        datasets: name -> dataset, with the stores of the adapters
        topics: topic as the settings write it -> its component
    """
    repository = _repository(settings, services)
    builder = _Builder(settings, services, datasets, topics, repository)
    return Adapters(
        {item.name: builder.dimse(item) for item in settings.dimse_adapters},
        {item.name: builder.mllp(item) for item in settings.mllp_adapters},
        repository,
        {item.name: builder.vpn(item) for item in settings.vpns},
    )


def _repository(settings: Settings, services: ProjectServices) -> AdapterRepository | None:
    wanted = settings.adapter_repository
    if wanted.name is None:
        return None
    args = AdapterRepositoryArgs(
        project=settings.project,
        location=wanted.location or rules.registry_location(settings.location),
        repository=wanted.name,
        labels=settings.labels,
    )
    return AdapterRepository("adapter-images", args, pulumi.ResourceOptions(depends_on=[services]))


@dataclass(frozen=True)
class _Builder:
    settings: Settings
    services: ProjectServices
    datasets: Mapping[str, HealthcareDataset]
    topics: Mapping[str, NotificationTopic]
    repository: AdapterRepository | None

    def dimse(self, adapter: DimseAdapterSettings) -> DimseAdapter:
        outgoing = adapter.outgoing
        key = self._key("dimse", adapter)
        args = DimseAdapterArgs(
            **self._common("dimse", adapter, key),
            dicom_store=store_name(self.datasets, adapter.dicom_store, "dicomStores"),
            aet=adapter.aet,
            port=adapter.port,
            spool=adapter.spool,
            calling_aets=adapter.calling_aets,
            aets=[AetArgs(**item.model_dump()) for item in adapter.aets],
            outgoing=None
            if outgoing is None
            else self._outgoing("dimse", adapter, outgoing, outgoing.peer, None),
        )
        options = self._options(adapter.dicom_store, key)
        return DimseAdapter(f"dimse-adapter-{adapter.name}", args, options)

    def mllp(self, adapter: MllpAdapterSettings) -> MllpAdapter:
        outgoing = adapter.outgoing
        key = self._key("mllp", adapter)
        args = MllpAdapterArgs(
            **self._common("mllp", adapter, key),
            hl7v2_store=store_name(self.datasets, adapter.hl7v2_store, "hl7V2Stores"),
            port=adapter.port,
            spool=adapter.spool,
            outgoing=None
            if outgoing is None
            else self._outgoing(
                "mllp",
                adapter,
                outgoing,
                outgoing.peer,
                None
                if outgoing.ca is None
                else TlsArgs(
                    certificate=outgoing.certificate, key=outgoing.key, authorities=outgoing.ca
                ),
            ),
        )
        options = self._options(adapter.hl7v2_store, key)
        return MllpAdapter(f"mllp-adapter-{adapter.name}", args, options)

    def vpn(self, vpn: VpnSettings) -> HospitalVpn:
        args = HospitalVpnArgs(
            project=self.settings.project,
            region=vpn.region or self.settings.location,
            vpn=vpn.name,
            network=vpn.network,
            peer_addresses=vpn.peer_addresses,
            peer_asn=vpn.peer_asn,
            asn=vpn.asn,
            tunnels=[TunnelArgs(**tunnel.model_dump()) for tunnel in vpn.tunnels],
            labels={**self.settings.labels, **vpn.labels},
        )
        options = pulumi.ResourceOptions(depends_on=[self.services])
        return HospitalVpn(f"vpn-{vpn.name}", args, options)

    def _common(
        self, protocol: str, adapter: AdapterSettings, key: EncryptionKey | None
    ) -> dict[str, Any]:
        """Return the arguments that every adapter has."""
        tls = adapter.tls
        return {
            "project": self.settings.project,
            "region": self._region(adapter),
            "adapter": adapter.name,
            "image": image_of(self.settings, adapter.image, f"{protocol}-adapter"),
            "source_ranges": adapter.source_ranges,
            "network": adapter.network,
            "subnetwork": adapter.subnetwork,
            "address": adapter.address,
            "machine_type": adapter.machine_type,
            "size": adapter.size,
            "disk_gb": adapter.disk_gb,
            "kms_key_name": None if key is None else key.kms_key_name,
            "tls": None
            if tls is None
            else TlsArgs(certificate=tls.certificate, key=tls.key, authorities=tls.ca),
            "labels": {**self.settings.labels, **adapter.labels},
        }

    def _outgoing(
        self,
        protocol: str,
        adapter: AdapterSettings,
        outgoing: AdapterOutgoingSettings,
        peer: str,
        tls: TlsArgs | None,
    ) -> OutgoingArgs:
        dead = outgoing.dead_letter
        subscription = SubscriptionArgs(
            f"{protocol}-{adapter.name}-out",
            dead_letter_topic=None if dead is None else full_topic(self.settings, dead.topic),
        )
        if dead is not None:
            subscription = replace(subscription, max_delivery_attempts=dead.max_delivery_attempts)
        return OutgoingArgs(
            topic=full_topic(self.settings, outgoing.topic),
            peer=peer,
            tls=tls,
            instances=outgoing.instances,
            subscription=subscription,
            pubsub_agent=self.services.agent_members.get(PUBSUB),
        )

    def _region(self, adapter: AdapterSettings) -> str:
        return adapter.region or self.settings.location

    def _key(self, protocol: str, adapter: AdapterSettings) -> EncryptionKey | None:
        """Let Compute Engine use the key of the disks."""
        if adapter.kms_key_name is None:
            return None
        # Documented: https://cloud.google.com/iam/docs/service-agents
        agent = pulumi.Output.concat(
            "serviceAccount:service-",
            self.services.project_number,
            "@compute-system.iam.gserviceaccount.com",
        )
        return EncryptionKey(
            f"{protocol}-adapter-{adapter.name}-key",
            EncryptionKeyArgs({"compute": agent}, kms_key_name=adapter.kms_key_name),
            existing_grants.options(depends_on=[self.services]),
        )

    def _options(self, store: str, key: EncryptionKey | None) -> pulumi.ResourceOptions:
        waits: list[Any] = [
            self.services,
            self.datasets[store_parts(store)[0]],
            *self.topics.values(),
        ]
        waits += [item for item in (key, self.repository) if item is not None]
        return pulumi.ResourceOptions(depends_on=waits)
