"""The tables of history.db. `reading` has one row a reading and arrival; `bucket` what became of old ones."""
from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, MetaData, SmallInteger, String, Table

tables = MetaData()
reading = Table("reading", tables,
                Column("series", String, primary_key=True),            # indicator@site
                Column("t", BigInteger, primary_key=True),             # event time, µs UTC
                Column("arrived", BigInteger, primary_key=True),       # µs UTC
                Column("value", Float),                                # NULL = missing
                Column("flag", SmallInteger, nullable=False),
                Column("check", String, nullable=False),
                Column("revision", Integer, nullable=False),           # how many other values of this t came before
                postgresql_partition_by="RANGE (t)")                   # a table a month: partitions.py
bucket = Table("bucket", tables,
               Column("series", String, primary_key=True),
               Column("width", BigInteger, primary_key=True),          # µs
               Column("t", BigInteger, primary_key=True),              # where it begins, µs UTC
               Column("n", Integer, nullable=False), Column("mean", Float, nullable=False),
               Column("low", Float, nullable=False), Column("high", Float, nullable=False))
