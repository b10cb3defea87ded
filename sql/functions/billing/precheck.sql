-- Whether a provider may go on and take the money for a purchase.
-- Locks: none.
-- Raises: OP003, 22023.
create or replace function billing.precheck(
  p_telegram_id bigint, p_purchase_id uuid, p_amount_minor bigint, p_currency text)
returns table (is_payable boolean, refusal text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
  v_refusal text;
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_purchase_id is not null, 'p_purchase_id: the id from open_purchase');
  perform core._require(p_amount_minor >= 1, 'p_amount_minor: 1 or more');
  perform core._require(length(p_currency) between 1 and 16, 'p_currency: RUB or XTR');
  perform core._require_feature('payments');

  select case when a.is_blocked then 'blocked'
              when u.status = 'expired' or (u.status = 'open' and u.expires_at <= v_now)
                then 'expired'
              when u.status <> 'open' then 'not_open'
              when not exists (
                select 1 from billing.invoice n
                where n.telegram_id = u.telegram_id and n.purchase_id = u.purchase_id
                  and n.amount_minor = p_amount_minor and n.currency = p_currency)
                then 'amount_differs'
         end
  into v_refusal
  from billing.purchase u
  join account.account a on a.telegram_id = u.telegram_id
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;
  if not found then
    v_refusal := 'unknown_purchase';
  end if;

  return query select v_refusal is null, v_refusal;
end
$$;

comment on function billing.precheck is
  'Answers Telegram''s pre_checkout_query. refusal: null, unknown_purchase, blocked, expired, '
  'not_open or amount_differs. Reserves nothing. Reads only.';

grant execute on function billing.precheck to atlas_bot, atlas_payments, atlas_dba;
