-- Signed checkpoints of the audit.
select 1;
