"""Run by alembic: applies the migrations on the connection that `Database.start` holds, in its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
