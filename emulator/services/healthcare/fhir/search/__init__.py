"""Search: the values of resources in an index, and queries over it.

https://cloud.google.com/healthcare-api/docs/how-tos/fhir-search and
http://hl7.org/fhir/R4/search.html describe the rules; each module names where they differ.
"""
