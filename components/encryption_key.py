"""A customer-managed key, and the right of service agents to use it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_gcp import kms

from components import rules
from components.base import ArgumentError, Component, require

USER_ROLE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
"""The role on a key that lets a service agent encrypt and decrypt with it."""


@dataclass(frozen=True)
class EncryptionKeyArgs:
    """Arguments of `EncryptionKey`: a key that exists, or a ring and a key to make.

    Attributes:
        users: Name -> service agent that encrypts with the key, as IAM writes it.
        kms_key_name: The full name of an existing key.
        project: Where to make the ring.
        location: Where to make the ring: that of the data.
        key_ring: The id of the ring to make.
        key: The id of the key to make.
        rotation_period: How often the made key gets a new version, such as 7776000s.
        labels: Labels of the made key.
    """

    users: Mapping[str, pulumi.Input[str]]
    kms_key_name: str | None = None
    project: pulumi.Input[str] | None = None
    location: pulumi.Input[str] | None = None
    key_ring: str | None = None
    key: str | None = None
    rotation_period: str | None = None
    labels: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        owner = "EncryptionKeyArgs"
        require(owner, "kms_key_name", self.kms_key_name, rules.kms_key_name)
        require(owner, "key_ring", self.key_ring, rules.kms_id)
        require(owner, "key", self.key, rules.kms_id)
        require(owner, "rotation_period", self.rotation_period, rules.rotation_period)
        to_make = (self.project, self.location, self.key_ring, self.key)
        if (self.kms_key_name is None) == (None in to_make):
            raise ArgumentError(
                f"{owner}: give kms_key_name for a key that exists, or project, location, key_ring "
                "and key for one to make"
            )


class EncryptionKey(Component):
    """A customer-managed key, created or given, which service agents may use.

    Deleting a made key destroys its versions, and with them what was encrypted; its ring stays,
    because Google deletes no key rings.

    Inputs: see `EncryptionKeyArgs`.

    Outputs:
        kms_key_name: The full name of the key. Give `depends_on` this component to what encrypts
            with it, so that the grants come first.
    """

    kms_key_name: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: EncryptionKeyArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        given = args.kms_key_name
        self.kms_key_name = (
            self._make(name, args) if given is None else pulumi.Output.from_input(given)
        )
        for user, member in args.users.items():
            kms.CryptoKeyIAMMember(
                f"{name}-{user}",
                crypto_key_id=self.kms_key_name,
                role=USER_ROLE,
                member=member,
                opts=self._child(),
            )
        self.register_outputs({"kmsKeyName": self.kms_key_name})

    def _make(self, name: str, args: EncryptionKeyArgs) -> pulumi.Output[str]:
        ring = kms.KeyRing(
            f"{name}-ring",
            project=args.project,
            location=args.location or "",
            name=args.key_ring,
            opts=self._child(),
        )
        key = kms.CryptoKey(
            name,
            key_ring=ring.id,
            name=args.key,
            rotation_period=args.rotation_period,
            labels=args.labels,
            opts=self._child(),
        )
        return key.id.apply(str)
