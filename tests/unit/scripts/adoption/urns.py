"""The resources of a program whose adoption is tested."""

from tests.support.fake_engine import BOX, PREFIX

DATASET, FHIR = "gcp:healthcare/dataset:Dataset", "gcp:healthcare/fhirStore:FhirStore"
MEMBER, SERVICE = "gcp:projects/iAMMember:IAMMember", "gcp:projects/service:Service"
AGENT = "gcp:projects/serviceIdentity:ServiceIdentity"
OTHER = "gcp:dataproc/cluster:Cluster"


def urn(token: str, name: str) -> str:
    return f"{PREFIX}{BOX}${token}::{name}"
