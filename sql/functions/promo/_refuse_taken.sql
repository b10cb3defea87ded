-- Refuses a code that another issue has made; passes over one that this key has just made.
-- Locks: none.
-- Raises: PR007.
create or replace function promo._refuse_taken(
  p_code text, p_admin_id bigint, p_idempotency_key text)
returns void
language plpgsql
stable
as $$
declare
  v_taken record;
begin
  select c.promo_id, c.issued_by, c.issued_at into v_taken
  from promo.code c
  where c.code = p_code
    and (c.issued_by, c.idempotency_key) is distinct from (p_admin_id, p_idempotency_key);
  if found then
    perform core._refuse('PR007', format('%s: promo_id %s, issued by %s at %s', p_code,
                                         v_taken.promo_id, v_taken.issued_by, v_taken.issued_at));
  end if;
end
$$;

comment on function promo._refuse_taken is
  'After an insert that met a conflict: of the code (PR007), or of the key (a replay at once).';
