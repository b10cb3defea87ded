-- Shortens a query for people: at most 200 characters, and only up to the first text in it.
-- Locks: none.
-- Raises: nothing.
create or replace function ops._without_values(p_query text)
returns text
language sql
immutable
as $$
  select left(regexp_replace(p_query, '(''|\$([a-zA-Z_]\w*)?\$).*', '…'), 200)
$$;

comment on function ops._without_values is
  'Requisites, notes and tokens do not belong on a screen. Cut off rather than blanked out: where '
  'a quoted text ends is a question for a parser.';
