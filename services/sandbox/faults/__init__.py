"""Faults: the ways in which a stand-in vendor misbehaves when it is told to."""
