"""Settings of a customer-managed key."""

from typing import Annotated

from components import rules
from program.config.model import KmsKeyName, Model, follows


class EncryptionSettings(Model):
    """The key of a dataset: an existing one, or one that the stack creates."""

    kms_key_name: KmsKeyName | None = None
    """An existing key, by its full name."""
    key_ring: Annotated[str, follows(rules.kms_id)] | None = None
    """The id of a key ring to make, in the dataset's location. Google never deletes key rings."""
    key: Annotated[str, follows(rules.kms_id)] | None = None
    """The id of a key to make in that ring."""
    rotation_period: Annotated[str, follows(rules.rotation_period)] | None = None
    """Rotation period of the created key, such as 7776000s; without one it is not rotated."""
