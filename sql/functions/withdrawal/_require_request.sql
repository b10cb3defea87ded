-- Refuses what cannot be an amount and sealed requisites.
-- Locks: none.
-- Raises: 22023.
create or replace function withdrawal._require_request(
  p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text)
returns void
language plpgsql
stable
as $$
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_amount_kopecks between 1 and 1000000000000,
                        'p_amount_kopecks: 1 to 10^12');
  perform core._require(
    length(p_requisites) <= 4096 and p_requisites ~ '^v1:[A-Za-z0-9+/]+={0,2}$',
    'p_requisites: sealed by the application (v1: and base64, at most 4096 characters; '
    'requisites_are_sealed)');
  perform core._require_key(p_idempotency_key);
end
$$;

comment on function withdrawal._require_request is
  'Checks the arguments of request and draft. The requisites are never repeated in a refusal.';
