-- Stores Telegram updates before they are confirmed; one that is there already is left alone.
-- Locks: none.
-- Raises: 22023, OP001.
create or replace function inbox.receive(
  p_update_ids bigint[], p_chat_ids bigint[], p_payloads text[])
returns table (received int)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := core.now();
  v_received int;
begin
  perform core._guard();
  perform core._require(
    cardinality(p_update_ids) between 1 and 1000
      and cardinality(p_chat_ids) = cardinality(p_update_ids)
      and cardinality(p_payloads) = cardinality(p_update_ids),
    'p_update_ids, p_chat_ids, p_payloads: 1 to 1000 entries, the same number each');
  perform core._require(
    array_position(p_update_ids, null) is null and array_position(p_chat_ids, null) is null
      and array_position(p_payloads, null) is null,
    'p_update_ids, p_chat_ids, p_payloads: no nulls');

  insert into inbox.update (update_id, chat_id, payload, received_at, due_at)
  select n.update_id, n.chat_id, n.payload::json, v_now, v_now
  from unnest(p_update_ids, p_chat_ids, p_payloads) n (update_id, chat_id, payload)
  order by n.update_id
  on conflict on constraint update_pkey do nothing;
  get diagnostics v_received = row_count;

  return query select v_received;
end
$$;

comment on function inbox.receive is
  'Stores updates (raw JSON). p_chat_ids says whose turn each takes; the poller moves its offset,'
  ' the webhook answers 200, only after this has returned. received counts the new ones. Safe to '
  'call again.';

grant execute on function inbox.receive to atlas_bot, atlas_dba;
