"""What the pages ask: each route translates to one action of the service, and its records to JSON."""
