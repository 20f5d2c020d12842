"""The console: pages for the people who run the service, served beside the API."""
