"""Serving of a vendor on a port, with its admin interface."""
