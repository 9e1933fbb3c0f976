"""HL7v2 messages: from bytes to segments, fields and attributes."""
