"""Tests of phoenix.gates."""
