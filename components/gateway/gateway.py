"""The gateway: a Cloud Run service behind Identity-Aware Proxy, and the roles of its account.

Documented: https://cloud.google.com/run/docs/securing/identity-aware-proxy-cloud-run, the proxy and
its agent's role; https://cloud.google.com/iap/docs/signed-headers-howto, the audience; and
https://cloud.google.com/run/docs/authenticating/public, a service that is open to the internet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pulumi
from pulumi_gcp import cloudrunv2, healthcare, iap

from components import propagation
from components.base import Component
from components.gateway.arguments import GatewayArgs, GatewayStoreArgs
from components.gateway.load_balancer import LoadBalancer
from components.service_accounts import create_account

INVOKER = "roles/run.invoker"
ACCESSOR = "roles/iap.httpsResourceAccessor"
SETTINGS = "GATEWAY_SETTINGS"
EVERYONE = "INGRESS_TRAFFIC_ALL"
BALANCED = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
"""Nothing of the internet gets around the load balancer:
https://cloud.google.com/run/docs/securing/ingress"""
TIMEOUT = "3600s"
"""Of a request, the longest that Cloud Run allows: a study may be large, and a network slow."""

_DICOM = ("roles/healthcare.dicomViewer", "roles/healthcare.dicomEditor")
_FHIR = ("roles/healthcare.fhirResourceReader", "roles/healthcare.fhirResourceEditor")
"""The roles of readers and of editors, which the gateway's own account needs too."""


