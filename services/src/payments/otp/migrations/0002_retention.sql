CREATE INDEX payments_age ON otp.payments (created_at);
GRANT DELETE ON otp.payments, otp.challenges TO otp;
