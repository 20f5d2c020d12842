"""A sample studio: what it sells, who comes, and some months of what they do.

All of it happens by the API's methods, at its own instant of a clock that is moved. Chance comes
from a seed: the same seed and size make the same people do the same things.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from benefit_programs.domain.directory import Role
from benefit_programs.domain.errors import Invalid, NotEnoughBalance, PoolNotActive, Refusal
from benefit_programs.domain.values import DAY, Instant

NAMESPACE = "studio"
TIME_ZONE = "Europe/Berlin"

APP = "0f7a4c1e-52b8-4f0b-9a55-3c6d1e8b7a90"
"""The app that offers the classes."""

CLASSES = ("yoga-basics", "vinyasa", "pilates", "barre", "spinning")
WORKSHOPS = ("handstand-workshop", "breathing-workshop")

_MINUTE = 60_000
_HOUR = 60 * _MINUTE

CallAs = Callable[[str, str, dict[str, Any]], Awaitable[Any]]
"""Calls a method as one of the staff. Raises Refusal."""

DESK, OTHER_DESK, MANAGER, OPERATOR = "Finn", "Dana", "Maxine", "Olga"
STAFF = {
    DESK: Role.FRONT_DESK,
    OTHER_DESK: Role.FRONT_DESK,
    MANAGER: Role.MANAGER,
    OPERATOR: Role.OPERATOR,
}

_FIRST = (
    *("Ada", "Ben", "Chloe", "David", "Elif", "Felix", "Greta", "Hannah", "Ivo", "Jana"),
    *("Karim", "Lena", "Milan", "Nora", "Oskar", "Paula", "Quinn", "Rosa", "Samir", "Tilda"),
    *("Uma", "Viktor", "Wanda", "Xenia", "Yusuf", "Zoe"),
)
_LAST = (
    *("Adler", "Brandt", "Costa", "Demir", "Engel", "Fischer", "García", "Hoffmann", "Ivanova"),
    *("Jansen", "Kowalski", "Lindqvist", "Moreau", "Nguyen", "Okafor", "Petersen", "Rossi"),
    *("Schäfer", "Tanaka", "Ullmann", "Vogel", "Weber", "Yilmaz", "Zimmermann"),
)
_NOTES = ("Knee: no jumps", "Prefers the morning", "Pays by invoice", "Came with a friend")


class Product(NamedTuple):
    """Something that is sold: its definition, and how often who has it comes, of 100 days."""

    external_id: str
    name: str
    terms: dict[str, Any]
    pool: dict[str, Any]
    days_of_100: int


PACK = Product(
    "ten-classes",
    "10 classes",
    {"endsAfter": "P90D"},
    {"creditConfiguration": {"amount": "10"}},
    22,
)
MEMBERSHIP = Product(
    "membership",
    "Monthly membership",
    {"renewalConfiguration": {"every": "P1M"}, "whilePaused": "STOP", "pausedDaysMax": 60},
    {
        "creditConfiguration": {
            "amount": "8",
            "rolloverConfiguration": {"enabled": True, "balanceCap": "2"},
        }
    },
    30,
)
TRIAL = Product(
    "trial", "Trial week", {"endsAfter": "P7D"}, {"creditConfiguration": {"amount": "3"}}, 35
)
PRODUCTS = (PACK, MEMBERSHIP, TRIAL)


class Holding(NamedTuple):
    """What somebody has bought."""

    product: Product
    program_id: str
    pool_id: str


class Guest:
    """Somebody who comes."""

    def __init__(self, number: int, chance: Random, joins_on: int) -> None:
        first, last = chance.choice(_FIRST), chance.choice(_LAST)
        self.member_id = str(UUID(int=chance.getrandbits(128), version=4))
        self.name = f"{first} {last}"
        self.email = f"{first}.{number}@studio.example".lower()
        self.phone = f"+49 30 5550{number:04}"
        self.note = chance.choice(_NOTES) if chance.random() < 0.2 else None  # noqa: PLR2004
        self.joins_on = joins_on
        self.holding: Holding | None = None
        self.redemptions: list[str] = []
        self.is_paused = False

    @property
    def beneficiary(self) -> dict[str, str]:
        return {"memberId": self.member_id}


class Studio:
    """Opens the studio, and lives its days. ``set_clock`` moves the time to an instant."""

    def __init__(
        self,
        call: CallAs,
        set_clock: Callable[[Instant], None],
        *,
        seed: int,
        people: int,
        days: int,
    ) -> None:
        self._call = call
        self._set_clock = set_clock
        self._chance = Random(seed)  # noqa: S311 - nothing here is secret
        self._number = 1000
        self._definitions: dict[str, str] = {}
        self._programs = 0
        self._visits = 0
        self.guests = [
            Guest(
                number, self._chance, 0 if number % 2 else self._chance.randrange(days * 2 // 3 + 1)
            )
            for number in range(1, people + 1)
        ]

    @property
    def counts(self) -> dict[str, int]:
        """What it came to."""
        return {"people": len(self.guests), "programs": self._programs, "visits": self._visits}

    async def open(self) -> None:
        """Define what is sold, and write down who comes."""
        for product in PRODUCTS:
            await self._define(product)
        for guest in self.guests:
            person = {
                "beneficiary": guest.beneficiary,
                "displayName": guest.name,
                "email": guest.email,
                "phone": guest.phone,
            }
            await self._call(
                DESK,
                "setPerson",
                {"person": person | ({"note": guest.note} if guest.note else {})},
            )

    async def live(self, day: int, midnight: Instant, *, until: Instant) -> None:
        """One day, or its part until then: who joins, who comes, and what goes wrong."""
        visits = [
            (self._chance.randrange(7 * 60, 20 * 60), guest)
            for guest in self.guests
            if guest.joins_on == day or self._comes(guest)
        ]
        for minute, guest in sorted(visits, key=lambda each: (each[0], each[1].member_id)):
            if midnight + minute * _MINUTE >= until:
                return
            self._set_clock(midnight + minute * _MINUTE)
            if guest.holding is None:
                await self._sell(guest, self._chance.choices(PRODUCTS, (4, 5, 3))[0])
            await self._visit(guest)
        if midnight + 21 * _HOUR < until:
            self._set_clock(midnight + 21 * _HOUR)
            await self._evening(day)

    async def book_ahead(self, now: Instant) -> None:
        """Some have places in the classes of the next days."""
        active = [each for each in self.guests if each.holding and not each.is_paused]
        for guest in active[: max(1, len(active) // 4)]:
            assert guest.holding is not None, "only those were chosen"
            comes = now + self._chance.randrange(1, 4) * DAY
            request = self._use(guest.holding, "class", CLASSES)
            await self._unless_refused(
                DESK,
                "reserveBenefit",
                {**request, "targetDate": _date(comes), "expiresAfter": "P4D"},
            )

    def _comes(self, guest: Guest) -> bool:
        if guest.holding is None or guest.is_paused:
            return False
        return self._chance.randrange(100) < guest.holding.product.days_of_100

    async def _define(self, product: Product) -> None:
        definition = {
            "namespace": NAMESPACE,
            "externalId": product.external_id,
            "displayName": product.name,
            **product.terms,
        }
        made = await self._call(
            MANAGER, "createProgramDefinition", {"programDefinition": definition}
        )
        self._definitions[product.external_id] = made["programDefinition"]["id"]
        pool = {
            "namespace": NAMESPACE,
            "displayName": product.name,
            "programDefinitionIds": [made["programDefinition"]["id"]],
            "details": {"benefits": [_CLASS, _WORKSHOP], **product.pool},
        }
        made = await self._call(
            MANAGER,
            "createPoolDefinition",
            {"poolDefinition": pool, "cascade": "FUTURE_PROVISIONS"},
        )
        for benefit in made["poolDefinition"]["details"]["benefits"]:
            offered = CLASSES if benefit["benefitKey"] == "class" else WORKSHOPS
            items = [
                {
                    "itemSetId": benefit["itemSetId"],
                    "externalId": each,
                    "namespace": NAMESPACE,
                    "providerAppId": APP,
                    "displayName": each.replace("-", " ").capitalize(),
                }
                for each in offered
            ]
            await self._call(MANAGER, "bulkCreateItems", {"items": items})

    async def _sell(self, guest: Guest, product: Product) -> None:
        self._number, self._programs = self._number + 1, self._programs + 1
        sold = await self._call(
            self._chance.choice((DESK, OTHER_DESK)),
            "provisionProgram",
            {
                "poolDefinitionLookupId": {
                    "programDefinitionId": self._definitions[product.external_id]
                },
                "beneficiary": guest.beneficiary,
                "namespace": NAMESPACE,
                "externalProgramId": f"order-{self._number}",
            },
        )
        program_id = sold["program"]["id"]
        found = await self._call(
            DESK, "queryPools", {"query": {"filter": {"programId": program_id}}}
        )
        guest.holding = Holding(product, program_id, found["pools"][0]["id"])

    async def _visit(self, guest: Guest) -> None:
        """A class, or now and then a workshop. Whoever has too little left buys once more."""
        assert guest.holding is not None, "who comes has something"
        is_workshop = self._chance.random() < 0.06  # noqa: PLR2004
        use = ("workshop", WORKSHOPS) if is_workshop else ("class", CLASSES)
        try:
            done = await self._call(DESK, "redeemBenefit", self._use(guest.holding, *use))
            guest.redemptions.append(done["transactionId"])
            self._visits += 1
        except NotEnoughBalance:
            if guest.holding.product is not MEMBERSHIP:
                guest.holding = None
                guest.joins_on = -1
                if self._chance.random() < 0.7:  # noqa: PLR2004
                    await self._sell(guest, self._chance.choice((PACK, PACK, MEMBERSHIP)))
        except PoolNotActive:
            # It has ended, as trials and packs do.
            guest.holding = None
            await self._sell(guest, self._chance.choice((PACK, MEMBERSHIP)))

    def _use(self, holding: Holding, benefit: str, offered: tuple[str, ...]) -> dict[str, Any]:
        self._number += 1
        return {
            "poolId": holding.pool_id,
            "benefitKey": benefit,
            "namespace": NAMESPACE,
            "itemReference": {"externalId": self._chance.choice(offered), "providerAppId": APP},
            "idempotencyKey": f"booking-{self._number}",
            "externalReference": f"booking-{self._number}",
        }

    async def _evening(self, day: int) -> None:
        """What the desk and the manager do once the classes are over."""
        guest = self._chance.choice(self.guests)
        if guest.holding is None:
            return
        if guest.is_paused:
            await self._resume(guest)
        elif day % 4 == 1 and guest.redemptions:
            await self._unless_refused(
                OTHER_DESK,
                "cancelRedemption",
                {
                    "transactionId": guest.redemptions.pop(),
                    "idempotencyKey": f"return-{day}",
                    "reason": "canceled in time",
                },
            )
        elif day % 9 == 5:  # noqa: PLR2004
            await self._unless_refused(DESK, "grantCredits", _goodwill(guest.holding, day))
        elif day % 11 == 7:  # noqa: PLR2004
            await self._unless_refused(
                MANAGER, "changeBalance", _paid_otherwise(guest.holding, day)
            )
        elif day % 6 == 3 and guest.holding.product is MEMBERSHIP:  # noqa: PLR2004
            await self._pause(guest, day)

    async def _pause(self, guest: Guest, day: int) -> None:
        assert guest.holding is not None, "only who has something pauses"
        request = {
            "programId": guest.holding.program_id,
            "idempotencyKey": f"pause-{day}",
            "reason": self._chance.choice(("on holiday", "ill", "abroad for work")),
        }
        guest.is_paused = await self._unless_refused(DESK, "pauseProgram", request)

    async def _resume(self, guest: Guest) -> None:
        assert guest.holding is not None, "only who has something pauses"
        self._number += 1
        request = {
            "programId": guest.holding.program_id,
            "idempotencyKey": f"resume-{self._number}",
            "reason": "back again",
        }
        guest.is_paused = not await self._unless_refused(DESK, "resumeProgram", request)

    async def _unless_refused(self, who: str, method: str, request: dict[str, Any]) -> bool:
        """Whether it could be done: what somebody has may have ended meanwhile."""
        try:
            await self._call(who, method, request)
        except Invalid:
            raise
        except Refusal:
            return False
        return True


_CLASS = {"benefitKey": "class", "displayName": "Class", "price": "1", "providerAppId": APP}
_WORKSHOP = {
    "benefitKey": "workshop",
    "displayName": "Workshop",
    "price": "3",
    "providerAppId": APP,
}


def _goodwill(holding: Holding, day: int) -> dict[str, Any]:
    return {
        "poolId": holding.pool_id,
        "idempotencyKey": f"goodwill-{day}",
        "amount": "2",
        "expiresAfter": "P30D",
        "displayName": "Goodwill",
        "reason": "the class was canceled by us",
    }


def _paid_otherwise(holding: Holding, day: int) -> dict[str, Any]:
    return {
        "poolId": holding.pool_id,
        "idempotencyKey": f"otherwise-{day}",
        "adjustOptions": {"value": "-1"},
        "transactionDetails": {"reason": "came without booking"},
    }


def _date(instant: Instant) -> str:
    return f"{datetime.fromtimestamp(instant / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
