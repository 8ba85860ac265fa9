"""Faults: ways in which a stand-in vendor misbehaves on request."""
