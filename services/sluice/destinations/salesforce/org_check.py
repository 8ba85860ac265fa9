"""The check of an org before the first record: who we are, and whether what the settings name exists there."""

from collections.abc import Iterator

from sluice.destinations.contract import Misconfigured
from sluice.destinations.salesforce.calls import Calls
from sluice.destinations.salesforce.descriptions import Description, Descriptions
from sluice.destinations.salesforce.login_settings import ClientCredentialsLogin
from sluice.destinations.salesforce.quotas import API_REQUESTS, BATCHES
from sluice.destinations.salesforce.records import of_object
from sluice.destinations.salesforce.settings import SalesforceSettings

TEXT_TYPES = ("string", "email", "url", "phone", "textarea")
"""Types of fields that keep a text as it is. A number would come back in another form. §13 row 1 [assumed]"""


async def check_org(
    settings: SalesforceSettings, calls: Calls, descriptions: Descriptions, *, needs_identifier: bool
) -> str:
    """Return a line on the org and our user, with its budgets. Raises ``BatchError``.

    ``Misconfigured`` names all that the settings name and that is missing. With ``needs_identifier`` inserts are taken
    only where the settings have an identifier field.
    """
    host = await calls.read_limits()
    missing: list[str] = []
    for object_ in _objects(settings):
        missing += _missing(settings, object_, await descriptions.find(object_))
    if missing:
        raise Misconfigured(f"Salesforce at {host} lacks what the settings name: {'; '.join(missing)}")
    line = f"Salesforce at {host} accepts {_user(settings)}; API version {settings.api_version}{_budgets(calls)}"
    return f"{line}; {_inserts(settings)}" if needs_identifier else line


def _objects(settings: SalesforceSettings) -> list[str]:
    """Return the objects that ``settings`` name, each once, whatever the case of its letters."""
    by_object = (settings.external_ids, settings.identifier_fields, settings.sort_by, settings.assignment_rule_ids)
    names = [*settings.hard_deletes, *(name for setting in by_object for name in setting)]
    return list({name.casefold(): name for name in names}.values())


def _missing(settings: SalesforceSettings, object_: str, description: Description | None) -> Iterator[str]:
    """Yield what is wrong with ``object_``, and what to do."""
    if description is None:
        yield f"object {object_}: our user sees none; correct it, or grant the right to see it"
        return
    external_id = of_object(settings.external_ids, object_)
    if external_id and external_id.casefold() != "id":
        field = description.by_name.get(external_id.casefold())
        if field is None or not (field.externalId or field.idLookup):
            yield (
                f"field {external_id} of {object_} in `external_ids`: expected an external id that our user sees; "
                "name another one, or have it made an external id"
            )
    identifier_field = of_object(settings.identifier_fields, object_)
    if identifier_field:
        field = description.by_name.get(identifier_field.casefold())
        if field is None or not field.createable or field.type not in TEXT_TYPES:
            yield (
                f"field {identifier_field} of {object_} in `identifier_fields`: expected a text field that our user "
                "may write; create it, or grant the right"
            )
    if object_ in settings.hard_deletes and not description.deletable:
        yield f"object {object_} in `hard_deletes`: our user may not delete its records; grant the right"


def _user(settings: SalesforceSettings) -> str:
    if isinstance(settings.login, ClientCredentialsLogin):
        return "the user of our connected app"
    return f"the user {settings.login.username}"


def _budgets(calls: Calls) -> str:
    names = {API_REQUESTS: "API requests", BATCHES: "batches"}
    known = [(calls.quotas[one], name) for one, name in names.items() if one in calls.quotas]
    left = [f"{quota.remaining:,} of {quota.allowed:,} {name}" for quota, name in known]
    return f"; left today: {', '.join(left)}" if left else ""


def _inserts(settings: SalesforceSettings) -> str:
    fields = [f"{object_} ({field})" for object_, field in settings.identifier_fields.items()]
    if fields:
        return f"takes inserts of {', '.join(fields)}"
    return "takes no inserts: name a field of ours for each object in `identifier_fields`, or use salesforce_bulk1"
