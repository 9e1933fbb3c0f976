"""The requests of the console: a browser sends these, and no others."""

import re

DATASET = "/v1/projects/{project}/locations/{location}/datasets/{dataset}"
WEB = f"{DATASET}/dicomStores/{{store}}/dicomWeb"
BIGQUERY = "/bigquery/v2/projects/{project}"
MESSAGE_FIELDS = "hl7V2Messages(name,createTime,sendTime,messageType,sendFacility)"
TEMPLATES = {
    "projects": "/v1/projects",
    "datasets": "/_emulator/projects/{project}/datasets",
    "stores": f"{DATASET}/{{collection}}?pageSize=1000",
    "DICOM metrics": f"{DATASET}/dicomStores/{{store}}:getDICOMStoreMetrics",
    "HL7v2 metrics": f"{DATASET}/hl7V2Stores/{{store}}:getHL7v2StoreMetrics",
    "studies": f"{WEB}/studies?limit=20&includefield=StudyDescription",
    "first instance": f"{WEB}/studies/{{study}}/instances?limit=1",
    "picture": f"{WEB}/studies/{{study}}/series/{{series}}/instances/{{instance}}/rendered",
    "messages": f"{DATASET}/hl7V2Stores/{{store}}/messages?view=SCHEMATIZED_ONLY"
    f"&orderBy=send_time+desc&pageSize=100&fields={MESSAGE_FIELDS}",
    "message": f"{DATASET}/hl7V2Stores/{{store}}/messages/{{message}}?view=RAW_ONLY",
    "FHIR metrics": f"{DATASET}/fhirStores/{{store}}:getFHIRStoreMetrics",
    "resources": f"{DATASET}/fhirStores/{{store}}/fhir/{{type}}"
    "?_elements=id&_sort=-_lastUpdated&_count=50",
    "resource": f"{DATASET}/fhirStores/{{store}}/fhir/{{type}}/{{id}}",
    "operations": f"{DATASET}/operations",
    "cancel": f"{DATASET}/operations/{{operation}}:cancel",
    "topics": "/v1/projects/{project}/topics?pageSize=1000",
    "subscriptions": "/v1/projects/{project}/subscriptions?pageSize=1000",
    "topic messages": "/_emulator/projects/{project}/topics/{topic}/messages",
    "publish": "/v1/projects/{project}/topics/{topic}:publish",
    "containers": "/_emulator/projects/{project}/containers",
    "forwarding rules": "/compute/v1/projects/{project}/aggregated/forwardingRules",
    "service": "/v2/projects/{project}/locations/{location}/services/{service}",
    "BigQuery datasets": f"{BIGQUERY}/datasets",
    "BigQuery dataset": f"{BIGQUERY}/datasets/{{dataset}}",
    "tables": f"{BIGQUERY}/datasets/{{dataset}}/tables",
    "table": f"{BIGQUERY}/datasets/{{dataset}}/tables/{{table}}",
    "query": f"{BIGQUERY}/queries",
    "policies": "/_emulator/projects/{project}/policies",
    "buckets": "/storage/v1/b?project={project}",
    "bucket policy": "/storage/v1/b/{bucket}/iam?optionsRequestedPolicyVersion=3",
    "log entries": "/v2/entries:list",
}
"""A name for each -> its path."""


def path(name: str, **names: str) -> str:
    """Return the path of a request."""
    return TEMPLATES[name].format(**names)


def strangers(requests: list[str]) -> list[str]:
    """Return those of the requests of a page that are not listed, beside the page's own files."""
    literal = (re.split(r"{\w+}", template) for template in TEMPLATES.values())
    known = re.compile("|".join("[^/?&]+".join(map(re.escape, parts)) for parts in literal))
    return [each for each in requests if not (each.startswith("/_console/") or _is(known, each))]


def _is(known: re.Pattern[str], request: str) -> bool:
    # A browser escapes the commas and parentheses of a field mask.
    plain = request.replace("%28", "(").replace("%29", ")").replace("%2C", ",")
    return known.fullmatch(plain) is not None
