"""Files that tests apply."""

APP = "0f7a4c1e-52b8-4f0b-9a55-3c6d1e8b7a90"

GYM = f"""\
namespace: gym
cascade: IMMEDIATELY
programDefinitions:
  - externalId: gold
    displayName: Gold
    extendedFields: {{"@gym/club": {{level: 2}}}}
  - externalId: silver
poolDefinitions:
  - key: tokens
    displayName: Tokens
    description: What towels cost.
    programDefinitions: [gold, silver]
    creditConfiguration:
      amount: 100.5
      rolloverConfiguration: {{enabled: true, balanceCap: 20}}
    additionalData: {{ratio: 0.5, no: "no"}}
    benefits:
      - benefitKey: towel
        providerAppId: {APP}
        price: 2.5
        policyExpression:
          policyOptions:
            rateLimitedOptions: {{times: 60, timePeriod: DAY}}
        items:
          - externalId: towel-1
            displayName: Small towel
          - externalId: towel-1
            category: large
      - benefitKey: sauna
        providerAppId: {APP}
"""
