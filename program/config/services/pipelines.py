"""Settings of pipelines on Dataflow."""

from typing import Annotated

from pydantic import Field

from components import rules
from program.config.model import Model, follows

Bucket = Annotated[str, follows(rules.bucket)]


class PipelinesSettings(Model):
    """Pipelines on Dataflow: account and network of the workers, images, templates, bucket."""

    bucket: Bucket | None = None
    """The bucket to create for staged files and runs. A change replaces it."""
    dicom_stores: list[str] = []
    """Stores that pipelines read and write, by name, or as DATASET/STORE of a further dataset."""
    cohort_stores: list[str] = []
    """Stores that cohorts are copied from, named in the same way."""
    source_buckets: list[Bucket] = []
    """Existing buckets that an ingest reads."""
    features: bool = False
    """Whether features are loaded into the stack's BigQuery dataset."""
    region: Annotated[str, follows(rules.region)] | None = None
    """The region of jobs and images; the stack's location if not given. A change replaces them."""
    network: Annotated[str, follows(rules.network)] = "default"
    """The VPC network of the workers, by its name or its full name."""
    subnetwork: Annotated[str, follows(rules.subnetwork)] | None = None
    """An existing subnetwork with Private Google Access; one is created if not given."""
    subnetwork_range: Annotated[str, follows(rules.subnetwork_range)] = "10.64.0.0/22"
    """The IPv4 range of the subnetwork to create: workers, a launcher, and four of Google's."""
    repository: Annotated[str, follows(rules.repository)] = "pipelines"
    """The id of the repository of the images. A change replaces it with all images."""
    tag: Annotated[str, follows(rules.image_tag)] = "latest"
    """The tag of the images that the templates name."""
    max_workers: Annotated[int, Field(ge=1, le=1_000)] = 10
    """Workers of a job at most, if its launch names no other number."""
    machine_type: Annotated[str, follows(rules.machine_type)] | None = None
    """The machine type of the workers; Dataflow's choice if not given."""