class Gateway(Component):
    """A guarded way to stores: a reverse proxy that verifies who calls, and decides by roles.

    Its account has roles on these stores alone. Identity-Aware Proxy is before it, unless an
    identity provider is named. Give `depends_on` the stores and the services.

    Inputs: see `GatewayArgs`.

    Outputs:
        uri: The address of the gateway.
        service: The name of the Cloud Run service.
        service_account: The e-mail address of its account.
        stores: The full names of the stores that it leads to.
        viewer: Whether it serves the viewer.
        load_balancer: The outputs of its load balancer, if it has one: `address`, `urls`,
            `dnsRecords`, `securityPolicy` and `backendService`.
    """

    uri: pulumi.Output[str]
    service: pulumi.Output[str]
    service_account: pulumi.Output[str]
    stores: pulumi.Output[list[str]]
    viewer: pulumi.Output[bool]
    load_balancer: pulumi.Output[dict[str, Any]] | None
    summary: dict[str, pulumi.Output[Any]]
    """All outputs, by the names that stacks export them under."""

    def __init__(
        self,
        name: str,
        args: GatewayArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        resource = f"gateway-{args.gateway}"
        title = f"Gateway {args.gateway}"
        account = create_account(name, args.project, resource, title, self._child())
        granted = [self._grant(store, account.member) for store in args.stores]
        service = self._run(resource, account.email, granted)
        self._admit(service)
        self.uri, self.service, self.service_account = service.uri, service.name, account.email
        self.stores = pulumi.Output.all(*map(_full_name, args.stores))
        self.viewer = pulumi.Output.from_input(args.viewer)
        self.summary = {
            "uri": self.uri,
            "service": self.service,
            "serviceAccount": self.service_account,
            "stores": self.stores,
            "viewer": self.viewer,
        }
        self.load_balancer = self._balance(resource, service)
        if self.load_balancer is not None:
            self.summary["loadBalancer"] = self.load_balancer
        self.register_outputs(self.summary)

    def _grant(self, store: GatewayStoreArgs, member: pulumi.Input[str]) -> pulumi.Resource:
        """Let the account do on a store what the most powerful of its callers may."""
        logical = f"{self._name}-{store.name}"
        options = self._child(hooks=propagation.after_accounts())
        if store.dicom_store is not None:
            return healthcare.DicomStoreIamMember(
                logical,
                dicom_store_id=store.dicom_store,
                role=_DICOM[bool(store.editors)],
                member=member,
                opts=options,
            )
        assert store.fhir_store is not None
        return healthcare.FhirStoreIamMember(
            logical,
            fhir_store_id=store.fhir_store,
            role=_FHIR[bool(store.editors)],
            member=member,
            opts=options,
        )

    def _run(
        self, resource: str, account: pulumi.Input[str], granted: list[pulumi.Resource]
    ) -> cloudrunv2.Service:
        args = self._args
        return cloudrunv2.Service(
            self._name,
            project=args.project,
            location=args.region,
            name=resource,
            labels=args.labels,
            ingress=EVERYONE if args.load_balancer is None else BALANCED,
            iap_enabled=True if args.oidc is None else None,
            invoker_iam_disabled=None if args.oidc is None else True,
            # Everything that it works on is in the stores.
            deletion_protection=False,
            template={
                "service_account": account,
                "timeout": TIMEOUT,
                "scaling": {
                    "min_instance_count": args.min_instances,
                    "max_instance_count": args.max_instances,
                },
                "containers": [
                    {
                        "image": args.image,
                        "envs": [{"name": SETTINGS, "value": self._settings(resource)}],
                    }
                ],
            },
            opts=self._child(depends_on=granted, hooks=propagation.after_grants()),
        )

    def _balance(
        self, resource: str, service: cloudrunv2.Service
    ) -> pulumi.Output[dict[str, Any]] | None:
        args = self._args
        if args.load_balancer is None:
            return None
        balancer = LoadBalancer(
            name=f"{self._name}-balancer",
            resource=resource,
            project=args.project,
            region=args.region,
            service=service.name,
            labels=args.labels,
            args=args.load_balancer,
            child=self._child,
        )
        return pulumi.Output.all(**balancer.make())

    def _settings(self, resource: str) -> pulumi.Output[str]:
        """Return the settings of the program: see workloads/gateway/settings.py."""
        args, oidc = self._args, self._args.oidc
        identity: dict[str, Any] = (
            {
                "iapAudience": pulumi.Output.format(
                    "/projects/{0}/locations/{1}/services/{2}",
                    args.project_number,
                    args.region,
                    resource,
                )
            }
            if oidc is None
            else {"issuer": oidc.issuer, "audience": oidc.audience, "keysUrl": oidc.keys_url}
        )
        return pulumi.Output.json_dumps(
            {
                "grants": [grant for store in args.stores for grant in _grants(store)],
                "identity": identity,
                "origins": [*args.origins],
                "limits": {
                    "requestsPerMinute": args.requests_per_minute,
                    "bodyBytes": args.max_body_bytes,
                    "idleSeconds": args.idle_seconds,
                },
                "viewer": args.viewer,
            }
        )

    def _admit(self, service: cloudrunv2.Service) -> None:
        """Let Identity-Aware Proxy call the service, and members pass the proxy."""
        args = self._args
        if args.oidc is not None:
            return
        assert args.iap_agent is not None
        cloudrunv2.ServiceIamMember(
            f"{self._name}-iap",
            project=args.project,
            location=args.region,
            name=service.name,
            role=INVOKER,
            member=args.iap_agent,
            opts=self._child(),
        )
        for member in args.members:
            iap.WebCloudRunServiceIamMember(
                f"{self._name}-{member}",
                project=args.project,
                location=args.region,
                cloud_run_service_name=service.name,
                role=ACCESSOR,
                member=member,
                opts=self._child(hooks=propagation.after_accounts()),
            )


def _full_name(store: GatewayStoreArgs) -> pulumi.Input[str]:
    name = store.fhir_store if store.dicom_store is None else store.dicom_store
    assert name is not None
    return name


def _grants(store: GatewayStoreArgs) -> Iterator[dict[str, Any]]:
    """Yield the grants of a store, as the gateway's settings write them."""
    name = _full_name(store)
    roles = _FHIR if store.dicom_store is None else _DICOM
    for role, members in zip(roles, (store.readers, store.editors), strict=True):
        if members:
            yield {"store": name, "role": role, "members": [*members]}
