"""What a job needs to be taken up again, and what MLflow is still to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns and a table; a job from before is as it would be had they been there."""
    # With defaults, because SQLite can then add them in place: a table that is made anew there takes along
    # what refers to it.
    for name in ("planned_budget", "spent"):
        op.add_column("jobs", sa.Column(name, sa.Float(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("options", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("jobs", sa.Column("resumed", sa.DateTime(), nullable=True))
    op.execute("UPDATE jobs SET planned_budget = time_budget")
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("server_id", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("outbox_by_server", "outbox", ["server_id", "created"])
    op.create_index("outbox_by_subject", "outbox", ["entry", "subject"])
