"""The OHIF viewer on the emulator's own port: fetched once, when a user asks for it.

It is not a medical device and not for diagnosis.
"""
