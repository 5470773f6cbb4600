"""Messages to customers by SMS, e-mail and push."""
