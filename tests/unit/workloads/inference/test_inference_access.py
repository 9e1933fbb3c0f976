"""The wait for a role that is new when the program starts."""

import pytest

from workloads.common.dicomweb import StoreError
from workloads.inference.access import wait_for_access
from workloads.inference.settings import SettingsError

STORE = "projects/p/locations/l/datasets/d/dicomStores/s"


class Store:
    """A store that refuses some checks."""

    store_name = STORE

    def __init__(self, *codes: int | None) -> None:
        self._codes = list(codes)

    def check(self) -> None:
        code = self._codes.pop(0) if len(self._codes) > 1 else self._codes[0]
        if code != 200:
            raise StoreError("no such store", code)


def waits(*codes: int | None) -> list[float]:
    """The waits for a store that answers its checks so, the last code for ever."""
    found: list[float] = []
    wait_for_access(Store(*codes), 60, found.append)  # type: ignore[arg-type]
    return found


def test_a_role_that_is_new_is_waited_for() -> None:
    assert waits(200) == []
    assert len(waits(403, 403, 200)) == 2


def test_a_store_that_does_not_answer_keeps_no_program_from_its_start() -> None:
    assert waits(None) == []
    assert waits(503) == []


def test_a_role_that_never_comes_is_named() -> None:
    found: list[float] = []
    with pytest.raises(SettingsError, match=r"grant it roles/healthcare\.dicomEditor on the store"):
        wait_for_access(Store(403), 60, found.append)  # type: ignore[arg-type]
    assert sum(found) == pytest.approx(60)


@pytest.mark.parametrize("code", [400, 404])
def test_a_store_that_does_not_exist_ends_the_program(code: int) -> None:
    with pytest.raises(SettingsError, match="does not exist: no such store"):
        waits(code)
