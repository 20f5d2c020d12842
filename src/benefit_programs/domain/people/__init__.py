"""The directory of people: who beneficiaries are, in words that people search by."""
