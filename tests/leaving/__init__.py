"""Tests of what instances pass before they leave."""
