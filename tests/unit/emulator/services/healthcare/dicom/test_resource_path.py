import pytest

from emulator.services.healthcare.dicom.resource_path import ResourcePath

STORE = "projects/p/locations/l/datasets/d/dicomStores/s"


@pytest.mark.parametrize(
    ("uids", "name", "level"),
    [
        ((), STORE, "store"),
        (("1",), f"{STORE}/dicomWeb/studies/1", "study"),
        (("1", "2"), f"{STORE}/dicomWeb/studies/1/series/2", "series"),
        (("1", "2", "3"), f"{STORE}/dicomWeb/studies/1/series/2/instances/3", "instance"),
    ],
)
def test_the_name_of_each_level(uids: tuple[str, ...], name: str, level: str) -> None:
    resource_path = ResourcePath(STORE, *uids)
    assert str(resource_path) == name
    assert resource_path.level == level
    assert resource_path.id == (uids[-1] if uids else STORE)
