"""Settings of a customer-managed key."""

from typing import Annotated

from components import rules
from components.settings.model import Duration, KmsKeyName, Model, follows


class EncryptionSettings(Model):
    """The key of a dataset: one that exists, or one that the stack makes."""

    kms_key_name: KmsKeyName | None = None
    """An existing key, by its full name."""
    key_ring: Annotated[str, follows(rules.kms_id)] | None = None
    """The id of a key ring to make, in the dataset's location. Google never deletes key rings."""
    key: Annotated[str, follows(rules.kms_id)] | None = None
    """The id of a key to make in that ring."""
    rotation_period: Duration | None = None
    """How often the made key gets a new version, in seconds, such as 7776000s; never by itself."""
