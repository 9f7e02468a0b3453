"""Tests of phoenix.aws."""
