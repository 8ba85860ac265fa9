"""The REST query call: what was written, read back as JSON."""
