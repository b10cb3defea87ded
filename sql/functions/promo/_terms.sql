-- Reads a code's terms, or says why nobody can use it.
-- Locks: none.
-- Raises: PR001, PR002, PR004.
create or replace function promo._terms(
  p_code text, p_now timestamptz, out promo_id bigint, out discount_percent int,
  out max_uses int, out per_user_limit int, out expires_at timestamptz)
language plpgsql
stable
as $$
declare
  v_is_active boolean;
begin
  select c.promo_id, c.discount_percent, c.max_uses, c.per_user_limit, c.expires_at, c.is_active
  into _terms.promo_id, _terms.discount_percent, _terms.max_uses, _terms.per_user_limit,
       _terms.expires_at, v_is_active
  from promo.code c
  where c.code = p_code;
  if not found then
    perform core._refuse('PR001', p_code);
  elsif not v_is_active then
    perform core._refuse('PR004', p_code);
  elsif _terms.expires_at <= p_now then
    perform core._refuse('PR002', format('%s expired at %s', p_code, _terms.expires_at));
  end if;
end
$$;

comment on function promo._terms is
  'A code in canonical form that is there, active and not expired.';
