"""The interactions of FHIR over HTTP (http://hl7.org/fhir/R4/http.html)."""
