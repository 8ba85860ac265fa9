"""Lists in which a record of some kind and place is shown, wherever the server may have put it. §12, §15"""

from collections.abc import Iterable

OPEN_LISTS = {"issue": "issues", "todo": "todos", "goal": "rocks", "headline": "headlines"}
"""Last part of the path of a meeting's list, which shows what is open. §3.8, §3.16, §3.25, §8"""
_WITH_THE_REST = {"issue": "?include_resolved=true", "todo": "?INCLUDE_CLOSED=true", "goal": "?INCLUDE_ARCHIVE=true"}


def open_list(object_: str, meeting_id: int) -> str:
    """Return the path of the meeting's list as people see it."""
    return f"L10/{meeting_id}/{OPEN_LISTS[object_]}"


def all_lists(object_: str, meeting_id: int | None, owner_ids: Iterable[int], me: int) -> tuple[str, ...]:
    """Return the paths that together show all, solved, archived and closed included.

    The server may have made us the owner in place of ``owner_ids``, so both are listed (§5). Archiving a goal takes it
    out of its meeting (§15).
    """
    owners = sorted({me, *owner_ids})
    if object_ == "meeting":
        return ("L10/list",)
    if object_ == "todo" and meeting_id is None:
        return ("todo/users/mine", *(f"todo/user/{one}" for one in owners if one != me))
    archived = tuple(f"archivedrocks/user/{one}" for one in owners) if object_ == "goal" else ()
    if meeting_id is None:
        return (*(f"rocks/user/{one}?include_origin=true" for one in owners), *archived)
    return (f"{open_list(object_, meeting_id)}{_WITH_THE_REST.get(object_, '')}", *archived)


def own_lists(me: int) -> dict[str, str]:
    """Return a list of each kind of object that shows some ids, by kind."""
    return {
        "meeting": "L10/list",
        "issue": "issues/users/mine",
        "todo": "todo/users/mine",
        "goal": f"rocks/user/{me}",
        "headline": f"headline/users/{me}",
    }
