-- Raises a refusal with its constant message and hint; the values go to DETAIL.
-- Locks: none.
-- Raises: the SQLSTATE it is given.
create or replace function core._refuse(p_sqlstate text, p_detail text)
returns void
language plpgsql
stable
as $$
declare
  v_message text;
  v_hint text;
begin
  select r.message, r.hint into strict v_message, v_hint
  from core.refusal r
  where r.sqlstate = p_sqlstate;

  raise exception using
    errcode = p_sqlstate, message = v_message, detail = p_detail, hint = v_hint;
end
$$;

comment on function core._refuse is 'Raises a refusal listed in core.refusal.';
