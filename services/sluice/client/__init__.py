"""Publish records and consume their receipts: what upstream and downstream systems import."""
