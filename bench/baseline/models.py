"""The tables. Every row names its tenant."""

import hashlib
import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

PROGRAM_EXTERNAL_ID_KEY = "programs_external_id_key"
PROGRAM_DEFINITION_EXTERNAL_ID_KEY = "program_definitions_external_id_key"
TRANSACTION_IDEMPOTENCY_KEY = "transactions_idempotency_key"
ITEM_REFERENCE_KEY = "items_reference_key"


def hash_api_key(api_key: str) -> str:
    """Keys are random, so one round of SHA-256 is enough to store them safely."""
    return hashlib.sha256(api_key.encode()).hexdigest()


class Base(DeclarativeBase):
    """Maps the Python types of the columns to those of PostgreSQL."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: DateTime(timezone=True),
        Decimal: Numeric(19, 4),
        dict[str, Any]: JSONB,
    }


class Tenant(Base):
    """One site."""

    __tablename__ = "tenants"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str]


class TenantRow(Base):
    """What every table of a tenant has."""

    __abstract__ = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tenants.id"))


class Entity(TenantRow):
    """What every table of a revised entity has."""

    __abstract__ = True

    revision: Mapped[int] = mapped_column(default=1)
    created_date: Mapped[datetime]
    updated_date: Mapped[datetime]


class ApiKey(TenantRow):
    """A key by its hash."""

    __tablename__ = "api_keys"

    key_hash: Mapped[str] = mapped_column(unique=True)


program_definition_pool_definitions = Table(
    "program_definition_pool_definitions",
    Base.metadata,
    Column("tenant_id", Uuid, ForeignKey("tenants.id"), nullable=False),
    Column("program_definition_id", ForeignKey("program_definitions.id"), primary_key=True),
    Column("pool_definition_id", ForeignKey("pool_definitions.id"), primary_key=True),
)


class ProgramDefinition(Entity):
    """A template that groups pool definitions."""

    __tablename__ = "program_definitions"
    __table_args__ = (
        UniqueConstraint(
            "tenant_id", "namespace", "external_id", name=PROGRAM_DEFINITION_EXTERNAL_ID_KEY
        ),
    )

    namespace: Mapped[str]
    external_id: Mapped[str]
    display_name: Mapped[str | None]
    description: Mapped[str | None]

    pool_definitions: Mapped[list["PoolDefinition"]] = relationship(
        secondary=program_definition_pool_definitions, viewonly=True, order_by="PoolDefinition.id"
    )


class PoolDefinition(Entity):
    """A template with benefits and a credit configuration; `details` has the shape of the wire."""

    __tablename__ = "pool_definitions"

    namespace: Mapped[str]
    display_name: Mapped[str | None]
    description: Mapped[str | None]
    details: Mapped[dict[str, Any]]


class ItemSet(TenantRow):
    """The items of one benefit, shared by its definition and every pool made from it."""

    __tablename__ = "item_sets"

    pool_definition_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pool_definitions.id"))
    namespace: Mapped[str]
    provider_app_id: Mapped[uuid.UUID]


class Item(Entity):
    """A reference to something that a provider app sells."""

    __tablename__ = "items"
    __table_args__ = (
        UniqueConstraint(
            "tenant_id",
            "item_set_id",
            "provider_app_id",
            "category",
            "external_id",
            name=ITEM_REFERENCE_KEY,
        ),
    )

    item_set_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("item_sets.id"))
    namespace: Mapped[str]
    provider_app_id: Mapped[uuid.UUID]
    category: Mapped[str] = mapped_column(default="")
    external_id: Mapped[str]
    display_name: Mapped[str | None]


class Program(Entity):
    """The pools of one beneficiary, managed together."""

    __tablename__ = "programs"
    __table_args__ = (
        UniqueConstraint("tenant_id", "namespace", "external_id", name=PROGRAM_EXTERNAL_ID_KEY),
    )

    namespace: Mapped[str]
    external_id: Mapped[str]
    display_name: Mapped[str | None]
    status: Mapped[str]
    beneficiary_type: Mapped[str]
    beneficiary_id: Mapped[uuid.UUID]
    program_definition_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("program_definitions.id")
    )

    program_definition: Mapped[ProgramDefinition | None] = relationship()
    pools: Mapped[list["Pool"]] = relationship(back_populates="program")


class Pool(Entity):
    """A live copy of a pool definition for one beneficiary."""

    __tablename__ = "pools"
    __table_args__ = (
        Index("pools_program", "tenant_id", "program_id"),
        Index("pools_beneficiary", "tenant_id", "namespace", "beneficiary_id"),
    )

    program_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("programs.id"))
    pool_definition_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pool_definitions.id"))
    pool_definition_revision: Mapped[int]
    namespace: Mapped[str]
    display_name: Mapped[str | None]
    description: Mapped[str | None]
    status: Mapped[str]
    origin: Mapped[str]
    renewal_count: Mapped[int] = mapped_column(default=0)
    beneficiary_type: Mapped[str]
    beneficiary_id: Mapped[uuid.UUID]
    details: Mapped[dict[str, Any]]

    program: Mapped[Program] = relationship(back_populates="pools")
    balance: Mapped["Balance"] = relationship(back_populates="pool")


class Balance(TenantRow):
    """The credits of one pool; its id is the pool's."""

    __tablename__ = "balances"
    __table_args__ = (
        CheckConstraint("available >= 0 and reserved >= 0", name="balances_not_negative"),
    )

    id: Mapped[uuid.UUID] = mapped_column(ForeignKey("pools.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(default=1)
    created_date: Mapped[datetime]
    updated_date: Mapped[datetime]
    available: Mapped[Decimal]
    reserved: Mapped[Decimal] = mapped_column(default=Decimal(0))
    last_transaction_id: Mapped[uuid.UUID | None]

    pool: Mapped[Pool] = relationship(back_populates="balance")
    transactions: Mapped[list["Transaction"]] = relationship(back_populates="balance")


class Transaction(Entity):
    """The record of one change of a balance."""

    __tablename__ = "transactions"
    __table_args__ = (
        UniqueConstraint(
            "tenant_id", "pool_id", "idempotency_key", name=TRANSACTION_IDEMPOTENCY_KEY
        ),
    )

    pool_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("balances.id"))
    amount: Mapped[Decimal]
    source: Mapped[str]
    target: Mapped[str]
    status: Mapped[str] = mapped_column(default="COMPLETED")
    idempotency_key: Mapped[str | None]
    correlation_id: Mapped[uuid.UUID]
    beneficiary_type: Mapped[str]
    beneficiary_id: Mapped[uuid.UUID]
    details: Mapped[dict[str, Any]]

    balance: Mapped[Balance] = relationship(back_populates="transactions")


class Job(TenantRow):
    """The record of one provisioning."""

    __tablename__ = "jobs"

    status: Mapped[str]
    created_date: Mapped[datetime]
    updated_date: Mapped[datetime]
    total: Mapped[int]
    success_count: Mapped[int]
    fail_count: Mapped[int] = mapped_column(default=0)
    details: Mapped[dict[str, Any]]


class Event(TenantRow):
    """What is to be told of one change, stored in the same commit as the change."""

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("tenant_id", "entity_id", "slug", "sequence"),)

    entity_fqdn: Mapped[str]
    entity_id: Mapped[uuid.UUID]
    slug: Mapped[str]
    sequence: Mapped[int]
    event_time: Mapped[datetime]
    body: Mapped[dict[str, Any]]
