-- One payment as an admin's screens show it.
-- Locks: none.
-- Raises: PY002, US003, 22023.
create or replace function billing.show_payment(p_admin_id bigint, p_payment_id bigint)
returns table (
  payment_id bigint, provider text, charge_id text, purchase_id uuid, payer_id bigint,
  payer_name text, amount_minor bigint, currency text, received_kopecks bigint, outcome text,
  suspense_reason text, received_at timestamptz, telegram_id bigint, username text,
  worth_kopecks bigint, resolved_by bigint, resolved_by_name text, resolved_at timestamptz,
  resolution_note text, reversed_at timestamptz, raw text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require(p_payment_id is not null, 'p_payment_id: the id from list_suspense');
  perform account._only_admins(p_admin_id);

  return query
  select p.payment_id, p.provider, p.charge_id, p.purchase_id, p.payer_id, y.username,
         p.amount_minor, p.currency, case p.currency when 'RUB' then p.amount_minor end,
         p.outcome::text, p.suspense_reason, p.received_at, nullif(p.telegram_id, 0),
         u.username, p.worth_kopecks, p.resolved_by, r.username, p.resolved_at,
         p.resolution_note, p.reversed_at, left(p.raw::text, 2000)
  from billing.payment p
  left join account.account y on y.telegram_id = p.payer_id
  left join account.account u on u.telegram_id = p.telegram_id
  left join account.account r on r.telegram_id = p.resolved_by
  where p.payment_id = p_payment_id;
  if not found then
    perform core._refuse('PY002', format('no payment has payment_id %s', p_payment_id));
  end if;
end
$$;

comment on function billing.show_payment is
  'For admins only: what the provider said, and what became of it. received_kopecks: as received, '
  'null in another currency than roubles. A null telegram_id: nobody''s. raw: the provider''s own '
  'words, their first 2000 characters. Reads only.';

grant execute on function billing.show_payment to atlas_admin, atlas_dba;
