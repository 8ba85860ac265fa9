"""Build tools that write the published schemas and documents from the code."""
