-- Frames one value of a canonical form: its length in four bytes, then its bytes.
-- Locks: none.
-- Raises: nothing.
create or replace function audit._field(p_value text)
returns bytea
language sql
stable
as $$
  select coalesce(int4send(octet_length(p_value)) || convert_to(p_value, 'UTF8'),
                  decode('ffffffff', 'hex'))
$$;

comment on function audit._field is
  'Length (four bytes, big-endian) and UTF-8 bytes; null is ffffffff, so it is not the empty text.';
