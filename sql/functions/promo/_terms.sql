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
  v_code promo.code;
begin
  select c.* into v_code from promo.code c where c.code = p_code;
  if not found then
    perform core._refuse('PR001', p_code);
  elsif not v_code.is_active then
    perform core._refuse('PR004', format('%s: disabled by admin %s at %s', p_code,
                                         v_code.disabled_by, v_code.disabled_at));
  elsif v_code.expires_at <= p_now then
    perform core._refuse('PR002', format('%s expired at %s', p_code, v_code.expires_at));
  end if;

  _terms.promo_id := v_code.promo_id;
  _terms.discount_percent := v_code.discount_percent;
  _terms.max_uses := v_code.max_uses;
  _terms.per_user_limit := v_code.per_user_limit;
  _terms.expires_at := v_code.expires_at;
end
$$;

comment on function promo._terms is
  'A code in canonical form that is there, active and not expired.';
