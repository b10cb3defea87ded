-- Refuses arguments that name no hold on an export.
-- Locks: none.
-- Raises: 22023.
create or replace function ops._require_export(p_export_id bigint, p_lease_token uuid)
returns void
language plpgsql
stable
as $$
begin
  perform core._require(p_export_id is not null, 'p_export_id: the id from claim_export');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim_export');
end
$$;

comment on function ops._require_export is 'Checks what a worker names its export by.';
