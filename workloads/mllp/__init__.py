"""The MLLP adapter: HL7v2 messages of hospitals to HL7v2 stores, and back."""
