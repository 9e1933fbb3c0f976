"""Settings of pipelines on Dataflow."""

from typing import Annotated

from components import rules
from program.config.model import Model, follows

Bucket = Annotated[str, follows(rules.bucket)]


class PipelinesSettings(Model):
    """The account of the workers of pipelines on Dataflow, and the bucket of their runs."""

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
