"""The method, permission and resource of each call of the Healthcare API."""

import pytest

from emulator.core.method_table import project_of
from emulator.services.healthcare.audited_methods import method_of

LOCATION = "projects/p1/locations/l1"
DATASET = f"{LOCATION}/datasets/d1"
STORE = f"{DATASET}/dicomStores/s1"
WEB = "dicom.dicomweb.DicomWebService"


INSTANCE = f"{STORE}/dicomWeb/studies/1/series/2/instances/3"
HL7 = f"{DATASET}/hl7V2Stores/h1"
DATASETS, DICOM = "dataset.DatasetService", "dicom.DicomService"
HL7V2 = "hl7v2.Hl7V2Service"
CONSENTS, CONSENT = f"{DATASET}/consentStores/c", "consent.ConsentService"
CALLS = f"""
GET {LOCATION}/datasets | {DATASETS}.ListDatasets | datasets.list | ADMIN_READ
POST {LOCATION}/datasets | {DATASETS}.CreateDataset | datasets.create | ADMIN_WRITE
GET {DATASET} | {DATASETS}.GetDataset | datasets.get | ADMIN_READ
PATCH {DATASET} | {DATASETS}.UpdateDataset | datasets.update | ADMIN_WRITE
DELETE {DATASET} | {DATASETS}.DeleteDataset | datasets.delete | ADMIN_WRITE
POST {DATASET}:deidentify | {DATASETS}.DeidentifyDataset | datasets.deidentify | DATA_WRITE
POST {DATASET}/fhirStores | fhir.FhirStoreService.CreateFhirStore | fhirStores.create | ADMIN_WRITE
GET {DATASET}/hl7V2Stores/h | hl7v2.Hl7V2Service.GetHl7V2Store | hl7V2Stores.get | ADMIN_READ
DELETE {DATASET}/consentStores/c | consent.ConsentService.DeleteConsentStore | \
consentStores.delete | ADMIN_WRITE
GET {HL7}/messages | {HL7V2}.ListMessages | hl7V2Messages.list | DATA_READ
POST {HL7}/messages | {HL7V2}.CreateMessage | hl7V2Messages.create | DATA_WRITE
POST {HL7}/messages:ingest | {HL7V2}.IngestMessage | hl7V2Messages.ingest | DATA_WRITE
GET {HL7}/messages:batchGet | {HL7V2}.BatchGetMessages | hl7V2Messages.get | DATA_READ
GET {HL7}/messages/m= | {HL7V2}.GetMessage | hl7V2Messages.get | DATA_READ
PATCH {HL7}/messages/m= | {HL7V2}.UpdateMessage | hl7V2Messages.update | DATA_WRITE
DELETE {HL7}/messages/m= | {HL7V2}.DeleteMessage | hl7V2Messages.delete | DATA_WRITE
POST {HL7}:import | {HL7V2}.ImportMessages | hl7V2Stores.import | DATA_WRITE
POST {HL7}:export | {HL7V2}.ExportMessages | hl7V2Stores.export | DATA_READ
POST {DATASET}/fhirStores/f:rollback | fhir.FhirStoreService.RollbackFhirResources | \
fhirStores.rollback | DATA_WRITE
POST {DATASET}/fhirStores/f:importHistory | fhir.FhirStoreService.ImportResourcesHistory | \
fhirStores.import | DATA_WRITE
POST {DATASET}/fhirStores/f:exportHistory | fhir.FhirStoreService.ExportResourcesHistory | \
fhirStores.export | DATA_READ
POST {DATASET}/fhirStores/f:configureSearch | fhir.FhirStoreService.ConfigureSearch | \
fhirStores.configureSearch | ADMIN_WRITE
POST {HL7}:rollback | {HL7V2}.RollbackHl7V2Messages | hl7V2Stores.rollback | DATA_WRITE
GET {HL7}:getHL7v2StoreMetrics | {HL7V2}.GetHl7V2StoreMetrics | hl7V2Stores.get | ADMIN_READ
GET {DATASET}/dicomStores | {DICOM}.ListDicomStores | dicomStores.list | ADMIN_READ
POST {STORE}:import | {DICOM}.ImportDicomData | dicomStores.import | DATA_WRITE
POST {STORE}:export | {DICOM}.ExportDicomData | dicomStores.export | DATA_READ
GET {STORE}:getDICOMStoreMetrics | {DICOM}.GetDicomStoreMetrics | dicomStores.get | ADMIN_READ
GET {STORE}/dicomWeb/studies | {WEB}.SearchForStudies | dicomStores.dicomWebRead | DATA_READ
GET {STORE}/dicomWeb/studies/1.2 | {WEB}.RetrieveStudy | dicomStores.dicomWebRead | DATA_READ
GET {STORE}/dicomWeb/studies/1.2/series/3/metadata | {WEB}.RetrieveSeriesMetadata | \
dicomStores.dicomWebRead | DATA_READ
GET {INSTANCE}/frames/1 | {WEB}.RetrieveFrames | dicomStores.dicomWebRead | DATA_READ
GET {INSTANCE}/rendered | {WEB}.RetrieveRenderedInstance | dicomStores.dicomWebRead | DATA_READ
GET {INSTANCE}/bulkdata/7FE00010 | {WEB}.RetrieveBulkdata | dicomStores.dicomWebRead | DATA_READ
POST {STORE}/dicomWeb/studies | {WEB}.StoreInstances | dicomStores.dicomWebWrite | DATA_WRITE
POST {CONSENTS}:checkDataAccess | {CONSENT}.CheckDataAccess | consentStores.checkDataAccess | \
DATA_READ
POST {CONSENTS}:queryAccessibleData | {CONSENT}.QueryAccessibleData | \
consentStores.queryAccessibleData | DATA_READ
GET {CONSENTS}/consents/1@2 | {CONSENT}.GetConsent | consents.get | DATA_READ
GET {CONSENTS}/consents/1:listRevisions | {CONSENT}.ListConsentRevisions | consents.list | DATA_READ
DELETE {CONSENTS}/consents/1@2:deleteRevision | {CONSENT}.DeleteConsentRevision | \
consents.delete | DATA_WRITE
POST {CONSENTS}/consents/1:activate | {CONSENT}.ActivateConsent | consents.activate | DATA_WRITE
PATCH {CONSENTS}/attributeDefinitions/a | {CONSENT}.UpdateAttributeDefinition | \
attributeDefinitions.update | DATA_WRITE
POST {CONSENTS}/userDataMappings/1:archive | {CONSENT}.ArchiveUserDataMapping | \
userDataMappings.archive | DATA_WRITE
PUT {STORE}/dicomWeb/studies | {WEB}.UpdateInstances | dicomStores.dicomWebUpdate | DATA_WRITE
PATCH {STORE}/dicomWeb/studies/1.2/metadata | {WEB}.UpdateStudyMetadata | \
dicomStores.dicomWebUpdate | DATA_WRITE
PATCH {STORE}/dicomWeb/studies/1.2/series/3/metadata | {WEB}.UpdateSeriesMetadata | \
dicomStores.dicomWebUpdate | DATA_WRITE
PATCH {INSTANCE}/metadata | {WEB}.UpdateInstanceMetadata | \
dicomStores.dicomWebUpdate | DATA_WRITE
DELETE {STORE}/dicomWeb/studies/1.2 | {WEB}.DeleteStudy | dicomStores.dicomWebDelete | DATA_WRITE
"""


