"""Tests of what is in infra/, and of the tools that check and pack it."""
