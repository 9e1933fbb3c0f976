"""Round by round, until nothing more is found; then all of it at once, or nothing."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from scripts.adoption.adopting import adopt
from scripts.adoption.conflicts import conflicts
from scripts.adoption.lookup import Lookup
from scripts.adoption.survey import Fate, Survey, Surveyor
from scripts.adoption.workspace import Workspace
from scripts.common.errors import ScriptError
from scripts.preview.model import PropertyChange
from scripts.preview.values import Special
from tests.unit.scripts.adoption import engine
from tests.unit.scripts.adoption.engine import Paper, urn
from tests.unit.scripts.adoption.services import DATASET, PROJECT, Services

EMAIL = "service-12@gcp-sa-healthcare.iam.gserviceaccount.com"
HEALTHCARE = "healthcare.googleapis.com"
D, F = urn(engine.DATASET, "healthcare"), urn(engine.FHIR, "healthcare-f")
S, A = urn(engine.SERVICE, "on"), urn(engine.AGENT, "agent")
M, C = urn(engine.MEMBER, "grant"), urn(engine.OTHER, "cluster")
ROLE = "roles/bigquery.admin"
PROGRAM: dict[str, dict[str, Any]] = {
    D: {"project": PROJECT, "location": "us-central1", "name": "dataset1"},
    F: {"dataset": {"from": D, "value": DATASET}, "name": "f", "version": "R4"},
    S: {"project": PROJECT, "service": HEALTHCARE},
    A: {"project": PROJECT, "service": HEALTHCARE},
    M: {
        "project": PROJECT,
        "role": ROLE,
        "member": {"from": A, "value": f"serviceAccount:{EMAIL}"},
    },
    C: {"name": "c"},
}
STORE = f"{DATASET}/fhirStores/f"


@pytest.fixture
def cloud(services: Services) -> Services:
    """All of the program exists."""
    bindings = [{"role": ROLE, "members": [f"serviceAccount:{EMAIL}"]}]
    services.found |= {
        DATASET: {"name": DATASET},
        STORE: {"name": STORE},
        f"projects/{PROJECT}/services/{HEALTHCARE}": {"state": "ENABLED"},
        PROJECT: {"projectNumber": "12"},
        f"{PROJECT}:getIamPolicy": {"bindings": bindings},
    }
    return services


def _survey(paper: Paper, *left: str) -> Survey:
    surveyor = Surveyor(Lookup(), PROJECT, lambda _: None, frozenset(left))
    return surveyor.survey(cast(Workspace, paper))


def _fates(survey: Survey) -> dict[str, Fate]:
    return {thing.urn: thing.fate for thing in survey.things}


def test_ids_that_come_to_be_known_are_looked_for_in_the_next_round(cloud: Services) -> None:
    paper = Paper(PROGRAM)
    survey = _survey(paper)
    assert _fates(survey) == {
        **dict.fromkeys((D, F, S, A, M), Fate.ADOPTED),
        C: Fate.NOT_LOOKED_FOR,
    }
    assert len(survey.rounds) == 2
    assert [name for name in paper.log if name in (DATASET, STORE)] == [DATASET, STORE]
    assert survey.adopted == paper.kept
    [identity] = survey.rounds[0].identities
    assert (identity.email, identity.id) == (EMAIL, f"projects/{PROJECT}/services/{HEALTHCARE}")


def test_what_does_not_exist_is_left_to_be_created(services: Services) -> None:
    services.found[PROJECT] = {"projectNumber": "12"}
    paper = Paper(PROGRAM)
    survey = _survey(paper)
    assert _fates(survey) == {
        **dict.fromkeys((D, S, A), Fate.MISSING),
        **dict.fromkeys((F, M), Fate.UNKNOWN),
        C: Fate.NOT_LOOKED_FOR,
    }
    assert (survey.rounds, paper.kept) == ((), set())
    assert conflicts(survey, "Pulumi.dev.yaml", beside=False) == []


def test_what_is_managed_is_not_asked_about(cloud: Services) -> None:
    survey = _survey(Paper(PROGRAM, kept={D, F, S, A, M}))
    assert _fates(survey) == {C: Fate.NOT_LOOKED_FOR}
    assert cloud.asked == []


def test_what_the_engine_does_not_list_is_not_looked_for(cloud: Services) -> None:
    survey = _survey(Paper(PROGRAM, unlisted=frozenset({D})))
    assert _fates(survey)[D] is Fate.NOT_LOOKED_FOR


def test_an_engine_that_forgets_what_it_imported_ends_the_survey(
    cloud: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Paper, "take", lambda *_: None)
    with pytest.raises(ScriptError, match=r"would create it"):
        _survey(Paper({D: PROGRAM[D]}))


def test_a_dataset_elsewhere_is_a_conflict_unless_it_is_meant(services: Services) -> None:
    there = DATASET.replace("us-central1", "europe-west4")
    services.found |= {
        f"projects/{PROJECT}/locations": {"locations": [{"locationId": "europe-west4"}]},
        there: {"name": there},
    }
    survey = _survey(Paper({D: PROGRAM[D]}))
    [conflict] = conflicts(survey, "Pulumi.dev.yaml", beside=False)
    assert (conflict.id, conflict.key) == (there, "location")
    assert conflict.cure.startswith("In Pulumi.dev.yaml, set location: europe-west4")
    assert conflicts(survey, "Pulumi.dev.yaml", beside=True) == []


def test_a_dataset_elsewhere_that_the_program_wants_too_is_no_conflict(services: Services) -> None:
    there = DATASET.replace("us-central1", "europe-west4")
    services.found |= {
        f"projects/{PROJECT}/locations": {"locations": [{"locationId": "europe-west4"}]},
        there: {"name": there},
    }
    both = {D: PROGRAM[D], f"{D}-eu": {**PROGRAM[D], "location": "europe-west4"}}
    survey = _survey(Paper(both))
    assert _fates(survey) == {D: Fate.MISSING, f"{D}-eu": Fate.ADOPTED}
    assert conflicts(survey, "x", beside=False) == []


def test_a_grant_that_would_be_replaced_is_left_to_be_made_again(cloud: Services) -> None:
    member = PropertyChange(("member",), "a", "b", forces_replacement=True)
    differing = {M: (member,)}
    assert _survey(Paper(PROGRAM, differing=differing)).replaced_grants() == {M}
    survey = _survey(Paper(PROGRAM, differing=differing), M)
    assert survey.replaced_grants() == set()
    assert _fates(survey)[M] is Fate.MISSING


def _replacing(paper_program: dict[str, Any], name: str, *changes: PropertyChange) -> list[Any]:
    survey = _survey(Paper(paper_program, differing={name: changes}))
    return conflicts(survey, "Pulumi.dev.yaml", beside=False)


def test_a_property_that_would_replace_is_a_conflict(cloud: Services) -> None:
    version = PropertyChange(("version",), "STU3", "R4", forces_replacement=True)
    zone = PropertyChange(("labels", "a"), Special.ABSENT, "b")
    [conflict] = _replacing(PROGRAM, F, zone, version)
    assert str(conflict) == (
        f"FHIR store {STORE}: version is STU3 in the cloud, R4 in the program. "
        "In Pulumi.dev.yaml, set fhirStores[name: f].version: STU3"
    )


def test_a_property_that_the_cloud_does_not_have_is_to_be_removed(cloud: Services) -> None:
    path = ("disableReferentialIntegrity",)
    flag = PropertyChange(path, Special.ABSENT, new=True, forces_replacement=True)
    [conflict] = _replacing(PROGRAM, F, flag)
    assert conflict.cure == (
        "In Pulumi.dev.yaml, remove fhirStores[name: f].disableReferentialIntegrity."
    )


def test_properties_of_further_datasets_and_of_other_programs(cloud: Services) -> None:
    further = urn(engine.DATASET, "healthcare-research")
    key = ("encryptionSpec", "kmsKeyName")
    change = PropertyChange(key, "k", "other", forces_replacement=True)
    [conflict] = _replacing({further: PROGRAM[D]}, further, change)
    assert conflict.key == "datasets[name: research].encryption.kmsKeyName"
    theirs = f"{engine.PREFIX}{engine.DATASET}::mine"
    program = {theirs: PROGRAM[D]}
    [conflict] = _replacing(program, theirs, change)
    assert conflict.key == ""
    assert conflict.cure == "Change the program so that it gives it k."


def test_what_goes_along_points_to_its_cause(cloud: Services) -> None:
    dataset = PropertyChange(("dataset",), DATASET, Special.UNKNOWN, forces_replacement=True)
    [conflict] = _replacing(PROGRAM, F, dataset)
    assert "mend that one" in conflict.cure


def _adopt(paper: Paper, survey: Survey) -> list[str]:
    said: list[str] = []
    adopt(cast(Workspace, paper), paper.state(), survey, said.append)
    return said


def test_the_stack_takes_over_what_its_copy_did(cloud: Services) -> None:
    survey = _survey(Paper(PROGRAM))
    real = Paper(PROGRAM)
    _adopt(real, survey)
    assert real.kept == survey.adopted == {D, F, S, A, M}


def test_a_stack_that_was_never_made_is_made_first(cloud: Services) -> None:
    survey = _survey(Paper(PROGRAM))
    real = Paper(PROGRAM, exists=False)
    _adopt(real, survey)
    assert real.log[0] == "make"
    assert real.kept == survey.adopted


@pytest.mark.parametrize("error", [engine.BrokenError("refused"), KeyboardInterrupt()])
def test_whatever_goes_wrong_the_state_is_put_back(cloud: Services, error: BaseException) -> None:
    survey = _survey(Paper(PROGRAM))
    real = Paper(PROGRAM, kept={C}, broken=error)
    with pytest.raises(type(error)):
        _adopt(real, survey)
    assert real.kept == {C}
    assert real.log[-1] == "put"


def test_a_plan_that_is_not_that_of_the_copy_puts_the_state_back(cloud: Services) -> None:
    survey = _survey(Paper(PROGRAM))
    version = PropertyChange(("version",), "STU3", "R4", forces_replacement=True)
    real = Paper(PROGRAM, differing={F: (version,)})
    with pytest.raises(ScriptError, match="would replace what its copy did not"):
        _adopt(real, survey)
    assert real.kept == set()


def test_a_stack_that_changed_meanwhile_is_not_touched(cloud: Services) -> None:
    survey = _survey(Paper(PROGRAM))
    real = Paper(PROGRAM, kept={C})
    with pytest.raises(ScriptError, match="has changed meanwhile"):
        adopt(cast(Workspace, real), Paper(PROGRAM).state(), survey, lambda _: None)
    assert real.log == []


def test_a_state_that_can_not_be_put_back_is_saved(
    cloud: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    survey = _survey(Paper(PROGRAM))
    real = Paper(PROGRAM, broken=engine.BrokenError("refused"), folder=tmp_path)
    put: Callable[..., None] = _fail
    monkeypatch.setattr(real, "put", put)
    with pytest.raises(ScriptError, match=r"refused.*not be put back either: no disk") as caught:
        _adopt(real, survey)
    saved = tmp_path / "dev.state.json"
    assert str(saved) in caught.value.cure
    assert '"deployment"' in saved.read_text()


def _fail(_: object) -> None:
    raise ScriptError("no disk")