@pytest.mark.parametrize("line", CALLS.replace("\\\n", "").strip().splitlines())
def test_calls(line: str) -> None:
    call, name, permission, permission_type = line.split(" | ")
    verb, path = call.split(" ")
    found = method_of(verb, f"/v1/{path}")
    assert found is not None
    assert found.name == f"google.cloud.healthcare.v1.{name}"
    assert found.permission == f"healthcare.{permission}"
    assert found.permission_type == permission_type
    is_on_parent = verb in ("GET", "POST") and path.endswith(("/datasets", "Stores", "/messages"))
    wanted = path.rpartition("/")[0] if is_on_parent else path.partition(":")[0]
    wanted = wanted.removesuffix("/messages")
    assert found.audited_resource == wanted
    assert found.resource == "/".join(wanted.split("/")[:8])
    assert project_of(found.resource) == "p1"


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (f"POST {STORE}:setIamPolicy", "google.iam.v1.IAMPolicy.SetIamPolicy"),
        (f"GET {DATASET}/operations/7", "google.longrunning.Operations.GetOperation"),
        (f"POST {DATASET}/operations/7:cancel", "google.longrunning.Operations.CancelOperation"),
        (f"GET {DATASET}/operations", "google.longrunning.Operations.ListOperations"),
    ],
)
def test_calls_that_services_share(call: str, name: str) -> None:
    verb, path = call.split(" ")
    found = method_of(verb, f"/v1beta1/{path}")
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("GET /fhir/$export", "BulkExport"),
        ("GET /fhir/Group/g/$export", "BulkExport"),
        ("GET /operations/7", "GetFhirOperationStatus"),
        ("DELETE /operations/7", "DeleteFhirOperation"),
        ("GET /fhir/Encounter/e/$everything", "GetEncounterEverything"),
    ],
)
def test_calls_of_the_fhir_service(call: str, name: str) -> None:
    verb, path = call.split(" ")
    store = f"{DATASET}/fhirStores/f"
    found = method_of(verb, f"/v1beta1/{store}{path}")
    assert found is not None
    assert found.name == f"google.cloud.healthcare.v1beta1.fhir.FhirService.{name}"
    assert (found.resource, found.audited_resource) == (store, f"{store}{path}")


@pytest.mark.parametrize(
    "call",
    [
        f"GET {LOCATION}",
        f"POST {DATASET}/fhirStores/f/operations/7",
        f"POST {CONSENTS}/consents/1:none",
        f"POST {STORE}:testIamPermissions",
        f"PUT {DATASET}",
        f"POST {STORE}:none",
        f"GET {DATASET}/otherStores/s",
        "GET projects/p1/topics/t",
    ],
)
def test_calls_that_are_not_audited(call: str) -> None:
    verb, path = call.split(" ")
    assert method_of(verb, f"/v1/{path}") is None
