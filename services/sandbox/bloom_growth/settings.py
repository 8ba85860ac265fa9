"""Settings of a tenant, and every choice that the wire document leaves open or marks [assumed].

A choice that a user may know better is a setting. The others are made here and implemented where they belong:

- A trailing slash is ignored; any other wrong path is the web application's page, with or without a token. A method
  that a known path lacks is a 405. ``Accept: text/json`` gets that content type.
- In bodies null means absent, unknown members are ignored, a number in quotes is of the wrong type except in a form,
  and of two spellings of one member the last wins. An unknown id in the path or body is a 404. A body without content
  type is a 415, as one of an unknown type.
- A query's booleans are accepted in any case, anything else is a 400.
- Lists by owner hide what the meeting's list hides: solved issues, closed todos, archived goals.
- ``POST issues/{id}/complete`` without ``complete`` is a 400, and ``POST todo/{id}/complete`` answers ``true`` either
  way.
- A new ``notes`` text makes a new pad, hence a new ``DetailsUrl`` (§13.7), and the old pad is gone. A pad goes with its
  object. A pad without notes, or one that lags, is empty; an unknown one is a 404. A headline without notes has none.
- A long-term issue is archived (§15): lists still have it, and neither solving nor reopening changes it.
- An archived goal has no ``Origins`` (§15); ``INCLUDE_ARCHIVE`` still lists it in the meetings that it is restored to.
- ``CanEdit`` is true wherever a read is allowed.
- A meeting without ``title`` is named "New Meeting". A new goal is due at the end of the quarter.
- A measurable without a target has no ``Target`` in its meeting's list and a null one in scorecards (§7).
- Weeks begin on Sunday (§15) and are counted from the one of 1970-01-01. A scorecard shows the last 13 and any other
  week that has a value; ``Week`` is like ``2026-W02``, the ISO week of its Monday.
- Searches treat ``%`` as SQL's LIKE does, and find any part of a name, description or e-mail address.
"""

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one tenant. Null switches a behaviour off."""

    user_name: str = "alex.morgan@example.com"
    """Login of the first user. Every user with an e-mail address can log in, all with the same password."""
    password: str = "sandbox-secret"
    api_key: str = "sandbox-key"
    """Token of the first user that exists from the start, for clients that are given a key (§2 [client])."""
    token_lifetime_s: int = 1_209_600
    """Lifetime of a token, two weeks; ``expires_in`` is a second shorter. §2 [docs:help]"""
    is_empty: bool = False
    """True for a tenant with only users and seats: no meetings and none of their objects."""
    requests_per_second: float | None = 10.0
    burst: int = 20
    """Size of each access token's bucket of requests. §11 [assumed]"""
    retry_after_s: int = 1
    """Value of ``Retry-After``, sent with 429. §11 [assumed]"""
    binds_for_id: bool = True
    """True if ``ForId`` names the owner of a meeting's new todo; strict: it is ignored. §5 [assumed]"""
    binds_personal_owner: bool = True
    """True if ``accountableUserId`` names the owner of a personal todo; strict: it is ignored. §5 [client]"""
    reassigns_goals: bool = False
    """True if an update without ``accountableUserId`` gives the goal to the caller. §6 [docs:ref]; off [assumed]"""
    has_one_token_per_user: bool = False
    """True if a login ends the user's older tokens, the API key too. §15 [unknown; off assumed]"""
    normalizes_titles: bool = False
    """True if titles are stored trimmed, with each run of blanks as one. §15 [unknown; off assumed]"""
    max_title_chars: int | None = None
    """Longest title before a 400. §10 [assumed: off; the guide's example is 255]"""
    notes_url: str = ""
    """Base of ``DetailsUrl``, like §4's ``https://notes.example/p``; empty for ``/p`` at the host that was asked, where
    the sandbox serves the texts (§15)."""
    pad_lag_s: float = 0.0
    """Seconds until a pad shows its text; until then it is empty. §15 [client:other: 1 to 2]"""
    meeting_ids: tuple[int, ...] = ()
    user_ids: tuple[int, ...] = ()
    """Ids of the first meetings and users, as public examples hard-code them; the others are numbered (§15)."""
    images_url: str = "https://img.example"
    """Base of ``ImageUrl``. §4 example"""
    max_body_bytes: int = 4_194_304
    """Largest body before a 413. [assumed: the default of ASP.NET]"""
    max_stored_bytes: int = 536_870_912
    """The sandbox's own limit, about two million short objects. A write past it is a 503 and changes nothing."""
