"""The former name of `components.bigquery_dataset`, for programs that import it."""

from components.bigquery_dataset import BigQueryDataset as Warehouse
from components.bigquery_dataset import BigQueryDatasetArgs as WarehouseArgs

__all__ = ["Warehouse", "WarehouseArgs"]
