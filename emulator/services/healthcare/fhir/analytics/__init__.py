"""Resources as rows of BigQuery: the schemas ANALYTICS and ANALYTICS_V2.

The rules are those of google/fhir's analytics marshallers whose columns follow the data. They make
the API's rows (observed: the columns of public tables that the API wrote).
"""
