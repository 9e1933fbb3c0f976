"""The load balancer of a gateway: its address, its certificate, its security policy.

A global external Application Load Balancer, as documented at
https://cloud.google.com/load-balancing/docs/https/setup-global-ext-https-serverless. Identity-Aware
Proxy stays on the service: https://cloud.google.com/iap/docs/enabling-cloud-run recommends it, the
way over the load balancer is then guarded too, and the two can't both have it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_gcp import compute

from components.gateway import armor_rules
from components.gateway.balancer_arguments import LoadBalancerArgs

SCHEME = "EXTERNAL_MANAGED"
MIN_TLS = "TLS_1_2"


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """A global external load balancer before a Cloud Run service, with Cloud Armor.

    Attributes:
        name: logical name of its resources
        resource: their name, such as `gateway-ward`
        project: id of the project
        region: of the service
        service: name of the Cloud Run service
        labels: of what can have them
        args: what it is like
        child: returns the options of a resource
    """

    name: str
    resource: str
    project: pulumi.Input[str]
    region: str
    service: pulumi.Input[str]
    labels: Mapping[str, pulumi.Input[str]]
    args: LoadBalancerArgs
    child: Callable[[], pulumi.ResourceOptions]

    def make(self) -> dict[str, pulumi.Output[Any]]:
        """Make its resources; return what is to know of them, by the names of outputs."""
        address = compute.GlobalAddress(
            self.name,
            project=self.project,
            name=self.resource,
            labels=self.labels,
            opts=self.child(),
        )
        policy = self._policy()
        backend = self._backend(policy)
        urls = compute.URLMap(
            self.name,
            project=self.project,
            name=self.resource,
            default_service=backend.id,
            opts=self.child(),
        )
        self._listen(address, urls)
        if self.args.redirect_http:
            self._redirect(address)
        domains = self.args.domains
        records = [{"name": one, "type": "A", "data": address.address} for one in domains]
        return {
            "address": address.address,
            "urls": pulumi.Output.from_input([f"https://{domain}" for domain in domains]),
            "dnsRecords": pulumi.Output.all(*records),
            "securityPolicy": policy.name,
            "backendService": backend.name,
        }

    def _policy(self) -> compute.SecurityPolicy:
        return compute.SecurityPolicy(
            self.name,
            project=self.project,
            name=self.resource,
            type="CLOUD_ARMOR",
            labels=self.labels,
            rules=armor_rules.rules(self.args.armor),
            opts=self.child(),
        )

    def _backend(self, policy: compute.SecurityPolicy) -> compute.BackendService:
        group = compute.RegionNetworkEndpointGroup(
            self.name,
            project=self.project,
            region=self.region,
            name=self.resource,
            network_endpoint_type="SERVERLESS",
            cloud_run={"service": self.service},
            opts=self.child(),
        )
        rate = self.args.log_sample_rate
        return compute.BackendService(
            self.name,
            project=self.project,
            name=self.resource,
            load_balancing_scheme=SCHEME,
            protocol="HTTPS",
            backends=[{"group": group.id}],
            security_policy=policy.id,
            log_config={"enable": rate > 0, "sample_rate": rate},
            opts=self.child(),
        )

    def _listen(self, address: compute.GlobalAddress, urls: compute.URLMap) -> None:
        """Take connections by TLS."""
        tls = compute.SSLPolicy(
            self.name,
            project=self.project,
            name=self.resource,
            profile=self.args.tls_profile,
            min_tls_version=MIN_TLS,
            opts=self.child(),
        )
        proxy = compute.TargetHttpsProxy(
            self.name,
            project=self.project,
            name=self.resource,
            url_map=urls.id,
            ssl_certificates=[*self.args.certificates] or [self._certificate().id],
            ssl_policy=tls.id,
            opts=self.child(),
        )
        self._forward(self.name, self.resource, "443", address, proxy.id)

    def _certificate(self) -> compute.ManagedSslCertificate:
        domains = [*self.args.domains]
        # Other domains are another certificate, which a proxy takes before the old one can go.
        mark = hashlib.sha256(" ".join(domains).encode()).hexdigest()[:8]
        return compute.ManagedSslCertificate(
            self.name,
            project=self.project,
            name=f"{self.resource}-{mark}",
            managed={"domains": domains},
            opts=self.child(),
        )

    def _redirect(self, address: compute.GlobalAddress) -> None:
        """Lead those that come without TLS to https."""
        name, resource = f"{self.name}-http", f"{self.resource}-http"
        urls = compute.URLMap(
            name,
            project=self.project,
            name=resource,
            default_url_redirect={
                "https_redirect": True,
                "redirect_response_code": "MOVED_PERMANENTLY_DEFAULT",
                "strip_query": False,
            },
            opts=self.child(),
        )
        proxy = compute.TargetHttpProxy(
            name, project=self.project, name=resource, url_map=urls.id, opts=self.child()
        )
        self._forward(name, resource, "80", address, proxy.id)

    def _forward(
        self,
        name: str,
        resource: str,
        port: str,
        address: compute.GlobalAddress,
        target: pulumi.Input[str],
    ) -> None:
        compute.GlobalForwardingRule(
            name,
            project=self.project,
            name=resource,
            ip_address=address.id,
            ip_protocol="TCP",
            load_balancing_scheme=SCHEME,
            port_range=port,
            target=target,
            labels=self.labels,
            opts=self.child(),
        )
