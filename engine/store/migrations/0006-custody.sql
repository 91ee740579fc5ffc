-- Hand-overs of material, retention and erasure.
select 1;
