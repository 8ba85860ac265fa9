"""Tests of the destination kind for Liquid Decisions."""
