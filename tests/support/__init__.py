"""Helpers that several folders of tests share. Tests import no other test and no conftest."""
