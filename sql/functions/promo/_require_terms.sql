-- Refuses terms that no promo code can have.
-- Locks: none.
-- Raises: 22023.
create or replace function promo._require_terms(
  p_discount_percent int, p_max_uses int, p_per_user_limit int, p_expires_at timestamptz)
returns void
language plpgsql
stable
as $$
begin
  perform core._require(p_discount_percent between 1 and 100, 'p_discount_percent: 1 to 100');
  perform core._require(p_max_uses is null or p_max_uses between 1 and 1000000,
                        'p_max_uses: 1 to 1000000, or null for no limit');
  perform core._require(p_per_user_limit is null or p_per_user_limit between 1 and 1000,
                        'p_per_user_limit: 1 to 1000, or null for 1');
  perform core._require(p_expires_at is null or isfinite(p_expires_at),
                        'p_expires_at: a moment, or null for never');
end
$$;

comment on function promo._require_terms is 'What promo.issue and promo.issue_batch accept.';
