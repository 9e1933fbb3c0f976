"""Identity and Access Management: policies of every resource."""
