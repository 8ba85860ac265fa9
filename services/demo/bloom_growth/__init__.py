"""The demo's story of Bloom Growth: weekly meetings about vulnerabilities, made call by call through a killed writer."""
