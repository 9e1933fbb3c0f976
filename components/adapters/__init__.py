"""Adapters of hospitals on Google Cloud: DIMSE and MLLP, with what they need around them."""
