-- Ends updates that were handled, and leases waiting ones, in one call.
-- Locks: inbox.update rows (those that end; then those that are leased, skip locked).
-- Raises: 22023, OP001.
create or replace function inbox.exchange(
  p_holder text, p_done_ids bigint[], p_done_tokens uuid[], p_limit int, p_lease interval)
returns table (
  update_id bigint, chat_id bigint, payload text, attempt int, lease_token uuid,
  language text, is_reachable boolean)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._guard();
  perform core._require(
    cardinality(p_done_ids) between 0 and 1000
      and cardinality(p_done_tokens) = cardinality(p_done_ids)
      and array_position(p_done_ids, null) is null
      and array_position(p_done_tokens, null) is null,
    'p_done_ids, p_done_tokens: 0 to 1000 from claims, the same number each, no nulls');
  perform core._require(p_limit >= 0, 'p_limit: 0 for none');

  if cardinality(p_done_ids) > 0 then
    update inbox.update u
    set finished_at = core.now(), leased_until = null
    from unnest(p_done_ids, p_done_tokens) d (update_id, lease_token)
    where u.update_id = d.update_id and u.lease_token = d.lease_token and u.finished_at is null;
  end if;

  if p_limit > 0 then -- after it, so that the chats' next updates are among them
    return query
    select c.update_id, c.chat_id, c.payload, c.attempt, c.lease_token, a.language, a.is_reachable
    from inbox.claim(p_holder, p_limit, p_lease) c
    left join account.account a on a.telegram_id = c.chat_id
    order by c.update_id;
  end if;
end
$$;

comment on function inbox.exchange is
  'inbox.done for each of p_done_ids and p_done_tokens whose lease was not lost, then inbox.claim, '
  'with what the screens need to know of the user whose private chat it is (null: none). A repeat '
  'ends nothing twice, and leases other updates.';

grant execute on function inbox.exchange to atlas_bot, atlas_dba;
