"""The OHIF viewer: its release, fetched once, when a user asks for it, and its pages and settings.

The local Google Cloud and the gateway serve it. It is not a medical device and not for diagnosis.
"""
