"""A first `up` in a new project, where grants are not known everywhere at once."""

from collections.abc import Iterator
from functools import partial

import pytest

from components import propagation
from components.propagation import PropagationRetry
from tests.support.labs import Lab, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

CREATE = "healthcare.projects.locations.datasets.dicomStores.create"
DELETE = "healthcare.projects.locations.datasets.dicomStores.delete"
REFUSED = "the service agent does not have permission to publish to the topic"


@pytest.fixture
def notifying(stack: Stack) -> Stack:
    """A stack with one store that notifies a topic: it needs a grant made just before it."""
    store = {"name": "ct", "notificationConfig": {"pubsubTopic": "imaging"}}
    topics = [{"name": "imaging"}]
    stack.configure(dicomStores=[store], fhirStores=[], hl7v2Stores=[], topics=topics)
    return stack


@pytest.fixture(autouse=True)
def cleared(lab: Lab) -> Iterator[None]:
    yield
    lab.call("DELETE", "_emulator/faults")


def broken(lab: Lab) -> int:
    """How many calls the only fault has broken."""
    [fault] = lab.call("GET", "_emulator/faults")["faults"]
    count: int = fault["broken"]
    return count


def test_a_store_is_tried_again_until_its_grant_has_spread(notifying: Stack) -> None:
    fault = {"method": CREATE, "status": 403, "message": REFUSED, "times": 3}
    notifying.lab.call("POST", "_emulator/faults", fault)
    output = notifying.up()
    assert broken(notifying.lab) == 3
    assert "healthcare-ct: refused; the grant it needs may still be spreading." in output
    assert notifying.lab.exists(notifying.outputs()["dicomStores"]["ct"])
    assert notifying.plan() == {}


MISSING = "Service account service-1@gcp-sa-healthcare.iam.gserviceaccount.com does not exist."
NEVER = {
    "the grant never spreads": (CREATE, 403, REFUSED, "healthcare-ct"),
    "the agent is never created": (
        "cloudresourcemanager.projects.setIamPolicy",
        400,
        MISSING,
        "service-agent-bigquery.admin",
    ),
    "the dataset is never initialized": (CREATE, 404, "dataset not initialized", "healthcare-ct"),
}


@pytest.mark.parametrize("case", NEVER)
def test_what_never_comes_ends_at_the_deadline_with_what_to_do(
    notifying: Stack, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    method, status, message, name = NEVER[case]
    monkeypatch.setattr(propagation, "PropagationRetry", partial(PropagationRetry, 0.5))
    fault = {"method": method, "status": status, "message": message, "times": 1000}
    notifying.lab.call("POST", "_emulator/faults", fault)
    output = notifying.change("up", "--skip-preview", check=False)
    assert message in output
    assert f"{name}: {propagation.LATE_HINT}" in output
    assert broken(notifying.lab) > 1
    # As the hint says, the next update continues.
    notifying.lab.call("DELETE", "_emulator/faults")
    notifying.up()
    assert notifying.plan() == {}


def test_what_no_grant_fixes_fails_at_once(notifying: Stack) -> None:
    fault = {"method": CREATE, "status": 400, "message": "invalid store", "times": 3}
    notifying.lab.call("POST", "_emulator/faults", fault)
    output = notifying.change("up", "--skip-preview", check=False)
    assert "invalid store" in output
    assert broken(notifying.lab) == 1


def test_a_store_that_needs_no_grant_is_not_tried_again(stack: Stack) -> None:
    stack.configure(dicomStores=[{"name": "ct"}], fhirStores=[], hl7v2Stores=[])
    fault = {"method": CREATE, "status": 403, "message": REFUSED, "times": 3}
    stack.lab.call("POST", "_emulator/faults", fault)
    output = stack.change("up", "--skip-preview", check=False)
    assert REFUSED in output
    assert broken(stack.lab) == 1


def test_a_failed_destroy_says_why(notifying: Stack) -> None:
    notifying.up()
    fault = {"method": DELETE, "status": 403, "message": "store is held"}
    notifying.lab.call("POST", "_emulator/faults", fault)
    assert "store is held" in notifying.change("destroy", check=False)
    assert broken(notifying.lab) == 1


def test_a_grant_waits_for_a_service_agent_that_google_still_creates(stack: Stack) -> None:
    stack.configure(dicomStores=[], fhirStores=[], hl7v2Stores=[])
    method = "cloudresourcemanager.projects.setIamPolicy"
    fault = {"method": method, "status": 400, "message": MISSING, "times": 2}
    stack.lab.call("POST", "_emulator/faults", fault)
    output = stack.up()
    assert broken(stack.lab) == 2
    assert "what it refers to may still be being created by Google" in output


def test_a_dataset_that_exists_is_an_error_that_names_adoption(stack: Stack) -> None:
    stack.configure(dicomStores=[], fhirStores=[], hl7v2Stores=[])
    services = f"v1/projects/{stack.project}/services"
    stack.lab.call("POST", f"{services}/healthcare.googleapis.com:enable", {})
    parent = f"v1/projects/{stack.project}/locations/us-central1/datasets?datasetId=dataset1"
    stack.lab.call("POST", parent, {})
    output = stack.change("up", "--skip-preview", check=False)
    assert "healthcare exists in Google Cloud already, outside this stack." in output
    assert f"`make adopt STACK={stack.name}`" in output
