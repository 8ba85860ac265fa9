"""A real Apache Kafka on this machine: its jars, its brokers, a cluster of them."""
