"""Import form: the parts that the published script sends, around a file that nobody changes."""

import pytest

from sandbox.http.multipart import read_parts
from sluice.destinations.liquid_decisions.import_form import boundary_of, import_form


@pytest.mark.parametrize("email", ["ops@example.com", None])
def test_every_part_arrives_as_it_was_given(email: str | None) -> None:
    file = b'[{"data":{"name":"x\\",\\"role\\":\\"admin"}}]\r\n--x'
    boundary = boundary_of(file)
    form = import_form(file, boundary, job_name="batch-1", item_type="Account", merge=True, notification_email=email)
    parts = read_parts(f"multipart/form-data; boundary={boundary}", form)
    optional = {} if email is None else {"notificationEmail": email.encode()}
    assert parts == {
        "jobName": b"batch-1",
        "itemType": b"Account",
        "contentType": b"application/json",
        "merge": b"True",
        "file": file,
        **optional,
    }


def test_a_boundary_does_not_stand_in_the_file() -> None:
    file = b"x"
    taken = boundary_of(file)
    assert boundary_of(file) == taken
    assert boundary_of(file + taken.encode()).encode() not in file + taken.encode()


def test_a_value_cannot_end_its_part() -> None:
    form = import_form(
        b"[]", "B", job_name="b", item_type="T", merge=False, notification_email='a\r\n--B\r\nname="merge"'
    )
    parts = read_parts("multipart/form-data; boundary=B", form)
    assert (parts["merge"], parts["notificationEmail"]) == (b"False", b'a --B name="merge"')
