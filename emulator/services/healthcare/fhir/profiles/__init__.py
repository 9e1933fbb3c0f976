"""Profiles: the rules that StructureDefinitions of a store add to those of R4.

Documented (`ValidationConfig` of the API's reference): the profiles of enabled implementation
guides are checked when resources are written, and which rules of a StructureDefinition count. A
URL of a profile or value set that is not in the store refuses nothing.
"""
