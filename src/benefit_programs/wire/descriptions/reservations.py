"""What each field of reservations holds."""

from __future__ import annotations

from typing import Any

from benefit_programs.domain import errors
from benefit_programs.wire.types import reservations

_EXTERNAL = "What the reservation belongs to elsewhere, for example `booking:123`."
_RESERVATION = "The transaction that reserved: the id of the reservation."

OF_RESERVATIONS: dict[type[Any], dict[str, str]] = {
    errors.NotEnoughReserved: {
        "held_count": "How many items the reservation holds.",
        "requested_count": "How many items were to be captured.",
        "reservation_id": "The id of the reservation.",
    },
    errors.ReservationNotFound: {"reservation_id": "The id that no reservation has."},
    errors.ReservationNotOpen: {
        "reservation_id": "The id of the reservation.",
        "reservation_status": "CAPTURED, CANCELED or LAPSED.",
    },
    errors.TooManyReservations: {"maximum": "How many reservations of a pool may be open."},
    reservations.Reservation: {
        "benefit_key": "The benefit that it is for.",
        "captured_count": "How many of the items were captured.",
        "count": "How many items were reserved.",
        "created_date": "When it was made.",
        "expiration_date": "When it lapses by itself, unless it is captured or canceled before.",
        "external_reference": _EXTERNAL,
        "held": "The credits that it still holds.",
        "held_count": "How many items it still holds.",
        "id": "The id of the reservation: that of the transaction that reserved.",
        "item_reference": "The item that it is for.",
        "pool_definition_id": "The definition of its pool.",
        "pool_id": "The pool whose credits it holds.",
        "price": "What one item costs.",
        "program_definition_id": "The program definition of its pool. Absent if it has none.",
        "program_id": "The program of its pool.",
        "status": "OPEN while it holds credits, then CAPTURED, CANCELED or LAPSED.",
        "target_date": "The date of use.",
        "updated_date": "When it last changed.",
    },
    reservations.BenefitReserved: {"redemption_details": "What was reserved."},
    reservations.BenefitReservationReleased: {
        "reservation_id": "The reservation.",
        "transaction_id": "The transaction that moved the credits.",
    },
    reservations.ReserveBenefitRequest: {
        "expiration_date": (
            "When the reservation lapses, at most 90 days from now. Absent: see `expiresAfter`."
        ),
        "expires_after": (
            "How long it lasts, at most 90 days. Absent: as the tenant's setting"
            " `reservationExpiresAfter` says."
        ),
        "external_reference": _EXTERNAL,
    },
    reservations.CancelBenefitReservationRequest: {"transaction_id": _RESERVATION},
    reservations.CaptureBenefitReservationRequest: {
        "count": "How many items to spend. Absent: all that it holds.",
        "keep_rest": (
            "Whether the reservation holds the rest for further captures. Default: false, the rest"
            " goes back."
        ),
        "transaction_id": _RESERVATION,
    },
    reservations.BulkReserveBenefitsRequest: {"reservations": "What to reserve."},
    reservations.BulkCaptureBenefitReservationsRequest: {"reservations": "What to capture."},
    reservations.BulkCancelBenefitReservationsRequest: {"reservations": "What to cancel."},
    reservations.BulkReservationResult: {
        "item": "The new transaction. Absent if the entry failed.",
        "item_metadata": "Whether it was done, and the id of the reservation.",
    },
    reservations.GetReservationRequest: {"reservation_id": "The reservation to read."},
    reservations.GetReservationResponse: {"reservation": "The reservation."},
    reservations.QueryReservationsResponse: {"reservations": "The reservations of this page."},
}
