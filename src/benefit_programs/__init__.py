"""A self-hosted benefit-programs service: programs, pools, balances and the ledger behind them."""

__version__ = "0.2.0"
