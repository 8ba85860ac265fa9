"""A writer that knows Depot: the program of the product, with one more row in its table of kinds."""

from sluice.destinations import KINDS
from sluice.writer.__main__ import main

KINDS["depot"] = "tests.destinations.depot.kind"

if __name__ == "__main__":
    main()
