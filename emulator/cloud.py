"""The composition root: builds the services of the local Google Cloud from their parts."""

from emulator.core.database import STATE_FILE, Database
from emulator.core.operations.runner import Operations
from emulator.core.resources.stored import StoredResources
from emulator.core.settings import Settings
from emulator.migrations import MIGRATIONS
from emulator.services.artifactregistry import operations as registry_operations
from emulator.services.artifactregistry import service as artifactregistry
from emulator.services.artifactregistry.service import ArtifactRegistry
from emulator.services.bigquery import backend as bigquery_backend
from emulator.services.bigquery.models import Metadata
from emulator.services.bigquery.queries.job_statistics import JobStatistics
from emulator.services.bigquery.service import BigQuery
from emulator.services.bigquery.table_size import TableSizes
from emulator.services.compute import service as compute
from emulator.services.compute.operations import Operations as ComputeOperations
from emulator.services.compute.resources import Resources as ComputeResources
from emulator.services.compute.running.balancer import Balancer
from emulator.services.compute.running.groups import Groups
from emulator.services.compute.running.health import Health
from emulator.services.compute.running.loop import Loop
from emulator.services.compute.running.machines import Machines
from emulator.services.compute.running.members import FOLDER as COMPUTE_FOLDER
from emulator.services.compute.running.members import Members
from emulator.services.compute.service import Compute
from emulator.services.containers.images import Images
from emulator.services.containers.service import FOLDER as CONTAINERS_FOLDER
from emulator.services.containers.service import Containers
from emulator.services.dataflow import jobs as dataflow_jobs
from emulator.services.dataflow import service as dataflow
from emulator.services.dataflow.jobs import Jobs as DataflowJobs
from emulator.services.dataflow.running import Runner as DataflowRunner
from emulator.services.dataflow.service import Dataflow
from emulator.services.healthcare import service_agent
from emulator.services.healthcare.clients.bigquery_outbox import BigQueryOutbox
from emulator.services.healthcare.context import HealthcareContext
from emulator.services.healthcare.failure_log import FailureLog
from emulator.services.healthcare.notifications import Notifier
from emulator.services.healthcare.service import Healthcare
from emulator.services.healthcare.service_agent import ServiceAgent
from emulator.services.healthcare.stores.cmek import KeyAccess
from emulator.services.healthcare.stores.models import Resources
from emulator.services.healthcare.stores.service import Stores
from emulator.services.iam.accounts import Accounts
from emulator.services.iam.models import Policies
from emulator.services.iam.service import Iam
from emulator.services.iam.service_accounts import ServiceAccounts
from emulator.services.iam_api.service import IamApi
from emulator.services.iap import service as iap
from emulator.services.iap.service import Iap
from emulator.services.kms import service as kms
from emulator.services.kms.ciphertexts import Ciphertexts
from emulator.services.kms.models import Keys
from emulator.services.kms.service import Kms
from emulator.services.log_sinks.destinations import Destinations
from emulator.services.log_sinks.router import SinkRouter
from emulator.services.logging.audit import AuditLog
from emulator.services.logging.entries import Entries
from emulator.services.logging.service import Logging
from emulator.services.monitoring.service import Monitoring
from emulator.services.pubsub import service as pubsub
from emulator.services.pubsub.messages import Messages
from emulator.services.pubsub.push_worker import PushWorker
from emulator.services.pubsub.service import PubSub
from emulator.services.pubsub.subscriptions import Subscriptions
from emulator.services.pubsub.topics import Topics
from emulator.services.resourcemanager.models import Projects
from emulator.services.resourcemanager.service import ResourceManager
from emulator.services.run import service as run
from emulator.services.run.assembly import assemble as assemble_run
from emulator.services.run.serving.iap.tokens import KEYS_PATH as IAP_KEYS_PATH
from emulator.services.secretmanager import events as secret_events
from emulator.services.secretmanager.events import Events, Publisher
from emulator.services.secretmanager.models import Secrets
from emulator.services.secretmanager.service import SecretManager
from emulator.services.secretmanager.versions import Versions
from emulator.services.serviceusage.models import Services
from emulator.services.serviceusage.service import ProjectAccess, ServiceUsage
from emulator.services.storage import backend as storage_backend
from emulator.services.storage.models import Buckets
from emulator.services.storage.proxy import ReverseProxy
from emulator.services.storage.service import Storage


