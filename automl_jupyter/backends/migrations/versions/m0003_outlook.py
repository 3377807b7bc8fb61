"""What more time is expected to bring to a job."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column; of jobs from before nothing is expected."""
    op.add_column("jobs", sa.Column("outlook", sa.JSON(), nullable=True))
