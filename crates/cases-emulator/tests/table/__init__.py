"""The checks of table_contract.py."""
