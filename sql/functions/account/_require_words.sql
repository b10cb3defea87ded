-- Refuses what cannot be a name or an address of somebody to talk to.
-- Locks: none.
-- Raises: 22023.
create or replace function account._require_words(p_text text, p_name text)
returns void
language plpgsql
stable
as $$
begin
  if (p_text ~ '^[^[:cntrl:]]{2,200}$' and p_text ~ '[^[:space:]]') is not true then
    perform core._refuse('22023', p_name || ': 2 to 200 characters, no control characters');
  end if;
end
$$;

comment on function account._require_words is 'What people type about themselves, on one line.';
