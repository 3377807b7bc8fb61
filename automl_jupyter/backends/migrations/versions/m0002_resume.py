"""What a job needs to be taken up again: its time so far, what it was planned by, all that was asked."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; a job from before is as it would be had they been there."""
    # With defaults, because SQLite can then add them in place: a table that is made anew there takes along
    # what refers to it.
    for name in ("planned_budget", "spent"):
        op.add_column("jobs", sa.Column(name, sa.Float(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("options", sa.JSON(), nullable=False, server_default="{}"))
    op.execute("UPDATE jobs SET planned_budget = time_budget")
