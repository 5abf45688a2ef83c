"""What is kept: schema, migrations, writes and reads."""
