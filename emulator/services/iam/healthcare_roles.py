"""The predefined roles of the Healthcare API, with the permissions that some call needs."""

from emulator.services.iam.permissions import ALL, of


def _store(collection: str, verbs: str) -> frozenset[str]:
    return _HEALTHCARE_VIEWER | of(f"healthcare.{collection}", verbs)


_HEALTHCARE_VIEWER = of("healthcare.datasets", "get list") | of("healthcare.operations", "get")
_DATASETS_ADMIN = of("healthcare.datasets", f"{ALL} deidentify") | of(
    "healthcare.operations", "cancel get list"
)
_OPERATIONS = of("healthcare.operations", "cancel get")
_DICOM_VIEWER = _store("dicomStores", "dicomWebRead export get list")
_DICOM_EDITOR = (
    _DICOM_VIEWER
    | _OPERATIONS
    | of("healthcare.dicomStores", "dicomWebDelete dicomWebUpdate dicomWebWrite import")
)
_DICOM_ADMIN = _store("dicomStores", f"{ALL} deidentify dicomWebDelete") | _OPERATIONS

_HL7V2_CONSUMER = _store("hl7V2Stores", "get list") | of(
    "healthcare.hl7V2Messages", "create get list update"
)
_HL7V2_EDITOR = _HL7V2_CONSUMER | of("healthcare.hl7V2Messages", "delete ingest") | _OPERATIONS
_HL7V2_ADMIN = _store("hl7V2Stores", f"{ALL} export import rollback") | _OPERATIONS

_FHIR_READER = _store("fhirStores", "executeBundle get list searchResources") | of(
    "healthcare.fhirResources", "get translateConceptMap"
)
_FHIR_EDITOR = _FHIR_READER | of("healthcare.fhirResources", "create delete patch update")
_FHIR_ADMIN = (
    _store(
        "fhirStores",
        f"{ALL} applyConsents bulkDelete configureSearch deidentify deleteFhirOperation"
        " explainDataAccess export getFhirOperationStatus import rollback",
    )
    | of("healthcare.fhirResources", "purge")
    | _OPERATIONS
)

_CONSENT_STORE = "checkDataAccess evaluateUserConsents get list queryAccessibleData"


def _consents(resource: str, verbs: str) -> frozenset[str]:
    """Return what a role on a resource of consent stores allows: each reads determinations too."""
    return _store("consentStores", _CONSENT_STORE) | of(f"healthcare.{resource}", verbs)


ROLES: dict[str, frozenset[str]] = {
    "roles/healthcare.attributeDefinitionEditor": _consents(
        "attributeDefinitions", "create delete get list update"
    ),
    "roles/healthcare.attributeDefinitionReader": _consents("attributeDefinitions", "get list"),
    "roles/healthcare.consentArtifactAdmin": _consents(
        "consentArtifacts", "create delete get list"
    ),
    "roles/healthcare.consentArtifactEditor": _consents("consentArtifacts", "create get list"),
    "roles/healthcare.consentArtifactReader": _consents("consentArtifacts", "get list"),
    "roles/healthcare.consentEditor": _consents(
        "consents", "activate create delete get list reject revoke update"
    ),
    "roles/healthcare.consentReader": _consents("consents", "get list"),
    "roles/healthcare.consentStoreAdmin": _consents("consentStores", ALL),
    "roles/healthcare.consentStoreViewer": _store("consentStores", _CONSENT_STORE),
    "roles/healthcare.datasetAdmin": _DATASETS_ADMIN,
    "roles/healthcare.datasetViewer": _HEALTHCARE_VIEWER,
    "roles/healthcare.dicomEditor": _DICOM_EDITOR,
    "roles/healthcare.dicomStoreAdmin": _DICOM_ADMIN,
    "roles/healthcare.dicomStoreViewer": _store("dicomStores", "get list"),
    "roles/healthcare.dicomViewer": _DICOM_VIEWER,
    "roles/healthcare.fhirResourceEditor": _FHIR_EDITOR,
    "roles/healthcare.fhirResourceReader": _FHIR_READER,
    "roles/healthcare.fhirStoreAdmin": _FHIR_ADMIN,
    "roles/healthcare.fhirStoreViewer": _store("fhirStores", "get list"),
    "roles/healthcare.hl7V2Consumer": _HL7V2_CONSUMER,
    "roles/healthcare.hl7V2Editor": _HL7V2_EDITOR,
    "roles/healthcare.hl7V2Ingest": _store("hl7V2Stores", "get list")
    | of("healthcare.hl7V2Messages", "ingest"),
    "roles/healthcare.hl7V2StoreAdmin": _HL7V2_ADMIN,
    "roles/healthcare.hl7V2StoreViewer": _store("hl7V2Stores", "get list"),
    "roles/healthcare.userDataMappingEditor": _consents(
        "userDataMappings", "archive create delete get list update"
    ),
    "roles/healthcare.userDataMappingReader": _consents("userDataMappings", "get list"),
}
