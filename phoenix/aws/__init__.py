"""The only place that knows botocore: sessions and clients, its exceptions, and reads that several adapters share."""
