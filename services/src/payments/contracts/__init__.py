"""What services tell each other through Kafka: CloudEvents 1.0 in structured JSON mode."""
