"""REST query call, which reads written records back as JSON."""
