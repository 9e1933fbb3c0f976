"""The data of HL7v2 stores."""
