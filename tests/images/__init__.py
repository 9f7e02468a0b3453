"""Tests of phoenix.images."""
