"""Secrets of keys: kept, and each its version's own."""

from pathlib import Path

import pytest

from emulator.core.database import Database
from emulator.core.errors import ApiError
from emulator.migrations import MIGRATIONS
from emulator.services.iam.models import Policies
from emulator.services.kms.ciphertexts import Ciphertexts
from emulator.services.kms.models import Keys

RING = "projects/p/locations/l/keyRings/r"


def opened(folder: Path) -> tuple[Database, Keys, Ciphertexts]:
    database = Database(folder / "state.sqlite3", MIGRATIONS)
    keys = Keys(database, Policies(database))
    return database, keys, Ciphertexts(database, keys)


def test_a_ciphertext_outlives_a_restart(tmp_path: Path) -> None:
    database, keys, ciphertexts = opened(tmp_path)
    keys.create(RING.rpartition("/")[0], "r", {})
    key = keys.create(f"{RING}/cryptoKeys", "k", {"purpose": "ENCRYPT_DECRYPT"})["name"]
    with pytest.raises(ApiError, match="has no primary version"):
        ciphertexts.encrypt(key, b"secret", b"")
    keys.add_version(key)
    sealed = ciphertexts.encrypt(key, b"secret", b"").content
    database.close()
    database, keys, ciphertexts = opened(tmp_path)
    assert ciphertexts.decrypt(key, sealed, b"").content == b"secret"
    # After a reset a key of the same name is another key.
    database.empty()
    keys.create(RING.rpartition("/")[0], "r", {})
    keys.create(f"{RING}/cryptoKeys", "k", {"purpose": "ENCRYPT_DECRYPT"})
    keys.add_version(key)
    with pytest.raises(ApiError, match="Decryption failed"):
        ciphertexts.decrypt(key, sealed, b"")
    database.close()
