"""Leads that a person may close, and the plan that was handed over."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    """Forward only. A lead that is open goes over under the name of its line, until its next change tells its id."""
    lead = op.create_table('lead',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('path', sa.String(), nullable=False),
    sa.Column('pack', sa.String(), nullable=False),
    sa.Column('indicator', sa.String(), nullable=False),
    sa.Column('site', sa.String(), nullable=False),
    sa.Column('area', sa.String(), nullable=False),
    sa.Column('level', sa.BigInteger(), nullable=False),
    sa.Column('peak', sa.BigInteger(), nullable=False),
    sa.Column('members', sa.JSON(), nullable=False),
    sa.Column('value', sa.Double(), nullable=True),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.Column('time', sa.BigInteger(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('closed', sa.BigInteger(), nullable=True),
    sa.Column('closed_by', sa.String(), nullable=False),
    sa.Column('outcome', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lead'))
    )
    op.create_index('ix_lead_open', 'lead', ['level', 'closed'])
    with op.batch_alter_table('handover') as table:
        table.add_column(sa.Column('plan', sa.String(), nullable=False, server_default=''))
    item = sa.table('item', *(sa.column(c) for c in ('kind', 'name', 'pack', 'site', 'indicator', 'state', 'since', 'detail')))
    made = op.get_bind().execute(sa.select(item).where(item.c.kind == 'lead')).all()
    words = ('normal', 'blue', 'yellow', 'orange', 'red')
    rows = [{'id': x.name, 'path': x.name.partition('|')[0], 'pack': x.pack, 'indicator': x.indicator, 'site': x.site,
             'area': '' if x.site else x.name.partition('|')[2].rpartition('@')[2], 'level': words.index(x.state),
             'peak': words.index(x.state), 'members': [], 'value': float(x.detail) if x.detail else None, 'since': x.since,
             'time': x.since, 'seq': -1, 'closed': None, 'closed_by': '', 'outcome': '', 'reason': ''} for x in made]
    if rows:
        op.get_bind().execute(sa.insert(lead), rows)
    op.execute(sa.delete(item).where(item.c.kind == 'lead'))
