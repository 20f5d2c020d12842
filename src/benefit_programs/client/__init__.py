"""The client of the service: typed, sync and async, with retries where they are safe.

    from benefit_programs.client import BenefitPrograms, Member

    with BenefitPrograms("http://127.0.0.1:8080", api_key) as client:
        provisioned = client.programs.provision(
            program_definition_id=definition.id,
            beneficiary=Member(member_id),
            namespace="gym",
            external_program_id="membership-17",
        )

The names in ``__all__`` are public; everything else may change.
"""

from benefit_programs.client.generated.exports import *  # noqa: F403 - a script lists them all
from benefit_programs.client.generated.exports import __all__ as __all__
