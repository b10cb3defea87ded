-- What a trial would give a user, and whether it can be had.
-- Locks: none.
-- Raises: US001, 22023.
create or replace function subscription.trial_offer(p_telegram_id bigint)
returns table (refusal text, days int, tariff text, device_limit int)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);
  if not exists (select 1 from account.account a where a.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  return query
  select subscription._trial_refusal(p_telegram_id, core.now()),
         ops._setting_value('trial_days')::int, t.tariff, t.device_limit::int
  from billing.tariff t
  order by t.is_on_sale desc, t.rank
  limit 1;
end
$$;

comment on function subscription.trial_offer is
  'refusal: the SQLSTATE that start_trial would raise now; null: it can begin. Reads only.';

grant execute on function subscription.trial_offer to atlas_bot, atlas_admin, atlas_dba;
