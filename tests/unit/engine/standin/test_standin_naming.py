"""How a resource is named that the program gives no cloud name."""

from engine.standin.checking import check
from engine.standin.properties import Naming, Property

PROPERTIES = {"name": Property(autoname=True)}


def test_the_engines_seed_decides() -> None:
    one = Naming(logical="store", seed=b"1").name()

    assert one == Naming(logical="store", seed=b"1").name()
    assert one != Naming(logical="store", seed=b"2").name()


def test_without_a_seed_every_name_is_another() -> None:
    assert Naming(logical="store").name() != Naming(logical="store").name()


def test_the_stack_may_propose_a_name() -> None:
    inputs, failures = check(PROPERTIES, {}, {}, Naming(logical="store", proposed="lab-store"))

    assert inputs == {"name": "lab-store", "__defaults": ["name"]}
    assert failures == []


def test_the_stack_may_forbid_made_up_names() -> None:
    inputs, failures = check(PROPERTIES, {}, {}, Naming(logical="store", disabled=True))

    assert inputs == {"__defaults": []}
    assert [failure.path for failure in failures] == ["name"]


def test_a_name_that_the_program_gave_before_is_not_kept() -> None:
    olds = {"name": "mine", "__defaults": []}

    inputs, _ = check(PROPERTIES, {}, olds, Naming(logical="store", proposed="lab-store"))

    assert inputs["name"] == "lab-store"
