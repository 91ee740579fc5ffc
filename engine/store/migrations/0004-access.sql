-- Who may do what: organisations, agreements, principals, purposes, cases; and the policies of rows.
select 1;
