-- What the HTTP API keeps: answers by idempotency key, progress.
select 1;
