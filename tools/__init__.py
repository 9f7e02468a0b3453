"""Checks of this repository that no off-the-shelf tool makes; `make check` runs them. Never imported by phoenix."""
