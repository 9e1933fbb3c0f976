"""The local Google Cloud: Healthcare API and what the lab needs around it, on loopback."""
