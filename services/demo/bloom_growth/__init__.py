"""Story of Bloom Growth: weekly meetings about vulnerabilities, made call by call while a writer is killed."""
