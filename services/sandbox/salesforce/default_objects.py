"""Objects of an org by default: the usual standard ones, each with an external id, and a custom one.

Their fields are our choice [assumed]: enough of each kind to meet every row of salesforce_bulk.md §5 and §6.
"""

from sandbox.salesforce.objects import Field, ObjectType, email, full_name, key, reference, text

MAX_BODY_CHARACTERS = 34_000_000
"""25 MB in base64. [assumed: the platform's limit of an attachment]"""

STANDARD_FIELDS = (
    reference("OwnerId", "Owner", "User", "Group"),
    reference("RecordTypeId", "RecordType", "RecordType"),
    Field(name="CurrencyIsoCode", type="picklist", values=("EUR", "GBP", "USD"), max_length=3),
)
"""Fields of all objects that have an owner. §13, below its table"""
_STAGES = ("Prospecting", "Qualification", "Negotiation", "Closed Won", "Closed Lost")

ACCOUNT = ObjectType(
    name="Account",
    prefix="001",
    fields=(
        text("Name", required=True),
        key("Ext__c"),
        text("AccountNumber", max_length=40),
        text("Phone", max_length=40),
        text("Website"),
        text("BillingCity", max_length=40),
        text("BillingCountry", max_length=80),
        Field(name="BillingAddress", type="address", read_only=True),
        Field(name="NumberOfEmployees", type="int", max_number=99_999_999),
        Field(name="AnnualRevenue", type="double", max_number=1e15),
        Field(name="Active__c", type="boolean"),
        Field(name="Founded__c", type="date"),
        text("Description", max_length=32_000),
        reference("ParentId", "Parent", "Account"),
        *STANDARD_FIELDS,
    ),
)
CONTACT = ObjectType(
    name="Contact",
    prefix="003",
    fields=(
        text("LastName", required=True, max_length=80),
        text("FirstName", max_length=40),
        key("Ext__c"),
        email("Email"),
        text("Phone", max_length=40),
        text("Title", max_length=128),
        Field(name="Birthdate", type="date"),
        Field(name="LastSeen__c", type="datetime"),
        Field(name="Score__c", type="double"),
        Field(name="HasOptedOutOfEmail", type="boolean"),
        text("Description", max_length=131_072),
        reference("AccountId", "Account", "Account"),
        reference("ReportsToId", "ReportsTo", "Contact"),
        full_name(),
        *STANDARD_FIELDS,
    ),
)
LEAD = ObjectType(
    name="Lead",
    prefix="00Q",
    fields=(
        text("LastName", required=True, max_length=80),
        text("Company", required=True),
        text("FirstName", max_length=40),
        key("Ext__c"),
        email("Email"),
        Field(name="Status", type="picklist", values=("Open", "Working", "Closed")),
        full_name(),
        *STANDARD_FIELDS,
    ),
)
OPPORTUNITY = ObjectType(
    name="Opportunity",
    prefix="006",
    fields=(
        text("Name", required=True, max_length=120),
        Field(name="StageName", type="picklist", required=True, values=_STAGES),
        Field(name="CloseDate", type="date", required=True),
        key("Ext__c"),
        Field(name="Amount", type="double"),
        reference("AccountId", "Account", "Account"),
        *STANDARD_FIELDS,
    ),
)
TASK = ObjectType(
    name="Task",
    prefix="00T",
    fields=(
        text("Subject"),
        key("Ext__c"),
        Field(name="ActivityDate", type="date"),
        reference("WhoId", "Who", "Contact", "Lead"),
        *STANDARD_FIELDS,
    ),
)
CAMPAIGN = ObjectType(
    name="Campaign",
    prefix="701",
    fields=(
        text("Name", required=True, max_length=80),
        key("Ext__c"),
        text("Type", max_length=40),
        text("Status", max_length=40),
        Field(name="StartDate", type="date"),
        Field(name="EndDate", type="date"),
        Field(name="IsActive", type="boolean"),
        Field(name="BudgetedCost", type="double"),
        text("Description", max_length=32_000),
        reference("ParentId", "Parent", "Campaign"),
        *STANDARD_FIELDS,
    ),
)
USER = ObjectType(
    name="User",
    prefix="005",
    fields=(
        Field(name="Username", required=True, unique=True, external_id=True, max_length=80),
        text("LastName", required=True, max_length=80),
        text("FirstName", max_length=40),
        email("Email"),
        full_name(),
    ),
)
GROUP = ObjectType(name="Group", prefix="00G", fields=(text("Name", required=True, max_length=40),))
RECORD_TYPE = ObjectType(
    name="RecordType",
    prefix="012",
    fields=(text("Name", required=True, max_length=80), text("DeveloperName", max_length=80)),
)
WIDGET = ObjectType(
    name="Widget__c",
    prefix="a00",
    fields=(
        text("Name", max_length=80),
        key("Ext__c"),
        Field(name="Legacy__c", external_id=True),
        Field(name="Code__c", pattern=r"[A-Z]{3}-\d+"),
        Field(name="Weight__c", type="double"),
        reference("Parent__c", "Parent__r", "Widget__c"),
        reference("Account__c", "Account__r", "Account"),
        *STANDARD_FIELDS,
    ),
)
ATTACHMENT = ObjectType(
    name="Attachment",
    prefix="00P",
    fields=(
        text("Name", required=True),
        reference("ParentId", "Parent", "Account", "Contact"),
        Field(name="Body", type="base64", max_length=MAX_BODY_CHARACTERS),
    ),
)
CONTENT_BODY = ObjectType(name="ContentBody", prefix="05T", fields=(text("Name"),), bulk=False)

DEFAULT_OBJECTS = (
    *(ACCOUNT, CONTACT, LEAD, OPPORTUNITY, CAMPAIGN, TASK, WIDGET),
    *(USER, GROUP, RECORD_TYPE, ATTACHMENT, CONTENT_BODY),
)
