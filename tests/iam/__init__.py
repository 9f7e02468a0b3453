"""The documents in infra/iam, held against what phoenix really asks of AWS."""
