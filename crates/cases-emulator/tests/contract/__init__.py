"""The parts of boto3_contract.py: the domain and the checks, service by service."""
