"""How Alembic is set up: it writes a script of SQL, which ``storage.schema`` runs.

So migrations need no driver of their own, and a whole upgrade is one transaction on either engine.
"""

from __future__ import annotations

from alembic import context

context.configure(
    dialect_name=context.config.attributes["dialect_name"],
    output_buffer=context.config.attributes["script"],
    as_sql=True,
    # The transaction belongs to the one who runs the script.
    transactional_ddl=False,
)
context.run_migrations()
