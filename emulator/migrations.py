"""The migrations of the emulator's state, in the order in which they are applied.

A change of a table is a new entry at the end; an entry that was released never changes. The test
`tests/unit/emulator/test_migrations.py` opens states that earlier versions wrote.
"""

from emulator.core.database import Migration
from emulator.core.operations import records as operations
from emulator.core.resources import stored
from emulator.services.bigquery import models as bigquery
from emulator.services.compute import resources as compute
from emulator.services.healthcare.clients import bigquery_outbox
from emulator.services.healthcare.consents import models as consent_records
from emulator.services.healthcare.dicom.bigquery import streams
from emulator.services.healthcare.dicom.instances import models as instances
from emulator.services.healthcare.dicom.instances import other_values, patched, reindexing
from emulator.services.healthcare.fhir.consents import models as fhir_consents
from emulator.services.healthcare.fhir.resources import lost_versions as fhir_lost_versions
from emulator.services.healthcare.fhir.resources import models as fhir_resources
from emulator.services.healthcare.fhir.search import index as fhir_index
from emulator.services.healthcare.fhir.search import store_parameters as fhir_store_parameters
from emulator.services.healthcare.hl7v2 import history as hl7v2_history
from emulator.services.healthcare.hl7v2 import models as hl7v2_messages
from emulator.services.healthcare.stores import models as stores
from emulator.services.iam import accounts, custom_roles, service_accounts
from emulator.services.iam import models as policies
from emulator.services.kms import ciphertexts
from emulator.services.kms import models as keys
from emulator.services.log_sinks import router as sink_router
from emulator.services.logging import entries as log_entries
from emulator.services.pubsub import messages, recent_messages, subscriptions, topics
from emulator.services.resourcemanager import models as projects
from emulator.services.run import models as run
from emulator.services.secretmanager import models as secret_models
from emulator.services.serviceusage import models as services
from emulator.services.storage import models as buckets

MIGRATIONS: tuple[Migration, ...] = (
    "".join(
        module.SCHEMA
        for module in (
            operations,
            policies,
            service_accounts,
            projects,
            services,
            topics,
            subscriptions,
            messages,
            keys,
            ciphertexts,
            bigquery,
            buckets,
            stores,
            streams,
            instances,
        )
    ),
    stores.DROP_SERIAL,
    instances.fold_names,
    bigquery_outbox.SCHEMA,
    streams.move_rows,
    log_entries.SCHEMA,
    other_values.SCHEMA,
    reindexing.mark_odd_values,
    reindexing.add_file_meta,
    custom_roles.SCHEMA + accounts.SCHEMA,
    stored.SCHEMA + sink_router.SCHEMA,
    hl7v2_messages.SCHEMA + hl7v2_history.SCHEMA,
    secret_models.SCHEMA,
    recent_messages.SCHEMA,
    fhir_resources.SCHEMA,
    compute.SCHEMA,
    fhir_index.SCHEMA,
    run.SCHEMA,
    fhir_lost_versions.SCHEMA,
    consent_records.SCHEMA,
    bigquery_outbox.ADD_LAYOUT,
    fhir_consents.SCHEMA,
    fhir_store_parameters.SCHEMA,
    patched.SCHEMA,
)
