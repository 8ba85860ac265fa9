"""Stand-in vendor APIs and a local Kafka, for the demo, the tests, and people without Sluice."""
