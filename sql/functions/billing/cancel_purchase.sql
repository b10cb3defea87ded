-- Cancels an open purchase.
-- Locks: user, the use of its promo code.
-- Raises: PU001, PU003, US001, 22023, OP001.
create or replace function billing.cancel_purchase(p_telegram_id bigint, p_purchase_id uuid)
returns table (purchase_id uuid, status text, is_replay boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_status billing.purchase_status;
  v_promo_id bigint;
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_purchase_id is not null, 'p_purchase_id: the id from open_purchase');
  perform account._lock(p_telegram_id);

  select u.status, u.promo_id into v_status, v_promo_id
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;
  if not found then
    perform core._refuse('PU001', format('purchase_id %s', p_purchase_id));
  elsif v_status not in ('open', 'cancelled') then
    perform billing._refuse_closed(p_telegram_id, p_purchase_id);
  end if;

  update billing.purchase u
  set status = 'cancelled', closed_at = core.now()
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id and u.status = 'open';
  if found and v_promo_id is not null then
    delete from promo.use p
    where p.telegram_id = p_telegram_id and p.promo_id = v_promo_id
      and p.purchase_id = p_purchase_id;
  end if;

  return query select p_purchase_id, 'cancelled', v_status = 'cancelled';
end
$$;

comment on function billing.cancel_purchase is
  'Cancels an open purchase and gives the use of its promo code back. Money that a provider brings '
  'for it later is still honoured at its price, if a use is left. Its own key: a second call is a '
  'replay.';

grant execute on function billing.cancel_purchase to atlas_bot, atlas_dba;
