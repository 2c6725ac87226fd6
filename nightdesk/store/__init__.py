"""The durable half: schema, migrations, and the one transaction that commits a turn."""
