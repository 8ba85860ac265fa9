"""What a tenant is like, and every choice that the wire document leaves open or marks [assumed].

What a user may know better is a setting. The rest, chosen here and done where it belongs:

- A trailing slash is ignored; any other wrong path is the web application's page, with or without a token. A method
  that a known path lacks is a 405. `Accept: text/json` gets that content type.
- In bodies null is absent, unknown members are ignored, a number in quotes is of the wrong type except in a form, and
  of two spellings of one member the last wins. An id that the path or body names and nobody has is a 404. A body
  without content type is a 415, as one of an unknown type.
- A query's booleans are taken in any case, anything else is a 400. A title is taken as it is, blanks included.
- Lists by owner hide what the meeting's list hides: solved issues, closed todos, archived goals.
- `POST issues/{id}/complete` without `complete` is a 400, and `POST todo/{id}/complete` answers `true` either way.
- A new `notes` text makes a new pad, hence a new `DetailsUrl` (§13.7). A headline without notes has none.
- `compartment` is kept and shown nowhere. `CanEdit` is true wherever a read is allowed.
- A meeting without `title` is named "New Meeting". A fresh goal is due at the end of the quarter.
- A measurable without a target has no `Target` in its meeting's list and a null one in scorecards (§7).
- Weeks begin on Monday and are counted from the one of 1970-01-01. A scorecard shows the last 13 and any other week
  that has a value; `Week` is like `2026-W02`.
- Searches take `%` as SQL's LIKE does, and find any part of a name, description or e-mail address.
"""

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant. Null switches a behaviour off."""

    user_name: str = "alex.morgan@example.com"
    """The login of the first user. Every user with an e-mail address can log in, all by the same password."""
    password: str = "sandbox-secret"
    api_key: str = "sandbox-key"
    """A token of the first user that is there from the start, for clients that are given a key (§2 [client])."""
    token_lifetime_s: int = 1_209_600
    """Two weeks, of which `expires_in` is a second short. §2 [docs:help]"""
    is_empty: bool = False
    """Only users and seats: no meetings and nothing in them."""
    requests_per_second: float | None = 10.0
    burst: int = 20
    """The token bucket of each access token. §11 [assumed]"""
    retry_after_s: int = 1
    """Sent with 429. §11 [assumed]"""
    binds_for_id: bool = True
    """Whether `ForId` names the owner of a meeting's new todo; strict: it is ignored. §5 [assumed]"""
    binds_personal_owner: bool = True
    """Whether `accountableUserId` names the owner of a personal todo; strict: it is ignored. §5 [client]"""
    reassigns_goals: bool = False
    """Whether an update without `accountableUserId` gives the goal to the caller. §6 [docs:ref]; off [assumed]"""
    max_title_chars: int | None = None
    """Longer titles are a 400. §10 [assumed: off; the guide's example is 255]"""
    notes_url: str = "https://notes.example/p"
    """Where `DetailsUrl` points to. §4 example"""
    images_url: str = "https://img.example"
    """Where `ImageUrl` points to. §4 example"""
    max_body_bytes: int = 4_194_304
    """A larger body is a 413. [assumed: the default of ASP.NET]"""
    max_stored_bytes: int = 536_870_912
    """About two million short objects. What would not fit is a 503 and changes nothing: the sandbox's own bound."""
