-- Shortens a query for people: its first 200 characters, without the texts written into it.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._without_values(p_query text)
returns text
language sql
immutable
as $$
  select left(regexp_replace(
    p_query,
    '[eE]''([^''\\]|\\.|'''')*(''|$)|''([^'']|'''')*(''|$)|\$([a-zA-Z_]*)\$.*?(\$\5\$|$)',
    '''…''', 'g'), 200)
$$;

comment on function ops._without_values is
  'Requisites, notes and tokens do not belong on a screen; numbers stay.';
