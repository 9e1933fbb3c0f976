"""Long-running operations on HL7v2 stores."""
