"""one journal at a time: a function that posts a journal that comes alone."""

from alembic import op

from services.settlement.ledger.guards import POST_JOURNALS, let_post

revision = "settlement_0004"
down_revision = "settlement_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (POST_JOURNALS.read_text(), *let_post()):
        op.get_bind().exec_driver_sql(statement, execution_options={"no_parameters": True})
