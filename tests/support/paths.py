"""Where the parts of the repository are."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "services"
SCHEMAS = ROOT / "schemas"
