"""Vendor jobs as people see them: which are ours, which are not, and orders about them."""
