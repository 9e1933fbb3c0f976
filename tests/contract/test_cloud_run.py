"""Cloud Run under Google's client, where roles decide every call: push to a service, an adapter."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from googleapiclient.discovery import build

from emulator.core.processes.ports import is_free
from emulator.server import lifecycle
from emulator.server.server_file import ServerInfo
from emulator.services.iam.callers import OWNER
from tests.support import http
from tests.support.hl7v2_messages import admission, body
from tests.support.import_export import healthcare
from tests.support.mllp import FakePeer
from tests.support.run_programs import container, write_programs
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets

PROJECT = "contract-run"
PARENT = f"projects/{PROJECT}/locations/europe-west4"
TOPIC, SUBSCRIPTION = (f"projects/{PROJECT}/{one}/events" for one in ("topics", "subscriptions"))
APIS = ("healthcare", "iam", "pubsub", "run")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerInfo]:
    """An emulator that decides every call by the roles of its caller."""
    folder = tmp_path_factory.mktemp("run")
    state = folder / "emulator"
    found = lifecycle.start(state, enforce_iam=True, images=write_programs(folder))
    names = {"serviceIds": [f"{name}.googleapis.com" for name in APIS]}
    url = f"{found.url}/v1/projects/{PROJECT}/services"
    http.post(f"{url}:batchEnable", json=names).raise_for_status()
    identity = f"{found.url}/v1beta1/projects/{PROJECT}/services/healthcare.googleapis.com"
    http.post(f"{identity}:generateServiceIdentity").raise_for_status()
    yield found
    lifecycle.stop(state)


class Run:
    """Google's client of Cloud Run, and the calls around it."""

    def __init__(self, running: ServerInfo) -> None:
        self.url = running.url
        client = build(
            "run",
            "v2",
            static_discovery=True,
            cache_discovery=False,
            client_options={"api_endpoint": running.url},
        )
        self.locations = client.projects().locations()

    def done(self, request: Any) -> Any:
        """Make a call, and return the response of its operation."""
        name = request.execute()["name"]
        waited = self.locations.operations().wait(name=name, body={"timeout": "60s"}).execute()
        return waited["response"]

    def account(self, id_: str) -> str:
        """Create a service account, and return it as IAM writes it."""
        url = f"{self.url}/v1/projects/{PROJECT}/serviceAccounts"
        created = http.post(url, json={"accountId": id_}).raise_for_status().json()
        return f"serviceAccount:{created['email']}"

    def grant(self, resource: str, version: str, **roles: str) -> None:
        """Set the policy of a resource: role -> member."""
        bindings = [
            {"role": f"roles/{role.replace('_', '.')}", "members": [member]}
            for role, member in roles.items()
        ]
        url = f"{self.url}/{version}/{resource}:setIamPolicy"
        http.post(url, json={"policy": {"bindings": bindings}}).raise_for_status()

    def entries(self, filter_: str) -> list[Any]:
        """Return the log entries that match a filter."""
        asked = {"resourceNames": [f"projects/{PROJECT}"], "filter": filter_}
        answer = http.post(f"{self.url}/v2/entries:list", json=asked).raise_for_status()
        return list(answer.json().get("entries", []))


@pytest.fixture
def run(running: ServerInfo, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    return Run(running)


@pytest.fixture
def subscribe(run: Run) -> Iterator[Callable[..., None]]:
    """Creates the topic and its subscription, which are deleted at the end."""

    def create(**settings: Any) -> None:
        for name, content in ((TOPIC, {}), (SUBSCRIPTION, {"topic": TOPIC, **settings})):
            http.put(f"{run.url}/v1/{name}", json=content).raise_for_status()

    yield create
    for name in (SUBSCRIPTION, TOPIC):
        http.delete(f"{run.url}/v1/{name}")


def test_a_push_subscription_reaches_a_service(run: Run, subscribe: Callable[..., None]) -> None:
    services = run.locations.services()
    template = {"template": {"containers": [container("web")]}}
    service = run.done(services.create(parent=PARENT, serviceId="front", body=template))
    caller = run.account("pusher")
    email = caller.partition(":")[2]
    assert http.post(f"{service['uri']}/events").status_code == 403
    run.grant(service["name"], "v2", run_invoker=caller)
    push = {"pushEndpoint": f"{service['uri']}/events", "oidcToken": {"serviceAccountEmail": email}}
    subscribe(pushConfig=push)
    message = {"data": base64.b64encode(b"a change").decode()}
    url = f"{run.url}/v1/{TOPIC}:publish"
    http.post(url, json={"messages": [message]}).raise_for_status()

    lines = wait_until(lambda: run.entries('jsonPayload.message = "got"'), "nothing is pushed")
    assert message["data"] in lines[0]["jsonPayload"]["body"]
    assert SUBSCRIPTION in lines[0]["jsonPayload"]["body"]
    assert lines[0]["resource"]["labels"]["service_name"] == "front"
    run.done(services.delete(name=service["name"]))
    wait_until(lambda: is_free(int(service["uri"].rpartition(":")[2])), "it still listens")


def test_a_worker_pool_sends_messages_with_the_roles_of_its_account(
    run: Run, running: ServerInfo, subscribe: Callable[..., None], tmp_path: Path
) -> None:
    subscribe()
    agent = http.get(f"{run.url}/v1/projects/{PROJECT}").json()["projectNumber"]
    agent = f"serviceAccount:service-{agent}@gcp-sa-healthcare.iam.gserviceaccount.com"
    run.grant(TOPIC, "v1", pubsub_publisher=agent)
    datasets = healthcare(running).projects().locations().datasets()
    datasets.create(parent=PARENT, datasetId="d", body={}).execute()
    settings = {"parserConfig": {"version": "V2"}, "notificationConfigs": [{"pubsubTopic": TOPIC}]}
    store = datasets.hl7V2Stores().create(
        parent=f"{PARENT}/datasets/d", hl7V2StoreId="hl7", body=settings
    )
    messages = datasets.hl7V2Stores().messages()
    messages.create(parent=store.execute()["name"], body=body(admission("1"))).execute()
    account = run.account("sender")
    with FakePeer() as peer:
        words = ["--outgoing", "--subscription", SUBSCRIPTION, "--peer", f"127.0.0.1:{peer.port}"]
        template = {
            "containers": [container("mllp-adapter", *words)],
            "serviceAccount": account.partition(":")[2],
        }
        pools = run.locations.workerPools()
        pool = run.done(
            pools.create(parent=PARENT, workerPoolId="sender", body={"template": template})
        )
        of_pool = 'resource.type = "cloud_run_worker_pool"'
        wait_until(lambda: run.entries(f'{of_pool} AND textPayload : "403"'), "it is not refused")
        assert peer.received == []
        roles = {"healthcare_hl7V2Consumer": account, "pubsub_editor": account}
        run.grant(f"projects/{PROJECT}", "v1", owner=OWNER, **roles)
        wait_until(lambda: peer.received == [admission("1")], "the peer gets no message")
        sent = wait_until(
            lambda: run.entries(f'{of_pool} AND jsonPayload.message = "message sent"'),
            "no line of the adapter is logged",
        )
        assert sent[0]["resource"]["labels"]["worker_pool_name"] == "sender"
        run.done(pools.delete(name=pool["name"]))
        of_adapter = [
            process
            for process in psutil.Process(running.pid).children(recursive=True)
            if "workloads.mllp" in process.cmdline()
        ]
        assert of_adapter == []
