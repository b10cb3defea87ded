-- A user's balances at a moment.
-- Locks: none.
-- Raises: US001, 22023.
create or replace function wallet.balance_at(p_telegram_id bigint, p_at timestamptz)
returns table (available_kopecks bigint, held_kopecks bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_at is not null, 'p_at: a moment');

  -- Times grow with versions, so that this walks the primary key back to the first row that fits.
  return query
  select coalesce(t.available_kopecks, 0)::bigint, coalesce(t.held_kopecks, 0)::bigint
  from wallet.wallet w
  left join lateral (
    select l.available_kopecks, l.held_kopecks
    from ledger.transfer l
    where l.telegram_id = p_telegram_id and l.created_at <= p_at
    order by l.version desc
    limit 1) t on true
  where w.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

comment on function wallet.balance_at is
  'Available and held after the last ledger row at or before p_at, in kopecks; 0 before the first.'
  ' Reads only.';

grant execute on function wallet.balance_at to atlas_admin, atlas_auditor, atlas_dba;
