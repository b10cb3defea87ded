-- Refuses what no broadcast can be made of.
-- Locks: none.
-- Raises: 22023.
create or replace function broadcast._require_text(
  p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text)
returns void
language plpgsql
stable
as $$
begin
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(length(p_title) between 1 and 128, 'p_title: 1 to 128 characters');
  perform core._require(p_kind = any (enum_range(null::broadcast.kind)::text[]),
                        'p_kind: info, maintenance, security or promo');
  perform core._require(
    p_segment = any (enum_range(null::broadcast.segment)::text[]),
    'p_segment: all, active, expired, no_subscription or never_bought');
  perform core._require(length(p_text_a) between 1 and 4096, 'p_text_a: 1 to 4096 characters');
  perform core._require(p_text_b is null or length(p_text_b) between 1 and 4096,
                        'p_text_b: 1 to 4096 characters, or null for one text');
end
$$;

comment on function broadcast._require_text is 'Checks what prepare and compose are called with.';
