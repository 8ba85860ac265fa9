"""Story of Liquid Decisions: a shop's customers, products and orders, by upsert and as import jobs."""
