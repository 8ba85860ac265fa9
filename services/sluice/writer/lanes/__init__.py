"""A lane: decode its messages, keep their order, settle them in Kafka transactions."""
