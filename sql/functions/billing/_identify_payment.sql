-- Whose received money is, what it is worth, or why it goes to suspense.
-- Locks: none: it reads only what never changes once it is there.
-- Raises: nothing.
create or replace function billing._identify_payment(
  p_provider text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint,
  p_currency text,
  out telegram_id bigint, out owner_id bigint, out worth_kopecks bigint, out problem text)
language plpgsql
stable
as $$
#variable_conflict use_column
declare
  v_worth numeric;
begin
  select u.telegram_id,
         case p_provider when 'stars'
           then floor(u.price_kopecks::numeric * p_amount_minor / i.amount_minor)
           else p_amount_minor end
  into owner_id, v_worth
  from billing.purchase u
  left join lateral (
    select n.amount_minor from billing.invoice n
    where n.telegram_id = u.telegram_id and n.purchase_id = u.purchase_id
      and n.provider = p_provider
    order by n.attached_at limit 1) i on true
  where u.purchase_id = p_purchase_id;

  _identify_payment.telegram_id := coalesce(p_payer_id, owner_id);

  if owner_id is null then
    problem := 'unknown_purchase';
  elsif not exists (select 1 from account.account a
                    where a.telegram_id = _identify_payment.telegram_id) then
    problem := 'unknown_payer';
  elsif not exists (select 1 from billing.provider p
                    where p.provider = p_provider and p.currency = p_currency) then
    problem := 'wrong_currency';
  elsif v_worth is null then
    problem := 'no_invoice';
  elsif v_worth > 1000000000000 then
    problem := 'amount_out_of_range';
  else
    worth_kopecks := v_worth::bigint;
  end if;
end
$$;

comment on function billing._identify_payment is
  'problem: null, unknown_purchase, unknown_payer, wrong_currency, no_invoice (Stars are worth '
  'their share of the invoice) or amount_out_of_range.';
