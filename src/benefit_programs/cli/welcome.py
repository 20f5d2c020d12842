"""What a first start shows: the address, the key, and requests that are ready to paste."""

from __future__ import annotations

FIRST_REQUESTS = """\
BENEFITS_URL='{url}'
BENEFITS_KEY='{secret}'

# A program definition, and in it a pool definition: 5 credits that a visit costs 1 of.
PROGRAM_DEFINITION_ID=$(curl --silent --show-error \\
  --request POST "$BENEFITS_URL/benefit-programs/v1/program-definitions" \\
  -H "Authorization: $BENEFITS_KEY" \\
  -H "Content-Type: application/json" \\
  --data '{{
    "programDefinition": {{
      "namespace": "benefit_programs_app",
      "externalId": "myProgramDefinition",
      "displayName": "New Program"
    }}
  }}' | grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)

curl --silent --show-error \\
  --request POST "$BENEFITS_URL/benefit-programs/v1/pool-definitions" \\
  -H "Authorization: $BENEFITS_KEY" \\
  -H "Content-Type: application/json" \\
  --data '{{
    "poolDefinition": {{
      "namespace": "benefit_programs_app",
      "displayName": "Visits",
      "programDefinitionIds": ["'"$PROGRAM_DEFINITION_ID"'"],
      "details": {{
        "benefits": [{{
          "benefitKey": "visit",
          "providerAppId": "0f7a4c1e-52b8-4f0b-9a55-3c6d1e8b7a90",
          "price": "1"
        }}],
        "creditConfiguration": {{"amount": "5"}}
      }}
    }},
    "cascade": "IMMEDIATELY"
  }}'
echo

# A program for a member, as the reference of ProvisionProgram writes it.
curl --silent --show-error \\
  --request POST "$BENEFITS_URL/benefit-programs/v1/programs/provision" \\
  -H "Authorization: $BENEFITS_KEY" \\
  -H "Content-Type: application/json" \\
  --data '{{
    "pool_definition_reference": {{
      "program_definition_id": "'"$PROGRAM_DEFINITION_ID"'"
    }},
    "beneficiary": {{
      "identity_type": "MEMBER",
      "member_id": "00000000-0000-0000-0000-000000000000"
    }},
    "namespace": "benefit_programs_app",
    "display_name": "New Program",
    "external_program_id": "myProgram17"
  }}'
echo
"""


def first_start_text(url: str, secret: str) -> str:
    requests = FIRST_REQUESTS.format(url=url, secret=secret)
    return (
        f"Your first API key, which has all rights and is not shown again:\n\n    {secret}\n\n"
        f"To try it, paste this into a shell:\n\n{requests}"
    )
