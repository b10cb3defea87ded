-- Makes a batch's codes.
-- Locks: none.
-- Raises: nothing.
create or replace function promo._fill_batch(p_batch_id bigint)
returns void
language plpgsql
volatile
as $$
declare
  v_left int;
  v_made int;
begin
  select b.code_count into strict v_left from promo.batch b where b.batch_id = p_batch_id;
  while v_left > 0 loop
    insert into promo.code (
      code, discount_percent, max_uses, per_user_limit, expires_at, issued_at, issued_by, asked,
      batch_id)
    select promo._new_code(), b.discount_percent, b.max_uses, b.per_user_limit, b.expires_at,
           b.issued_at, b.issued_by, b.asked, b.batch_id
    from promo.batch b
    cross join generate_series(1, v_left)
    where b.batch_id = p_batch_id
    on conflict on constraint code_unique do nothing;
    get diagnostics v_made = row_count;
    v_left := v_left - v_made;
  end loop;
end
$$;

comment on function promo._fill_batch is
  'A generated code that is taken already is replaced by another one in the next round.';
