"""The demo's story of BlueConic: airports, published as a file, corrected, and delivered through an outage."""
