"""The only place that knows boto3 and botocore: sessions, clients, errors and reads that several adapters share."""