class Cloud:
    """The state of all emulated services, and the questions that go across them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.state_dir / STATE_FILE, MIGRATIONS)
        self.iam = Iam(Policies(self.database), ServiceAccounts(self.database))
        entries = Entries(self.database)
        self._failures = FailureLog(entries)
        self.audit = AuditLog(entries, self.iam.policies)
        self.operations = Operations(
            self.database,
            lambda name: f"{settings.root_url}/_emulator/logs/{name}",
            self._failures.add_item,
            self.audit.write_end,
        )
        self.projects = Projects(self.database, self.iam.policies)
        services = Services(
            self.database,
            self.projects,
            self.iam.service_accounts,
            settings.all_services_enabled,
        )
        self.resource_manager = ResourceManager(self.iam, self.projects)
        self.service_usage = ServiceUsage(self.projects, services)
        self.iam_api = IamApi(
            settings.root_url,
            self.iam,
            self.projects,
            self.iam.policies.roles,
            Accounts(self.database),
        )
        self.containers = Containers(
            settings.state_dir / CONTAINERS_FOLDER,
            {**settings.environment, "IAP_KEYS_URL": f"{settings.root_url}{IAP_KEYS_PATH}"},
            Images(settings.images),
            self.iam_api,
            entries,
        )
        sinks = StoredResources(self.database, "sinks", "Sink")
        metrics = StoredResources(self.database, "metrics", "Metric")
        self.logging = Logging(self.iam, self.projects, entries, sinks, metrics)
        self.monitoring = Monitoring(
            self.projects,
            StoredResources(self.database, "alertPolicies", "Alert policy"),
            StoredResources(self.database, "notificationChannels", "Notification channel"),
        )
        self.pubsub = self._pubsub()
        self.kms = self._kms()
        self.secret_manager = self._secret_manager()
        self.artifact_registry = self._artifact_registry()
        self.run = assemble_run(
            self.database,
            self._access(run.API),
            self.iam_api,
            self.containers,
            self.secret_manager,
            entries,
            self.audit.write_end,
            folder=settings.state_dir,
            enforce_iam=settings.enforce_iam,
        )
        self.iap = Iap(self.iam, self._access(iap.API), self.run.has_service)
        backend = bigquery_backend.Backend(settings.bigquery_url)
        metadata = Metadata(self.database, self.iam.policies.roles.permissions_of)
        sizes = TableSizes(backend)
        self.bigquery = BigQuery(
            settings.root_url,
            settings.bigquery_url,
            self.iam,
            self.projects,
            backend,
            metadata,
            sizes,
            JobStatistics(backend, metadata, sizes),
        )
        self.storage = Storage(
            settings.root_url,
            self.iam,
            self.projects,
            storage_backend.Backend(settings.storage_url),
            ReverseProxy(settings.storage_url),
            Buckets(self.database, self.iam.policies, self.projects),
        )
        self.compute = self._compute()
        self.dataflow = self._dataflow(entries)
        self.healthcare = self._healthcare()
        self.sink_router = SinkRouter(
            self.database,
            sinks,
            entries,
            Destinations(
                self.bigquery,
                settings.bigquery_url,
                self.storage.buckets,
                settings.storage_url,
                entries,
            ),
        )

    def _access(self, api: str) -> ProjectAccess:
        return ProjectAccess(self.projects, self.service_usage.services, api)

    def _pubsub(self) -> PubSub:
        topics = Topics(self.database, self.iam.policies)
        subscriptions = Subscriptions(self.database, self.iam.policies)
        messages = Messages(self.database, topics, subscriptions)
        push = PushWorker(messages, subscriptions)
        return PubSub(self.iam, self._access(pubsub.API), topics, subscriptions, messages, push)

    def _kms(self) -> Kms:
        keys = Keys(self.database, self.iam.policies)
        return Kms(self.iam, self._access(kms.API), keys, Ciphertexts(self.database, keys))

    def _secret_manager(self) -> SecretManager:
        topics, messages = self.pubsub.topics, self.pubsub.messages
        events = Events(self.iam, Publisher(topics.exists, messages.add, messages.notify))
        secrets = Secrets(self.database, self.projects, self.iam.policies, events)
        access = self._access(secret_events.API)
        return SecretManager(self.iam, access, secrets, Versions(self.database, secrets, events))

    def _artifact_registry(self) -> ArtifactRegistry:
        repositories = StoredResources(self.database, artifactregistry.COLLECTION, "Repository")
        access = self._access(artifactregistry.API)
        registry = ArtifactRegistry(self.iam, access, self.operations, repositories)
        registry_operations.register(registry)
        return registry

    def _compute(self) -> Compute:
        resources = ComputeResources(self.database)
        members = Members(resources, self.settings.state_dir / COMPUTE_FOLDER)
        machines = Machines(self.containers, members, self.projects)
        loop = Loop()
        health = Health(resources, members, machines, loop)
        return Compute(
            self._access(compute.API),
            resources,
            ComputeOperations(resources),
            Groups(resources, members, machines, health),
            Balancer(resources, members, machines, health, loop),
        )

    def _dataflow(self, entries: Entries) -> Dataflow:
        jobs = DataflowJobs(StoredResources(self.database, dataflow_jobs.COLLECTION, "Job"))
        return Dataflow(
            self._access(dataflow.API),
            self.iam_api,
            jobs,
            DataflowRunner(jobs, self.containers, entries),
            entries,
            self.storage.backend.read,
        )

    def _healthcare(self) -> Healthcare:
        agent = ServiceAgent(self.projects, self.iam, self.storage.buckets, self.bigquery.metadata)
        resources = Resources(self.database)
        stores = Stores(
            iam=self.iam,
            projects=self._access(service_agent.API),
            resources=resources,
            operations=self.operations,
            agent=agent,
            keys=KeyAccess(resources, self.kms.keys, agent),
            topics=self.pubsub.topics,
        )
        context = HealthcareContext(
            settings=self.settings,
            database=self.database,
            operations=self.operations,
            stores=stores,
            agent=agent,
            notifier=Notifier(agent, self.pubsub.topics, self.pubsub.messages, self._failures),
            outbox=BigQueryOutbox(
                self.database, self.settings.bigquery_url, agent.may_stream, self._failures
            ),
            failures=self._failures,
            kms=self.kms,
        )
        return Healthcare(context)

    def reset(self) -> None:
        """Delete everything: datasets with all inside them, policies, projects, services."""
        self.compute.reset()
        self.run.reset()
        self.containers.reset()
        self.healthcare.reset()
        self.database.empty()
        self.compute.resume()

    def start(self) -> None:
        """Start the background work, but for operations."""
        self.secret_manager.versions.destroy_due()
        self.pubsub.push.start()
        self.run.start()
        self.dataflow.runner.start()
        self.sink_router.start()
        self.healthcare.start()
        self.compute.start()

    def close(self) -> None:
        """Stop running operations and close the state."""
        self.compute.close()
        self.run.close()
        self.dataflow.runner.close()
        self.containers.close()
        self.pubsub.push.close()
        self.sink_router.close()
        self.operations.close()
        self.healthcare.close()
        self.storage.backend.close()
        self.bigquery.backend.close()
        self.database.close()
