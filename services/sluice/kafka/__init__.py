"""Kafka clients and topics; this room knows no vendor."""
