"""The base of the adapters: an incoming side on instances, an outgoing side on Cloud Run."""

from typing import Any

import pulumi

from components.adapters.arguments import AdapterArgs
from components.adapters.incoming import Incoming
from components.adapters.outgoing import Outgoing
from components.adapters.sides import Side
from components.base import Component


class Adapter(Component):
    """The base of `DimseAdapter` and `MllpAdapter`."""

    address: pulumi.Output[str]
    port: pulumi.Output[int]
    service_account: pulumi.Output[str]
    outgoing_service_account: pulumi.Output[str]
    subscription: pulumi.Output[str]
    summary: dict[str, pulumi.Output[Any]]
    """All outputs, by the names that stacks export them under."""

    def __init__(
        self,
        name: str,
        args: AdapterArgs,
        incoming: Side,
        outgoing: Side | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        none = pulumi.Output.from_input("")
        self.port = pulumi.Output.from_input(args.port)
        self.address = self.service_account = none
        self.outgoing_service_account = self.subscription = none
        if args.source_ranges:
            received = Incoming(name, args, incoming, self._child)
            self.address, self.service_account = received.address, received.service_account
        if outgoing is not None:
            sent = Outgoing(name, args, outgoing, self._child)
            self.outgoing_service_account = sent.service_account
            self.subscription = sent.subscription
        self.summary = {
            "address": self.address,
            "port": self.port,
            "serviceAccount": self.service_account,
            "outgoingServiceAccount": self.outgoing_service_account,
            "subscription": self.subscription,
        }
        self.register_outputs(self.summary)
