"""The pages: functions that ask the API's methods, each with its row above it."""
