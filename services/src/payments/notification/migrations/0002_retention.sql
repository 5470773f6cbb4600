CREATE INDEX sandbox_messages_age ON notification.sandbox_messages (created_at);
GRANT DELETE ON notification.sandbox_messages TO notification;
