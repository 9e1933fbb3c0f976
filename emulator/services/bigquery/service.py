"""BigQuery as its handlers see it."""

from dataclasses import dataclass

from emulator.services.bigquery.backend import Backend
from emulator.services.bigquery.models import Metadata
from emulator.services.bigquery.queries.job_statistics import JobStatistics
from emulator.services.bigquery.table_size import TableSizes
from emulator.services.iam.service import Iam
from emulator.services.resourcemanager.models import Projects


@dataclass(frozen=True)
class BigQuery:
    """The state of BigQuery, and its backend.

    Attributes:
        root_url: the emulator's own address
        backend_url: the address of bqemulator, without a path
        iam: knows the accounts that a dataset's access entries may name
        projects: knows the numbers of projects
        backend: the emulator's own calls to bqemulator
        metadata: what bqemulator does not keep of datasets and tables
        sizes: those of tables, which it does not know
        statistics: of queries
    """

    root_url: str
    backend_url: str
    iam: Iam
    projects: Projects
    backend: Backend
    metadata: Metadata
    sizes: TableSizes
    statistics: JobStatistics
