"""Resource names."""

import pytest

from emulator.core.resource_name import ResourceName

STORE = "projects/p/locations/l/datasets/d/dicomStores/s"


def test_the_parts_of_a_name() -> None:
    name = ResourceName.parse(STORE)

    assert str(name) == STORE
    assert (name.project, name.location, name.collection, name.id) == ("p", "l", "dicomStores", "s")
    assert str(name.parent) == "projects/p/locations/l/datasets/d"
    assert str(name.ancestor("datasets")) == str(name.parent)
    assert name.ancestor("dicomStores") == name


@pytest.mark.parametrize("text", ["", "projects", "projects/", "projects/p/x", "/projects/p/x/"])
def test_other_texts_are_no_names(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid resource name"):
        ResourceName.parse(text)


def test_what_a_name_does_not_have_is_refused() -> None:
    project = ResourceName.parse("projects/p")
    with pytest.raises(ValueError, match="has no parent"):
        project.parent  # noqa: B018 - the property raises
    with pytest.raises(ValueError, match="is not in a resource of locations"):
        project.location  # noqa: B018 - the property raises
