"""Tests of phoenix.routers."""
