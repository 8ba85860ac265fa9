"""Dead letters: select them, count them by reason, edit them, redrive them."""
