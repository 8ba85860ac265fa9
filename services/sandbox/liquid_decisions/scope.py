"""``scope`` of a token request: ``community=ACME deviceId=d-1``, or one bare word. liquid_decisions.md §2."""

from sandbox.liquid_decisions.refusal import Refusal


def community_of(scope: str) -> str | None:
    """Return the community that a scope names; null for a scope without one. §2 [docs] [client]

    The wiki has a bare ``MyCommunity``, all code ``community=…``: both are taken [assumed]. The load test sends names
    with blanks inside: beside pairs, words without ``=`` and unknown keys are skipped [client:node].
    """
    words = scope.split()
    pairs = [word.partition("=") for word in words if "=" in word]
    if pairs:
        return next((value for key, _, value in pairs if key == "community" and value), None)
    if len(words) > 1:
        raise Refusal(f"expected community=NAME, got the words {scope!r}", error="invalid_scope")
    return words[0] if words else None
