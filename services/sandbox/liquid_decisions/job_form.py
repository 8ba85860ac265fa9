"""The fields that import and export share. What is wrong with one is a job Rejected. liquid_decisions.md §7, §10."""

from sandbox.liquid_decisions.community import Community
from sandbox.liquid_decisions.forms import Form
from sandbox.liquid_decisions.item_table import ItemTable
from sandbox.liquid_decisions.job import BadJob
from sandbox.liquid_decisions.record_file import FORMATS, Format


def job_name(form: Form) -> str:
    """Free text; not called optional. §7 [docs]"""
    return _required(form, "jobName")


def item_table(form: Form, community: Community) -> ItemTable:
    name = _required(form, "itemType")
    if name not in community.database.tables:
        raise BadJob(f"itemType: no item type {name!r}")
    return community.database.tables[name]


def format_of(form: Form) -> Format:
    content_type = _required(form, "contentType")
    if content_type not in FORMATS:
        raise BadJob(f"contentType: expected one of {', '.join(FORMATS)}, got {content_type!r}")
    return FORMATS[content_type]


def _required(form: Form, name: str) -> str:
    if name not in form:
        raise BadJob(f"{name} is required")
    return form[name]
