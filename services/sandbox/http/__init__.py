"""HTTP messages, routes and multipart bodies, as every stand-in vendor uses them."""
