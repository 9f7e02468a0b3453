"""Tests of phoenix.fleets."""
