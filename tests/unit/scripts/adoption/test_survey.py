"""Round by round, until nothing more is found; then all of it at once, or nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from scripts.adoption.adopt import adopt
from scripts.adoption.conflicts import conflicts
from scripts.adoption.survey import AdoptionOutcome, Discovery, Survey
from scripts.lib.errors import ScriptError
from scripts.lib.property_values import Special
from scripts.preview.model import PropertyChange
from scripts.resources.lookup import Lookup
from tests.support.fake_engine import PREFIX, FakeEngine
from tests.unit.scripts.adoption import urns
from tests.unit.scripts.adoption.urns import urn
from tests.unit.scripts.services import DATASET, PROJECT, Services

EMAIL = "service-12@gcp-sa-healthcare.iam.gserviceaccount.com"
HEALTHCARE = "healthcare.googleapis.com"
D, F = urn(urns.DATASET, "healthcare"), urn(urns.FHIR, "healthcare-f")
S, A = urn(urns.SERVICE, "on"), urn(urns.AGENT, "agent")
M, C = urn(urns.MEMBER, "grant"), urn(urns.OTHER, "cluster")
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


def _stack(wanted: dict[str, dict[str, Any]], **more: Any) -> FakeEngine:
    stack = FakeEngine("dev", wanted=wanted, **more)
    stack.project_id = PROJECT
    return stack


def _survey(engine: FakeEngine, *left: str) -> Survey:
    surveyor = Discovery(Lookup(), lambda _: None, frozenset(left))
    return surveyor.survey(engine)


def _outcomes(survey: Survey) -> dict[str, AdoptionOutcome]:
    return {candidate.urn: candidate.outcome for candidate in survey.candidates}


def test_ids_that_come_to_be_known_are_looked_for_in_the_next_round(cloud: Services) -> None:
    engine = _stack(PROGRAM)
    survey = _survey(engine)
    assert _outcomes(survey) == {
        **dict.fromkeys((D, F, S, A, M), AdoptionOutcome.ADOPTED),
        C: AdoptionOutcome.NOT_LOOKED_FOR,
    }
    assert len(survey.rounds) == 2
    assert [name for name in engine.imported if name in (DATASET, STORE)] == [DATASET, STORE]
    assert survey.adopted == engine.kept
    [identity] = survey.rounds[0].identities
    assert (identity.email, identity.id) == (EMAIL, f"projects/{PROJECT}/services/{HEALTHCARE}")


def test_an_agent_without_a_role_on_the_project_is_found_by_a_service(services: Services) -> None:
    name = f"projects/{PROJECT}/locations/us-central1/services/gateway-ward"
    iap = "service-12@gcp-sa-iap.iam.gserviceaccount.com"
    bindings = [{"role": "roles/run.invoker", "members": [f"serviceAccount:{iap}"]}]
    services.found |= {
        PROJECT: {"projectNumber": "12"},
        f"{PROJECT}:getIamPolicy": {"bindings": []},
        name: {"name": name},
        f"{name}:getIamPolicy": {"bindings": bindings},
    }
    run = urn("gcp:cloudrunv2/service:Service", "gateway")
    program = {
        A: {"project": PROJECT, "service": "iap.googleapis.com"},
        run: {"project": PROJECT, "location": "us-central1", "name": "gateway-ward"},
    }

    survey = _survey(_stack(program))

    assert _outcomes(survey) == dict.fromkeys((A, run), AdoptionOutcome.ADOPTED)
    assert [identity.email for identity in survey.rounds[0].identities] == [iap]

    bindings[0]["members"] = ["user:anna@example.org"]
    assert _outcomes(_survey(_stack(program)))[A] is AdoptionOutcome.MISSING


def test_what_does_not_exist_is_left_to_be_created(services: Services) -> None:
    services.found[PROJECT] = {"projectNumber": "12"}
    engine = _stack(PROGRAM)
    survey = _survey(engine)
    assert _outcomes(survey) == {
        **dict.fromkeys((D, S, A), AdoptionOutcome.MISSING),
        **dict.fromkeys((F, M), AdoptionOutcome.UNKNOWN),
        C: AdoptionOutcome.NOT_LOOKED_FOR,
    }
    assert (survey.rounds, engine.kept) == ((), set())
    assert conflicts(survey, "Pulumi.dev.yaml", beside=False) == []


def test_what_is_managed_is_not_asked_about(cloud: Services) -> None:
    survey = _survey(_stack(PROGRAM, kept={D, F, S, A, M}))
    assert _outcomes(survey) == {C: AdoptionOutcome.NOT_LOOKED_FOR}
    assert cloud.asked == []


def test_what_the_engine_does_not_list_is_not_looked_for(cloud: Services) -> None:
    engine = _stack(PROGRAM)
    engine.unlisted = frozenset({D})
    survey = _survey(engine)
    assert _outcomes(survey)[D] is AdoptionOutcome.NOT_LOOKED_FOR


def test_an_engine_that_forgets_what_it_imported_ends_the_survey(
    cloud: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeEngine, "import_resources", lambda *_: None)
    with pytest.raises(ScriptError, match=r"would create it"):
        _survey(_stack({D: PROGRAM[D]}))


def test_a_dataset_elsewhere_is_a_conflict_unless_it_is_meant(services: Services) -> None:
    there = DATASET.replace("us-central1", "europe-west4")
    services.found |= {
        f"projects/{PROJECT}/locations": {"locations": [{"locationId": "europe-west4"}]},
        there: {"name": there},
    }
    survey = _survey(_stack({D: PROGRAM[D]}))
    [conflict] = conflicts(survey, "Pulumi.dev.yaml", beside=False)
    assert (conflict.id, conflict.key) == (there, "location")
    assert conflict.hint.startswith("In Pulumi.dev.yaml, set location: europe-west4")
    assert conflicts(survey, "Pulumi.dev.yaml", beside=True) == []


def test_a_dataset_that_the_program_declares_elsewhere_too_is_no_conflict(
    services: Services,
) -> None:
    there = DATASET.replace("us-central1", "europe-west4")
    services.found |= {
        f"projects/{PROJECT}/locations": {"locations": [{"locationId": "europe-west4"}]},
        there: {"name": there},
    }
    both = {D: PROGRAM[D], f"{D}-eu": {**PROGRAM[D], "location": "europe-west4"}}
    survey = _survey(_stack(both))
    assert _outcomes(survey) == {D: AdoptionOutcome.MISSING, f"{D}-eu": AdoptionOutcome.ADOPTED}
    assert conflicts(survey, "x", beside=False) == []


def test_a_grant_that_would_be_replaced_is_left_to_be_made_again(cloud: Services) -> None:
    member = PropertyChange(("member",), "a", "b", forces_replacement=True)
    differing = {M: (member,)}
    assert _survey(_stack(PROGRAM, differing=differing)).replaced_grants() == {M}
    survey = _survey(_stack(PROGRAM, differing=differing), M)
    assert survey.replaced_grants() == set()
    assert _outcomes(survey)[M] is AdoptionOutcome.MISSING


def _replacing(program: dict[str, Any], name: str, *changes: PropertyChange) -> list[Any]:
    survey = _survey(_stack(program, differing={name: changes}))
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
    assert conflict.hint == (
        "In Pulumi.dev.yaml, remove fhirStores[name: f].disableReferentialIntegrity."
    )


def test_properties_of_further_datasets_and_of_other_programs(cloud: Services) -> None:
    further = urn(urns.DATASET, "healthcare-research")
    key = ("encryptionSpec", "kmsKeyName")
    change = PropertyChange(key, "k", "other", forces_replacement=True)
    [conflict] = _replacing({further: PROGRAM[D]}, further, change)
    assert conflict.key == "datasets[name: research].encryption.kmsKeyName"
    theirs = f"{PREFIX}{urns.DATASET}::mine"
    program = {theirs: PROGRAM[D]}
    [conflict] = _replacing(program, theirs, change)
    assert conflict.key == ""
    assert conflict.hint == "Change the program so that it sets it to k."


def test_what_goes_along_points_to_its_cause(cloud: Services) -> None:
    dataset = PropertyChange(("dataset",), DATASET, Special.UNKNOWN, forces_replacement=True)
    [conflict] = _replacing(PROGRAM, F, dataset)
    assert "fix that one" in conflict.hint


def _adopt(engine: FakeEngine, survey: Survey) -> list[str]:
    reported: list[str] = []
    adopt(engine, engine.export_state(), survey, reported.append)
    return reported


def test_the_stack_takes_over_what_its_copy_did(cloud: Services) -> None:
    survey = _survey(_stack(PROGRAM))
    real = _stack(PROGRAM)
    _adopt(real, survey)
    assert real.kept == survey.adopted == {D, F, S, A, M}


def test_a_stack_that_was_never_made_is_made_first(cloud: Services) -> None:
    survey = _survey(_stack(PROGRAM))
    real = _stack(PROGRAM)
    real.exists = False
    _adopt(real, survey)
    assert real.calls[0] == "create"
    assert real.kept == survey.adopted


@pytest.mark.parametrize("error", [ScriptError("refused"), KeyboardInterrupt()])
def test_whatever_goes_wrong_the_state_is_put_back(cloud: Services, error: BaseException) -> None:
    survey = _survey(_stack(PROGRAM))
    real = _stack(PROGRAM, kept={C})
    real.import_error = error
    with pytest.raises(type(error)):
        _adopt(real, survey)
    assert real.kept == {C}
    assert real.calls[-1] == "import_state"


def test_a_plan_that_is_not_that_of_the_copy_puts_the_state_back(cloud: Services) -> None:
    survey = _survey(_stack(PROGRAM))
    version = PropertyChange(("version",), "STU3", "R4", forces_replacement=True)
    real = _stack(PROGRAM, differing={F: (version,)})
    with pytest.raises(ScriptError, match="would replace resources that its copy would not"):
        _adopt(real, survey)
    assert real.kept == set()


def test_a_stack_that_changed_meanwhile_is_not_touched(cloud: Services) -> None:
    survey = _survey(_stack(PROGRAM))
    real = _stack(PROGRAM, kept={C})
    with pytest.raises(ScriptError, match="changed in the meantime"):
        adopt(real, _stack(PROGRAM).export_state(), survey, lambda _: None)
    assert real.calls == []


def test_a_state_that_can_not_be_put_back_is_saved(
    cloud: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    survey = _survey(_stack(PROGRAM))
    real = _stack(PROGRAM, program=tmp_path)
    real.import_error = ScriptError("refused")
    put: Callable[..., None] = _fail
    monkeypatch.setattr(real, "import_state", put)
    with pytest.raises(ScriptError, match=r"refused.*not be restored either: no disk") as caught:
        _adopt(real, survey)
    saved = tmp_path / "dev.state.json"
    assert str(saved) in caught.value.hint
    assert '"deployment"' in saved.read_text()


def _fail(_: object) -> None:
    raise ScriptError("no disk")
