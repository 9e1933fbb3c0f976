"""The former name of `components.bigquery_views`, for programs that import it."""

from components.bigquery_views import BigQueryViews as WarehouseViews
from components.bigquery_views import BigQueryViewsArgs as WarehouseViewsArgs

__all__ = ["WarehouseViews", "WarehouseViewsArgs"]
