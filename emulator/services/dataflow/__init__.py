"""Dataflow: jobs of flex templates, whose pipelines run here on Beam's direct runner."""
