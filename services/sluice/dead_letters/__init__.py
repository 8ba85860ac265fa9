"""Dead letters: select them, count them by reason, tell their history, edit them, redrive them."""
