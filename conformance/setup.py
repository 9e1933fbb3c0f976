"""Creation of what the checks work on; the journal names each resource beforehand."""

import itertools
import time
from collections.abc import Mapping
from typing import Any

from conformance import project_policy, samples
from conformance.cloud_project import CloudProject, Reply
from conformance.journal import Entry, Journal
from conformance.names import Names
from conformance.pulling import pull
from conformance.waiting import poll
from scripts.lib.errors import ScriptError

DICOM = "application/dicom"
INITIAL_WAIT_SECONDS, MAX_WAIT_SECONDS = 0.1, 5.0
WARM_STUDY = "2.25.74050"
STORES = ("main", "warm", "scratch", "imported", "refused", "streamed", "copied")


class Creator:
    """Creates the resources of a run in one cloud.

    Args:
        cloud: the cloud
        names: of the resources
        journal: of the run; None for a cloud that is removed as a whole
    """

    def __init__(self, cloud: CloudProject, names: Names, journal: Journal | None) -> None:
        self._cloud, self._names, self._journal = cloud, names, journal

    def create(self) -> str:
        """Create everything; return the number of the project.

        Raises:
            ScriptError: a service is not enabled, or the caller lacks a permission
        """
        cloud, names = self._cloud, self._names
        path = f"v1/projects/{cloud.project}"
        number = str(cloud.require("cloudresourcemanager", "GET", path)["projectNumber"])
        identity = (
            f"v1beta1/projects/{cloud.project}/services/healthcare.googleapis.com"
            ":generateServiceIdentity"
        )
        cloud.require("serviceusage", "POST", identity, json={})
        agent = f"service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"
        service = project_policy.AUDITED_SERVICE
        project_policy.add_audit_config(cloud, lambda: self._note("audit-config", service))
        self._create_topics(agent)
        self._create_bucket(agent)
        self._create_secret()
        self._create_bigquery_dataset(agent)
        member = f"serviceAccount:{agent}"
        project_policy.add_job_user(cloud, member, lambda: self._note("job-user", member))
        self._note("dataset", names.dataset)
        created = f"v1/{names.parent}/datasets"
        cloud.require(
            "healthcare", "POST", created, params={"datasetId": names.dataset_id}, json={}
        )
        self._create_stores()
        self._store_samples()
        self._warm_up()
        return number

    def _note(self, resource_type: str, name: str) -> None:
        if self._journal is not None:
            self._journal.add(Entry(resource_type, name, self._cloud.project, self._cloud.root))

    def _create_topics(self, agent: str) -> None:
        names = self._names
        for topic in (names.topic, names.closed_topic):
            self._note("topic", topic)
            self._cloud.require("pubsub", "PUT", f"v1/{topic}", json={})
        for subscription, topic in (
            (names.subscription, names.topic),
            (names.idle_subscription, names.closed_topic),
        ):
            self._note("subscription", subscription)
            self._cloud.require("pubsub", "PUT", f"v1/{subscription}", json={"topic": topic})
        publisher = {"role": "roles/pubsub.publisher", "members": [f"serviceAccount:{agent}"]}
        policy = {"policy": {"bindings": [publisher]}}
        self._eventually("pubsub", "POST", f"v1/{names.topic}:setIamPolicy", json=policy)

    def _create_bucket(self, agent: str) -> None:
        cloud, names = self._cloud, self._names
        self._note("bucket", names.bucket)
        body = {
            "name": names.bucket,
            "location": cloud.location,
            "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
            # Documented: else deleted objects stay, and are paid for, for seven days.
            "softDeletePolicy": {"retentionDurationSeconds": "0"},
        }
        cloud.require(
            "storage", "POST", "storage/v1/b", params={"project": cloud.project}, json=body
        )
        path = f"storage/v1/b/{names.bucket}/iam"
        policy = cloud.require("storage", "GET", path)
        admin = {"role": "roles/storage.objectAdmin", "members": [f"serviceAccount:{agent}"]}
        policy["bindings"] = [*policy.get("bindings", []), admin]
        self._eventually("storage", "PUT", path, json=policy)
        for name, content in self._objects().items():
            upload = {"uploadType": "media", "name": name}
            cloud.require(
                "storage",
                "POST",
                f"upload/storage/v1/b/{names.bucket}/o",
                params=upload,
                data=content,
                headers={"Content-Type": DICOM},
            )

    def _create_secret(self) -> None:
        secret = self._names.secret
        self._note("secret", secret)
        parent, _, id_ = secret.rpartition("/")
        body: dict[str, Any] = {"replication": {"automatic": {}}}
        self._cloud.require(
            "secretmanager", "POST", f"v1/{parent}", params={"secretId": id_}, json=body
        )

    @staticmethod
    def _objects() -> Mapping[str, bytes]:
        study = samples.SCRATCH_STUDY
        return {
            "import/1-good.dcm": samples.make(study, 1),
            "import/2-not-dicom.dcm": b"This is a text.",
            "import/3-empty.dcm": b"",
            "mismatch/other.dcm": samples.make(study, 1, StudyDescription="Other"),
        }

    def _create_bigquery_dataset(self, agent: str) -> None:
        cloud, names = self._cloud, self._names
        self._note("bigquery-dataset", names.bigquery_dataset)
        path = f"bigquery/v2/projects/{cloud.project}/datasets"
        reference = {"projectId": cloud.project, "datasetId": names.bigquery_dataset}
        body = {"datasetReference": reference, "location": cloud.location}
        created = cloud.require("bigquery", "POST", path, json=body)
        writer = {"role": "WRITER", "userByEmail": agent}
        access = {"access": [*created.get("access", []), writer]}
        self._eventually("bigquery", "PATCH", f"{path}/{names.bigquery_dataset}", json=access)

    def _create_stores(self) -> None:
        names = self._names
        notified = {"notificationConfigs": [{"pubsubTopic": names.topic}]}
        bodies: dict[str, Any] = {
            "scratch": notified,
            "warm": notified,
            "refused": {"notificationConfigs": [{"pubsubTopic": names.closed_topic}]},
            "streamed": {"streamConfigs": [{"bigqueryDestination": {"tableUri": self._table()}}]},
        }
        path = f"v1/{names.dataset}/dicomStores"
        for store in STORES:
            body = bodies.get(store, {})
            self._eventually("healthcare", "POST", path, params={"dicomStoreId": store}, json=body)

    def _table(self) -> str:
        return f"bq://{self._cloud.project}.{self._names.bigquery_dataset}.streamed"

    def _store_samples(self) -> None:
        """Store the samples; the service may refuse an odd value, which its check reports."""
        path = f"v1/{self._names.store('main')}/dicomWeb/studies"
        headers = {"Content-Type": DICOM, "Accept": "application/dicom+json"}
        for content in [*samples.images().values(), *samples.odd_values().values()]:
            self._cloud.send("healthcare", "POST", path, data=content, headers=headers)

    def _warm_up(self) -> None:
        """Wait until the service agent's grants have propagated: import, export, notify.

        Raises:
            ScriptError: they have not after the cloud's longest wait
        """
        names = self._names
        store = f"v1/{names.store('warm')}"
        source = {"gcsSource": {"uri": f"gs://{names.bucket}/import/1-good.dcm"}}
        self._eventually("healthcare", "POST", f"{store}:import", json=source)
        table = f"bq://{names.project}.{names.bigquery_dataset}.warm"
        destination = {"bigqueryDestination": {"tableUri": table}}
        self._eventually("healthcare", "POST", f"{store}:export", json=destination)
        numbers = itertools.count(1)

        def is_notified() -> bool:
            content = samples.make(WARM_STUDY, next(numbers))
            headers = {"Content-Type": DICOM, "Accept": "application/dicom+json"}
            path = f"{store}/dicomWeb/studies"
            self._cloud.require("healthcare", "POST", path, data=content, headers=headers)
            return bool(poll(lambda: pull(self._cloud, names.subscription), MAX_WAIT_SECONDS))

        if not poll(is_notified, self._cloud.max_wait_seconds):
            raise ScriptError(
                f"The Healthcare service agent can't publish to {names.topic} on "
                f"{self._cloud.name} after {self._cloud.max_wait_seconds:.0f} s.",
                "Run the comparison again: its grant may take longer to propagate.",
            )

    def _eventually(self, service: str, method: str, path: str, **options: Any) -> Reply:
        """Call until grants and new resources have propagated: while the answer is 400 to 404.

        Raises:
            ScriptError: the call is still refused after the cloud's longest wait
        """
        ends = time.monotonic() + self._cloud.max_wait_seconds
        pause = INITIAL_WAIT_SECONDS
        while True:
            reply = self._cloud.send(service, method, path, **options)
            if reply.is_ok:
                return reply
            if reply.status not in (400, 403, 404) or time.monotonic() + pause > ends:
                raise ScriptError(
                    f"{self._cloud.name} refused {method} {path} with status {reply.status}: "
                    f"{reply.content[:500].decode('utf-8', 'replace')}"
                )
            time.sleep(pause)
            pause = min(2 * pause, MAX_WAIT_SECONDS)
