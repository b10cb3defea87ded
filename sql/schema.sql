--
-- PostgreSQL database dump
--

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: account; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA account;

--
-- Name: SCHEMA account; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA account IS 'Users and admins.';

--
-- Name: audit; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA audit;

--
-- Name: SCHEMA audit; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA audit IS 'Who did what.';

--
-- Name: billing; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA billing;

--
-- Name: SCHEMA billing; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA billing IS 'Tariffs, purchases, payments, invoices.';

--
-- Name: broadcast; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA broadcast;

--
-- Name: SCHEMA broadcast; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA broadcast IS 'Messages to many: what is said, to whom, and how far it is.';

--
-- Name: core; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA core;

--
-- Name: SCHEMA core; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA core IS 'Time, domains and the list of refusals.';

--
-- Name: inbox; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA inbox;

--
-- Name: SCHEMA inbox; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA inbox IS 'Telegram updates, stored before they are confirmed.';

--
-- Name: ledger; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA ledger;

--
-- Name: SCHEMA ledger; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA ledger IS 'Every movement of money, append-only.';

--
-- Name: notify; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA notify;

--
-- Name: SCHEMA notify; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA notify IS 'The message queue as the worker sees it.';

--
-- Name: ops; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA ops;

--
-- Name: SCHEMA ops; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA ops IS 'Settings, switches, leases, jobs, reconciliation.';

--
-- Name: outbox; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA outbox;

--
-- Name: SCHEMA outbox; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA outbox IS 'Work promised by a committed transaction: provisioning and messages.';

--
-- Name: promo; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA promo;

--
-- Name: SCHEMA promo; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA promo IS 'Promo codes and their uses.';

--
-- Name: referral; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA referral;

--
-- Name: SCHEMA referral; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA referral IS 'Who invited whom, and the cashback for it.';

--
-- Name: subscription; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA subscription;

--
-- Name: SCHEMA subscription; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA subscription IS 'What a user has bought, and until when.';

--
-- Name: vpn; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA vpn;

--
-- Name: SCHEMA vpn; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA vpn IS 'The provisioning queue as the worker sees it.';

--
-- Name: wallet; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA wallet;

--
-- Name: SCHEMA wallet; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA wallet IS 'A user''s money now: available, held, debt.';

--
-- Name: withdrawal; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA withdrawal;

--
-- Name: SCHEMA withdrawal; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA withdrawal IS 'Money that users take out.';

--
-- Name: discount_kind; Type: TYPE; Schema: billing; Owner: -
--

CREATE TYPE billing.discount_kind AS ENUM (
    'none',
    'promo',
    'vip',
    'personal'
);

--
-- Name: TYPE discount_kind; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON TYPE billing.discount_kind IS 'Which discount won.';

--
-- Name: payment_outcome; Type: TYPE; Schema: billing; Owner: -
--

CREATE TYPE billing.payment_outcome AS ENUM (
    'applied',
    'credited',
    'suspense',
    'reversed'
);

--
-- Name: TYPE payment_outcome; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON TYPE billing.payment_outcome IS 'What became of received money.';

--
-- Name: purchase_kind; Type: TYPE; Schema: billing; Owner: -
--

CREATE TYPE billing.purchase_kind AS ENUM (
    'subscription',
    'topup'
);

--
-- Name: TYPE purchase_kind; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON TYPE billing.purchase_kind IS 'What is bought: VPN access, or money on the balance.';

--
-- Name: purchase_status; Type: TYPE; Schema: billing; Owner: -
--

CREATE TYPE billing.purchase_status AS ENUM (
    'open',
    'paid',
    'refunded',
    'expired',
    'cancelled'
);

--
-- Name: TYPE purchase_status; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON TYPE billing.purchase_status IS 'open -> paid -> refunded, or open -> expired | cancelled.';

--
-- Name: refund_kind; Type: TYPE; Schema: billing; Owner: -
--

CREATE TYPE billing.refund_kind AS ENUM (
    'refund',
    'reversal'
);

--
-- Name: TYPE refund_kind; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON TYPE billing.refund_kind IS 'Who took a purchase back: an admin (to the balance), or the provider.';

--
-- Name: kind; Type: TYPE; Schema: broadcast; Owner: -
--

CREATE TYPE broadcast.kind AS ENUM (
    'info',
    'maintenance',
    'security',
    'promo'
);

--
-- Name: TYPE kind; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON TYPE broadcast.kind IS 'What a broadcast is about.';

--
-- Name: offer; Type: TYPE; Schema: broadcast; Owner: -
--

CREATE TYPE broadcast.offer AS ENUM (
    'none',
    'buy',
    'trial',
    'status',
    'key'
);

--
-- Name: TYPE offer; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON TYPE broadcast.offer IS 'Where the button under a broadcast leads.';

--
-- Name: outcome; Type: TYPE; Schema: broadcast; Owner: -
--

CREATE TYPE broadcast.outcome AS ENUM (
    'sending',
    'waiting',
    'sent',
    'unreachable',
    'failed',
    'unknown'
);

--
-- Name: TYPE outcome; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON TYPE broadcast.outcome IS 'sending -> sent, unreachable, failed or unknown; or waiting for another attempt, and sending again.';

--
-- Name: segment; Type: TYPE; Schema: broadcast; Owner: -
--

CREATE TYPE broadcast.segment AS ENUM (
    'all',
    'active',
    'expired',
    'no_subscription',
    'never_bought'
);

--
-- Name: TYPE segment; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON TYPE broadcast.segment IS 'Whom a broadcast is for, looked at when their turn comes. no_subscription: nothing in force.';

--
-- Name: status; Type: TYPE; Schema: broadcast; Owner: -
--

CREATE TYPE broadcast.status AS ENUM (
    'draft',
    'running',
    'paused',
    'done',
    'cancelled'
);

--
-- Name: TYPE status; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON TYPE broadcast.status IS 'draft -> running <-> paused; running -> done; any of these -> cancelled.';

--
-- Name: amount_kopecks; Type: DOMAIN; Schema: core; Owner: -
--

CREATE DOMAIN core.amount_kopecks AS bigint
	CONSTRAINT amount_in_range CHECK (((VALUE >= 1) AND (VALUE <= '1000000000000'::bigint)));

--
-- Name: DOMAIN amount_kopecks; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON DOMAIN core.amount_kopecks IS 'An amount that moves: 1 to 10^12 kopecks.';

--
-- Name: balance_kopecks; Type: DOMAIN; Schema: core; Owner: -
--

CREATE DOMAIN core.balance_kopecks AS bigint
	CONSTRAINT balance_not_negative CHECK ((VALUE >= 0));

--
-- Name: DOMAIN balance_kopecks; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON DOMAIN core.balance_kopecks IS 'A balance: never below zero.';

--
-- Name: idempotency_key; Type: DOMAIN; Schema: core; Owner: -
--

CREATE DOMAIN core.idempotency_key AS text
	CONSTRAINT idempotency_key_length CHECK (((length(VALUE) >= 1) AND (length(VALUE) <= 128)));

--
-- Name: DOMAIN idempotency_key; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON DOMAIN core.idempotency_key IS 'Chosen by the caller, 1 to 128 characters.';

--
-- Name: percent; Type: DOMAIN; Schema: core; Owner: -
--

CREATE DOMAIN core.percent AS smallint
	CONSTRAINT percent_in_range CHECK (((VALUE >= 0) AND (VALUE <= 100)));

--
-- Name: DOMAIN percent; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON DOMAIN core.percent IS '0 to 100.';

--
-- Name: price_kopecks; Type: DOMAIN; Schema: core; Owner: -
--

CREATE DOMAIN core.price_kopecks AS bigint
	CONSTRAINT price_in_range CHECK (((VALUE >= 0) AND (VALUE <= '1000000000000'::bigint)));

--
-- Name: DOMAIN price_kopecks; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON DOMAIN core.price_kopecks IS 'A price: 0 to 10^12 kopecks.';

--
-- Name: telegram_id; Type: DOMAIN; Schema: core; Owner: -
--

CREATE DOMAIN core.telegram_id AS bigint
	CONSTRAINT telegram_id_in_range CHECK (((VALUE >= 1) AND (VALUE <= '4503599627370495'::bigint)));

--
-- Name: DOMAIN telegram_id; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON DOMAIN core.telegram_id IS 'A Telegram user: positive, at most 52 bits.';

--
-- Name: account; Type: TYPE; Schema: ledger; Owner: -
--

CREATE TYPE ledger.account AS ENUM (
    'available',
    'held',
    'debt',
    'revenue',
    'provider',
    'adjustment',
    'cashback',
    'payout'
);

--
-- Name: TYPE account; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON TYPE ledger.account IS 'available, held and debt are the user''s; the others are the shop''s and have no row of their own.';

--
-- Name: reason; Type: TYPE; Schema: ledger; Owner: -
--

CREATE TYPE ledger.reason AS ENUM (
    'admin_credit',
    'admin_debit',
    'purchase',
    'provider_purchase',
    'topup',
    'provider_excess',
    'suspense',
    'refund',
    'reversal',
    'cashback',
    'clawback',
    'withdrawal_hold',
    'withdrawal_return',
    'withdrawal_payout'
);

--
-- Name: TYPE reason; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON TYPE ledger.reason IS 'Why money moved.';

--
-- Name: anchor; Type: TYPE; Schema: notify; Owner: -
--

CREATE TYPE notify.anchor AS ENUM (
    'start',
    'end'
);

--
-- Name: TYPE anchor; Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON TYPE notify.anchor IS 'Whether a reminder counts from the start of a period or back from its end.';

--
-- Name: export_kind; Type: TYPE; Schema: ops; Owner: -
--

CREATE TYPE ops.export_kind AS ENUM (
    'users',
    'subscriptions',
    'ledger',
    'promo_batch'
);

--
-- Name: TYPE export_kind; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON TYPE ops.export_kind IS 'What an export has: all users, subscriptions in force, the whole ledger, or the codes of a batch.';

--
-- Name: export_outcome; Type: TYPE; Schema: ops; Owner: -
--

CREATE TYPE ops.export_outcome AS ENUM (
    'done',
    'cancelled',
    'unreachable',
    'refused',
    'failed'
);

--
-- Name: TYPE export_outcome; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON TYPE ops.export_outcome IS 'unreachable: the admin has blocked the bot. refused: the admin is one no more. failed: given up.';

--
-- Name: kind; Type: TYPE; Schema: outbox; Owner: -
--

CREATE TYPE outbox.kind AS ENUM (
    'provision',
    'message',
    'cashback'
);

--
-- Name: TYPE kind; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON TYPE outbox.kind IS 'Who works the task off: vpn.claim_jobs, notify.claim or referral.pay_due.';

--
-- Name: reward_status; Type: TYPE; Schema: referral; Owner: -
--

CREATE TYPE referral.reward_status AS ENUM (
    'paid',
    'clawed_back',
    'void'
);

--
-- Name: TYPE reward_status; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON TYPE referral.reward_status IS 'void: the purchase was taken back before its reward was paid.';

--
-- Name: activation; Type: TYPE; Schema: subscription; Owner: -
--

CREATE TYPE subscription.activation AS ENUM (
    'none',
    'pending',
    'active',
    'failed'
);

--
-- Name: TYPE activation; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON TYPE subscription.activation IS 'Whether the key is on the node.';

--
-- Name: change_kind; Type: TYPE; Schema: subscription; Owner: -
--

CREATE TYPE subscription.change_kind AS ENUM (
    'trial',
    'grant',
    'revoke',
    'refund',
    'reversal',
    'reissue'
);

--
-- Name: TYPE change_kind; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON TYPE subscription.change_kind IS 'What changed a subscription, beside purchases.';

--
-- Name: period; Type: TYPE; Schema: subscription; Owner: -
--

CREATE TYPE subscription.period AS ENUM (
    'paid',
    'trial',
    'grant'
);

--
-- Name: TYPE period; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON TYPE subscription.period IS 'How the time in force began. A purchase replaces a trial; a grant on top of bought time leaves it paid.';

--
-- Name: status; Type: TYPE; Schema: withdrawal; Owner: -
--

CREATE TYPE withdrawal.status AS ENUM (
    'pending',
    'approved',
    'rejected',
    'cancelled'
);

--
-- Name: TYPE status; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON TYPE withdrawal.status IS 'pending -> approved | rejected | cancelled.';

--
-- Name: _close_corporate(bigint, bigint, bigint, text); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account._close_corporate(p_telegram_id bigint, p_request_id bigint, p_closed_by bigint, p_action text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
declare
  v_closed record;
begin
  perform account._lock(p_telegram_id);
  select c.closed_at, c.closed_by into v_closed
  from account.corporate_request c
  where c.telegram_id = p_telegram_id and c.request_id = p_request_id;
  if not found then
    perform core._refuse('CO001', format('request_id %s', p_request_id));
  elsif v_closed.closed_by = p_closed_by then
    return true;
  elsif v_closed.closed_at is not null then
    perform core._refuse('CO003', format('request_id %s was closed by %s at %s', p_request_id,
                                         v_closed.closed_by, v_closed.closed_at));
  end if;

  update account.corporate_request c
  set closed_at = core.now(), closed_by = p_closed_by
  where c.telegram_id = p_telegram_id and c.request_id = p_request_id;
  perform audit._record(p_action, p_closed_by, p_telegram_id::text,
                        jsonb_build_object('request_id', p_request_id));
  return false;
end
$$;

--
-- Name: FUNCTION _close_corporate(p_telegram_id bigint, p_request_id bigint, p_closed_by bigint, p_action text); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account._close_corporate(p_telegram_id bigint, p_request_id bigint, p_closed_by bigint, p_action text) IS 'By the user, or by an admin.';

--
-- Name: _corporate_card(bigint, bigint); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account._corporate_card(p_telegram_id bigint, p_request_id bigint) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
  select jsonb_strip_nulls(jsonb_build_object(
    'request_id', c.request_id, 'telegram_id', c.telegram_id, 'company', c.company,
    'contact', c.contact, 'username', a.username, 'registered_at', a.registered_at,
    'user_tariff', s.tariff, 'user_expires_at', s.expires_at))
  from account.corporate_request c
  join account.account a on a.telegram_id = c.telegram_id
  left join subscription.subscription s on s.telegram_id = c.telegram_id
  where c.telegram_id = p_telegram_id and c.request_id = p_request_id
$$;

--
-- Name: FUNCTION _corporate_card(p_telegram_id bigint, p_request_id bigint); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account._corporate_card(p_telegram_id bigint, p_request_id bigint) IS 'The user''s tariff and end have names of their own: a message''s tariff is its reader''s.';

--
-- Name: _discount_percent(bigint, timestamp with time zone); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account._discount_percent(p_telegram_id bigint, p_now timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql STABLE
    AS $$
begin
  return (
    select greatest(
      case when a.is_vip then ops._setting_value('vip_discount_percent')::int else 0 end,
      case when a.discount_expires_at <= p_now then 0 else coalesce(a.discount_percent, 0) end)
    from account.account a
    where a.telegram_id = p_telegram_id);
end
$$;

--
-- Name: FUNCTION _discount_percent(p_telegram_id bigint, p_now timestamp with time zone); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account._discount_percent(p_telegram_id bigint, p_now timestamp with time zone) IS 'The larger of the VIP and the personal discount; 0 for none.';

--
-- Name: _find_referrer(bigint, text); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account._find_referrer(p_telegram_id bigint, p_start_payload text, OUT referrer_id bigint, OUT bind_refusal text) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
begin
  if p_start_payload is null or p_start_payload !~ '^ref_' then
    return;
  end if;

  select a.telegram_id into _find_referrer.referrer_id
  from account.account a
  where a.referral_code = substr(p_start_payload, 5);

  if _find_referrer.referrer_id is null then
    bind_refusal := 'unknown_code';
  elsif _find_referrer.referrer_id = p_telegram_id then
    _find_referrer.referrer_id := null;
    bind_refusal := 'self';
  end if;
end
$$;

--
-- Name: FUNCTION _find_referrer(p_telegram_id bigint, p_start_payload text, OUT referrer_id bigint, OUT bind_refusal text); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account._find_referrer(p_telegram_id bigint, p_start_payload text, OUT referrer_id bigint, OUT bind_refusal text) IS 'Whose referral link a start payload is.';

--
-- Name: _lock(bigint); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account._lock(p_telegram_id bigint, OUT is_blocked boolean) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
begin
  perform pg_advisory_xact_lock((1::bigint << 56) | p_telegram_id);

  select a.is_blocked into _lock.is_blocked
  from account.account a
  where a.telegram_id = p_telegram_id
  for no key update;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

--
-- Name: FUNCTION _lock(p_telegram_id bigint, OUT is_blocked boolean); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account._lock(p_telegram_id bigint, OUT is_blocked boolean) IS 'Locks one user. The row is the authority; the advisory lock in front only keeps the queue in order.';

--
-- Name: _new_referral_code(); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account._new_referral_code() RETURNS text
    LANGUAGE sql
    AS $$
  -- A version 4 uuid is random but for its digits 13 and 17.
  select substr(u.hex, 1, 12) || substr(u.hex, 29, 4)
  from (select replace(gen_random_uuid()::text, '-', '') as hex) u
$$;

--
-- Name: FUNCTION _new_referral_code(); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account._new_referral_code() IS '16 hex digits from a version 4 uuid.';

--
-- Name: _only_admins(bigint); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account._only_admins(p_admin_id bigint) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  perform core._require(p_admin_id is not null, 'p_admin_id: who asks');
  if not exists (
    select 1 from account.admin a where a.telegram_id = p_admin_id and a.is_active) then
    perform core._refuse('US003', format('telegram_id %s', p_admin_id));
  end if;
end
$$;

--
-- Name: FUNCTION _only_admins(p_admin_id bigint); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account._only_admins(p_admin_id bigint) IS 'Checks an admin who looks at something. Who changes something: account._require_admin.';

--
-- Name: _require_admin(bigint); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account._require_admin(p_admin_id bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_is_active boolean;
begin
  select a.is_active into v_is_active
  from account.admin a
  where a.telegram_id = p_admin_id
  for share;
  if v_is_active is not true then
    perform core._refuse('US003', format('telegram_id %s', p_admin_id));
  end if;
end
$$;

--
-- Name: FUNCTION _require_admin(p_admin_id bigint); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account._require_admin(p_admin_id bigint) IS 'Checks the acting admin and blocks a revocation meanwhile.';

--
-- Name: _require_words(text, text); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account._require_words(p_text text, p_name text) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $_$
begin
  if (p_text ~ '^[^[:cntrl:]]{2,200}$' and p_text ~ '[^[:space:]]') is not true then
    perform core._refuse('22023', p_name || ': 2 to 200 characters, no control characters');
  end if;
end
$_$;

--
-- Name: FUNCTION _require_words(p_text text, p_name text); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account._require_words(p_text text, p_name text) IS 'What people type about themselves, on one line.';

--
-- Name: _set_admin(bigint, text, boolean); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account._set_admin(p_telegram_id bigint, p_note text, p_is_active boolean) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_now timestamptz := core.now();
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(length(p_note) between 1 and 1000, 'p_note: 1 to 1000 characters');

  if not exists (select 1 from account.account a where a.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  insert into account.admin as a (telegram_id, is_active, note, changed_at)
  values (p_telegram_id, p_is_active, p_note, v_now)
  on conflict on constraint admin_pkey do update
  set is_active = excluded.is_active, note = excluded.note, changed_at = excluded.changed_at
  where a.is_active <> excluded.is_active;

  if found then
    perform audit._record(
      case when p_is_active then 'account.grant_admin' else 'account.revoke_admin' end,
      null, p_telegram_id::text, jsonb_build_object('note', p_note, 'by', session_user));
  end if;
end
$$;

--
-- Name: FUNCTION _set_admin(p_telegram_id bigint, p_note text, p_is_active boolean); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account._set_admin(p_telegram_id bigint, p_note text, p_is_active boolean) IS 'grant_admin and revoke_admin.';

--
-- Name: _set_blocked(bigint, bigint, text, boolean, uuid); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account._set_blocked(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_is_blocked boolean, p_draft_id uuid) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
declare
  v_is_blocked boolean;
begin
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require_user_id(p_telegram_id);
  perform core._require(length(p_reason) between 1 and 1000, 'p_reason: 1 to 1000 characters');
  perform account._require_admin(p_admin_id);
  v_is_blocked := account._lock(p_telegram_id);
  if not account._take_draft(p_admin_id, p_draft_id,
                             case when p_is_blocked then 'block' else 'unblock' end) then
    return true;
  elsif v_is_blocked = p_is_blocked then
    return false;
  end if;

  update account.account a
  set is_blocked = p_is_blocked,
      blocked_at = case when p_is_blocked then core.now() end,
      blocked_reason = case when p_is_blocked then p_reason end
  where a.telegram_id = p_telegram_id;
  if not p_is_blocked then -- renewals that stopped meanwhile are looked at again
    update subscription.subscription s
    set renew_check_at = core.now()
    where s.telegram_id = p_telegram_id and s.auto_renew and s.expires_at > core.now();
  end if;
  perform audit._record(case when p_is_blocked then 'account.block' else 'account.unblock' end,
                        p_admin_id, p_telegram_id::text, jsonb_build_object('reason', p_reason));
  return false;
end
$$;

--
-- Name: FUNCTION _set_blocked(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_is_blocked boolean, p_draft_id uuid); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account._set_blocked(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_is_blocked boolean, p_draft_id uuid) IS 'account.block and account.unblock. True: the draft was done before, and nothing changed.';

--
-- Name: _take_draft(bigint, uuid, text); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account._take_draft(p_admin_id bigint, p_draft_id uuid, p_action text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
declare
  v_now timestamptz := core.now();
begin
  if p_draft_id is null then -- not from a confirm screen
    return true;
  end if;

  update account.draft d
  set done_at = v_now
  where d.admin_id = p_admin_id and d.draft_id = p_draft_id and d.action = p_action
    and d.done_at is null and d.expires_at > v_now;
  if found then
    return true;
  elsif not exists (
    select 1 from account.draft d
    where d.admin_id = p_admin_id and d.draft_id = p_draft_id and d.action = p_action
      and d.done_at is not null) then
    perform core._refuse('US004', format('draft_id %s: unknown, expired, or of something else',
                                         p_draft_id));
  end if;
  return false;
end
$$;

--
-- Name: FUNCTION _take_draft(p_admin_id bigint, p_draft_id uuid, p_action text); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account._take_draft(p_admin_id bigint, p_draft_id uuid, p_action text) IS 'For actions that have no key of their own: pressed again, the button of a draft does not do once more what somebody may have changed since. A null draft is always the first time.';

--
-- Name: _tell_referrer(bigint, bigint, timestamp with time zone); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account._tell_referrer(p_telegram_id bigint, p_referrer_id bigint, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  if p_referrer_id is not null then
    insert into outbox.task (telegram_id, kind, name, due_at, created_at)
    values (p_referrer_id, 'message', 'referral_joined', p_now, p_now);
    perform audit._record('account.register.bound', p_telegram_id, p_telegram_id::text,
                          jsonb_build_object('referrer_id', p_referrer_id));
  end if;
end
$$;

--
-- Name: FUNCTION _tell_referrer(p_telegram_id bigint, p_referrer_id bigint, p_now timestamp with time zone); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account._tell_referrer(p_telegram_id bigint, p_referrer_id bigint, p_now timestamp with time zone) IS 'Queues referral_joined for the referrer, if there is one.';

--
-- Name: block(bigint, bigint, text, uuid); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.block(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_draft_id uuid DEFAULT NULL::uuid) RETURNS TABLE(telegram_id bigint, is_blocked boolean, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._guard();
  block.is_replay := account._set_blocked(
    p_admin_id, p_telegram_id, p_reason, true, p_draft_id);
  return query
  select a.telegram_id::bigint, a.is_blocked, block.is_replay
  from account.account a where a.telegram_id = p_telegram_id;
end
$$;

--
-- Name: FUNCTION block(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_draft_id uuid); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.block(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_draft_id uuid) IS 'A blocked user buys nothing and starts nothing; received money goes to the balance, and what is paid for stays. Works with every switch off. Safe to call again; with p_draft_id, of account.draft_action, a repeat changes nothing, whatever was done since.';

--
-- Name: cancel_corporate(bigint, bigint); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.cancel_corporate(p_telegram_id bigint, p_request_id bigint) RETURNS TABLE(request_id bigint, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_request_id is not null, 'p_request_id: the id from request_corporate');
  return query
  select p_request_id,
         account._close_corporate(p_telegram_id, p_request_id, p_telegram_id,
                                  'account.cancel_corporate');
end
$$;

--
-- Name: FUNCTION cancel_corporate(p_telegram_id bigint, p_request_id bigint); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.cancel_corporate(p_telegram_id bigint, p_request_id bigint) IS 'Possible for a blocked user too. Its own key: a second call is a replay.';

--
-- Name: card(bigint, bigint); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.card(p_admin_id bigint, p_telegram_id bigint) RETURNS TABLE(telegram_id bigint, username text, language text, registered_at timestamp with time zone, is_reachable boolean, is_admin boolean, is_blocked boolean, blocked_at timestamp with time zone, blocked_reason text, is_vip boolean, personal_percent integer, personal_expires_at timestamp with time zone, discount_percent integer, available_kopecks bigint, held_kopecks bigint, debt_kopecks bigint, status text, tariff text, expires_at timestamp with time zone, auto_renew boolean, activation text, referrer_id bigint, invited bigint, paying bigint, earned_kopecks bigint, purchases bigint, spent_kopecks bigint, last_tariff text, last_months integer, last_kopecks bigint, last_paid_at timestamp with time zone, last_paid_with text, payment_provider text, payment_kopecks bigint, payment_outcome text, payment_at timestamp with time zone, withdrawal_id bigint, withdrawal_kopecks bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require_user_id(p_telegram_id);
  perform account._only_admins(p_admin_id);

  return query
  select a.telegram_id::bigint, a.username, a.language, a.registered_at, a.is_reachable,
         exists (select 1 from account.admin m
                 where m.telegram_id = a.telegram_id and m.is_active),
         a.is_blocked, a.blocked_at, a.blocked_reason, a.is_vip,
         d.percent::int, case when d.percent is not null then a.discount_expires_at end,
         account._discount_percent(a.telegram_id, v_now),
         w.available_kopecks::bigint, w.held_kopecks::bigint, w.debt_kopecks::bigint,
         s.status, s.tariff, s.expires_at, s.auto_renew, s.activation,
         a.referrer_id::bigint, r.invited, r.paying, r.earned_kopecks, b.purchases, b.spent::bigint,
         l.tariff, l.months::int, l.price_kopecks::bigint, l.closed_at, l.paid_with,
         p.provider, p.worth_kopecks, p.outcome::text, p.received_at,
         h.withdrawal_id, h.amount_kopecks::bigint
  from account.account a
  join wallet.wallet w on w.telegram_id = a.telegram_id
  cross join lateral subscription.current(a.telegram_id) s
  cross join lateral referral.stats(a.telegram_id) r
  cross join lateral (
    select case when a.discount_expires_at <= v_now then null else a.discount_percent end
      as percent) d
  cross join lateral (
    select count(*) as purchases, coalesce(sum(o.price_kopecks), 0) as spent
    from billing.purchase o
    where o.telegram_id = a.telegram_id and o.kind = 'subscription' and o.status = 'paid') b
  left join lateral (
    select o.tariff, o.months, o.price_kopecks, o.closed_at, o.paid_with
    from billing.purchase o
    where o.telegram_id = a.telegram_id and o.kind = 'subscription' and o.status = 'paid'
    order by o.closed_at desc limit 1) l on true
  left join lateral (
    select o.provider, o.worth_kopecks, o.outcome, o.received_at
    from billing.payment o
    where o.telegram_id = a.telegram_id
    order by o.payment_id desc limit 1) p on true
  left join withdrawal.withdrawal h on h.telegram_id = a.telegram_id and h.status = 'pending'
  where a.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

--
-- Name: FUNCTION card(p_admin_id bigint, p_telegram_id bigint); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.card(p_admin_id bigint, p_telegram_id bigint) IS 'For admins: rights, discounts, balance, subscription, referrals, paid subscriptions (how many, their price, the last), the last payment by a provider and the pending withdrawal. Reads that user''s own rows only.';

--
-- Name: check_admin(bigint); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.check_admin(p_admin_id bigint) RETURNS TABLE(telegram_id bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform account._only_admins(p_admin_id);

  return query select p_admin_id;
end
$$;

--
-- Name: FUNCTION check_admin(p_admin_id bigint); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.check_admin(p_admin_id bigint) IS 'For screens of admins that ask the database nothing else yet. Whatever changes something checks the admin again, in its own transaction. Reads only.';

--
-- Name: close_corporate(bigint, bigint, bigint); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.close_corporate(p_admin_id bigint, p_telegram_id bigint, p_request_id bigint) RETURNS TABLE(request_id bigint, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_request_id is not null, 'p_request_id: the id from request_corporate');
  perform account._require_admin(p_admin_id);
  return query
  select p_request_id,
         account._close_corporate(p_telegram_id, p_request_id, p_admin_id,
                                  'account.close_corporate');
end
$$;

--
-- Name: FUNCTION close_corporate(p_admin_id bigint, p_telegram_id bigint, p_request_id bigint); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.close_corporate(p_admin_id bigint, p_telegram_id bigint, p_request_id bigint) IS 'The user can ask anew from then on. Its own key: the same admin''s second call is a replay, another''s is CO003 with who and when in DETAIL.';

--
-- Name: draft_action(bigint, text, jsonb, text); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.draft_action(p_admin_id bigint, p_action text, p_arguments jsonb, p_idempotency_key text) RETURNS TABLE(draft_id uuid, expires_at timestamp with time zone, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_first record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_action ~ '^[a-z_]{1,64}$', 'p_action: a-z and _, 1 to 64 characters');
  perform core._require(
    jsonb_typeof(p_arguments) = 'object' and length(p_arguments::text) <= 20000,
    'p_arguments: an object of at most 20000 characters');
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);
  v_now := core.now();

  insert into account.draft (
    admin_id, draft_id, action, arguments, idempotency_key, drafted_at, expires_at)
  values (p_admin_id, gen_random_uuid(), p_action, p_arguments, p_idempotency_key, v_now,
          v_now + make_interval(secs => ops._setting_value('action_draft_seconds')))
  on conflict on constraint draft_key_once do nothing;
  draft_action.is_replay := not found;

  select d.draft_id, d.expires_at, d.action, d.arguments into v_first
  from account.draft d
  where d.admin_id = p_admin_id and d.idempotency_key = p_idempotency_key;
  if v_first.action <> p_action or v_first.arguments <> p_arguments then
    perform core._refuse('ID001', format('draft_id %s has the key', v_first.draft_id));
  end if;
  if not draft_action.is_replay then
    perform audit._record('account.draft_action', p_admin_id, v_first.draft_id::text,
                          jsonb_build_object('action', p_action));
  end if;

  return query select v_first.draft_id, v_first.expires_at, draft_action.is_replay;
end
$_$;

--
-- Name: FUNCTION draft_action(p_admin_id bigint, p_action text, p_arguments jsonb, p_idempotency_key text); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.draft_action(p_admin_id bigint, p_action text, p_arguments jsonb, p_idempotency_key text) IS 'For confirm screens: the button carries draft_id, and what is done is read from the draft. Does nothing yet. It can be confirmed for 15 minutes (setting action_draft_seconds). The action itself takes a key made of the draft''s id, so that it happens once. Idempotent by p_idempotency_key.';

--
-- Name: find_users(bigint, text, integer); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.find_users(p_admin_id bigint, p_query text, p_limit integer) RETURNS TABLE(telegram_id bigint, username text, is_blocked boolean, registered_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
declare
  v_query text := lower(ltrim(p_query, '@'));
begin
  perform core._require(
    length(v_query) between 1 and 64 and p_query !~ '[[:cntrl:]]',
    'p_query: a number, or the beginning of a name, 1 to 64 characters');
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  (select a.telegram_id::bigint, a.username, a.is_blocked, a.registered_at
   from account.account a
   where a.telegram_id = case when v_query ~ '^[0-9]{1,16}$' then v_query::bigint end)
  union all
  (select a.telegram_id::bigint, a.username, a.is_blocked, a.registered_at
   from account.account a
   where lower(a.username) ~>=~ v_query and lower(a.username) ~<~ (v_query || chr(1114111))
   order by lower(a.username) using ~<~, a.telegram_id
   limit p_limit)
  limit p_limit;
end
$_$;

--
-- Name: FUNCTION find_users(p_admin_id bigint, p_query text, p_limit integer); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.find_users(p_admin_id bigint, p_query text, p_limit integer) IS 'Who has that number, then whose name begins so, the exact name first, in upper or lower case, with or without @. Names are as they were at the last /start. Reads only.';

--
-- Name: grant_admin(bigint, text); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.grant_admin(p_telegram_id bigint, p_note text) RETURNS TABLE(telegram_id bigint, is_admin boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform account._set_admin(p_telegram_id, p_note, true);
  return query select p_telegram_id, true;
end
$$;

--
-- Name: FUNCTION grant_admin(p_telegram_id bigint, p_note text); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.grant_admin(p_telegram_id bigint, p_note text) IS 'Makes a registered user an admin, with the reason why. For the database owner and DBAs only; the application cannot make admins. Safe to call again.';

--
-- Name: latest_corporate(bigint); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.latest_corporate(p_telegram_id bigint) RETURNS TABLE(request_id bigint, company text, contact text, requested_at timestamp with time zone, closed_at timestamp with time zone, is_own_closing boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);
  if not exists (select 1 from account.account a where a.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  return query
  select c.request_id, c.company, c.contact, c.requested_at, c.closed_at,
         c.closed_by is not distinct from c.telegram_id
  from account.corporate_request c
  where c.telegram_id = p_telegram_id
  order by c.request_id desc
  limit 1;
end
$$;

--
-- Name: FUNCTION latest_corporate(p_telegram_id bigint); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.latest_corporate(p_telegram_id bigint) IS 'No row: never asked, or long ago. closed_at is null while it waits; is_own_closing: the user took it back. Reads only.';

--
-- Name: list_corporate(bigint, integer); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.list_corporate(p_admin_id bigint, p_limit integer) RETURNS TABLE(request_id bigint, telegram_id bigint, username text, company text, contact text, requested_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');

  return query
  select c.request_id, c.telegram_id::bigint, a.username, c.company, c.contact, c.requested_at
  from account.corporate_request c
  join account.account a on a.telegram_id = c.telegram_id
  where c.closed_at is null
  order by c.requested_at, c.request_id
  limit p_limit;
end
$$;

--
-- Name: FUNCTION list_corporate(p_admin_id bigint, p_limit integer); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.list_corporate(p_admin_id bigint, p_limit integer) IS 'For admins only. Reads only.';

--
-- Name: profile(bigint); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.profile(p_telegram_id bigint) RETURNS TABLE(telegram_id bigint, language text, is_language_chosen boolean, is_admin boolean, is_blocked boolean, is_reachable boolean, referral_code text, referrer_id bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);

  return query
  select a.telegram_id::bigint, a.language, a.is_language_chosen,
         exists (select 1 from account.admin m
                 where m.telegram_id = a.telegram_id and m.is_active),
         a.is_blocked, a.is_reachable, a.referral_code, a.referrer_id::bigint
  from account.account a
  where a.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

--
-- Name: FUNCTION profile(p_telegram_id bigint); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.profile(p_telegram_id bigint) IS 'Language, rights and referral code of a user. Reads only.';

--
-- Name: register(bigint, text, text, text); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.register(p_telegram_id bigint, p_username text, p_language text, p_start_payload text) RETURNS TABLE(telegram_id bigint, is_new boolean, language text, referrer_id bigint, bind_refusal text, is_language_chosen boolean, is_trial_offered boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
  v_referrer_id bigint;
  v_bind_refusal text;
  v_is_new boolean;
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(
    p_username is null or p_username ~ '^[^[:cntrl:]]{1,64}$',
    'p_username: null, or 1 to 64 characters, no control characters');
  perform core._require(p_language is null or p_language in ('ru', 'en'),
                        'p_language: ru, en, or null for not known');
  perform core._require(p_start_payload is null or p_start_payload ~ '^[^[:cntrl:]]{0,64}$',
                        'p_start_payload: null, or at most 64 characters, no control characters');

  select r.referrer_id, r.bind_refusal into v_referrer_id, v_bind_refusal
  from account._find_referrer(p_telegram_id, p_start_payload) r;

  insert into account.account (
    telegram_id, username, language, referral_code, referrer_id, start_payload, registered_at)
  values (
    p_telegram_id, p_username, coalesce(p_language, 'ru'), account._new_referral_code(),
    v_referrer_id, nullif(p_start_payload, ''), v_now)
  on conflict on constraint account_pkey do nothing;
  v_is_new := found;

  if v_is_new then
    insert into wallet.wallet (telegram_id) values (p_telegram_id);
    perform account._tell_referrer(p_telegram_id, v_referrer_id, v_now);
  else
    perform account._lock(p_telegram_id);
    update account.account a
    set username = p_username, is_reachable = true
    where a.telegram_id = p_telegram_id
      and (a.username is distinct from p_username or not a.is_reachable);
    if v_referrer_id is distinct from (
         select a.referrer_id from account.account a where a.telegram_id = p_telegram_id) then
      v_bind_refusal := coalesce(
        v_bind_refusal, case when v_referrer_id is not null then 'already_registered' end);
    end if;
  end if;

  if v_bind_refusal is not null then
    perform audit._record('account.register.bind_refused', p_telegram_id, p_telegram_id::text,
                          jsonb_build_object('reason', v_bind_refusal));
  end if;

  return query
  select a.telegram_id::bigint, v_is_new, a.language, a.referrer_id::bigint, v_bind_refusal,
         a.is_language_chosen, subscription._trial_refusal(p_telegram_id, v_now) is null
  from account.account a
  where a.telegram_id = p_telegram_id;
end
$_$;

--
-- Name: FUNCTION register(p_telegram_id bigint, p_username text, p_language text, p_start_payload text); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.register(p_telegram_id bigint, p_username text, p_language text, p_start_payload text) IS 'Registers a user, or notes that a known one is back. p_language is a guess (null: ru) until account.set_language. p_start_payload "ref_<code>" binds the referrer of a brand-new user, once and for ever: a code cannot be older than its owner, so neither oneself nor a cycle can be bound. bind_refusal: null, unknown_code, self or already_registered. is_trial_offered is what subscription.trial_offer would say, so that /start asks once. Safe to call again.';

--
-- Name: request_corporate(bigint, text, text, text); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.request_corporate(p_telegram_id bigint, p_company text, p_contact text, p_idempotency_key text) RETURNS TABLE(request_id bigint, requested_at timestamp with time zone, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_first record;
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform account._require_words(p_company, 'p_company');
  perform account._require_words(p_contact, 'p_contact');
  perform core._require_key(p_idempotency_key);
  v_is_blocked := account._lock(p_telegram_id);

  select c.request_id, c.company, c.contact, c.requested_at into v_first
  from account.corporate_request c
  where c.telegram_id = p_telegram_id and c.idempotency_key = p_idempotency_key;
  if found then
    if (v_first.company, v_first.contact) <> (p_company, p_contact) then
      perform core._refuse('ID001', format('request_id %s has the key', v_first.request_id));
    end if;
    return query select v_first.request_id, v_first.requested_at, true;
    return;
  elsif v_is_blocked then
    perform core._refuse('US002', format('telegram_id %s', p_telegram_id));
  elsif exists (select 1 from account.corporate_request c
                where c.telegram_id = p_telegram_id and c.closed_at is null) then
    perform core._refuse('CO002', format('telegram_id %s (corporate_request_one_open)',
                                         p_telegram_id));
  end if;

  insert into account.corporate_request (
    telegram_id, company, contact, idempotency_key, requested_at)
  values (p_telegram_id, p_company, p_contact, p_idempotency_key, core.now())
  returning request_id, requested_at into request_id, requested_at;
  perform audit._record('account.request_corporate', p_telegram_id, p_telegram_id::text,
                        jsonb_build_object('request_id', request_id));
  perform ops._tell_admins('corporate_requested', account._corporate_card(
    p_telegram_id, request_id));
  is_replay := false;
  return next;
end
$$;

--
-- Name: FUNCTION request_corporate(p_telegram_id bigint, p_company text, p_contact text, p_idempotency_key text); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.request_corporate(p_telegram_id bigint, p_company text, p_contact text, p_idempotency_key text) IS 'One open request per user; every admin gets a message with it and the user''s card. Idempotent by p_idempotency_key.';

--
-- Name: revoke_admin(bigint, text); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.revoke_admin(p_telegram_id bigint, p_note text) RETURNS TABLE(telegram_id bigint, is_admin boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform account._set_admin(p_telegram_id, p_note, false);
  return query select p_telegram_id, false;
end
$$;

--
-- Name: FUNCTION revoke_admin(p_telegram_id bigint, p_note text); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.revoke_admin(p_telegram_id bigint, p_note text) IS 'Takes the rights of an admin away; what the admin has in hand fails from its next lock on. Safe to call again.';

--
-- Name: set_discount(bigint, bigint, integer, timestamp with time zone, uuid); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.set_discount(p_admin_id bigint, p_telegram_id bigint, p_percent integer, p_expires_at timestamp with time zone, p_draft_id uuid DEFAULT NULL::uuid) RETURNS TABLE(telegram_id bigint, discount_percent integer, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_percent smallint;
  v_expires_at timestamptz;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_percent is null or p_percent between 0 and 99,
                        'p_percent: 1 to 99, or 0 or null for none');
  perform account._require_admin(p_admin_id);
  perform account._lock(p_telegram_id);
  v_now := core.now();
  perform core._require(p_expires_at is null or p_expires_at > v_now,
                        'p_expires_at: in the future, or null for no end');
  set_discount.is_replay := not account._take_draft(p_admin_id, p_draft_id, 'set_discount');
  v_percent := nullif(p_percent, 0)::smallint;
  v_expires_at := case when v_percent is not null then p_expires_at end;

  update account.account a
  set discount_percent = v_percent, discount_expires_at = v_expires_at
  where a.telegram_id = p_telegram_id
    and (a.discount_percent::smallint, a.discount_expires_at)
        is distinct from (v_percent, v_expires_at)
    and not set_discount.is_replay;
  if found then
    perform audit._record('account.set_discount', p_admin_id, p_telegram_id::text,
      jsonb_build_object('percent', v_percent, 'expires_at', v_expires_at));
  end if;

  return query
  select p_telegram_id, account._discount_percent(p_telegram_id, v_now), set_discount.is_replay;
end
$$;

--
-- Name: FUNCTION set_discount(p_admin_id bigint, p_telegram_id bigint, p_percent integer, p_expires_at timestamp with time zone, p_draft_id uuid); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.set_discount(p_admin_id bigint, p_telegram_id bigint, p_percent integer, p_expires_at timestamp with time zone, p_draft_id uuid) IS 'A personal discount on everything, from now until p_expires_at (null: for good). It never adds to another discount: the largest wins, and discount_percent is what the user has now without a promo code. Safe to call again; with p_draft_id, of account.draft_action, a repeat changes nothing, whatever was done since.';

--
-- Name: set_language(bigint, text); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.set_language(p_telegram_id bigint, p_language text) RETURNS TABLE(telegram_id bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_language in ('ru', 'en'), 'p_language: ru or en');
  perform account._lock(p_telegram_id);

  update account.account a
  set language = p_language, is_language_chosen = true
  where a.telegram_id = p_telegram_id
    and (a.language <> p_language or not a.is_language_chosen);

  return query select p_telegram_id;
end
$$;

--
-- Name: FUNCTION set_language(p_telegram_id bigint, p_language text); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.set_language(p_telegram_id bigint, p_language text) IS 'Sets the language (ru, en). From then on it is not asked again. Safe to call again.';

--
-- Name: set_reachable(bigint, boolean); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.set_reachable(p_telegram_id bigint, p_is_reachable boolean) RETURNS TABLE(telegram_id bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_is_reachable is not null, 'p_is_reachable: true or false');
  perform account._lock(p_telegram_id);

  update account.account a
  set is_reachable = p_is_reachable
  where a.telegram_id = p_telegram_id and a.is_reachable <> p_is_reachable;

  return query select p_telegram_id;
end
$$;

--
-- Name: FUNCTION set_reachable(p_telegram_id bigint, p_is_reachable boolean); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.set_reachable(p_telegram_id bigint, p_is_reachable boolean) IS 'False after Telegram said that the user blocked the bot; true when the user writes again. Safe to call again.';

--
-- Name: set_vip(bigint, bigint, boolean, uuid); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.set_vip(p_admin_id bigint, p_telegram_id bigint, p_is_vip boolean, p_draft_id uuid DEFAULT NULL::uuid) RETURNS TABLE(telegram_id bigint, discount_percent integer, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_is_vip is not null, 'p_is_vip: true or false');
  perform account._require_admin(p_admin_id);
  perform account._lock(p_telegram_id);
  set_vip.is_replay := not account._take_draft(p_admin_id, p_draft_id, 'set_vip');

  update account.account a
  set is_vip = p_is_vip
  where a.telegram_id = p_telegram_id and a.is_vip <> p_is_vip and not set_vip.is_replay;
  if found then
    perform audit._record('account.set_vip', p_admin_id, p_telegram_id::text,
                          jsonb_build_object('is_vip', p_is_vip));
  end if;

  return query
  select p_telegram_id, account._discount_percent(p_telegram_id, core.now()), set_vip.is_replay;
end
$$;

--
-- Name: FUNCTION set_vip(p_admin_id bigint, p_telegram_id bigint, p_is_vip boolean, p_draft_id uuid); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.set_vip(p_admin_id bigint, p_telegram_id bigint, p_is_vip boolean, p_draft_id uuid) IS 'VIPs have a discount of 30 % (setting vip_discount_percent). discount_percent is what the user has now, the larger of VIP and personal. Safe to call again; with p_draft_id, of account.draft_action, a repeat changes nothing, whatever was done since.';

--
-- Name: show_action(bigint, uuid); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.show_action(p_admin_id bigint, p_draft_id uuid) RETURNS TABLE(draft_id uuid, action text, arguments jsonb, expires_at timestamp with time zone, is_expired boolean, drafted_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);
  perform core._require(p_draft_id is not null, 'p_draft_id: the id from account.draft_action');

  return query
  select d.draft_id, d.action, d.arguments, d.expires_at, d.expires_at <= core.now(),
         d.drafted_at
  from account.draft d
  where d.admin_id = p_admin_id and d.draft_id = p_draft_id;
  if not found then
    perform core._refuse('US004', format('draft_id %s', p_draft_id));
  end if;
end
$$;

--
-- Name: FUNCTION show_action(p_admin_id bigint, p_draft_id uuid); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.show_action(p_admin_id bigint, p_draft_id uuid) IS 'An admin''s own draft; another admin''s is US004. Reads only.';

--
-- Name: unblock(bigint, bigint, text, uuid); Type: FUNCTION; Schema: account; Owner: -
--

CREATE FUNCTION account.unblock(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_draft_id uuid DEFAULT NULL::uuid) RETURNS TABLE(telegram_id bigint, is_blocked boolean, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._guard('admin_actions');
  unblock.is_replay := account._set_blocked(
    p_admin_id, p_telegram_id, p_reason, false, p_draft_id);
  return query
  select a.telegram_id::bigint, a.is_blocked, unblock.is_replay
  from account.account a where a.telegram_id = p_telegram_id;
end
$$;

--
-- Name: FUNCTION unblock(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_draft_id uuid); Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON FUNCTION account.unblock(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_draft_id uuid) IS 'Lifts account.block. Safe to call again; with p_draft_id, of account.draft_action, a repeat changes nothing, whatever was done since.';

--
-- Name: _batch_end(bigint, bigint, integer); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit._batch_end(p_from_xid bigint, p_settled_xid bigint, p_limit integer) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_width bigint := p_limit;
  v_to_xid bigint;
  v_last_xid bigint;
begin
  loop -- a wider range each time, so that a long backlog is not sorted as a whole
    v_to_xid := least(p_from_xid + v_width, p_settled_xid);

    select r.recorded_xid into v_last_xid
    from (
      select t.recorded_xid from ledger.transfer t
      where t.recorded_xid >= p_from_xid and t.recorded_xid < v_to_xid
      union all
      select e.recorded_xid from audit.entry e
      where e.recorded_xid >= p_from_xid and e.recorded_xid < v_to_xid
    ) r
    order by r.recorded_xid
    offset p_limit - 1 limit 1;

    exit when found or v_to_xid >= p_settled_xid;
    v_width := v_width * 8;
  end loop;

  return coalesce(v_last_xid + 1, p_settled_xid);
end
$$;

--
-- Name: FUNCTION _batch_end(p_from_xid bigint, p_settled_xid bigint, p_limit integer); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit._batch_end(p_from_xid bigint, p_settled_xid bigint, p_limit integer) IS 'A transaction is never split: one that wrote more than p_limit rows is taken whole.';

--
-- Name: _batch_hash(bigint, bigint, bigint, text[], bytea[], bytea); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit._batch_hash(p_batch_id bigint, p_from_xid bigint, p_to_xid bigint, p_row_ids text[], p_row_hashes bytea[], p_previous_hash bytea) RETURNS bytea
    LANGUAGE sql STABLE
    AS $$
  select sha256(decode('01', 'hex') || int8send(p_batch_id) || int8send(p_from_xid)
    || int8send(p_to_xid) || int8send(count(*)) || p_previous_hash
    || coalesce(string_agg(audit._field(r.row_id) || r.row_hash, ''::bytea order by r.place), ''))
  from unnest(p_row_ids, p_row_hashes) with ordinality r (row_id, row_hash, place)
$$;

--
-- Name: FUNCTION _batch_hash(p_batch_id bigint, p_from_xid bigint, p_to_xid bigint, p_row_ids text[], p_row_hashes bytea[], p_previous_hash bytea); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit._batch_hash(p_batch_id bigint, p_from_xid bigint, p_to_xid bigint, p_row_ids text[], p_row_hashes bytea[], p_previous_hash bytea) IS 'SHA-256 over a version byte 01, the batch''s number, its range, the number of its rows (eight bytes each), the hash before, and of each row its id (framed) and its hash.';

--
-- Name: _event_at(text); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit._event_at(p_event_id text) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    AS $_$
begin
  if p_event_id ~ '^e[0-9]{1,18}$' then
    return (select e.occurred_at from audit.entry e
            where e.entry_id = substr(p_event_id, 2)::bigint);
  elsif p_event_id ~ '^t[0-9]{1,16}\.[0-9]{1,18}$' then
    return (select t.created_at from ledger.transfer t
            where t.telegram_id = split_part(substr(p_event_id, 2), '.', 1)::bigint
              and t.version = split_part(p_event_id, '.', 2)::bigint);
  end if;
  return null;
end
$_$;

--
-- Name: FUNCTION _event_at(p_event_id text); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit._event_at(p_event_id text) IS 'An event_id is e and the number of the entry, or t, the user and the version of a transfer.';

--
-- Name: _field(text); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit._field(p_value text) RETURNS bytea
    LANGUAGE sql STABLE
    AS $$
  select coalesce(int4send(octet_length(p_value)) || convert_to(p_value, 'UTF8'),
                  decode('ffffffff', 'hex'))
$$;

--
-- Name: FUNCTION _field(p_value text); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit._field(p_value text) IS 'Length (four bytes, big-endian) and UTF-8 bytes; null is ffffffff, so it is not the empty text.';

--
-- Name: _first_bad(); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit._first_bad() RETURNS text
    LANGUAGE sql STABLE
    AS $$
  select f.problem
  from (
    select b.batch_id, 1 as step, b.problem from audit._first_bad_batch() b
    union all
    select r.batch_id, 2, r.problem from audit._first_bad_row() r
    union all
    select max(b.batch_id) + 1, 3,
           format('the server''s transaction counter is at %s, behind the seal at %s',
                  pg_snapshot_xmax(pg_current_snapshot()), max(b.to_xid))
    from audit.batch b
    having max(b.to_xid) > pg_snapshot_xmax(pg_current_snapshot())::text::bigint
  ) f
  order by f.batch_id, f.step
  limit 1
$$;

--
-- Name: FUNCTION _first_bad(); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit._first_bad() IS 'The earliest of: a broken batch, a changed row, a transaction counter that went back (a dump restored into a new server: rows written there would count as added to a sealed range).';

--
-- Name: _first_bad_batch(); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit._first_bad_batch() RETURNS TABLE(batch_id bigint, problem text)
    LANGUAGE sql STABLE
    AS $$
  with chain as (
    select b.*,
           lag(b.batch_id, 1, 0::bigint) over w as last_id,
           lag(b.to_xid, 1, 0::bigint) over w as last_xid,
           lag(b.sealed_rows, 1, 0::bigint) over w as last_rows,
           lag(b.hash, 1, decode(repeat('00', 32), 'hex')) over w as last_hash
    from audit.batch b
    window w as (order by b.batch_id)
  ), judged as (
    select c.batch_id,
           case
             when c.batch_id <> c.last_id + 1 then format('batch %s is missing', c.last_id + 1)
             when c.previous_hash <> c.last_hash or c.from_xid <> c.last_xid
               then format('batch %s does not follow batch %s', c.batch_id, c.last_id)
             when c.sealed_rows <> c.last_rows + cardinality(c.row_ids)
               then format('batch %s miscounts its rows', c.batch_id)
             when c.hash is distinct from audit._batch_hash(
                    c.batch_id, c.from_xid, c.to_xid, c.row_ids, c.row_hashes, c.previous_hash)
               then format('batch %s was edited', c.batch_id)
           end as problem
    from chain c
  )
  select j.batch_id, j.problem from judged j
  where j.problem is not null
  order by j.batch_id
  limit 1
$$;

--
-- Name: FUNCTION _first_bad_batch(); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit._first_bad_batch() IS 'Numbers, ranges, counts and hashes of all batches; no row when the chain is whole.';

--
-- Name: _first_bad_row(); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit._first_bad_row() RETURNS TABLE(batch_id bigint, problem text)
    LANGUAGE sql STABLE
    AS $$
  with sealed as (
    select b.batch_id, s.place, s.row_id, s.row_hash
    from audit.batch b
    cross join unnest(b.row_ids, b.row_hashes) with ordinality s (row_id, row_hash, place)
  ), judged as (
    select coalesce(s.batch_id, (select min(b.batch_id) from audit.batch b
                                 where b.to_xid > r.recorded_xid)) as batch_id,
           s.place, r.row_id as found_id,
           case
             when r.row_id is null then s.row_id || ' is missing'
             when s.row_id is null then r.row_id || ' was added'
             else s.row_id || ' was edited'
           end as problem
    from sealed s
    full join audit._rows(0, (select max(b.to_xid) from audit.batch b)) r on r.row_id = s.row_id
    where s.row_hash is distinct from r.row_hash
  )
  select j.batch_id, j.problem from judged j
  order by j.batch_id, j.place, j.found_id collate "C"
  limit 1
$$;

--
-- Name: FUNCTION _first_bad_row(); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit._first_bad_row() IS 'Compares every sealed row''s hash with the row as it is now, and looks for rows that were added to a sealed range; no row when all agree.';

--
-- Name: _last_batch(); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit._last_batch() RETURNS TABLE(batch_id bigint, to_xid bigint, sealed_rows bigint, hash bytea)
    LANGUAGE sql STABLE
    AS $$
  select l.batch_id, l.to_xid, l.sealed_rows, l.hash
  from (
    select b.batch_id, b.to_xid, b.sealed_rows, b.hash from audit.batch b
    union all
    select 0, 0, 0, decode(repeat('00', 32), 'hex')
  ) l
  order by l.batch_id desc
  limit 1
$$;

--
-- Name: FUNCTION _last_batch(); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit._last_batch() IS 'One row always.';

--
-- Name: _moment(timestamp with time zone); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit._moment(p_at timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    AS $$
  select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US AD')
$$;

--
-- Name: FUNCTION _moment(p_at timestamp with time zone); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit._moment(p_at timestamp with time zone) IS 'UTC, to the microsecond: 2027-03-05 10:00:00.000000 AD.';

--
-- Name: _record(text, bigint, text, jsonb); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit._record(p_action text, p_actor_id bigint, p_subject_id text, p_details jsonb DEFAULT '{}'::jsonb) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  insert into audit.entry (occurred_at, actor_id, action, subject_id, details)
  values (core.now(), p_actor_id, p_action, p_subject_id, p_details);
end
$$;

--
-- Name: FUNCTION _record(p_action text, p_actor_id bigint, p_subject_id text, p_details jsonb); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit._record(p_action text, p_actor_id bigint, p_subject_id text, p_details jsonb) IS 'Writes one audit entry in the caller''s transaction.';

--
-- Name: _refuse_change(); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit._refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  raise exception using
    errcode = 'insufficient_privilege',
    message = 'append-only',
    detail = format('%s of %I.%I', lower(tg_op), tg_table_schema, tg_table_name),
    hint = 'A mistake is put right by another row; what is sealed is checked by audit.verify.';
end
$$;

--
-- Name: FUNCTION _refuse_change(); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit._refuse_change() IS 'Against mistakes of the owner, who can disable the trigger: then audit.verify finds the change.';

--
-- Name: _rows(bigint, bigint); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit._rows(p_from_xid bigint, p_to_xid bigint) RETURNS TABLE(recorded_xid bigint, row_id text, row_hash bytea)
    LANGUAGE sql STABLE
    AS $$
  select t.recorded_xid, 'transfer:' || t.telegram_id || '/' || t.version,
         sha256(decode('01', 'hex') || audit._field('transfer')
           || audit._field(t.telegram_id::text) || audit._field(t.version::text)
           || audit._field(t.transfer_id::text) || audit._field(t.debit_account::text)
           || audit._field(t.credit_account::text) || audit._field(t.reason::text)
           || audit._field(t.amount_kopecks::text) || audit._field(t.available_kopecks::text)
           || audit._field(t.held_kopecks::text) || audit._field(t.debt_kopecks::text)
           || audit._field(audit._moment(t.created_at)) || audit._field(t.recorded_xid::text)
           || audit._field(t.purchase_id::text) || audit._field(t.payment_id::text)
           || audit._field(t.withdrawal_id::text) || audit._field(t.actor_id::text)
           || audit._field(t.note) || audit._field(t.idempotency_key)
           || audit._field(t.correlation_id))
  from ledger.transfer t
  where t.recorded_xid >= p_from_xid and t.recorded_xid < p_to_xid
  union all
  select e.recorded_xid, 'entry:' || e.entry_id,
         sha256(decode('01', 'hex') || audit._field('entry')
           || audit._field(e.entry_id::text) || audit._field(audit._moment(e.occurred_at))
           || audit._field(e.actor_id::text) || audit._field(e.action)
           || audit._field(e.subject_id) || audit._field(e.details::text)
           || audit._field(e.recorded_xid::text) || audit._field(e.correlation_id))
  from audit.entry e
  where e.recorded_xid >= p_from_xid and e.recorded_xid < p_to_xid
$$;

--
-- Name: FUNCTION _rows(p_from_xid bigint, p_to_xid bigint); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit._rows(p_from_xid bigint, p_to_xid bigint) IS 'Ledger rows and audit entries by recorded_xid (BRIN). The hash is SHA-256 of the canonical form: a version byte 01, then the kind and every column in the order of the table, each framed by audit._field. Another form needs another version byte.';

--
-- Name: head(); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.head() RETURNS TABLE(sealed_rows bigint, head text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return query select l.sealed_rows, encode(l.hash, 'hex') from audit._last_batch() l;
end
$$;

--
-- Name: FUNCTION head(); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.head() IS 'How many rows are sealed, and the last batch''s hash in hex (zeros before the first): the two arguments of audit.verify_against.';

--
-- Name: list(bigint, bigint, text, text, integer); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.list(p_admin_id bigint, p_actor_id bigint, p_subject_id text, p_before_id text, p_limit integer) RETURNS TABLE(event_id text, occurred_at timestamp with time zone, actor_id bigint, actor_name text, action text, subject_id text, details jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $_$
#variable_conflict use_column
declare
  v_before timestamptz := audit._event_at(p_before_id);
begin
  perform core._require(p_subject_id is null or length(p_subject_id) between 1 and 256,
                        'p_subject_id: null for all, or 1 to 256 characters');
  perform core._require(p_before_id is null or v_before is not null,
                        'p_before_id: null for the newest, or an event_id of this list');
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  select u.event_id, u.occurred_at, u.actor_id, n.username, u.action, u.subject_id, u.details
  from (
    (select i.event_id, e.occurred_at, e.actor_id, e.action, e.subject_id, e.details
     from audit.entry e
     cross join lateral (select 'e' || e.entry_id as event_id) i
     where (p_actor_id is null or e.actor_id = p_actor_id)
       and (p_subject_id is null or e.subject_id = p_subject_id)
       and (v_before is null or e.occurred_at <= v_before)
       and (v_before is null
            or (e.occurred_at, i.event_id collate "C") < (v_before, p_before_id collate "C"))
     order by e.occurred_at desc, i.event_id collate "C" desc
     limit p_limit)
    union all
    (select i.event_id, t.created_at, t.actor_id, 'ledger.' || t.reason, t.telegram_id::text,
            jsonb_strip_nulls(
              jsonb_build_object('amount_kopecks', t.amount_kopecks, 'note', t.note))
     from ledger.transfer t
     cross join lateral (select 't' || t.telegram_id || '.' || t.version as event_id) i
     where t.actor_id is not null
       and (p_actor_id is null or t.actor_id = p_actor_id)
       and (p_subject_id is null or t.telegram_id = case
              when p_subject_id ~ '^[0-9]{1,16}$' then p_subject_id::bigint end)
       and (v_before is null or t.created_at <= v_before)
       and (v_before is null
            or (t.created_at, i.event_id collate "C") < (v_before, p_before_id collate "C"))
     order by t.created_at desc, i.event_id collate "C" desc
     limit p_limit)
  ) u
  left join account.account n on n.telegram_id = u.actor_id
  order by u.occurred_at desc, u.event_id collate "C" desc
  limit p_limit;
end
$_$;

--
-- Name: FUNCTION list(p_admin_id bigint, p_actor_id bigint, p_subject_id text, p_before_id text, p_limit integer); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.list(p_admin_id bigint, p_actor_id bigint, p_subject_id text, p_before_id text, p_limit integer) IS 'Audit entries, and the movements of money that admins made; what users moved themselves is in wallet.statement and audit.event. By who did it, by what it was done to (a user''s number), or all; the next page begins before the last event seen. Each way reads an index. Reads only.';

--
-- Name: refused(bigint, text, text, text); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.refused(p_actor_id bigint, p_action text, p_subject_id text, p_sqlstate text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
begin
  perform core._guard();
  perform core._require(length(p_action) between 1 and 119, 'p_action: 1 to 119 characters');
  perform core._require(p_subject_id is null or length(p_subject_id) <= 256,
                        'p_subject_id: null, or at most 256 characters');
  perform core._require(p_sqlstate ~ '^[A-Z0-9]{5}$', 'p_sqlstate: five characters A-Z, 0-9');

  perform audit._record('refused.' || p_action, p_actor_id, p_subject_id,
                        jsonb_build_object('sqlstate', p_sqlstate));
end
$_$;

--
-- Name: FUNCTION refused(p_actor_id bigint, p_action text, p_subject_id text, p_sqlstate text); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.refused(p_actor_id bigint, p_action text, p_subject_id text, p_sqlstate text) IS 'A refusal changes nothing, so it cannot leave a trace itself: after US002, US003, PU001, WD001, WD005 and CO001 the caller calls this in its next transaction.';

--
-- Name: seal(integer); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.seal(p_limit integer) RETURNS TABLE(sealed integer, sealed_rows bigint, head text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_last record;
  v_to_xid bigint;
  v_row_ids text[];
  v_row_hashes bytea[];
  v_hash bytea;
begin
  perform core._guard();
  perform core._require(p_limit between 1 and 100000, 'p_limit: 1 to 100000');

  insert into ops.lease (name, epoch, expires_at)
  values ('audit.seal', 0, '-infinity')
  on conflict on constraint lease_pkey do nothing;
  perform 1 from ops.lease l where l.name = 'audit.seal' for no key update;

  select l.batch_id, l.to_xid, l.sealed_rows, l.hash into strict v_last from audit._last_batch() l;
  -- The horizon first, the rows in later statements: no older transaction can add to them.
  v_to_xid := audit._batch_end(
    v_last.to_xid, pg_snapshot_xmin(pg_current_snapshot())::text::bigint, p_limit);

  select array_agg(r.row_id order by r.recorded_xid, r.row_id collate "C"),
         array_agg(r.row_hash order by r.recorded_xid, r.row_id collate "C")
  into v_row_ids, v_row_hashes
  from audit._rows(v_last.to_xid, v_to_xid) r;
  if v_row_ids is null then
    return query select 0, v_last.sealed_rows, encode(v_last.hash, 'hex');
    return;
  end if;

  v_hash := audit._batch_hash(v_last.batch_id + 1, v_last.to_xid, v_to_xid,
                              v_row_ids, v_row_hashes, v_last.hash);
  insert into audit.batch (batch_id, from_xid, to_xid, row_ids, row_hashes, sealed_rows,
                           previous_hash, hash, sealed_at)
  values (v_last.batch_id + 1, v_last.to_xid, v_to_xid, v_row_ids, v_row_hashes,
          v_last.sealed_rows + cardinality(v_row_ids), v_last.hash, v_hash, core.now());

  return query
  select cardinality(v_row_ids), v_last.sealed_rows + cardinality(v_row_ids),
         encode(v_hash, 'hex');
end
$$;

--
-- Name: FUNCTION seal(p_limit integer); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.seal(p_limit integer) IS 'Seals about p_limit rows whose transactions are below every running one''s, so that nothing can still appear among them; money never waits for it. sealed_rows and head are the state after it: keep them outside the database for audit.verify_against. A transaction that stays open holds sealing up.';

--
-- Name: verify(); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.verify() RETURNS TABLE(is_intact boolean, sealed bigint, first_bad text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_first_bad text := audit._first_bad();
begin
  return query
  select v_first_bad is null, l.sealed_rows, v_first_bad from audit._last_batch() l;
end
$$;

--
-- Name: FUNCTION verify(); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.verify() IS 'Reads everything that is sealed: an edited, missing or added row, or a broken batch, whichever comes first. A cut tail and a chain made anew by the owner show only in audit.verify_against.';

--
-- Name: verify_against(bigint, text); Type: FUNCTION; Schema: audit; Owner: -
--

CREATE FUNCTION audit.verify_against(p_sealed bigint, p_head text) RETURNS TABLE(is_intact boolean, sealed bigint, first_bad text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
  v_first_bad text;
  v_head text;
begin
  perform core._require(p_sealed >= 0, 'p_sealed: 0 or more');
  perform core._require(p_head ~ '^[0-9a-f]{64}$', 'p_head: 64 characters 0-9, a-f');

  v_first_bad := audit._first_bad();
  if v_first_bad is null then
    select encode(b.hash, 'hex') into v_head from audit.batch b where b.sealed_rows = p_sealed;
    if p_sealed = 0 then
      v_head := repeat('0', 64);
    end if;
    v_first_bad := case
      when v_head is null then format('no batch ends at %s rows', p_sealed)
      when v_head <> p_head then format('the head at %s rows is %s', p_sealed, v_head)
    end;
  end if;

  return query
  select v_first_bad is null, l.sealed_rows, v_first_bad from audit._last_batch() l;
end
$_$;

--
-- Name: FUNCTION verify_against(p_sealed bigint, p_head text); Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON FUNCTION audit.verify_against(p_sealed bigint, p_head text) IS 'audit.verify, and then: the batch that ended at p_sealed rows is still there and has the hash p_head, as audit.seal or audit.head once gave them and somebody kept outside the database.';

--
-- Name: _alarm_if_amount_differs(text, text, bigint, text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._alarm_if_amount_differs(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_first record;
begin
  select p.payment_id, p.amount_minor, p.currency into strict v_first
  from billing.charge c
  join billing.payment p on p.telegram_id = c.telegram_id and p.payment_id = c.payment_id
  where c.provider = p_provider and c.charge_id = p_charge_id;

  if (v_first.amount_minor, v_first.currency) is distinct from (p_amount_minor, p_currency) then
    perform ops._alarm('payment_amount_differs', 'payment:' || v_first.payment_id, format(
      '%s: booked %s %s, repeated with %s %s', p_provider, v_first.amount_minor,
      v_first.currency, p_amount_minor, p_currency));
  end if;
end
$$;

--
-- Name: FUNCTION _alarm_if_amount_differs(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._alarm_if_amount_differs(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text) IS 'The booked amount stands; the admins are told.';

--
-- Name: _apply_payment(bigint, bigint, boolean, uuid, bigint, text, bigint, timestamp with time zone); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._apply_payment(p_telegram_id bigint, p_owner_id bigint, p_is_blocked boolean, p_purchase_id uuid, p_payment_id bigint, p_provider text, p_worth_kopecks bigint, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_tolerance_kopecks bigint := ops._setting_value('payment_tolerance_kopecks');
  v_purchase record;
  v_why text;
  v_revenue_kopecks bigint := 0;
  v_available_kopecks bigint;
  v_expires_at timestamptz;
begin
  select u.kind, u.status, u.tariff, u.months, u.price_kopecks, u.promo_id into v_purchase
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;

  v_why := case
    when p_telegram_id <> p_owner_id then 'other_payer'
    when p_is_blocked then 'blocked'
    when v_purchase.status not in ('open', 'expired', 'cancelled') then 'already_paid'
    when v_purchase.kind = 'topup' then 'topup'
    when p_worth_kopecks < v_purchase.price_kopecks - v_tolerance_kopecks
      then 'underpaid'
  end;
  if v_why is null and v_purchase.promo_id is not null and v_purchase.status <> 'open'
     and not promo._retake(p_telegram_id, p_purchase_id, v_purchase.promo_id, p_now) then
    v_why := 'promo_used_up'; -- its use went back when it expired, and others took the last
  end if;

  if v_why is null then
    v_revenue_kopecks := least(p_worth_kopecks, v_purchase.price_kopecks);
  end if;
  v_available_kopecks := billing._book_payment(
    p_telegram_id, p_purchase_id, p_payment_id, v_revenue_kopecks,
    p_worth_kopecks - v_revenue_kopecks, v_why, p_now);

  if v_why is null then
    v_expires_at := billing._fulfil(
      p_telegram_id, p_purchase_id, v_purchase.tariff, v_purchase.months,
      v_purchase.price_kopecks, p_provider, p_payment_id, v_available_kopecks, p_now);
  elsif v_why = 'topup' then
    update billing.purchase u
    set status = 'paid', closed_at = p_now, paid_with = p_provider, payment_id = p_payment_id,
        available_after_kopecks = v_available_kopecks
    where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;
  end if;

  update billing.payment p
  set outcome = case when coalesce(v_why, 'topup') = 'topup' then 'applied' else 'credited' end
                  ::billing.payment_outcome,
      credited_kopecks = p_worth_kopecks - v_revenue_kopecks,
      subscription_expires_at = v_expires_at
  where p.telegram_id = p_telegram_id and p.payment_id = p_payment_id;
end
$$;

--
-- Name: FUNCTION _apply_payment(p_telegram_id bigint, p_owner_id bigint, p_is_blocked boolean, p_purchase_id uuid, p_payment_id bigint, p_provider text, p_worth_kopecks bigint, p_now timestamp with time zone); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._apply_payment(p_telegram_id bigint, p_owner_id bigint, p_is_blocked boolean, p_purchase_id uuid, p_payment_id bigint, p_provider text, p_worth_kopecks bigint, p_now timestamp with time zone) IS 'A purchase that is open, expired or cancelled is honoured at its recorded price, a late one with a promo code while the code has a use left; everything else goes to the payer''s balance.';

--
-- Name: _assign(bigint, bigint, bigint, bigint, text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._assign(p_payment_id bigint, p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_now timestamptz := core.now();
begin
  update billing.payment p
  set telegram_id = p_telegram_id, outcome = 'credited', worth_kopecks = p_amount_kopecks,
      credited_kopecks = p_amount_kopecks, resolved_by = p_admin_id, resolved_at = v_now,
      resolution_note = p_note
  where p.telegram_id = 0 and p.payment_id = p_payment_id;
  update billing.charge c
  set telegram_id = p_telegram_id
  from billing.payment p
  where p.telegram_id = p_telegram_id and p.payment_id = p_payment_id
    and c.provider = p.provider and c.charge_id = p.charge_id;

  perform ledger._post(
    p_telegram_id, 'suspense', 'provider', 'available', p_amount_kopecks, v_now,
    p_payment_id => p_payment_id, p_actor_id => p_admin_id, p_note => p_note);
  insert into outbox.task (
    telegram_id, kind, name, due_at, created_at, amount_kopecks, arguments)
  values (p_telegram_id, 'message', 'payment_credited', v_now, v_now, p_amount_kopecks,
          jsonb_build_object('reason', 'suspense'));
  perform audit._record(
    'billing.resolve_suspense', p_admin_id, 'payment:' || p_payment_id, jsonb_build_object(
      'telegram_id', p_telegram_id, 'amount_kopecks', p_amount_kopecks, 'note', p_note));
end
$$;

--
-- Name: FUNCTION _assign(p_payment_id bigint, p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._assign(p_payment_id bigint, p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text) IS 'resolve_suspense once nothing speaks against it.';

--
-- Name: _book_payment(bigint, uuid, bigint, bigint, bigint, text, timestamp with time zone); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._book_payment(p_telegram_id bigint, p_purchase_id uuid, p_payment_id bigint, p_revenue_kopecks bigint, p_credit_kopecks bigint, p_why text, p_now timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
  v_available_kopecks bigint;
begin
  if p_revenue_kopecks > 0 then
    v_available_kopecks := (ledger._post(
      p_telegram_id, 'provider_purchase', 'provider', 'revenue', p_revenue_kopecks, p_now,
      p_purchase_id => p_purchase_id, p_payment_id => p_payment_id)).available_kopecks;
  end if;

  if p_credit_kopecks > 0 then
    v_available_kopecks := (ledger._post(
      p_telegram_id,
      case when p_why = 'topup' then 'topup' else 'provider_excess' end::ledger.reason,
      'provider', 'available', p_credit_kopecks, p_now,
      p_purchase_id => p_purchase_id, p_payment_id => p_payment_id)).available_kopecks;

    insert into outbox.task (
      telegram_id, kind, name, due_at, created_at, purchase_id, amount_kopecks, arguments)
    values (p_telegram_id, 'message',
            case when p_why = 'promo_used_up' then p_why else 'payment_credited' end,
            p_now, p_now, p_purchase_id, p_credit_kopecks,
            jsonb_build_object('reason', coalesce(p_why, 'overpaid')));
  end if;
  if p_why = 'promo_used_up' then
    perform ops._alarm(p_why, 'purchase:' || p_purchase_id, format(
      'paid late by telegram_id %s: %s kopecks credited', p_telegram_id, p_credit_kopecks));
  end if;

  return v_available_kopecks;
end
$$;

--
-- Name: FUNCTION _book_payment(p_telegram_id bigint, p_purchase_id uuid, p_payment_id bigint, p_revenue_kopecks bigint, p_credit_kopecks bigint, p_why text, p_now timestamp with time zone); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._book_payment(p_telegram_id bigint, p_purchase_id uuid, p_payment_id bigint, p_revenue_kopecks bigint, p_credit_kopecks bigint, p_why text, p_now timestamp with time zone) IS 'The ledger side of a payment. reason in the message: topup, overpaid, other_payer, blocked, already_paid or underpaid; promo_used_up has a message of its own, and an alarm.';

--
-- Name: _chain(bigint); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._chain(p_telegram_id bigint) RETURNS TABLE(place bigint, purchase_id uuid, is_purchase boolean, happened_at timestamp with time zone, before_tariff text, before_expires_at timestamp with time zone, before_period subscription.period, after_tariff text, bought interval, taken_back_at bigint, is_undone boolean)
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_column
begin
  return query
  select e.*
  from (
    select u.provision_task_id, u.purchase_id, true, u.closed_at, u.before_tariff,
           u.before_expires_at, u.before_period, u.tariff, u.after_expires_at - u.period_starts_at,
           r.change_id, u.status = 'refunded'
    from billing.purchase u
    left join billing.refund r
      on r.telegram_id = u.telegram_id and r.purchase_id = u.purchase_id
    where u.telegram_id = p_telegram_id and u.kind = 'subscription'
      and u.status in ('paid', 'refunded')
    union all
    select c.change_id, c.purchase_id, false, c.changed_at, c.before_tariff,
           c.before_expires_at, c.before_period, c.after_tariff, null, null,
           c.kind in ('refund', 'reversal', 'reissue')
    from subscription.change c
    where c.telegram_id = p_telegram_id
  ) e (place)
  where not exists (
    select 1 from billing.refund r
    where r.telegram_id = p_telegram_id and e.place between r.restored_from and r.change_id);
end
$$;

--
-- Name: FUNCTION _chain(p_telegram_id bigint); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._chain(p_telegram_id bigint) IS 'Purchases and changes with the state before them. bought: how long a purchase''s period is. is_undone: a purchase that was taken back, the change that did it, or a reissue, which changes no time.';

--
-- Name: _convert(interval, text, text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._convert(p_remaining interval, p_from text, p_to text) RETURNS interval
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_ratio numeric;
begin
  select old_price.list_kopecks::numeric / new_price.list_kopecks into v_ratio
  from billing.tariff old_tariff
  join billing.tariff new_tariff on new_tariff.tariff = p_to and new_tariff.rank > old_tariff.rank
  join billing.tariff_price old_price on old_price.tariff = p_from and old_price.months = 1
  join billing.tariff_price new_price on new_price.tariff = p_to and new_price.months = 1
  where old_tariff.tariff = p_from;
  if not found then
    return p_remaining;
  end if;

  return make_interval(secs => floor(extract(epoch from p_remaining) * v_ratio)::float8);
end
$$;

--
-- Name: FUNCTION _convert(p_remaining interval, p_from text, p_to text); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._convert(p_remaining interval, p_from text, p_to text) IS 'Moving up converts by the one-month list prices, rounded down to a second; moving down keeps the time.';

--
-- Name: _expire(bigint[], timestamp with time zone); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._expire(p_users bigint[], p_now timestamp with time zone) RETURNS integer
    LANGUAGE sql
    AS $$
  with due as (
    update billing.purchase u
    set status = case u.status when 'open' then 'expired' else u.status end,
        closed_at = coalesce(u.closed_at, p_now),
        expiry_check_at = null
    where u.telegram_id = any (p_users) and u.expiry_check_at <= p_now
    returning u.telegram_id, u.purchase_id, u.promo_id, u.status = 'expired' as is_expired
  ), released as (
    delete from promo.use p
    using due d
    where d.is_expired and p.telegram_id = d.telegram_id and p.promo_id = d.promo_id
      and p.purchase_id = d.purchase_id
  )
  select count(*) filter (where d.is_expired)::int from due d
$$;

--
-- Name: FUNCTION _expire(p_users bigint[], p_now timestamp with time zone); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._expire(p_users bigint[], p_now timestamp with time zone) IS 'Looks at purchases once after their end: open ones expire and give the use of their promo code back, the others are left as they are.';

--
-- Name: _find_opened(bigint, billing.purchase_kind, text, text, integer, text, bigint); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._find_opened(p_telegram_id bigint, p_kind billing.purchase_kind, p_idempotency_key text, p_tariff text, p_months integer, p_promo_code text, p_amount_kopecks bigint) RETURNS uuid
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_first record;
begin
  select u.purchase_id, u.tariff, u.months, u.promo_code, u.price_kopecks into v_first
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.kind = p_kind
    and u.idempotency_key = p_idempotency_key;
  if not found then
    return null;
  end if;

  if (v_first.tariff, v_first.months, v_first.promo_code)
     is distinct from (p_tariff, p_months::smallint, p_promo_code)
     or (p_kind = 'topup' and v_first.price_kopecks <> p_amount_kopecks) then
    perform core._refuse('ID001', format('purchase_id %s has the key', v_first.purchase_id));
  end if;
  return v_first.purchase_id;
end
$$;

--
-- Name: FUNCTION _find_opened(p_telegram_id bigint, p_kind billing.purchase_kind, p_idempotency_key text, p_tariff text, p_months integer, p_promo_code text, p_amount_kopecks bigint); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._find_opened(p_telegram_id bigint, p_kind billing.purchase_kind, p_idempotency_key text, p_tariff text, p_months integer, p_promo_code text, p_amount_kopecks bigint) IS 'The purchase that has this key, or null.';

--
-- Name: _fulfil(bigint, uuid, text, integer, bigint, text, bigint, bigint, timestamp with time zone); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._fulfil(p_telegram_id bigint, p_purchase_id uuid, p_tariff text, p_months integer, p_price_kopecks bigint, p_paid_with text, p_payment_id bigint, p_available_kopecks bigint, p_now timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql
    AS $$
declare
  v_referrer_id bigint;
  v_before_tariff text;
  v_before_expires_at timestamptz;
  v_before_period subscription.period;
  v_vpn_uuid uuid;
  v_starts_at timestamptz;
  v_expires_at timestamptz;
  v_task_id bigint := nextval('outbox.task_id');
begin
  select a.referrer_id, s.tariff, s.expires_at, s.period, s.vpn_uuid
  into v_referrer_id, v_before_tariff, v_before_expires_at, v_before_period, v_vpn_uuid
  from account.account a
  left join subscription.subscription s on s.telegram_id = a.telegram_id
  where a.telegram_id = p_telegram_id;
  if (v_before_expires_at > p_now) is not true then
    if v_before_expires_at is not null then
      perform subscription._retire(p_telegram_id, p_now);
    end if;
    v_vpn_uuid := gen_random_uuid(); -- after expiry the identity is a new one
  end if;
  v_starts_at := subscription._start_after(
    p_now, p_tariff, v_before_tariff, v_before_expires_at, v_before_period);
  v_expires_at := subscription._add_months(v_starts_at, p_months);

  perform subscription._extend(p_telegram_id, p_tariff, v_expires_at, v_vpn_uuid, p_now);

  insert into outbox.task (
    telegram_id, task_id, kind, name, due_at, created_at, purchase_id, vpn_uuid,
    amount_kopecks, other_id)
  select t.telegram_id, t.task_id, t.kind, t.name, p_now, p_now, p_purchase_id, t.vpn_uuid,
         t.amount_kopecks, t.other_id
  from (values
    (p_telegram_id, v_task_id, 'provision'::outbox.kind, 'add', v_vpn_uuid, null::bigint,
     null::bigint),
    (p_telegram_id, nextval('outbox.task_id'), 'message', 'payment_applied', null, null, null),
    (v_referrer_id, nextval('outbox.task_id'), 'cashback', 'reward', null, p_price_kopecks,
     p_telegram_id)
  ) t (telegram_id, task_id, kind, name, vpn_uuid, amount_kopecks, other_id)
  where t.telegram_id is not null and (t.kind <> 'cashback' or p_price_kopecks > 0);

  update billing.purchase u
  set status = 'paid',
      closed_at = p_now,
      paid_with = p_paid_with,
      payment_id = p_payment_id,
      before_tariff = v_before_tariff,
      before_expires_at = v_before_expires_at,
      before_period = v_before_period,
      period_starts_at = v_starts_at,
      after_expires_at = v_expires_at,
      available_after_kopecks = p_available_kopecks,
      provision_task_id = v_task_id
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;

  return v_expires_at;
end
$$;

--
-- Name: FUNCTION _fulfil(p_telegram_id bigint, p_purchase_id uuid, p_tariff text, p_months integer, p_price_kopecks bigint, p_paid_with text, p_payment_id bigint, p_available_kopecks bigint, p_now timestamp with time zone); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._fulfil(p_telegram_id bigint, p_purchase_id uuid, p_tariff text, p_months integer, p_price_kopecks bigint, p_paid_with text, p_payment_id bigint, p_available_kopecks bigint, p_now timestamp with time zone) IS 'The one place where a paid purchase becomes a subscription, in the transaction that moved the money.';

--
-- Name: _identify_payment(text, uuid, bigint, bigint, text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._identify_payment(p_provider text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, OUT telegram_id bigint, OUT owner_id bigint, OUT worth_kopecks bigint, OUT problem text) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_column
declare
  v_worth numeric;
begin
  select u.telegram_id,
         case p_provider when 'stars'
           then floor(u.price_kopecks::numeric * p_amount_minor / i.amount_minor)
           else p_amount_minor end
  into owner_id, v_worth
  from billing.purchase u
  left join lateral (
    select n.amount_minor from billing.invoice n
    where n.telegram_id = u.telegram_id and n.purchase_id = u.purchase_id
      and n.provider = p_provider
    order by n.attached_at limit 1) i on true
  where u.purchase_id = p_purchase_id;

  _identify_payment.telegram_id := coalesce(p_payer_id, owner_id);

  if owner_id is null then
    problem := 'unknown_purchase';
  elsif not exists (select 1 from account.account a
                    where a.telegram_id = _identify_payment.telegram_id) then
    problem := 'unknown_payer';
  elsif not exists (select 1 from billing.provider p
                    where p.provider = p_provider and p.currency = p_currency) then
    problem := 'wrong_currency';
  elsif v_worth is null then
    problem := 'no_invoice';
  elsif v_worth > 1000000000000 then
    problem := 'amount_out_of_range';
  else
    worth_kopecks := v_worth::bigint;
  end if;
end
$$;

--
-- Name: FUNCTION _identify_payment(p_provider text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, OUT telegram_id bigint, OUT owner_id bigint, OUT worth_kopecks bigint, OUT problem text); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._identify_payment(p_provider text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, OUT telegram_id bigint, OUT owner_id bigint, OUT worth_kopecks bigint, OUT problem text) IS 'problem: null, unknown_purchase, unknown_payer, wrong_currency, no_invoice (Stars are worth their share of the invoice) or amount_out_of_range.';

--
-- Name: _left_of(bigint, bigint, bigint); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._left_of(p_telegram_id bigint, p_place bigint, p_until_place bigint) RETURNS interval
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_event record;
  v_left interval;
begin
  for v_event in
    select c.place, c.bought, c.before_tariff, c.after_tariff,
           coalesce(c.before_expires_at > c.happened_at, false) as follows
    from billing._chain(p_telegram_id) c
    where c.place between p_place and p_until_place - 1
    order by c.place
  loop
    if v_event.place = p_place then
      v_left := v_event.bought;
    elsif not v_event.follows then
      return interval '0'; -- it was over: what came after does not build on it
    else
      v_left := billing._convert(v_left, v_event.before_tariff, v_event.after_tariff);
    end if;
  end loop;
  return v_left;
end
$$;

--
-- Name: FUNCTION _left_of(p_telegram_id bigint, p_place bigint, p_until_place bigint); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._left_of(p_telegram_id bigint, p_place bigint, p_until_place bigint) IS 'The recorded period, converted as often as the remaining time was; nothing once the subscription had run out in between.';

--
-- Name: _lifetime(timestamp with time zone); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._lifetime(p_now timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
  select p_now + make_interval(secs => ops._setting_value('purchase_lifetime_seconds')::float8)
$$;

--
-- Name: FUNCTION _lifetime(p_now timestamp with time zone); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._lifetime(p_now timestamp with time zone) IS 'The end of a purchase opened now.';

--
-- Name: _lock_charge(text, text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._lock_charge(p_provider text, p_charge_id text, OUT telegram_id bigint, OUT payment_id bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
  v_telegram_id bigint;
begin
  select c.telegram_id into v_telegram_id
  from billing.charge c where c.provider = p_provider and c.charge_id = p_charge_id;
  if not found then
    return;
  elsif v_telegram_id <> 0 then
    perform account._lock(v_telegram_id);
  end if;

  select c.telegram_id, c.payment_id into strict _lock_charge.telegram_id, _lock_charge.payment_id
  from billing.charge c where c.provider = p_provider and c.charge_id = p_charge_id
  for no key update;
  if _lock_charge.telegram_id <> v_telegram_id then
    perform core._refuse('40001', format('%s %s was given to telegram_id %s meanwhile', p_provider,
                                         p_charge_id, _lock_charge.telegram_id));
  end if;
end
$$;

--
-- Name: FUNCTION _lock_charge(p_provider text, p_charge_id text, OUT telegram_id bigint, OUT payment_id bigint); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._lock_charge(p_provider text, p_charge_id text, OUT telegram_id bigint, OUT payment_id bigint) IS 'A charge moves once at most: out of suspense. If that happens between the two looks, the caller has to begin again.';

--
-- Name: _lock_suspense(bigint); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._lock_suspense(p_payment_id bigint, OUT telegram_id bigint, OUT outcome billing.payment_outcome, OUT amount_minor bigint, OUT currency text, OUT rub_kopecks bigint, OUT worth_kopecks bigint, OUT resolved_by bigint, OUT resolved_at timestamp with time zone, OUT reversed_at timestamp with time zone, OUT received_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
begin
  perform 1
  from billing.payment p
  join billing.charge c on c.provider = p.provider and c.charge_id = p.charge_id
  where p.payment_id = p_payment_id
  for no key update of c;
  if not found then
    perform core._refuse('PY002', format('no payment has payment_id %s', p_payment_id));
  end if;

  select p.telegram_id, p.outcome, p.amount_minor, p.currency,
         case p.currency when 'RUB' then p.amount_minor end, p.worth_kopecks, p.resolved_by,
         p.resolved_at, p.reversed_at, p.received_at
  into strict _lock_suspense.telegram_id, _lock_suspense.outcome, _lock_suspense.amount_minor,
       _lock_suspense.currency, _lock_suspense.rub_kopecks, _lock_suspense.worth_kopecks,
       _lock_suspense.resolved_by, _lock_suspense.resolved_at, _lock_suspense.reversed_at,
       _lock_suspense.received_at
  from billing.payment p where p.payment_id = p_payment_id;
end
$$;

--
-- Name: FUNCTION _lock_suspense(p_payment_id bigint, OUT telegram_id bigint, OUT outcome billing.payment_outcome, OUT amount_minor bigint, OUT currency text, OUT rub_kopecks bigint, OUT worth_kopecks bigint, OUT resolved_by bigint, OUT resolved_at timestamp with time zone, OUT reversed_at timestamp with time zone, OUT received_at timestamp with time zone); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._lock_suspense(p_payment_id bigint, OUT telegram_id bigint, OUT outcome billing.payment_outcome, OUT amount_minor bigint, OUT currency text, OUT rub_kopecks bigint, OUT worth_kopecks bigint, OUT resolved_by bigint, OUT resolved_at timestamp with time zone, OUT reversed_at timestamp with time zone, OUT received_at timestamp with time zone) IS 'The charge''s row is what reverse_payment and resolve_suspense take turns by. rub_kopecks: as received, null in another currency.';

--
-- Name: _open(bigint, text, integer, text, text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._open(p_telegram_id bigint, p_tariff text, p_months integer, p_code text, p_idempotency_key text) RETURNS uuid
    LANGUAGE plpgsql
    AS $$
declare
  v_now timestamptz;
  v_price record;
  v_id uuid := gen_random_uuid();
begin
  if p_code is not null then
    -- Before the terms are read, so that they hold until the end: buyers do not exclude each
    -- other; promo.set_limit and promo.disable wait for them, and they for those.
    lock table promo.use in row exclusive mode;
  end if;
  v_now := core.now();

  select p.list_kopecks, p.discount_kind, p.discount_percent, p.price_kopecks, p.promo_id
  into v_price
  from billing._price(p_telegram_id, p_tariff, p_months, p_code, v_now) p;
  if v_price.promo_id is not null then
    perform promo._reserve(p_telegram_id, v_id, v_price.promo_id, v_now);
  elsif p_code is not null then
    perform promo._usable(p_telegram_id, p_code, v_now);
  end if;

  insert into billing.purchase (
    telegram_id, purchase_id, kind, status, tariff, months, list_kopecks, discount_kind,
    discount_percent, price_kopecks, promo_code, promo_id, quoted_expires_at, idempotency_key,
    opened_at, expires_at, expiry_check_at)
  select p_telegram_id, v_id, 'subscription', 'open', p_tariff, p_months, v_price.list_kopecks,
         v_price.discount_kind, v_price.discount_percent, v_price.price_kopecks, p_code,
         v_price.promo_id,
         subscription._add_months(subscription._start_after(
           v_now, p_tariff, s.tariff, s.expires_at, s.period), p_months),
         p_idempotency_key, v_now, l.expires_at, l.expires_at
  from billing._lifetime(v_now) l (expires_at)
  left join subscription.subscription s on s.telegram_id = p_telegram_id;
  return v_id;
end
$$;

--
-- Name: FUNCTION _open(p_telegram_id bigint, p_tariff text, p_months integer, p_code text, p_idempotency_key text); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._open(p_telegram_id bigint, p_tariff text, p_months integer, p_code text, p_idempotency_key text) IS 'Inserts the purchase of billing.open_purchase. The code, in canonical form, is kept whether or not it won; only a winner has promo_id and a use.';

--
-- Name: _payment_answer(text, text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._payment_answer(p_provider text, p_charge_id text) RETURNS TABLE(payment_id bigint, outcome text, telegram_id bigint, credited_kopecks bigint, subscription_expires_at timestamp with time zone)
    LANGUAGE sql STABLE
    AS $$
  select p.payment_id, p.outcome::text, nullif(p.telegram_id, 0),
         case when p.outcome = 'reversed' then 0 else p.credited_kopecks end::bigint,
         case when p.outcome <> 'reversed' then p.subscription_expires_at end
  from billing.charge c
  join billing.payment p on p.telegram_id = c.telegram_id and p.payment_id = c.payment_id
  where c.provider = p_provider and c.charge_id = p_charge_id
$$;

--
-- Name: FUNCTION _payment_answer(p_provider text, p_charge_id text); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._payment_answer(p_provider text, p_charge_id text) IS 'The answer about a charge, first or repeated. Once it is reversed, nothing of it is there.';

--
-- Name: _price(bigint, text, integer, text, timestamp with time zone); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._price(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text, p_now timestamp with time zone, OUT list_kopecks bigint, OUT discount_kind billing.discount_kind, OUT discount_percent integer, OUT price_kopecks bigint, OUT promo_id bigint) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_vip_percent int;
  v_personal_percent int;
  v_promo record;
begin
  select case when a.is_vip then ops._setting_value('vip_discount_percent')::int else 0 end,
         case when a.discount_expires_at <= p_now then 0
              else coalesce(a.discount_percent, 0) end
  into v_vip_percent, v_personal_percent
  from account.account a
  where a.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  select p.list_kopecks into list_kopecks
  from billing.tariff_price p
  join billing.tariff t on t.tariff = p.tariff and t.is_on_sale
  where p.tariff = p_tariff and p.months = p_months;
  if not found then
    perform core._refuse('PU004', format('tariff %s, %s months', p_tariff, p_months));
  end if;

  discount_percent := greatest(v_vip_percent, v_personal_percent);
  discount_kind := case when discount_percent = 0 then 'none'
                        when v_vip_percent >= v_personal_percent then 'vip'
                        else 'personal' end::billing.discount_kind;

  if p_promo_code is not null then
    select t.promo_id, t.discount_percent into v_promo
    from promo._terms(p_promo_code, p_now) t;
    if v_promo.discount_percent > discount_percent then
      discount_percent := v_promo.discount_percent;
      discount_kind := 'promo';
      promo_id := v_promo.promo_id;
    end if;
  end if;
  price_kopecks := (list_kopecks * (100 - discount_percent) + 50) / 100;
end
$$;

--
-- Name: FUNCTION _price(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text, p_now timestamp with time zone, OUT list_kopecks bigint, OUT discount_kind billing.discount_kind, OUT discount_percent integer, OUT price_kopecks bigint, OUT promo_id bigint); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._price(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text, p_now timestamp with time zone, OUT list_kopecks bigint, OUT discount_kind billing.discount_kind, OUT discount_percent integer, OUT price_kopecks bigint, OUT promo_id bigint) IS 'What a tariff and period cost this user now. Discounts never stack. promo_id is null where the code, in canonical form, lost: a tie goes to the others.';

--
-- Name: _refuse_closed(bigint, uuid); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._refuse_closed(p_telegram_id bigint, p_purchase_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_detail text;
begin
  select format('purchase_id %s is %s: %s at %s', u.purchase_id, u.status,
                coalesce('paid with ' || u.paid_with, 'closed'), u.closed_at)
  into v_detail
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;
  perform core._refuse('PU003', v_detail);
end
$$;

--
-- Name: FUNCTION _refuse_closed(p_telegram_id bigint, p_purchase_id uuid); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._refuse_closed(p_telegram_id bigint, p_purchase_id uuid) IS 'What became of it, and when, goes to DETAIL.';

--
-- Name: _refuse_to_pay(bigint, uuid, billing.purchase_kind, billing.purchase_status, timestamp with time zone); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._refuse_to_pay(p_telegram_id bigint, p_purchase_id uuid, p_kind billing.purchase_kind, p_status billing.purchase_status, p_expires_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  if p_kind = 'topup' then
    perform core._refuse('PU003', format('purchase_id %s is a top-up', p_purchase_id));
  elsif p_status in ('paid', 'refunded', 'cancelled') then
    perform billing._refuse_closed(p_telegram_id, p_purchase_id);
  elsif p_status = 'expired' or p_expires_at <= core.now() then
    perform core._refuse('PU002', format('purchase_id %s expired at %s',
                                         p_purchase_id, p_expires_at));
  else
    perform core._refuse('US002', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

--
-- Name: FUNCTION _refuse_to_pay(p_telegram_id bigint, p_purchase_id uuid, p_kind billing.purchase_kind, p_status billing.purchase_status, p_expires_at timestamp with time zone); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._refuse_to_pay(p_telegram_id bigint, p_purchase_id uuid, p_kind billing.purchase_kind, p_status billing.purchase_status, p_expires_at timestamp with time zone) IS 'The refusals of pay_from_balance, once it is known that there is one.';

--
-- Name: _require_choice(text, integer); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._require_choice(p_tariff text, p_months integer) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  perform core._require(length(p_tariff) between 1 and 32, 'p_tariff: 1 to 32 characters');
  perform core._require(p_months between 1 and 36, 'p_months: 1 to 36');
end
$$;

--
-- Name: FUNCTION _require_choice(p_tariff text, p_months integer); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._require_choice(p_tariff text, p_months integer) IS 'Checks what quote and open_purchase are asked for.';

--
-- Name: _require_paid(bigint, uuid); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._require_paid(p_telegram_id bigint, p_purchase_id uuid) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_purchase record;
begin
  select u.kind, u.status, u.price_kopecks, r.kind as refund_kind, r.actor_id, r.refunded_at
  into strict v_purchase
  from billing.purchase u
  left join billing.refund r on r.telegram_id = u.telegram_id and r.purchase_id = u.purchase_id
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;

  if v_purchase.kind = 'topup' then
    perform core._refuse('PU003', format('purchase_id %s is a top-up', p_purchase_id));
  elsif v_purchase.status = 'refunded' then
    perform core._refuse('PU003', format(
      'purchase_id %s: %s by %s at %s', p_purchase_id, v_purchase.refund_kind,
      coalesce('admin ' || v_purchase.actor_id, 'the provider'), v_purchase.refunded_at));
  elsif v_purchase.status <> 'paid' then
    perform core._refuse('PU003', format('purchase_id %s is %s', p_purchase_id,
                                         v_purchase.status));
  end if;
  return v_purchase.price_kopecks;
end
$$;

--
-- Name: FUNCTION _require_paid(p_telegram_id bigint, p_purchase_id uuid); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._require_paid(p_telegram_id bigint, p_purchase_id uuid) IS 'The price of a purchase that may be refunded.';

--
-- Name: _require_provider(text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._require_provider(p_provider text) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  if not exists (select 1 from billing.provider p
                 where p.provider = p_provider and p.is_settled_by_event) then
    perform core._refuse('PY001', 'p_provider: ' || coalesce(left(p_provider, 64), 'null'));
  end if;
end
$$;

--
-- Name: FUNCTION _require_provider(p_provider text); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._require_provider(p_provider text) IS 'Providers whose events bring money: not manual.';

--
-- Name: _reverse(bigint, bigint, jsonb, timestamp with time zone); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._reverse(p_telegram_id bigint, p_payment_id bigint, p_raw jsonb, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_paid record;
  v_debt_kopecks bigint := 0;
begin
  select p.purchase_id, p.worth_kopecks, p.credited_kopecks,
         p.worth_kopecks - p.credited_kopecks as revenue_kopecks, u.status,
         u.kind is not distinct from 'subscription' as is_subscription, r.refunded_kopecks
  into strict v_paid
  from billing.payment p
  left join billing.purchase u on u.telegram_id = p.telegram_id
    and u.purchase_id = p.purchase_id and u.payment_id = p.payment_id
  left join billing.refund r on r.telegram_id = u.telegram_id and r.purchase_id = u.purchase_id
  where p.telegram_id = p_telegram_id and p.payment_id = p_payment_id;

  if v_paid.is_subscription and v_paid.status = 'paid' then
    perform billing._take_back(p_telegram_id, v_paid.purchase_id, 'reversal', 0, null, null, p_now);
    if v_paid.revenue_kopecks > 0 then
      perform ledger._post(
        p_telegram_id, 'reversal', 'revenue', 'provider', v_paid.revenue_kopecks, p_now,
        p_purchase_id => v_paid.purchase_id, p_payment_id => p_payment_id);
    end if;
  elsif v_paid.revenue_kopecks > 0 then -- refunded since: it is on the balance, or was
    v_debt_kopecks := billing._take_money(p_telegram_id, 'provider', v_paid.revenue_kopecks,
                                          v_paid.purchase_id, p_payment_id, p_now);
    if v_paid.refunded_kopecks > v_paid.revenue_kopecks then -- paid a little short
      v_debt_kopecks := v_debt_kopecks + billing._take_money(
        p_telegram_id, 'revenue', v_paid.refunded_kopecks - v_paid.revenue_kopecks,
        v_paid.purchase_id, p_payment_id, p_now);
    end if;
  end if;
  if v_paid.credited_kopecks > 0 then
    v_debt_kopecks := v_debt_kopecks + billing._take_money(
      p_telegram_id, 'provider', v_paid.credited_kopecks, v_paid.purchase_id, p_payment_id, p_now);
  end if;

  update billing.payment p
  set outcome = 'reversed', reversed_at = p_now, reversal_debt_kopecks = v_debt_kopecks,
      reversal_raw = p_raw
  where p.telegram_id = p_telegram_id and p.payment_id = p_payment_id;

  insert into outbox.task (
    telegram_id, kind, name, due_at, created_at, purchase_id, amount_kopecks, arguments)
  values (p_telegram_id, 'message', 'payment_reversed', p_now, p_now, v_paid.purchase_id,
          v_paid.worth_kopecks, jsonb_build_object('debt_kopecks', v_debt_kopecks));
end
$$;

--
-- Name: FUNCTION _reverse(p_telegram_id bigint, p_payment_id bigint, p_raw jsonb, p_now timestamp with time zone); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._reverse(p_telegram_id bigint, p_payment_id bigint, p_raw jsonb, p_now timestamp with time zone) IS 'All that came from the provider goes back to it, from where it is now: revenue, the balance, or debt.';

--
-- Name: _reverse_unknown(text, text, bigint, text, jsonb); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._reverse_unknown(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text, p_raw jsonb) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
  v_payment_id bigint := nextval('billing.payment_id');
  v_now timestamptz;
begin
  insert into billing.charge (provider, charge_id, telegram_id, payment_id)
  values (p_provider, p_charge_id, 0, v_payment_id)
  on conflict on constraint charge_pkey do nothing;
  if not found then
    return null;
  end if;

  v_now := core.now();
  insert into billing.payment (
    telegram_id, payment_id, provider, charge_id, amount_minor, currency, credited_kopecks,
    outcome, reversed_at, reversal_debt_kopecks, reversal_raw, received_at)
  values (0, v_payment_id, p_provider, p_charge_id, p_amount_minor, p_currency, 0, 'reversed',
          v_now, 0, p_raw, v_now);
  return v_payment_id;
end
$$;

--
-- Name: FUNCTION _reverse_unknown(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text, p_raw jsonb); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._reverse_unknown(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text, p_raw jsonb) IS 'The payment''s number; null if the charge is known after all.';

--
-- Name: _settle(text, text, uuid, bigint, bigint, text, jsonb); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._settle(p_provider text, p_charge_id text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, p_raw jsonb) RETURNS TABLE(payment_id bigint, outcome text, telegram_id bigint, credited_kopecks bigint, subscription_expires_at timestamp with time zone, is_replay boolean)
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
  v_money record;
  v_is_blocked boolean;
  v_payment_id bigint := nextval('billing.payment_id');
  v_now timestamptz;
begin
  select m.telegram_id, m.owner_id, m.worth_kopecks, m.problem into v_money
  from billing._identify_payment(p_provider, p_purchase_id, p_payer_id, p_amount_minor,
                                 p_currency) m;
  if v_money.problem is null then
    v_is_blocked := account._lock(v_money.telegram_id);
  end if;
  v_now := core.now();

  insert into billing.charge (provider, charge_id, telegram_id, payment_id)
  values (p_provider, p_charge_id,
          case when v_money.problem is null then v_money.telegram_id else 0 end, v_payment_id)
  on conflict on constraint charge_pkey do nothing;
  if not found then
    perform billing._alarm_if_amount_differs(p_provider, p_charge_id, p_amount_minor, p_currency);
    return query select a.*, true from billing._payment_answer(p_provider, p_charge_id) a;
    return;
  end if;

  insert into billing.payment (
    telegram_id, payment_id, provider, charge_id, purchase_id, payer_id, amount_minor, currency,
    worth_kopecks, credited_kopecks, outcome, suspense_reason, received_at, raw)
  values (
    case when v_money.problem is null then v_money.telegram_id else 0 end, v_payment_id,
    p_provider, p_charge_id, p_purchase_id, p_payer_id, p_amount_minor, p_currency,
    v_money.worth_kopecks, 0,
    case when v_money.problem is null then 'credited' else 'suspense' end
      ::billing.payment_outcome,
    v_money.problem, v_now, p_raw);

  if v_money.problem is null then
    perform billing._apply_payment(v_money.telegram_id, v_money.owner_id, v_is_blocked,
                                   p_purchase_id, v_payment_id, p_provider,
                                   v_money.worth_kopecks, v_now);
  else
    perform ops._alarm('payment_in_suspense', 'payment:' || v_payment_id, format(
      '%s %s %s: %s', p_provider, p_amount_minor, p_currency, v_money.problem));
  end if;

  return query select a.*, false from billing._payment_answer(p_provider, p_charge_id) a;
end
$$;

--
-- Name: FUNCTION _settle(p_provider text, p_charge_id text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, p_raw jsonb); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._settle(p_provider text, p_charge_id text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, p_raw jsonb) IS 'settle_payment after its arguments were checked.';

--
-- Name: _state_without(bigint, uuid, timestamp with time zone); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._state_without(p_telegram_id bigint, p_purchase_id uuid, p_now timestamp with time zone, OUT tariff text, OUT expires_at timestamp with time zone, OUT period subscription.period, OUT restored_from bigint) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_column
declare
  v_latest timestamptz;
  v_taken interval;
begin
  restored_from := billing._undone_since(p_telegram_id, p_purchase_id);

  if restored_from is null then -- its own period is taken off the end, and the tariff stays
    select s.tariff, s.expires_at, s.period,
           billing._left_of(p_telegram_id, c.place, 1::bigint << 62)
    into strict _state_without.tariff, _state_without.expires_at, _state_without.period, v_taken
    from subscription.subscription s
    join billing._chain(p_telegram_id) c on c.is_purchase and c.purchase_id = p_purchase_id
    where s.telegram_id = p_telegram_id;
  else -- as it was before the first of what is undone, but for what was taken away since
    select c.before_tariff, c.before_expires_at, c.before_period
    into strict _state_without.tariff, _state_without.expires_at, _state_without.period
    from billing._chain(p_telegram_id) c
    where c.place = _state_without.restored_from;
    select sum(billing._left_of(p_telegram_id, c.place, _state_without.restored_from))
    into v_taken
    from billing._chain(p_telegram_id) c
    where c.is_purchase and c.place < _state_without.restored_from
      and c.taken_back_at > _state_without.restored_from;
  end if;

  if expires_at is null then
    return;
  end if;
  v_latest := expires_at;
  -- In UTC: the days of an interval are as long as the session's time zone makes them.
  expires_at := ((v_latest at time zone 'UTC') - coalesce(v_taken, '0')) at time zone 'UTC';
  expires_at := greatest(expires_at, least(v_latest, p_now));
end
$$;

--
-- Name: FUNCTION _state_without(p_telegram_id bigint, p_purchase_id uuid, p_now timestamp with time zone, OUT tariff text, OUT expires_at timestamp with time zone, OUT period subscription.period, OUT restored_from bigint); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._state_without(p_telegram_id bigint, p_purchase_id uuid, p_now timestamp with time zone, OUT tariff text, OUT expires_at timestamp with time zone, OUT period subscription.period, OUT restored_from bigint) IS 'The latest purchase''s state before is restored exactly (nulls: no subscription); an earlier one''s period is taken off the end, which is then not before now.';

--
-- Name: _take_back(bigint, uuid, billing.refund_kind, bigint, bigint, text, timestamp with time zone); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._take_back(p_telegram_id bigint, p_purchase_id uuid, p_kind billing.refund_kind, p_refunded_kopecks bigint, p_actor_id bigint, p_reason text, p_now timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql
    AS $$
declare
  v_state record;
  v_change_id bigint;
  v_restored_from bigint;
  v_expires_at timestamptz;
begin
  select s.expires_at into v_expires_at
  from subscription.subscription s where s.telegram_id = p_telegram_id;

  if v_expires_at > p_now then
    select w.tariff, w.expires_at, w.period, w.restored_from into v_state
    from billing._state_without(p_telegram_id, p_purchase_id, p_now) w;
    v_expires_at := v_state.expires_at;
    v_restored_from := v_state.restored_from;
    perform subscription._change(
      p_telegram_id, p_kind::text::subscription.change_kind, v_state.tariff, v_expires_at,
      v_state.period, p_now, p_purchase_id, p_actor_id, p_reason);
    select max(c.change_id) into v_change_id
    from subscription.change c where c.telegram_id = p_telegram_id;
  else -- what is over stays as it is
    update subscription.subscription s
    set auto_renew = false, renew_check_at = null
    where s.telegram_id = p_telegram_id and s.auto_renew;
  end if;

  update billing.purchase u
  set status = 'refunded'
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;
  insert into billing.refund (
    telegram_id, purchase_id, kind, refunded_kopecks, subscription_expires_at, change_id,
    restored_from, actor_id, reason, refunded_at)
  values (
    p_telegram_id, p_purchase_id, p_kind, p_refunded_kopecks, v_expires_at, v_change_id,
    v_restored_from, p_actor_id, p_reason, p_now);

  insert into outbox.task (
    telegram_id, kind, name, due_at, created_at, purchase_id, amount_kopecks, other_id)
  select a.referrer_id, 'cashback', 'clawback', p_now, p_now, p_purchase_id, u.price_kopecks,
         p_telegram_id
  from account.account a
  join billing.purchase u on u.telegram_id = a.telegram_id and u.purchase_id = p_purchase_id
  where a.telegram_id = p_telegram_id and a.referrer_id is not null and u.price_kopecks > 0;

  return v_expires_at;
end
$$;

--
-- Name: FUNCTION _take_back(p_telegram_id bigint, p_purchase_id uuid, p_kind billing.refund_kind, p_refunded_kopecks bigint, p_actor_id bigint, p_reason text, p_now timestamp with time zone); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._take_back(p_telegram_id bigint, p_purchase_id uuid, p_kind billing.refund_kind, p_refunded_kopecks bigint, p_actor_id bigint, p_reason text, p_now timestamp with time zone) IS 'Shared by refund_purchase and reverse_payment. Auto-renewal stops; no promo use comes back.';

--
-- Name: _take_money(bigint, ledger.account, bigint, uuid, bigint, timestamp with time zone); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._take_money(p_telegram_id bigint, p_to ledger.account, p_amount_kopecks bigint, p_purchase_id uuid, p_payment_id bigint, p_now timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
  v_there_kopecks bigint;
begin
  select least(w.available_kopecks, p_amount_kopecks) into strict v_there_kopecks
  from wallet.wallet w where w.telegram_id = p_telegram_id;

  if v_there_kopecks > 0 then
    perform ledger._post(
      p_telegram_id, 'reversal', 'available', p_to, v_there_kopecks, p_now,
      p_purchase_id => p_purchase_id, p_payment_id => p_payment_id);
  end if;
  if p_amount_kopecks > v_there_kopecks then
    perform ledger._post(
      p_telegram_id, 'reversal', 'debt', p_to, p_amount_kopecks - v_there_kopecks, p_now,
      p_purchase_id => p_purchase_id, p_payment_id => p_payment_id);
  end if;
  return p_amount_kopecks - v_there_kopecks;
end
$$;

--
-- Name: FUNCTION _take_money(p_telegram_id bigint, p_to ledger.account, p_amount_kopecks bigint, p_purchase_id uuid, p_payment_id bigint, p_now timestamp with time zone); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._take_money(p_telegram_id bigint, p_to ledger.account, p_amount_kopecks bigint, p_purchase_id uuid, p_payment_id bigint, p_now timestamp with time zone) IS 'How much of it became debt.';

--
-- Name: _undone_since(bigint, uuid); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing._undone_since(p_telegram_id bigint, p_purchase_id uuid) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_event record;
  v_first bigint;
  v_is_found boolean := false;
begin
  for v_event in
    select c.place, c.is_purchase, c.is_undone, c.purchase_id = p_purchase_id as is_this,
           coalesce(c.before_expires_at > c.happened_at, false) as follows
    from billing._chain(p_telegram_id) c
    order by c.place desc
  loop
    exit when not v_event.is_undone and not (v_event.is_purchase and v_event.is_this);
    if v_event.is_purchase then
      v_first := v_event.place;
      v_is_found := v_is_found or v_event.is_this;
      exit when not v_event.follows; -- nothing was in force before it
    end if;
  end loop;

  return case when v_is_found then v_first end;
end
$$;

--
-- Name: FUNCTION _undone_since(p_telegram_id bigint, p_purchase_id uuid); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing._undone_since(p_telegram_id bigint, p_purchase_id uuid) IS 'Looks back from the end of the chain over what is taken back. If it meets the purchase before anything that still counts, the state before the first of them can be restored.';

--
-- Name: analytics(bigint); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.analytics(p_admin_id bigint) RETURNS TABLE(computed_at timestamp with time zone, month date, revenue_kopecks bigint, refunded_kopecks bigint, net_kopecks bigint, payers bigint, arppu_kopecks bigint, arpu_kopecks bigint, ways jsonb, before_revenue_kopecks bigint, before_net_kopecks bigint, before_payers bigint, before_arppu_kopecks bigint, change_percent integer, payers_ever bigint, net_ever_kopecks bigint, ltv_kopecks bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_day date;
  v_first date;
  v_users bigint;
  v_payers_ever bigint;
  v_net_ever bigint;
begin
  perform account._only_admins(p_admin_id);
  select max(f.day) into v_day from ops.day_figure f where f.name = 'now_users';
  v_first := date_trunc('month', v_day::timestamp)::date;
  v_users := ops._figure('now_users', v_day, v_day);
  v_payers_ever := ops._figure('payers_first', null, v_day);
  select coalesce(sum(case when f.name ~ '^revenue_' then f.value else -f.value end), 0)::bigint
  into v_net_ever
  from ops.day_figure f
  where f.name ~ '^revenue_' or f.name in ('refunded', 'reversed');

  return query
  select (select f.computed_at from ops.day_figure f where f.name = 'now_users' and f.day = v_day),
         v_first, n.revenue_kopecks, n.refunded_kopecks, n.net_kopecks, n.payers,
         n.per_payer_kopecks, case when v_users > 0 then n.net_kopecks / v_users end, w.ways,
         b.revenue_kopecks, b.net_kopecks, b.payers, b.per_payer_kopecks,
         case when b.net_kopecks > 0
              then round(100.0 * (n.net_kopecks - b.net_kopecks) / b.net_kopecks)::int end,
         v_payers_ever, v_net_ever,
         case when v_payers_ever > 0 then v_net_ever / v_payers_ever end
  from ops._month(v_first, v_day) n
  cross join ops._month(
    (v_first - interval '1 month')::date,
    least((v_day - interval '1 month')::date, v_first - 1)) b
  cross join lateral (
    select coalesce(jsonb_object_agg(x.way, x.value), '{}') as ways
    from (select substr(f.name, 9) as way, sum(f.value) as value
          from ops.day_figure f
          where f.name ~ '^revenue_' and f.day between v_first and v_day
          group by f.name) x) w;
end
$$;

--
-- Name: FUNCTION analytics(p_admin_id bigint); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.analytics(p_admin_id bigint) IS 'For admins only, as ops.figures_due has reckoned it (computed_at; null: not yet). revenue: what purchases and renewals took in, by way (balance: money that came before); refunded: given or taken back; net: their difference. before_…: the month before, to the same day. arppu: net by paying user, arpu: by user, ltv: net ever by everybody who has ever paid. change_percent: of net. Months and days are UTC. Reads only.';

--
-- Name: approve_manual(bigint, uuid, bigint, text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.approve_manual(p_admin_id bigint, p_purchase_id uuid, p_amount_kopecks bigint, p_note text) RETURNS TABLE(payment_id bigint, outcome text, telegram_id bigint, credited_kopecks bigint, subscription_expires_at timestamp with time zone, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_telegram_id bigint;
  v_charge_id text := 'manual:' || p_purchase_id;
  v_first record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_purchase_id is not null, 'p_purchase_id: the id from open_purchase');
  perform core._require(p_amount_kopecks between 1 and 1000000000000,
                        'p_amount_kopecks: 1 to 10^12');
  perform core._require(length(p_note) between 1 and 1000, 'p_note: 1 to 1000 characters');
  perform account._require_admin(p_admin_id);

  select u.telegram_id into v_telegram_id
  from billing.purchase u where u.purchase_id = p_purchase_id;
  if not found then
    perform core._refuse('PU001', format('purchase_id %s', p_purchase_id));
  end if;
  perform account._lock(v_telegram_id);

  select p.raw ->> 'admin' as admin_id, p.received_at into v_first
  from billing.charge c
  join billing.payment p on p.telegram_id = c.telegram_id and p.payment_id = c.payment_id
  where c.provider = 'manual' and c.charge_id = v_charge_id;
  if not found then
    perform audit._record(
      'billing.approve_manual', p_admin_id, 'purchase:' || p_purchase_id, jsonb_build_object(
        'telegram_id', v_telegram_id, 'amount_kopecks', p_amount_kopecks, 'note', p_note));
  elsif v_first.admin_id <> p_admin_id::text then
    perform core._refuse('PU003', format('purchase_id %s: approved by admin %s at %s',
                                         p_purchase_id, v_first.admin_id, v_first.received_at));
  end if;

  return query
  select s.payment_id, s.outcome, s.telegram_id, s.credited_kopecks, s.subscription_expires_at,
         s.is_replay
  from billing._settle('manual', v_charge_id, p_purchase_id, null, p_amount_kopecks, 'RUB',
                       jsonb_build_object('note', p_note, 'admin', p_admin_id)) s;
end
$$;

--
-- Name: FUNCTION approve_manual(p_admin_id bigint, p_purchase_id uuid, p_amount_kopecks bigint, p_note text); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.approve_manual(p_admin_id bigint, p_purchase_id uuid, p_amount_kopecks bigint, p_note text) IS 'Money that came past the providers; otherwise as settle_payment, from the buyer. Once per purchase: the same admin''s second call is a replay, another''s is PU003.';

--
-- Name: attach_invoice(uuid, text, text, bigint, text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.attach_invoice(p_purchase_id uuid, p_provider text, p_invoice_id text, p_amount_minor bigint, p_currency text) RETURNS TABLE(purchase_id uuid, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_owner_id bigint;
  v_way record;
begin
  perform core._guard('payments');
  perform core._require(p_purchase_id is not null, 'p_purchase_id: the id from open_purchase');
  perform core._require(length(p_invoice_id) between 1 and 256,
                        'p_invoice_id: 1 to 256 characters');
  perform billing._require_provider(p_provider);

  select u.telegram_id into v_owner_id
  from billing.purchase u where u.purchase_id = p_purchase_id;
  if not found then
    perform core._refuse('PU001', format('purchase_id %s', p_purchase_id));
  end if;
  perform account._lock(v_owner_id);

  select w.amount_minor, w.currency, w.refusal into strict v_way
  from billing.ways_to_pay(v_owner_id, p_purchase_id) w where w.provider = p_provider;
  perform core._require((p_amount_minor, p_currency) = (v_way.amount_minor, v_way.currency),
    format('p_amount_minor, p_currency: ways_to_pay says %s %s',
           v_way.amount_minor, v_way.currency));

  if exists (select 1 from billing.invoice n
             where n.telegram_id = v_owner_id and n.purchase_id = p_purchase_id
               and n.provider = p_provider and n.invoice_id = p_invoice_id) then
    return query select p_purchase_id, true;
    return;
  end if;

  if v_way.refusal = 'below_minimum' then
    perform core._refuse('PU005', format('%s %s at %s', p_amount_minor, p_currency, p_provider));
  elsif v_way.refusal = 'switched_off' then
    perform core._refuse('PY001', format('%s is switched off', p_provider));
  elsif v_way.refusal is not null then
    perform core._refuse('PU003', format('purchase_id %s: %s', p_purchase_id, v_way.refusal));
  end if;

  perform core._require(
    not exists (select 1 from billing.invoice n
                where n.provider = p_provider and n.invoice_id = p_invoice_id),
    'p_invoice_id: of no other purchase');

  insert into billing.invoice (
    telegram_id, purchase_id, provider, invoice_id, amount_minor, currency, attached_at)
  values (v_owner_id, p_purchase_id, p_provider, p_invoice_id, p_amount_minor, p_currency,
          core.now());
  return query select p_purchase_id, false;
end
$$;

--
-- Name: FUNCTION attach_invoice(p_purchase_id uuid, p_provider text, p_invoice_id text, p_amount_minor bigint, p_currency text); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.attach_invoice(p_purchase_id uuid, p_provider text, p_invoice_id text, p_amount_minor bigint, p_currency text) IS 'Ties an invoice to an open purchase, for the amount that billing.ways_to_pay named and no other. A second call with the same invoice is a replay; a purchase may have several invoices.';

--
-- Name: begin_refund(bigint, text, text, text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.begin_refund(p_admin_id bigint, p_provider text, p_charge_id text, p_reason text) RETURNS TABLE(payment_id bigint, payer_id bigint, amount_minor bigint, currency text, outcome text, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_charge record;
  v_payment record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(length(p_charge_id) between 1 and 256, 'p_charge_id: 1 to 256 characters');
  perform core._require(length(p_reason) between 1 and 1000, 'p_reason: 1 to 1000 characters');
  perform billing._require_provider(p_provider);
  perform account._require_admin(p_admin_id);

  v_charge := billing._lock_charge(p_provider, p_charge_id);
  perform core._require(v_charge.payment_id is not null, 'p_charge_id: a charge in the books');
  select coalesce(p.payer_id, nullif(p.telegram_id, 0)) as payer_id, p.amount_minor, p.currency,
         p.outcome::text as outcome, p.refund_begun_at is not null as is_begun
  into strict v_payment
  from billing.payment p
  where p.telegram_id = v_charge.telegram_id and p.payment_id = v_charge.payment_id;
  if not v_payment.is_begun then
    update billing.payment p
    set refund_begun_by = p_admin_id, refund_begun_at = core.now(), refund_reason = p_reason
    where p.telegram_id = v_charge.telegram_id and p.payment_id = v_charge.payment_id;
    perform audit._record('billing.begin_refund', p_admin_id,
                          'payment:' || v_charge.payment_id,
                          jsonb_build_object('provider', p_provider, 'charge_id', p_charge_id,
                                             'reason', p_reason));
  end if;
  return query
  select v_charge.payment_id, v_payment.payer_id, v_payment.amount_minor, v_payment.currency,
         v_payment.outcome, v_payment.is_begun;
end
$$;

--
-- Name: FUNCTION begin_refund(p_admin_id bigint, p_provider text, p_charge_id text, p_reason text); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.begin_refund(p_admin_id bigint, p_provider text, p_charge_id text, p_reason text) IS 'Moves no money: after it the provider is asked, and billing.reverse_payment follows once the provider has said yes, or that it was refunded before. Whoever finds a refund begun and not reversed calls it again, with any admin: a replay, because a provider refunds a charge once. payer_id: who has paid, else whose it is; null if nobody knows.';

--
-- Name: cancel_purchase(bigint, uuid); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.cancel_purchase(p_telegram_id bigint, p_purchase_id uuid) RETURNS TABLE(purchase_id uuid, status text, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_status billing.purchase_status;
  v_promo_id bigint;
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_purchase_id is not null, 'p_purchase_id: the id from open_purchase');
  perform account._lock(p_telegram_id);

  select u.status, u.promo_id into v_status, v_promo_id
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;
  if not found then
    perform core._refuse('PU001', format('purchase_id %s', p_purchase_id));
  elsif v_status not in ('open', 'cancelled') then
    perform billing._refuse_closed(p_telegram_id, p_purchase_id);
  end if;

  update billing.purchase u
  set status = 'cancelled', closed_at = core.now()
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id and u.status = 'open';
  if found and v_promo_id is not null then
    delete from promo.use p
    where p.telegram_id = p_telegram_id and p.promo_id = v_promo_id
      and p.purchase_id = p_purchase_id;
  end if;

  return query select p_purchase_id, 'cancelled', v_status = 'cancelled';
end
$$;

--
-- Name: FUNCTION cancel_purchase(p_telegram_id bigint, p_purchase_id uuid); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.cancel_purchase(p_telegram_id bigint, p_purchase_id uuid) IS 'Cancels an open purchase and gives the use of its promo code back. Money that a provider brings for it later is still honoured at its price, if a use is left. Its own key: a second call is a replay.';

--
-- Name: expire_due(bigint, integer); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.expire_due(p_epoch bigint, p_limit integer) RETURNS TABLE(expired integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_now timestamptz;
  v_users bigint[];
  v_user bigint;
  v_expired int := 0;
begin
  perform ops._enter_due('billing.expire_due', p_epoch, p_limit);
  v_now := core.now();

  select array_agg(l.telegram_id) into v_users
  from (
    select a.telegram_id
    from account.account a
    where a.telegram_id = any (array(
      select u.telegram_id from billing.purchase u
      where u.expiry_check_at <= v_now
        and not exists (
          select 1 from ops.dead d
          where d.job_name = 'billing.expire_due' and d.subject = 'telegram_id:' || u.telegram_id
            and d.died_at > v_now - interval '1 hour')
      order by u.expiry_check_at
      limit p_limit))
    order by a.telegram_id
    for no key update skip locked
  ) l;
  v_now := core.now(); -- the candidates' was from before the locks

  begin
    v_expired := billing._expire(v_users, v_now);
  exception when data_exception or integrity_constraint_violation then
    foreach v_user in array v_users loop
      begin
        v_expired := v_expired + billing._expire(array[v_user], v_now);
      exception when data_exception or integrity_constraint_violation then
        perform ops._bury('billing.expire_due', 'telegram_id:' || v_user, sqlerrm);
      end;
    end loop;
  end;

  return query select v_expired;
end
$$;

--
-- Name: FUNCTION expire_due(p_epoch bigint, p_limit integer); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.expire_due(p_epoch bigint, p_limit integer) IS 'Closes at most p_limit users'' open purchases whose time is over. Users that are busy are left for the next run. p_epoch: of the lease billing.expire_due; null by hand.';

--
-- Name: find_payments(text, text[]); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.find_payments(p_provider text, p_charge_ids text[]) RETURNS TABLE(payment_id bigint, charge_id text, telegram_id bigint, payer_id bigint, purchase_id uuid, amount_minor bigint, currency text, outcome text, suspense_reason text, received_at timestamp with time zone, reversed_at timestamp with time zone, refund_begun_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require(length(p_provider) between 1 and 64, 'p_provider: 1 to 64 characters');
  perform core._require(cardinality(p_charge_ids) <= 1000, 'p_charge_ids: at most 1000');

  return query
  select p.payment_id, p.charge_id, nullif(p.telegram_id, 0), p.payer_id, p.purchase_id,
         p.amount_minor, p.currency, p.outcome::text, p.suspense_reason, p.received_at,
         p.reversed_at, p.refund_begun_at
  from billing.charge c
  join billing.payment p on p.telegram_id = c.telegram_id and p.payment_id = c.payment_id
  where c.provider = p_provider and c.charge_id = any (p_charge_ids)
  order by p.payment_id;
end
$$;

--
-- Name: FUNCTION find_payments(p_provider text, p_charge_ids text[]); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.find_payments(p_provider text, p_charge_ids text[]) IS 'Of the charges that are in the books; the others have no row. Reads only.';

--
-- Name: inspect_purchase(bigint, uuid); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.inspect_purchase(p_admin_id bigint, p_purchase_id uuid) RETURNS TABLE(purchase_id uuid, telegram_id bigint, username text, kind text, status text, tariff text, months integer, price_kopecks bigint, opened_at timestamp with time zone, expires_at timestamp with time zone, closed_at timestamp with time zone, paid_with text, manual_kopecks bigint, manual_by bigint, manual_by_name text, manual_at timestamp with time zone, manual_outcome text, refunded_kopecks bigint, refunded_by bigint, refunded_by_name text, refunded_at timestamp with time zone, is_refundable boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require(p_purchase_id is not null, 'p_purchase_id: the id from open_purchase');
  perform account._only_admins(p_admin_id);

  return query
  select u.purchase_id, u.telegram_id::bigint, a.username, u.kind::text,
         case when u.status = 'open' and u.expires_at <= v_now then 'expired'
              else u.status::text end,
         u.tariff, u.months::int, u.price_kopecks::bigint, u.opened_at, u.expires_at,
         u.closed_at, u.paid_with, m.amount_minor, n.telegram_id::bigint, n.username,
         m.received_at, m.outcome::text, r.refunded_kopecks::bigint, r.actor_id, b.username,
         r.refunded_at, u.status = 'paid' and u.kind = 'subscription'
  from billing.purchase u
  join account.account a on a.telegram_id = u.telegram_id
  left join billing.charge c
    on c.provider = 'manual' and c.charge_id = 'manual:' || u.purchase_id
  left join billing.payment m
    on m.telegram_id = c.telegram_id and m.payment_id = c.payment_id
  left join account.account n on n.telegram_id = (m.raw ->> 'admin')::bigint
  left join billing.refund r
    on r.telegram_id = u.telegram_id and r.purchase_id = u.purchase_id
  left join account.account b on b.telegram_id = r.actor_id
  where u.purchase_id = p_purchase_id;
  if not found then
    perform core._refuse('PU001', format('purchase_id %s', p_purchase_id));
  end if;
end
$$;

--
-- Name: FUNCTION inspect_purchase(p_admin_id bigint, p_purchase_id uuid); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.inspect_purchase(p_admin_id bigint, p_purchase_id uuid) IS 'For admins only: a purchase, who has confirmed its money by hand (manual_…) and who has given it back (refunded_…; a null refunded_by is the provider). Reads only.';

--
-- Name: list_payments(text, timestamp with time zone, timestamp with time zone, bigint, integer); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.list_payments(p_provider text, p_from timestamp with time zone, p_to timestamp with time zone, p_after_payment_id bigint, p_limit integer) RETURNS TABLE(payment_id bigint, charge_id text, telegram_id bigint, payer_id bigint, purchase_id uuid, amount_minor bigint, currency text, outcome text, suspense_reason text, received_at timestamp with time zone, reversed_at timestamp with time zone, refund_begun_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require(length(p_provider) between 1 and 64, 'p_provider: 1 to 64 characters');
  perform core._require(p_from is not null, 'p_from: the beginning of the period');
  perform core._require(p_to is not null, 'p_to: the end of the period');
  perform core._require(p_after_payment_id >= 0, 'p_after_payment_id: 0 to begin');
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');

  return query
  select p.payment_id, p.charge_id, nullif(p.telegram_id, 0), p.payer_id, p.purchase_id,
         p.amount_minor, p.currency, p.outcome::text, p.suspense_reason, p.received_at,
         p.reversed_at, p.refund_begun_at
  from billing.payment p
  where p.provider = p_provider
    and (p.received_at, p.payment_id) > (p_from, p_after_payment_id)
    and p.received_at < p_to
  order by p.received_at, p.payment_id
  limit p_limit;
end
$$;

--
-- Name: FUNCTION list_payments(p_provider text, p_from timestamp with time zone, p_to timestamp with time zone, p_after_payment_id bigint, p_limit integer); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.list_payments(p_provider text, p_from timestamp with time zone, p_to timestamp with time zone, p_after_payment_id bigint, p_limit integer) IS 'Received from p_from on and before p_to. For the next page: the last row''s received_at and payment_id as p_from and p_after_payment_id. A null telegram_id: nobody''s. Reads only.';

--
-- Name: list_prices(); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.list_prices() RETURNS TABLE(tariff text, months integer, list_kopecks bigint, device_limit integer, offer_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select p.tariff, p.months::int, p.list_kopecks::bigint, t.device_limit::int, p.offer_id
  from billing.tariff_price p
  join billing.tariff t on t.tariff = p.tariff
  where t.is_on_sale
  order by t.rank, p.months
$$;

--
-- Name: FUNCTION list_prices(); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.list_prices() IS 'Tariffs and periods on sale, before any discount; buttons carry offer_id. Reads only.';

--
-- Name: list_purchases(bigint, bigint, uuid, integer); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.list_purchases(p_admin_id bigint, p_telegram_id bigint, p_before_id uuid, p_limit integer) RETURNS TABLE(purchase_id uuid, kind text, status text, tariff text, months integer, price_kopecks bigint, opened_at timestamp with time zone, paid_at timestamp with time zone, paid_with text, can_be_refunded boolean, taken_back_at timestamp with time zone, taken_back_by bigint, taken_back_reason text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_before_at timestamptz := 'infinity'::timestamptz;
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);
  if not exists (select 1 from account.account a where a.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  if p_before_id is not null then
    select p.opened_at into v_before_at
    from billing.purchase p
    where p.telegram_id = p_telegram_id and p.purchase_id = p_before_id;
    if not found then
      perform core._refuse('PU001', format('purchase_id %s', p_before_id));
    end if;
  end if;

  return query
  select p.purchase_id, p.kind::text, p.status::text, p.tariff, p.months::int,
         p.price_kopecks::bigint, p.opened_at,
         case when p.status in ('paid', 'refunded') then p.closed_at end, p.paid_with,
         p.status = 'paid' and p.kind = 'subscription', r.refunded_at, r.actor_id, r.reason
  from billing.purchase p
  left join billing.refund r
    on r.telegram_id = p.telegram_id and r.purchase_id = p.purchase_id
  where p.telegram_id = p_telegram_id and p.status in ('open', 'paid', 'refunded')
    and (p.opened_at, p.purchase_id) < (v_before_at, coalesce(p_before_id, p.purchase_id))
  order by p.opened_at desc, p.purchase_id desc
  limit p_limit;
end
$$;

--
-- Name: FUNCTION list_purchases(p_admin_id bigint, p_telegram_id bigint, p_before_id uuid, p_limit integer); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.list_purchases(p_admin_id bigint, p_telegram_id bigint, p_before_id uuid, p_limit integer) IS 'Without those that expired or were cancelled unpaid. taken_back_by: the admin, or null for the provider. The next page begins before the last purchase seen. Reads that user''s rows only.';

--
-- Name: list_suspense(bigint, bigint, integer); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.list_suspense(p_admin_id bigint, p_after_id bigint, p_limit integer) RETURNS TABLE(payment_id bigint, provider text, amount_minor bigint, currency text, suspense_reason text, received_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_after timestamptz := timestamptz '-infinity';
begin
  perform core._require(p_limit between 1 and 100, 'p_limit: 1 to 100');
  perform account._only_admins(p_admin_id);
  if p_after_id is not null then
    select p.received_at into v_after from billing.payment p where p.payment_id = p_after_id;
    if not found then
      perform core._refuse('PY002', format('no payment has payment_id %s', p_after_id));
    end if;
  end if;

  return query
  select p.payment_id, p.provider, p.amount_minor, p.currency, p.suspense_reason, p.received_at
  from billing.payment p
  where p.outcome = 'suspense'
    and (p.received_at, p.payment_id) > (v_after, coalesce(p_after_id, 0))
  order by p.received_at, p.payment_id
  limit p_limit;
end
$$;

--
-- Name: FUNCTION list_suspense(p_admin_id bigint, p_after_id bigint, p_limit integer); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.list_suspense(p_admin_id bigint, p_after_id bigint, p_limit integer) IS 'For admins only. p_after_id: the last row of the page before, which may have been assigned since; null begins. Reads only.';

--
-- Name: list_unpaid(bigint, bigint, integer); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.list_unpaid(p_admin_id bigint, p_telegram_id bigint, p_limit integer) RETURNS TABLE(purchase_id uuid, kind text, status text, tariff text, months integer, price_kopecks bigint, opened_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_limit between 1 and 100, 'p_limit: 1 to 100');
  perform account._only_admins(p_admin_id);
  if not exists (select 1 from account.account a where a.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  return query
  select u.purchase_id, u.kind::text,
         case when u.status = 'open' and u.expires_at <= v_now then 'expired'
              else u.status::text end,
         u.tariff, u.months::int, u.price_kopecks::bigint, u.opened_at
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.status in ('open', 'expired', 'cancelled')
  order by u.opened_at desc, u.purchase_id
  limit p_limit;
end
$$;

--
-- Name: FUNCTION list_unpaid(p_admin_id bigint, p_telegram_id bigint, p_limit integer); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.list_unpaid(p_admin_id bigint, p_telegram_id bigint, p_limit integer) IS 'For admins only: open, expired and cancelled; money that comes late is honoured. Reads only.';

--
-- Name: open_purchase(bigint, text, integer, text, text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.open_purchase(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text, p_idempotency_key text) RETURNS TABLE(purchase_id uuid, price_kopecks bigint, discount_kind text, discount_percent integer, expires_at timestamp with time zone, is_replay boolean, list_kopecks bigint, subscription_expires_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_code text;
  v_id uuid;
begin
  perform core._guard('payments');
  perform core._require_user_id(p_telegram_id);
  perform billing._require_choice(p_tariff, p_months);
  v_code := promo._require_code(p_promo_code);
  perform core._require_key(p_idempotency_key);
  v_is_blocked := account._lock(p_telegram_id);

  v_id := billing._find_opened(p_telegram_id, 'subscription', p_idempotency_key,
                               p_tariff, p_months, v_code, null);
  if v_id is null then
    if v_is_blocked then
      perform core._refuse('US002', format('telegram_id %s', p_telegram_id));
    end if;

    v_id := billing._open(p_telegram_id, p_tariff, p_months, v_code, p_idempotency_key);
    is_replay := false;
  else
    is_replay := true;
  end if;

  return query
  select u.purchase_id, u.price_kopecks::bigint, u.discount_kind::text, u.discount_percent::int,
         u.expires_at, open_purchase.is_replay, u.list_kopecks::bigint, u.quoted_expires_at
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.purchase_id = v_id;
end
$$;

--
-- Name: FUNCTION open_purchase(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text, p_idempotency_key text); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.open_purchase(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text, p_idempotency_key text) IS 'Opens a purchase at the price of this moment; paying never recomputes it. Buttons and invoices carry purchase_id and nothing else. It lives 30 minutes (setting purchase_lifetime_seconds). subscription_expires_at is the end if it were paid now. With a promo code that wins, a use of it is reserved until the purchase is paid, cancelled or expired; past per_user_limit the own oldest open purchase with the code is cancelled and gives its use up. discount_kind tells whether the code won; one that cannot be used refuses even where it would lose. Idempotent by p_idempotency_key.';

--
-- Name: open_topup(bigint, bigint, text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.open_topup(p_telegram_id bigint, p_amount_kopecks bigint, p_idempotency_key text) RETURNS TABLE(purchase_id uuid, price_kopecks bigint, expires_at timestamp with time zone, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_now timestamptz;
  v_id uuid;
begin
  perform core._guard('payments');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_amount_kopecks between 1 and 1000000000000,
                        'p_amount_kopecks: 1 to 10^12');
  perform core._require_key(p_idempotency_key);
  v_is_blocked := account._lock(p_telegram_id);
  v_now := core.now();

  v_id := billing._find_opened(p_telegram_id, 'topup', p_idempotency_key, null, null, null,
                               p_amount_kopecks);
  if v_id is null then
    if v_is_blocked then
      perform core._refuse('US002', format('telegram_id %s', p_telegram_id));
    end if;
    if p_amount_kopecks not between ops._setting_value('topup_minimum_kopecks')
                                and ops._setting_value('topup_maximum_kopecks') then
      perform core._refuse('PU006', format(
        '%s is not between %s and %s kopecks', p_amount_kopecks,
        ops._setting_value('topup_minimum_kopecks'), ops._setting_value('topup_maximum_kopecks')));
    end if;

    insert into billing.purchase as u (
      telegram_id, purchase_id, kind, status, list_kopecks, discount_kind, discount_percent,
      price_kopecks, idempotency_key, opened_at, expires_at, expiry_check_at)
    select p_telegram_id, gen_random_uuid(), 'topup', 'open', p_amount_kopecks, 'none', 0,
           p_amount_kopecks, p_idempotency_key, v_now, l.expires_at, l.expires_at
    from billing._lifetime(v_now) l (expires_at)
    returning u.purchase_id into v_id;
    is_replay := false;
  else
    is_replay := true;
  end if;

  return query
  select u.purchase_id, u.price_kopecks::bigint, u.expires_at, open_topup.is_replay
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.purchase_id = v_id;
end
$$;

--
-- Name: FUNCTION open_topup(p_telegram_id bigint, p_amount_kopecks bigint, p_idempotency_key text); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.open_topup(p_telegram_id bigint, p_amount_kopecks bigint, p_idempotency_key text) IS 'Opens a top-up; what a provider then brings for it is credited, whatever the amount. Limits: billing.topup_options(). Idempotent by p_idempotency_key.';

--
-- Name: pay_from_balance(bigint, uuid); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.pay_from_balance(p_telegram_id bigint, p_purchase_id uuid) RETURNS TABLE(purchase_id uuid, status text, available_kopecks bigint, subscription_expires_at timestamp with time zone, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_now timestamptz;
  v_kind billing.purchase_kind;
  v_status billing.purchase_status;
  v_tariff text;
  v_months int;
  v_price_kopecks bigint;
  v_expires_at timestamptz;
  v_paid_with text;
  v_version bigint;
  v_held_kopecks bigint;
  v_debt_kopecks bigint;
begin
  perform core._guard('payments');
  if (p_telegram_id between 1 and 4503599627370495) is not true or p_purchase_id is null then
    perform core._refuse('22023', 'p_telegram_id: 1 to 2^52 - 1; p_purchase_id: not null');
  end if;
  v_is_blocked := account._lock(p_telegram_id);
  v_now := core.now();

  select u.status, u.kind, u.tariff, u.months, u.price_kopecks, u.expires_at, u.paid_with,
         u.available_after_kopecks, u.after_expires_at
  into v_status, v_kind, v_tariff, v_months, v_price_kopecks, v_expires_at, v_paid_with,
       pay_from_balance.available_kopecks, pay_from_balance.subscription_expires_at
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;
  if not found then
    perform core._refuse('PU001', format('purchase_id %s', p_purchase_id));
  end if;

  pay_from_balance.purchase_id := p_purchase_id;
  pay_from_balance.status := 'paid';
  pay_from_balance.is_replay := coalesce(v_paid_with in ('balance', 'free'), false);
  if pay_from_balance.is_replay then
    return next;
    return;
  end if;

  if v_is_blocked or v_kind = 'topup' or v_status <> 'open' or v_expires_at <= v_now then
    perform billing._refuse_to_pay(p_telegram_id, p_purchase_id, v_kind, v_status, v_expires_at);
  end if;

  if v_price_kopecks > 0 then -- as ledger._post does, in fewer steps
    update wallet.wallet w
    set available_kopecks = w.available_kopecks - v_price_kopecks, version = w.version + 1
    where w.telegram_id = p_telegram_id and w.available_kopecks >= v_price_kopecks
    returning w.version, w.available_kopecks, w.held_kopecks, w.debt_kopecks
    into v_version, pay_from_balance.available_kopecks, v_held_kopecks, v_debt_kopecks;
    if not found then
      perform ledger._refuse_unfunded(p_telegram_id, v_price_kopecks);
    end if;

    insert into ledger.transfer (
      telegram_id, version, debit_account, credit_account, reason, amount_kopecks,
      available_kopecks, held_kopecks, debt_kopecks, created_at, purchase_id)
    values (p_telegram_id, v_version, 'available', 'revenue', 'purchase', v_price_kopecks,
            pay_from_balance.available_kopecks, v_held_kopecks, v_debt_kopecks, v_now,
            p_purchase_id);
  else
    pay_from_balance.available_kopecks := (wallet.balance(p_telegram_id)).available_kopecks;
  end if;
  pay_from_balance.subscription_expires_at := billing._fulfil(
    p_telegram_id, p_purchase_id, v_tariff, v_months, v_price_kopecks,
    case when v_price_kopecks > 0 then 'balance' else 'free' end, null,
    pay_from_balance.available_kopecks, v_now);
  return next;
end
$$;

--
-- Name: FUNCTION pay_from_balance(p_telegram_id bigint, p_purchase_id uuid); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.pay_from_balance(p_telegram_id bigint, p_purchase_id uuid) IS 'Takes the recorded price from the balance and extends the subscription, in one transaction; the key is delivered by a job written in it. Its own key: a second call gives the first answer with is_replay = true.';

--
-- Name: pending_invoices(text, timestamp with time zone, text, integer); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.pending_invoices(p_provider text, p_before_at timestamp with time zone, p_before_invoice_id text, p_limit integer) RETURNS TABLE(purchase_id uuid, invoice_id text, amount_minor bigint, currency text, attached_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require(length(p_provider) between 1 and 64, 'p_provider: 1 to 64 characters');
  perform core._require((p_before_at is null) = (p_before_invoice_id is null),
                        'p_before_at and p_before_invoice_id: both or neither');
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');

  return query
  select n.purchase_id, n.invoice_id, n.amount_minor, n.currency, n.attached_at
  from billing.invoice n
  where n.provider = p_provider
    and n.attached_at > v_now - interval '3 days'
    and (n.attached_at, n.invoice_id)
        < (coalesce(p_before_at, 'infinity'), coalesce(p_before_invoice_id, ''))
    and not exists (select 1 from billing.charge c
                    where c.provider = n.provider and c.charge_id = n.invoice_id)
  order by n.attached_at desc, n.invoice_id desc
  limit p_limit;
end
$$;

--
-- Name: FUNCTION pending_invoices(p_provider text, p_before_at timestamp with time zone, p_before_invoice_id text, p_limit integer); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.pending_invoices(p_provider text, p_before_at timestamp with time zone, p_before_invoice_id text, p_limit integer) IS 'Attached within 3 days and not settled, newest first; for providers whose charge id is the invoice id. For the next page: the last row''s attached_at and invoice_id; nulls to begin. Reads only.';

--
-- Name: precheck(bigint, uuid, bigint, text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.precheck(p_telegram_id bigint, p_purchase_id uuid, p_amount_minor bigint, p_currency text) RETURNS TABLE(is_payable boolean, refusal text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
  v_refusal text;
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_purchase_id is not null, 'p_purchase_id: the id from open_purchase');
  perform core._require(p_amount_minor >= 1, 'p_amount_minor: 1 or more');
  perform core._require(length(p_currency) between 1 and 16, 'p_currency: RUB or XTR');
  perform core._require_feature('payments');

  select case when a.is_blocked then 'blocked'
              when u.status = 'expired' or (u.status = 'open' and u.expires_at <= v_now)
                then 'expired'
              when u.status <> 'open' then 'not_open'
              when not exists (
                select 1 from billing.invoice n
                where n.telegram_id = u.telegram_id and n.purchase_id = u.purchase_id
                  and n.amount_minor = p_amount_minor and n.currency = p_currency)
                then 'amount_differs'
         end
  into v_refusal
  from billing.purchase u
  join account.account a on a.telegram_id = u.telegram_id
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;
  if not found then
    v_refusal := 'unknown_purchase';
  end if;

  return query select v_refusal is null, v_refusal;
end
$$;

--
-- Name: FUNCTION precheck(p_telegram_id bigint, p_purchase_id uuid, p_amount_minor bigint, p_currency text); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.precheck(p_telegram_id bigint, p_purchase_id uuid, p_amount_minor bigint, p_currency text) IS 'Answers Telegram''s pre_checkout_query. refusal: null, unknown_purchase, blocked, expired, not_open or amount_differs. Reserves nothing. Reads only.';

--
-- Name: quote(bigint, text, integer, text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.quote(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text) RETURNS TABLE(list_kopecks bigint, discount_kind text, discount_percent integer, price_kopecks bigint, subscription_expires_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
  v_code text;
begin
  perform core._require_user_id(p_telegram_id);
  perform billing._require_choice(p_tariff, p_months);
  v_code := promo._require_code(p_promo_code);
  if v_code is not null then
    perform promo._usable(p_telegram_id, v_code, v_now);
  end if;

  return query
  select p.list_kopecks, p.discount_kind::text, p.discount_percent, p.price_kopecks,
         subscription._add_months(subscription._start_after(
           v_now, p_tariff, s.tariff, s.expires_at, s.period), p_months)
  from billing._price(p_telegram_id, p_tariff, p_months, v_code, v_now) p
  left join subscription.subscription s on s.telegram_id = p_telegram_id;
end
$$;

--
-- Name: FUNCTION quote(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.quote(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text) IS 'List price, the discount that won, the price in kopecks, and the end of the subscription if it were paid now. A code is refused for the reasons of promo.validate even where another discount is larger. Reserves nothing. Reads only.';

--
-- Name: refund_purchase(bigint, uuid, text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.refund_purchase(p_admin_id bigint, p_purchase_id uuid, p_reason text) RETURNS TABLE(purchase_id uuid, refunded_kopecks bigint, subscription_expires_at timestamp with time zone, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_telegram_id bigint;
  v_price_kopecks bigint;
  v_now timestamptz;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_purchase_id is not null, 'p_purchase_id: the id from open_purchase');
  perform core._require(length(p_reason) between 1 and 1000, 'p_reason: 1 to 1000 characters');
  perform account._require_admin(p_admin_id);

  select u.telegram_id into v_telegram_id
  from billing.purchase u where u.purchase_id = p_purchase_id;
  if not found then
    perform core._refuse('PU001', format('purchase_id %s', p_purchase_id));
  end if;
  perform account._lock(v_telegram_id);
  v_now := core.now();

  return query
  select r.purchase_id, r.refunded_kopecks::bigint, r.subscription_expires_at, true
  from billing.refund r
  where r.telegram_id = v_telegram_id and r.purchase_id = p_purchase_id
    and r.actor_id = p_admin_id;
  if found then
    return;
  end if;

  v_price_kopecks := billing._require_paid(v_telegram_id, p_purchase_id);
  if v_price_kopecks > 0 then
    perform ledger._post(
      v_telegram_id, 'refund', 'revenue', 'available', v_price_kopecks, v_now,
      p_purchase_id => p_purchase_id, p_actor_id => p_admin_id, p_note => p_reason);
  end if;
  subscription_expires_at := billing._take_back(
    v_telegram_id, p_purchase_id, 'refund', v_price_kopecks, p_admin_id, p_reason, v_now);

  insert into outbox.task (
    telegram_id, kind, name, due_at, created_at, purchase_id, amount_kopecks)
  values (v_telegram_id, 'message', 'refunded', v_now, v_now, p_purchase_id, v_price_kopecks);
  perform audit._record(
    'billing.refund_purchase', p_admin_id, 'purchase:' || p_purchase_id, jsonb_build_object(
      'telegram_id', v_telegram_id, 'refunded_kopecks', v_price_kopecks, 'reason', p_reason));

  return query select p_purchase_id, v_price_kopecks, subscription_expires_at, false;
end
$$;

--
-- Name: FUNCTION refund_purchase(p_admin_id bigint, p_purchase_id uuid, p_reason text); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.refund_purchase(p_admin_id bigint, p_purchase_id uuid, p_reason text) IS 'The latest purchase''s refund restores the subscription as it was before it; an earlier one''s takes its period off the end. Auto-renewal stops, cashback is clawed back, no promo use comes back. Its own key: the same admin''s second call is a replay, another''s is PU003. Top-ups have nothing to give back (PU003).';

--
-- Name: resolve_suspense(bigint, bigint, bigint, bigint, text); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.resolve_suspense(p_admin_id bigint, p_payment_id bigint, p_telegram_id bigint, p_amount_kopecks bigint, p_note text) RETURNS TABLE(payment_id bigint, outcome text, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_payment record;
  v_amount_kopecks bigint;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_payment_id >= 1, 'p_payment_id: of a payment in suspense');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_amount_kopecks is null or p_amount_kopecks between 1 and 1000000000000,
                        'p_amount_kopecks: null as received, or 1 to 10^12');
  perform core._require(length(p_note) between 1 and 1000, 'p_note: 1 to 1000 characters');
  perform account._require_admin(p_admin_id);
  perform account._lock(p_telegram_id);
  v_payment := billing._lock_suspense(p_payment_id);

  v_amount_kopecks := coalesce(p_amount_kopecks, v_payment.rub_kopecks);
  if (v_payment.resolved_by, v_payment.telegram_id, v_payment.worth_kopecks)
     = (p_admin_id, p_telegram_id, v_amount_kopecks) then
    return query select p_payment_id, 'credited', true;
    return;
  elsif v_payment.outcome <> 'suspense' then
    perform core._refuse('PY002', format(
      'payment_id %s: %s, to telegram_id %s, by %s at %s', p_payment_id, v_payment.outcome,
      nullif(v_payment.telegram_id, 0),
      coalesce('admin ' || v_payment.resolved_by, 'the provider'),
      coalesce(v_payment.resolved_at, v_payment.reversed_at, v_payment.received_at)));
  end if;
  perform core._require(
    v_amount_kopecks between 1 and coalesce(v_payment.rub_kopecks, 1000000000000)
      and v_amount_kopecks <= 1000000000000,
    format('p_amount_kopecks: %s %s were received', v_payment.amount_minor, v_payment.currency));

  perform billing._assign(p_payment_id, p_telegram_id, v_amount_kopecks, p_admin_id, p_note);
  return query select p_payment_id, 'credited', false;
end
$$;

--
-- Name: FUNCTION resolve_suspense(p_admin_id bigint, p_payment_id bigint, p_telegram_id bigint, p_amount_kopecks bigint, p_note text); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.resolve_suspense(p_admin_id bigint, p_payment_id bigint, p_telegram_id bigint, p_amount_kopecks bigint, p_note text) IS 'All of it goes to the user''s balance. A null amount is as received, for roubles only; roubles are never credited above what was received. Its own key: the same admin''s second call with the same user and amount is a replay, anything else is PY002.';

--
-- Name: reverse_payment(text, text, bigint, text, jsonb); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.reverse_payment(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text, p_raw jsonb) RETURNS TABLE(payment_id bigint, outcome text, debt_kopecks bigint, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_charge record;
  v_telegram_id bigint := 0;
  v_payment_id bigint;
  v_outcome billing.payment_outcome;
begin
  perform core._guard();
  perform core._require(length(p_charge_id) between 1 and 256, 'p_charge_id: 1 to 256 characters');
  perform core._require(p_amount_minor >= 1, 'p_amount_minor: 1 or more');
  perform core._require(length(p_currency) between 1 and 16, 'p_currency: 1 to 16 characters');
  perform billing._require_provider(p_provider);

  v_charge := billing._lock_charge(p_provider, p_charge_id);
  if v_charge.payment_id is null then
    v_payment_id := billing._reverse_unknown(p_provider, p_charge_id, p_amount_minor, p_currency,
                                             p_raw);
    if v_payment_id is null then -- it came meanwhile
      v_charge := billing._lock_charge(p_provider, p_charge_id);
    end if;
  end if;

  if v_charge.payment_id is not null then
    v_payment_id := v_charge.payment_id;
    v_telegram_id := v_charge.telegram_id;
    perform billing._alarm_if_amount_differs(p_provider, p_charge_id, p_amount_minor, p_currency);

    select p.outcome into strict v_outcome
    from billing.payment p
    where p.telegram_id = v_telegram_id and p.payment_id = v_payment_id;
    if v_outcome = 'suspense' then -- nobody has got anything for it
      update billing.payment p
      set outcome = 'reversed', reversed_at = core.now(), reversal_debt_kopecks = 0,
          reversal_raw = p_raw
      where p.telegram_id = v_telegram_id and p.payment_id = v_payment_id;
    elsif v_outcome <> 'reversed' then
      perform billing._reverse(v_telegram_id, v_payment_id, p_raw, core.now());
    end if;
  end if;

  if v_outcome is distinct from 'reversed' then
    perform audit._record('billing.reverse_payment', null, 'payment:' || v_payment_id,
                          jsonb_build_object('was', v_outcome, 'amount_minor', p_amount_minor,
                                             'currency', p_currency));
  end if;
  return query
  select p.payment_id, p.outcome::text, p.reversal_debt_kopecks,
         v_outcome is not distinct from 'reversed'
  from billing.payment p
  where p.telegram_id = v_telegram_id and p.payment_id = v_payment_id;
end
$$;

--
-- Name: FUNCTION reverse_payment(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text, p_raw jsonb); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.reverse_payment(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text, p_raw jsonb) IS 'A refund or chargeback by the provider; the whole charge is reversed, and the admins are told if the amount differs. What is not on the balance any more is debt. A charge that has not been heard of is noted: its payment then credits nothing. Its key is (provider, charge id): a repeat is a replay.';

--
-- Name: settle_payment(text, text, uuid, bigint, bigint, text, jsonb); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.settle_payment(p_provider text, p_charge_id text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, p_raw jsonb) RETURNS TABLE(payment_id bigint, outcome text, telegram_id bigint, credited_kopecks bigint, subscription_expires_at timestamp with time zone, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._guard();
  perform core._require(length(p_charge_id) between 1 and 256,
                        'p_charge_id: 1 to 256 characters');
  perform core._require(p_amount_minor >= 1, 'p_amount_minor: 1 or more');
  perform core._require(length(p_currency) between 1 and 16, 'p_currency: 1 to 16 characters');
  perform billing._require_provider(p_provider);

  return query
  select s.payment_id, s.outcome, s.telegram_id, s.credited_kopecks, s.subscription_expires_at,
         s.is_replay
  from billing._settle(p_provider, p_charge_id, p_purchase_id, p_payer_id, p_amount_minor,
                       p_currency, p_raw) s;
end
$$;

--
-- Name: FUNCTION settle_payment(p_provider text, p_charge_id text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, p_raw jsonb); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.settle_payment(p_provider text, p_charge_id text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, p_raw jsonb) IS 'Received money is never refused or lost. Its key is (provider, charge id): a repeat is a replay, whatever else differs. outcome: applied (bought the purchase, late or not; a surplus is credited), credited (all of it is on the payer''s balance: bought already, too little, paid by somebody else, or a blocked user), suspense (unknown purchase or payer, wrong currency: the admins are told), reversed. A null p_payer_id is the purchase''s owner.';

--
-- Name: show_payment(bigint, bigint); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.show_payment(p_admin_id bigint, p_payment_id bigint) RETURNS TABLE(payment_id bigint, provider text, charge_id text, purchase_id uuid, payer_id bigint, payer_name text, amount_minor bigint, currency text, received_kopecks bigint, outcome text, suspense_reason text, received_at timestamp with time zone, telegram_id bigint, username text, worth_kopecks bigint, resolved_by bigint, resolved_by_name text, resolved_at timestamp with time zone, resolution_note text, reversed_at timestamp with time zone, raw text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require(p_payment_id is not null, 'p_payment_id: the id from list_suspense');
  perform account._only_admins(p_admin_id);

  return query
  select p.payment_id, p.provider, p.charge_id, p.purchase_id, p.payer_id, y.username,
         p.amount_minor, p.currency, case p.currency when 'RUB' then p.amount_minor end,
         p.outcome::text, p.suspense_reason, p.received_at, nullif(p.telegram_id, 0),
         u.username, p.worth_kopecks, p.resolved_by, r.username, p.resolved_at,
         p.resolution_note, p.reversed_at, left(p.raw::text, 2000)
  from billing.payment p
  left join account.account y on y.telegram_id = p.payer_id
  left join account.account u on u.telegram_id = p.telegram_id
  left join account.account r on r.telegram_id = p.resolved_by
  where p.payment_id = p_payment_id;
  if not found then
    perform core._refuse('PY002', format('no payment has payment_id %s', p_payment_id));
  end if;
end
$$;

--
-- Name: FUNCTION show_payment(p_admin_id bigint, p_payment_id bigint); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.show_payment(p_admin_id bigint, p_payment_id bigint) IS 'For admins only: what the provider said, and what became of it. received_kopecks: as received, null in another currency than roubles. A null telegram_id: nobody''s. raw: the provider''s own words, their first 2000 characters. Reads only.';

--
-- Name: show_purchase(bigint, uuid); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.show_purchase(p_telegram_id bigint, p_purchase_id uuid) RETURNS TABLE(purchase_id uuid, kind text, status text, tariff text, months integer, list_kopecks bigint, discount_kind text, discount_percent integer, price_kopecks bigint, expires_at timestamp with time zone, subscription_expires_at timestamp with time zone, provider text, invoice_id text, offer_id uuid, keeps_key boolean, seconds_left integer, switch_kind text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_purchase_id is not null, 'p_purchase_id: the id from open_purchase');

  return query
  select u.purchase_id, u.kind::text,
         case when u.status = 'open' and u.expires_at <= v_now then 'expired'
              else u.status::text end,
         u.tariff, u.months::int, u.list_kopecks::bigint, u.discount_kind::text,
         u.discount_percent::int, u.price_kopecks::bigint, u.expires_at,
         coalesce(u.after_expires_at, u.quoted_expires_at), i.provider, i.invoice_id,
         p.offer_id, coalesce(u.before_expires_at > u.closed_at, false),
         greatest(ceil(date_part('epoch', u.expires_at - v_now)), 0)::int,
         case when u.status = 'open' then subscription._switch_kind(
           u.telegram_id, u.tariff, v_now) end
  from billing.purchase u
  left join billing.tariff_price p on p.tariff = u.tariff and p.months = u.months
  left join lateral (
    select n.provider, n.invoice_id
    from billing.invoice n
    where n.telegram_id = u.telegram_id and n.purchase_id = u.purchase_id
    order by n.attached_at desc limit 1) i on true
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;
  if not found then
    perform core._refuse('PU001', format('purchase_id %s', p_purchase_id));
  end if;
end
$$;

--
-- Name: FUNCTION show_purchase(p_telegram_id bigint, p_purchase_id uuid); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.show_purchase(p_telegram_id bigint, p_purchase_id uuid) IS 'A purchase with its price, status and latest invoice; keeps_key: it was paid while a subscription was in force, whose key goes on; seconds_left: until expires_at, by the clock that decides; switch_kind, of one that is open: up or down to another tariff than the one in force, or in place of a trial. Reads only.';

--
-- Name: topup_options(); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.topup_options() RETURNS TABLE(minimum_kopecks bigint, maximum_kopecks bigint, presets_kopecks bigint[])
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select ops._setting_value('topup_minimum_kopecks'), ops._setting_value('topup_maximum_kopecks'),
         array(select p.amount_kopecks::bigint from billing.topup_preset p
               order by p.amount_kopecks)
$$;

--
-- Name: FUNCTION topup_options(); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.topup_options() IS 'Smallest, largest and preset top-ups, in kopecks. Reads only.';

--
-- Name: ways_to_pay(bigint, uuid); Type: FUNCTION; Schema: billing; Owner: -
--

CREATE FUNCTION billing.ways_to_pay(p_telegram_id bigint, p_purchase_id uuid) RETURNS TABLE(provider text, amount_minor bigint, currency text, is_offered boolean, refusal text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_purchase record;
  v_now timestamptz := core.now();
  v_star_kopecks bigint := ops._setting_value('star_kopecks');
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_purchase_id is not null, 'p_purchase_id: the id from open_purchase');

  select u.price_kopecks, u.status = 'open' and u.expires_at > v_now as is_open into v_purchase
  from billing.purchase u
  where u.telegram_id = p_telegram_id and u.purchase_id = p_purchase_id;
  if not found then
    perform core._refuse('PU001', format('purchase_id %s', p_purchase_id));
  end if;

  return query
  select w.provider, w.amount_minor, w.currency, w.refusal is null, w.refusal
  from (
    select p.provider,
           coalesce(i.amount_minor,
                    case p.currency when 'XTR'
                      then (v_purchase.price_kopecks + v_star_kopecks - 1) / v_star_kopecks
                      else v_purchase.price_kopecks end) as amount_minor,
           p.currency,
           case when not v_purchase.is_open then 'not_open'
                when not p.is_offered then 'switched_off'
                when v_purchase.price_kopecks = 0 then 'free'
                when v_purchase.price_kopecks < p.minimum_kopecks then 'below_minimum'
           end as refusal
    from billing.provider p
    left join lateral (
      select n.amount_minor from billing.invoice n
      where n.telegram_id = p_telegram_id and n.purchase_id = p_purchase_id
        and n.provider = p.provider
      order by n.attached_at limit 1) i on true
    where p.is_settled_by_event
  ) w
  order by w.provider;
end
$$;

--
-- Name: FUNCTION ways_to_pay(p_telegram_id bigint, p_purchase_id uuid); Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON FUNCTION billing.ways_to_pay(p_telegram_id bigint, p_purchase_id uuid) IS 'One row per provider. amount_minor is what its invoice has to ask: kopecks, or whole Stars rounded up, fixed once an invoice is attached. refusal: null, not_open, switched_off, free (no provider is needed), below_minimum. Reads only.';

--
-- Name: _close_lost(timestamp with time zone); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast._close_lost(p_now timestamp with time zone) RETURNS void
    LANGUAGE sql
    AS $$
  with lost as (
    select r.telegram_id, r.broadcast_id
    from broadcast.recipient r
    where r.finished_at is null and r.outcome = 'sending' and r.leased_until <= p_now
    for no key update skip locked
  )
  update broadcast.recipient r
  set outcome = 'unknown', finished_at = p_now, leased_until = null
  from lost l
  where r.telegram_id = l.telegram_id and r.broadcast_id = l.broadcast_id
$$;

--
-- Name: FUNCTION _close_lost(p_now timestamp with time zone); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast._close_lost(p_now timestamp with time zone) IS 'It may have arrived: nobody gets a broadcast twice, so it is counted and not sent again.';

--
-- Name: _count(bigint, text, broadcast.outcome, timestamp with time zone); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast._count(p_broadcast_id bigint, p_variant text, p_outcome broadcast.outcome, p_now timestamp with time zone) RETURNS void
    LANGUAGE sql
    AS $$
  with was as (
    select t.broadcast_id,
           t.sent_a + t.sent_b + t.unreachable + t.failed as people,
           p_now >= t.marked_at + interval '10 seconds' as is_mark,
           p_now >= t.marked_at + interval '1 minute' as is_anew
    from broadcast.tally t
    where t.broadcast_id = p_broadcast_id
    for no key update
  )
  update broadcast.tally t
  set sent_a = t.sent_a + (p_outcome = 'sent' and p_variant = 'a')::int,
      sent_b = t.sent_b + (p_outcome = 'sent' and p_variant = 'b')::int,
      unreachable = t.unreachable + (p_outcome = 'unreachable')::int,
      failed = t.failed + (p_outcome = 'failed')::int,
      since_at = case when w.is_anew then p_now when w.is_mark then t.marked_at
                      else t.since_at end,
      since_people = case when w.is_anew then w.people when w.is_mark then t.marked_people
                          else t.since_people end,
      marked_at = case when w.is_mark then p_now else t.marked_at end,
      marked_people = case when w.is_mark then w.people else t.marked_people end
  from was w
  where t.broadcast_id = w.broadcast_id
$$;

--
-- Name: FUNCTION _count(p_broadcast_id bigint, p_variant text, p_outcome broadcast.outcome, p_now timestamp with time zone); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast._count(p_broadcast_id bigint, p_variant text, p_outcome broadcast.outcome, p_now timestamp with time zone) IS 'And takes its pace, over the last ten to twenty seconds; anew after a pause.';

--
-- Name: _end(bigint, bigint, uuid, broadcast.outcome, text, timestamp with time zone); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast._end(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_outcome broadcast.outcome, p_error text, p_due_at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
declare
  v_now timestamptz := core.now();
  v_variant text;
begin
  update broadcast.recipient r
  set outcome = p_outcome, due_at = p_due_at, leased_until = null, last_error = left(p_error, 1000),
      finished_at = case when p_outcome = 'waiting' then null else v_now end
  where r.telegram_id = p_telegram_id and r.broadcast_id = p_broadcast_id
    and r.lease_token = p_lease_token
    and (r.outcome = 'sending' or r.outcome = 'unknown' and p_outcome <> 'waiting')
  returning r.variant into v_variant;
  if not found then
    return exists (
      select 1 from broadcast.recipient r
      where r.telegram_id = p_telegram_id and r.broadcast_id = p_broadcast_id
        and r.lease_token = p_lease_token);
  end if;
  if p_outcome <> 'waiting' then
    perform broadcast._count(p_broadcast_id, v_variant, p_outcome, v_now);
  end if;
  return true;
end
$$;

--
-- Name: FUNCTION _end(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_outcome broadcast.outcome, p_error text, p_due_at timestamp with time zone); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast._end(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_outcome broadcast.outcome, p_error text, p_due_at timestamp with time zone) IS 'False: the token names no attempt, or another one came after it. Late news of an unknown outcome are taken.';

--
-- Name: _end_if_done(bigint, timestamp with time zone); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast._end_if_done(p_broadcast_id bigint, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  if exists (
    select 1 from broadcast.recipient r
    where r.broadcast_id = p_broadcast_id and r.finished_at is null) then
    return; -- somebody is being written to, or waits for another attempt
  end if;
  update broadcast.broadcast b
  set status = 'done', ended_at = p_now
  where b.broadcast_id = p_broadcast_id;

  insert into outbox.task (telegram_id, kind, name, due_at, created_at, arguments)
  select b.prepared_by, 'message', 'broadcast_done', p_now, p_now,
         jsonb_build_object('title', b.title, 'sent', p.sent, 'unreachable', p.unreachable,
                            'failed', p.failed, 'unknown', p.unknown)
  from broadcast.broadcast b
  join broadcast.progress p on p.broadcast_id = b.broadcast_id
  where b.broadcast_id = p_broadcast_id;
end
$$;

--
-- Name: FUNCTION _end_if_done(p_broadcast_id bigint, p_now timestamp with time zone); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast._end_if_done(p_broadcast_id bigint, p_now timestamp with time zone) IS 'Called when the segment has nobody left.';

--
-- Name: _expected(broadcast.status, broadcast.segment, bigint, timestamp with time zone); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast._expected(p_status broadcast.status, p_segment broadcast.segment, p_expected_people bigint, p_now timestamp with time zone) RETURNS TABLE(people bigint, is_estimate boolean)
    LANGUAGE plpgsql STABLE
    AS $$
begin
  if p_status = 'draft' then
    return query select s.people, s.is_estimate from broadcast._size(p_segment, p_now) s;
  else
    return query select p_expected_people, true;
  end if;
end
$$;

--
-- Name: FUNCTION _expected(p_status broadcast.status, p_segment broadcast.segment, p_expected_people bigint, p_now timestamp with time zone); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast._expected(p_status broadcast.status, p_segment broadcast.segment, p_expected_people bigint, p_now timestamp with time zone) IS 'A draft''s segment is looked at again; for all others it is what it was when they began, while people come and go.';

--
-- Name: _is_meant(broadcast.segment, timestamp with time zone, boolean, timestamp with time zone); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast._is_meant(p_segment broadcast.segment, p_expires_at timestamp with time zone, p_has_bought boolean, p_now timestamp with time zone) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
  select case p_segment
           when 'all' then true
           when 'active' then p_expires_at > p_now
           when 'expired' then p_expires_at <= p_now
           when 'no_subscription' then (p_expires_at > p_now) is not true
           when 'never_bought' then not p_has_bought
         end
$$;

--
-- Name: FUNCTION _is_meant(p_segment broadcast.segment, p_expires_at timestamp with time zone, p_has_bought boolean, p_now timestamp with time zone); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast._is_meant(p_segment broadcast.segment, p_expires_at timestamp with time zone, p_has_bought boolean, p_now timestamp with time zone) IS 'By when the subscription ends (null: none) and whether one was ever bought.';

--
-- Name: _lock(bigint); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast._lock(p_broadcast_id bigint) RETURNS broadcast.status
    LANGUAGE plpgsql
    AS $$
declare
  v_status broadcast.status;
begin
  perform core._require(p_broadcast_id is not null, 'p_broadcast_id: the id from prepare');
  select b.status into v_status
  from broadcast.broadcast b
  where b.broadcast_id = p_broadcast_id
  for no key update;
  if not found then
    perform core._refuse('BR001', format('broadcast_id %s', p_broadcast_id));
  end if;
  return v_status;
end
$$;

--
-- Name: FUNCTION _lock(p_broadcast_id bigint); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast._lock(p_broadcast_id bigint) IS 'And gives its status.';

--
-- Name: _move(bigint, bigint, text, broadcast.status[], broadcast.status); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast._move(p_admin_id bigint, p_broadcast_id bigint, p_action text, p_from broadcast.status[], p_to broadcast.status) RETURNS TABLE(is_replay boolean, moved_by bigint, moved_at timestamp with time zone)
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
  v_status broadcast.status;
  v_now timestamptz;
begin
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform account._require_admin(p_admin_id);
  v_status := broadcast._lock(p_broadcast_id);
  v_now := core.now();
  if v_status <> all (p_from || p_to) then
    perform core._refuse('BR002', format('broadcast %s is %s', p_broadcast_id, v_status));
  end if;

  is_replay := v_status = p_to;
  if not is_replay then
    update broadcast.broadcast b
    set status = p_to, moved_by = p_admin_id, moved_at = v_now,
        started_at = case p_to when 'running' then coalesce(b.started_at, v_now)
                               else b.started_at end,
        ended_at = case p_to when 'cancelled' then v_now end
    where b.broadcast_id = p_broadcast_id;
    perform audit._record(p_action, p_admin_id, p_broadcast_id::text);
  end if;

  return query
  select _move.is_replay, b.moved_by::bigint, b.moved_at
  from broadcast.broadcast b
  where b.broadcast_id = p_broadcast_id;
end
$$;

--
-- Name: FUNCTION _move(p_admin_id bigint, p_broadcast_id bigint, p_action text, p_from broadcast.status[], p_to broadcast.status); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast._move(p_admin_id bigint, p_broadcast_id bigint, p_action text, p_from broadcast.status[], p_to broadcast.status) IS 'is_replay: it is there already, whoever moved it. Several admins mind a broadcast: the second one''s call is a replay that says whose the first was.';

--
-- Name: _people(broadcast.segment, bigint, integer, timestamp with time zone); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast._people(p_segment broadcast.segment, p_beyond bigint, p_limit integer, p_now timestamp with time zone) RETURNS TABLE(telegram_id bigint)
    LANGUAGE sql STABLE
    AS $$
  select a.telegram_id::bigint
  from account.account a
  left join subscription.subscription s on s.telegram_id = a.telegram_id
  where a.telegram_id > p_beyond and a.is_reachable and not a.is_blocked
    and broadcast._is_meant(
      p_segment, s.expires_at,
      exists (
        select 1 from billing.purchase u
        where u.telegram_id = a.telegram_id and u.kind = 'subscription'
          and u.status in ('paid', 'refunded')),
      p_now)
  order by a.telegram_id
  limit p_limit
$$;

--
-- Name: FUNCTION _people(p_segment broadcast.segment, p_beyond bigint, p_limit integer, p_now timestamp with time zone); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast._people(p_segment broadcast.segment, p_beyond bigint, p_limit integer, p_now timestamp with time zone) IS 'Neither who is blocked nor who has blocked the bot. p_limit null: all.';

--
-- Name: _require_attempt(bigint, bigint, uuid); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast._require_attempt(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  perform core._require(p_broadcast_id is not null, 'p_broadcast_id: the id from claim');
  perform core._require(p_telegram_id is not null, 'p_telegram_id: the person from claim');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim');
end
$$;

--
-- Name: FUNCTION _require_attempt(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast._require_attempt(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid) IS 'Checks what sent and failed are called with.';

--
-- Name: _require_text(bigint, text, text, text, text, text); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast._require_text(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
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

--
-- Name: FUNCTION _require_text(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast._require_text(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text) IS 'Checks what prepare and compose are called with.';

--
-- Name: _size(broadcast.segment, timestamp with time zone); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast._size(p_segment broadcast.segment, p_now timestamp with time zone) RETURNS TABLE(people bigint, is_estimate boolean)
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_column
declare
  c_enough constant real := 20000::real; -- accounts to look at: an error of about one in a hundred
  v_accounts real;
begin
  select c.reltuples into v_accounts from pg_class c where c.oid = 'account.account'::regclass;
  if v_accounts <= c_enough then -- or nobody knows yet how large the table is: it is new
    return query
    select count(*), false from broadcast._people(p_segment, 0, null, p_now) p;
    return;
  end if;

  return query
  select (v_accounts * coalesce(avg(
           (a.is_reachable and not a.is_blocked and coalesce(broadcast._is_meant(
             p_segment, s.expires_at,
             exists (
               select 1 from billing.purchase u
               where u.telegram_id = a.telegram_id and u.kind = 'subscription'
                 and u.status in ('paid', 'refunded')),
             p_now), false))::int), 0))::bigint,
         true
  from account.account a tablesample system (100 * c_enough / v_accounts)
  left join subscription.subscription s on s.telegram_id = a.telegram_id;
end
$$;

--
-- Name: FUNCTION _size(p_segment broadcast.segment, p_now timestamp with time zone); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast._size(p_segment broadcast.segment, p_now timestamp with time zone) IS 'Counted while there are few accounts; else estimated from some 20 000 of them, so that it costs the same however many there are.';

--
-- Name: _take(bigint, broadcast.segment, boolean, bigint, text, integer, timestamp with time zone, timestamp with time zone); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast._take(p_broadcast_id bigint, p_segment broadcast.segment, p_is_ab boolean, p_reached_id bigint, p_holder text, p_limit integer, p_now timestamp with time zone, p_until timestamp with time zone) RETURNS bigint[]
    LANGUAGE plpgsql
    AS $$
declare
  v_again bigint[];
  v_new bigint[];
begin
  with due as (
    select r.telegram_id
    from broadcast.recipient r
    where r.broadcast_id = p_broadcast_id and r.finished_at is null and r.outcome = 'waiting'
      and r.due_at <= p_now
    order by r.due_at
    limit p_limit
    for no key update skip locked
  ), taken as (
    update broadcast.recipient r
    set outcome = 'sending', attempt = r.attempt + 1, due_at = null, holder = p_holder,
        lease_token = gen_random_uuid(), leased_until = p_until
    from due d
    where r.telegram_id = d.telegram_id and r.broadcast_id = p_broadcast_id
    returning r.telegram_id
  )
  select coalesce(array_agg(t.telegram_id), '{}') into v_again from taken t;

  with taken as (
    insert into broadcast.recipient as r (
      telegram_id, broadcast_id, variant, outcome, attempt, holder, lease_token, leased_until)
    select p.telegram_id, p_broadcast_id,
           case when p_is_ab and random() < 0.5 then 'b' else 'a' end, 'sending', 1, p_holder,
           gen_random_uuid(), p_until
    from broadcast._people(
      p_segment, p_reached_id, p_limit - cardinality(v_again), p_now) p
    returning r.telegram_id
  )
  select coalesce(array_agg(t.telegram_id order by t.telegram_id), '{}') into v_new from taken t;

  update broadcast.broadcast b
  set reached_id = case when cardinality(v_again) + cardinality(v_new) < p_limit
                        then 9223372036854775807 else v_new[cardinality(v_new)] end
  where b.broadcast_id = p_broadcast_id and cardinality(v_again) < p_limit
    and b.reached_id < 9223372036854775807;
  return v_again || v_new;
end
$$;

--
-- Name: FUNCTION _take(p_broadcast_id bigint, p_segment broadcast.segment, p_is_ab boolean, p_reached_id bigint, p_holder text, p_limit integer, p_now timestamp with time zone, p_until timestamp with time zone); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast._take(p_broadcast_id bigint, p_segment broadcast.segment, p_is_ab boolean, p_reached_id bigint, p_holder text, p_limit integer, p_now timestamp with time zone, p_until timestamp with time zone) IS 'First who waits for another attempt, then those who have not had their turn, by id. Once nobody is left it looks no more: the walk past everybody else would begin anew for each who waits.';

--
-- Name: _usual_offer(text); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast._usual_offer(p_kind text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$
  select case p_kind when 'promo' then 'buy' when 'maintenance' then 'status'
                     when 'security' then 'key' else 'none' end
$$;

--
-- Name: FUNCTION _usual_offer(p_kind text); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast._usual_offer(p_kind text) IS 'Where nobody chose one.';

--
-- Name: _write(bigint, text, text, text, text, text, text, timestamp with time zone, text); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast._write(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_offer text, p_starts_at timestamp with time zone, p_key text) RETURNS TABLE(broadcast_id bigint, recipients bigint, is_replay boolean, is_estimate boolean)
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_size record;
  v_first record;
begin
  perform account._require_admin(p_admin_id);
  v_now := core.now();
  select s.people, s.is_estimate into v_size
  from broadcast._size(p_segment::broadcast.segment, v_now) s;

  insert into broadcast.broadcast as b (
    title, kind, segment, offer, text_a, text_b, starts_at, prepared_by, prepared_at,
    idempotency_key, expected_people)
  values (
    p_title, p_kind::broadcast.kind, p_segment::broadcast.segment, p_offer::broadcast.offer,
    p_text_a, p_text_b, p_starts_at, p_admin_id, v_now, p_key, v_size.people)
  on conflict on constraint broadcast_key_once do nothing;
  is_replay := not found;

  select b.* into v_first
  from broadcast.broadcast b
  where b.prepared_by = p_admin_id and b.idempotency_key = p_key;
  if (v_first.title, v_first.kind::text, v_first.segment::text, v_first.offer::text,
      v_first.text_a, v_first.text_b)
     is distinct from (p_title, p_kind, p_segment, p_offer, p_text_a, p_text_b)
     or v_first.moved_at is null and v_first.starts_at is distinct from p_starts_at then
    perform core._refuse('ID001', format('broadcast %s has the key', v_first.broadcast_id));
  end if;
  if not is_replay then
    insert into broadcast.tally (broadcast_id) values (v_first.broadcast_id);
    perform audit._record('broadcast.prepare', p_admin_id, v_first.broadcast_id::text,
      jsonb_build_object('title', p_title, 'kind', p_kind, 'segment', p_segment,
                         'is_ab', p_text_b is not null, 'offer', p_offer,
                         'starts_at', p_starts_at));
  end if;

  return query
  select v_first.broadcast_id, v_size.people, _write.is_replay, v_size.is_estimate;
end
$$;

--
-- Name: FUNCTION _write(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_offer text, p_starts_at timestamp with time zone, p_key text); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast._write(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_offer text, p_starts_at timestamp with time zone, p_key text) IS 'What prepare and compose have in common. The time is compared only until somebody starts it, perhaps at another.';

--
-- Name: cancel(bigint, bigint); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast.cancel(p_admin_id bigint, p_broadcast_id bigint) RETURNS TABLE(broadcast_id bigint, status text, is_replay boolean, moved_by bigint, moved_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_moved record;
  v_given_up bigint;
begin
  perform core._guard('admin_actions');
  select m.* into v_moved
  from broadcast._move(
    p_admin_id, p_broadcast_id, 'broadcast.cancel', '{draft,running,paused}', 'cancelled') m;

  update broadcast.recipient r
  set outcome = 'failed', due_at = null, finished_at = core.now()
  where r.broadcast_id = p_broadcast_id and r.finished_at is null and r.outcome = 'waiting';
  get diagnostics v_given_up = row_count;
  update broadcast.tally t
  set failed = t.failed + v_given_up
  where t.broadcast_id = p_broadcast_id and v_given_up > 0;

  return query
  select p_broadcast_id, 'cancelled', v_moved.is_replay, v_moved.moved_by, v_moved.moved_at;
end
$$;

--
-- Name: FUNCTION cancel(p_admin_id bigint, p_broadcast_id bigint); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast.cancel(p_admin_id bigint, p_broadcast_id bigint) IS 'For good. What workers have in hand goes out; who waited for another attempt gets none. moved_by: who cancelled it, and when.';

--
-- Name: claim(text, integer, interval); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast.claim(p_holder text, p_limit integer, p_lease interval) RETURNS TABLE(broadcast_id bigint, telegram_id bigint, variant text, message text, lease_token uuid, language text, offer text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_running record;
  v_people bigint[];
begin
  perform core._guard('broadcasts');
  perform outbox._require_claim(p_holder, p_limit, p_lease);
  perform broadcast._close_lost(core.now());

  select b.broadcast_id, b.segment, b.text_b is not null as is_ab, b.reached_id into v_running
  from broadcast.broadcast b
  where b.status = 'running' and (b.starts_at is null or b.starts_at <= core.now())
  order by b.broadcast_id
  limit 1
  for no key update;
  if not found then
    return;
  end if;
  v_now := core.now();

  v_people := broadcast._take(
    v_running.broadcast_id, v_running.segment, v_running.is_ab, v_running.reached_id, p_holder,
    p_limit, v_now, v_now + p_lease);
  if cardinality(v_people) = 0 then
    perform broadcast._end_if_done(v_running.broadcast_id, v_now);
  end if;

  return query
  select r.broadcast_id, r.telegram_id::bigint, r.variant,
         case r.variant when 'b' then b.text_b else b.text_a end, r.lease_token, a.language,
         b.offer::text
  from broadcast.recipient r
  join broadcast.broadcast b on b.broadcast_id = r.broadcast_id
  join account.account a on a.telegram_id = r.telegram_id
  where r.telegram_id = any (v_people) and r.broadcast_id = v_running.broadcast_id
  order by r.telegram_id;
end
$$;

--
-- Name: FUNCTION claim(p_holder text, p_limit integer, p_lease interval); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast.claim(p_holder text, p_limit integer, p_lease interval) IS 'Marks up to p_limit people, and gives what to send them; then broadcast.sent, or broadcast.failed where it is certain that nothing was delivered. With neither, the outcome is unknown once the lease has run out, and stays so: nobody gets a broadcast twice. So claim no more than is sent at once. No rows: nothing is running, or the rest waits for an attempt.';

--
-- Name: compose(bigint, text, text, text, text, text, text, text); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast.compose(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_offer text, p_idempotency_key text) RETURNS TABLE(broadcast_id bigint, recipients bigint, is_replay boolean, is_estimate boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform core._guard('admin_actions');
  perform broadcast._require_text(p_admin_id, p_title, p_kind, p_segment, p_text_a, p_text_b);
  perform core._require(
    p_offer is null or p_offer = any (enum_range(null::broadcast.offer)::text[]),
    'p_offer: none, buy, trial, status or key, or null for the one that fits p_kind');
  perform core._require_key(p_idempotency_key);

  return query
  select w.broadcast_id, w.recipients, w.is_replay, w.is_estimate
  from broadcast._write(p_admin_id, p_title, p_kind, p_segment, p_text_a, p_text_b,
                        coalesce(p_offer, broadcast._usual_offer(p_kind)), null,
                        p_idempotency_key) w;
end
$$;

--
-- Name: FUNCTION compose(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_offer text, p_idempotency_key text); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast.compose(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_offer text, p_idempotency_key text) IS 'As broadcast.prepare, with a choice of the button: where it leads, or none. When it goes out is broadcast.launch''s to say.';

--
-- Name: failed(bigint, bigint, uuid, text, boolean); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast.failed(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean) RETURNS TABLE(telegram_id bigint, is_recorded boolean, next_attempt_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_attempt record;
  v_outcome broadcast.outcome;
  v_next_attempt_at timestamptz;
begin
  perform core._guard();
  perform broadcast._require_attempt(p_broadcast_id, p_telegram_id, p_lease_token);
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');
  perform core._require(p_is_unreachable is not null, 'p_is_unreachable: true or false');

  select r.attempt, b.status in ('running', 'paused') as goes_on into v_attempt
  from broadcast.recipient r
  join broadcast.broadcast b on b.broadcast_id = r.broadcast_id
  where r.telegram_id = p_telegram_id and r.broadcast_id = p_broadcast_id
    and r.lease_token = p_lease_token;
  if not found then
    return query select p_telegram_id, false, null::timestamptz;
    return;
  end if;

  if p_is_unreachable then
    v_outcome := 'unreachable';
    update account.account a
    set is_reachable = false
    where a.telegram_id = p_telegram_id and a.is_reachable;
  elsif v_attempt.goes_on and v_attempt.attempt < ops._setting_value('message_attempts') then
    v_outcome := 'waiting';
    v_next_attempt_at := core.now() + make_interval(secs => least(2 ^ v_attempt.attempt, 600));
  else
    v_outcome := 'failed';
  end if;
  is_recorded := broadcast._end(
    p_broadcast_id, p_telegram_id, p_lease_token, v_outcome, p_error, v_next_attempt_at);

  return query
  select p_telegram_id, failed.is_recorded, r.due_at
  from broadcast.recipient r
  where r.telegram_id = p_telegram_id and r.broadcast_id = p_broadcast_id;
end
$$;

--
-- Name: FUNCTION failed(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast.failed(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean) IS 'Only where nothing was delivered for certain (429, 4xx, no connection). Unreachable: the user blocked the bot. Else it is tried again with backoff, 10 times in all (setting message_attempts). is_recorded is false when the token names no attempt.';

--
-- Name: launch(bigint, bigint, timestamp with time zone, timestamp with time zone); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast.launch(p_admin_id bigint, p_broadcast_id bigint, p_starts_at timestamp with time zone, p_moved_at timestamp with time zone) RETURNS TABLE(broadcast_id bigint, status text, is_replay boolean, moved_by bigint, moved_at timestamp with time zone, starts_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_moved record;
  v_first record;
begin
  perform core._guard('admin_actions');
  perform core._require_feature('broadcasts');
  perform core._require(
    p_starts_at is null
    or isfinite(p_starts_at) and p_starts_at <= core.now() + interval '366 days',
    'p_starts_at: within a year, or null for at once');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform account._require_admin(p_admin_id);
  perform broadcast._lock(p_broadcast_id);
  select b.starts_at, b.segment, b.reached_id, b.status, b.moved_by, b.moved_at into v_first
  from broadcast.broadcast b
  where b.broadcast_id = p_broadcast_id;
  if v_first.status = 'running' and v_first.starts_at is distinct from p_starts_at
     or v_first.status <> 'running' and v_first.moved_at is distinct from p_moved_at then
    perform core._refuse('BR002', format(
      'broadcast %s is %s since %s, moved by %s', p_broadcast_id, v_first.status,
      v_first.moved_at, v_first.moved_by));
  end if;

  select m.* into v_moved
  from broadcast._move(
    p_admin_id, p_broadcast_id, 'broadcast.start', '{draft,paused}', 'running') m;
  if not v_moved.is_replay then
    update broadcast.broadcast b
    set starts_at = p_starts_at,
        expected_people = case when v_first.reached_id > 0 then b.expected_people
                               else s.people end
    from broadcast._size(v_first.segment, core.now()) s
    where b.broadcast_id = p_broadcast_id;
  end if;

  return query
  select p_broadcast_id, 'running', v_moved.is_replay, v_moved.moved_by::bigint,
         v_moved.moved_at::timestamptz, p_starts_at;
end
$$;

--
-- Name: FUNCTION launch(p_admin_id bigint, p_broadcast_id bigint, p_starts_at timestamp with time zone, p_moved_at timestamp with time zone); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast.launch(p_admin_id bigint, p_broadcast_id bigint, p_starts_at timestamp with time zone, p_moved_at timestamp with time zone) IS 'As broadcast.start, with a time in place of the one that it was written with; a past one is at once. p_moved_at: as broadcast.show gave it when this was decided (null: never started); who was faster is not overruled (BR002). Again with the same time: a replay that says whose the first was; with another: BR002, pause it first.';

--
-- Name: list(bigint, text, bigint, integer); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast.list(p_admin_id bigint, p_state text, p_before_id bigint, p_limit integer) RETURNS TABLE(broadcast_id bigint, title text, kind text, segment text, is_ab boolean, status text, starts_at timestamp with time zone, is_begun boolean, sent bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_statuses broadcast.status[];
begin
  perform account._only_admins(p_admin_id);
  v_statuses := case p_state
    when 'draft' then '{draft}'::broadcast.status[]
    when 'running' then '{running,paused}'::broadcast.status[]
    when 'over' then '{done,cancelled}'::broadcast.status[] end;
  perform core._require(v_statuses is not null, 'p_state: draft, running or over');
  perform core._require(p_limit between 1 and 100, 'p_limit: 1 to 100');

  return query
  select b.broadcast_id, b.title, b.kind::text, b.segment::text, b.text_b is not null,
         b.status::text, b.starts_at,
         b.started_at is not null and coalesce(b.starts_at <= core.now(), true),
         t.sent_a + t.sent_b
  from broadcast.broadcast b
  join broadcast.tally t on t.broadcast_id = b.broadcast_id
  where b.status = any (v_statuses) and (b.broadcast_id < p_before_id) is not false
  order by b.broadcast_id desc
  limit p_limit;
end
$$;

--
-- Name: FUNCTION list(p_admin_id bigint, p_state text, p_before_id bigint, p_limit integer); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast.list(p_admin_id bigint, p_state text, p_before_id bigint, p_limit integer) IS 'For admins only. p_state: draft, running (paused ones, too) or over (done or cancelled). p_before_id: the last one of the page before, null for the first page. Reads only.';

--
-- Name: note_press(bigint, bigint); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast.note_press(p_telegram_id bigint, p_broadcast_id bigint) RETURNS TABLE(broadcast_id bigint, offer text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_variant text;
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_broadcast_id is not null, 'p_broadcast_id: what the button carries');

  update broadcast.recipient r
  set pressed_at = core.now()
  where r.telegram_id = p_telegram_id and r.broadcast_id = p_broadcast_id and r.pressed_at is null
  returning r.variant into v_variant;
  if found then
    update broadcast.tally t
    set pressed_a = t.pressed_a + (v_variant = 'a')::int,
        pressed_b = t.pressed_b + (v_variant = 'b')::int
    where t.broadcast_id = p_broadcast_id;
  end if;

  return query
  select b.broadcast_id, b.offer::text
  from broadcast.recipient r
  join broadcast.broadcast b on b.broadcast_id = r.broadcast_id
  where r.telegram_id = p_telegram_id and r.broadcast_id = p_broadcast_id;
  if not found then
    perform core._refuse('BR001', format('broadcast_id %s of telegram_id %s', p_broadcast_id,
                                         p_telegram_id));
  end if;
end
$$;

--
-- Name: FUNCTION note_press(p_telegram_id bigint, p_broadcast_id bigint); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast.note_press(p_telegram_id bigint, p_broadcast_id bigint) IS 'Each person counts once, however often they press. BR001: they did not get it, or more than retention_days ago.';

--
-- Name: pause(bigint, bigint); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast.pause(p_admin_id bigint, p_broadcast_id bigint) RETURNS TABLE(broadcast_id bigint, status text, is_replay boolean, moved_by bigint, moved_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform core._guard('admin_actions');
  return query
  select p_broadcast_id, 'paused', m.is_replay, m.moved_by, m.moved_at
  from broadcast._move(p_admin_id, p_broadcast_id, 'broadcast.pause', '{running}', 'paused') m;
end
$$;

--
-- Name: FUNCTION pause(p_admin_id bigint, p_broadcast_id bigint); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast.pause(p_admin_id bigint, p_broadcast_id bigint) IS 'What workers have in hand goes out; broadcast.start goes on where it was. moved_by: who paused it, and when.';

--
-- Name: prepare(bigint, text, text, text, text, text, timestamp with time zone, text); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast.prepare(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_starts_at timestamp with time zone, p_idempotency_key text) RETURNS TABLE(broadcast_id bigint, recipients bigint, is_replay boolean, is_estimate boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform core._guard('admin_actions');
  perform broadcast._require_text(p_admin_id, p_title, p_kind, p_segment, p_text_a, p_text_b);
  perform core._require(p_starts_at is null or isfinite(p_starts_at),
                        'p_starts_at: a moment, or null for at once');
  perform core._require_key(p_idempotency_key);

  return query
  select w.broadcast_id, w.recipients, w.is_replay, w.is_estimate
  from broadcast._write(p_admin_id, p_title, p_kind, p_segment, p_text_a, p_text_b,
                        broadcast._usual_offer(p_kind), p_starts_at, p_idempotency_key) w;
end
$$;

--
-- Name: FUNCTION prepare(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_starts_at timestamp with time zone, p_idempotency_key text); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast.prepare(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_starts_at timestamp with time zone, p_idempotency_key text) IS 'recipients: how many people that is now, estimated (is_estimate) when there are many users; who is in the segment is looked at again when their turn comes. p_text_b: a random half gets it instead. The texts are plain, no HTML. Under them is the button that fits p_kind; broadcast.compose has a choice. Nothing is sent before broadcast.start. Idempotent by p_idempotency_key, which belongs to the admin.';

--
-- Name: release(bigint, bigint, uuid, text, interval); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast.release(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_error text, p_wait interval) RETURNS TABLE(telegram_id bigint, is_recorded boolean, next_attempt_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_due_at timestamptz;
begin
  perform core._guard();
  perform broadcast._require_attempt(p_broadcast_id, p_telegram_id, p_lease_token);
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');
  perform core._require(p_wait between interval '0' and interval '1 day',
                        'p_wait: 0 to 1 day');

  update broadcast.recipient r
  set outcome = 'waiting', attempt = r.attempt - 1, due_at = core.now() + p_wait,
      leased_until = null, last_error = left(p_error, 1000)
  where r.telegram_id = p_telegram_id and r.broadcast_id = p_broadcast_id
    and r.lease_token = p_lease_token and r.outcome = 'sending';

  select r.due_at into v_due_at
  from broadcast.recipient r
  where r.telegram_id = p_telegram_id and r.broadcast_id = p_broadcast_id
    and r.lease_token = p_lease_token;
  return query select p_telegram_id, found, v_due_at;
end
$$;

--
-- Name: FUNCTION release(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_error text, p_wait interval); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast.release(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_error text, p_wait interval) IS 'Only where nothing was delivered for certain, because nothing could be: Telegram told everybody to wait, or the process stops. The attempt is not counted, however often that happens; due again after p_wait. is_recorded is false when the token names no attempt.';

--
-- Name: sent(bigint, bigint, uuid); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast.sent(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid) RETURNS TABLE(telegram_id bigint, is_recorded boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform core._guard();
  perform broadcast._require_attempt(p_broadcast_id, p_telegram_id, p_lease_token);
  return query
  select p_telegram_id,
         broadcast._end(p_broadcast_id, p_telegram_id, p_lease_token, 'sent', null, null);
end
$$;

--
-- Name: FUNCTION sent(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast.sent(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid) IS 'is_recorded is false when the token names no attempt. Safe to call again.';

--
-- Name: show(bigint, bigint); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast.show(p_admin_id bigint, p_broadcast_id bigint) RETURNS TABLE(broadcast_id bigint, title text, kind text, segment text, offer text, text_a text, text_b text, status text, prepared_by bigint, prepared_by_name text, prepared_at timestamp with time zone, starts_at timestamp with time zone, is_begun boolean, ended_at timestamp with time zone, moved_by bigint, moved_by_name text, moved_at timestamp with time zone, expected_people bigint, is_estimate boolean, sent_a bigint, sent_b bigint, pressed_a bigint, pressed_b bigint, unreachable bigint, failed bigint, unknown bigint, unfinished bigint, left_people bigint, people_per_minute integer, ends_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform account._only_admins(p_admin_id);
  perform core._require(p_broadcast_id is not null, 'p_broadcast_id: the id from list');

  return query
  select b.broadcast_id, b.title, b.kind::text, b.segment::text, b.offer::text, b.text_a, b.text_b,
         b.status::text, b.prepared_by::bigint, w.username, b.prepared_at, b.starts_at,
         b.started_at is not null and coalesce(b.starts_at <= v_now, true), b.ended_at,
         b.moved_by::bigint, m.username, b.moved_at, e.people, e.is_estimate,
         p.sent_a, p.sent_b, p.pressed_a, p.pressed_b, p.unreachable, p.failed, p.unknown,
         p.unfinished, l.people, (60 * p.people_per_second)::int,
         case when b.status = 'running' and p.people_per_second > 0
              then v_now + make_interval(secs => l.people / p.people_per_second) end
  from broadcast.broadcast b
  join broadcast.progress p on p.broadcast_id = b.broadcast_id
  cross join lateral broadcast._expected(
    b.status, b.segment, b.expected_people, v_now) e
  cross join lateral (
    select case when b.status in ('done', 'cancelled') then 0
                else greatest(e.people - p.sent - p.unreachable - p.failed - p.unknown,
                              p.unfinished) end as people) l
  left join account.account w on w.telegram_id = b.prepared_by
  left join account.account m on m.telegram_id = b.moved_by
  where b.broadcast_id = p_broadcast_id;
  if not found then
    perform core._refuse('BR001', format('broadcast_id %s', p_broadcast_id));
  end if;
end
$$;

--
-- Name: FUNCTION show(p_admin_id bigint, p_broadcast_id bigint); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast.show(p_admin_id bigint, p_broadcast_id bigint) IS 'For admins only. expected_people: of a draft how many its segment has now, else how many it had when it began; is_estimate says whether that was counted. left_people and ends_at follow from it. people_per_minute: over the last ten to twenty seconds, null when nothing is sent. Reads only.';

--
-- Name: start(bigint, bigint); Type: FUNCTION; Schema: broadcast; Owner: -
--

CREATE FUNCTION broadcast.start(p_admin_id bigint, p_broadcast_id bigint) RETURNS TABLE(broadcast_id bigint, status text, is_replay boolean, moved_by bigint, moved_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform core._guard('admin_actions');
  perform core._require_feature('broadcasts');
  return query
  select p_broadcast_id, 'running', m.is_replay, m.moved_by, m.moved_at
  from broadcast._move(
    p_admin_id, p_broadcast_id, 'broadcast.start', '{draft,paused}', 'running') m;
end
$$;

--
-- Name: FUNCTION start(p_admin_id bigint, p_broadcast_id bigint); Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON FUNCTION broadcast.start(p_admin_id bigint, p_broadcast_id bigint) IS 'Workers send it from now on, or from its time; broadcast.progress says how far it is. moved_by: who started it, and when.';

--
-- Name: _guard(text); Type: FUNCTION; Schema: core; Owner: -
--

CREATE FUNCTION core._guard(p_feature text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    perform core._refuse('OP001', current_setting('transaction_isolation'));
  end if;

  if p_feature is not null
     and exists (select 1 from ops.feature f where f.name = p_feature and not f.is_on) then
    perform core._refuse('OP003', p_feature);
  end if;
end
$$;

--
-- Name: FUNCTION _guard(p_feature text); Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON FUNCTION core._guard(p_feature text) IS 'First line of every function that writes: READ COMMITTED only, and only while its switch is on.';

--
-- Name: _refuse(text, text); Type: FUNCTION; Schema: core; Owner: -
--

CREATE FUNCTION core._refuse(p_sqlstate text, p_detail text) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
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

--
-- Name: FUNCTION _refuse(p_sqlstate text, p_detail text); Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON FUNCTION core._refuse(p_sqlstate text, p_detail text) IS 'Raises a refusal listed in core.refusal.';

--
-- Name: _require(boolean, text); Type: FUNCTION; Schema: core; Owner: -
--

CREATE FUNCTION core._require(p_is_met boolean, p_rule text) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  if p_is_met is not true then
    perform core._refuse('22023', p_rule);
  end if;
end
$$;

--
-- Name: FUNCTION _require(p_is_met boolean, p_rule text); Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON FUNCTION core._require(p_is_met boolean, p_rule text) IS 'Refuses a bad argument; the rule that it broke goes to DETAIL.';

--
-- Name: _require_feature(text); Type: FUNCTION; Schema: core; Owner: -
--

CREATE FUNCTION core._require_feature(p_feature text) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  if exists (select 1 from ops.feature f where f.name = p_feature and not f.is_on) then
    perform core._refuse('OP003', p_feature);
  end if;
end
$$;

--
-- Name: FUNCTION _require_feature(p_feature text); Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON FUNCTION core._require_feature(p_feature text) IS 'Refuses while the switch in ops.feature is off.';

--
-- Name: _require_key(text); Type: FUNCTION; Schema: core; Owner: -
--

CREATE FUNCTION core._require_key(p_idempotency_key text) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  if (length(p_idempotency_key) between 1 and 128) is not true then
    perform core._refuse('22023', 'p_idempotency_key: 1 to 128 characters');
  end if;
end
$$;

--
-- Name: FUNCTION _require_key(p_idempotency_key text); Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON FUNCTION core._require_key(p_idempotency_key text) IS 'Refuses what cannot be an idempotency key.';

--
-- Name: _require_user_id(bigint); Type: FUNCTION; Schema: core; Owner: -
--

CREATE FUNCTION core._require_user_id(p_telegram_id bigint) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  if (p_telegram_id between 1 and 4503599627370495) is not true then
    perform core._refuse('22023', 'p_telegram_id: 1 to 2^52 - 1');
  end if;
end
$$;

--
-- Name: FUNCTION _require_user_id(p_telegram_id bigint); Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON FUNCTION core._require_user_id(p_telegram_id bigint) IS 'Refuses what cannot be a Telegram id.';

--
-- Name: now(); Type: FUNCTION; Schema: core; Owner: -
--

CREATE FUNCTION core.now() RETURNS timestamp with time zone
    LANGUAGE sql
    AS $$
  select clock_timestamp()
$$;

--
-- Name: FUNCTION now(); Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON FUNCTION core.now() IS 'The clock: moves on while a transaction waits, unlike now(). Tests put another clock here.';

--
-- Name: _close_poison(timestamp with time zone); Type: FUNCTION; Schema: inbox; Owner: -
--

CREATE FUNCTION inbox._close_poison(p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_attempts bigint := ops._setting_value('update_attempts');
  v_update_id bigint;
begin
  for v_update_id in
    select u.update_id
    from inbox.update u
    where u.finished_at is null and u.leased_until <= p_now and u.attempt >= v_attempts
    limit 100
    for no key update skip locked
  loop
    perform ops._bury('inbox', 'update:' || v_update_id, 'every attempt ended without an answer');
    update inbox.update u
    set finished_at = p_now, leased_until = null, holder = null,
        last_error = 'every attempt ended without an answer'
    where u.update_id = v_update_id;
  end loop;
end
$$;

--
-- Name: FUNCTION _close_poison(p_now timestamp with time zone); Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON FUNCTION inbox._close_poison(p_now timestamp with time zone) IS 'An update that kills whoever handles it must not hold up its chat, nor kill for ever.';

--
-- Name: claim(text, integer, interval); Type: FUNCTION; Schema: inbox; Owner: -
--

CREATE FUNCTION inbox.claim(p_holder text, p_limit integer, p_lease interval) RETURNS TABLE(update_id bigint, chat_id bigint, payload text, attempt integer, lease_token uuid)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz;
begin
  perform core._guard();
  perform outbox._require_claim(p_holder, p_limit, p_lease);
  v_now := core.now();
  perform inbox._close_poison(v_now);

  return query
  with due as (
    select u.update_id
    from inbox.update u
    where u.finished_at is null and u.due_at <= v_now
      and (u.leased_until is null or u.leased_until <= v_now)
      and not exists (
        select 1 from inbox.update e
        where e.chat_id = u.chat_id and e.finished_at is null
          and (e.update_id < u.update_id or e.leased_until > v_now))
    order by u.update_id
    limit p_limit
    for no key update of u skip locked
  ), claimed as (
    update inbox.update u
    set attempt = least(u.attempt + 1, 32767), holder = p_holder, lease_token = gen_random_uuid(),
        leased_until = v_now + p_lease
    from due d
    where u.update_id = d.update_id
    returning u.update_id, u.chat_id, u.payload::text as payload, u.attempt::int as attempt,
              u.lease_token
  )
  select c.update_id, c.chat_id, c.payload, c.attempt, c.lease_token
  from claimed c
  order by c.update_id;
end
$$;

--
-- Name: FUNCTION claim(p_holder text, p_limit integer, p_lease interval); Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON FUNCTION inbox.claim(p_holder text, p_limit integer, p_lease interval) IS 'Leases up to p_limit updates for p_lease, of different chats: an update waits until the earlier ones of its chat are done. Then inbox.done or inbox.failed with lease_token.';

--
-- Name: done(bigint, uuid); Type: FUNCTION; Schema: inbox; Owner: -
--

CREATE FUNCTION inbox.done(p_update_id bigint, p_lease_token uuid) RETURNS TABLE(is_done boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform core._guard();
  perform core._require(p_update_id is not null, 'p_update_id: the id from claim');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim');

  update inbox.update u
  set finished_at = core.now(), leased_until = null
  where u.update_id = p_update_id and u.lease_token = p_lease_token and u.finished_at is null;

  return query
  select exists (select 1 from inbox.update u
                 where u.update_id = p_update_id and u.lease_token = p_lease_token
                   and u.finished_at is not null);
end
$$;

--
-- Name: FUNCTION done(p_update_id bigint, p_lease_token uuid); Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON FUNCTION inbox.done(p_update_id bigint, p_lease_token uuid) IS 'The update was handled. is_done is false when the lease was lost. Safe to call again.';

--
-- Name: exchange(text, bigint[], uuid[], integer, interval); Type: FUNCTION; Schema: inbox; Owner: -
--

CREATE FUNCTION inbox.exchange(p_holder text, p_done_ids bigint[], p_done_tokens uuid[], p_limit integer, p_lease interval) RETURNS TABLE(update_id bigint, chat_id bigint, payload text, attempt integer, lease_token uuid, language text, is_reachable boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

--
-- Name: FUNCTION exchange(p_holder text, p_done_ids bigint[], p_done_tokens uuid[], p_limit integer, p_lease interval); Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON FUNCTION inbox.exchange(p_holder text, p_done_ids bigint[], p_done_tokens uuid[], p_limit integer, p_lease interval) IS 'inbox.done for each of p_done_ids and p_done_tokens whose lease was not lost, then inbox.claim, with what the screens need to know of the user whose private chat it is (null: none). A repeat ends nothing twice, and leases other updates.';

--
-- Name: failed(bigint, uuid, text); Type: FUNCTION; Schema: inbox; Owner: -
--

CREATE FUNCTION inbox.failed(p_update_id bigint, p_lease_token uuid, p_error text) RETURNS TABLE(will_retry boolean, next_attempt_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_attempt int;
  v_next_attempt_at timestamptz;
begin
  perform core._guard();
  perform core._require(p_update_id is not null, 'p_update_id: the id from claim');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim');
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');

  select u.attempt, case when u.leased_until is null then u.due_at end
  into v_attempt, v_next_attempt_at
  from inbox.update u
  where u.update_id = p_update_id and u.lease_token = p_lease_token and u.finished_at is null
  for no key update;
  if not found or v_next_attempt_at is not null then -- lost, finished, or told before
    return query select v_next_attempt_at is not null, v_next_attempt_at;
    return;
  end if;

  if v_attempt < ops._setting_value('update_attempts') then
    v_next_attempt_at := core.now() + make_interval(secs => 2 ^ (least(v_attempt, 8) - 1));
  else
    perform ops._bury('inbox', 'update:' || p_update_id, p_error);
  end if;

  update inbox.update u
  set due_at = coalesce(v_next_attempt_at, u.due_at), leased_until = null, holder = null,
      last_error = left(p_error, 1000),
      finished_at = case when v_next_attempt_at is null then core.now() end
  where u.update_id = p_update_id;

  return query select v_next_attempt_at is not null, v_next_attempt_at;
end
$$;

--
-- Name: FUNCTION failed(p_update_id bigint, p_lease_token uuid, p_error text); Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON FUNCTION inbox.failed(p_update_id bigint, p_lease_token uuid, p_error text) IS 'The update could not be handled. It is tried again with backoff, 5 times in all (setting update_attempts); then it goes to ops.dead_letter, and the chat''s later updates have their turn.';

--
-- Name: give_back(text); Type: FUNCTION; Schema: inbox; Owner: -
--

CREATE FUNCTION inbox.give_back(p_holder text) RETURNS TABLE(given_back integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_given_back int;
begin
  perform core._guard();
  perform core._require(length(p_holder) between 1 and 256, 'p_holder: 1 to 256 characters');

  with held as (
    select u.update_id from inbox.update u
    where u.finished_at is null and u.leased_until is not null and u.holder = p_holder
    for no key update skip locked
  )
  update inbox.update u
  set attempt = u.attempt - 1, holder = null, lease_token = null, leased_until = null
  from held h
  where u.update_id = h.update_id;
  get diagnostics v_given_back = row_count;

  return query select v_given_back;
end
$$;

--
-- Name: FUNCTION give_back(p_holder text); Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON FUNCTION inbox.give_back(p_holder text) IS 'For a process that stops: its unfinished updates are free at once, the attempt uncounted.';

--
-- Name: receive(bigint[], bigint[], text[]); Type: FUNCTION; Schema: inbox; Owner: -
--

CREATE FUNCTION inbox.receive(p_update_ids bigint[], p_chat_ids bigint[], p_payloads text[]) RETURNS TABLE(received integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

--
-- Name: FUNCTION receive(p_update_ids bigint[], p_chat_ids bigint[], p_payloads text[]); Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON FUNCTION inbox.receive(p_update_ids bigint[], p_chat_ids bigint[], p_payloads text[]) IS 'Stores updates (raw JSON). p_chat_ids says whose turn each takes; the poller moves its offset, the webhook answers 200, only after this has returned. received counts the new ones. Safe to call again.';

--
-- Name: _post(bigint, ledger.reason, ledger.account, ledger.account, bigint, timestamp with time zone, uuid, bigint, bigint, text, text, bigint); Type: FUNCTION; Schema: ledger; Owner: -
--

CREATE FUNCTION ledger._post(p_telegram_id bigint, p_reason ledger.reason, p_debit ledger.account, p_credit ledger.account, p_amount_kopecks bigint, p_now timestamp with time zone, p_purchase_id uuid DEFAULT NULL::uuid, p_payment_id bigint DEFAULT NULL::bigint, p_actor_id bigint DEFAULT NULL::bigint, p_note text DEFAULT NULL::text, p_idempotency_key text DEFAULT NULL::text, p_withdrawal_id bigint DEFAULT NULL::bigint, OUT transfer_id bigint, OUT available_kopecks bigint, OUT held_kopecks bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
  v_available_change bigint := case when p_credit = 'available' then p_amount_kopecks
                                    when p_debit = 'available' then -p_amount_kopecks else 0 end;
  v_held_change bigint := case when p_credit = 'held' then p_amount_kopecks
                               when p_debit = 'held' then -p_amount_kopecks else 0 end;
  v_debt_change bigint := case when p_debit = 'debt' then p_amount_kopecks
                               when p_credit = 'debt' then -p_amount_kopecks else 0 end;
  v_version bigint;
  v_debt_kopecks bigint;
begin
  if p_credit = 'available' then -- a renewal that was declined is tried again
    update subscription.subscription s
    set renew_check_at = p_now
    where s.telegram_id = p_telegram_id and s.auto_renew and s.renew_check_at is null
      and s.renew_declined_for = s.expires_at and s.expires_at > p_now;
  end if;

  update wallet.wallet w
  set available_kopecks = w.available_kopecks + v_available_change,
      held_kopecks = w.held_kopecks + v_held_change,
      debt_kopecks = w.debt_kopecks + v_debt_change,
      version = w.version + 1
  where w.telegram_id = p_telegram_id
    and w.available_kopecks + v_available_change >= 0
    and w.held_kopecks + v_held_change >= 0
    and w.debt_kopecks + v_debt_change >= 0
  returning w.available_kopecks, w.held_kopecks, w.debt_kopecks, w.version
  into _post.available_kopecks, _post.held_kopecks, v_debt_kopecks, v_version;
  if not found then
    perform ledger._refuse_unfunded(p_telegram_id, p_amount_kopecks);
  end if;

  insert into ledger.transfer as t (
    telegram_id, version, debit_account, credit_account, reason, amount_kopecks,
    available_kopecks, held_kopecks, debt_kopecks, created_at,
    purchase_id, payment_id, withdrawal_id, actor_id, note, idempotency_key)
  values (
    p_telegram_id, v_version, p_debit, p_credit, p_reason, p_amount_kopecks,
    _post.available_kopecks, _post.held_kopecks, v_debt_kopecks, p_now,
    p_purchase_id, p_payment_id, p_withdrawal_id, p_actor_id, p_note, p_idempotency_key)
  returning t.transfer_id into _post.transfer_id;
end
$$;

--
-- Name: FUNCTION _post(p_telegram_id bigint, p_reason ledger.reason, p_debit ledger.account, p_credit ledger.account, p_amount_kopecks bigint, p_now timestamp with time zone, p_purchase_id uuid, p_payment_id bigint, p_actor_id bigint, p_note text, p_idempotency_key text, p_withdrawal_id bigint, OUT transfer_id bigint, OUT available_kopecks bigint, OUT held_kopecks bigint); Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON FUNCTION ledger._post(p_telegram_id bigint, p_reason ledger.reason, p_debit ledger.account, p_credit ledger.account, p_amount_kopecks bigint, p_now timestamp with time zone, p_purchase_id uuid, p_payment_id bigint, p_actor_id bigint, p_note text, p_idempotency_key text, p_withdrawal_id bigint, OUT transfer_id bigint, OUT available_kopecks bigint, OUT held_kopecks bigint) IS 'One movement from the debit to the credit account. The only writer of wallets and ledger rows, but for two that are called most: billing.pay_from_balance and subscription._renew.';

--
-- Name: _refuse_unfunded(bigint, bigint); Type: FUNCTION; Schema: ledger; Owner: -
--

CREATE FUNCTION ledger._refuse_unfunded(p_telegram_id bigint, p_amount_kopecks bigint) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  perform core._refuse('WA001', format(
    'telegram_id %s needs %s kopecks, %s are available (balance_not_negative)', p_telegram_id,
    p_amount_kopecks, (select w.available_kopecks from wallet.wallet w
                       where w.telegram_id = p_telegram_id)));
end
$$;

--
-- Name: FUNCTION _refuse_unfunded(p_telegram_id bigint, p_amount_kopecks bigint); Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON FUNCTION ledger._refuse_unfunded(p_telegram_id bigint, p_amount_kopecks bigint) IS 'Says how much was needed and how much is there.';

--
-- Name: _arguments(bigint, text, uuid, bigint, jsonb); Type: FUNCTION; Schema: notify; Owner: -
--

CREATE FUNCTION notify._arguments(p_telegram_id bigint, p_template text, p_purchase_id uuid, p_amount_kopecks bigint, p_arguments jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
  select jsonb_strip_nulls(jsonb_build_object(
           'purchase_id', u.purchase_id,
           'price_kopecks', u.price_kopecks,
           'tariff', coalesce(u.tariff, s.tariff),
           'months', u.months,
           'expires_at', coalesce(u.after_expires_at, s.expires_at),
           'amount_kopecks', p_amount_kopecks,
           'available_kopecks', w.available_kopecks,
           'key_uri', case p_template when 'key_ready' then s.key_uri end))
         || coalesce(p_arguments, '{}')
  from wallet.wallet w
  left join subscription.subscription s on s.telegram_id = w.telegram_id
  left join billing.purchase u on u.telegram_id = w.telegram_id and u.purchase_id = p_purchase_id
  where w.telegram_id = p_telegram_id
$$;

--
-- Name: FUNCTION _arguments(p_telegram_id bigint, p_template text, p_purchase_id uuid, p_amount_kopecks bigint, p_arguments jsonb); Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON FUNCTION notify._arguments(p_telegram_id bigint, p_template text, p_purchase_id uuid, p_amount_kopecks bigint, p_arguments jsonb) IS 'Read when the message is claimed, so that no key lies in the outbox.';

--
-- Name: _close_lost(); Type: FUNCTION; Schema: notify; Owner: -
--

CREATE FUNCTION notify._close_lost() RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  with lost as (
    select t.telegram_id, t.task_id
    from outbox.task t
    where t.finished_at is null and t.leased_until <= core.now() and t.kind = 'message'
      and not t.is_repeatable
    limit 100
    for no key update skip locked
  )
  update outbox.task t
  set finished_at = core.now(), outcome = 'lost', leased_until = null
  from lost l
  where t.telegram_id = l.telegram_id and t.task_id = l.task_id;
end
$$;

--
-- Name: FUNCTION _close_lost(); Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON FUNCTION notify._close_lost() IS 'A message other than a key is never sent twice.';

--
-- Name: _drop_outdated(bigint[], bigint[]); Type: FUNCTION; Schema: notify; Owner: -
--

CREATE FUNCTION notify._drop_outdated(p_users bigint[], p_tasks bigint[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_now timestamptz := core.now();
  v_tolerance interval := make_interval(secs => ops._setting_value('reminder_tolerance_seconds'));
begin
  update outbox.task t
  set finished_at = v_now, outcome = 'outdated', leased_until = null
  from unnest(p_users, p_tasks) c (telegram_id, task_id)
  where t.telegram_id = c.telegram_id and t.task_id = c.task_id and t.finished_at is null
    and exists (select 1 from notify.reminder m where m.template = t.name)
    and (t.created_at < v_now - v_tolerance
      or not exists (
        select 1 from subscription.subscription s
        where s.telegram_id = t.telegram_id and s.expires_at > v_now
          and s.expires_at = (t.arguments ->> 'expires_at')::timestamptz));
end
$$;

--
-- Name: FUNCTION _drop_outdated(p_users bigint[], p_tasks bigint[]); Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON FUNCTION notify._drop_outdated(p_users bigint[], p_tasks bigint[]) IS 'A reminder that could not be sent for longer than the setting reminder_tolerance_seconds, or of an end that has passed or has moved, is not sent any more: after an outage of the sender nobody gets several at once, or one that is not true.';

--
-- Name: _remind(bigint[], timestamp with time zone); Type: FUNCTION; Schema: notify; Owner: -
--

CREATE FUNCTION notify._remind(p_users bigint[], p_now timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    AS $$
declare
  v_tolerance interval := make_interval(secs => ops._setting_value('reminder_tolerance_seconds'));
  v_enqueued int;
begin
  with due as materialized (
    select s.telegram_id, s.tariff, s.expires_at, r.template, r.last_at, r.next_at
    from subscription.subscription s
    cross join lateral (
      select max(t.at) filter (where t.at <= p_now) as last_at,
             (array_agg(m.template order by t.at desc) filter (where t.at <= p_now))[1]
               as template,
             min(t.at) filter (where t.at > p_now) as next_at
      from notify.reminder m
      cross join lateral (
        select case m.anchor
                 when 'start' then s.started_at + make_interval(secs => m.offset_seconds)
                 else s.expires_at - make_interval(secs => m.offset_seconds) end) t (at)
      where m.period = s.period
        and extract(epoch from s.expires_at - s.started_at) > m.longer_than_seconds
        and extract(epoch from s.expires_at - s.started_at) <= m.at_most_seconds
        and t.at > s.started_at and t.at < s.expires_at and t.at >= s.reminder_check_at) r
    where s.telegram_id = any (p_users) and s.reminder_check_at <= p_now
  ), looked_at as (
    update subscription.subscription s
    set reminder_check_at = d.next_at
    from due d
    where s.telegram_id = d.telegram_id
  ), told as (
    insert into outbox.task (telegram_id, kind, name, due_at, created_at, arguments)
    select d.telegram_id, 'message', d.template, p_now, p_now,
           jsonb_build_object('tariff', d.tariff, 'expires_at', d.expires_at)
    from due d
    where d.last_at >= p_now - v_tolerance and d.expires_at > p_now
    returning 1
  )
  select count(*)::int into v_enqueued from told;
  return v_enqueued;
end
$$;

--
-- Name: FUNCTION _remind(p_users bigint[], p_now timestamp with time zone); Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON FUNCTION notify._remind(p_users bigint[], p_now timestamp with time zone) IS 'Reminders between reminder_check_at and now are dealt with: the latest is sent unless it is later than the setting reminder_tolerance_seconds, the others are dropped. Then reminder_check_at is the next one after now: each is seen once, whoever looks.';

--
-- Name: claim(text, integer, interval); Type: FUNCTION; Schema: notify; Owner: -
--

CREATE FUNCTION notify.claim(p_holder text, p_limit integer, p_lease interval) RETURNS TABLE(message_id bigint, telegram_id bigint, template text, arguments jsonb, lease_token uuid, language text, correlation_id text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_tasks bigint[];
  v_users bigint[];
begin
  perform core._guard();
  perform outbox._require_claim(p_holder, p_limit, p_lease);
  perform notify._close_lost();

  for v_round in 1 .. 20 loop -- as long as nothing is left of what was leased
    select array_agg(c.task_id), array_agg(c.telegram_id) into v_tasks, v_users
    from outbox._claim('message', p_holder, p_limit, p_lease) c;
    exit when v_tasks is null;

    -- Who takes no messages is left alone until they are back; a key is paid for and worth a try.
    update outbox.task t
    set finished_at = core.now(), outcome = 'unreachable', leased_until = null
    from unnest(v_users, v_tasks) c (telegram_id, task_id)
    join account.account a on a.telegram_id = c.telegram_id and not a.is_reachable
    where t.telegram_id = c.telegram_id and t.task_id = c.task_id and not t.is_repeatable;
    perform notify._drop_outdated(v_users, v_tasks);
    exit when exists (
      select 1 from unnest(v_users, v_tasks) c (telegram_id, task_id)
      join outbox.task t on t.telegram_id = c.telegram_id and t.task_id = c.task_id
      where t.finished_at is null);
  end loop;

  return query
  select t.task_id, t.telegram_id::bigint, t.name,
         notify._arguments(t.telegram_id, t.name, t.purchase_id, t.amount_kopecks, t.arguments),
         t.lease_token, a.language, t.correlation_id
  from unnest(v_users, v_tasks) c (telegram_id, task_id)
  join outbox.task t on t.telegram_id = c.telegram_id and t.task_id = c.task_id
    and t.finished_at is null
  join account.account a on a.telegram_id = t.telegram_id
  order by t.task_id;
end
$$;

--
-- Name: FUNCTION claim(p_holder text, p_limit integer, p_lease interval); Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON FUNCTION notify.claim(p_holder text, p_limit integer, p_lease interval) IS 'Leases up to p_limit messages for p_lease; then notify.sent, or notify.failed where it is certain that nothing was delivered. With neither, the outcome is unknown: when the lease has run out a key_ready is given out again, every other message is closed as lost. arguments has what the template shows: kopecks and times. Messages to somebody who has blocked the bot are closed unsent (unreachable), but for keys; so are reminders of what is no longer so (outdated).';

--
-- Name: enqueue_due(bigint, integer); Type: FUNCTION; Schema: notify; Owner: -
--

CREATE FUNCTION notify.enqueue_due(p_epoch bigint, p_limit integer) RETURNS TABLE(enqueued integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_now timestamptz;
  v_users bigint[];
  v_user bigint;
  v_enqueued int := 0;
begin
  perform ops._enter_due('notify.enqueue_due', p_epoch, p_limit);
  v_now := core.now();

  select array_agg(l.telegram_id) into v_users
  from (
    select a.telegram_id
    from account.account a
    where a.telegram_id = any (array(
      select s.telegram_id from subscription.subscription s
      where s.reminder_check_at <= v_now
        and not exists (
          select 1 from ops.dead d
          where d.job_name = 'notify.enqueue_due'
            and d.subject = 'telegram_id:' || s.telegram_id
            and d.died_at > v_now - interval '1 hour')
      order by s.reminder_check_at
      limit p_limit))
    order by a.telegram_id
    for no key update skip locked
  ) l;
  v_now := core.now(); -- the candidates' was from before the locks

  begin
    v_enqueued := notify._remind(v_users, v_now);
  exception when data_exception or integrity_constraint_violation then
    foreach v_user in array v_users loop
      begin
        v_enqueued := v_enqueued + notify._remind(array[v_user], v_now);
      exception when data_exception or integrity_constraint_violation then
        perform ops._bury('notify.enqueue_due', 'telegram_id:' || v_user, sqlerrm);
      end;
    end loop;
  end;

  return query select v_enqueued;
end
$$;

--
-- Name: FUNCTION enqueue_due(p_epoch bigint, p_limit integer); Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON FUNCTION notify.enqueue_due(p_epoch bigint, p_limit integer) IS 'Looks at no more than p_limit users'' reminders (table notify.reminder), each once: late ones are dropped, not sent in a burst. Unreachable users'' are queued too: only sending tells whether somebody is back. Users that are busy are left for the next run. p_epoch: of the lease notify.enqueue_due; null by hand.';

--
-- Name: failed(bigint, uuid, text, boolean); Type: FUNCTION; Schema: notify; Owner: -
--

CREATE FUNCTION notify.failed(p_message_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean) RETURNS TABLE(message_id bigint, is_recorded boolean, next_attempt_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_task record;
  v_attempt int;
  v_next_attempt_at timestamptz;
begin
  perform core._guard();
  perform core._require(p_message_id is not null, 'p_message_id: the id from claim');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim');
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');
  perform core._require(p_is_unreachable is not null, 'p_is_unreachable: true or false');

  select l.telegram_id, l.is_leased, l.is_finished, l.given_back_until into v_task
  from outbox._lock_leased('message', p_message_id, p_lease_token) l;

  if v_task.is_leased and v_task.given_back_until is not null then
    v_next_attempt_at := v_task.given_back_until;
  elsif v_task.is_leased and not v_task.is_finished then
    select t.attempt into v_attempt from outbox.task t
    where t.telegram_id = v_task.telegram_id and t.task_id = p_message_id;

    if p_is_unreachable then
      update account.account a set is_reachable = false
      where a.telegram_id = v_task.telegram_id and a.is_reachable;
      perform outbox._finish(v_task.telegram_id, p_message_id, 'unreachable', p_error);
    elsif v_attempt >= ops._setting_value('message_attempts') then
      perform outbox._finish(v_task.telegram_id, p_message_id, 'failed', p_error);
      perform ops._bury('notify.send', 'message:' || p_message_id, p_error);
    else
      v_next_attempt_at := outbox._retry(v_task.telegram_id, p_message_id, p_error,
        make_interval(secs => least(2 ^ least(v_attempt, 10), 600)), 0);
    end if;
  end if;

  return query select p_message_id, v_task.is_leased, v_next_attempt_at;
end
$$;

--
-- Name: FUNCTION failed(p_message_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean); Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON FUNCTION notify.failed(p_message_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean) IS 'Only where nothing was delivered for certain (429, 4xx, no connection). Unreachable: the user blocked the bot, nothing more is sent for this message. Else it is tried again with backoff, 10 times in all (setting message_attempts). is_recorded is false when the lease was lost.';

--
-- Name: release(bigint, uuid, text, interval); Type: FUNCTION; Schema: notify; Owner: -
--

CREATE FUNCTION notify.release(p_message_id bigint, p_lease_token uuid, p_error text, p_wait interval) RETURNS TABLE(message_id bigint, is_recorded boolean, next_attempt_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_task record;
begin
  perform core._guard();
  perform core._require(p_message_id is not null, 'p_message_id: the id from claim');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim');
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');
  perform core._require(p_wait between interval '0' and interval '1 day',
                        'p_wait: 0 to 1 day');

  select l.telegram_id, l.is_leased, l.is_finished, l.given_back_until into v_task
  from outbox._lock_leased('message', p_message_id, p_lease_token) l;
  if v_task.is_leased and not v_task.is_finished and v_task.given_back_until is null then
    v_task.given_back_until := outbox._retry(v_task.telegram_id, p_message_id, p_error, p_wait, 1);
  end if;
  return query select p_message_id, v_task.is_leased, v_task.given_back_until;
end
$$;

--
-- Name: FUNCTION release(p_message_id bigint, p_lease_token uuid, p_error text, p_wait interval); Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON FUNCTION notify.release(p_message_id bigint, p_lease_token uuid, p_error text, p_wait interval) IS 'Only where nothing was delivered for certain, because nothing could be: Telegram told everybody to wait, or the process stops. The attempt is not counted, however often that happens; due again after p_wait. is_recorded is false when the lease was lost.';

--
-- Name: sent(bigint, uuid); Type: FUNCTION; Schema: notify; Owner: -
--

CREATE FUNCTION notify.sent(p_message_id bigint, p_lease_token uuid) RETURNS TABLE(message_id bigint, is_recorded boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_task record;
begin
  perform core._guard();
  perform core._require(p_message_id is not null, 'p_message_id: the id from claim');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim');

  select l.telegram_id, l.is_leased, l.is_finished into v_task
  from outbox._lock_leased('message', p_message_id, p_lease_token) l;
  if v_task.is_leased and not v_task.is_finished then
    perform outbox._finish(v_task.telegram_id, p_message_id, 'done');
  end if;

  return query select p_message_id, v_task.is_leased;
end
$$;

--
-- Name: FUNCTION sent(p_message_id bigint, p_lease_token uuid); Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON FUNCTION notify.sent(p_message_id bigint, p_lease_token uuid) IS 'The message was delivered. is_recorded is false when the lease was lost. Safe to call again.';

--
-- Name: _alarm(text, text, text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._alarm(p_alarm text, p_subject text, p_detail text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  perform audit._record('alarm.' || p_alarm, null, p_subject,
                        jsonb_build_object('detail', p_detail));
  perform ops._tell_admins('admin_alarm', jsonb_build_object(
    'alarm', p_alarm, 'subject', p_subject, 'detail', p_detail));
end
$$;

--
-- Name: FUNCTION _alarm(p_alarm text, p_subject text, p_detail text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._alarm(p_alarm text, p_subject text, p_detail text) IS 'Something an admin has to look at.';

--
-- Name: _bury(text, text, text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._bury(p_job_name text, p_subject text, p_error text) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_error text := left(p_error, 1000);
  v_told bigint := ops._setting_value('dead_letters_told');
  v_count bigint;
begin
  insert into ops.dead (job_name, subject, error, died_at)
  values (p_job_name, p_subject, v_error, core.now())
  on conflict on constraint dead_once do nothing;
  if not found then
    update ops.dead d set error = v_error, died_at = core.now()
    where d.job_name = p_job_name and d.subject = p_subject;
    return;
  end if;

  select count(*) into v_count
  from (select from ops.dead d where d.job_name = p_job_name limit v_told + 1) n;
  -- Of a lost message no message tells: it would be lost as well, and so on.
  if v_count <= v_told and p_job_name <> 'notify.send' then
    perform ops._alarm('dead_letter', p_job_name || ' ' || p_subject,
      v_error ||
      case when v_count = v_told then ' (you are not told of more of these)' else '' end);
  end if;
end
$$;

--
-- Name: FUNCTION _bury(p_job_name text, p_subject text, p_error text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._bury(p_job_name text, p_subject text, p_error text) IS 'Adds a row to ops.dead_letter, or renews it. The admins are told of a new one, but of no lost message, and of no more than 20 of one job (setting dead_letters_told) until some are cleared.';

--
-- Name: _describe_lock(integer, text, oid, integer, smallint, oid, oid, smallint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._describe_lock(p_pid integer, p_locktype text, p_relation oid, p_page integer, p_tuple smallint, p_classid oid, p_objid oid, p_objsubid smallint) RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_key bigint;
  v_row text;
begin
  if p_locktype = 'advisory' and p_objsubid = 1 then
    v_key := (p_classid::bigint << 32) | p_objid::bigint;
    return case v_key >> 56
             when 1 then format('user %s', v_key & ((1::bigint << 56) - 1))
             else format('advisory lock %s', v_key)
           end;
  elsif p_locktype = 'transactionid' then
    -- Who waits for the writer of a row holds the place in that row's queue.
    select format('row (%s,%s) of %s', l.page, l.tuple, l.relation::regclass) into v_row
    from pg_locks l
    where l.pid = p_pid and l.locktype = 'tuple' and l.granted
    limit 1;
    return coalesce(v_row, 'the end of a transaction');
  elsif p_locktype = 'tuple' then
    return format('row (%s,%s) of %s', p_page, p_tuple, p_relation::regclass);
  elsif p_relation is not null then
    return format('%s %s', p_locktype, p_relation::regclass);
  end if;

  return p_locktype;
end
$$;

--
-- Name: FUNCTION _describe_lock(p_pid integer, p_locktype text, p_relation oid, p_page integer, p_tuple smallint, p_classid oid, p_objid oid, p_objsubid smallint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._describe_lock(p_pid integer, p_locktype text, p_relation oid, p_page integer, p_tuple smallint, p_classid oid, p_objid oid, p_objsubid smallint) IS 'A user (the advisory lock of account._lock), a row by its ctid, a table, or the lock''s type.';

--
-- Name: _end_export(bigint, ops.export_outcome, bigint, text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._end_export(p_export_id bigint, p_outcome ops.export_outcome, p_actor_id bigint, p_error text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_ended record;
begin
  update ops.export e
  set finished_at = core.now(), outcome = p_outcome, leased_until = null,
      rows_read = e.rows_sent, last_error = coalesce(left(p_error, 1000), e.last_error)
  where e.export_id = p_export_id
  returning e.admin_id, e.kind, e.parts, e.rows_sent into v_ended;
  perform audit._record('ops.export_ended', p_actor_id, p_export_id::text, jsonb_build_object(
    'outcome', p_outcome, 'kind', v_ended.kind, 'parts', v_ended.parts,
    'rows', v_ended.rows_sent, 'admin_id', v_ended.admin_id));
end
$$;

--
-- Name: FUNCTION _end_export(p_export_id bigint, p_outcome ops.export_outcome, p_actor_id bigint, p_error text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._end_export(p_export_id bigint, p_outcome ops.export_outcome, p_actor_id bigint, p_error text) IS 'The token stays: a part that was on its way is still recorded. The audit keeps what went to whom after the row is gone.';

--
-- Name: _enter_due(text, bigint, integer); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._enter_due(p_job_name text, p_epoch bigint, p_limit integer) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_epoch bigint;
begin
  perform core._guard('workers');
  perform core._require(p_limit between 1 and 100000, 'p_limit: 1 to 100000');

  insert into ops.lease (name, epoch, expires_at)
  values (p_job_name, 0, '-infinity')
  on conflict on constraint lease_pkey do nothing;

  select l.epoch into strict v_epoch
  from ops.lease l
  where l.name = p_job_name
  for no key update;
  if p_epoch <> v_epoch or p_epoch < 1 then -- 0: nobody has led yet
    perform core._refuse('OP002', format('%s: epoch is %s, not %s', p_job_name, v_epoch, p_epoch));
  end if;
end
$$;

--
-- Name: FUNCTION _enter_due(p_job_name text, p_epoch bigint, p_limit integer); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._enter_due(p_job_name text, p_epoch bigint, p_limit integer) IS 'Two runs of a job take turns; one with an old epoch is refused. A null epoch is a run by hand or by pg_cron.';

--
-- Name: _export_codes(bigint, bigint, integer); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._export_codes(p_batch_id bigint, p_after_id bigint, p_limit integer) RETURNS TABLE(reached_id bigint, reached_version bigint, cells text[])
    LANGUAGE sql STABLE
    AS $$
  select c.promo_id, 0::bigint, array[
           c.code, c.discount_percent::text, coalesce(c.max_uses::text, ''),
           c.per_user_limit::text, ops._export_time(c.expires_at), c.is_active::text,
           (exists (select 1 from promo.use u where u.promo_id = c.promo_id))::text]
  from promo.code c
  where c.batch_id = p_batch_id and c.promo_id > p_after_id
  order by c.promo_id
  limit p_limit
$$;

--
-- Name: FUNCTION _export_codes(p_batch_id bigint, p_after_id bigint, p_limit integer); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._export_codes(p_batch_id bigint, p_after_id bigint, p_limit integer) IS 'Up to p_limit codes, as they were made.';

--
-- Name: _export_columns(ops.export_kind); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._export_columns(p_kind ops.export_kind, OUT header text[], OUT numbers text[]) RETURNS record
    LANGUAGE sql IMMUTABLE
    AS $$
  select case p_kind
    when 'users' then array[
      'telegram_id', 'username', 'language', 'registered_at', 'is_reachable', 'is_blocked',
      'blocked_at', 'blocked_reason', 'is_vip', 'discount_percent', 'discount_expires_at',
      'referrer_id', 'available_kopecks', 'held_kopecks', 'debt_kopecks', 'tariff',
      'subscription_expires_at']
    when 'subscriptions' then array[
      'telegram_id', 'username', 'tariff', 'period', 'started_at', 'expires_at', 'auto_renew',
      'activation']
    when 'ledger' then array[
      'transfer_id', 'telegram_id', 'version', 'created_at', 'reason', 'debit_account',
      'credit_account', 'amount_kopecks', 'available_kopecks', 'held_kopecks', 'debt_kopecks',
      'purchase_id', 'payment_id', 'withdrawal_id', 'actor_id', 'note']
    else array[
      'code', 'discount_percent', 'max_uses', 'per_user_limit', 'expires_at', 'is_active',
      'is_used'] end,
  array[
    'telegram_id', 'discount_percent', 'referrer_id', 'available_kopecks', 'held_kopecks',
    'debt_kopecks', 'transfer_id', 'version', 'amount_kopecks', 'payment_id', 'withdrawal_id',
    'actor_id', 'max_uses', 'per_user_limit']
$$;

--
-- Name: FUNCTION _export_columns(p_kind ops.export_kind, OUT header text[], OUT numbers text[]); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._export_columns(p_kind ops.export_kind, OUT header text[], OUT numbers text[]) IS 'In the order of the cells that ops._export_users and its neighbours give. All that leaves the database by an export is named here: no keys, no identities on the nodes, no requisites.';

--
-- Name: _export_ledger(bigint, bigint, pg_snapshot, integer); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._export_ledger(p_after_id bigint, p_after_version bigint, p_cut pg_snapshot, p_limit integer) RETURNS TABLE(reached_id bigint, reached_version bigint, cells text[])
    LANGUAGE sql STABLE
    AS $$
  select t.telegram_id::bigint, t.version,
         case when pg_visible_in_snapshot(t.recorded_xid::text::xid8, p_cut) then array[
           t.transfer_id::text, t.telegram_id::text, t.version::text,
           ops._export_time(t.created_at), t.reason::text, t.debit_account::text,
           t.credit_account::text, t.amount_kopecks::text, t.available_kopecks::text,
           t.held_kopecks::text, t.debt_kopecks::text, coalesce(t.purchase_id::text, ''),
           coalesce(t.payment_id::text, ''), coalesce(t.withdrawal_id::text, ''),
           coalesce(t.actor_id::text, ''), coalesce(t.note, '')] end
  from ledger.transfer t
  where (t.telegram_id, t.version) > (p_after_id, p_after_version)
  order by t.telegram_id, t.version
  limit p_limit
$$;

--
-- Name: FUNCTION _export_ledger(p_after_id bigint, p_after_version bigint, p_cut pg_snapshot, p_limit integer); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._export_ledger(p_after_id bigint, p_after_version bigint, p_cut pg_snapshot, p_limit integer) IS 'Up to p_limit rows by user and version. cells is null for what was not committed at p_cut: however long the export takes, its rows are the books of one moment.';

--
-- Name: _export_size(ops.export_kind, bigint, timestamp with time zone); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._export_size(p_kind ops.export_kind, p_batch_id bigint, p_now timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
declare
  c_enough constant real := 20000::real; -- up to so many rows are counted
  v_rows real;
begin
  if p_kind = 'promo_batch' then
    return (select count(*) from promo.code c where c.batch_id = p_batch_id);
  elsif p_kind = 'subscriptions' then
    return (select p.people from vpn._people(p_now) p);
  end if;

  select c.reltuples into v_rows
  from pg_class c
  where c.oid = case p_kind when 'users' then 'account.account'::regclass
                            else 'ledger.transfer'::regclass end;
  if v_rows > c_enough then
    return v_rows::bigint;
  elsif p_kind = 'users' then
    return (select count(*) from account.account a);
  end if;
  return (select count(*) from ledger.transfer t);
end
$$;

--
-- Name: FUNCTION _export_size(p_kind ops.export_kind, p_batch_id bigint, p_now timestamp with time zone); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._export_size(p_kind ops.export_kind, p_batch_id bigint, p_now timestamp with time zone) IS 'Counted while there are few; else estimated, so that it costs the same however many there are.';

--
-- Name: _export_subscriptions(bigint, timestamp with time zone, integer); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._export_subscriptions(p_after_id bigint, p_at timestamp with time zone, p_limit integer) RETURNS TABLE(reached_id bigint, reached_version bigint, cells text[])
    LANGUAGE sql STABLE
    AS $$
  select s.telegram_id::bigint, 0::bigint,
         case when s.expires_at > p_at then array[
           s.telegram_id::text, coalesce(a.username, ''), s.tariff, s.period::text,
           ops._export_time(s.started_at), ops._export_time(s.expires_at), s.auto_renew::text,
           s.activation::text] end
  from subscription.subscription s
  left join account.account a on a.telegram_id = s.telegram_id and a.telegram_id > p_after_id
  where s.telegram_id > p_after_id
  order by s.telegram_id
  limit p_limit
$$;

--
-- Name: FUNCTION _export_subscriptions(p_after_id bigint, p_at timestamp with time zone, p_limit integer); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._export_subscriptions(p_after_id bigint, p_at timestamp with time zone, p_limit integer) IS 'Looks at up to p_limit subscriptions by user. cells is null where it was over at p_at.';

--
-- Name: _export_time(timestamp with time zone); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._export_time(p_at timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    AS $$
  select coalesce(to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '')
$$;

--
-- Name: FUNCTION _export_time(p_at timestamp with time zone); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._export_time(p_at timestamp with time zone) IS 'ISO 8601, UTC, to the second; empty for null.';

--
-- Name: _export_users(bigint, timestamp with time zone, integer); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._export_users(p_after_id bigint, p_until timestamp with time zone, p_limit integer) RETURNS TABLE(reached_id bigint, reached_version bigint, cells text[])
    LANGUAGE sql STABLE
    AS $$
  select a.telegram_id::bigint, 0::bigint,
         case when a.registered_at <= p_until then array[
           a.telegram_id::text, coalesce(a.username, ''), a.language,
           ops._export_time(a.registered_at), a.is_reachable::text, a.is_blocked::text,
           ops._export_time(a.blocked_at), coalesce(a.blocked_reason, ''), a.is_vip::text,
           coalesce(a.discount_percent::text, ''), ops._export_time(a.discount_expires_at),
           coalesce(a.referrer_id::text, ''), coalesce(w.available_kopecks, 0)::text,
           coalesce(w.held_kopecks, 0)::text, coalesce(w.debt_kopecks, 0)::text,
           coalesce(s.tariff, ''), ops._export_time(s.expires_at)] end
  from account.account a
  left join wallet.wallet w on w.telegram_id = a.telegram_id and w.telegram_id > p_after_id
  left join subscription.subscription s
    on s.telegram_id = a.telegram_id and s.telegram_id > p_after_id
  where a.telegram_id > p_after_id
  order by a.telegram_id
  limit p_limit
$$;

--
-- Name: FUNCTION _export_users(p_after_id bigint, p_until timestamp with time zone, p_limit integer); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._export_users(p_after_id bigint, p_until timestamp with time zone, p_limit integer) IS 'Up to p_limit users by id. cells is null for who registered after p_until.';

--
-- Name: _figure(text, date, date); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._figure(p_name text, p_from date, p_to date) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
begin
  return (
    select coalesce(sum(f.value), 0)::bigint
    from ops.day_figure f
    where f.name = p_name and f.day between coalesce(p_from, '-infinity') and p_to);
end
$$;

--
-- Name: FUNCTION _figure(p_name text, p_from date, p_to date); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._figure(p_name text, p_from date, p_to date) IS 'From p_from (null: ever) to p_to, both days counted.';

--
-- Name: _figures_now(timestamp with time zone); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._figures_now(p_now timestamp with time zone) RETURNS TABLE(name text, value bigint)
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_column
begin
  return query
  select x.name, x.value
  from (select count(*) as users, count(*) filter (where u.is_blocked) as blocked,
               count(*) filter (where not u.is_reachable) as unreachable
        from account.account u) s
  cross join lateral (values ('now_users', s.users), ('now_blocked', s.blocked),
                             ('now_unreachable', s.unreachable)) x (name, value);

  return query
  select x.name, x.value
  from (select count(*) filter (where s.expires_at > p_now and s.period <> 'trial') as active,
               count(*) filter (where s.expires_at > p_now and s.period = 'trial') as trials,
               count(*) filter (where s.expires_at <= p_now) as expired
        from subscription.subscription s) n
  cross join lateral (values ('now_active', n.active), ('now_trials', n.trials),
                             ('now_expired', n.expired)) x (name, value);

  return query
  select 'now_tariff_' || s.tariff, count(*)
  from subscription.subscription s
  where s.expires_at > p_now and s.period <> 'trial'
  group by s.tariff;
end
$$;

--
-- Name: FUNCTION _figures_now(p_now timestamp with time zone); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._figures_now(p_now timestamp with time zone) IS 'Reads every user and every subscription once: for the job, never for a screen.';

--
-- Name: _figures_of_day(date); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._figures_of_day(p_day date) RETURNS TABLE(name text, value bigint)
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_column
declare
  v_from timestamptz := p_day::timestamp at time zone 'UTC';
  v_to timestamptz := (p_day + 1)::timestamp at time zone 'UTC';
  v_month timestamptz := date_trunc('month', p_day::timestamp) at time zone 'UTC';
begin
  return query
  select 'users_new', count(*)
  from account.account u
  where u.registered_at >= v_from and u.registered_at < v_to;

  return query
  with moved as (
    select t.telegram_id, t.version, t.reason, t.debit_account, t.credit_account,
           t.amount_kopecks::bigint as amount, t.actor_id,
           t.reason in ('purchase', 'provider_purchase') as is_sale,
           case t.reason when 'purchase' then 'balance'
                         else coalesce(p.provider, 'other') end as way
    from ledger.transfer t
    left join billing.payment p on p.telegram_id = t.telegram_id and p.payment_id = t.payment_id
    where t.created_at >= v_from and t.created_at < v_to
  ), payers as (
    select m.telegram_id, min(m.version) as version
    from moved m where m.is_sale group by m.telegram_id
  ), before as (
    select y.telegram_id,
           max(o.created_at) filter (
             where o.reason in ('purchase', 'provider_purchase')) as last_at
    from payers y
    left join ledger.transfer o on o.telegram_id = y.telegram_id and o.version < y.version
    group by y.telegram_id
  )
  select 'revenue_' || m.way, sum(m.amount)::bigint
  from moved m where m.is_sale group by m.way
  union all
  select 'received_' || m.way, sum(m.amount)::bigint
  from moved m where m.debit_account = 'provider' group by m.way
  union all
  select x.name, x.value
  from (select count(*) filter (where m.is_sale) as sales,
               coalesce(sum(m.amount) filter (where m.reason = 'refund'), 0)::bigint as refunded,
               coalesce(sum(case when m.debit_account = 'revenue' then m.amount
                                 when m.credit_account = 'revenue' then -m.amount end)
                 filter (where m.reason = 'reversal'), 0)::bigint as reversed,
               count(*) filter (where m.reason = 'withdrawal_payout') as approved,
               count(*) filter (
                 where m.reason = 'withdrawal_return' and m.actor_id is not null) as rejected
        from moved m) s
  cross join lateral (values
    ('sales', s.sales), ('refunded', s.refunded), ('reversed', s.reversed),
    ('withdrawals_approved', s.approved), ('withdrawals_rejected', s.rejected)) x (name, value)
  union all
  select x.name, x.value
  from (select count(*) filter (where b.last_at is null) as ever,
               count(*) filter (where b.last_at is null or b.last_at < v_month) as of_month
        from before b) s
  cross join lateral (values
    ('payers_first', s.ever), ('payers_of_month', s.of_month)) x (name, value);

  return query
  select x.name, x.value::bigint
  from (select count(*) as keys,
               percentile_disc(array[0.5, 0.95]) within group (
                 order by extract(epoch from t.finished_at - t.created_at) * 1000) as took
        from outbox.task t
        where t.created_at >= v_from and t.created_at < v_to
          and t.kind = 'provision' and t.name = 'add' and t.outcome = 'done') k
  cross join lateral (values ('keys', k.keys::numeric), ('key_median', k.took[1]::numeric),
                             ('key_p95', k.took[2]::numeric)) x (name, value)
  where x.value is not null;
end
$$;

--
-- Name: FUNCTION _figures_of_day(p_day date); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._figures_of_day(p_day date) IS 'From the ledger, the outbox and the users: revenue_<way> is what purchases and renewals took in (balance: of money that came before), received_<way> is money from the providers. payers_of_month: whose first purchase of the month it was; payers_first: the first ever. key_median and key_p95: milliseconds from the promise of a key to its delivery.';

--
-- Name: _give_up_export(bigint, text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._give_up_export(p_export_id bigint, p_error text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  perform ops._end_export(p_export_id, 'failed', null, p_error);
  perform ops._bury('ops.send_exports', 'export:' || p_export_id, p_error);
end
$$;

--
-- Name: FUNCTION _give_up_export(p_export_id bigint, p_error text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._give_up_export(p_export_id bigint, p_error text) IS 'A dead letter: an admin can have it tried again, from its last part on.';

--
-- Name: _incident_since(); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._incident_since() RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    AS $$
  select i.set_at
  from ops.incident i
  where i.incident_id > coalesce(
    (select o.incident_id from ops.incident o
     where not o.is_on order by o.incident_id desc limit 1), 0)
  order by i.incident_id
  limit 1
$$;

--
-- Name: FUNCTION _incident_since(); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._incident_since() IS 'The first of the rows since it was off last: rewriting the texts begins no new incident.';

--
-- Name: _month(date, date); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._month(p_from date, p_to date) RETURNS TABLE(revenue_kopecks bigint, refunded_kopecks bigint, net_kopecks bigint, payers bigint, per_payer_kopecks bigint)
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_column
begin
  return query
  select r.revenue, r.refunded, r.revenue - r.refunded, r.payers,
         case when r.payers > 0 then (r.revenue - r.refunded) / r.payers end
  from (
    select coalesce(sum(f.value) filter (where f.name ~ '^revenue_'), 0)::bigint as revenue,
           coalesce(sum(f.value) filter (where f.name in ('refunded', 'reversed')), 0)::bigint
             as refunded,
           coalesce(sum(f.value) filter (where f.name = 'payers_of_month'), 0)::bigint as payers
    from ops.day_figure f
    where f.day between p_from and p_to) r;
end
$$;

--
-- Name: FUNCTION _month(p_from date, p_to date); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._month(p_from date, p_to date) IS 'Takings of purchases, what was given or taken back, and how many paid. From the first of a month: payers are counted once a month.';

--
-- Name: _open_export(bigint, ops.export_kind, bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._open_export(p_admin_id bigint, p_kind ops.export_kind, p_batch_id bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
  v_now timestamptz := core.now();
  v_export_id bigint;
begin
  insert into ops.export as e (
    kind, batch_id, admin_id, requested_at, cut, expected_rows, due_at)
  values (p_kind, p_batch_id, p_admin_id, v_now, pg_current_snapshot(),
          ops._export_size(p_kind, p_batch_id, v_now), v_now)
  on conflict (admin_id, kind, coalesce(batch_id, 0)) where finished_at is null
  do update set due_at = e.due_at -- changes nothing: it locks the row that is under way
  returning e.export_id into v_export_id;
  return v_export_id;
end
$$;

--
-- Name: FUNCTION _open_export(p_admin_id bigint, p_kind ops.export_kind, p_batch_id bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._open_export(p_admin_id bigint, p_kind ops.export_kind, p_batch_id bigint) IS 'One that ends just now is not joined: the index then lets a new one begin.';

--
-- Name: _put_back_export(bigint, text, interval, integer); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._put_back_export(p_export_id bigint, p_error text, p_wait interval, p_attempts_back integer) RETURNS void
    LANGUAGE sql
    AS $$
  update ops.export e
  set due_at = core.now() + p_wait, attempt = e.attempt - p_attempts_back, leased_until = null,
      rows_read = e.rows_sent, last_error = left(p_error, 1000)
  where e.export_id = p_export_id
$$;

--
-- Name: FUNCTION _put_back_export(p_export_id bigint, p_error text, p_wait interval, p_attempts_back integer); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._put_back_export(p_export_id bigint, p_error text, p_wait interval, p_attempts_back integer) IS 'Its token stays, so that a repeat is known; what was read beyond the last part is read again.';

--
-- Name: _reconcile_accounts(); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._reconcile_accounts() RETURNS TABLE(check_name text, subject text, detail text)
    LANGUAGE sql STABLE
    AS $$
  select 'user_has_wallet', 'telegram_id:' || a.telegram_id, 'no wallet'
  from account.account a
  where not exists (select 1 from wallet.wallet w where w.telegram_id = a.telegram_id)
  union all
  select 'row_has_user', o.name || ' of telegram_id:' || o.telegram_id, 'no such user'
  from (select 'wallet' as name, w.telegram_id from wallet.wallet w
        union select 'transfer', t.telegram_id from ledger.transfer t
        union select 'purchase', u.telegram_id from billing.purchase u
        union select 'subscription', s.telegram_id from subscription.subscription s
        union select 'task', k.telegram_id from outbox.task k) o
  where not exists (select 1 from account.account a where a.telegram_id = o.telegram_id)
  union all
  select 'referrer_is_older', 'telegram_id:' || a.telegram_id,
         format('referrer %s is no user, or came later', a.referrer_id)
  from account.account a
  where a.referrer_id is not null
    and not exists (select 1 from account.account r
                    where r.telegram_id = a.referrer_id and r.registered_at <= a.registered_at)
  union all
  select 'referral_code_unique', 'code:' || a.referral_code, format('%s users', count(*))
  from account.account a
  group by a.referral_code having count(*) > 1
$$;

--
-- Name: FUNCTION _reconcile_accounts(); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._reconcile_accounts() IS 'Checks user_has_wallet, row_has_user, referrer_is_older (hence no cycle), referral_code_unique.';

--
-- Name: _reconcile_ledger(); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._reconcile_ledger() RETURNS TABLE(check_name text, subject text, detail text)
    LANGUAGE sql STABLE
    AS $$
  with chain as (
    select t.telegram_id, t.version, t.available_kopecks, t.held_kopecks, t.debt_kopecks,
           lag(t.version, 1, 0::bigint) over w as version_before,
           lag(t.available_kopecks::bigint, 1, 0::bigint) over w + t.amount_kopecks
             * ((t.credit_account = 'available')::int - (t.debit_account = 'available')::int)
             as available_expected,
           lag(t.held_kopecks::bigint, 1, 0::bigint) over w + t.amount_kopecks
             * ((t.credit_account = 'held')::int - (t.debit_account = 'held')::int)
             as held_expected,
           lag(t.debt_kopecks::bigint, 1, 0::bigint) over w - t.amount_kopecks
             * ((t.credit_account = 'debt')::int - (t.debit_account = 'debt')::int)
             as debt_expected,
           row_number() over (partition by t.telegram_id order by t.version desc) = 1 as is_last
    from ledger.transfer t
    window w as (partition by t.telegram_id order by t.version)
  )
  select 'version_chain', 'telegram_id:' || c.telegram_id,
         format('version %s follows %s', c.version, c.version_before)
  from chain c where c.version <> c.version_before + 1
  union all
  select 'balance_chain', 'telegram_id:' || c.telegram_id,
         format('version %s has %s, %s, %s; the row before makes it %s, %s, %s', c.version,
                c.available_kopecks, c.held_kopecks, c.debt_kopecks,
                c.available_expected, c.held_expected, c.debt_expected)
  from chain c
  where (c.available_kopecks, c.held_kopecks, c.debt_kopecks)
        <> (c.available_expected, c.held_expected, c.debt_expected)
  union all
  select 'wallet_equals_ledger', 'telegram_id:' || coalesce(w.telegram_id, c.telegram_id),
         format('wallet: version %s, %s, %s, %s; ledger: version %s, %s, %s, %s', w.version,
                w.available_kopecks, w.held_kopecks, w.debt_kopecks,
                c.version, c.available_kopecks, c.held_kopecks, c.debt_kopecks)
  from wallet.wallet w
  full join (select l.* from chain l where l.is_last) c on c.telegram_id = w.telegram_id
  where (w.version, w.available_kopecks, w.held_kopecks, w.debt_kopecks)
        is distinct from (coalesce(c.version, 0), coalesce(c.available_kopecks, 0),
                          coalesce(c.held_kopecks, 0), coalesce(c.debt_kopecks, 0))
  union all
  select 'balance_not_negative', 'telegram_id:' || w.telegram_id,
         format('%s, %s, %s', w.available_kopecks, w.held_kopecks, w.debt_kopecks)
  from wallet.wallet w
  where least(w.available_kopecks, w.held_kopecks, w.debt_kopecks) < 0
$$;

--
-- Name: FUNCTION _reconcile_ledger(); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._reconcile_ledger() IS 'Checks version_chain, balance_chain, wallet_equals_ledger, balance_not_negative.';

--
-- Name: _reconcile_payments(); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._reconcile_payments() RETURNS TABLE(check_name text, subject text, detail text)
    LANGUAGE sql STABLE
    AS $$
  with booked as (
    select t.telegram_id, t.payment_id,
           sum(t.amount_kopecks) filter (where t.credit_account = 'available') as credited,
           sum(t.amount_kopecks) filter (where t.credit_account = 'revenue') as revenue
    from ledger.transfer t
    where t.debit_account = 'provider'
    group by t.telegram_id, t.payment_id
  ), returned as (
    select t.telegram_id, t.payment_id,
           sum(t.amount_kopecks) filter (where t.credit_account = 'provider') as kopecks,
           sum(t.amount_kopecks) filter (where t.debit_account = 'debt') as debt
    from ledger.transfer t
    where t.reason = 'reversal'
    group by t.telegram_id, t.payment_id
  )
  select 'payment_has_one_charge', coalesce('payment:' || p.payment_id, 'charge:' || c.charge_id),
         format('%s %s', coalesce(p.provider, c.provider), coalesce(p.charge_id, c.charge_id))
  from billing.payment p
  full join billing.charge c
    on c.provider = p.provider and c.charge_id = p.charge_id
   and c.telegram_id = p.telegram_id and c.payment_id = p.payment_id
  where p.payment_id is null or c.payment_id is null
  union all
  select 'payment_is_booked', 'payment:' || coalesce(p.payment_id, b.payment_id),
         format('%s: worth %s, credited %s; ledger: credited %s, revenue %s', p.outcome,
                p.worth_kopecks, p.credited_kopecks, b.credited, b.revenue)
  from billing.payment p
  full join booked b on b.telegram_id = p.telegram_id and b.payment_id = p.payment_id
  where p.payment_id is null
     or p.credited_kopecks <> coalesce(b.credited, 0)
     or (p.outcome = 'suspense' and b.payment_id is not null)
     or (p.outcome in ('applied', 'credited')
         and p.worth_kopecks <> coalesce(b.credited, 0) + coalesce(b.revenue, 0))
  union all
  select 'payment_buys_its_purchase', 'payment:' || p.payment_id,
         format('applied to purchase %s, which is %s by payment %s', p.purchase_id, u.status,
                u.payment_id)
  from billing.payment p
  left join billing.purchase u
    on u.telegram_id = p.telegram_id and u.purchase_id = p.purchase_id
  where p.outcome = 'applied'
    and (u.payment_id, u.status in ('paid', 'refunded')) is distinct from (p.payment_id, true)
  union all
  select 'purchase_names_its_payment', 'purchase:' || u.purchase_id,
         format('payment %s is not applied to it', u.payment_id)
  from billing.purchase u
  where u.payment_id is not null
    and not exists (
      select 1 from billing.payment p
      where p.telegram_id = u.telegram_id and p.payment_id = u.payment_id
        and p.purchase_id = u.purchase_id and p.outcome in ('applied', 'reversed'))
  union all
  select 'reversal_returns_all', 'payment:' || coalesce(p.payment_id, r.payment_id),
         format('%s: came %s, went back %s; debt %s, recorded %s', p.outcome,
                p.worth_kopecks, r.kopecks, r.debt, p.reversal_debt_kopecks)
  from (select y.* from billing.payment y where y.outcome = 'reversed') p
  full join returned r on r.telegram_id = p.telegram_id and r.payment_id = p.payment_id
  where p.payment_id is null
     or (coalesce(p.worth_kopecks, 0), p.reversal_debt_kopecks)
        is distinct from (coalesce(r.kopecks, 0), coalesce(r.debt, 0))
  union all
  select 'reversal_undoes_its_purchase', 'payment:' || p.payment_id,
         format('purchase %s is %s', u.purchase_id, u.status)
  from billing.payment p
  join billing.purchase u on u.telegram_id = p.telegram_id and u.payment_id = p.payment_id
  where p.outcome = 'reversed' and u.kind = 'subscription' and u.status <> 'refunded'
  union all
  select 'invoice_of_one_purchase', 'invoice:' || n.provider || ' ' || n.invoice_id,
         format('%s purchases', count(*))
  from billing.invoice n
  group by n.provider, n.invoice_id having count(*) > 1
$$;

--
-- Name: FUNCTION _reconcile_payments(); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._reconcile_payments() IS 'Checks payment_has_one_charge, payment_is_booked, payment_buys_its_purchase, purchase_names_its_payment, reversal_returns_all, reversal_undoes_its_purchase, invoice_of_one_purchase.';

--
-- Name: _reconcile_periods(); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._reconcile_periods() RETURNS TABLE(check_name text, subject text, detail text)
    LANGUAGE sql STABLE
    AS $$
  select 'period_renewed_once', 'telegram_id:' || u.telegram_id,
         format('the period that ends %s is renewed by %s purchases', u.renews_expires_at,
                count(*))
  from billing.purchase u
  where u.renews_expires_at is not null
  group by u.telegram_id, u.renews_expires_at
  having count(*) > 1
  union all
  select 'renewal_is_from_balance', 'purchase:' || u.purchase_id,
         format('%s, paid with %s; renews what ends %s, bought after %s', u.status, u.paid_with,
                u.renews_expires_at, u.before_expires_at)
  from billing.purchase u
  where u.renews_expires_at is not null
    and (u.status in ('paid', 'refunded') and u.paid_with in ('balance', 'free')
         and u.renews_expires_at = u.before_expires_at and u.closed_at < u.renews_expires_at)
        is not true
  union all
  select 'trial_once', 'telegram_id:' || c.telegram_id, format('%s trials', count(*))
  from subscription.change c
  where c.kind = 'trial'
  group by c.telegram_id
  having count(*) > 1
  union all
  select 'trial_was_started', 'telegram_id:' || s.telegram_id, 'a trial that nobody started'
  from subscription.subscription s
  where s.period = 'trial'
    and not exists (select 1 from subscription.change c
                    where c.telegram_id = s.telegram_id and c.kind = 'trial')
  union all
  select 'reminder_is_checked_in_time', 'telegram_id:' || s.telegram_id,
         format('ends %s, activation %s, reminders looked at %s', s.expires_at, s.activation,
                s.reminder_check_at)
  from subscription.subscription s
  where s.reminder_check_at > s.expires_at
     or (s.activation = 'none' and s.reminder_check_at is not null)
  union all
  select 'identity_is_unique', 'telegram_id:' || min(s.telegram_id::bigint), -- not the key itself
         format('%s subscriptions have its identity', count(*))
  from subscription.subscription s
  group by s.vpn_uuid
  having count(*) > 1
$$;

--
-- Name: FUNCTION _reconcile_periods(); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._reconcile_periods() IS 'Checks period_renewed_once, renewal_is_from_balance, trial_once, trial_was_started, reminder_is_checked_in_time, identity_is_unique.';

--
-- Name: _reconcile_promo(); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._reconcile_promo() RETURNS TABLE(check_name text, subject text, detail text)
    LANGUAGE sql STABLE
    AS $$
  select 'promo_use_within_limit', 'promo_use:' || u.promo_id || '/' || u.use_no,
         format('code %s, limit %s', c.code, c.max_uses)
  from promo.use u
  left join promo.code c on c.promo_id = u.promo_id
  where c.promo_id is null or u.use_no < 1 or u.use_no > c.max_uses
  union all
  select 'promo_user_within_limit', 'promo:' || u.promo_id || ' telegram_id:' || u.telegram_id,
         format('%s uses, limit %s', count(*), c.per_user_limit)
  from promo.use u
  join promo.code c on c.promo_id = u.promo_id
  group by u.promo_id, u.telegram_id, c.per_user_limit
  having count(*) > c.per_user_limit
  union all
  select 'promo_use_has_purchase', 'promo_use:' || u.promo_id || '/' || u.use_no,
         format('purchase %s of telegram_id %s is %s', u.purchase_id, u.telegram_id,
                coalesce(b.status::text, 'not there'))
  from promo.use u
  left join billing.purchase b
    on b.telegram_id = u.telegram_id and b.purchase_id = u.purchase_id
   and b.promo_id = u.promo_id
  where (b.status in ('open', 'paid', 'refunded')) is not true
  union all
  select 'promo_purchase_has_one_use', 'purchase:' || b.purchase_id,
         format('%s, promo_id %s, %s uses', b.status, b.promo_id, count(u.use_no))
  from billing.purchase b
  left join promo.use u
    on u.telegram_id = b.telegram_id and u.purchase_id = b.purchase_id
   and u.promo_id = b.promo_id
  where b.promo_id is not null and b.status in ('open', 'paid', 'refunded')
  group by b.telegram_id, b.purchase_id
  having count(u.use_no) <> 1
  union all
  select 'promo_discount_has_code', 'purchase:' || b.purchase_id,
         format('discount %s, promo_id %s, code %s', b.discount_kind, b.promo_id, b.promo_code)
  from billing.purchase b
  where (b.discount_kind = 'promo') <> (b.promo_id is not null)
     or (b.promo_id is not null and b.promo_code is null)
$$;

--
-- Name: FUNCTION _reconcile_promo(); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._reconcile_promo() IS 'Checks promo_use_within_limit, promo_user_within_limit, promo_use_has_purchase, promo_purchase_has_one_use (a purchase whose late payment found no use left stays expired or cancelled and has none), promo_discount_has_code.';

--
-- Name: _reconcile_purchases(); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._reconcile_purchases() RETURNS TABLE(check_name text, subject text, detail text)
    LANGUAGE sql STABLE
    AS $$
  with paid as (
    select u.telegram_id, u.purchase_id, u.kind, u.tariff, u.months, u.price_kopecks,
           u.paid_with, u.payment_id, u.provision_task_id, u.after_expires_at,
           u.status in ('paid', 'refunded') as is_paid
    from billing.purchase u
  ), charged as (
    select t.telegram_id, t.purchase_id, count(*) as times, sum(t.amount_kopecks) as kopecks
    from ledger.transfer t
    where t.reason = 'purchase'
    group by t.telegram_id, t.purchase_id
  )
  select 'balance_purchase_charged_once', 'purchase:' || coalesce(p.purchase_id, c.purchase_id),
         format('price %s, charged %s times, %s kopecks', p.price_kopecks,
                coalesce(c.times, 0), coalesce(c.kopecks, 0))
  from (select b.* from paid b where b.is_paid and b.paid_with = 'balance') p
  full join charged c on c.telegram_id = p.telegram_id and c.purchase_id = p.purchase_id
  where (p.price_kopecks, 1) is distinct from (c.kopecks, c.times)
  union all
  select 'paid_purchase_says_how', 'purchase:' || p.purchase_id,
         format('%s, paid with %s, payment %s', case when p.is_paid then 'paid' else 'not paid' end,
                p.paid_with, p.payment_id)
  from paid p
  where p.is_paid <> (p.paid_with is not null)
     or (p.paid_with = 'free' and p.price_kopecks > 0)
     or (p.is_paid and p.paid_with not in ('balance', 'free') and p.payment_id is null)
  union all
  select 'paid_purchase_has_job', 'purchase:' || p.purchase_id,
         format('provisioning job %s is missing', p.provision_task_id)
  from paid p
  where p.is_paid and p.kind = 'subscription'
    and not exists (
      select 1 from outbox.task t
      where t.telegram_id = p.telegram_id and t.task_id = p.provision_task_id
        and t.kind = 'provision' and t.purchase_id = p.purchase_id)
  union all
  select 'subscription_purchase_is_whole', 'purchase:' || p.purchase_id,
         format('tariff %s, months %s, end %s', p.tariff, p.months, p.after_expires_at)
  from paid p
  where (p.kind = 'subscription') <> (p.tariff is not null and p.months is not null)
     or (p.kind = 'subscription' and p.is_paid <> (p.after_expires_at is not null))
$$;

--
-- Name: FUNCTION _reconcile_purchases(); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._reconcile_purchases() IS 'Checks balance_purchase_charged_once, paid_purchase_says_how, paid_purchase_has_job, subscription_purchase_is_whole.';

--
-- Name: _reconcile_referrals(); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._reconcile_referrals() RETURNS TABLE(check_name text, subject text, detail text)
    LANGUAGE sql STABLE
    AS $$
  with booked as (
    select t.telegram_id, t.purchase_id,
           coalesce(sum(t.amount_kopecks) filter (where t.reason = 'cashback'), 0) as paid,
           coalesce(sum(t.amount_kopecks) filter (where t.reason = 'clawback'), 0) as clawed_back
    from ledger.transfer t
    where t.reason in ('cashback', 'clawback')
    group by t.telegram_id, t.purchase_id
  ), waiting as (
    select t.telegram_id, t.purchase_id, t.name
    from outbox.task t
    where t.kind = 'cashback' and t.finished_at is null
  ), owed as (
    select a.referrer_id, u.telegram_id, u.purchase_id, u.status, u.price_kopecks
    from billing.purchase u
    join account.account a on a.telegram_id = u.telegram_id
    where a.referrer_id is not null and u.kind = 'subscription' and u.price_kopecks > 0
      and u.status in ('paid', 'refunded')
  )
  select 'reward_is_booked', 'purchase:' || coalesce(r.purchase_id, b.purchase_id),
         format('%s %s of %s; ledger: paid %s, clawed back %s', r.status, r.reward_kopecks,
                coalesce(r.telegram_id, b.telegram_id), b.paid, b.clawed_back)
  from referral.reward r
  full join booked b on b.telegram_id = r.telegram_id and b.purchase_id = r.purchase_id
  where r.purchase_id is null
     or coalesce(b.paid, 0) <> r.reward_kopecks
     or coalesce(b.clawed_back, 0)
        <> case r.status when 'clawed_back' then r.reward_kopecks else 0 end
  union all
  select 'one_reward_per_purchase', 'purchase:' || r.purchase_id, format('%s rewards', count(*))
  from referral.reward r
  group by r.purchase_id having count(*) > 1
  union all
  select 'reward_is_for_its_purchase', 'purchase:' || r.purchase_id,
         format('%s for %s kopecks by %s, invited by %s: the purchase is %s for %s', r.status,
                r.paid_kopecks, r.referred_id, r.telegram_id, o.status, o.price_kopecks)
  from referral.reward r
  left join owed o on o.telegram_id = r.referred_id and o.purchase_id = r.purchase_id
  where (o.referrer_id, o.price_kopecks) is distinct from (r.telegram_id, r.paid_kopecks)
  union all
  select 'reward_is_its_percent', 'purchase:' || r.purchase_id,
         format('%s: %s of %s is %s percent', r.status, r.reward_kopecks, r.paid_kopecks, r.percent)
  from referral.reward r
  where r.reward_kopecks <> r.paid_kopecks * r.percent / 100
     or (r.status = 'void') <> (r.percent = 0)
     or (r.status = 'clawed_back') <> (r.clawed_back_at is not null)
  union all
  select 'purchase_is_rewarded', 'purchase:' || o.purchase_id,
         format('%s by %s, invited by %s: reward %s', o.status, o.telegram_id, o.referrer_id,
                coalesce(r.status::text, 'none'))
  from owed o
  left join referral.reward r on r.telegram_id = o.referrer_id and r.purchase_id = o.purchase_id
  where not exists (select 1 from waiting w
                    where w.telegram_id = o.referrer_id and w.purchase_id = o.purchase_id)
    and (r.status is null or (r.status = 'paid') <> (o.status = 'paid'))
  union all
  select 'paying_is_counted', 'telegram_id:' || coalesce(r.telegram_id, p.telegram_id),
         format('%s paying referrals; rows: %s', r.paying_count, p.times)
  from referral.referrer r
  full join (select y.telegram_id, count(*) as times from referral.paying y
             group by y.telegram_id) p on p.telegram_id = r.telegram_id
  where r.paying_count is distinct from coalesce(p.times, 0)
  union all
  select 'paying_has_paid', 'telegram_id:' || coalesce(p.referred_id, r.referred_id),
         format('counted by %s, rewarded by %s', p.telegram_id, r.telegram_id)
  from referral.paying p
  full join (select distinct w.telegram_id, w.referred_id from referral.reward w
             where w.status <> 'void') r
    on r.telegram_id = p.telegram_id and r.referred_id = p.referred_id
  where p.referred_id is null or r.referred_id is null
  union all
  select 'earned_is_rewards', 'telegram_id:' || coalesce(r.telegram_id, w.telegram_id),
         format('earned %s; rewards: %s', r.earned_kopecks, w.kopecks)
  from referral.referrer r
  full join (select x.telegram_id, sum(x.reward_kopecks) as kopecks from referral.reward x
             where x.status = 'paid' group by x.telegram_id) w on w.telegram_id = r.telegram_id
  where r.earned_kopecks is distinct from coalesce(w.kopecks, 0)
$$;

--
-- Name: FUNCTION _reconcile_referrals(); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._reconcile_referrals() IS 'Checks reward_is_booked (hence no claw-back above the reward), one_reward_per_purchase, reward_is_for_its_purchase (by the referrer of the buyer, who is never the buyer), reward_is_its_percent, purchase_is_rewarded (or its task waits), paying_is_counted, paying_has_paid, earned_is_rewards.';

--
-- Name: _reconcile_refunds(); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._reconcile_refunds() RETURNS TABLE(check_name text, subject text, detail text)
    LANGUAGE sql STABLE
    AS $$
  with booked as (
    select t.telegram_id, t.purchase_id, count(*) as times, sum(t.amount_kopecks) as kopecks
    from ledger.transfer t
    where t.reason = 'refund'
    group by t.telegram_id, t.purchase_id
  )
  select 'refunded_purchase_has_refund', 'purchase:' || coalesce(u.purchase_id, r.purchase_id),
         format('status refunded: %s; %s', u.purchase_id is not null, coalesce(r.kind::text,
                                                                               'no refund'))
  from (select p.* from billing.purchase p
        where p.status = 'refunded' and p.kind = 'subscription') u
  full join billing.refund r on r.telegram_id = u.telegram_id and r.purchase_id = u.purchase_id
  where u.purchase_id is null or r.purchase_id is null
  union all
  select 'refund_is_booked', 'purchase:' || coalesce(r.purchase_id, b.purchase_id),
         format('%s of %s; ledger: %s times, %s', r.kind, r.refunded_kopecks,
                coalesce(b.times, 0), coalesce(b.kopecks, 0))
  from (select y.*, case y.kind when 'refund' then u.price_kopecks else 0 end as due_kopecks
        from billing.refund y
        join billing.purchase u on u.telegram_id = y.telegram_id and u.purchase_id = y.purchase_id
       ) r
  full join booked b on b.telegram_id = r.telegram_id and b.purchase_id = r.purchase_id
  where (r.refunded_kopecks, r.due_kopecks, coalesce(b.times, 0))
        is distinct from (coalesce(b.kopecks, 0),
                          coalesce(b.kopecks, 0),
                          (coalesce(b.kopecks, 0) > 0)::int)
  union all
  select 'refund_by_reversal_has_payment', 'purchase:' || r.purchase_id,
         'taken back by the provider, whose payment was not'
  from billing.refund r
  where r.kind = 'reversal'
    and not exists (
      select 1 from billing.purchase u
      join billing.payment p on p.telegram_id = u.telegram_id and p.payment_id = u.payment_id
      where u.telegram_id = r.telegram_id and u.purchase_id = r.purchase_id
        and p.outcome = 'reversed')
  union all
  select 'refund_has_change',
         coalesce('purchase:' || r.purchase_id, 'change:' || c.change_id),
         format('%s, change %s; change %s left %s', r.kind, r.change_id, c.change_id,
                c.after_expires_at)
  from (select y.* from billing.refund y where y.change_id is not null) r
  full join (select y.* from subscription.change y where y.kind in ('refund', 'reversal')) c
    on c.telegram_id = r.telegram_id and c.change_id = r.change_id
  where (r.purchase_id, r.kind::text, r.subscription_expires_at)
        is distinct from (c.purchase_id, c.kind::text, c.after_expires_at)
  union all
  select 'refund_claws_back', 'purchase:' || r.purchase_id,
         format('referrer %s has no clawback task', a.referrer_id)
  from billing.refund r
  join billing.purchase u on u.telegram_id = r.telegram_id and u.purchase_id = r.purchase_id
  join account.account a on a.telegram_id = r.telegram_id
  where a.referrer_id is not null and u.price_kopecks > 0
    and not exists (
      select 1 from outbox.task t
      where t.telegram_id = a.referrer_id and t.kind = 'cashback' and t.name = 'clawback'
        and t.purchase_id = r.purchase_id)
$$;

--
-- Name: FUNCTION _reconcile_refunds(); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._reconcile_refunds() IS 'Checks refunded_purchase_has_refund, refund_is_booked, refund_by_reversal_has_payment, refund_has_change, refund_claws_back.';

--
-- Name: _reconcile_subscriptions(); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._reconcile_subscriptions() RETURNS TABLE(check_name text, subject text, detail text)
    LANGUAGE sql STABLE
    AS $$
  with chain as (
    select e.*, lag(e.after_tariff) over w as tariff_before,
           lag(e.after_expires_at) over w as expires_before,
           lag(e.after_period) over w as period_before,
           row_number() over (partition by e.telegram_id order by e.place desc) = 1 as is_last
    from (
      select u.telegram_id, u.provision_task_id as place, 'purchase:' || u.purchase_id as subject,
             u.before_tariff, u.before_expires_at, u.before_period,
             u.tariff as after_tariff, u.after_expires_at,
             'paid'::subscription.period as after_period
      from billing.purchase u
      where u.kind = 'subscription' and u.status in ('paid', 'refunded')
      union all
      select c.telegram_id, c.change_id, 'change:' || c.change_id, c.before_tariff,
             c.before_expires_at, c.before_period, c.after_tariff, c.after_expires_at,
             c.after_period
      from subscription.change c) e
    window w as (partition by e.telegram_id order by e.place)
  )
  select 'subscription_ends_as_bought', 'telegram_id:' || coalesce(s.telegram_id, l.telegram_id),
         format('ends %s as %s, %s; the last change left %s as %s, %s', s.expires_at, s.tariff,
                s.period, l.after_expires_at, l.after_tariff, l.after_period)
  from subscription.subscription s
  full join (select c.* from chain c where c.is_last) l on l.telegram_id = s.telegram_id
  where (s.expires_at, s.tariff, s.period)
        is distinct from (l.after_expires_at, l.after_tariff, l.after_period)
  union all
  select 'period_follows_period', c.subject,
         format('begins after %s as %s, %s; what came before ended %s as %s, %s',
                c.before_expires_at, c.before_tariff, c.before_period,
                c.expires_before, c.tariff_before, c.period_before)
  from chain c
  where (c.before_expires_at, c.before_tariff, c.before_period)
        is distinct from (c.expires_before, c.tariff_before, c.period_before)
  union all
  select 'expiry_is_checked_in_time', 'telegram_id:' || s.telegram_id,
         format('ends %s, looked at %s', s.expires_at, s.expiry_check_at)
  from subscription.subscription s
  where s.expiry_check_at > s.expires_at
     or (s.activation <> 'none' and s.expiry_check_at is null)
  union all
  select 'renewal_is_checked', 'telegram_id:' || s.telegram_id,
         format('auto_renew %s, ends %s, looked at %s, declined for %s', s.auto_renew, s.expires_at,
                s.renew_check_at, s.renew_declined_for)
  from subscription.subscription s
  join account.account a on a.telegram_id = s.telegram_id
  where (s.renew_check_at is not null and not s.auto_renew)
     or s.renew_check_at > s.expires_at
     or (s.renew_check_at is null and s.auto_renew and s.expires_at > core.now()
         and s.renew_declined_for is distinct from s.expires_at and not a.is_blocked
         and exists (select 1 from billing.purchase u
                     where u.telegram_id = s.telegram_id and u.kind = 'subscription'
                       and u.status = 'paid')
         and not exists (select 1 from billing.purchase u
                         where u.telegram_id = s.telegram_id
                           and u.renews_expires_at = s.expires_at))
$$;

--
-- Name: FUNCTION _reconcile_subscriptions(); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._reconcile_subscriptions() IS 'Checks subscription_ends_as_bought, period_follows_period, expiry_is_checked_in_time, renewal_is_checked.';

--
-- Name: _reconcile_withdrawals(); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._reconcile_withdrawals() RETURNS TABLE(check_name text, subject text, detail text)
    LANGUAGE sql STABLE
    AS $$
  with booked as (
    select t.withdrawal_id, t.telegram_id,
           count(*) filter (where m.is_hold) as holds,
           count(*) filter (where m.is_payout) as payouts,
           count(*) filter (where m.is_return) as returns,
           count(*) filter (where not (m.is_hold or m.is_payout or m.is_return)) as others,
           min(t.amount_kopecks) as least_kopecks, max(t.amount_kopecks) as most_kopecks
    from ledger.transfer t
    cross join lateral (
      select (t.reason, t.debit_account, t.credit_account)
               = ('withdrawal_hold', 'available', 'held') as is_hold,
             (t.reason, t.debit_account, t.credit_account)
               = ('withdrawal_payout', 'held', 'payout') as is_payout,
             (t.reason, t.debit_account, t.credit_account)
               = ('withdrawal_return', 'held', 'available') as is_return) m
    where t.withdrawal_id is not null
       or t.reason in ('withdrawal_hold', 'withdrawal_payout', 'withdrawal_return')
    group by t.withdrawal_id, t.telegram_id
  )
  select 'held_is_pending_withdrawals', 'telegram_id:' || coalesce(w.telegram_id, p.telegram_id),
         format('held %s, pending withdrawals %s', w.held_kopecks, p.kopecks)
  from wallet.wallet w
  full join (select x.telegram_id, sum(x.amount_kopecks) as kopecks from withdrawal.withdrawal x
             where x.status = 'pending' group by x.telegram_id) p on p.telegram_id = w.telegram_id
  where w.held_kopecks is distinct from coalesce(p.kopecks, 0)
  union all
  select 'withdrawal_is_booked', 'withdrawal:' || coalesce(w.withdrawal_id, b.withdrawal_id, 0),
         format('%s of %s by %s; ledger: %s held, %s paid out, %s returned, %s else, %s to %s',
                w.status, w.amount_kopecks, coalesce(w.telegram_id, b.telegram_id), b.holds,
                b.payouts, b.returns, b.others, b.least_kopecks, b.most_kopecks)
  from withdrawal.withdrawal w
  full join booked b on b.telegram_id = w.telegram_id and b.withdrawal_id = w.withdrawal_id
  where (b.holds, b.payouts, b.returns, b.others, b.least_kopecks, b.most_kopecks)
        is distinct from (1::bigint, (w.status = 'approved')::int::bigint,
                          (w.status in ('rejected', 'cancelled'))::int::bigint, 0::bigint,
                          w.amount_kopecks::bigint, w.amount_kopecks::bigint)
  union all
  select 'withdrawal_is_approved_enough', 'withdrawal:' || w.withdrawal_id,
         format('%s with %s of %s approvals', w.status, count(a.admin_id), w.approvals_needed)
  from withdrawal.withdrawal w
  left join withdrawal.approval a
    on a.telegram_id = w.telegram_id and a.withdrawal_id = w.withdrawal_id
  where w.status = 'approved'
  group by w.telegram_id, w.withdrawal_id
  having count(a.admin_id) < w.approvals_needed or not bool_or(a.admin_id = w.ended_by)
  union all
  select 'withdrawal_is_ended_by_whom_it_says', 'withdrawal:' || w.withdrawal_id,
         format('%s by %s, of %s', w.status, w.ended_by, w.telegram_id)
  from withdrawal.withdrawal w
  where (w.status = 'pending') <> (w.ended_by is null)
     or (w.status = 'cancelled' and w.ended_by <> w.telegram_id)
     or (w.status = 'approved' and w.ended_by = w.telegram_id)
     or (w.status = 'pending' and w.requisites_purge_at is not null)
$$;

--
-- Name: FUNCTION _reconcile_withdrawals(); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._reconcile_withdrawals() IS 'Checks held_is_pending_withdrawals, withdrawal_is_booked (one hold, one way out), withdrawal_is_approved_enough, withdrawal_is_ended_by_whom_it_says.';

--
-- Name: _require_export(bigint, uuid); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._require_export(p_export_id bigint, p_lease_token uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  perform core._require(p_export_id is not null, 'p_export_id: the id from claim_export');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim_export');
end
$$;

--
-- Name: FUNCTION _require_export(p_export_id bigint, p_lease_token uuid); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._require_export(p_export_id bigint, p_lease_token uuid) IS 'Checks what a worker names its export by.';

--
-- Name: _revive(text, text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._revive(p_job_name text, p_subject text) RETURNS boolean
    LANGUAGE plpgsql
    AS $_$
begin
  if p_job_name = 'inbox' then
    update inbox.update u
    set finished_at = null, attempt = 0, due_at = core.now()
    where u.update_id = substring(p_subject from '^update:([0-9]{1,18})$')::bigint
      and u.finished_at is not null;
    return found;
  elsif p_job_name = 'notify.send' then
    insert into outbox.task (
      telegram_id, kind, name, due_at, created_at, is_repeatable, purchase_id, vpn_uuid,
      amount_kopecks, other_id, arguments)
    select t.telegram_id, t.kind, t.name, core.now(), core.now(), t.is_repeatable, t.purchase_id,
           t.vpn_uuid, t.amount_kopecks, t.other_id, t.arguments
    from outbox.task t
    where t.telegram_id = ops._user_of_message(p_subject)
      and t.task_id = substring(p_subject from '^message:([0-9]{1,18})$')::bigint
      and t.kind = 'message' and t.outcome = 'failed';
    return found;
  elsif p_job_name = 'ops.send_exports' then
    update ops.export e
    set finished_at = null, outcome = null, attempt = 0, due_at = core.now()
    where e.export_id = substring(p_subject from '^export:([0-9]{1,18})$')::bigint
      and e.outcome = 'failed'
      and not exists (
        select 1 from ops.export o
        where o.admin_id = e.admin_id and o.kind = e.kind and o.finished_at is null
          and o.batch_id is not distinct from e.batch_id);
    return found;
  elsif p_job_name = 'vpn.reissue_due' then
    return false; -- its request has gone on: an admin gives the user a new key
  end if;

  return true; -- a *_due job passes its subject by only while the row is there
end
$_$;

--
-- Name: FUNCTION _revive(p_job_name text, p_subject text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._revive(p_job_name text, p_subject text) IS 'A message is queued anew, and only where it certainly never arrived (outcome failed): it is not doubled. The row in ops.dead, which goes with it, is why that happens once.';

--
-- Name: _setting_value(text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._setting_value(p_name text) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_value bigint;
begin
  select s.value into strict v_value from ops.setting s where s.name = p_name;
  return v_value;
end
$$;

--
-- Name: FUNCTION _setting_value(p_name text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._setting_value(p_name text) IS 'The value of a setting in ops.setting.';

--
-- Name: _tell_admins(text, jsonb); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._tell_admins(p_template text, p_arguments jsonb) RETURNS void
    LANGUAGE sql
    AS $$
  insert into outbox.task (telegram_id, kind, name, due_at, created_at, arguments)
  select a.telegram_id, 'message', p_template, core.now(), core.now(), p_arguments
  from account.admin a
  where a.is_active
$$;

--
-- Name: FUNCTION _tell_admins(p_template text, p_arguments jsonb); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._tell_admins(p_template text, p_arguments jsonb) IS 'One message each, through the outbox: whoever is an admin when it is queued gets it.';

--
-- Name: _tell_of_component(text, text, text, timestamp with time zone, text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._tell_of_component(p_component text, p_was text, p_is text, p_down_since timestamp with time zone, p_detail text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  if p_was = 'unknown' and p_is = 'up' then
    return; -- seen for the first time
  end if;
  perform audit._record('component.' || p_is, null, p_component,
    jsonb_strip_nulls(jsonb_build_object('down_since', p_down_since, 'detail', p_detail)));
  perform ops._tell_admins('component_' || p_is, jsonb_strip_nulls(jsonb_build_object(
    'component', p_component, 'since', p_down_since, 'detail', p_detail)));
end
$$;

--
-- Name: FUNCTION _tell_of_component(p_component text, p_was text, p_is text, p_down_since timestamp with time zone, p_detail text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._tell_of_component(p_component text, p_was text, p_is text, p_down_since timestamp with time zone, p_detail text) IS 'component_down and component_up carry since when it is, or was, down.';

--
-- Name: _user_of_message(text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._user_of_message(p_subject text) RETURNS bigint
    LANGUAGE sql STABLE
    AS $_$
  select t.telegram_id::bigint
  from outbox.task t
  where t.task_id = substring(p_subject from '^message:([0-9]{1,18})$')::bigint
    and t.lease_token is not null
$_$;

--
-- Name: FUNCTION _user_of_message(p_subject text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._user_of_message(p_subject text) IS 'What was given up was claimed before, so it has a token.';

--
-- Name: _without_values(text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops._without_values(p_query text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $_$
  select left(regexp_replace(p_query, '(''|\$([a-zA-Z_]\w*)?\$).*', '…'), 200)
$_$;

--
-- Name: FUNCTION _without_values(p_query text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops._without_values(p_query text) IS 'Requisites, notes and tokens do not belong on a screen. Cut off rather than blanked out: where a quoted text ends is a question for a parser.';

--
-- Name: acquire_lease(text, text, interval); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.acquire_lease(p_name text, p_holder text, p_ttl interval) RETURNS TABLE(epoch bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_lease record;
  v_now timestamptz;
begin
  perform core._guard();
  perform core._require(length(p_name) between 1 and 128, 'p_name: 1 to 128 characters');
  perform core._require(length(p_holder) between 1 and 256, 'p_holder: 1 to 256 characters');
  perform core._require(p_ttl between interval '1 second' and interval '1 hour',
                        'p_ttl: 1 second to 1 hour');

  insert into ops.lease (name, epoch, expires_at)
  values (p_name, 0, '-infinity')
  on conflict on constraint lease_pkey do nothing;

  select l.holder, l.epoch, l.expires_at, l.since into strict v_lease
  from ops.lease l
  where l.name = p_name
  for no key update;
  v_now := core.now();

  if v_lease.expires_at <= v_now then
    v_lease.epoch := v_lease.epoch + 1;
    v_lease.since := v_now;
  elsif v_lease.holder is distinct from p_holder then
    return query select null::bigint;
    return;
  end if;

  update ops.lease l
  set holder = p_holder, epoch = v_lease.epoch, expires_at = v_now + p_ttl, since = v_lease.since
  where l.name = p_name;
  return query select v_lease.epoch;
end
$$;

--
-- Name: FUNCTION acquire_lease(p_name text, p_holder text, p_ttl interval); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.acquire_lease(p_name text, p_holder text, p_ttl interval) IS 'Gives the epoch of the leadership, or null while somebody else has it. The holder''s renewal keeps its epoch; every new leadership has a higher one, and the *_due functions refuse older ones (OP002).';

--
-- Name: cancel_export(bigint, bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.cancel_export(p_admin_id bigint, p_export_id bigint) RETURNS TABLE(export_id bigint, is_cancelled boolean, outcome text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_is_open boolean;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_export_id >= 1, 'p_export_id: of a row in ops.list_exports');
  perform account._require_admin(p_admin_id);

  select e.finished_at is null into v_is_open
  from ops.export e
  where e.export_id = p_export_id and e.admin_id = p_admin_id
  for no key update;
  is_cancelled := found and v_is_open;
  if cancel_export.is_cancelled then
    perform ops._end_export(p_export_id, 'cancelled', p_admin_id);
  end if;

  return query
  select p_export_id, cancel_export.is_cancelled,
         (select e.outcome::text from ops.export e
          where e.export_id = p_export_id and e.admin_id = p_admin_id);
end
$$;

--
-- Name: FUNCTION cancel_export(p_admin_id bigint, p_export_id bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.cancel_export(p_admin_id bigint, p_export_id bigint) IS 'Nothing more is sent, but for a part that is on its way. is_cancelled is false where it is over already; outcome says how, and is null where the admin has no such export. Safe to call again.';

--
-- Name: claim_export(text, interval); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.claim_export(p_holder text, p_lease interval) RETURNS TABLE(export_id bigint, kind text, batch_id bigint, admin_id bigint, language text, requested_at timestamp with time zone, expected_rows bigint, reached_id bigint, reached_version bigint, parts integer, rows_sent bigint, attempt integer, lease_token uuid, header text[], numbers text[])
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_next record;
begin
  perform core._guard();
  perform outbox._require_claim(p_holder, 1, p_lease);
  v_now := core.now();

  loop
    select e.export_id, e.attempt, a.is_active into v_next
    from ops.export e
    join account.admin a on a.telegram_id = e.admin_id
    where e.finished_at is null and e.due_at <= v_now
      and (e.leased_until is null or e.leased_until <= v_now)
    order by e.due_at, e.export_id
    limit 1
    for no key update of e skip locked;
    if not found then
      return;
    end if;
    exit when v_next.is_active and v_next.attempt < ops._setting_value('export_attempts');

    if v_next.is_active then
      perform ops._give_up_export(v_next.export_id, 'every attempt ended without an answer');
    else
      perform ops._end_export(v_next.export_id, 'refused', null);
    end if;
  end loop;

  update ops.export e
  set attempt = e.attempt + 1, holder = p_holder, lease_token = gen_random_uuid(),
      leased_until = v_now + p_lease, rows_read = e.rows_sent
  where e.export_id = v_next.export_id;

  return query
  select e.export_id, e.kind::text, e.batch_id, e.admin_id::bigint, a.language, e.requested_at,
         e.expected_rows, e.reached_id, e.reached_version, e.parts, e.rows_sent, e.attempt::int,
         e.lease_token, c.header, c.numbers
  from ops.export e
  join account.account a on a.telegram_id = e.admin_id
  cross join ops._export_columns(e.kind) c
  where e.export_id = v_next.export_id;
end
$$;

--
-- Name: FUNCTION claim_export(p_holder text, p_lease interval); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.claim_export(p_holder text, p_lease interval) IS 'Then ops.export_page from reached_id and reached_version on, ops.keep_export every few seconds and before anything is sent, ops.record_part after it; or ops.fail_export, ops.release_export. With none of them another worker goes on from the last part once the lease has run out. numbers: which columns of header are. Ends what is for nobody who is an admin, and what was attempted often enough. No rows: nothing is due.';

--
-- Name: claim_run(text, text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.claim_run(p_job_name text, p_holder text) RETURNS TABLE(is_claimed boolean, epoch bigint, batch_size integer, timeout_seconds integer, schedule text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_job record;
  v_epoch bigint;
  v_is_due boolean;
begin
  perform core._guard();
  perform core._require(length(p_holder) between 1 and 256, 'p_holder: 1 to 256 characters');

  select j.is_enabled, j.is_exclusive, j.batch_size, j.timeout_seconds, j.schedule into v_job
  from ops.scheduled_job j where j.name = p_job_name;
  perform core._require(found, 'p_job_name: a name in ops.job');

  if v_job.is_enabled and v_job.is_exclusive then
    v_epoch := (ops.acquire_lease(p_job_name, p_holder,
                                  make_interval(secs => v_job.timeout_seconds)));
    -- Under the lease nobody else moves next_run_at.
    select coalesce(j.next_run_at <= core.now(), true) into v_is_due
    from ops.scheduled_job j where j.name = p_job_name;
  end if;

  return query
  select v_job.is_enabled and (not v_job.is_exclusive or (v_epoch is not null and v_is_due)),
         v_epoch, v_job.batch_size, v_job.timeout_seconds, v_job.schedule;
end
$$;

--
-- Name: FUNCTION claim_run(p_job_name text, p_holder text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.claim_run(p_job_name text, p_holder text) IS 'An exclusive job is claimed by the holder of the lease of its name, when it is due; its epoch goes to the job''s function. A parallel job may always run while it is enabled.';

--
-- Name: clear_dead_letter(bigint, text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.clear_dead_letter(p_dead_id bigint, p_note text) RETURNS TABLE(dead_id bigint, is_cleared boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_dead record;
begin
  perform core._guard();
  perform core._require(p_dead_id >= 1, 'p_dead_id: of a row in ops.dead_letter');
  perform core._require(length(p_note) between 1 and 1000, 'p_note: 1 to 1000 characters');

  delete from ops.dead d
  where d.dead_id = p_dead_id
  returning d.job_name, d.subject, d.error into v_dead;
  clear_dead_letter.is_cleared := found;
  if clear_dead_letter.is_cleared then
    perform audit._record('ops.clear_dead_letter', null, v_dead.job_name, jsonb_build_object(
      'subject', v_dead.subject, 'error', v_dead.error, 'note', p_note, 'by', session_user));
  end if;

  return query select p_dead_id, clear_dead_letter.is_cleared;
end
$$;

--
-- Name: FUNCTION clear_dead_letter(p_dead_id bigint, p_note text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.clear_dead_letter(p_dead_id bigint, p_note text) IS 'For the cause that was mended: ops.reconcile() names the row no more, and a *_due job looks at its subject again at once instead of within the hour. What is still wrong comes back. is_cleared is false if the row is not there. Safe to call again.';

--
-- Name: dashboard(bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.dashboard(p_admin_id bigint) RETURNS TABLE(pending_withdrawals bigint, suspended_payments bigint, waiting_keys bigint, dead_letters bigint, running_broadcasts bigint, service_state text, features_off text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  select (select count(*) from withdrawal.withdrawal w where w.status = 'pending'),
         (select count(*) from billing.payment p where p.outcome = 'suspense'),
         (select count(*) from outbox.task t
          where t.kind = 'provision' and t.name = 'add' and t.finished_at is null),
         (select count(*) from ops.dead d),
         (select count(*) from broadcast.broadcast b where b.status = 'running'),
         (select s.state from ops.component_status s where s.component = 'service'),
         (select coalesce(array_agg(f.name order by f.name), '{}')
          from ops.feature f where not f.is_on);
end
$$;

--
-- Name: FUNCTION dashboard(p_admin_id bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.dashboard(p_admin_id bigint) IS 'For admins only: how much waits for them, how the service is, which features are switched off. waiting_keys counts keys that are promised and not delivered yet. Reads only.';

--
-- Name: drop_dead_letter(bigint, bigint, text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.drop_dead_letter(p_admin_id bigint, p_dead_id bigint, p_note text) RETURNS TABLE(dead_id bigint, is_dropped boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_dead record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_dead_id >= 1, 'p_dead_id: of a row in ops.dead_letter');
  perform core._require(length(p_note) between 1 and 1000, 'p_note: 1 to 1000 characters');
  perform account._require_admin(p_admin_id);

  delete from ops.dead d
  where d.dead_id = p_dead_id
  returning d.job_name, d.subject, d.error into v_dead;
  drop_dead_letter.is_dropped := found;
  if drop_dead_letter.is_dropped then
    perform audit._record('ops.drop_dead_letter', p_admin_id, v_dead.job_name, jsonb_build_object(
      'subject', v_dead.subject, 'error', v_dead.error, 'note', p_note));
  end if;

  return query select p_dead_id, drop_dead_letter.is_dropped;
end
$$;

--
-- Name: FUNCTION drop_dead_letter(p_admin_id bigint, p_dead_id bigint, p_note text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.drop_dead_letter(p_admin_id bigint, p_dead_id bigint, p_note text) IS 'What ops.clear_dead_letter does for DBAs, for admins and audited as theirs. is_dropped is false if the row is not there. Safe to call again.';

--
-- Name: export_page(bigint, uuid, bigint, bigint, integer); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.export_page(p_export_id bigint, p_lease_token uuid, p_after_id bigint, p_after_version bigint, p_limit integer) RETURNS TABLE(reached_id bigint, reached_version bigint, cells text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
#variable_conflict use_column
declare
  v_export record;
begin
  perform ops._require_export(p_export_id, p_lease_token);
  perform core._require(p_after_id is not null and p_after_version is not null,
                        'p_after_id, p_after_version: of the last row, or what claim_export gave');
  perform core._require(p_limit between 1 and 5000, 'p_limit: 1 to 5000');

  select e.kind, e.batch_id, e.requested_at, e.cut into v_export
  from ops.export e
  join account.admin a on a.telegram_id = e.admin_id and a.is_active
  where e.export_id = p_export_id and e.lease_token = p_lease_token and e.finished_at is null;
  if not found then
    return;
  end if;

  case v_export.kind
    when 'users' then
      return query select p.reached_id, p.reached_version, p.cells
      from ops._export_users(p_after_id, v_export.requested_at, p_limit) p;
    when 'subscriptions' then
      return query select p.reached_id, p.reached_version, p.cells
      from ops._export_subscriptions(p_after_id, v_export.requested_at, p_limit) p;
    when 'ledger' then
      return query select p.reached_id, p.reached_version, p.cells
      from ops._export_ledger(p_after_id, p_after_version, v_export.cut, p_limit) p;
    when 'promo_batch' then
      return query select p.reached_id, p.reached_version, p.cells
      from ops._export_codes(v_export.batch_id, p_after_id, p_limit) p;
  end case;
end
$$;

--
-- Name: FUNCTION export_page(p_export_id bigint, p_lease_token uuid, p_after_id bigint, p_after_version bigint, p_limit integer); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.export_page(p_export_id bigint, p_lease_token uuid, p_after_id bigint, p_after_version bigint, p_limit integer) IS 'Up to p_limit rows after a place, in the order of a primary key: the same place gives the same rows. cells is null for a row that was passed by; fewer rows than p_limit are the last ones. No row at all, too, once the lease was lost or the export is over: ops.keep_export says so, and nothing is sent without asking it. Reads only.';

--
-- Name: fail_export(bigint, uuid, text, boolean); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.fail_export(p_export_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean) RETURNS TABLE(is_recorded boolean, next_attempt_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_export record;
begin
  perform core._guard();
  perform ops._require_export(p_export_id, p_lease_token);
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');
  perform core._require(p_is_unreachable is not null, 'p_is_unreachable: true or false');

  select e.attempt, e.finished_at is null and e.leased_until is not null as is_held into v_export
  from ops.export e
  where e.export_id = p_export_id and e.lease_token = p_lease_token
  for no key update;
  is_recorded := found;
  if fail_export.is_recorded and v_export.is_held then
    if p_is_unreachable then
      perform ops._end_export(p_export_id, 'unreachable', null, p_error);
    elsif v_export.attempt >= ops._setting_value('export_attempts') then
      perform ops._give_up_export(p_export_id, p_error);
    else
      perform ops._put_back_export(
        p_export_id, p_error, make_interval(secs => least(15 * 2 ^ v_export.attempt, 600)), 0);
    end if;
  end if;

  return query
  select fail_export.is_recorded,
         (select e.due_at from ops.export e
          where e.export_id = p_export_id and e.lease_token = p_lease_token
            and e.finished_at is null);
end
$$;

--
-- Name: FUNCTION fail_export(p_export_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.fail_export(p_export_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean) IS 'Unreachable: the admin has blocked the bot, which ends it. Else it is tried again from the last part on with backoff, 5 times in a row (setting export_attempts); then it is a dead letter. is_recorded is false when the lease was lost. Safe to call again.';

--
-- Name: figures_due(bigint, integer); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.figures_due(p_epoch bigint, p_limit integer) RETURNS TABLE(computed integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_today date;
  v_missing date[];
  v_day date;
begin
  perform ops._enter_due('ops.figures_due', p_epoch, p_limit);
  v_now := core.now();
  v_today := (v_now at time zone 'UTC')::date;

  select coalesce(array_agg(m.day), '{}') into v_missing
  from (
    select o.first + d.n as day
    from (select (min(u.registered_at) at time zone 'UTC')::date as first
          from account.account u) o
    cross join generate_series(0, v_today - 2 - o.first) d (n)
    where not exists (
      select 1 from ops.day_figure f where f.name = 'users_new' and f.day = o.first + d.n)
    order by d.n desc
    limit p_limit) m;

  foreach v_day in array v_missing || array[v_today - 1, v_today] loop
    delete from ops.day_figure f where f.day = v_day and f.name !~ '^now_';
    insert into ops.day_figure (name, day, value, computed_at)
    select o.name, v_day, o.value, v_now from ops._figures_of_day(v_day) o;
  end loop;
  delete from ops.day_figure f where f.day = v_today and f.name ~ '^now_';
  insert into ops.day_figure (name, day, value, computed_at)
  select n.name, v_today, n.value, v_now from ops._figures_now(v_now) n;

  return query select cardinality(v_missing);
end
$$;

--
-- Name: FUNCTION figures_due(p_epoch bigint, p_limit integer); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.figures_due(p_epoch bigint, p_limit integer) IS 'Days are UTC. A day is reckoned until it is over, and once more on the next; days before that are reckoned when they are missing, the latest first, p_limit of them a call: computed. Run twice it gives the same. p_epoch: of the lease ops.figures_due; null by hand.';

--
-- Name: finish_run(text, text, bigint, timestamp with time zone, integer, text, timestamp with time zone); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.finish_run(p_job_name text, p_holder text, p_epoch bigint, p_started_at timestamp with time zone, p_items integer, p_error text, p_next_run_at timestamp with time zone) RETURNS TABLE(is_recorded boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_now timestamptz := core.now();
begin
  perform core._guard();
  perform core._require(length(p_holder) between 1 and 256, 'p_holder: 1 to 256 characters');
  perform core._require(p_started_at is not null, 'p_started_at: when the run began');
  perform core._require(p_items >= 0, 'p_items: 0 or more');
  perform core._require(exists (select 1 from ops.scheduled_job j where j.name = p_job_name),
                        'p_job_name: a name in ops.job');

  if p_epoch is not null then
    perform 1 from ops.lease l
    where l.name = p_job_name and l.epoch = p_epoch and l.holder = p_holder
    for share;
    if not found then
      return query select false;
      return;
    end if;
  end if;

  update ops.scheduled_job j
  set next_run_at = case when j.is_exclusive then p_next_run_at end,
      last_started_at = p_started_at, last_finished_at = v_now, last_items = p_items,
      last_error = left(p_error, 1000),
      consecutive_failures = case when p_error is null then 0 else j.consecutive_failures + 1 end
  where j.name = p_job_name;

  if p_items > 0 or p_error is not null then
    insert into ops.scheduled_job_run (
      job_name, holder, epoch, started_at, finished_at, items, error)
    values (p_job_name, p_holder, p_epoch, p_started_at, v_now, p_items, left(p_error, 1000));
  end if;

  return query select true;
end
$$;

--
-- Name: FUNCTION finish_run(p_job_name text, p_holder text, p_epoch bigint, p_started_at timestamp with time zone, p_items integer, p_error text, p_next_run_at timestamp with time zone); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.finish_run(p_job_name text, p_holder text, p_epoch bigint, p_started_at timestamp with time zone, p_items integer, p_error text, p_next_run_at timestamp with time zone) IS 'Only runs that did something or failed are kept in ops.job_run. is_recorded is false after the lease was lost.';

--
-- Name: incident(text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.incident(p_language text) RETURNS TABLE(is_on boolean, text text, since timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require(length(p_language) between 1 and 16, 'p_language: such as ru or en');

  return query
  select coalesce(n.is_on, false),
         case when n.is_on and p_language = 'ru' then n.text_ru when n.is_on then n.text_en end,
         case when n.is_on then ops._incident_since() end
  from (select 1) one
  left join lateral (
    select i.is_on, i.text_ru, i.text_en
    from ops.incident i
    order by i.incident_id desc
    limit 1) n on true;
end
$$;

--
-- Name: FUNCTION incident(p_language text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.incident(p_language text) IS 'One row, always. text and since are null while there is nothing to tell; who does not read Russian is told in English. since: when it was switched on, whatever was rewritten meanwhile. Reads only.';

--
-- Name: keep_export(bigint, uuid, interval, bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.keep_export(p_export_id bigint, p_lease_token uuid, p_lease interval, p_rows_read bigint) RETURNS TABLE(goes_on boolean, outcome text, kept_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_export record;
begin
  perform core._guard();
  perform ops._require_export(p_export_id, p_lease_token);
  perform core._require(p_lease between interval '1 second' and interval '1 hour',
                        'p_lease: 1 second to 1 hour');
  perform core._require(p_rows_read between 0 and 1000000000000, 'p_rows_read: 0 to 10^12');

  select e.finished_at is null as is_open, e.leased_until is not null as is_held,
         a.is_active as is_admin into v_export
  from ops.export e
  join account.admin a on a.telegram_id = e.admin_id
  where e.export_id = p_export_id and e.lease_token = p_lease_token
  for no key update of e;
  goes_on := found and v_export.is_open and v_export.is_held;
  v_now := core.now();
  if keep_export.goes_on and not v_export.is_admin then
    perform ops._end_export(p_export_id, 'refused', null);
    goes_on := false;
  elsif keep_export.goes_on then
    update ops.export e
    set leased_until = v_now + p_lease, rows_read = greatest(e.rows_sent, p_rows_read)
    where e.export_id = p_export_id;
  end if;

  return query
  select keep_export.goes_on,
         (select e.outcome::text from ops.export e
          where e.export_id = p_export_id and e.lease_token = p_lease_token),
         v_now;
end
$$;

--
-- Name: FUNCTION keep_export(p_export_id bigint, p_lease_token uuid, p_lease interval, p_rows_read bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.keep_export(p_export_id bigint, p_lease_token uuid, p_lease interval, p_rows_read bigint) IS 'goes_on is false, and nothing more may be sent, once the export is over (outcome says how) or another worker has it (outcome is null). Who asked and is no admin any more gets nothing more: it ends as refused, which the audit has.';

--
-- Name: list_components(bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.list_components(p_admin_id bigint) RETURNS TABLE(kind text, name text, state text, since timestamp with time zone, detail text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  select case s.component when 'service' then 'service' else 'dependency' end, s.component,
         s.state, s.since, s.detail
  from ops.component_status s
  union all
  select 'part', c.name, c.status, c.since, c.detail
  from ops.component c;
end
$$;

--
-- Name: FUNCTION list_components(p_admin_id bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.list_components(p_admin_id bigint) IS 'For admins only: views ops.component_status (kinds service and dependency) and ops.component (kind part) as one list. The queues are counted, so that a backlog makes it slower; nothing else does. Reads only.';

--
-- Name: list_dead_letters(bigint, bigint, integer); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.list_dead_letters(p_admin_id bigint, p_before bigint, p_limit integer) RETURNS TABLE(dead_id bigint, job_name text, subject text, error text, died_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  select d.dead_id, d.job_name, d.subject, d.error, d.died_at
  from ops.dead d
  where p_before is null or d.dead_id < p_before
  order by d.dead_id desc
  limit p_limit;
end
$$;

--
-- Name: FUNCTION list_dead_letters(p_admin_id bigint, p_before bigint, p_limit integer); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.list_dead_letters(p_admin_id bigint, p_before bigint, p_limit integer) IS 'For admins only: view ops.dead_letter, a page at a time by the primary key; p_before is the last page''s last dead_id, null for the first page. Reads only.';

--
-- Name: list_exports(bigint, bigint, integer); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.list_exports(p_admin_id bigint, p_before bigint, p_limit integer) RETURNS TABLE(export_id bigint, kind text, batch_id bigint, requested_at timestamp with time zone, expected_rows bigint, rows_read bigint, rows_sent bigint, parts integer, is_running boolean, last_error text, finished_at timestamp with time zone, outcome text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  select e.export_id, e.kind::text, e.batch_id, e.requested_at, e.expected_rows, e.rows_read,
         e.rows_sent, e.parts, e.leased_until is not null, e.last_error, e.finished_at,
         e.outcome::text
  from ops.export e
  where e.admin_id = p_admin_id and (p_before is null or e.export_id < p_before)
  order by e.export_id desc
  limit p_limit;
end
$$;

--
-- Name: FUNCTION list_exports(p_admin_id bigint, p_before bigint, p_limit integer); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.list_exports(p_admin_id bigint, p_before bigint, p_limit integer) IS 'For admins only, each sees their own: p_before is the last page''s last export_id, null for the first page. expected_rows is about; rows_read moves every few seconds while is_running. Reads only.';

--
-- Name: list_features(bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.list_features(p_admin_id bigint) RETURNS TABLE(name text, is_on boolean, changed_at timestamp with time zone, changed_by bigint, changed_by_username text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  select f.name, f.is_on, c.occurred_at, c.actor_id, a.username
  from ops.feature f
  left join lateral (
    select e.occurred_at, e.actor_id
    from audit.entry e
    where e.subject_id = f.name and e.action = 'ops.set_feature'
    order by e.occurred_at desc
    limit 1) c on true
  left join account.account a on a.telegram_id = c.actor_id
  order by f.name;
end
$$;

--
-- Name: FUNCTION list_features(p_admin_id bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.list_features(p_admin_id bigint) IS 'For admins only, and while admin_actions is off, too. changed_at is null for a switch that nobody has moved yet. Reads only.';

--
-- Name: list_jobs(bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.list_jobs(p_admin_id bigint) RETURNS TABLE(name text, schedule text, is_enabled boolean, is_exclusive boolean, next_run_at timestamp with time zone, last_started_at timestamp with time zone, last_finished_at timestamp with time zone, last_items integer, last_error text, consecutive_failures integer, leader text, description text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  select j.name, j.schedule, j.is_enabled, j.is_exclusive, j.next_run_at, j.last_started_at,
         j.last_finished_at, j.last_items, j.last_error, j.consecutive_failures, l.holder,
         j.description
  from ops.scheduled_job j
  left join ops.lease l on l.name = j.name and l.expires_at > core.now()
  order by j.name;
end
$$;

--
-- Name: FUNCTION list_jobs(p_admin_id bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.list_jobs(p_admin_id bigint) IS 'For admins only: view ops.job, and which worker leads an exclusive job now. Reads only.';

--
-- Name: list_lock_waits(bigint, integer); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.list_lock_waits(p_admin_id bigint, p_limit integer) RETURNS TABLE(waited interval, waits_for text, pid integer, application_name text, query text, blocking_pid integer, blocking_application_name text, blocking_state text, blocking_transaction_lasts interval, blocking_query text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  select l.waited, l.waits_for, l.pid, l.application_name, l.query, l.blocking_pid,
         l.blocking_application_name, l.blocking_state, l.blocking_transaction_lasts,
         l.blocking_query
  from ops.lock_waits() l
  order by l.waited desc, l.pid, l.blocking_pid
  limit p_limit;
end
$$;

--
-- Name: FUNCTION list_lock_waits(p_admin_id bigint, p_limit integer); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.list_lock_waits(p_admin_id bigint, p_limit integer) IS 'For admins only: view ops.lock_wait, longest wait first. Queries are without the texts in them. Reads only.';

--
-- Name: list_processes(bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.list_processes(p_admin_id bigint) RETURNS TABLE(holder text, leads text[], since timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  select l.holder, array_agg(l.name order by l.name), min(l.since)
  from ops.lease l
  where l.holder is not null and l.expires_at > core.now()
  group by l.holder
  order by min(l.since), l.holder;
end
$$;

--
-- Name: FUNCTION list_processes(p_admin_id bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.list_processes(p_admin_id bigint) IS 'For admins only: who holds a lease, and which. since: the oldest of them, so that the process is up at least so long. One that leads nothing is not seen here. Reads only.';

--
-- Name: lock_waits(); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.lock_waits() RETURNS TABLE(pid integer, user_name text, application_name text, waited interval, lock_mode text, waits_for text, query text, blocking_pid integer, blocking_user_name text, blocking_application_name text, blocking_state text, blocking_state_lasts interval, blocking_transaction_lasts interval, blocking_query text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_now timestamptz := core.now();
begin
  return query
  select w.pid, w.usename::text, w.application_name, v_now - l.waitstart, l.mode,
         ops._describe_lock(l.pid, l.locktype, l.relation, l.page, l.tuple, l.classid, l.objid,
                            l.objsubid),
         ops._without_values(w.query),
         b.pid, b.usename::text, b.application_name, b.state,
         v_now - b.state_change, v_now - b.xact_start, ops._without_values(b.query)
  from pg_locks l
  join pg_stat_activity w on w.pid = l.pid
  cross join lateral (select distinct unnest(pg_blocking_pids(l.pid)) as pid) i
  left join pg_stat_activity b on b.pid = i.pid
  where not l.granted and w.datname = current_database()
  order by l.waitstart, l.pid, i.pid;
end
$$;

--
-- Name: FUNCTION lock_waits(); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.lock_waits() IS 'What view ops.lock_wait shows. A definer function: its owner may read other sessions'' queries (pg_read_all_stats), its callers see them only here, without their values. A prepared transaction that blocks has no session, and null here.';

--
-- Name: metrics(bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.metrics(p_admin_id bigint) RETURNS TABLE(computed_at timestamp with time zone, keys_today bigint, median_today_ms bigint, p95_today_ms bigint, keys_yesterday bigint, median_yesterday_ms bigint, p95_yesterday_ms bigint, sales bigint, buyers bigint, renewals_per_hundred bigint, approved bigint, rejected bigint, approved_percent integer)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_day date;
begin
  perform account._only_admins(p_admin_id);
  select max(f.day) into v_day from ops.day_figure f where f.name = 'now_users';

  return query
  select (select f.computed_at from ops.day_figure f where f.name = 'now_users' and f.day = v_day),
         ops._figure('keys', v_day, v_day), ops._figure('key_median', v_day, v_day),
         ops._figure('key_p95', v_day, v_day), ops._figure('keys', v_day - 1, v_day - 1),
         ops._figure('key_median', v_day - 1, v_day - 1),
         ops._figure('key_p95', v_day - 1, v_day - 1), s.sales, s.buyers,
         case when s.buyers > 0 then 100 * (s.sales - s.buyers) / s.buyers end,
         s.approved, s.rejected,
         case when s.approved + s.rejected > 0
              then round(100.0 * s.approved / (s.approved + s.rejected))::int end
  from (select ops._figure('sales', null, v_day) as sales,
               ops._figure('payers_first', null, v_day) as buyers,
               ops._figure('withdrawals_approved', null, v_day) as approved,
               ops._figure('withdrawals_rejected', null, v_day) as rejected) s;
end
$$;

--
-- Name: FUNCTION metrics(p_admin_id bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.metrics(p_admin_id bigint) IS 'For admins only, as ops.figures_due has reckoned it (computed_at; null: not yet). Milliseconds from the promise of a key to its delivery, of the keys promised on the day. renewals_per_hundred: purchases after a buyer''s first, by hundred buyers. approved_percent: of the withdrawals that admins decided on. Days are UTC. Reads only.';

--
-- Name: purge_due(bigint, integer); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.purge_due(p_epoch bigint, p_limit integer) RETURNS TABLE(purged integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_before timestamptz;
  v_purged int;
begin
  perform ops._enter_due('ops.purge_due', p_epoch, p_limit);
  v_before := core.now() - make_interval(days => ops._setting_value('retention_days')::int);

  with handled as (
    delete from inbox.update u
    where u.update_id in (
      select o.update_id from inbox.update o
      where o.finished_at < v_before
      limit p_limit for update skip locked)
    returning 1
  ), ended as (
    delete from outbox.task t
    where (t.telegram_id, t.task_id) in (
      select o.telegram_id, o.task_id from outbox.task o
      where o.kind = 'message' and o.finished_at < v_before
      limit p_limit for update skip locked)
    returning 1
  ), broadcasted as (
    delete from broadcast.recipient r
    where (r.telegram_id, r.broadcast_id) in (
      select o.telegram_id, o.broadcast_id from broadcast.recipient o
      where o.finished_at < v_before
      limit p_limit for update skip locked)
    returning 1
  ), ran as (
    delete from ops.scheduled_job_run r
    where r.run_id in (
      select o.run_id from ops.scheduled_job_run o
      where o.finished_at < v_before
      limit p_limit for update skip locked)
    returning 1
  ), drafted as (
    delete from account.draft d
    where (d.admin_id, d.draft_id) in (
      select o.admin_id, o.draft_id from account.draft o
      where o.expires_at < v_before
      limit p_limit for update skip locked)
    returning 1
  ), attempted as (
    delete from ops.attempt a
    where (a.telegram_id, a.action) in (
      select o.telegram_id, o.action from ops.attempt o
      where o.whole_at < v_before
      limit p_limit for update skip locked)
    returning 1
  ), closed as (
    delete from account.corporate_request c
    where (c.telegram_id, c.request_id) in (
      select o.telegram_id, o.request_id from account.corporate_request o
      where o.closed_at < v_before
      limit p_limit for update skip locked)
    returning 1
  ), exported as (
    delete from ops.export e
    where e.export_id in (
      select o.export_id from ops.export o
      where o.finished_at < v_before
      limit p_limit for update skip locked)
    returning 1
  )
  select ((select count(*) from handled) + (select count(*) from ended)
          + (select count(*) from broadcasted) + (select count(*) from ran)
          + (select count(*) from drafted) + (select count(*) from attempted)
          + (select count(*) from closed) + (select count(*) from exported))::int
  into v_purged;

  return query select v_purged;
end
$$;

--
-- Name: FUNCTION purge_due(p_epoch bigint, p_limit integer); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.purge_due(p_epoch bigint, p_limit integer) IS 'At most p_limit rows of each kind; setting retention_days. Ledger, payments, provisioning jobs and audit stay.';

--
-- Name: rate_limits(); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.rate_limits() RETURNS TABLE(action text, attempts bigint, per_seconds integer)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select l.action, s.value, l.per_seconds
  from ops.rate_limit l
  join ops.setting s on s.name = l.setting_name
  order by l.action
$$;

--
-- Name: FUNCTION rate_limits(); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.rate_limits() IS 'So many attempts in so many seconds, all of which may come at once. ops.set_setting changes the figures.';

--
-- Name: rebuild_wallet(bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.rebuild_wallet(p_telegram_id bigint) RETURNS TABLE(telegram_id bigint, was_different boolean, available_before_kopecks bigint, held_before_kopecks bigint, debt_before_kopecks bigint, version_before bigint, available_kopecks bigint, held_kopecks bigint, debt_kopecks bigint, version bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_before record;
  v_after record;
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform account._lock(p_telegram_id);

  select w.available_kopecks::bigint, w.held_kopecks::bigint, w.debt_kopecks::bigint, w.version
  into v_before
  from wallet.wallet w where w.telegram_id = p_telegram_id;
  select coalesce(sum(t.amount_kopecks * ((t.credit_account = 'available')::int
                      - (t.debit_account = 'available')::int)), 0)::bigint as available_kopecks,
         coalesce(sum(t.amount_kopecks * ((t.credit_account = 'held')::int
                      - (t.debit_account = 'held')::int)), 0)::bigint as held_kopecks,
         coalesce(sum(t.amount_kopecks * ((t.debit_account = 'debt')::int
                      - (t.credit_account = 'debt')::int)), 0)::bigint as debt_kopecks,
         coalesce(max(t.version), 0) as version
  into strict v_after
  from ledger.transfer t where t.telegram_id = p_telegram_id;

  if v_before is distinct from v_after then
    insert into wallet.wallet as w (
      telegram_id, available_kopecks, held_kopecks, debt_kopecks, version)
    values (p_telegram_id, v_after.available_kopecks, v_after.held_kopecks, v_after.debt_kopecks,
            v_after.version)
    on conflict on constraint wallet_pkey do update
    set available_kopecks = excluded.available_kopecks, held_kopecks = excluded.held_kopecks,
        debt_kopecks = excluded.debt_kopecks, version = excluded.version;
    perform audit._record('ops.rebuild_wallet', null, p_telegram_id::text, jsonb_build_object(
      'before', to_jsonb(v_before), 'after', to_jsonb(v_after), 'by', session_user));
  end if;

  return query
  select p_telegram_id, v_before is distinct from v_after, v_before.available_kopecks,
         v_before.held_kopecks, v_before.debt_kopecks, v_before.version,
         v_after.available_kopecks, v_after.held_kopecks, v_after.debt_kopecks, v_after.version;
end
$$;

--
-- Name: FUNCTION rebuild_wallet(p_telegram_id bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.rebuild_wallet(p_telegram_id bigint) IS 'The ledger''s movements are the truth. A wallet that differed is put right and the difference audited; otherwise nothing changes. Look at ops.reconcile() first: a broken chain of ledger rows is not mended by this. Safe to call again.';

--
-- Name: reconcile(); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.reconcile() RETURNS TABLE(check_name text, subject text, detail text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select r.check_name, r.subject, r.detail from ops._reconcile_ledger() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_accounts() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_purchases() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_payments() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_promo() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_refunds() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_subscriptions() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_periods() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_referrals() r
  union all
  select r.check_name, r.subject, r.detail from ops._reconcile_withdrawals() r
  union all
  select 'dead_letter', d.job_name || ' ' || d.subject, d.error
  from ops.dead d where d.job_name like '%\_due'
$$;

--
-- Name: FUNCTION reconcile(); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.reconcile() IS 'Every check sees the same snapshot, so it is true in the middle of any load. One row per disagreement: which check, on whom or what, and the figures. Reads only.';

--
-- Name: record_part(bigint, uuid, integer, bigint, bigint, bigint, boolean); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.record_part(p_export_id bigint, p_lease_token uuid, p_part integer, p_rows bigint, p_reached_id bigint, p_reached_version bigint, p_is_last boolean) RETURNS TABLE(is_recorded boolean, outcome text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_export record;
begin
  perform core._guard();
  perform ops._require_export(p_export_id, p_lease_token);
  perform core._require(p_part >= 1, 'p_part: 1 or more');
  perform core._require(p_rows between 0 and 1000000000000, 'p_rows: 0 to 10^12');
  perform core._require(p_reached_id is not null and p_reached_version is not null,
                        'p_reached_id, p_reached_version: of the last row in the part');
  perform core._require(p_is_last is not null, 'p_is_last: true or false');

  select e.parts, e.finished_at is null as is_open into v_export
  from ops.export e
  where e.export_id = p_export_id and e.lease_token = p_lease_token
  for no key update;
  is_recorded := found;
  if record_part.is_recorded and v_export.parts < p_part then
    perform core._require(p_part = v_export.parts + 1, 'p_part: the one after the last');
    update ops.export e
    set parts = p_part, rows_sent = e.rows_sent + p_rows,
        rows_read = greatest(e.rows_read, e.rows_sent + p_rows), reached_id = p_reached_id,
        reached_version = p_reached_version, attempt = 1, last_error = null
    where e.export_id = p_export_id;
    if p_is_last and v_export.is_open then
      perform ops._end_export(p_export_id, 'done', null);
    end if;
  end if;

  return query
  select record_part.is_recorded,
         (select e.outcome::text from ops.export e
          where e.export_id = p_export_id and e.lease_token = p_lease_token);
end
$$;

--
-- Name: FUNCTION record_part(p_export_id bigint, p_lease_token uuid, p_part integer, p_rows bigint, p_reached_id bigint, p_reached_version bigint, p_is_last boolean); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.record_part(p_export_id bigint, p_lease_token uuid, p_part integer, p_rows bigint, p_reached_id bigint, p_reached_version bigint, p_is_last boolean) IS 'Whoever goes on begins after p_reached_id and p_reached_version. The attempts are counted anew. is_recorded is false when the lease was lost: the part may come once more. A part that was on its way when the export ended is counted, and changes no outcome. Safe to call again.';

--
-- Name: release_export(bigint, uuid, text, interval); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.release_export(p_export_id bigint, p_lease_token uuid, p_error text, p_wait interval) RETURNS TABLE(is_recorded boolean, next_attempt_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_is_held boolean;
begin
  perform core._guard();
  perform ops._require_export(p_export_id, p_lease_token);
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');
  perform core._require(p_wait between interval '0' and interval '1 day', 'p_wait: 0 to 1 day');

  select e.finished_at is null and e.leased_until is not null into v_is_held
  from ops.export e
  where e.export_id = p_export_id and e.lease_token = p_lease_token
  for no key update;
  is_recorded := found;
  if release_export.is_recorded and v_is_held then
    perform ops._put_back_export(p_export_id, p_error, p_wait, 1);
  end if;

  return query
  select release_export.is_recorded,
         (select e.due_at from ops.export e
          where e.export_id = p_export_id and e.lease_token = p_lease_token
            and e.finished_at is null);
end
$$;

--
-- Name: FUNCTION release_export(p_export_id bigint, p_lease_token uuid, p_error text, p_wait interval); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.release_export(p_export_id bigint, p_lease_token uuid, p_error text, p_wait interval) IS 'The process stops, its time is over, or Telegram told everybody to wait. The attempt is not counted, however often that happens; due again after p_wait. is_recorded is false when the lease was lost. Safe to call again.';

--
-- Name: release_lease(text, text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.release_lease(p_name text, p_holder text) RETURNS TABLE(is_released boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  perform core._guard();
  perform core._require(length(p_name) between 1 and 128, 'p_name: 1 to 128 characters');
  perform core._require(length(p_holder) between 1 and 256, 'p_holder: 1 to 256 characters');

  update ops.lease l
  set holder = null, expires_at = '-infinity'
  where l.name = p_name and l.holder = p_holder;

  return query select found;
end
$$;

--
-- Name: FUNCTION release_lease(p_name text, p_holder text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.release_lease(p_name text, p_holder text) IS 'Lets the next one take the lease at once. is_released is false if it was not the holder''s. Safe to call again.';

--
-- Name: report_component(text, text, text, text, bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.report_component(p_component text, p_state text, p_detail text, p_instance text, p_epoch bigint) RETURNS TABLE(component text, state text, is_changed boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_was record;
  v_now timestamptz;
  v_failing_since timestamptz;
  v_state text;
begin
  perform core._guard();
  perform core._require(p_state in ('up', 'down'), 'p_state: up or down');
  perform core._require(length(p_instance) between 1 and 256, 'p_instance: 1 to 256 characters');
  if p_epoch is not null then
    perform 1 from ops.lease l
    where l.name = 'ops.check_health' and l.epoch = p_epoch
    for share;
    if not found then
      perform core._refuse('OP002', format('ops.check_health: epoch is not %s', p_epoch));
    end if;
  end if;

  select d.is_critical, d.state, d.since, d.failing_since, d.reported_at into v_was
  from ops.dependency d
  where d.component = p_component
  for no key update;
  perform core._require(found, 'p_component: a name in ops.component_status');
  v_now := core.now();

  -- Nobody can report that the database is away: a gap in the reports says so afterwards.
  if v_was.is_critical and v_was.state = 'up'
     and v_was.reported_at < v_now - interval '1 minute' then
    v_was.state := 'down';
    v_was.since := v_was.reported_at;
  end if;
  if p_state = 'down' then
    v_failing_since := coalesce(v_was.failing_since, v_now);
    v_state := case
      when v_now >= v_failing_since
             + make_interval(secs => ops._setting_value('component_patience_seconds')) then 'down'
      else v_was.state end;
  else
    v_state := 'up';
  end if;

  update ops.dependency d
  set state = v_state,
      since = case when v_state = v_was.state then v_was.since
                   else coalesce(v_failing_since, v_now) end,
      failing_since = v_failing_since,
      reported_at = v_now, reported_by = p_instance, detail = left(nullif(p_detail, ''), 500)
  where d.component = p_component;
  if v_state <> v_was.state then
    perform ops._tell_of_component(p_component, v_was.state, v_state,
                                   coalesce(v_failing_since, v_was.since), left(p_detail, 500));
  end if;

  return query select p_component, v_state, v_state <> v_was.state;
end
$$;

--
-- Name: FUNCTION report_component(p_component text, p_state text, p_detail text, p_instance text, p_epoch bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.report_component(p_component text, p_state text, p_detail text, p_instance text, p_epoch bigint) IS 'What does not answer counts as down after the setting component_patience_seconds; what answers is up at once. The change is told to the admins, whoever reports it and however often. p_epoch: of the lease ops.check_health; null by hand. Safe to call again.';

--
-- Name: request_export(bigint, text, bigint, text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.request_export(p_admin_id bigint, p_kind text, p_batch_id bigint, p_idempotency_key text) RETURNS TABLE(export_id bigint, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_first record;
  v_export_id bigint;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_kind in ('users', 'subscriptions', 'ledger', 'promo_batch'),
                        'p_kind: users, subscriptions, ledger or promo_batch');
  perform core._require((p_kind = 'promo_batch') = (p_batch_id is not null),
                        'p_batch_id: the batch of a promo_batch, else null');
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);
  if p_batch_id is not null
     and not exists (select 1 from promo.batch b where b.batch_id = p_batch_id) then
    perform core._refuse('PR001', format('batch_id %s', p_batch_id));
  end if;

  if not exists (
    select 1 from ops.export_request r
    where r.admin_id = p_admin_id and r.idempotency_key = p_idempotency_key) then
    v_export_id := ops._open_export(p_admin_id, p_kind::ops.export_kind, p_batch_id);
    is_replay := exists (select 1 from ops.export_request r where r.export_id = v_export_id);
    insert into ops.export_request (admin_id, idempotency_key, export_id)
    values (p_admin_id, p_idempotency_key, v_export_id)
    on conflict on constraint export_request_pkey do nothing;
  end if;

  select e.export_id, e.kind::text, e.batch_id, e.expected_rows into v_first
  from ops.export_request r
  join ops.export e on e.export_id = r.export_id
  where r.admin_id = p_admin_id and r.idempotency_key = p_idempotency_key;
  if (v_first.kind, v_first.batch_id) is distinct from (p_kind, p_batch_id) then
    perform core._refuse('ID001', format('export %s has the key', v_first.export_id));
  end if;
  if request_export.is_replay is false then
    perform audit._record('ops.request_export', p_admin_id, v_first.export_id::text,
      jsonb_build_object('kind', p_kind, 'batch_id', p_batch_id,
                         'expected_rows', v_first.expected_rows));
  end if;

  return query select v_first.export_id, coalesce(request_export.is_replay, true);
end
$$;

--
-- Name: FUNCTION request_export(p_admin_id bigint, p_kind text, p_batch_id bigint, p_idempotency_key text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.request_export(p_admin_id bigint, p_kind text, p_batch_id bigint, p_idempotency_key text) IS 'The worker reads it and sends it to the admin in the chat, in as many parts as it takes. While the admin''s export of the same kind (and batch) is under way, that one is the answer (is_replay). Idempotent by p_idempotency_key, which belongs to the admin.';

--
-- Name: retry_dead_letter(bigint, bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.retry_dead_letter(p_admin_id bigint, p_dead_id bigint) RETURNS TABLE(dead_id bigint, is_retried boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_dead record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_dead_id >= 1, 'p_dead_id: of a row in ops.dead_letter');
  perform account._require_admin(p_admin_id);
  retry_dead_letter.is_retried := false;

  select d.job_name, d.subject into v_dead
  from ops.dead d
  where d.dead_id = p_dead_id
  for update;
  if found and ops._revive(v_dead.job_name, v_dead.subject) then
    delete from ops.dead d where d.dead_id = p_dead_id;
    perform audit._record('ops.retry_dead_letter', p_admin_id, v_dead.job_name,
                          jsonb_build_object('subject', v_dead.subject));
    retry_dead_letter.is_retried := true;
  end if;

  return query select p_dead_id, retry_dead_letter.is_retried;
end
$$;

--
-- Name: FUNCTION retry_dead_letter(p_admin_id bigint, p_dead_id bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.retry_dead_letter(p_admin_id bigint, p_dead_id bigint) IS 'An update is handled again, a message queued again, an export goes on after its last part, and a *_due job looks at its subject again at once. is_retried is false, and nothing changed, where the row is not there any more or what it is about has been purged or has ended otherwise. What is still wrong comes back. Safe to call again.';

--
-- Name: run_job_now(bigint, text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.run_job_now(p_admin_id bigint, p_name text) RETURNS TABLE(name text, is_changed boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_job record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform account._require_admin(p_admin_id);

  select j.is_enabled and j.is_exclusive and j.next_run_at > core.now() as waits into v_job
  from ops.scheduled_job j
  where j.name = p_name
  for no key update;
  perform core._require(found, 'p_name: a name in ops.job');
  if v_job.waits then
    update ops.scheduled_job j set next_run_at = null where j.name = p_name;
    perform audit._record('ops.run_job_now', p_admin_id, p_name);
  end if;

  return query select p_name, coalesce(v_job.waits, false);
end
$$;

--
-- Name: FUNCTION run_job_now(p_admin_id bigint, p_name text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.run_job_now(p_admin_id bigint, p_name text) IS 'The worker that leads the job runs it within a second. is_changed is false where there was nothing to bring forward: the job is due already, is disabled, or runs in every worker all the time. A run in hand ends as it would have. Safe to call again.';

--
-- Name: schema_version(); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.schema_version() RETURNS TABLE(version bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
  return query
  select coalesce(max(g.version_id), 0) from public.goose_db_version g where g.is_applied;
end
$$;

--
-- Name: FUNCTION schema_version(); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.schema_version() IS 'A process is ready when this is at least the migration that it was built with.';

--
-- Name: service_status(); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.service_status() RETURNS TABLE(component text, state text, since timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select s.component, s.state, s.since
  from ops.component_status s
  order by s.component <> 'service', not s.is_critical, s.component
$$;

--
-- Name: FUNCTION service_status(); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.service_status() IS 'View ops.component_status without what only admins should see: the service as a whole first, then what it depends on. Reads only.';

--
-- Name: set_feature(bigint, text, boolean); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.set_feature(p_admin_id bigint, p_name text, p_is_on boolean) RETURNS TABLE(name text, is_on boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._guard();
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_is_on is not null, 'p_is_on: true or false');
  perform core._require(exists (select 1 from ops.feature f where f.name = p_name),
                        'p_name: payments, provisioning, auto_renewal, workers, admin_actions, '
                        'withdrawals, trials or broadcasts');
  perform account._require_admin(p_admin_id);

  update ops.feature f set is_on = p_is_on where f.name = p_name and f.is_on <> p_is_on;
  if found then
    perform audit._record('ops.set_feature', p_admin_id, p_name,
                          jsonb_build_object('is_on', p_is_on));
  end if;

  return query select p_name, p_is_on;
end
$$;

--
-- Name: FUNCTION set_feature(p_admin_id bigint, p_name text, p_is_on boolean); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.set_feature(p_admin_id bigint, p_name text, p_is_on boolean) IS 'From the next call on, the functions behind a switch that is off refuse with OP003. Safe to call again.';

--
-- Name: set_incident(bigint, boolean, text, text, text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.set_incident(p_admin_id bigint, p_is_on boolean, p_text_ru text, p_text_en text, p_idempotency_key text) RETURNS TABLE(incident_id bigint, is_on boolean, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_asked jsonb;
  v_last record;
  v_first record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_is_on is not null, 'p_is_on: true or false');
  perform core._require(coalesce(length(p_text_ru) between 1 and 1000, not p_is_on),
                        'p_text_ru: 1 to 1000 characters; null only to switch off');
  perform core._require(coalesce(length(p_text_en) between 1 and 1000, not p_is_on),
                        'p_text_en: 1 to 1000 characters; null only to switch off');
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);
  v_asked := jsonb_build_object('is_on', p_is_on, 'text_ru', p_text_ru, 'text_en', p_text_en);

  select i.text_ru, i.text_en into v_last
  from ops.incident i
  order by i.incident_id desc
  limit 1;
  insert into ops.incident (is_on, text_ru, text_en, asked, set_at, set_by, idempotency_key)
  values (p_is_on, coalesce(p_text_ru, v_last.text_ru), coalesce(p_text_en, v_last.text_en),
          v_asked, core.now(), p_admin_id, p_idempotency_key)
  on conflict on constraint incident_key_once do nothing;
  set_incident.is_replay := not found;

  select i.incident_id, i.is_on, i.asked into strict v_first
  from ops.incident i
  where i.set_by = p_admin_id and i.idempotency_key = p_idempotency_key;
  if v_first.asked <> v_asked then
    perform core._refuse('ID001', format('incident_id %s has the key', v_first.incident_id));
  end if;
  if not set_incident.is_replay then
    perform audit._record('ops.set_incident', p_admin_id, v_first.incident_id::text, v_asked);
  end if;

  return query select v_first.incident_id, v_first.is_on, set_incident.is_replay;
end
$$;

--
-- Name: FUNCTION set_incident(p_admin_id bigint, p_is_on boolean, p_text_ru text, p_text_en text, p_idempotency_key text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.set_incident(p_admin_id bigint, p_is_on boolean, p_text_ru text, p_text_en text, p_idempotency_key text) IS 'p_is_on false ends it; null texts then keep what was written, for the next time. People see it within five seconds (ops.incident). Of two admins at once the later one counts. Idempotent by p_idempotency_key, which belongs to the admin.';

--
-- Name: set_job(text, text, boolean); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.set_job(p_name text, p_schedule text, p_is_enabled boolean) RETURNS TABLE(name text, schedule text, is_enabled boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
begin
  perform core._guard();
  perform core._require(
    p_schedule is null
      or length(p_schedule) <= 64
         and p_schedule ~ '^([1-9][0-9]{0,4} seconds|[-0-9*/,]+( [-0-9A-Za-z*/,]+){4})$',
    'p_schedule: null to keep it, "N seconds", or five cron fields (UTC)');

  return query
  update ops.scheduled_job j
  set schedule = coalesce(p_schedule, j.schedule),
      is_enabled = coalesce(p_is_enabled, j.is_enabled),
      next_run_at = case when p_schedule is null then j.next_run_at end
  where j.name = p_name
  returning j.name, j.schedule, j.is_enabled;
  perform core._require(found, 'p_name: a name in ops.job');

  perform audit._record('ops.set_job', null, p_name, jsonb_strip_nulls(jsonb_build_object(
    'schedule', p_schedule, 'is_enabled', p_is_enabled, 'by', session_user)));
end
$_$;

--
-- Name: FUNCTION set_job(p_name text, p_schedule text, p_is_enabled boolean); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.set_job(p_name text, p_schedule text, p_is_enabled boolean) IS 'Workers follow within a second. Null keeps what is there: select * from ops.set_job(p_name => ''notify.send'', p_schedule => null, p_is_enabled => false);';

--
-- Name: set_setting(text, bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.set_setting(p_name text, p_value bigint) RETURNS TABLE(name text, value bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_old record;
begin
  perform core._guard();

  select s.value, s.minimum, s.maximum into v_old
  from ops.setting s where s.name = p_name
  for no key update;
  perform core._require(found, 'p_name: a name in ops.setting');
  perform core._require(p_value between v_old.minimum and v_old.maximum,
                        format('p_value: %s to %s', v_old.minimum, v_old.maximum));

  update ops.setting s set value = p_value where s.name = p_name;
  perform audit._record('ops.set_setting', null, p_name, jsonb_build_object(
    'from', v_old.value, 'to', p_value, 'by', session_user));

  return query select p_name, p_value;
end
$$;

--
-- Name: FUNCTION set_setting(p_name text, p_value bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.set_setting(p_name text, p_value bigint) IS 'In force from the next call on. The old and the new value are audited.';

--
-- Name: show_dead_letter(bigint, bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.show_dead_letter(p_admin_id bigint, p_dead_id bigint) RETURNS TABLE(dead_id bigint, job_name text, subject text, error text, died_at timestamp with time zone, telegram_id bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
begin
  perform core._require(p_dead_id >= 1, 'p_dead_id: of a row in ops.dead_letter');
  perform account._only_admins(p_admin_id);

  return query
  select d.dead_id, d.job_name, d.subject, d.error, d.died_at,
         case d.job_name
           when 'inbox' then
             (select a.telegram_id::bigint from inbox.update u
              join account.account a on a.telegram_id = u.chat_id
              where u.update_id = substring(d.subject from '^update:([0-9]{1,18})$')::bigint)
           when 'notify.send' then ops._user_of_message(d.subject)
           when 'ops.send_exports' then
             (select e.admin_id::bigint from ops.export e
              where e.export_id = substring(d.subject from '^export:([0-9]{1,18})$')::bigint)
           else substring(d.subject from '^telegram_id:([0-9]{1,16})$')::bigint
         end
  from ops.dead d
  where d.dead_id = p_dead_id;
end
$_$;

--
-- Name: FUNCTION show_dead_letter(p_admin_id bigint, p_dead_id bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.show_dead_letter(p_admin_id bigint, p_dead_id bigint) IS 'For admins only: no row once it was cleared. telegram_id: whom it is about, where that can be told. Reads only.';

--
-- Name: show_incident(bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.show_incident(p_admin_id bigint) RETURNS TABLE(is_on boolean, text_ru text, text_en text, since timestamp with time zone, set_at timestamp with time zone, set_by bigint, set_by_username text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  select coalesce(n.is_on, false), n.text_ru, n.text_en,
         case when n.is_on then ops._incident_since() end, n.set_at, n.set_by::bigint, a.username
  from (select 1) one
  left join lateral (
    select i.is_on, i.text_ru, i.text_en, i.set_at, i.set_by
    from ops.incident i
    order by i.incident_id desc
    limit 1) n on true
  left join account.account a on a.telegram_id = n.set_by;
end
$$;

--
-- Name: FUNCTION show_incident(p_admin_id bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.show_incident(p_admin_id bigint) IS 'For admins only: one row, always. The texts stay for the next time when it is switched off; all but is_on is null where nobody has set anything yet. Reads only.';

--
-- Name: statistics(bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.statistics(p_admin_id bigint) RETURNS TABLE(computed_at timestamp with time zone, users bigint, new_today bigint, new_7_days bigint, new_30_days bigint, active bigint, trials bigint, expired bigint, blocked bigint, unreachable bigint, tariffs jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_day date;
begin
  perform account._only_admins(p_admin_id);
  select max(f.day) into v_day from ops.day_figure f where f.name = 'now_users';

  return query
  select (select f.computed_at from ops.day_figure f where f.name = 'now_users' and f.day = v_day),
         ops._figure('now_users', v_day, v_day), ops._figure('users_new', v_day, v_day),
         ops._figure('users_new', v_day - 6, v_day), ops._figure('users_new', v_day - 29, v_day),
         ops._figure('now_active', v_day, v_day), ops._figure('now_trials', v_day, v_day),
         ops._figure('now_expired', v_day, v_day), ops._figure('now_blocked', v_day, v_day),
         ops._figure('now_unreachable', v_day, v_day),
         (select coalesce(jsonb_object_agg(x.tariff, x.value), '{}')
          from (select t.tariff, ops._figure('now_tariff_' || t.tariff, v_day, v_day) as value
                from billing.tariff t) x);
end
$$;

--
-- Name: FUNCTION statistics(p_admin_id bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.statistics(p_admin_id bigint) IS 'For admins only. computed_at: when it was counted (ops.figures_due); null: not yet. Days are UTC; 7 and 30 days with today. active and tariffs: without trials. Reads only.';

--
-- Name: switch_job(bigint, text, boolean); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.switch_job(p_admin_id bigint, p_name text, p_is_enabled boolean) RETURNS TABLE(name text, is_enabled boolean, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_was_enabled boolean;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_is_enabled is not null, 'p_is_enabled: true or false');
  perform account._require_admin(p_admin_id);

  select j.is_enabled into v_was_enabled
  from ops.scheduled_job j
  where j.name = p_name
  for no key update;
  perform core._require(found, 'p_name: a name in ops.job');
  if v_was_enabled <> p_is_enabled then
    update ops.scheduled_job j set is_enabled = p_is_enabled where j.name = p_name;
    perform audit._record('ops.switch_job', p_admin_id, p_name,
                          jsonb_build_object('is_enabled', p_is_enabled));
  end if;

  return query select p_name, p_is_enabled, v_was_enabled = p_is_enabled;
end
$$;

--
-- Name: FUNCTION switch_job(p_admin_id bigint, p_name text, p_is_enabled boolean); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.switch_job(p_admin_id bigint, p_name text, p_is_enabled boolean) IS 'What ops.set_job does for DBAs, for admins and audited as theirs. Workers follow within a second; a run in hand ends as it would have. What is so already is a replay.';

--
-- Name: system(bigint); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.system(p_admin_id bigint) RETURNS TABLE(schema_version bigint, postgres_version text, postgres_started_at timestamp with time zone, database_bytes bigint, sessions integer, max_sessions integer, checked_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  select v.version, current_setting('server_version'), pg_postmaster_start_time(),
         pg_database_size(current_database()), s.numbackends,
         current_setting('max_connections')::int, core.now()
  from ops.schema_version() v
  join pg_stat_database s on s.datname = current_database();
end
$$;

--
-- Name: FUNCTION system(p_admin_id bigint); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.system(p_admin_id bigint) IS 'For admins only: the newest migration, the server, and how much of it is used. Reads only.';

--
-- Name: take_attempt(bigint, text); Type: FUNCTION; Schema: ops; Owner: -
--

CREATE FUNCTION ops.take_attempt(p_telegram_id bigint, p_action text) RETURNS TABLE(wait_milliseconds bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_attempts bigint;
  v_token interval; -- in which one grows back
  v_whole_at timestamptz;
  v_now timestamptz;
  v_early interval;
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  select l.attempts, interval '1 microsecond' * (l.per_seconds * 1000000::bigint / l.attempts)
  into v_attempts, v_token
  from ops.rate_limits() l where l.action = p_action;
  perform core._require(found, 'p_action: an action in ops.rate_limits()');

  loop
    select a.whole_at into v_whole_at
    from ops.attempt a
    where a.telegram_id = p_telegram_id and a.action = p_action
    for no key update;
    exit when found;
    insert into ops.attempt (telegram_id, action, whole_at)
    values (p_telegram_id, p_action, '-infinity')
    on conflict on constraint attempt_pkey do nothing; -- who lost finds the winner's next
  end loop;
  v_now := core.now();
  v_whole_at := greatest(v_whole_at, v_now) + v_token;
  v_early := v_whole_at - v_now - v_token * v_attempts;

  if v_early > interval '0' then
    return query select ceil(extract(epoch from v_early) * 1000)::bigint;
    return;
  end if;
  update ops.attempt a
  set whole_at = v_whole_at
  where a.telegram_id = p_telegram_id and a.action = p_action;
  return query select 0::bigint;
end
$$;

--
-- Name: FUNCTION take_attempt(p_telegram_id bigint, p_action text); Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON FUNCTION ops.take_attempt(p_telegram_id bigint, p_action text) IS 'Zero: counted, go on. Otherwise nothing was counted, and this is the time to wait. Exact, however many ask at once. The bot asks Redis before, which keeps those away who try on and on, and asks here in any case: an attempt that Redis has forgotten was counted.';

--
-- Name: _claim(outbox.kind, text, integer, interval); Type: FUNCTION; Schema: outbox; Owner: -
--

CREATE FUNCTION outbox._claim(p_kind outbox.kind, p_holder text, p_limit integer, p_lease interval) RETURNS TABLE(telegram_id bigint, task_id bigint)
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  return query
  with due as (
    select t.telegram_id, t.task_id
    from outbox.task t
    where t.kind = p_kind and t.finished_at is null and t.due_at <= v_now
      and (t.leased_until is null
           or (t.leased_until <= v_now and (t.kind = 'provision' or t.is_repeatable)))
      and not exists (
        select 1 from outbox.task e
        where e.telegram_id = t.telegram_id and e.task_id < t.task_id and e.kind = t.kind
          and e.finished_at is null
          -- A new identity does not wait for an old one that the node refuses to remove.
          and not (t.name = 'add' and e.vpn_uuid <> t.vpn_uuid and e.leased_until is null
                   and e.due_at > v_now))
      and (t.kind <> 'provision' or not exists (
        select 1 from outbox.task e
        where e.telegram_id = t.telegram_id and e.kind = t.kind and e.leased_until > v_now
          and e.finished_at is null))
    order by t.due_at
    limit p_limit
    for no key update of t skip locked
  )
  update outbox.task t
  set attempt = least(t.attempt + 1, 32767), holder = p_holder, lease_token = gen_random_uuid(),
      leased_until = v_now + p_lease
  from due d
  where t.telegram_id = d.telegram_id and t.task_id = d.task_id
  returning t.telegram_id::bigint, t.task_id;
end
$$;

--
-- Name: FUNCTION _claim(p_kind outbox.kind, p_holder text, p_limit integer, p_lease interval); Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON FUNCTION outbox._claim(p_kind outbox.kind, p_holder text, p_limit integer, p_lease interval) IS 'A task waits while an older one of the same kind and user is unfinished: keys and messages keep their order, but for the add of a new identity: it passes what still waits for an older one. A message whose lease has run out may have been sent: only a repeatable one is leased again.';

--
-- Name: _finish(bigint, bigint, text, text); Type: FUNCTION; Schema: outbox; Owner: -
--

CREATE FUNCTION outbox._finish(p_telegram_id bigint, p_task_id bigint, p_outcome text, p_error text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  update outbox.task t
  set finished_at = core.now(), outcome = p_outcome, leased_until = null,
      last_error = coalesce(left(p_error, 1000), t.last_error)
  where t.telegram_id = p_telegram_id and t.task_id = p_task_id;
end
$$;

--
-- Name: FUNCTION _finish(p_telegram_id bigint, p_task_id bigint, p_outcome text, p_error text); Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON FUNCTION outbox._finish(p_telegram_id bigint, p_task_id bigint, p_outcome text, p_error text) IS 'Ends a task; its lease token stays, so that a repeat is known.';

--
-- Name: _lock_leased(outbox.kind, bigint, uuid); Type: FUNCTION; Schema: outbox; Owner: -
--

CREATE FUNCTION outbox._lock_leased(p_kind outbox.kind, p_task_id bigint, p_lease_token uuid, OUT telegram_id bigint, OUT is_leased boolean, OUT is_finished boolean, OUT given_back_until timestamp with time zone) RETURNS record
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
begin
  select t.telegram_id into _lock_leased.telegram_id
  from outbox.task t
  where t.task_id = p_task_id and t.kind = p_kind and t.lease_token is not null;
  if not found then
    is_leased := false;
    is_finished := false;
    return;
  end if;
  perform account._lock(_lock_leased.telegram_id);

  select t.lease_token = p_lease_token, t.finished_at is not null,
         case when t.leased_until is null and t.finished_at is null then t.due_at end
  into is_leased, is_finished, given_back_until
  from outbox.task t
  where t.telegram_id = _lock_leased.telegram_id and t.task_id = p_task_id
  for no key update;
  is_leased := coalesce(is_leased, false);
end
$$;

--
-- Name: FUNCTION _lock_leased(p_kind outbox.kind, p_task_id bigint, p_lease_token uuid, OUT telegram_id bigint, OUT is_leased boolean, OUT is_finished boolean, OUT given_back_until timestamp with time zone); Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON FUNCTION outbox._lock_leased(p_kind outbox.kind, p_task_id bigint, p_lease_token uuid, OUT telegram_id bigint, OUT is_leased boolean, OUT is_finished boolean, OUT given_back_until timestamp with time zone) IS 'The token of the last claim is the lease: it stands until somebody else claims, even past its time. given_back_until: when an unfinished task that this lease gave back is due again.';

--
-- Name: _require_claim(text, integer, interval); Type: FUNCTION; Schema: outbox; Owner: -
--

CREATE FUNCTION outbox._require_claim(p_holder text, p_limit integer, p_lease interval) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  perform core._require(length(p_holder) between 1 and 256, 'p_holder: 1 to 256 characters');
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform core._require(p_lease between interval '1 second' and interval '1 hour',
                        'p_lease: 1 second to 1 hour');
end
$$;

--
-- Name: FUNCTION _require_claim(p_holder text, p_limit integer, p_lease interval); Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON FUNCTION outbox._require_claim(p_holder text, p_limit integer, p_lease interval) IS 'Checks p_holder, p_limit and p_lease of a claim.';

--
-- Name: _retry(bigint, bigint, text, interval, integer); Type: FUNCTION; Schema: outbox; Owner: -
--

CREATE FUNCTION outbox._retry(p_telegram_id bigint, p_task_id bigint, p_error text, p_wait interval, p_attempts_back integer) RETURNS timestamp with time zone
    LANGUAGE plpgsql
    AS $$
declare
  v_due_at timestamptz;
begin
  update outbox.task t
  set due_at = core.now() + p_wait, attempt = t.attempt - p_attempts_back,
      leased_until = null, holder = null, last_error = left(p_error, 1000)
  where t.telegram_id = p_telegram_id and t.task_id = p_task_id
  returning t.due_at into v_due_at;
  return v_due_at;
end
$$;

--
-- Name: FUNCTION _retry(p_telegram_id bigint, p_task_id bigint, p_error text, p_wait interval, p_attempts_back integer); Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON FUNCTION outbox._retry(p_telegram_id bigint, p_task_id bigint, p_error text, p_wait interval, p_attempts_back integer) IS 'Moves a task''s due time; its token stays, so that a repeat is known.';

--
-- Name: _canonical(text); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._canonical(p_text text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    AS $_$
declare
  v_code text;
begin
  if length(p_text) > 256 then
    return null;
  end if;

  v_code := upper(btrim(normalize(p_text, nfkc), e' \t\n\x0b\f\r') collate "C");
  if v_code ~ '^[A-Z0-9]{3,32}$' then
    return v_code;
  end if;
  return null;
end
$_$;

--
-- Name: FUNCTION _canonical(p_text text); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._canonical(p_text text) IS 'NFKC (so that full-width letters are letters and blanks are blanks), trimmed, and only a to z in upper case: a dotless i stays one, and is refused.';

--
-- Name: _figures(bigint, integer); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._figures(p_promo_id bigint, p_most integer, OUT uses bigint, OUT counted bigint, OUT reserved bigint, OUT consumed bigint, OUT refunded bigint, OUT revenue_kopecks bigint, OUT discount_kopecks bigint) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
begin
  select count(*) into _figures.uses from promo.use u where u.promo_id = p_promo_id;

  select count(*), count(*) filter (where b.status not in ('paid', 'refunded')),
         count(*) filter (where b.status in ('paid', 'refunded')),
         count(*) filter (where b.status = 'refunded'),
         coalesce(sum(b.price_kopecks) filter (where b.status = 'paid'), 0)::bigint,
         coalesce(sum(b.list_kopecks - b.price_kopecks) filter (where b.status = 'paid'), 0)::bigint
  into _figures.counted, _figures.reserved, _figures.consumed, _figures.refunded,
       _figures.revenue_kopecks, _figures.discount_kopecks
  from (select u.telegram_id, u.purchase_id
        from promo.use u
        where u.promo_id = p_promo_id
        order by u.use_no
        limit p_most) t
  join billing.purchase b on b.telegram_id = t.telegram_id and b.purchase_id = t.purchase_id;
end
$$;

--
-- Name: FUNCTION _figures(p_promo_id bigint, p_most integer, OUT uses bigint, OUT counted bigint, OUT reserved bigint, OUT consumed bigint, OUT refunded bigint, OUT revenue_kopecks bigint, OUT discount_kopecks bigint); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._figures(p_promo_id bigint, p_most integer, OUT uses bigint, OUT counted bigint, OUT reserved bigint, OUT consumed bigint, OUT refunded bigint, OUT revenue_kopecks bigint, OUT discount_kopecks bigint) IS 'uses is all of them, from the primary key alone; the rest is looked up in the purchases of the first p_most, and counted says how many those were. Refunded purchases bring nothing and give no use back.';

--
-- Name: _fill_batch(bigint); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._fill_batch(p_batch_id bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

--
-- Name: FUNCTION _fill_batch(p_batch_id bigint); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._fill_batch(p_batch_id bigint) IS 'A generated code that is taken already is replaced by another one in the next round.';

--
-- Name: _is_full(bigint, bigint, bigint); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._is_full(p_promo_id bigint, p_from bigint, p_to bigint) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_uses bigint;
begin
  select count(*) into v_uses
  from promo.use u
  where u.promo_id = p_promo_id and u.use_no between p_from and p_to;
  return v_uses = p_to - p_from + 1;
end
$$;

--
-- Name: FUNCTION _is_full(p_promo_id bigint, p_from bigint, p_to bigint); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._is_full(p_promo_id bigint, p_from bigint, p_to bigint) IS 'Counts in the primary key; both numbers are included.';

--
-- Name: _lock_code(text); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._lock_code(p_code text, OUT promo_id bigint, OUT is_active boolean, OUT max_uses integer) RETURNS record
    LANGUAGE plpgsql
    AS $$
begin
  lock table promo.use in share row exclusive mode;

  select c.promo_id, c.is_active, c.max_uses
  into _lock_code.promo_id, _lock_code.is_active, _lock_code.max_uses
  from promo.code c
  where c.code = p_code
  for no key update;
  if not found then
    perform core._refuse('PR001', p_code);
  end if;
end
$$;

--
-- Name: FUNCTION _lock_code(p_code text, OUT promo_id bigint, OUT is_active boolean, OUT max_uses integer); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._lock_code(p_code text, OUT promo_id bigint, OUT is_active boolean, OUT max_uses integer) IS 'From here on no use is taken or given back until the transaction ends, so that none is taken by the old terms after the new ones are in force. Keep it short: buyers with a code wait.';

--
-- Name: _move_below(bigint, integer); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._move_below(p_promo_id bigint, p_max_uses integer) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  if not exists (
    select 1 from promo.use u where u.promo_id = p_promo_id and u.use_no > p_max_uses) then
    return;
  end if;

  update promo.use m
  set use_no = f.use_no
  from (select u.use_no, row_number() over (order by u.use_no) as place
        from promo.use u
        where u.promo_id = p_promo_id and u.use_no > p_max_uses) o
  join (select n.use_no, row_number() over (order by n.use_no) as place
        from (select g.use_no
              from generate_series(1, p_max_uses) g (use_no)
              where not exists (
                select 1 from promo.use u where u.promo_id = p_promo_id and u.use_no = g.use_no)
              limit (select count(*) from promo.use u
                     where u.promo_id = p_promo_id and u.use_no > p_max_uses)) n) f
    on f.place = o.place
  where m.promo_id = p_promo_id and m.use_no = o.use_no;
end
$$;

--
-- Name: FUNCTION _move_below(p_promo_id bigint, p_max_uses integer); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._move_below(p_promo_id bigint, p_max_uses integer) IS 'There are at least as many free numbers as uses to move: promo.set_limit has counted. A null limit moves nothing.';

--
-- Name: _new_code(); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._new_code() RETURNS text
    LANGUAGE sql
    AS $$
  -- A version 4 uuid is random but for parts of its bytes 6 and 8.
  select string_agg(
    substr('ABCDEFGHJKLMNPQRSTUVWXYZ23456789', (get_byte(u.bytes, b.i) & 31) + 1, 1), ''
    order by b.i)
  from (select uuid_send(gen_random_uuid()) as bytes) u
  cross join unnest(array[0, 1, 2, 3, 4, 5, 9, 10, 11, 12]) b (i)
$$;

--
-- Name: FUNCTION _new_code(); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._new_code() IS 'Without 0 and O, 1 and I, which people take for each other. promo.issue tries again when it is taken.';

--
-- Name: _next_free(bigint, bigint, bigint); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._next_free(p_promo_id bigint, p_from bigint, p_to bigint) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_from bigint := p_from;
  v_to bigint := p_to;
  v_middle bigint;
begin
  if promo._is_full(p_promo_id, p_from, p_to) then
    if p_from = 1 then
      return null;
    end if;
    return promo._next_free(p_promo_id, 1, p_from - 1);
  end if;

  while v_from < v_to loop
    v_middle := (v_from + v_to) / 2;
    if promo._is_full(p_promo_id, v_from, v_middle) then
      v_from := v_middle + 1;
    else
      v_to := v_middle;
    end if;
  end loop;
  return v_from;
end
$$;

--
-- Name: FUNCTION _next_free(p_promo_id bigint, p_from bigint, p_to bigint); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._next_free(p_promo_id bigint, p_from bigint, p_to bigint) IS 'The first free number between p_from and p_to, else between 1 and p_from, by halves: the whole search counts each use twice at most. A number that another transaction is just taking still looks free.';

--
-- Name: _oldest_open(bigint, bigint); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._oldest_open(p_telegram_id bigint, p_promo_id bigint) RETURNS uuid
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_purchase_id uuid;
begin
  select b.purchase_id into v_purchase_id
  from promo.use u
  join billing.purchase b on b.telegram_id = u.telegram_id and b.purchase_id = u.purchase_id
  where u.telegram_id = p_telegram_id and u.promo_id = p_promo_id and b.status = 'open'
  order by b.opened_at, b.purchase_id
  limit 1;
  return v_purchase_id;
end
$$;

--
-- Name: FUNCTION _oldest_open(p_telegram_id bigint, p_promo_id bigint); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._oldest_open(p_telegram_id bigint, p_promo_id bigint) IS 'The purchase, open and not yet paid, with which a user has held a use of the code for longest.';

--
-- Name: _refuse_taken(text, bigint, text); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._refuse_taken(p_code text, p_admin_id bigint, p_idempotency_key text) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_taken record;
begin
  select c.promo_id, c.issued_by, c.issued_at into v_taken
  from promo.code c
  where c.code = p_code
    and (c.issued_by, c.idempotency_key) is distinct from (p_admin_id, p_idempotency_key);
  if found then
    perform core._refuse('PR007', format('%s: promo_id %s, issued by %s at %s', p_code,
                                         v_taken.promo_id, v_taken.issued_by, v_taken.issued_at));
  end if;
end
$$;

--
-- Name: FUNCTION _refuse_taken(p_code text, p_admin_id bigint, p_idempotency_key text); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._refuse_taken(p_code text, p_admin_id bigint, p_idempotency_key text) IS 'After an insert that met a conflict: of the code (PR007), or of the key (a replay at once).';

--
-- Name: _require_code(text); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._require_code(p_code text) RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_code text := promo._canonical(p_code);
begin
  if p_code is not null and v_code is null then
    perform core._refuse('PR006', format('a text of %s characters', length(p_code)));
  end if;
  return v_code;
end
$$;

--
-- Name: FUNCTION _require_code(p_code text); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._require_code(p_code text) IS 'Null stays null. What was typed is not repeated in the refusal.';

--
-- Name: _require_terms(integer, integer, integer, timestamp with time zone); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._require_terms(p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  perform core._require(p_discount_percent between 1 and 100, 'p_discount_percent: 1 to 100');
  perform core._require(p_max_uses is null or p_max_uses between 1 and 1000000,
                        'p_max_uses: 1 to 1000000, or null for no limit');
  perform core._require(p_per_user_limit is null or p_per_user_limit between 1 and 1000,
                        'p_per_user_limit: 1 to 1000, or null for 1');
  perform core._require(p_expires_at is null or isfinite(p_expires_at),
                        'p_expires_at: a moment, or null for never');
end
$$;

--
-- Name: FUNCTION _require_terms(p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._require_terms(p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone) IS 'What promo.issue and promo.issue_batch accept.';

--
-- Name: _reserve(bigint, uuid, bigint, timestamp with time zone); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._reserve(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_refusal text := promo._take(p_telegram_id, p_purchase_id, p_promo_id, p_now);
begin
  if v_refusal = 'PR005' then
    perform core._refuse('PR005', format('promo_id %s, telegram_id %s',
                                         p_promo_id, p_telegram_id));
  elsif v_refusal is not null then
    perform core._refuse('PR003', format('promo_id %s', p_promo_id));
  end if;
end
$$;

--
-- Name: FUNCTION _reserve(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._reserve(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone) IS 'The use is reserved while the purchase is open, consumed once it is paid, and deleted when it is cancelled or expires.';

--
-- Name: _retake(bigint, uuid, bigint, timestamp with time zone); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._retake(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
begin
  if p_promo_id is null then
    return true;
  end if;

  lock table promo.use in row exclusive mode; -- as in billing._open
  return promo._take(p_telegram_id, p_purchase_id, p_promo_id, p_now) is null;
end
$$;

--
-- Name: FUNCTION _retake(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._retake(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone) IS 'False when no use is left: the money then goes to the balance. Only max_uses and per_user_limit count, not expiry or disabling. As at opening, the user''s own oldest open purchase with the code makes room. Comes before the wallet. True when there is no code.';

--
-- Name: _take(bigint, uuid, bigint, timestamp with time zone); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._take(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
  v_max_uses int;
  v_per_user_limit int;
  v_uses bigint;
  v_use_no bigint;
  v_tries int := 0;
begin
  select c.max_uses, c.per_user_limit into v_max_uses, v_per_user_limit
  from promo.code c
  where c.promo_id = p_promo_id;
  if not found then
    return 'PR001';
  end if;

  select count(*) into v_uses
  from promo.use u
  where u.telegram_id = p_telegram_id and u.promo_id = p_promo_id;
  if v_uses >= v_per_user_limit then
    return promo._take_over(p_telegram_id, p_purchase_id, p_promo_id, p_now);
  end if;

  -- Any number will do, so buyers start apart. The insert waits for whoever is just taking the
  -- same number: if that comes to nothing, the number is ours.
  loop
    v_tries := v_tries + 1;
    if v_max_uses is null then
      v_use_no := nextval('promo.use_no');
    elsif v_tries <= 3 then
      v_use_no := nextval('promo.use_no') % v_max_uses + 1;
    else
      v_use_no := promo._next_free(p_promo_id, v_use_no, v_max_uses);
      if v_use_no is null then
        return 'PR003';
      end if;
    end if;

    insert into promo.use (promo_id, use_no, telegram_id, purchase_id, reserved_at)
    values (p_promo_id, v_use_no, p_telegram_id, p_purchase_id, p_now)
    on conflict on constraint use_pkey do nothing;
    exit when found;
  end loop;
  return null;
end
$$;

--
-- Name: FUNCTION _take(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._take(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone) IS 'Takes a free number between 1 and max_uses, each of which the primary key gives out once. Who is at the own limit takes over the use of the own oldest open purchase instead. Null: taken; PR001, PR003 or PR005: why not.';

--
-- Name: _take_over(bigint, uuid, bigint, timestamp with time zone); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._take_over(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
  v_oldest_open uuid := promo._oldest_open(p_telegram_id, p_promo_id);
begin
  if v_oldest_open is null then
    return 'PR005';
  end if;

  update promo.use u
  set purchase_id = p_purchase_id, reserved_at = p_now
  where u.telegram_id = p_telegram_id and u.promo_id = p_promo_id
    and u.purchase_id = v_oldest_open;

  update billing.purchase b
  set status = 'cancelled', closed_at = p_now
  where b.telegram_id = p_telegram_id and b.purchase_id = v_oldest_open;
  return null;
end
$$;

--
-- Name: FUNCTION _take_over(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._take_over(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone) IS 'Nobody stands in their own way: an unpaid purchase makes room for the next one. Null, or PR005 where all uses are consumed.';

--
-- Name: _terms(text, timestamp with time zone); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._terms(p_code text, p_now timestamp with time zone, OUT promo_id bigint, OUT discount_percent integer, OUT max_uses integer, OUT per_user_limit integer, OUT expires_at timestamp with time zone) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_code promo.code;
begin
  select c.* into v_code from promo.code c where c.code = p_code;
  if not found then
    perform core._refuse('PR001', p_code);
  elsif not v_code.is_active then
    perform core._refuse('PR004', format('%s: disabled by admin %s at %s', p_code,
                                         v_code.disabled_by, v_code.disabled_at));
  elsif v_code.expires_at <= p_now then
    perform core._refuse('PR002', format('%s expired at %s', p_code, v_code.expires_at));
  end if;

  _terms.promo_id := v_code.promo_id;
  _terms.discount_percent := v_code.discount_percent;
  _terms.max_uses := v_code.max_uses;
  _terms.per_user_limit := v_code.per_user_limit;
  _terms.expires_at := v_code.expires_at;
end
$$;

--
-- Name: FUNCTION _terms(p_code text, p_now timestamp with time zone, OUT promo_id bigint, OUT discount_percent integer, OUT max_uses integer, OUT per_user_limit integer, OUT expires_at timestamp with time zone); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._terms(p_code text, p_now timestamp with time zone, OUT promo_id bigint, OUT discount_percent integer, OUT max_uses integer, OUT per_user_limit integer, OUT expires_at timestamp with time zone) IS 'A code in canonical form that is there, active and not expired.';

--
-- Name: _usable(bigint, text, timestamp with time zone); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo._usable(p_telegram_id bigint, p_code text, p_now timestamp with time zone, OUT discount_percent integer, OUT expires_at timestamp with time zone, OUT uses_left bigint) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_terms record;
  v_uses bigint;
  v_oldest_open uuid;
begin
  select t.promo_id, t.discount_percent, t.max_uses, t.per_user_limit, t.expires_at into v_terms
  from promo._terms(p_code, p_now) t;
  select count(*) into v_uses
  from promo.use u
  where u.telegram_id = p_telegram_id and u.promo_id = v_terms.promo_id;
  if v_uses >= v_terms.per_user_limit then
    v_oldest_open := promo._oldest_open(p_telegram_id, v_terms.promo_id); -- would be taken over
    if v_oldest_open is null then
      perform core._refuse('PR005', format('%s, telegram_id %s', p_code, p_telegram_id));
    end if;
  end if;

  if v_terms.max_uses is not null then
    select v_terms.max_uses - count(*) into _usable.uses_left
    from promo.use u
    where u.promo_id = v_terms.promo_id;
    if _usable.uses_left <= 0 and v_oldest_open is null then
      perform core._refuse('PR003', format('%s: %s uses', p_code, v_terms.max_uses));
    end if;
  end if;

  _usable.discount_percent := v_terms.discount_percent;
  _usable.expires_at := v_terms.expires_at;
end
$$;

--
-- Name: FUNCTION _usable(p_telegram_id bigint, p_code text, p_now timestamp with time zone, OUT discount_percent integer, OUT expires_at timestamp with time zone, OUT uses_left bigint); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo._usable(p_telegram_id bigint, p_code text, p_now timestamp with time zone, OUT discount_percent integer, OUT expires_at timestamp with time zone, OUT uses_left bigint) IS 'What promo.validate and billing.quote promise; a code that loses against another discount is held to it as well. uses_left is null for a code without a limit.';

--
-- Name: card(bigint, bigint); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo.card(p_admin_id bigint, p_promo_id bigint) RETURNS TABLE(promo_id bigint, code text, discount_percent integer, max_uses integer, per_user_limit integer, expires_at timestamp with time zone, is_active boolean, is_expired boolean, issued_at timestamp with time zone, issued_by bigint, issued_by_username text, disabled_at timestamp with time zone, disabled_by bigint, disabled_by_username text, batch_id bigint, uses bigint, uses_left bigint, counted bigint, reserved bigint, consumed bigint, refunded bigint, revenue_kopecks bigint, discount_kopecks bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require(p_promo_id >= 1, 'p_promo_id: of a row in promo.list');
  perform account._only_admins(p_admin_id);

  return query
  select c.promo_id, c.code, c.discount_percent::int, c.max_uses, c.per_user_limit, c.expires_at,
         c.is_active, coalesce(c.expires_at <= core.now(), false), c.issued_at,
         c.issued_by::bigint, i.username, c.disabled_at, c.disabled_by::bigint, d.username,
         c.batch_id, f.uses, c.max_uses - f.uses, f.counted, f.reserved, f.consumed, f.refunded,
         f.revenue_kopecks, f.discount_kopecks
  from promo.code c
  cross join lateral promo._figures(c.promo_id, 10000) f
  left join account.account i on i.telegram_id = c.issued_by
  left join account.account d on d.telegram_id = c.disabled_by
  where c.promo_id = p_promo_id;
  if not found then
    perform core._refuse('PR001', format('promo_id %s', p_promo_id));
  end if;
end
$$;

--
-- Name: FUNCTION card(p_admin_id bigint, p_promo_id bigint); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo.card(p_admin_id bigint, p_promo_id bigint) IS 'For admins only: terms, who made it and switched it off, and what it brought. uses_left is null for a code without a limit. reserved to discount_kopecks are of the first 10 000 uses; counted says how many that were. Reads only.';

--
-- Name: disable(bigint, text); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo.disable(p_admin_id bigint, p_code text) RETURNS TABLE(code text, is_active boolean, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_code text;
  v_now record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_code is not null, 'p_code: a promo code');
  v_code := promo._require_code(p_code);
  perform account._require_admin(p_admin_id);

  select l.promo_id, l.is_active into v_now from promo._lock_code(v_code) l;
  if v_now.is_active then
    update promo.code c
    set is_active = false, disabled_at = core.now(), disabled_by = p_admin_id
    where c.promo_id = v_now.promo_id;
    perform audit._record('promo.disable', p_admin_id, v_code);
  end if;

  return query select v_code, false, not v_now.is_active;
end
$$;

--
-- Name: FUNCTION disable(p_admin_id bigint, p_code text); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo.disable(p_admin_id bigint, p_code text) IS 'Nobody can open a purchase with the code any more, for good; open purchases keep their price. Once it is off, every admin''s call is a replay; who was the first is in audit.event.';

--
-- Name: find(bigint, text); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo.find(p_admin_id bigint, p_code text) RETURNS TABLE(promo_id bigint, code text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_code text;
begin
  perform core._require(p_code is not null, 'p_code: a promo code');
  v_code := promo._require_code(p_code);
  perform account._only_admins(p_admin_id);

  return query select c.promo_id, c.code from promo.code c where c.code = v_code;
  if not found then
    perform core._refuse('PR001', v_code);
  end if;
end
$$;

--
-- Name: FUNCTION find(p_admin_id bigint, p_code text); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo.find(p_admin_id bigint, p_code text) IS 'For admins only: a code that was made alone or with a batch, usable or not. Reads only.';

--
-- Name: issue(bigint, text, integer, integer, integer, timestamp with time zone, text); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo.issue(p_admin_id bigint, p_code text, p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone, p_idempotency_key text) RETURNS TABLE(promo_id bigint, code text, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_asked jsonb;
  v_first record;
  v_wanted text;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform promo._require_terms(p_discount_percent, p_max_uses, p_per_user_limit, p_expires_at);
  perform core._require_key(p_idempotency_key);
  v_wanted := promo._require_code(p_code);
  perform account._require_admin(p_admin_id);
  v_asked := jsonb_build_object(
    'code', v_wanted, 'discount_percent', p_discount_percent, 'max_uses', p_max_uses,
    'per_user_limit', coalesce(p_per_user_limit, 1),
    'expires_at', p_expires_at at time zone 'UTC');

  is_replay := true;
  loop
    select c.promo_id, c.code, c.asked into v_first
    from promo.code c
    where c.issued_by = p_admin_id and c.idempotency_key = p_idempotency_key;
    exit when found;

    insert into promo.code as c (
      code, discount_percent, max_uses, per_user_limit, expires_at, issued_at, issued_by, asked,
      idempotency_key)
    values (
      coalesce(v_wanted, promo._new_code()), p_discount_percent, p_max_uses,
      coalesce(p_per_user_limit, 1), p_expires_at, core.now(), p_admin_id, v_asked,
      p_idempotency_key)
    on conflict do nothing
    returning c.promo_id, c.code, c.asked into v_first;
    if found then
      is_replay := false;
      perform audit._record('promo.issue', p_admin_id, v_first.code, v_asked);
      exit;
    end if;
    perform promo._refuse_taken(v_wanted, p_admin_id, p_idempotency_key);
  end loop;

  if v_first.asked <> v_asked then
    perform core._refuse('ID001', format('promo code %s has the key', v_first.code));
  end if;
  return query select v_first.promo_id, v_first.code, issue.is_replay;
end
$$;

--
-- Name: FUNCTION issue(p_admin_id bigint, p_code text, p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone, p_idempotency_key text); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo.issue(p_admin_id bigint, p_code text, p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone, p_idempotency_key text) IS 'p_code null: generated; p_max_uses null: no limit; p_per_user_limit null: 1; p_expires_at null: never. A code is A-Z and 0-9, 3 to 32 of them; lower case is accepted and kept in upper case. Idempotent by p_idempotency_key, which belongs to the admin.';

--
-- Name: issue_batch(bigint, integer, integer, integer, integer, timestamp with time zone, text); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo.issue_batch(p_admin_id bigint, p_count integer, p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone, p_idempotency_key text) RETURNS TABLE(batch_id bigint, promo_id bigint, code text, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_asked jsonb;
  v_first record;
  v_is_replay boolean;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_count between 1 and 100, 'p_count: 1 to 100');
  perform promo._require_terms(p_discount_percent, p_max_uses, p_per_user_limit, p_expires_at);
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);
  v_asked := jsonb_build_object(
    'count', p_count, 'discount_percent', p_discount_percent, 'max_uses', p_max_uses,
    'per_user_limit', coalesce(p_per_user_limit, 1),
    'expires_at', p_expires_at at time zone 'UTC');

  insert into promo.batch (
    code_count, discount_percent, max_uses, per_user_limit, expires_at, issued_at, issued_by,
    asked, idempotency_key)
  values (p_count, p_discount_percent, p_max_uses, coalesce(p_per_user_limit, 1), p_expires_at,
          core.now(), p_admin_id, v_asked, p_idempotency_key)
  on conflict on constraint batch_key_once do nothing;
  v_is_replay := not found;

  select b.batch_id, b.asked into strict v_first
  from promo.batch b
  where b.issued_by = p_admin_id and b.idempotency_key = p_idempotency_key;
  if v_first.asked <> v_asked then
    perform core._refuse('ID001', format('batch_id %s has the key', v_first.batch_id));
  elsif not v_is_replay then
    perform promo._fill_batch(v_first.batch_id);
    perform audit._record('promo.issue_batch', p_admin_id, v_first.batch_id::text, v_asked);
  end if;

  return query
  select c.batch_id, c.promo_id, c.code, v_is_replay
  from promo.code c
  where c.batch_id = v_first.batch_id
  order by c.promo_id;
end
$$;

--
-- Name: FUNCTION issue_batch(p_admin_id bigint, p_count integer, p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone, p_idempotency_key text); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo.issue_batch(p_admin_id bigint, p_count integer, p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone, p_idempotency_key text) IS 'As promo.issue with a null code, so many times at once; one row per code, p_count of them. All or none. Idempotent by p_idempotency_key, which belongs to the admin: a repeat gives the same codes.';

--
-- Name: list(bigint, boolean, bigint, integer); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo.list(p_admin_id bigint, p_is_usable boolean, p_before bigint, p_limit integer) RETURNS TABLE(promo_id bigint, code text, discount_percent integer, max_uses integer, expires_at timestamp with time zone, is_active boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require(p_is_usable is not null, 'p_is_usable: true or false');
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  select c.promo_id, c.code, c.discount_percent::int, c.max_uses, c.expires_at, c.is_active
  from promo.code c
  where c.batch_id is null and (p_before is null or c.promo_id < p_before)
    and (c.is_active and coalesce(c.expires_at > v_now, true)) = p_is_usable
  order by c.promo_id desc
  limit p_limit;
end
$$;

--
-- Name: FUNCTION list(p_admin_id bigint, p_is_usable boolean, p_before bigint, p_limit integer); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo.list(p_admin_id bigint, p_is_usable boolean, p_before bigint, p_limit integer) IS 'For admins only, a page at a time: p_is_usable true for those that are neither switched off nor past their end, false for the others; p_before is the last page''s last promo_id. Codes of batches are in promo.list_batches. Reads only.';

--
-- Name: list_batch(bigint, bigint); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo.list_batch(p_admin_id bigint, p_batch_id bigint) RETURNS TABLE(batch_id bigint, promo_id bigint, code text, is_active boolean, is_used boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require(p_batch_id >= 1, 'p_batch_id: of a row in promo.list_batches');
  perform account._only_admins(p_admin_id);

  return query
  select c.batch_id, c.promo_id, c.code, c.is_active,
         exists (select 1 from promo.use u where u.promo_id = c.promo_id)
  from promo.code c
  where c.batch_id = p_batch_id
  order by c.promo_id;
  if not found then
    perform core._refuse('PR001', format('batch_id %s', p_batch_id));
  end if;
end
$$;

--
-- Name: FUNCTION list_batch(p_admin_id bigint, p_batch_id bigint); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo.list_batch(p_admin_id bigint, p_batch_id bigint) IS 'For admins only: at most a hundred rows. is_used: reserved or consumed at least once. Reads only.';

--
-- Name: list_batches(bigint, bigint, integer); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo.list_batches(p_admin_id bigint, p_before bigint, p_limit integer) RETURNS TABLE(batch_id bigint, code_count integer, discount_percent integer, max_uses integer, per_user_limit integer, expires_at timestamp with time zone, issued_at timestamp with time zone, issued_by bigint, issued_by_username text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  select b.batch_id, b.code_count, b.discount_percent::int, b.max_uses, b.per_user_limit,
         b.expires_at, b.issued_at, b.issued_by::bigint, a.username
  from promo.batch b
  left join account.account a on a.telegram_id = b.issued_by
  where p_before is null or b.batch_id < p_before
  order by b.batch_id desc
  limit p_limit;
end
$$;

--
-- Name: FUNCTION list_batches(p_admin_id bigint, p_before bigint, p_limit integer); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo.list_batches(p_admin_id bigint, p_before bigint, p_limit integer) IS 'For admins only, a page at a time: p_before is the last page''s last batch_id. The terms are those that the codes were made with. Reads only.';

--
-- Name: set_limit(bigint, text, integer); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo.set_limit(p_admin_id bigint, p_code text, p_max_uses integer) RETURNS TABLE(code text, max_uses integer, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_code text;
  v_now record;
  v_uses bigint;
  v_is_replay boolean;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_code is not null, 'p_code: a promo code');
  perform core._require(p_max_uses is null or p_max_uses between 1 and 1000000,
                        'p_max_uses: 1 to 1000000, or null for no limit');
  v_code := promo._require_code(p_code);
  perform account._require_admin(p_admin_id);

  select l.promo_id, l.max_uses into v_now from promo._lock_code(v_code) l;
  v_is_replay := v_now.max_uses is not distinct from p_max_uses;
  if not v_is_replay then
    select count(*) into v_uses from promo.use u where u.promo_id = v_now.promo_id;
    if v_uses > p_max_uses then
      perform core._refuse('PR003', format('%s: %s uses are reserved or consumed', v_code, v_uses));
    end if;

    perform promo._move_below(v_now.promo_id, p_max_uses);
    update promo.code c set max_uses = p_max_uses where c.promo_id = v_now.promo_id;
    perform audit._record('promo.set_limit', p_admin_id, v_code,
                          jsonb_build_object('from', v_now.max_uses, 'to', p_max_uses));
  end if;

  return query select v_code, p_max_uses, v_is_replay;
end
$$;

--
-- Name: FUNCTION set_limit(p_admin_id bigint, p_code text, p_max_uses integer); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo.set_limit(p_admin_id bigint, p_code text, p_max_uses integer) IS 'p_max_uses null: no limit. Not below what is used and reserved (PR003, DETAIL has the number). The same limit again is a replay.';

--
-- Name: validate(bigint, text); Type: FUNCTION; Schema: promo; Owner: -
--

CREATE FUNCTION promo.validate(p_telegram_id bigint, p_code text) RETURNS TABLE(code text, discount_percent integer, expires_at timestamp with time zone, uses_left bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_code text;
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_code is not null, 'p_code: a promo code');
  v_code := promo._require_code(p_code);
  if not exists (select 1 from account.account a where a.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  return query
  select v_code, u.discount_percent, u.expires_at, u.uses_left
  from promo._usable(p_telegram_id, v_code, core.now()) u;
end
$$;

--
-- Name: FUNCTION validate(p_telegram_id bigint, p_code text); Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON FUNCTION promo.validate(p_telegram_id bigint, p_code text) IS 'Gives the code as it is kept, its discount, its end and the uses left (null: no limit), or says why this user cannot use it now. Reserves nothing: that is billing.open_purchase. Reads only.';

--
-- Name: _claw_back(bigint, uuid, timestamp with time zone); Type: FUNCTION; Schema: referral; Owner: -
--

CREATE FUNCTION referral._claw_back(p_telegram_id bigint, p_purchase_id uuid, p_now timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
  v_reward_kopecks bigint;
  v_there_kopecks bigint;
begin
  update referral.reward r
  set status = 'clawed_back', clawed_back_at = p_now
  where r.telegram_id = p_telegram_id and r.purchase_id = p_purchase_id and r.status = 'paid'
  returning r.reward_kopecks into v_reward_kopecks;
  if not found then
    return false;
  elsif v_reward_kopecks = 0 then
    return true;
  end if;

  select least(w.available_kopecks, v_reward_kopecks) into strict v_there_kopecks
  from wallet.wallet w
  where w.telegram_id = p_telegram_id;
  if v_there_kopecks > 0 then
    perform ledger._post(p_telegram_id, 'clawback', 'available', 'cashback', v_there_kopecks,
                         p_now, p_purchase_id => p_purchase_id);
  end if;
  if v_reward_kopecks > v_there_kopecks then
    perform ledger._post(p_telegram_id, 'clawback', 'debt', 'cashback',
                         v_reward_kopecks - v_there_kopecks, p_now,
                         p_purchase_id => p_purchase_id);
  end if;

  update referral.referrer r
  set earned_kopecks = r.earned_kopecks - v_reward_kopecks
  where r.telegram_id = p_telegram_id;
  insert into outbox.task (telegram_id, kind, name, due_at, created_at, amount_kopecks)
  values (p_telegram_id, 'message', 'cashback_clawed_back', p_now, p_now, v_reward_kopecks);
  return true;
end
$$;

--
-- Name: FUNCTION _claw_back(p_telegram_id bigint, p_purchase_id uuid, p_now timestamp with time zone); Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON FUNCTION referral._claw_back(p_telegram_id bigint, p_purchase_id uuid, p_now timestamp with time zone) IS 'Takes what is available, the rest becomes debt. False where there is no reward to take back. The buyer stays counted.';

--
-- Name: _due_tasks(timestamp with time zone, integer); Type: FUNCTION; Schema: referral; Owner: -
--

CREATE FUNCTION referral._due_tasks(p_now timestamp with time zone, p_limit integer) RETURNS TABLE(telegram_id bigint, task_id bigint)
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_column
begin
  return query
  select t.telegram_id::bigint, t.task_id
  from outbox.task t
  where t.kind = 'cashback' and t.finished_at is null and t.due_at <= p_now
    and not exists (
      select 1 from ops.dead d
      where d.job_name = 'referral.pay_due' and d.subject = 'telegram_id:' || t.telegram_id
        and d.died_at > p_now - interval '1 hour')
  order by t.due_at, t.task_id
  limit p_limit;
end
$$;

--
-- Name: FUNCTION _due_tasks(p_now timestamp with time zone, p_limit integer); Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON FUNCTION referral._due_tasks(p_now timestamp with time zone, p_limit integer) IS 'Candidates: they are looked at again once their referrers are locked.';

--
-- Name: _level_of(integer); Type: FUNCTION; Schema: referral; Owner: -
--

CREATE FUNCTION referral._level_of(p_paying_count integer, OUT level text, OUT percent integer) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_column
begin
  select l.level, l.percent into strict _level_of.level, _level_of.percent
  from referral.level l
  where l.from_paying <= p_paying_count
  order by l.from_paying desc
  limit 1;
end
$$;

--
-- Name: FUNCTION _level_of(p_paying_count integer, OUT level text, OUT percent integer); Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON FUNCTION referral._level_of(p_paying_count integer, OUT level text, OUT percent integer) IS 'The one rule of levels: what is shown and what is paid both come from here.';

--
-- Name: _next_level(integer); Type: FUNCTION; Schema: referral; Owner: -
--

CREATE FUNCTION referral._next_level(p_paying_count integer, OUT level text, OUT from_paying integer, OUT percent integer) RETURNS record
    LANGUAGE sql STABLE
    AS $$
  select l.level, l.from_paying, l.percent::int
  from referral.level l
  where l.from_paying > p_paying_count
  order by l.from_paying
  limit 1
$$;

--
-- Name: FUNCTION _next_level(p_paying_count integer, OUT level text, OUT from_paying integer, OUT percent integer); Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON FUNCTION referral._next_level(p_paying_count integer, OUT level text, OUT from_paying integer, OUT percent integer) IS 'Nulls for who has the highest.';

--
-- Name: _reward(bigint, uuid, bigint, bigint, timestamp with time zone); Type: FUNCTION; Schema: referral; Owner: -
--

CREATE FUNCTION referral._reward(p_telegram_id bigint, p_purchase_id uuid, p_referred_id bigint, p_paid_kopecks bigint, p_now timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
  v_paying_count int;
  v_percent int;
  v_reward_kopecks bigint;
  v_to_debt_kopecks bigint;
begin
  insert into referral.paying (telegram_id, referred_id, since)
  values (p_telegram_id, p_referred_id, p_now)
  on conflict on constraint paying_pkey do nothing;

  insert into referral.referrer as r (telegram_id, paying_count, earned_kopecks)
  values (p_telegram_id, found::int, 0)
  on conflict on constraint referrer_pkey do update
  set paying_count = r.paying_count + excluded.paying_count
  returning r.paying_count into v_paying_count;

  v_percent := (referral._level_of(v_paying_count)).percent;
  v_reward_kopecks := p_paid_kopecks * v_percent / 100; -- rounds down

  insert into referral.reward (
    telegram_id, purchase_id, referred_id, status, paid_kopecks, percent, reward_kopecks,
    rewarded_at)
  values (p_telegram_id, p_purchase_id, p_referred_id, 'paid', p_paid_kopecks, v_percent,
          v_reward_kopecks, p_now);
  if v_reward_kopecks = 0 then
    return 0;
  end if;

  select least(w.debt_kopecks, v_reward_kopecks) into strict v_to_debt_kopecks
  from wallet.wallet w
  where w.telegram_id = p_telegram_id;
  if v_to_debt_kopecks > 0 then
    perform ledger._post(p_telegram_id, 'cashback', 'cashback', 'debt', v_to_debt_kopecks, p_now,
                         p_purchase_id => p_purchase_id);
  end if;
  if v_reward_kopecks > v_to_debt_kopecks then
    perform ledger._post(p_telegram_id, 'cashback', 'cashback', 'available',
                         v_reward_kopecks - v_to_debt_kopecks, p_now,
                         p_purchase_id => p_purchase_id);
  end if;

  update referral.referrer r
  set earned_kopecks = r.earned_kopecks + v_reward_kopecks
  where r.telegram_id = p_telegram_id;
  insert into outbox.task (telegram_id, kind, name, due_at, created_at, amount_kopecks)
  values (p_telegram_id, 'message', 'cashback', p_now, p_now, v_reward_kopecks);
  return v_reward_kopecks;
end
$$;

--
-- Name: FUNCTION _reward(p_telegram_id bigint, p_purchase_id uuid, p_referred_id bigint, p_paid_kopecks bigint, p_now timestamp with time zone); Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON FUNCTION referral._reward(p_telegram_id bigint, p_purchase_id uuid, p_referred_id bigint, p_paid_kopecks bigint, p_now timestamp with time zone) IS 'Counts the buyer once, takes the percent of the level that this gives, repays debt first. A reward that rounds down to nothing counts and pays nothing.';

--
-- Name: _void(bigint[], bigint[], timestamp with time zone); Type: FUNCTION; Schema: referral; Owner: -
--

CREATE FUNCTION referral._void(p_users bigint[], p_tasks bigint[], p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  with pair as (
    select distinct r.telegram_id, r.purchase_id, r.other_id, r.amount_kopecks,
           r.task_id as reward_id, c.task_id as clawback_id
    from unnest(p_users, p_tasks) d (telegram_id, task_id)
    join outbox.task t on t.telegram_id = d.telegram_id and t.task_id = d.task_id
    join outbox.task r on r.telegram_id = t.telegram_id and r.purchase_id = t.purchase_id
      and r.kind = 'cashback' and r.name = 'reward' and r.finished_at is null
    join outbox.task c on c.telegram_id = t.telegram_id and c.purchase_id = t.purchase_id
      and c.kind = 'cashback' and c.name = 'clawback' and c.finished_at is null
  ), voided as (
    insert into referral.reward (
      telegram_id, purchase_id, referred_id, status, paid_kopecks, percent, reward_kopecks,
      rewarded_at)
    select p.telegram_id, p.purchase_id, p.other_id, 'void', p.amount_kopecks, 0, 0, p_now
    from pair p
  )
  update outbox.task t
  set finished_at = p_now, outcome = 'void'
  from pair p
  where t.telegram_id = p.telegram_id and t.task_id in (p.reward_id, p.clawback_id);
end
$$;

--
-- Name: FUNCTION _void(p_users bigint[], p_tasks bigint[], p_now timestamp with time zone); Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON FUNCTION referral._void(p_users bigint[], p_tasks bigint[], p_now timestamp with time zone) IS 'A purchase that was taken back before its cashback was paid neither counts nor pays.';

--
-- Name: _work(bigint[], bigint[], bigint[], timestamp with time zone); Type: FUNCTION; Schema: referral; Owner: -
--

CREATE FUNCTION referral._work(p_locked bigint[], p_users bigint[], p_tasks bigint[], p_now timestamp with time zone, OUT paid integer, OUT paid_kopecks bigint) RETURNS record
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
  v_users bigint[];
  v_tasks bigint[];
  v_task record;
  v_reward_kopecks bigint;
begin
  select array_agg(d.telegram_id), array_agg(d.task_id) into v_users, v_tasks
  from unnest(p_users, p_tasks) d (telegram_id, task_id)
  where d.telegram_id = any (p_locked);
  perform referral._void(v_users, v_tasks, p_now);

  paid := 0;
  paid_kopecks := 0;
  for v_task in
    select t.telegram_id, t.task_id, t.name, t.purchase_id, t.other_id, t.amount_kopecks
    from unnest(v_users, v_tasks) d (telegram_id, task_id)
    join outbox.task t on t.telegram_id = d.telegram_id and t.task_id = d.task_id
    where t.finished_at is null
    order by t.telegram_id, t.task_id
  loop
    if v_task.name = 'reward' then
      v_reward_kopecks := referral._reward(v_task.telegram_id, v_task.purchase_id,
                                           v_task.other_id, v_task.amount_kopecks, p_now);
      paid := paid + (v_reward_kopecks > 0)::int;
      paid_kopecks := paid_kopecks + v_reward_kopecks;
      perform outbox._finish(v_task.telegram_id, v_task.task_id, 'done');
    elsif referral._claw_back(v_task.telegram_id, v_task.purchase_id, p_now) then
      perform outbox._finish(v_task.telegram_id, v_task.task_id, 'done');
    else
      perform outbox._finish(v_task.telegram_id, v_task.task_id, 'void');
    end if;
  end loop;
end
$$;

--
-- Name: FUNCTION _work(p_locked bigint[], p_users bigint[], p_tasks bigint[], p_now timestamp with time zone, OUT paid integer, OUT paid_kopecks bigint); Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON FUNCTION referral._work(p_locked bigint[], p_users bigint[], p_tasks bigint[], p_now timestamp with time zone, OUT paid integer, OUT paid_kopecks bigint) IS 'paid and paid_kopecks are the rewards paid, before any claw-back in the same run.';

--
-- Name: detail(bigint, bigint); Type: FUNCTION; Schema: referral; Owner: -
--

CREATE FUNCTION referral.detail(p_admin_id bigint, p_telegram_id bigint) RETURNS TABLE(telegram_id bigint, username text, code text, registered_at timestamp with time zone, referrer_id bigint, referrer_username text, invited bigint, paying bigint, level text, percent integer, earned_kopecks bigint, clawed_back_kopecks bigint, owed_rewards bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);
  perform account._only_admins(p_admin_id);

  return query
  select a.telegram_id::bigint, a.username, a.referral_code, a.registered_at,
         a.referrer_id::bigint, b.username,
         (select count(*) from account.account i where i.referrer_id = a.telegram_id),
         coalesce(r.paying_count, 0)::bigint, l.level, l.percent,
         coalesce(r.earned_kopecks, 0)::bigint,
         (select coalesce(sum(w.reward_kopecks), 0)::bigint from referral.reward w
          where w.telegram_id = a.telegram_id and w.status = 'clawed_back'),
         (select count(*) from outbox.task t
          where t.telegram_id = a.telegram_id and t.kind = 'cashback' and t.finished_at is null
            and t.name = 'reward')
  from account.account a
  left join account.account b on b.telegram_id = a.referrer_id
  left join referral.referrer r on r.telegram_id = a.telegram_id
  cross join lateral referral._level_of(coalesce(r.paying_count, 0)) l
  where a.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

--
-- Name: FUNCTION detail(p_admin_id bigint, p_telegram_id bigint); Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON FUNCTION referral.detail(p_admin_id bigint, p_telegram_id bigint) IS 'For admins only: who invited this user, whom the user invited, level, cashback received less what was clawed back, and how many rewards wait. All from indexes, in the size of what this one user has. Reads only.';

--
-- Name: invited(bigint, bigint, bigint, integer); Type: FUNCTION; Schema: referral; Owner: -
--

CREATE FUNCTION referral.invited(p_admin_id bigint, p_telegram_id bigint, p_before bigint, p_limit integer) RETURNS TABLE(telegram_id bigint, username text, registered_at timestamp with time zone, pays_since timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);
  if not exists (select 1 from account.account a where a.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  return query
  select i.telegram_id::bigint, i.username, i.registered_at, p.since
  from account.account i
  left join referral.paying p
    on p.telegram_id = p_telegram_id and p.referred_id = i.telegram_id
  where i.referrer_id = p_telegram_id and (p_before is null or i.telegram_id < p_before)
  order by i.telegram_id desc
  limit p_limit;
end
$$;

--
-- Name: FUNCTION invited(p_admin_id bigint, p_telegram_id bigint, p_before bigint, p_limit integer); Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON FUNCTION referral.invited(p_admin_id bigint, p_telegram_id bigint, p_before bigint, p_limit integer) IS 'For admins only, by the number downwards from the index account_referrer; p_before is the last page''s last telegram_id. pays_since is null for who has not paid, or whose payment was not processed yet. Reads only.';

--
-- Name: levels(bigint); Type: FUNCTION; Schema: referral; Owner: -
--

CREATE FUNCTION referral.levels(p_admin_id bigint) RETURNS TABLE(level text, from_paying integer, percent integer, referrers bigint, paying bigint, earned_kopecks bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  with ladder as (
    select l.level, l.from_paying, l.percent,
           lead(l.from_paying) over (order by l.from_paying) as up_to
    from referral.level l
  )
  select l.level, min(l.from_paying), min(l.percent)::int, count(r.telegram_id),
         coalesce(sum(r.paying_count), 0)::bigint, coalesce(sum(r.earned_kopecks), 0)::bigint
  from ladder l
  left join referral.referrer r
    on r.paying_count >= l.from_paying and (l.up_to is null or r.paying_count < l.up_to)
  group by grouping sets ((l.level), ())
  order by grouping(l.level), min(l.from_paying);
end
$$;

--
-- Name: FUNCTION levels(p_admin_id bigint); Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON FUNCTION referral.levels(p_admin_id bigint) IS 'For admins only: one row per level, and a last one with a null level for all together. Only who has a referral that paid is a referrer here, so that it reads that table alone. earned_kopecks is cashback paid, less what was clawed back. Reads only.';

--
-- Name: overview(bigint); Type: FUNCTION; Schema: referral; Owner: -
--

CREATE FUNCTION referral.overview(p_admin_id bigint) RETURNS TABLE(invited bigint, owed_rewards bigint, owed_kopecks bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform account._only_admins(p_admin_id);

  return query
  select (select count(*) from account.account a where a.referrer_id is not null),
         count(*), coalesce(sum(w.amount_kopecks * l.percent / 100), 0)::bigint
  from (select t.telegram_id, t.amount_kopecks
        from outbox.task t
        where t.kind = 'cashback' and t.name = 'reward' and t.finished_at is null
        order by t.due_at
        limit 10000) w
  left join referral.referrer r on r.telegram_id = w.telegram_id
  cross join lateral (
    select n.percent
    from referral.level n
    where n.from_paying <= coalesce(r.paying_count, 0)
    order by n.from_paying desc
    limit 1) l;
end
$$;

--
-- Name: FUNCTION overview(p_admin_id bigint); Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON FUNCTION referral.overview(p_admin_id bigint) IS 'For admins only. owed: promised and not worked off yet, the oldest 10 000, at the levels that the referrers have now. What was paid is in referral.levels. invited is read from the index account_referrer. Reads only.';

--
-- Name: pay_due(bigint, integer); Type: FUNCTION; Schema: referral; Owner: -
--

CREATE FUNCTION referral.pay_due(p_epoch bigint, p_limit integer) RETURNS TABLE(paid integer, paid_kopecks bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_users bigint[];
  v_tasks bigint[];
  v_locked bigint[];
  v_user bigint;
  v_done record;
begin
  perform ops._enter_due('referral.pay_due', p_epoch, p_limit);
  v_now := core.now();

  select array_agg(d.telegram_id), array_agg(d.task_id) into v_users, v_tasks
  from referral._due_tasks(v_now, p_limit) d;

  select array_agg(l.telegram_id) into v_locked
  from (
    select a.telegram_id
    from account.account a
    where a.telegram_id = any (v_users)
    order by a.telegram_id
    for no key update skip locked
  ) l;
  v_now := core.now(); -- the candidates' was from before the locks

  begin
    select w.paid, w.paid_kopecks into pay_due.paid, pay_due.paid_kopecks
    from referral._work(v_locked, v_users, v_tasks, v_now) w;
  exception when data_exception or integrity_constraint_violation or no_data_found then
    pay_due.paid := 0;
    pay_due.paid_kopecks := 0;
    foreach v_user in array v_locked loop
      begin
        select w.paid, w.paid_kopecks into v_done
        from referral._work(array[v_user], v_users, v_tasks, v_now) w;
        pay_due.paid := pay_due.paid + v_done.paid;
        pay_due.paid_kopecks := pay_due.paid_kopecks + v_done.paid_kopecks;
      exception when data_exception or integrity_constraint_violation or no_data_found then
        perform ops._bury('referral.pay_due', 'telegram_id:' || v_user, sqlerrm);
      end;
    end loop;
  end;

  return next;
end
$$;

--
-- Name: FUNCTION pay_due(p_epoch bigint, p_limit integer); Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON FUNCTION referral.pay_due(p_epoch bigint, p_limit integer) IS 'Works at most p_limit promised rewards and claw-backs, in the order of their promise for each referrer. A reward is paid once per purchase; one whose claw-back is waiting is void. Referrers that are busy are left for the next run. p_epoch: of the lease referral.pay_due; null by hand.';

--
-- Name: search(bigint, text, integer); Type: FUNCTION; Schema: referral; Owner: -
--

CREATE FUNCTION referral.search(p_admin_id bigint, p_query text, p_limit integer) RETURNS TABLE(telegram_id bigint, username text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
declare
  v_code text := coalesce(substring(p_query from 'ref_([0-9a-f]{16})$'),
                          substring(p_query from '^([0-9a-f]{16})$'));
begin
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  select f.telegram_id, f.username
  from account.find_users(p_admin_id, p_query, p_limit) f
  union
  select a.telegram_id::bigint, a.username
  from account.account a
  where a.referral_code = v_code
  limit p_limit;
end
$_$;

--
-- Name: FUNCTION search(p_admin_id bigint, p_query text, p_limit integer); Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON FUNCTION referral.search(p_admin_id bigint, p_query text, p_limit integer) IS 'What account.find_users finds, and whose code or link it is. Reads only.';

--
-- Name: stats(bigint); Type: FUNCTION; Schema: referral; Owner: -
--

CREATE FUNCTION referral.stats(p_telegram_id bigint) RETURNS TABLE(code text, invited bigint, paying bigint, level text, percent integer, earned_kopecks bigint, next_level text, next_from_paying integer, next_percent integer)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);

  return query
  select a.referral_code,
         (select count(*) from account.account i where i.referrer_id = a.telegram_id),
         coalesce(r.paying_count, 0)::bigint, l.level, l.percent,
         coalesce(r.earned_kopecks, 0)::bigint, n.level, n.from_paying, n.percent
  from account.account a
  left join referral.referrer r on r.telegram_id = a.telegram_id
  cross join lateral referral._level_of(coalesce(r.paying_count, 0)) l
  cross join lateral referral._next_level(coalesce(r.paying_count, 0)) n
  where a.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

--
-- Name: FUNCTION stats(p_telegram_id bigint); Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON FUNCTION referral.stats(p_telegram_id bigint) IS 'Link code, users invited, those of them with a paid purchase that was processed, the level and percent that this gives now, the cashback received less what was clawed back, and the next level with how many paying ones it takes; nulls at the highest. Reads only.';

--
-- Name: top(bigint, bigint, integer); Type: FUNCTION; Schema: referral; Owner: -
--

CREATE FUNCTION referral.top(p_admin_id bigint, p_after bigint, p_limit integer) RETURNS TABLE(telegram_id bigint, username text, paying bigint, level text, percent integer, earned_kopecks bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_paying_count int := 2147483647;
  v_telegram_id bigint := 9223372036854775807;
begin
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);
  if p_after is not null then
    select r.paying_count, r.telegram_id into v_paying_count, v_telegram_id
    from referral.referrer r
    where r.telegram_id = p_after;
  end if;

  return query
  select r.telegram_id::bigint, a.username, r.paying_count::bigint, l.level, l.percent,
         r.earned_kopecks::bigint
  from (select t.telegram_id, t.paying_count, t.earned_kopecks
        from referral.referrer t
        where (t.paying_count, t.telegram_id::bigint) < (v_paying_count, v_telegram_id)
        order by t.paying_count desc, t.telegram_id desc
        limit p_limit) r
  join account.account a on a.telegram_id = r.telegram_id
  cross join lateral referral._level_of(r.paying_count) l
  order by r.paying_count desc, r.telegram_id desc;
end
$$;

--
-- Name: FUNCTION top(p_admin_id bigint, p_after bigint, p_limit integer); Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON FUNCTION referral.top(p_admin_id bigint, p_after bigint, p_limit integer) IS 'For admins only, a page at a time from the index referrer_by_paying; p_after is the last page''s last telegram_id. Reads only.';

--
-- Name: _activate(bigint, text, timestamp with time zone, subscription.period, uuid, boolean, timestamp with time zone); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription._activate(p_telegram_id bigint, p_tariff text, p_expires_at timestamp with time zone, p_period subscription.period, p_vpn_uuid uuid, p_stops_renewal boolean, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_trial_started_at timestamptz;
begin
  select c.changed_at into v_trial_started_at
  from subscription.change c where c.telegram_id = p_telegram_id and c.kind = 'trial';

  insert into subscription.subscription as s (
    telegram_id, tariff, period, started_at, expires_at, activation, vpn_uuid, expiry_check_at,
    reminder_check_at)
  values (p_telegram_id, p_tariff, p_period,
          case when p_period = 'trial' then v_trial_started_at else p_now end,
          p_expires_at, 'pending', p_vpn_uuid, p_expires_at, p_now)
  on conflict on constraint subscription_pkey do update
  set tariff = excluded.tariff,
      period = excluded.period,
      started_at = case when s.vpn_uuid = excluded.vpn_uuid and s.period = excluded.period
                        then s.started_at else excluded.started_at end,
      expires_at = excluded.expires_at,
      auto_renew = s.auto_renew and not p_stops_renewal,
      activation = case when s.vpn_uuid = excluded.vpn_uuid and s.activation = 'active'
                        then s.activation else 'pending' end,
      key_uri = case when s.vpn_uuid = excluded.vpn_uuid then s.key_uri end,
      vpn_uuid = excluded.vpn_uuid,
      expiry_check_at = least(s.expiry_check_at, excluded.expires_at),
      renew_check_at = case when s.auto_renew and not p_stops_renewal
                            then least(s.renew_check_at, p_now) end,
      reminder_check_at = p_now;
end
$$;

--
-- Name: FUNCTION _activate(p_telegram_id bigint, p_tariff text, p_expires_at timestamp with time zone, p_period subscription.period, p_vpn_uuid uuid, p_stops_renewal boolean, p_now timestamp with time zone); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription._activate(p_telegram_id bigint, p_tariff text, p_expires_at timestamp with time zone, p_period subscription.period, p_vpn_uuid uuid, p_stops_renewal boolean, p_now timestamp with time zone) IS 'Makes the subscription, or changes it; the identity and its key stay as long as it is in force.';

--
-- Name: _add_months(timestamp with time zone, integer); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription._add_months(p_start timestamp with time zone, p_months integer) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE
    AS $$
  select ((p_start at time zone 'UTC') + make_interval(months => p_months)) at time zone 'UTC'
$$;

--
-- Name: FUNCTION _add_months(p_start timestamp with time zone, p_months integer); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription._add_months(p_start timestamp with time zone, p_months integer) IS '31 January + 1 month is 28 or 29 February, whatever the session''s time zone.';

--
-- Name: _change(bigint, subscription.change_kind, text, timestamp with time zone, subscription.period, timestamp with time zone, uuid, bigint, text, interval, text, boolean); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription._change(p_telegram_id bigint, p_kind subscription.change_kind, p_tariff text, p_expires_at timestamp with time zone, p_period subscription.period, p_now timestamp with time zone, p_purchase_id uuid DEFAULT NULL::uuid, p_actor_id bigint DEFAULT NULL::bigint, p_reason text DEFAULT NULL::text, p_duration interval DEFAULT NULL::interval, p_idempotency_key text DEFAULT NULL::text, p_is_told boolean DEFAULT true) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_change_id bigint := nextval('outbox.task_id');
  v_before record;
  v_is_active boolean := coalesce(p_expires_at > p_now, false);
  v_vpn_uuid uuid;
begin
  select s.tariff, s.expires_at, s.period, s.vpn_uuid, s.activation,
         s.expires_at > p_now as is_active
  into v_before
  from subscription.subscription s where s.telegram_id = p_telegram_id;
  v_vpn_uuid := case when v_before.is_active or not v_is_active then v_before.vpn_uuid
                     else gen_random_uuid() end; -- after expiry the identity is a new one

  insert into subscription.change (
    telegram_id, change_id, kind, before_tariff, before_expires_at, before_period, after_tariff,
    after_expires_at, after_period, vpn_uuid, duration, purchase_id, actor_id, reason,
    is_told, idempotency_key, changed_at)
  values (
    p_telegram_id, v_change_id, p_kind, v_before.tariff, v_before.expires_at, v_before.period,
    p_tariff, p_expires_at, p_period, v_vpn_uuid, p_duration, p_purchase_id, p_actor_id,
    p_reason, p_is_told, p_idempotency_key, p_now);

  if v_is_active then
    insert into outbox.task (
      telegram_id, kind, name, due_at, created_at, purchase_id, vpn_uuid)
    values (p_telegram_id, 'provision', 'add', p_now, p_now, p_purchase_id, v_vpn_uuid);
  end if;
  if v_before.activation <> 'none' and not (v_is_active and v_before.is_active) then
    perform subscription._retire(p_telegram_id, p_now);
  end if;

  if p_tariff is null then
    delete from subscription.subscription s where s.telegram_id = p_telegram_id;
  elsif v_is_active then
    perform subscription._activate(p_telegram_id, p_tariff, p_expires_at, p_period, v_vpn_uuid,
                                   p_kind in ('refund', 'reversal', 'revoke'), p_now);
  else
    update subscription.subscription s
    set tariff = p_tariff, period = p_period, expires_at = p_expires_at, auto_renew = false,
        activation = 'none', key_uri = null, expiry_check_at = null, renew_check_at = null,
        reminder_check_at = null
    where s.telegram_id = p_telegram_id;
  end if;
end
$$;

--
-- Name: FUNCTION _change(p_telegram_id bigint, p_kind subscription.change_kind, p_tariff text, p_expires_at timestamp with time zone, p_period subscription.period, p_now timestamp with time zone, p_purchase_id uuid, p_actor_id bigint, p_reason text, p_duration interval, p_idempotency_key text, p_is_told boolean); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription._change(p_telegram_id bigint, p_kind subscription.change_kind, p_tariff text, p_expires_at timestamp with time zone, p_period subscription.period, p_now timestamp with time zone, p_purchase_id uuid, p_actor_id bigint, p_reason text, p_duration interval, p_idempotency_key text, p_is_told boolean) IS 'Trials, grants, revocations, refunds, reversals. A null p_tariff leaves no subscription, as before the first one; an end that is not after p_now leaves an expired one.';

--
-- Name: _expire(bigint[], timestamp with time zone); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription._expire(p_users bigint[], p_now timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    AS $$
declare
  v_expired int;
begin
  with looked_at as (
    update subscription.subscription s
    set expiry_check_at = case when s.expires_at > p_now then s.expires_at end,
        activation = case when s.expires_at > p_now then s.activation else 'none' end,
        key_uri = case when s.expires_at > p_now then s.key_uri end,
        renew_check_at = case when s.expires_at > p_now then s.renew_check_at end,
        reminder_check_at = case when s.expires_at > p_now then s.reminder_check_at end
    where s.telegram_id = any (p_users) and s.expiry_check_at <= p_now
    returning s.telegram_id, s.tariff, s.period, s.expires_at, s.vpn_uuid,
              s.expires_at <= p_now as is_over
  ), told as (
    insert into outbox.task (telegram_id, kind, name, due_at, created_at, vpn_uuid, arguments)
    select l.telegram_id, t.kind, t.name, p_now, p_now, t.vpn_uuid, t.arguments
    from looked_at l
    cross join lateral (values
      ('provision'::outbox.kind, 'remove', l.vpn_uuid, null::jsonb),
      ('message', case l.period when 'trial' then 'trial_ended' else 'subscription_expired' end,
       null, jsonb_build_object('tariff', l.tariff, 'expires_at', l.expires_at))
    ) t (kind, name, vpn_uuid, arguments)
    where l.is_over
  )
  select (count(*) filter (where l.is_over))::int into v_expired from looked_at l;
  return v_expired;
end
$$;

--
-- Name: FUNCTION _expire(p_users bigint[], p_now timestamp with time zone); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription._expire(p_users bigint[], p_now timestamp with time zone) IS 'What has ended loses its key, and its user is told; what was renewed meanwhile is looked at again at its end.';

--
-- Name: _extend(bigint, text, timestamp with time zone, uuid, timestamp with time zone); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription._extend(p_telegram_id bigint, p_tariff text, p_expires_at timestamp with time zone, p_vpn_uuid uuid, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  update subscription.subscription s
  set tariff = p_tariff,
      period = 'paid',
      started_at = case when s.vpn_uuid = p_vpn_uuid and s.period = 'paid'
                        then s.started_at else p_now end,
      expires_at = p_expires_at,
      activation = case when s.vpn_uuid = p_vpn_uuid and s.activation = 'active'
                        then s.activation else 'pending' end,
      key_uri = case when s.vpn_uuid = p_vpn_uuid then s.key_uri end,
      vpn_uuid = p_vpn_uuid,
      expiry_check_at = least(s.expiry_check_at, p_expires_at),
      renew_check_at = case when not s.auto_renew then null
                            when p_expires_at < s.expires_at then p_now
                            else coalesce(s.renew_check_at, p_now) end,
      reminder_check_at = case when p_expires_at < s.expires_at then p_now
                               else coalesce(s.reminder_check_at, p_now) end
  where s.telegram_id = p_telegram_id;
  if not found then
    insert into subscription.subscription (
      telegram_id, tariff, started_at, expires_at, activation, vpn_uuid, expiry_check_at,
      reminder_check_at)
    values (p_telegram_id, p_tariff, p_now, p_expires_at, 'pending', p_vpn_uuid, p_expires_at,
            p_now);
  end if;
end
$$;

--
-- Name: FUNCTION _extend(p_telegram_id bigint, p_tariff text, p_expires_at timestamp with time zone, p_vpn_uuid uuid, p_now timestamp with time zone); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription._extend(p_telegram_id bigint, p_tariff text, p_expires_at timestamp with time zone, p_vpn_uuid uuid, p_now timestamp with time zone) IS 'A purchase, paid. Due times that are set stay where they are: only the worker moves them forward, so that renewing is a HOT update. A move to a dearer tariff can bring the end forward: then the worker looks at once.';

--
-- Name: _find_change(bigint, subscription.change_kind, text, bigint, text, interval, text, boolean); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription._find_change(p_telegram_id bigint, p_kind subscription.change_kind, p_idempotency_key text, p_actor_id bigint, p_tariff text, p_duration interval, p_reason text, p_is_told boolean, OUT is_found boolean, OUT expires_at timestamp with time zone, OUT vpn_uuid uuid) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_column
declare
  v_first record;
begin
  select c.change_id, c.actor_id, c.after_tariff, c.duration, c.reason, c.after_expires_at,
         c.vpn_uuid, c.is_told
  into v_first
  from subscription.change c
  where c.telegram_id = p_telegram_id and c.kind = p_kind
    and c.idempotency_key = p_idempotency_key;

  _find_change.is_found := found;
  if _find_change.is_found
     and ((v_first.actor_id, v_first.duration, v_first.reason, v_first.is_told)
            is distinct from (p_actor_id, p_duration, p_reason, p_is_told)
          or v_first.after_tariff <> p_tariff) then
    perform core._refuse('ID001', format('change_id %s has the key', v_first.change_id));
  end if;
  _find_change.expires_at := v_first.after_expires_at;
  _find_change.vpn_uuid := v_first.vpn_uuid;
end
$$;

--
-- Name: FUNCTION _find_change(p_telegram_id bigint, p_kind subscription.change_kind, p_idempotency_key text, p_actor_id bigint, p_tariff text, p_duration interval, p_reason text, p_is_told boolean, OUT is_found boolean, OUT expires_at timestamp with time zone, OUT vpn_uuid uuid); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription._find_change(p_telegram_id bigint, p_kind subscription.change_kind, p_idempotency_key text, p_actor_id bigint, p_tariff text, p_duration interval, p_reason text, p_is_told boolean, OUT is_found boolean, OUT expires_at timestamp with time zone, OUT vpn_uuid uuid) IS 'The first answer of the call that has this key. A null p_tariff is not compared.';

--
-- Name: _fulfil_renewals(bigint[], uuid[], timestamp with time zone); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription._fulfil_renewals(p_users bigint[], p_purchases uuid[], p_now timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    AS $$
declare
  v_window interval := make_interval(secs => ops._setting_value('renewal_window_seconds'));
  v_renewed int;
begin
  with bought as materialized (
    select u.telegram_id, u.purchase_id, u.tariff, u.price_kopecks, u.after_expires_at,
           u.provision_task_id, a.referrer_id
    from unnest(p_users, p_purchases) p (telegram_id, purchase_id)
    join billing.purchase u on u.telegram_id = p.telegram_id and u.purchase_id = p.purchase_id
    join account.account a on a.telegram_id = u.telegram_id
  ), extended as (
    update subscription.subscription s
    set tariff = b.tariff,
        period = 'paid',
        started_at = case s.period when 'paid' then s.started_at else p_now end,
        expires_at = b.after_expires_at,
        activation = case s.activation when 'active' then s.activation else 'pending' end,
        expiry_check_at = b.after_expires_at,
        renew_check_at = b.after_expires_at - v_window,
        reminder_check_at = p_now
    from bought b
    where s.telegram_id = b.telegram_id
    returning b.telegram_id, b.purchase_id, b.price_kopecks, b.provision_task_id, b.referrer_id,
              s.vpn_uuid
  ), promised as (
    insert into outbox.task (
      telegram_id, task_id, kind, name, due_at, created_at, purchase_id, vpn_uuid,
      amount_kopecks, other_id)
    select t.telegram_id, coalesce(t.task_id, nextval('outbox.task_id')), t.kind, t.name, p_now,
           p_now, e.purchase_id, t.vpn_uuid, t.amount_kopecks, t.other_id
    from extended e
    cross join lateral (values
      (e.telegram_id, e.provision_task_id, 'provision'::outbox.kind, 'add', e.vpn_uuid,
       null::bigint, null::bigint),
      (e.telegram_id, null, 'message', 'renewal_done', null, e.price_kopecks, null),
      (e.referrer_id, null, 'cashback', 'reward', null, e.price_kopecks, e.telegram_id)
    ) t (telegram_id, task_id, kind, name, vpn_uuid, amount_kopecks, other_id)
    where t.kind <> 'cashback' or (t.telegram_id is not null and e.price_kopecks > 0)
  )
  select count(*)::int into v_renewed from bought b;
  return v_renewed;
end
$$;

--
-- Name: FUNCTION _fulfil_renewals(p_users bigint[], p_purchases uuid[], p_now timestamp with time zone); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription._fulfil_renewals(p_users bigint[], p_purchases uuid[], p_now timestamp with time zone) IS 'As billing._fulfil, for many: p_users[i] has paid p_purchases[i]. Each subscription is in force and keeps its identity. All due times move forward at once: no HOT update is to be had here, and the next runs pass them by.';

--
-- Name: _renew(bigint[], timestamp with time zone); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription._renew(p_users bigint[], p_now timestamp with time zone, OUT renewed integer, OUT declined integer) RETURNS record
    LANGUAGE plpgsql
    AS $$
declare
  v_renewed bigint[];
  v_purchases uuid[];
begin
  with plan as materialized (
    select r.*, gen_random_uuid() as purchase_id, nextval('outbox.task_id') as task_id
    from subscription._renewals(p_users, p_now) r
  ), charged as (
    update wallet.wallet w
    set available_kopecks = w.available_kopecks - p.price_kopecks,
        version = w.version + (p.price_kopecks > 0)::int
    from plan p
    where w.telegram_id = p.telegram_id and p.outcome = 'renew'
    returning w.telegram_id, w.version, w.available_kopecks, w.held_kopecks, w.debt_kopecks,
              p.price_kopecks, p.purchase_id
  ), booked as (
    insert into ledger.transfer (
      telegram_id, version, debit_account, credit_account, reason, amount_kopecks,
      available_kopecks, held_kopecks, debt_kopecks, created_at, purchase_id)
    select c.telegram_id, c.version, 'available', 'revenue', 'purchase', c.price_kopecks,
           c.available_kopecks, c.held_kopecks, c.debt_kopecks, p_now, c.purchase_id
    from charged c where c.price_kopecks > 0
  ), bought as (
    insert into billing.purchase (
      telegram_id, purchase_id, kind, status, tariff, months, list_kopecks, discount_kind,
      discount_percent, price_kopecks, idempotency_key, opened_at, expires_at, closed_at,
      paid_with, before_tariff, before_expires_at, before_period, period_starts_at,
      after_expires_at, renews_expires_at, quoted_expires_at, available_after_kopecks,
      provision_task_id)
    select p.telegram_id, p.purchase_id, 'subscription', 'paid', p.tariff, p.months,
           p.list_kopecks, p.discount_kind, p.discount_percent, p.price_kopecks,
           'renewal:' || p.purchase_id, p_now, p_now, p_now,
           case when p.price_kopecks > 0 then 'balance' else 'free' end, p.before_tariff,
           p.before_expires_at, p.before_period, p.starts_at, p.expires_at, p.before_expires_at,
           p.expires_at, c.available_kopecks, p.task_id
    from plan p join charged c on c.telegram_id = p.telegram_id
  ), postponed as (
    update subscription.subscription s
    set renew_check_at = p.check_at,
        renew_declined_for = case p.outcome when 'decline' then s.expires_at
                                            else s.renew_declined_for end
    from plan p
    where s.telegram_id = p.telegram_id and p.outcome <> 'renew'
  ), told as (
    insert into outbox.task (
      telegram_id, kind, name, due_at, created_at, amount_kopecks, arguments)
    select p.telegram_id, 'message', 'renewal_declined', p_now, p_now, p.price_kopecks,
           jsonb_build_object('tariff', p.tariff, 'months', p.months,
                              'expires_at', p.before_expires_at)
    from plan p where p.outcome = 'decline' and not p.is_told
  )
  select array_agg(p.telegram_id) filter (where p.outcome = 'renew'),
         array_agg(p.purchase_id) filter (where p.outcome = 'renew'),
         (count(*) filter (where p.outcome = 'decline'))::int
  into v_renewed, v_purchases, _renew.declined
  from plan p;

  _renew.renewed := subscription._fulfil_renewals(v_renewed, v_purchases, p_now);
end
$$;

--
-- Name: FUNCTION _renew(p_users bigint[], p_now timestamp with time zone, OUT renewed integer, OUT declined integer); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription._renew(p_users bigint[], p_now timestamp with time zone, OUT renewed integer, OUT declined integer) IS 'What ledger._post and billing._fulfil do for one purchase, for all that are due at once. The constraint purchase_renews_period_once has the last word on a second charge.';

--
-- Name: _renewals(bigint[], timestamp with time zone); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription._renewals(p_users bigint[], p_now timestamp with time zone) RETURNS TABLE(telegram_id bigint, outcome text, check_at timestamp with time zone, is_told boolean, tariff text, months smallint, list_kopecks bigint, discount_kind billing.discount_kind, discount_percent integer, price_kopecks bigint, before_tariff text, before_expires_at timestamp with time zone, before_period subscription.period, starts_at timestamp with time zone, expires_at timestamp with time zone)
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_column
declare
  v_window interval := make_interval(secs => ops._setting_value('renewal_window_seconds'));
  v_vip_percent int := ops._setting_value('vip_discount_percent')::int;
begin
  return query
  with due as (
    select s.telegram_id, s.tariff, s.expires_at, s.period, s.renew_declined_for,
           s.expires_at - v_window as near_at, w.available_kopecks,
           s.auto_renew and s.expires_at > p_now and not a.is_blocked as is_wanted,
           case when a.is_vip then v_vip_percent else 0 end as vip,
           case when a.discount_expires_at <= p_now then 0
                else coalesce(a.discount_percent, 0)::int end as personal
    from subscription.subscription s
    join account.account a on a.telegram_id = s.telegram_id
    join wallet.wallet w on w.telegram_id = s.telegram_id
    where s.telegram_id = any (p_users) and s.renew_check_at <= p_now
  ), priced as (
    select d.*, u.tariff as plan_tariff, u.months, p.list_kopecks::bigint as list_kopecks,
           (p.list_kopecks * (100 - greatest(d.vip, d.personal)) + 50) / 100 as price_kopecks
    from due d
    left join lateral (
      select o.tariff, o.months from billing.purchase o
      where o.telegram_id = d.telegram_id and o.kind = 'subscription' and o.status = 'paid'
      order by o.provision_task_id desc limit 1) u on d.is_wanted and d.near_at <= p_now
    left join billing.tariff f on f.tariff = u.tariff and f.is_on_sale
    left join billing.tariff_price p on p.tariff = f.tariff and p.months = u.months
  ), decided as (
    select p.*, case when not p.is_wanted then 'stop'
                     when p.near_at > p_now then 'wait'
                     when p.plan_tariff is null or exists (
                       select 1 from billing.purchase o
                       where o.telegram_id = p.telegram_id
                         and o.renews_expires_at = p.expires_at) then 'stop'
                     when p.available_kopecks >= p.price_kopecks then 'renew'
                     else 'decline' end as outcome
    from priced p
  )
  select d.telegram_id::bigint, d.outcome,
         case d.outcome when 'wait' then d.near_at when 'renew' then e.expires_at - v_window end,
         coalesce(d.renew_declined_for = d.expires_at, false), d.plan_tariff, d.months,
         d.list_kopecks,
         case when greatest(d.vip, d.personal) = 0 then 'none' when d.vip >= d.personal then 'vip'
              else 'personal' end::billing.discount_kind,
         greatest(d.vip, d.personal), d.price_kopecks, d.tariff, d.expires_at, d.period,
         b.starts_at, e.expires_at
  from decided d
  left join lateral subscription._start_after(
    p_now, d.plan_tariff, d.tariff, d.expires_at, d.period) b (starts_at) on d.outcome = 'renew'
  left join lateral subscription._add_months(b.starts_at, d.months) e (expires_at) on true;
end
$$;

--
-- Name: FUNCTION _renewals(p_users bigint[], p_now timestamp with time zone); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription._renewals(p_users bigint[], p_now timestamp with time zone) IS 'outcome: wait (not near its end yet), stop (nothing to renew), renew, or decline (too little money, or the plan is no longer sold: price_kopecks is null). The price is as in billing._price, without a promo code. check_at: when to look again. is_told: this end was declined before.';

--
-- Name: _require_duration(interval); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription._require_duration(p_duration interval) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
begin
  -- extract, because comparing intervals takes a month for 30 days.
  perform core._require(
    extract(year from p_duration) = 0 and extract(month from p_duration) = 0
      and extract(epoch from p_duration) between 60 and 3650 * 86400
      and extract(epoch from p_duration) % 60 = 0,
    'p_duration: minutes, hours or days, at least 1 minute and at most 3650 days');
end
$$;

--
-- Name: FUNCTION _require_duration(p_duration interval); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription._require_duration(p_duration interval) IS 'Whole minutes, hours and days only: months have no fixed length.';

--
-- Name: _retire(bigint, timestamp with time zone, bigint); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription._retire(p_telegram_id bigint, p_now timestamp with time zone, p_request_id bigint DEFAULT NULL::bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  insert into outbox.task (telegram_id, kind, name, due_at, created_at, vpn_uuid, other_id)
  select s.telegram_id, 'provision', 'remove', p_now, p_now, s.vpn_uuid, p_request_id
  from subscription.subscription s
  where s.telegram_id = p_telegram_id and s.activation <> 'none';
end
$$;

--
-- Name: FUNCTION _retire(p_telegram_id bigint, p_now timestamp with time zone, p_request_id bigint); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription._retire(p_telegram_id bigint, p_now timestamp with time zone, p_request_id bigint) IS 'Before a row gets another identity or ends. Nothing to do once subscription.expire_due has been there: activation is none. p_request_id: of vpn.reissue_request, if it is for everybody.';

--
-- Name: _start_after(timestamp with time zone, text, text, timestamp with time zone, subscription.period); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription._start_after(p_now timestamp with time zone, p_tariff text, p_before_tariff text, p_before_expires_at timestamp with time zone, p_before_period subscription.period) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    AS $$
begin
  if (p_before_expires_at > p_now) is not true or p_before_period = 'trial' then
    return p_now;
  elsif p_before_tariff = p_tariff then
    return p_before_expires_at;
  end if;
  -- In UTC: the days of an interval are as long as the session's time zone makes them.
  return ((p_now at time zone 'UTC')
          + billing._convert(p_before_expires_at - p_now, p_before_tariff, p_tariff))
         at time zone 'UTC';
end
$$;

--
-- Name: FUNCTION _start_after(p_now timestamp with time zone, p_tariff text, p_before_tariff text, p_before_expires_at timestamp with time zone, p_before_period subscription.period); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription._start_after(p_now timestamp with time zone, p_tariff text, p_before_tariff text, p_before_expires_at timestamp with time zone, p_before_period subscription.period) IS 'The end in force, or now; a trial is replaced; another tariff converts the remaining time when it ranks higher. Nulls: no subscription yet.';

--
-- Name: _switch_kind(bigint, text, timestamp with time zone); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription._switch_kind(p_telegram_id bigint, p_tariff text, p_now timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    AS $$
  select case when s.period = 'trial' then 'trial'
              when s.tariff = b.tariff then null
              when b.rank > o.rank then 'up'
              else 'down' end
  from subscription.subscription s
  join billing.tariff o on o.tariff = s.tariff
  join billing.tariff b on b.tariff = p_tariff
  where s.telegram_id = p_telegram_id and s.expires_at > p_now
$$;

--
-- Name: FUNCTION _switch_kind(p_telegram_id bigint, p_tariff text, p_now timestamp with time zone); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription._switch_kind(p_telegram_id bigint, p_tariff text, p_now timestamp with time zone) IS 'trial: it is replaced; up: the remaining time converts; down: it stays; null: the same tariff, or nothing is in force. For screens: subscription._start_after decides.';

--
-- Name: _trial_refusal(bigint, timestamp with time zone); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription._trial_refusal(p_telegram_id bigint, p_now timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    AS $$
  select case
    when exists (select 1 from ops.feature f where f.name = 'trials' and not f.is_on) then 'OP003'
    when a.is_blocked then 'US002'
    when exists (select 1 from subscription.change c
                 where c.telegram_id = a.telegram_id and c.kind = 'trial') then 'SU002'
    when exists (select 1 from subscription.subscription s
                 where s.telegram_id = a.telegram_id and s.expires_at > p_now) then 'SU003'
  end
  from account.account a
  where a.telegram_id = p_telegram_id
$$;

--
-- Name: FUNCTION _trial_refusal(p_telegram_id bigint, p_now timestamp with time zone); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription._trial_refusal(p_telegram_id bigint, p_now timestamp with time zone) IS 'The SQLSTATE, without the user''s lock: for screens only. Three looks into indexes.';

--
-- Name: current(bigint); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription.current(p_telegram_id bigint) RETURNS TABLE(status text, tariff text, expires_at timestamp with time zone, auto_renew boolean, activation text, vpn_uuid uuid, key_uri text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require_user_id(p_telegram_id);

  return query
  select case when s.telegram_id is null then 'none'
              when s.expires_at <= v_now then 'expired'
              when s.period = 'trial' then 'trial'
              else 'active' end,
         s.tariff, s.expires_at, coalesce(s.auto_renew, false),
         coalesce(s.activation, 'none')::text, s.vpn_uuid, s.key_uri
  from account.account a
  left join subscription.subscription s on s.telegram_id = a.telegram_id
  where a.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

--
-- Name: FUNCTION current(p_telegram_id bigint); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription.current(p_telegram_id bigint) IS 'status: none, trial, active or expired. activation: none, pending (the key is on its way), active or failed. key_uri is null until the node has given it. Reads only.';

--
-- Name: expire_due(bigint, integer); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription.expire_due(p_epoch bigint, p_limit integer) RETURNS TABLE(expired integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_now timestamptz;
  v_users bigint[];
  v_user bigint;
  v_expired int := 0;
begin
  perform ops._enter_due('subscription.expire_due', p_epoch, p_limit);
  v_now := core.now();

  select array_agg(l.telegram_id) into v_users
  from (
    select a.telegram_id
    from account.account a
    where a.telegram_id = any (array(
      select s.telegram_id from subscription.subscription s
      where s.expiry_check_at <= v_now
        and not exists (
          select 1 from ops.dead d
          where d.job_name = 'subscription.expire_due'
            and d.subject = 'telegram_id:' || s.telegram_id
            and d.died_at > v_now - interval '1 hour')
      order by s.expiry_check_at
      limit p_limit))
    order by a.telegram_id
    for no key update skip locked
  ) l;
  v_now := core.now(); -- the candidates' was from before the locks

  begin
    v_expired := subscription._expire(v_users, v_now);
  exception when data_exception or integrity_constraint_violation then
    foreach v_user in array v_users loop
      begin
        v_expired := v_expired + subscription._expire(array[v_user], v_now);
      exception when data_exception or integrity_constraint_violation then
        perform ops._bury('subscription.expire_due', 'telegram_id:' || v_user, sqlerrm);
      end;
    end loop;
  end;

  return query select v_expired;
end
$$;

--
-- Name: FUNCTION expire_due(p_epoch bigint, p_limit integer); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription.expire_due(p_epoch bigint, p_limit integer) IS 'Ends at most p_limit subscriptions whose time is over: the key is removed from the node, the user is told. Users that are busy are left for the next run. p_epoch: of the lease subscription.expire_due; null by hand.';

--
-- Name: grant_time(bigint, bigint, text, interval, text, text, boolean); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription.grant_time(p_admin_id bigint, p_telegram_id bigint, p_tariff text, p_duration interval, p_reason text, p_idempotency_key text, p_is_told boolean DEFAULT true) RETURNS TABLE(expires_at timestamp with time zone, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_first record;
  v_before record;
  v_expires_at timestamptz;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require_user_id(p_telegram_id);
  perform core._require(exists (select 1 from billing.tariff t where t.tariff = p_tariff),
                        'p_tariff: a tariff in billing.list_prices()');
  perform subscription._require_duration(p_duration);
  perform core._require(length(p_reason) between 1 and 1000, 'p_reason: 1 to 1000 characters');
  perform core._require(p_is_told is not null, 'p_is_told: whether the user is told');
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);
  perform account._lock(p_telegram_id);
  v_now := core.now();

  select f.is_found, f.expires_at into v_first
  from subscription._find_change(p_telegram_id, 'grant', p_idempotency_key, p_admin_id,
                                 p_tariff, p_duration, p_reason, p_is_told) f;
  if v_first.is_found then
    return query select v_first.expires_at, true;
    return;
  end if;

  select s.tariff, s.expires_at, s.period, s.expires_at > v_now as is_active into v_before
  from subscription.subscription s where s.telegram_id = p_telegram_id;
  -- Unlike a purchase, a grant does not replace a trial: it is added to it. In UTC: a day is 24 h.
  v_expires_at := (subscription._start_after(
                     v_now, p_tariff, v_before.tariff, v_before.expires_at, 'grant')
                   at time zone 'UTC' + p_duration) at time zone 'UTC';

  perform subscription._change(
    p_telegram_id, 'grant', p_tariff, v_expires_at,
    case when v_before.is_active and v_before.period = 'paid' then 'paid' else 'grant' end
      ::subscription.period,
    v_now, p_actor_id => p_admin_id, p_reason => p_reason, p_duration => p_duration,
    p_idempotency_key => p_idempotency_key, p_is_told => p_is_told);
  perform audit._record('subscription.grant_time', p_admin_id, p_telegram_id::text,
    jsonb_build_object('tariff', p_tariff, 'duration', p_duration, 'reason', p_reason,
                       'expires_at', v_expires_at));
  insert into outbox.task (telegram_id, kind, name, due_at, created_at, arguments)
  select p_telegram_id, 'message', 'time_granted', v_now, v_now,
         jsonb_build_object('tariff', p_tariff, 'expires_at', v_expires_at)
  where p_is_told;

  return query select v_expires_at, false;
end
$$;

--
-- Name: FUNCTION grant_time(p_admin_id bigint, p_telegram_id bigint, p_tariff text, p_duration interval, p_reason text, p_idempotency_key text, p_is_told boolean); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription.grant_time(p_admin_id bigint, p_telegram_id bigint, p_tariff text, p_duration interval, p_reason text, p_idempotency_key text, p_is_told boolean) IS 'Gives p_duration (minutes, hours or days; months are refused) of a tariff, from the end in force or from now. The tariff is in force at once; remaining time converts as at a purchase. The user is told, unless p_is_told is false. Idempotent by p_idempotency_key.';

--
-- Name: renew_due(bigint, integer); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription.renew_due(p_epoch bigint, p_limit integer) RETURNS TABLE(renewed integer, declined integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_now timestamptz;
  v_users bigint[];
  v_user bigint;
  v_done record;
begin
  perform ops._enter_due('subscription.renew_due', p_epoch, p_limit);
  perform core._require_feature('auto_renewal');
  v_now := core.now();
  renew_due.renewed := 0;
  renew_due.declined := 0;

  select array_agg(l.telegram_id) into v_users
  from (
    select a.telegram_id
    from account.account a
    where a.telegram_id = any (array(
      select s.telegram_id from subscription.subscription s
      where s.renew_check_at <= v_now
        and not exists (
          select 1 from ops.dead d
          where d.job_name = 'subscription.renew_due'
            and d.subject = 'telegram_id:' || s.telegram_id
            and d.died_at > v_now - interval '1 hour')
      order by s.renew_check_at
      limit p_limit))
    order by a.telegram_id
    for no key update skip locked
  ) l;
  v_now := core.now(); -- the candidates' was from before the locks

  begin
    select r.renewed, r.declined into renew_due.renewed, renew_due.declined
    from subscription._renew(v_users, v_now) r;
  exception when data_exception or integrity_constraint_violation then
    foreach v_user in array v_users loop
      begin
        select r.renewed, r.declined into v_done from subscription._renew(array[v_user], v_now) r;
        renew_due.renewed := renew_due.renewed + v_done.renewed;
        renew_due.declined := renew_due.declined + v_done.declined;
      exception when data_exception or integrity_constraint_violation then
        perform ops._bury('subscription.renew_due', 'telegram_id:' || v_user, sqlerrm);
      end;
    end loop;
  end;

  return next;
end
$$;

--
-- Name: FUNCTION renew_due(p_epoch bigint, p_limit integer); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription.renew_due(p_epoch bigint, p_limit integer) IS 'Within 6 hours before the end (setting renewal_window_seconds): the plan of the last paid purchase, VIP and personal discounts only, at most one charge per period. Too little money: no charge, one message per period, and again after a deposit. Users that are busy are left for the next run. p_epoch: of the lease subscription.renew_due; null by hand.';

--
-- Name: renewal(bigint); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription.renewal(p_telegram_id bigint) RETURNS TABLE(auto_renew boolean, expires_at timestamp with time zone, renews_at timestamp with time zone, tariff text, months integer, list_kopecks bigint, discount_percent integer, price_kopecks bigint, is_sold boolean, available_kopecks bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
  v_window interval := make_interval(secs => ops._setting_value('renewal_window_seconds'));
  v_percent int := account._discount_percent(p_telegram_id, v_now);
begin
  perform core._require_user_id(p_telegram_id);

  return query
  select coalesce(s.auto_renew, false), s.expires_at, s.expires_at - v_window, u.tariff,
         u.months::int, p.list_kopecks::bigint, v_percent,
         (p.list_kopecks * (100 - v_percent) + 50) / 100, p.list_kopecks is not null,
         w.available_kopecks::bigint
  from wallet.wallet w
  left join subscription.subscription s
    on s.telegram_id = w.telegram_id and s.expires_at > v_now
  left join lateral (
    select o.tariff, o.months from billing.purchase o
    where o.telegram_id = w.telegram_id and o.kind = 'subscription' and o.status = 'paid'
    order by o.provision_task_id desc limit 1) u on true
  left join billing.tariff f on f.tariff = u.tariff and f.is_on_sale
  left join billing.tariff_price p on p.tariff = f.tariff and p.months = u.months
  where w.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

--
-- Name: FUNCTION renewal(p_telegram_id bigint); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription.renewal(p_telegram_id bigint) IS 'The plan of the last purchase at the price of now, as auto-renewal would take it: without a promo code. tariff is null where nothing was bought yet, and prices where it is no longer sold (is_sold false). expires_at and renews_at (when auto-renewal begins to try) are null where nothing is in force. Reads only.';

--
-- Name: revoke(bigint, bigint, text, text, boolean); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription.revoke(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_idempotency_key text, p_is_told boolean DEFAULT true) RETURNS TABLE(expires_at timestamp with time zone, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_first record;
  v_before record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require_user_id(p_telegram_id);
  perform core._require(length(p_reason) between 1 and 1000, 'p_reason: 1 to 1000 characters');
  perform core._require(p_is_told is not null, 'p_is_told: whether the user is told');
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);
  perform account._lock(p_telegram_id);
  v_now := core.now();

  select f.is_found, f.expires_at into v_first
  from subscription._find_change(p_telegram_id, 'revoke', p_idempotency_key, p_admin_id,
                                 null, null, p_reason, p_is_told) f;
  if v_first.is_found then
    return query select v_first.expires_at, true;
    return;
  end if;

  select s.tariff, s.expires_at, s.period into v_before
  from subscription.subscription s
  where s.telegram_id = p_telegram_id and s.expires_at > v_now;
  if not found then
    perform core._refuse('SU001', format('telegram_id %s has none in force', p_telegram_id));
  end if;

  perform subscription._change(
    p_telegram_id, 'revoke', v_before.tariff, v_now, v_before.period, v_now,
    p_actor_id => p_admin_id, p_reason => p_reason, p_idempotency_key => p_idempotency_key,
    p_is_told => p_is_told);
  perform audit._record('subscription.revoke', p_admin_id, p_telegram_id::text,
    jsonb_build_object('reason', p_reason, 'tariff', v_before.tariff,
                       'expires_at', v_before.expires_at));
  insert into outbox.task (telegram_id, kind, name, due_at, created_at, arguments)
  select p_telegram_id, 'message', 'subscription_revoked', v_now, v_now,
         jsonb_build_object('reason', p_reason)
  where p_is_told;

  return query select v_now, false;
end
$$;

--
-- Name: FUNCTION revoke(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_idempotency_key text, p_is_told boolean); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription.revoke(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_idempotency_key text, p_is_told boolean) IS 'The subscription ends now, its key is removed, auto-renewal is off, and the user is told the reason, unless p_is_told is false. No money moves: see billing.refund_purchase. Idempotent by p_idempotency_key.';

--
-- Name: set_auto_renew(bigint, boolean); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription.set_auto_renew(p_telegram_id bigint, p_is_on boolean) RETURNS TABLE(auto_renew boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_was_on boolean;
  v_now timestamptz;
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_is_on is not null, 'p_is_on: true or false');
  perform account._lock(p_telegram_id);
  v_now := core.now();

  select s.auto_renew into v_was_on
  from subscription.subscription s where s.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('SU001', format('telegram_id %s', p_telegram_id));
  end if;

  if v_was_on <> p_is_on then
    update subscription.subscription s
    set auto_renew = p_is_on,
        renew_check_at = case when p_is_on and s.expires_at > v_now then v_now end
    where s.telegram_id = p_telegram_id;
    perform audit._record('subscription.set_auto_renew', p_telegram_id, p_telegram_id::text,
                          jsonb_build_object('is_on', p_is_on));
  end if;
  return query select p_is_on;
end
$$;

--
-- Name: FUNCTION set_auto_renew(p_telegram_id bigint, p_is_on boolean); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription.set_auto_renew(p_telegram_id bigint, p_is_on boolean) IS 'On: within 6 hours before the end (setting renewal_window_seconds) the plan of the last purchase is bought from the balance; during a trial that begins with the first purchase. A period whose renewal was refunded is not renewed again. Works for a blocked user too, who is not renewed meanwhile. Safe to call again.';

--
-- Name: start_trial(bigint, text); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription.start_trial(p_telegram_id bigint, p_idempotency_key text) RETURNS TABLE(expires_at timestamp with time zone, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_now timestamptz;
  v_expires_at timestamptz;
begin
  perform core._guard('trials');
  perform core._require_user_id(p_telegram_id);
  perform core._require_key(p_idempotency_key);
  v_is_blocked := account._lock(p_telegram_id);
  v_now := core.now();

  select c.after_expires_at into v_expires_at
  from subscription.change c
  where c.telegram_id = p_telegram_id and c.kind = 'trial'
    and c.idempotency_key = p_idempotency_key;
  if found then
    return query select v_expires_at, true;
    return;
  elsif v_is_blocked then
    perform core._refuse('US002', format('telegram_id %s', p_telegram_id));
  elsif exists (select 1 from subscription.change c
                where c.telegram_id = p_telegram_id and c.kind = 'trial') then
    perform core._refuse('SU002', format('telegram_id %s (change_one_trial)', p_telegram_id));
  elsif exists (select 1 from subscription.subscription s
                where s.telegram_id = p_telegram_id and s.expires_at > v_now) then
    perform core._refuse('SU003', format('telegram_id %s', p_telegram_id));
  end if;

  v_expires_at := v_now + make_interval(hours => 24 * ops._setting_value('trial_days')::int);
  perform subscription._change(
    p_telegram_id, 'trial',
    (select t.tariff from billing.tariff t order by t.is_on_sale desc, t.rank limit 1),
    v_expires_at, 'trial', v_now, p_idempotency_key => p_idempotency_key);
  perform audit._record('subscription.start_trial', p_telegram_id, p_telegram_id::text,
                        jsonb_build_object('expires_at', v_expires_at));

  insert into outbox.task (telegram_id, kind, name, due_at, created_at)
  select a.referrer_id, 'message', 'referral_trial', v_now, v_now
  from account.account a
  where a.telegram_id = p_telegram_id and a.referrer_id is not null;

  return query select v_expires_at, false;
end
$$;

--
-- Name: FUNCTION start_trial(p_telegram_id bigint, p_idempotency_key text); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription.start_trial(p_telegram_id bigint, p_idempotency_key text) IS 'A trial of the lowest tariff on sale, for 3 days (setting trial_days), once per user ever, and only while no subscription is in force. The key is delivered by a job; the referrer is told. Idempotent by p_idempotency_key.';

--
-- Name: trial_offer(bigint); Type: FUNCTION; Schema: subscription; Owner: -
--

CREATE FUNCTION subscription.trial_offer(p_telegram_id bigint) RETURNS TABLE(refusal text, days integer, tariff text, device_limit integer)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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

--
-- Name: FUNCTION trial_offer(p_telegram_id bigint); Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON FUNCTION subscription.trial_offer(p_telegram_id bigint) IS 'refusal: the SQLSTATE that start_trial would raise now; null: it can begin. Reads only.';

--
-- Name: _backoff(integer); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn._backoff(p_attempt integer) RETURNS interval
    LANGUAGE sql IMMUTABLE
    AS $$
  select make_interval(secs => least(10 * 3 ^ least(greatest(p_attempt, 1) - 1, 10), 600))
$$;

--
-- Name: FUNCTION _backoff(p_attempt integer); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn._backoff(p_attempt integer) IS 'Wait after the given number of attempts.';

--
-- Name: _close_poison(timestamp with time zone); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn._close_poison(p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_attempts bigint := ops._setting_value('provisioning_attempts');
  v_task record;
begin
  for v_task in
    select t.telegram_id, t.task_id, t.purchase_id, t.vpn_uuid
    from outbox.task t
    join account.account a on a.telegram_id = t.telegram_id
    join subscription.subscription s on s.telegram_id = t.telegram_id
    where t.kind = 'provision' and t.name = 'add' and t.finished_at is null
      and t.leased_until <= p_now and t.attempt >= v_attempts
      and not vpn._is_stale(t.vpn_uuid, s.vpn_uuid, s.expires_at, p_now)
    limit 100
    for no key update of a, t skip locked
  loop
    perform outbox._finish(v_task.telegram_id, v_task.task_id, 'failed',
                           'every attempt ended without an answer');
    perform vpn._give_up(v_task.telegram_id, v_task.vpn_uuid, v_task.purchase_id,
                         'every attempt ended without an answer');
  end loop;
end
$$;

--
-- Name: FUNCTION _close_poison(p_now timestamp with time zone); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn._close_poison(p_now timestamp with time zone) IS 'A job that kills whoever works it is given up like one that fails; a remove never is.';

--
-- Name: _give_up(bigint, uuid, uuid, text); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn._give_up(p_telegram_id bigint, p_vpn_uuid uuid, p_purchase_id uuid, p_error text) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  v_now timestamptz := core.now();
  v_has_no_key boolean;
begin
  -- A key that was delivered stays good: only what came with this job is missing at the node.
  update subscription.subscription s
  set activation = 'failed'
  where s.telegram_id = p_telegram_id and s.vpn_uuid = p_vpn_uuid and s.activation <> 'active';
  v_has_no_key := found;

  perform audit._record('vpn.activation_failed', null, p_telegram_id::text,
    jsonb_build_object('purchase_id', p_purchase_id, 'error', left(p_error, 500)));

  insert into outbox.task (
    telegram_id, kind, name, due_at, created_at, purchase_id, arguments)
  select p_telegram_id, 'message'::outbox.kind, 'key_failed', v_now, v_now, p_purchase_id,
         null::jsonb
  where v_has_no_key
  union all
  select a.telegram_id, 'message', 'activation_failed', v_now, v_now, p_purchase_id,
         jsonb_build_object('telegram_id', p_telegram_id, 'error', left(p_error, 500))
  from account.admin a
  where a.is_active;
end
$$;

--
-- Name: FUNCTION _give_up(p_telegram_id bigint, p_vpn_uuid uuid, p_purchase_id uuid, p_error text); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn._give_up(p_telegram_id bigint, p_vpn_uuid uuid, p_purchase_id uuid, p_error text) IS 'After the last attempt: activation_failed to the admins; key_failed to the user, unless the key works: then it stays active, and vpn.wanted_users keeps it.';

--
-- Name: _is_stale(uuid, uuid, timestamp with time zone, timestamp with time zone); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn._is_stale(p_vpn_uuid uuid, p_current_uuid uuid, p_expires_at timestamp with time zone, p_now timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
  return (p_vpn_uuid = p_current_uuid and p_expires_at > p_now) is not true;
end
$$;

--
-- Name: FUNCTION _is_stale(p_vpn_uuid uuid, p_current_uuid uuid, p_expires_at timestamp with time zone, p_now timestamp with time zone); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn._is_stale(p_vpn_uuid uuid, p_current_uuid uuid, p_expires_at timestamp with time zone, p_now timestamp with time zone) IS 'For the identity and the end that the subscription has now (nulls: it has none). A stale identity never comes back: a subscription that begins again has a new one.';

--
-- Name: _people(timestamp with time zone); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn._people(p_now timestamp with time zone) RETURNS TABLE(people bigint, is_estimate boolean)
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_column
declare
  c_enough constant real := 20000::real; -- rows to look at: an error of about one in a hundred
  v_rows real;
begin
  select c.reltuples into v_rows
  from pg_class c
  where c.oid = 'subscription.subscription'::regclass;
  if v_rows <= c_enough then -- or nobody knows yet how large the table is: it is new
    return query
    select count(*), false from subscription.subscription s where s.expires_at > p_now;
    return;
  end if;

  return query
  select (v_rows * coalesce(avg((s.expires_at > p_now)::int), 0))::bigint, true
  from subscription.subscription s tablesample system (100 * c_enough / v_rows);
end
$$;

--
-- Name: FUNCTION _people(p_now timestamp with time zone); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn._people(p_now timestamp with time zone) IS 'Counted while there are few; else estimated from some 20 000 of them, so that it costs the same however many there are.';

--
-- Name: _place(uuid, bigint, text); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn._place(p_vpn_uuid uuid, p_telegram_id bigint, p_node text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
  if p_node is null then
    delete from vpn.placement p where p.vpn_uuid = p_vpn_uuid;
    return;
  end if;
  insert into vpn.placement (vpn_uuid, telegram_id, node, placed_at)
  values (p_vpn_uuid, p_telegram_id, p_node, core.now())
  on conflict on constraint placement_pkey do update
  set node = excluded.node, placed_at = excluded.placed_at
  where vpn.placement.node <> excluded.node;
end
$$;

--
-- Name: FUNCTION _place(p_vpn_uuid uuid, p_telegram_id bigint, p_node text); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn._place(p_vpn_uuid uuid, p_telegram_id bigint, p_node text) IS 'One identity is at one node: the last that made its key.';

--
-- Name: _reissue(bigint, bigint, text, timestamp with time zone, bigint); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn._reissue(p_telegram_id bigint, p_admin_id bigint, p_idempotency_key text, p_now timestamp with time zone, p_request_id bigint DEFAULT NULL::bigint) RETURNS uuid
    LANGUAGE plpgsql
    AS $$
declare
  v_vpn_uuid uuid := gen_random_uuid();
begin
  insert into subscription.change (
    telegram_id, change_id, kind, before_tariff, before_expires_at, before_period, after_tariff,
    after_expires_at, after_period, vpn_uuid, actor_id, idempotency_key, changed_at)
  select s.telegram_id, nextval('outbox.task_id'), 'reissue', s.tariff, s.expires_at, s.period,
         s.tariff, s.expires_at, s.period, v_vpn_uuid, p_admin_id, p_idempotency_key, p_now
  from subscription.subscription s where s.telegram_id = p_telegram_id;

  insert into outbox.task (telegram_id, kind, name, due_at, created_at, vpn_uuid, other_id)
  values (p_telegram_id, 'provision', 'add', p_now, p_now, v_vpn_uuid, p_request_id);
  -- After it: no moment without a key.
  perform subscription._retire(p_telegram_id, p_now, p_request_id);
  update subscription.subscription s
  set vpn_uuid = v_vpn_uuid, activation = 'pending', key_uri = null
  where s.telegram_id = p_telegram_id;

  perform audit._record('vpn.reissue', coalesce(p_admin_id, p_telegram_id), p_telegram_id::text);
  return v_vpn_uuid;
end
$$;

--
-- Name: FUNCTION _reissue(p_telegram_id bigint, p_admin_id bigint, p_idempotency_key text, p_now timestamp with time zone, p_request_id bigint); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn._reissue(p_telegram_id bigint, p_admin_id bigint, p_idempotency_key text, p_now timestamp with time zone, p_request_id bigint) IS 'For vpn.reissue and vpn.reissue_due. p_admin_id null: by the user. p_request_id: of vpn.reissue_request, if it is for everybody.';

--
-- Name: _reissue_people(bigint, bigint[], timestamp with time zone); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn._reissue_people(p_request_id bigint, p_users bigint[], p_now timestamp with time zone, OUT done integer, OUT skipped integer) RETURNS record
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
  v_request record;
  v_user record;
begin
  done := 0;
  skipped := 0;
  select r.admin_id, r.requested_at into v_request
  from vpn.reissue_request r
  where r.request_id = p_request_id;

  for v_user in
    select s.telegram_id, coalesce(m.made_at > v_request.requested_at, false) as is_new
    from subscription.subscription s
    cross join lateral (
      select min(t.created_at) as made_at -- a key that was moved has a later one, too
      from outbox.task t
      where t.telegram_id = s.telegram_id and t.kind = 'provision' and t.name = 'add'
        and t.vpn_uuid = s.vpn_uuid) m
    where s.telegram_id = any (p_users) and s.expires_at > p_now
    order by s.telegram_id
  loop
    if v_user.is_new then
      skipped := skipped + 1;
    else
      perform vpn._reissue(v_user.telegram_id, v_request.admin_id, 'all:' || p_request_id, p_now,
                           p_request_id);
      done := done + 1;
    end if;
  end loop;
end
$$;

--
-- Name: FUNCTION _reissue_people(p_request_id bigint, p_users bigint[], p_now timestamp with time zone, OUT done integer, OUT skipped integer); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn._reissue_people(p_request_id bigint, p_users bigint[], p_now timestamp with time zone, OUT done integer, OUT skipped integer) IS 'An identity is as old as the promise of its key. Whose subscription has ended is not counted. The key all:<request> of subscription.change is why nobody gets two from one request.';

--
-- Name: _reissue_room(bigint); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn._reissue_room(p_request_id bigint) RETURNS integer
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_most int := ops._setting_value('reissue_tasks_at_once')::int;
begin
  return (
    select (v_most - count(*)::int) / 2 -- a new identity and the old one: two tasks
    from (
      select from outbox.task t
      where t.kind = 'provision' and t.finished_at is null and t.other_id = p_request_id
      limit v_most) w);
end
$$;

--
-- Name: FUNCTION _reissue_room(p_request_id bigint); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn._reissue_room(p_request_id bigint) IS 'Tasks are claimed as they are due: a key that is bought meanwhile waits behind no more of these than the setting reissue_tasks_at_once.';

--
-- Name: cancel_reissue(bigint, bigint); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.cancel_reissue(p_admin_id bigint, p_request_id bigint) RETURNS TABLE(request_id bigint, status text, is_replay boolean, ended_by bigint, ended_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_request record;
  v_now timestamptz;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_request_id is not null, 'p_request_id: the id from reissue_all');
  perform account._require_admin(p_admin_id);
  select r.finished_at, r.cancelled_at, r.done into v_request
  from vpn.reissue_request r
  where r.request_id = p_request_id
  for no key update;
  if not found then
    perform core._refuse('VP004', format('request_id %s', p_request_id));
  end if;
  v_now := core.now();

  cancel_reissue.is_replay := coalesce(v_request.cancelled_at, v_request.finished_at) is not null;
  if not cancel_reissue.is_replay then
    update vpn.reissue_request r
    set cancelled_at = v_now, cancelled_by = p_admin_id
    where r.request_id = p_request_id;
    perform audit._record('vpn.cancel_reissue', p_admin_id, p_request_id::text,
                          jsonb_build_object('done', v_request.done));
  end if;

  return query
  select r.request_id, case when r.cancelled_at is null then 'done' else 'cancelled' end,
         cancel_reissue.is_replay, r.cancelled_by::bigint, coalesce(r.cancelled_at, r.finished_at)
  from vpn.reissue_request r
  where r.request_id = p_request_id;
end
$$;

--
-- Name: FUNCTION cancel_reissue(p_admin_id bigint, p_request_id bigint); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.cancel_reissue(p_admin_id bigint, p_request_id bigint) IS 'Several admins mind it: of one that has ended already it says how, by whom (null: it was done) and when, and is a replay. Keys that were promised still come.';

--
-- Name: claim_jobs(text, integer, interval); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.claim_jobs(p_holder text, p_limit integer, p_lease interval) RETURNS TABLE(job_id bigint, telegram_id bigint, action text, vpn_uuid uuid, tariff text, expires_at timestamp with time zone, attempt integer, lease_token uuid, device_limit integer, correlation_id text, node text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_tasks bigint[];
  v_users bigint[];
  v_now timestamptz;
begin
  perform core._guard('provisioning');
  perform outbox._require_claim(p_holder, p_limit, p_lease);
  perform vpn._close_poison(core.now());

  select array_agg(c.task_id), array_agg(c.telegram_id) into v_tasks, v_users
  from outbox._claim('provision', p_holder, p_limit, p_lease) c;

  v_now := core.now();

  return query
  select t.task_id, t.telegram_id::bigint,
         case when vpn._is_stale(t.vpn_uuid, s.vpn_uuid, s.expires_at, v_now) then 'remove'
              else t.name end,
         t.vpn_uuid, s.tariff, s.expires_at,
         t.attempt::int, t.lease_token, f.device_limit::int, t.correlation_id, p.node
  from unnest(v_users, v_tasks) c (telegram_id, task_id)
  join outbox.task t on t.telegram_id = c.telegram_id and t.task_id = c.task_id
  left join subscription.subscription s on s.telegram_id = t.telegram_id
  left join billing.tariff f on f.tariff = s.tariff
  left join vpn.placement p on p.vpn_uuid = t.vpn_uuid
  order by t.task_id;
end
$$;

--
-- Name: FUNCTION claim_jobs(p_holder text, p_limit integer, p_lease interval); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.claim_jobs(p_holder text, p_limit integer, p_lease interval) IS 'Leases up to p_limit jobs for p_lease. action: add (idempotent: the identity may be there) or remove (also for an add whose identity is nobody''s any more). node: where its key leads; null: nowhere yet. Then vpn.complete_job, fail_job or release_job with lease_token; a lease that runs out is claimed again.';

--
-- Name: complete_job(bigint, uuid, text, text); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.complete_job(p_job_id bigint, p_lease_token uuid, p_key_uri text, p_node text DEFAULT NULL::text) RETURNS TABLE(job_id bigint, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
declare
  v_job record;
  v_task record;
begin
  perform core._guard();
  perform core._require(p_job_id is not null, 'p_job_id: the id from claim_jobs');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim_jobs');
  perform core._require(
    p_key_uri is null or (p_key_uri ~ '^[^[:cntrl:][:space:]]+$' and length(p_key_uri) <= 2048),
    'p_key_uri: null for a remove, or 1 to 2048 characters without spaces');

  perform core._require(p_node is null or p_node ~ '^[a-z0-9][a-z0-9-]{0,31}$',
                        'p_node: null, or the name of the node that has the key');

  select l.telegram_id, l.is_leased, l.is_finished into v_job
  from outbox._lock_leased('provision', p_job_id, p_lease_token) l;
  if not v_job.is_leased then
    perform core._refuse('VP001', format('job_id %s', p_job_id));
  end if;
  select t.name, t.outcome, t.vpn_uuid, t.purchase_id,
         vpn._is_stale(t.vpn_uuid, s.vpn_uuid, s.expires_at, core.now()) as is_stale
  into v_task
  from outbox.task t
  left join subscription.subscription s on s.telegram_id = t.telegram_id
  where t.telegram_id = v_job.telegram_id and t.task_id = p_job_id;
  if v_task.outcome = 'failed' then
    perform core._refuse('VP001', format('job_id %s was given up', p_job_id));
  elsif v_job.is_finished then
    return query select p_job_id, true;
    return;
  end if;
  perform core._require(v_task.name = 'remove' or v_task.is_stale or p_key_uri is not null,
                        'p_key_uri: the key that the node gave');
  perform outbox._finish(v_job.telegram_id, p_job_id, 'done');
  perform vpn._place(v_task.vpn_uuid, v_job.telegram_id,
                     case when v_task.name = 'add' and not v_task.is_stale then p_node end);

  if v_task.name = 'add' and not v_task.is_stale then
    update subscription.subscription s
    set activation = 'active', key_uri = p_key_uri
    where s.telegram_id = v_job.telegram_id
      and (s.activation <> 'active' or s.key_uri is distinct from p_key_uri);
    if found then
      insert into outbox.task (
        telegram_id, kind, name, due_at, created_at, is_repeatable, purchase_id)
      values (v_job.telegram_id, 'message', 'key_ready', core.now(), core.now(), true,
              v_task.purchase_id);
    end if;
  end if;

  return query select p_job_id, false;
end
$_$;

--
-- Name: FUNCTION complete_job(p_job_id bigint, p_lease_token uuid, p_key_uri text, p_node text); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.complete_job(p_job_id bigint, p_lease_token uuid, p_key_uri text, p_node text) IS 'The node has the identity (or has it no more). A new or changed key goes out as message key_ready. p_node is where it leads. A second call with the same lease token is a replay.';

--
-- Name: draining_nodes(); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.draining_nodes() RETURNS TABLE(name text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select n.name from vpn.node n where n.is_draining order by n.name
$$;

--
-- Name: FUNCTION draining_nodes(); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.draining_nodes() IS 'Workers ask before each batch of keys, so that vpn.set_node counts from the next one on. Reads only.';

--
-- Name: fail_job(bigint, uuid, text); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.fail_job(p_job_id bigint, p_lease_token uuid, p_error text) RETURNS TABLE(job_id bigint, will_retry boolean, next_attempt_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_job record;
  v_task record;
begin
  perform core._guard();
  perform core._require(p_job_id is not null, 'p_job_id: the id from claim_jobs');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim_jobs');
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');

  select l.telegram_id, l.is_leased, l.is_finished, l.given_back_until into v_job
  from outbox._lock_leased('provision', p_job_id, p_lease_token) l;
  if not v_job.is_leased then
    perform core._refuse('VP001', format('job_id %s', p_job_id));
  end if;

  select t.attempt, t.vpn_uuid, t.purchase_id,
         t.name = 'remove'
           or vpn._is_stale(t.vpn_uuid, s.vpn_uuid, s.expires_at, core.now()) as is_remove
  into v_task
  from outbox.task t
  left join subscription.subscription s on s.telegram_id = t.telegram_id
  where t.telegram_id = v_job.telegram_id and t.task_id = p_job_id;
  if v_job.is_finished then
    return query select p_job_id, false, null::timestamptz;
  elsif v_job.given_back_until is not null then
    return query select p_job_id, true, v_job.given_back_until;
  elsif v_task.is_remove or v_task.attempt < ops._setting_value('provisioning_attempts') then
    return query select p_job_id, true, outbox._retry(
      v_job.telegram_id, p_job_id, p_error, vpn._backoff(v_task.attempt), 0);
  else
    perform outbox._finish(v_job.telegram_id, p_job_id, 'failed', p_error);
    perform vpn._give_up(v_job.telegram_id, v_task.vpn_uuid, v_task.purchase_id, p_error);
    return query select p_job_id, false, null::timestamptz;
  end if;
end
$$;

--
-- Name: FUNCTION fail_job(p_job_id bigint, p_lease_token uuid, p_error text); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.fail_job(p_job_id bigint, p_lease_token uuid, p_error text) IS 'The node refused this job. It is tried again with backoff, 5 times in all (setting provisioning_attempts); then the activation has failed and the admins are told. A remove never gives up.';

--
-- Name: list_nodes(); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.list_nodes() RETURNS TABLE(name text, is_draining boolean, is_up boolean, users integer, keys bigint, reported_at timestamp with time zone, last_error text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select n.name, n.is_draining, n.is_up, n.users,
         (select count(*) from vpn.placement p where p.node = n.name), n.reported_at, n.last_error
  from vpn.node n
  order by n.name
$$;

--
-- Name: FUNCTION list_nodes(); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.list_nodes() IS 'As vpn.sync_nodes saw them last; a node appears when a worker has asked it first. Reads only.';

--
-- Name: list_undelivered(bigint, boolean, bigint, bigint, integer); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.list_undelivered(p_admin_id bigint, p_is_tried boolean, p_after_user bigint, p_after_id bigint, p_limit integer) RETURNS TABLE(job_id bigint, telegram_id bigint, username text, promised_at timestamp with time zone, attempts integer, is_failed boolean, last_error text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_after timestamptz := timestamptz '-infinity';
begin
  perform core._require(p_is_tried is not null, 'p_is_tried: whether an attempt has failed');
  perform core._require((p_after_user is null) = (p_after_id is null),
                        'p_after_user, p_after_id: both of the last row, or none');
  perform core._require(p_limit between 1 and 100, 'p_limit: 1 to 100');
  perform account._only_admins(p_admin_id);

  if p_is_tried then
    return query
    select t.task_id, t.telegram_id::bigint, a.username, t.created_at, t.attempt::int,
           t.finished_at is not null, t.last_error
    from outbox.task t
    join account.account a on a.telegram_id = t.telegram_id
    left join subscription.subscription s on s.telegram_id = t.telegram_id
    where t.kind = 'provision' and t.name = 'add' and t.last_error is not null
      and (t.finished_at is null or t.outcome = 'failed')
      and (t.finished_at is null
           or s.activation = 'failed' and s.vpn_uuid = t.vpn_uuid and s.expires_at > core.now())
      and t.task_id > coalesce(p_after_id, 0)
    order by t.task_id
    limit p_limit;
    return;
  end if;

  select t.due_at into v_after
  from outbox.task t
  where t.telegram_id = p_after_user and t.task_id = p_after_id;
  return query
  select t.task_id, t.telegram_id::bigint, a.username, t.created_at, t.attempt::int, false,
         t.last_error
  from outbox.task t
  join account.account a on a.telegram_id = t.telegram_id
  where t.kind = 'provision' and t.finished_at is null
    and t.name = 'add' and t.last_error is null
    and (t.due_at, t.task_id) > (coalesce(v_after, '-infinity'), coalesce(p_after_id, 0))
  order by t.due_at, t.task_id
  limit p_limit;
end
$$;

--
-- Name: FUNCTION list_undelivered(p_admin_id bigint, p_is_tried boolean, p_after_user bigint, p_after_id bigint, p_limit integer); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.list_undelivered(p_admin_id bigint, p_is_tried boolean, p_after_user bigint, p_after_id bigint, p_limit integer) IS 'For admins only. p_is_tried: those that an attempt has failed for, and those given up while nothing else has brought a key, oldest promise first; else those that wait for their first attempt, as they are due. p_after_user and p_after_id: the last row of the page before; null begins. Reads only.';

--
-- Name: move_keys(bigint, text, integer); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.move_keys(p_admin_id bigint, p_name text, p_limit integer) RETURNS TABLE(moved integer, keys bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_user record;
  v_moved int := 0;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform core._require(
    exists (select 1 from vpn.node n where n.name = p_name and n.is_draining),
    'p_name: a node that is draining: vpn.set_node first, or its keys come back to it');
  perform account._require_admin(p_admin_id);

  for v_user in
    select p.telegram_id, p.vpn_uuid
    from vpn.placement p
    join subscription.subscription s on s.telegram_id = p.telegram_id and s.vpn_uuid = p.vpn_uuid
    join account.account a on a.telegram_id = p.telegram_id
    where p.node = p_name and s.expires_at > core.now()
    order by p.telegram_id
    limit p_limit
    for no key update of a skip locked
  loop
    v_now := core.now();
    delete from vpn.placement p
    using subscription.subscription s
    where p.vpn_uuid = v_user.vpn_uuid and p.node = p_name and s.telegram_id = v_user.telegram_id
      and s.vpn_uuid = v_user.vpn_uuid and s.expires_at > v_now;
    if found then
      insert into outbox.task (telegram_id, kind, name, due_at, created_at, vpn_uuid)
      values (v_user.telegram_id, 'provision', 'add', v_now, v_now, v_user.vpn_uuid);
      v_moved := v_moved + 1;
    end if;
  end loop;
  if v_moved > 0 then
    perform audit._record('vpn.move_keys', p_admin_id, p_name,
                          jsonb_build_object('moved', v_moved));
  end if;

  return query select v_moved, count(*) from vpn.placement p where p.node = p_name;
end
$$;

--
-- Name: FUNCTION move_keys(p_admin_id bigint, p_name text, p_limit integer); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.move_keys(p_admin_id bigint, p_name text, p_limit integer) IS 'The identity stays, the key that goes out as message key_ready leads elsewhere; the old one works until then. keys: how many still lead there, those of ended subscriptions included. Call it until moved is 0.';

--
-- Name: overview(bigint); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.overview(p_admin_id bigint) RETURNS TABLE(people bigint, is_estimate boolean, waiting bigint, failed bigint, reissue_seconds bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform account._only_admins(p_admin_id);

  return query
  select p.people, p.is_estimate,
         (select count(*) from outbox.task t
          where t.kind = 'provision' and t.name = 'add' and t.finished_at is null),
         (select count(distinct t.telegram_id)
          from outbox.task t
          join subscription.subscription s
            on s.telegram_id = t.telegram_id and s.vpn_uuid = t.vpn_uuid
          where t.kind = 'provision' and t.name = 'add' and t.last_error is not null
            and t.outcome = 'failed' and s.activation = 'failed' and s.expires_at > v_now),
         p.people * 2 / ops._setting_value('reissue_tasks_at_once')
  from vpn._people(v_now) p;
end
$$;

--
-- Name: FUNCTION overview(p_admin_id bigint); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.overview(p_admin_id bigint) IS 'For admins only. people: with a subscription in force, who would all be given a new key; waiting: keys that are promised and not delivered; failed: given up, and nothing else has brought one. reissue_seconds: how long a new key for everybody takes at least. Reads only.';

--
-- Name: reissue(bigint, bigint, text); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.reissue(p_telegram_id bigint, p_admin_id bigint, p_idempotency_key text) RETURNS TABLE(vpn_uuid uuid, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_now timestamptz;
  v_first record;
begin
  perform core._guard(case when p_admin_id is not null then 'admin_actions' end);
  perform core._require_user_id(p_telegram_id);
  perform core._require_key(p_idempotency_key);
  if p_admin_id is not null then
    perform account._require_admin(p_admin_id);
  end if;
  v_is_blocked := account._lock(p_telegram_id);
  v_now := core.now();

  select f.is_found, f.vpn_uuid into v_first
  from subscription._find_change(p_telegram_id, 'reissue', p_idempotency_key, p_admin_id,
                                 null, null, null, true) f;
  if v_first.is_found then
    return query select v_first.vpn_uuid, true;
    return;
  elsif v_is_blocked and p_admin_id is null then
    perform core._refuse('US002', format('telegram_id %s', p_telegram_id));
  elsif not exists (select 1 from subscription.subscription s
                    where s.telegram_id = p_telegram_id and s.expires_at > v_now) then
    perform core._refuse('SU001', format('telegram_id %s has none in force', p_telegram_id));
  end if;

  return query
  select vpn._reissue(p_telegram_id, p_admin_id, p_idempotency_key, v_now), false;
end
$$;

--
-- Name: FUNCTION reissue(p_telegram_id bigint, p_admin_id bigint, p_idempotency_key text); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.reissue(p_telegram_id bigint, p_admin_id bigint, p_idempotency_key text) IS 'By the user (p_admin_id null) or by an admin. The node gets the new identity, then loses the old one; the new key goes out as message key_ready; the end stays. Idempotent by p_idempotency_key.';

--
-- Name: reissue_all(bigint, text); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.reissue_all(p_admin_id bigint, p_idempotency_key text) RETURNS TABLE(request_id bigint, people bigint, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz;
  v_first record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);
  v_now := core.now();

  insert into vpn.reissue_request (admin_id, idempotency_key, requested_at, expected)
  select p_admin_id, p_idempotency_key, v_now, p.people from vpn._people(v_now) p
  on conflict do nothing; -- the same key, or another request that is open
  reissue_all.is_replay := not found;

  select r.request_id, r.expected into v_first
  from vpn.reissue_request r
  where r.admin_id = p_admin_id and r.idempotency_key = p_idempotency_key;
  if not found then
    perform core._refuse('VP003', (
      select format('request %s since %s by %s', r.request_id, r.requested_at, r.admin_id)
      from vpn.reissue_request r
      order by r.request_id desc
      limit 1));
  elsif not reissue_all.is_replay then
    perform audit._record('vpn.reissue_all', p_admin_id, v_first.request_id::text,
                          jsonb_build_object('people', v_first.expected));
  end if;

  return query select v_first.request_id, v_first.expected, reissue_all.is_replay;
end
$$;

--
-- Name: FUNCTION reissue_all(p_admin_id bigint, p_idempotency_key text); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.reissue_all(p_admin_id bigint, p_idempotency_key text) IS 'After a node was compromised. The job vpn.reissue_due does it, a few at a time; keys that are bought meanwhile do not wait for it. One request is open at a time, of all admins. people: about how many it is for. vpn.show_reissue says how far it is. Idempotent by p_idempotency_key, which belongs to the admin.';

--
-- Name: reissue_due(bigint, integer); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.reissue_due(p_epoch bigint, p_limit integer) RETURNS TABLE(reissued integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_request record;
  v_people bigint[];
  v_locked bigint[];
  v_user bigint;
  v_now timestamptz;
  v_tally record;
  v_done int := 0;
  v_skipped int := 0;
  v_failed int := 0;
begin
  perform ops._enter_due('vpn.reissue_due', p_epoch, p_limit);
  select r.request_id, r.reached_id, least(p_limit, vpn._reissue_room(r.request_id)) as room
  into v_request
  from vpn.reissue_request r
  where r.finished_at is null and r.cancelled_at is null;
  if not found or v_request.room < 1 then
    return query select 0;
    return;
  end if;

  -- Not by the end: a purchase that is not committed yet may just have moved it.
  v_people := array(
    select s.telegram_id from subscription.subscription s
    where s.telegram_id > v_request.reached_id and s.activation <> 'none'
    order by s.telegram_id
    limit v_request.room);
  v_locked := array(
    select a.telegram_id from account.account a
    where a.telegram_id = any (v_people)
    order by a.telegram_id
    for no key update skip locked);
  perform 1
  from vpn.reissue_request r
  where r.request_id = v_request.request_id and r.cancelled_at is null
  for no key update;
  if not found then
    return query select 0;
    return;
  end if;
  v_now := core.now();

  v_user := (select min(p.id) from unnest(v_people) p (id) where p.id <> all (v_locked));
  v_locked := array(select l.id from unnest(v_locked) l (id)
                    where l.id < v_user or v_user is null order by l.id);
  begin
    v_tally := vpn._reissue_people(v_request.request_id, v_locked, v_now);
    v_done := v_tally.done;
    v_skipped := v_tally.skipped;
  exception when data_exception or integrity_constraint_violation then
    foreach v_user in array v_locked loop
      begin
        v_tally := vpn._reissue_people(v_request.request_id, array[v_user], v_now);
        v_done := v_done + v_tally.done;
        v_skipped := v_skipped + v_tally.skipped;
      exception when data_exception or integrity_constraint_violation then
        perform ops._bury('vpn.reissue_due', 'telegram_id:' || v_user, sqlerrm);
        v_failed := v_failed + 1;
      end;
    end loop;
  end;

  update vpn.reissue_request r
  set reached_id = coalesce(v_locked[cardinality(v_locked)], r.reached_id),
      done = r.done + v_done, skipped = r.skipped + v_skipped, failed = r.failed + v_failed,
      finished_at = case when cardinality(v_people) = 0 then v_now end
  where r.request_id = v_request.request_id;
  return query select v_done;
end
$$;

--
-- Name: FUNCTION reissue_due(p_epoch bigint, p_limit integer); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.reissue_due(p_epoch bigint, p_limit integer) IS 'At most p_limit people, in the order of their ids, up to the first who is busy; nobody while what it has promised so far waits for the nodes (setting reissue_tasks_at_once). Who has had a new identity since the request is passed by; who cannot be given one is a dead letter. p_epoch: of the lease vpn.reissue_due; null by hand.';

--
-- Name: release_job(bigint, uuid, text); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.release_job(p_job_id bigint, p_lease_token uuid, p_error text) RETURNS TABLE(next_attempt_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_job record;
begin
  perform core._guard();
  perform core._require(p_job_id is not null, 'p_job_id: the id from claim_jobs');
  perform core._require(p_lease_token is not null, 'p_lease_token: the token from claim_jobs');
  perform core._require(length(p_error) >= 1, 'p_error: what went wrong');

  select l.telegram_id, l.is_leased, l.is_finished, l.given_back_until into v_job
  from outbox._lock_leased('provision', p_job_id, p_lease_token) l;
  if not v_job.is_leased or v_job.is_finished then
    perform core._refuse('VP001', format('job_id %s', p_job_id));
  end if;

  if v_job.given_back_until is null then
    v_job.given_back_until := outbox._retry(v_job.telegram_id, p_job_id, p_error,
                                            interval '3 seconds', 1);
  end if;
  return query select v_job.given_back_until;
end
$$;

--
-- Name: FUNCTION release_job(p_job_id bigint, p_lease_token uuid, p_error text); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.release_job(p_job_id bigint, p_lease_token uuid, p_error text) IS 'The node does not answer at all: no fault of the job, so the attempt is not counted; due again in 3 seconds.';

--
-- Name: report_node(text, boolean, integer, text); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.report_node(p_name text, p_is_up boolean, p_users integer, p_error text) RETURNS TABLE(name text, is_draining boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
declare
  v_now timestamptz;
begin
  perform core._guard();
  perform core._require(p_name ~ '^[a-z0-9][a-z0-9-]{0,31}$',
                        'p_name: 1 to 32 of a-z, 0-9 and -, not beginning with -');
  perform core._require(p_is_up is not null, 'p_is_up: true or false');
  perform core._require(p_users is null or p_users >= 0, 'p_users: null, or how many it counts');
  v_now := core.now();

  return query
  insert into vpn.node as n (name, is_up, users, reported_at, last_error)
  values (p_name, p_is_up, p_users, v_now, left(p_error, 1000))
  on conflict on constraint node_pkey do update
  set is_up = excluded.is_up, users = coalesce(excluded.users, n.users),
      reported_at = excluded.reported_at, last_error = excluded.last_error
  returning n.name, n.is_draining;
end
$_$;

--
-- Name: FUNCTION report_node(p_name text, p_is_up boolean, p_users integer, p_error text); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.report_node(p_name text, p_is_up boolean, p_users integer, p_error text) IS 'By vpn.sync_nodes, for every node that the worker is configured with. What vpn.set_node said stays.';

--
-- Name: retry_job(bigint, bigint, bigint); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.retry_job(p_admin_id bigint, p_telegram_id bigint, p_job_id bigint) RETURNS TABLE(job_id bigint, status text, is_retried boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_status text;
  v_vpn_uuid uuid;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_job_id is not null, 'p_job_id: the id from list_undelivered');
  perform account._require_admin(p_admin_id);
  perform account._lock(p_telegram_id);
  perform 1
  from outbox.task t
  where t.telegram_id = p_telegram_id and t.task_id = p_job_id
  for no key update;

  select j.status into v_status from vpn.show_job(p_admin_id, p_telegram_id, p_job_id) j;
  retry_job.is_retried := v_status in ('waiting', 'failed');
  if retry_job.is_retried then
    update outbox.task t
    set due_at = core.now(), finished_at = null, outcome = null, leased_until = null,
        holder = null, lease_token = case when v_status = 'waiting' then t.lease_token end,
        attempt = case when v_status = 'waiting' then t.attempt else 0 end
    where t.telegram_id = p_telegram_id and t.task_id = p_job_id
    returning t.vpn_uuid into v_vpn_uuid;
    update subscription.subscription s
    set activation = 'pending'
    where s.telegram_id = p_telegram_id and s.vpn_uuid = v_vpn_uuid and s.activation = 'failed';
    perform audit._record('vpn.retry_job', p_admin_id, p_telegram_id::text,
                          jsonb_build_object('job_id', p_job_id, 'was', v_status));
    v_status := 'waiting';
  end if;

  return query select p_job_id, v_status, retry_job.is_retried;
end
$$;

--
-- Name: FUNCTION retry_job(p_admin_id bigint, p_telegram_id bigint, p_job_id bigint); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.retry_job(p_admin_id bigint, p_telegram_id bigint, p_job_id bigint) IS 'Its attempts begin anew if it was given up. status: as vpn.show_job has it now; one that is being worked on, delivered or stale is left as it is. Safe to call again: it is due once more.';

--
-- Name: set_node(bigint, text, boolean); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.set_node(p_admin_id bigint, p_name text, p_is_draining boolean) RETURNS TABLE(name text, is_draining boolean, keys bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_is_draining is not null, 'p_is_draining: true or false');
  perform core._require(exists (select 1 from vpn.node n where n.name = p_name),
                        'p_name: a name in vpn.list_nodes()');
  perform account._require_admin(p_admin_id);

  update vpn.node n
  set is_draining = p_is_draining
  where n.name = p_name and n.is_draining <> p_is_draining;
  if found then
    perform audit._record('vpn.set_node', p_admin_id, p_name,
                          jsonb_build_object('is_draining', p_is_draining));
  end if;

  return query
  select p_name, p_is_draining, count(*) from vpn.placement p where p.node = p_name;
end
$$;

--
-- Name: FUNCTION set_node(p_admin_id bigint, p_name text, p_is_draining boolean); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.set_node(p_admin_id bigint, p_name text, p_is_draining boolean) IS 'A draining node gets no new keys from the next batch on; the keys that lead to it work on until vpn.move_keys. Safe to call again.';

--
-- Name: show_job(bigint, bigint, bigint); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.show_job(p_admin_id bigint, p_telegram_id bigint, p_job_id bigint) RETURNS TABLE(job_id bigint, telegram_id bigint, username text, purchase_id uuid, promised_at timestamp with time zone, attempts integer, due_at timestamp with time zone, status text, last_error text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_job_id is not null, 'p_job_id: the id from list_undelivered');
  perform account._only_admins(p_admin_id);

  return query
  select t.task_id, t.telegram_id::bigint, a.username, t.purchase_id, t.created_at,
         t.attempt::int, t.due_at,
         case when t.outcome = 'failed'
                then case when vpn._is_stale(t.vpn_uuid, s.vpn_uuid, s.expires_at, v_now)
                          then 'stale' when s.activation = 'active' then 'delivered'
                          else 'failed' end
              when t.finished_at is not null then 'delivered'
              when t.leased_until > v_now then 'working'
              else 'waiting' end,
         t.last_error
  from outbox.task t
  join account.account a on a.telegram_id = t.telegram_id
  left join subscription.subscription s on s.telegram_id = t.telegram_id
  where t.telegram_id = p_telegram_id and t.task_id = p_job_id
    and t.kind = 'provision' and t.name = 'add';
  if not found then
    perform core._refuse('VP002', format('telegram_id %s, job_id %s', p_telegram_id, p_job_id));
  end if;
end
$$;

--
-- Name: FUNCTION show_job(p_admin_id bigint, p_telegram_id bigint, p_job_id bigint); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.show_job(p_admin_id bigint, p_telegram_id bigint, p_job_id bigint) IS 'For admins only. status: waiting (from due_at on), working, failed (given up), delivered (also by another job since), or stale (its subscription is over). Reads only.';

--
-- Name: show_reissue(bigint); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.show_reissue(p_admin_id bigint) RETURNS TABLE(request_id bigint, status text, admin_id bigint, username text, requested_at timestamp with time zone, expected bigint, done bigint, skipped bigint, failed bigint, waiting bigint, removing bigint, seconds_left bigint, ended_at timestamp with time zone, ended_by bigint, ended_by_name text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform account._only_admins(p_admin_id);

  return query
  select r.request_id,
         case when r.cancelled_at is not null then 'cancelled'
              when r.finished_at is not null then 'done' else 'running' end,
         r.admin_id::bigint, a.username, r.requested_at, r.expected, r.done, r.skipped, r.failed,
         w.waiting, w.removing,
         case when r.finished_at is null and r.cancelled_at is null and p.turns > 0
              then (greatest(r.expected - p.turns, 0) / p.turns
                    * extract(epoch from v_now - r.requested_at))::bigint end,
         coalesce(r.cancelled_at, r.finished_at), r.cancelled_by::bigint, e.username
  from vpn.reissue_request r
  join account.account a on a.telegram_id = r.admin_id
  left join account.account e on e.telegram_id = r.cancelled_by
  cross join lateral (
    select count(*) filter (where t.name = 'add') as waiting,
           count(*) filter (where t.name = 'remove') as removing
    from outbox.task t
    where t.kind = 'provision' and t.finished_at is null and t.other_id = r.request_id) w
  cross join lateral (select (r.done + r.skipped + r.failed)::numeric as turns) p
  order by r.request_id desc
  limit 1;
end
$$;

--
-- Name: FUNCTION show_reissue(p_admin_id bigint); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.show_reissue(p_admin_id bigint) IS 'For admins only; no row before the first request. status: running, done or cancelled. waiting: keys that are promised and not at a node yet; removing: old ones that the nodes have still. seconds_left: at the pace so far; null before the first. Reads only.';

--
-- Name: wanted_users(); Type: FUNCTION; Schema: vpn; Owner: -
--

CREATE FUNCTION vpn.wanted_users() RETURNS TABLE(vpn_uuid uuid, device_limit integer, expires_at timestamp with time zone, telegram_id bigint, node text, is_pending boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select s.vpn_uuid, t.device_limit::int, s.expires_at, s.telegram_id::bigint, p.node,
         s.activation = 'pending'
  from subscription.subscription s
  join billing.tariff t on t.tariff = s.tariff
  left join vpn.placement p on p.vpn_uuid = s.vpn_uuid
  where s.expires_at > core.now() and s.activation in ('active', 'pending')
  order by s.vpn_uuid
$$;

--
-- Name: FUNCTION wanted_users(); Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON FUNCTION vpn.wanted_users() IS 'Every identity that is paid for, and the node that its key leads to (null: none yet, or nobody knows). is_pending: its job is not done, so it may be there already or not. Reads only.';

--
-- Name: _adjust(ledger.reason, ledger.account, ledger.account, bigint, bigint, bigint, text, text); Type: FUNCTION; Schema: wallet; Owner: -
--

CREATE FUNCTION wallet._adjust(p_reason ledger.reason, p_debit ledger.account, p_credit ledger.account, p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text, OUT transfer_id bigint, OUT available_kopecks bigint, OUT held_kopecks bigint, OUT is_replay boolean) RETURNS record
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
  v_first record;
begin
  perform core._guard('admin_actions');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_amount_kopecks between 1 and 1000000000000,
                        'p_amount_kopecks: 1 to 10^12');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(length(p_note) between 1 and 1000, 'p_note: 1 to 1000 characters');
  perform core._require_key(p_idempotency_key);
  perform account._require_admin(p_admin_id);
  perform account._lock(p_telegram_id);

  select t.transfer_id, t.available_kopecks, t.held_kopecks, t.amount_kopecks, t.actor_id, t.note
  into v_first
  from ledger.transfer t
  where t.telegram_id = p_telegram_id and t.reason = p_reason
    and t.idempotency_key = p_idempotency_key;

  _adjust.is_replay := found;
  if not _adjust.is_replay then
    select p.transfer_id, p.available_kopecks, p.held_kopecks
    into _adjust.transfer_id, _adjust.available_kopecks, _adjust.held_kopecks
    from ledger._post(p_telegram_id, p_reason, p_debit, p_credit, p_amount_kopecks, core.now(),
                      p_actor_id => p_admin_id, p_note => p_note,
                      p_idempotency_key => p_idempotency_key) p;
    return;
  end if;

  if (v_first.amount_kopecks, v_first.actor_id, v_first.note)
     is distinct from (p_amount_kopecks, p_admin_id, p_note) then
    perform core._refuse('ID001', format('%s: transfer_id %s has the key',
                                         p_reason, v_first.transfer_id));
  end if;
  _adjust.transfer_id := v_first.transfer_id;
  _adjust.available_kopecks := v_first.available_kopecks;
  _adjust.held_kopecks := v_first.held_kopecks;
end
$$;

--
-- Name: FUNCTION _adjust(p_reason ledger.reason, p_debit ledger.account, p_credit ledger.account, p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text, OUT transfer_id bigint, OUT available_kopecks bigint, OUT held_kopecks bigint, OUT is_replay boolean); Type: COMMENT; Schema: wallet; Owner: -
--

COMMENT ON FUNCTION wallet._adjust(p_reason ledger.reason, p_debit ledger.account, p_credit ledger.account, p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text, OUT transfer_id bigint, OUT available_kopecks bigint, OUT held_kopecks bigint, OUT is_replay boolean) IS 'wallet.credit and wallet.debit; the ledger row keeps the key.';

--
-- Name: balance(bigint); Type: FUNCTION; Schema: wallet; Owner: -
--

CREATE FUNCTION wallet.balance(p_telegram_id bigint) RETURNS TABLE(available_kopecks bigint, held_kopecks bigint, version bigint, debt_kopecks bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);

  return query
  select w.available_kopecks::bigint, w.held_kopecks::bigint, w.version, w.debt_kopecks::bigint
  from wallet.wallet w
  where w.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

--
-- Name: FUNCTION balance(p_telegram_id bigint); Type: COMMENT; Schema: wallet; Owner: -
--

COMMENT ON FUNCTION wallet.balance(p_telegram_id bigint) IS 'Available, held by pending withdrawals, and debt, in kopecks; version counts the ledger rows. Reads only.';

--
-- Name: balance_at(bigint, timestamp with time zone); Type: FUNCTION; Schema: wallet; Owner: -
--

CREATE FUNCTION wallet.balance_at(p_telegram_id bigint, p_at timestamp with time zone) RETURNS TABLE(available_kopecks bigint, held_kopecks bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_at is not null, 'p_at: a moment');

  -- Times grow with versions, so that this walks the primary key back to the first row that fits.
  return query
  select coalesce(t.available_kopecks, 0)::bigint, coalesce(t.held_kopecks, 0)::bigint
  from wallet.wallet w
  left join lateral (
    select l.available_kopecks, l.held_kopecks
    from ledger.transfer l
    where l.telegram_id = p_telegram_id and l.created_at <= p_at
    order by l.version desc
    limit 1) t on true
  where w.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;
end
$$;

--
-- Name: FUNCTION balance_at(p_telegram_id bigint, p_at timestamp with time zone); Type: COMMENT; Schema: wallet; Owner: -
--

COMMENT ON FUNCTION wallet.balance_at(p_telegram_id bigint, p_at timestamp with time zone) IS 'Available and held after the last ledger row at or before p_at, in kopecks; 0 before the first. Reads only.';

--
-- Name: credit(bigint, bigint, bigint, text, text); Type: FUNCTION; Schema: wallet; Owner: -
--

CREATE FUNCTION wallet.credit(p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text) RETURNS TABLE(transfer_id bigint, available_kopecks bigint, held_kopecks bigint, is_replay boolean)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select a.transfer_id, a.available_kopecks, a.held_kopecks, a.is_replay
  from wallet._adjust('admin_credit', 'adjustment', 'available', p_telegram_id, p_amount_kopecks,
                      p_admin_id, p_note, p_idempotency_key) a
$$;

--
-- Name: FUNCTION credit(p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text); Type: COMMENT; Schema: wallet; Owner: -
--

COMMENT ON FUNCTION wallet.credit(p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text) IS 'Adds money to a user''s balance, by an admin. The note (1 to 1000 characters) is shown in the statement. Idempotent by p_idempotency_key: a repeat gives the first answer with is_replay = true.';

--
-- Name: debit(bigint, bigint, bigint, text, text); Type: FUNCTION; Schema: wallet; Owner: -
--

CREATE FUNCTION wallet.debit(p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text) RETURNS TABLE(transfer_id bigint, available_kopecks bigint, held_kopecks bigint, is_replay boolean)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select a.transfer_id, a.available_kopecks, a.held_kopecks, a.is_replay
  from wallet._adjust('admin_debit', 'available', 'adjustment', p_telegram_id, p_amount_kopecks,
                      p_admin_id, p_note, p_idempotency_key) a
$$;

--
-- Name: FUNCTION debit(p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text); Type: COMMENT; Schema: wallet; Owner: -
--

COMMENT ON FUNCTION wallet.debit(p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text) IS 'Takes money from a user''s balance, by an admin. The note (1 to 1000 characters) is shown in the statement. Idempotent by p_idempotency_key: a repeat gives the first answer with is_replay = true.';

--
-- Name: statement(bigint, integer, bigint); Type: FUNCTION; Schema: wallet; Owner: -
--

CREATE FUNCTION wallet.statement(p_telegram_id bigint, p_limit integer, p_before_version bigint) RETURNS TABLE(version bigint, created_at timestamp with time zone, reason text, amount_kopecks bigint, available_kopecks bigint, held_kopecks bigint, reference text, moved_kopecks bigint, note text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform core._require(p_before_version is null or p_before_version >= 1,
                        'p_before_version: null for the newest, or a version');

  if not exists (select 1 from wallet.wallet w where w.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  return query
  select t.version, t.created_at, t.reason::text,
         case when t.credit_account = 'available' then t.amount_kopecks
              when t.debit_account = 'available' then -t.amount_kopecks
              else 0 end::bigint,
         t.available_kopecks::bigint, t.held_kopecks::bigint,
         coalesce('withdrawal:' || t.withdrawal_id, 'purchase:' || t.purchase_id,
                  'payment:' || t.payment_id, 'admin:' || t.actor_id),
         t.amount_kopecks::bigint, t.note
  from ledger.transfer t
  where t.telegram_id = p_telegram_id
    and t.version < coalesce(p_before_version, 9223372036854775807)
  order by t.version desc
  limit p_limit;
end
$$;

--
-- Name: FUNCTION statement(p_telegram_id bigint, p_limit integer, p_before_version bigint); Type: COMMENT; Schema: wallet; Owner: -
--

COMMENT ON FUNCTION wallet.statement(p_telegram_id bigint, p_limit integer, p_before_version bigint) IS 'The ledger of one user, newest first; the next page begins before the last version seen. amount_kopecks is the signed change of the available balance (0 where a provider paid the shop directly), moved_kopecks what moved. Reads only.';

--
-- Name: _count_approvals(bigint, bigint); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal._count_approvals(p_telegram_id bigint, p_withdrawal_id bigint) RETURNS integer
    LANGUAGE plpgsql STABLE
    AS $$
begin
  return (
    select count(*)::int
    from withdrawal.approval a
    join account.admin m on m.telegram_id = a.admin_id and m.is_active
    where a.telegram_id = p_telegram_id and a.withdrawal_id = p_withdrawal_id);
end
$$;

--
-- Name: FUNCTION _count_approvals(p_telegram_id bigint, p_withdrawal_id bigint); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal._count_approvals(p_telegram_id bigint, p_withdrawal_id bigint) IS 'An approval by somebody whose rights were taken away since counts no more.';

--
-- Name: _end(bigint, bigint, withdrawal.status, bigint, text, integer, timestamp with time zone); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal._end(p_telegram_id bigint, p_withdrawal_id bigint, p_status withdrawal.status, p_ended_by bigint, p_reason text, p_approvals_needed integer, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
  v_amount_kopecks bigint;
  v_is_paid_out boolean := p_status = 'approved';
begin
  update withdrawal.withdrawal w
  set status = p_status, ended_at = p_now, ended_by = p_ended_by, reason = p_reason,
      approvals_needed = p_approvals_needed,
      requisites_purge_at = p_now
        + make_interval(days => ops._setting_value('requisites_days')::int)
  where w.telegram_id = p_telegram_id and w.withdrawal_id = p_withdrawal_id
    and w.status = 'pending'
  returning w.amount_kopecks into strict v_amount_kopecks;

  perform ledger._post(
    p_telegram_id,
    (case when v_is_paid_out then 'withdrawal_payout' else 'withdrawal_return' end)::ledger.reason,
    'held', (case when v_is_paid_out then 'payout' else 'available' end)::ledger.account,
    v_amount_kopecks, p_now, p_withdrawal_id => p_withdrawal_id,
    p_actor_id => nullif(p_ended_by, p_telegram_id));

  if p_status <> 'cancelled' then
    insert into outbox.task (
      telegram_id, kind, name, due_at, created_at, amount_kopecks, arguments)
    values (p_telegram_id, 'message', 'withdrawal_' || p_status, p_now, p_now, v_amount_kopecks,
            jsonb_strip_nulls(jsonb_build_object('reason', p_reason)));
  end if;
end
$$;

--
-- Name: FUNCTION _end(p_telegram_id bigint, p_withdrawal_id bigint, p_status withdrawal.status, p_ended_by bigint, p_reason text, p_approvals_needed integer, p_now timestamp with time zone); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal._end(p_telegram_id bigint, p_withdrawal_id bigint, p_status withdrawal.status, p_ended_by bigint, p_reason text, p_approvals_needed integer, p_now timestamp with time zone) IS 'The one way out of pending: status, one movement of the held amount, and word to the user unless they cancelled it.';

--
-- Name: _hold(bigint, boolean, bigint, text, timestamp with time zone, text, uuid); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal._hold(p_telegram_id bigint, p_is_blocked boolean, p_amount_kopecks bigint, p_requisites text, p_now timestamp with time zone, p_idempotency_key text, p_draft_id uuid) RETURNS void
    LANGUAGE plpgsql
    AS $$
#variable_conflict use_column
declare
  v_withdrawal_id bigint;
  v_wallet record;
begin
  perform withdrawal._require_may(p_telegram_id, p_is_blocked, p_amount_kopecks, p_now);
  v_withdrawal_id := nextval('withdrawal.withdrawal_id');

  select p.available_kopecks, p.held_kopecks into v_wallet
  from ledger._post(p_telegram_id, 'withdrawal_hold', 'available', 'held', p_amount_kopecks,
                    p_now, p_withdrawal_id => v_withdrawal_id) p;
  insert into withdrawal.withdrawal (
    telegram_id, withdrawal_id, amount_kopecks, requisites, available_after_kopecks,
    held_after_kopecks, requested_at, idempotency_key, draft_id)
  values (p_telegram_id, v_withdrawal_id, p_amount_kopecks, p_requisites,
          v_wallet.available_kopecks, v_wallet.held_kopecks, p_now, p_idempotency_key, p_draft_id);

  perform audit._record('withdrawal.request', p_telegram_id, 'withdrawal:' || v_withdrawal_id,
                        jsonb_build_object('amount_kopecks', p_amount_kopecks,
                                           'draft_id', p_draft_id));
  insert into outbox.task (telegram_id, kind, name, due_at, created_at, amount_kopecks, arguments)
  select a.telegram_id, 'message', 'withdrawal_requested', p_now, p_now, p_amount_kopecks,
         jsonb_build_object('withdrawal_id', v_withdrawal_id, 'telegram_id', p_telegram_id)
  from account.admin a
  where a.is_active;
end
$$;

--
-- Name: FUNCTION _hold(p_telegram_id bigint, p_is_blocked boolean, p_amount_kopecks bigint, p_requisites text, p_now timestamp with time zone, p_idempotency_key text, p_draft_id uuid); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal._hold(p_telegram_id bigint, p_is_blocked boolean, p_amount_kopecks bigint, p_requisites text, p_now timestamp with time zone, p_idempotency_key text, p_draft_id uuid) IS 'What request and submit do: one movement available -> held, the withdrawal, and a message to the admins.';

--
-- Name: _lock(bigint); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal._lock(p_withdrawal_id bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
declare
  v_telegram_id bigint;
begin
  select w.telegram_id into v_telegram_id
  from withdrawal.withdrawal w
  where w.withdrawal_id = p_withdrawal_id;
  if not found then
    perform core._refuse('WD001', format('withdrawal_id %s', p_withdrawal_id));
  end if;

  perform account._lock(v_telegram_id);
  return v_telegram_id;
end
$$;

--
-- Name: FUNCTION _lock(p_withdrawal_id bigint); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal._lock(p_withdrawal_id bigint) IS 'The user of a withdrawal, locked: for calls that bring only its id.';

--
-- Name: _purge(bigint[], timestamp with time zone); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal._purge(p_users bigint[], p_now timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    AS $$
declare
  v_withdrawals int;
  v_drafts int;
begin
  update withdrawal.withdrawal w
  set requisites = null, requisites_purge_at = null
  where w.telegram_id = any (p_users) and w.requisites_purge_at <= p_now;
  get diagnostics v_withdrawals = row_count;

  update withdrawal.draft d
  set requisites = null
  where d.telegram_id = any (p_users) and d.expires_at <= p_now and d.requisites is not null;
  get diagnostics v_drafts = row_count;

  if v_withdrawals + v_drafts > 0 then
    perform audit._record('withdrawal.purge_due', null, null, jsonb_build_object(
      'withdrawals', v_withdrawals, 'drafts', v_drafts));
  end if;
  return v_withdrawals + v_drafts;
end
$$;

--
-- Name: FUNCTION _purge(p_users bigint[], p_now timestamp with time zone); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal._purge(p_users bigint[], p_now timestamp with time zone) IS 'Of ended withdrawals after their time, and of drafts that can no longer be submitted.';

--
-- Name: _refuse_ended(bigint, bigint); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal._refuse_ended(p_telegram_id bigint, p_withdrawal_id bigint) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_detail text;
begin
  select format('withdrawal_id %s was %s by %s at %s', w.withdrawal_id, w.status, w.ended_by,
                w.ended_at)
  into v_detail
  from withdrawal.withdrawal w
  where w.telegram_id = p_telegram_id and w.withdrawal_id = p_withdrawal_id;
  perform core._refuse('WD002', v_detail);
end
$$;

--
-- Name: FUNCTION _refuse_ended(p_telegram_id bigint, p_withdrawal_id bigint); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal._refuse_ended(p_telegram_id bigint, p_withdrawal_id bigint) IS 'Who ended it, and when, goes to DETAIL.';

--
-- Name: _require_may(bigint, boolean, bigint, timestamp with time zone); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal._require_may(p_telegram_id bigint, p_is_blocked boolean, p_amount_kopecks bigint, p_now timestamp with time zone) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $$
declare
  v_minimum_kopecks bigint := ops._setting_value('withdrawal_minimum_kopecks');
  v_per_day bigint := ops._setting_value('withdrawals_per_day');
  v_pending_id bigint;
  v_recent bigint;
  v_wallet record;
begin
  if p_is_blocked then
    perform core._refuse('US002', format('telegram_id %s', p_telegram_id));
  elsif p_amount_kopecks < v_minimum_kopecks then
    perform core._refuse('WD003', format('%s kopecks, the minimum is %s', p_amount_kopecks,
                                         v_minimum_kopecks));
  end if;

  select w.withdrawal_id into v_pending_id
  from withdrawal.withdrawal w
  where w.telegram_id = p_telegram_id and w.status = 'pending';
  if found then
    perform core._refuse('WD004', format('withdrawal_id %s is pending (withdrawal_one_pending)',
                                         v_pending_id));
  end if;

  select count(*) into v_recent
  from withdrawal.withdrawal w
  where w.telegram_id = p_telegram_id and w.requested_at > p_now - interval '24 hours';
  if v_recent >= v_per_day then
    perform core._refuse('WD004', format('%s requests in 24 hours, at most %s', v_recent,
                                         v_per_day));
  end if;

  select w.available_kopecks, w.debt_kopecks into strict v_wallet
  from wallet.wallet w
  where w.telegram_id = p_telegram_id;
  if v_wallet.debt_kopecks > 0 then
    perform core._refuse('WA001', format('telegram_id %s: a debt of %s kopecks comes first',
                                         p_telegram_id, v_wallet.debt_kopecks));
  elsif v_wallet.available_kopecks < p_amount_kopecks then
    perform core._refuse('WA001', format('telegram_id %s needs %s kopecks, %s are available',
                                         p_telegram_id, p_amount_kopecks,
                                         v_wallet.available_kopecks));
  end if;
end
$$;

--
-- Name: FUNCTION _require_may(p_telegram_id bigint, p_is_blocked boolean, p_amount_kopecks bigint, p_now timestamp with time zone); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal._require_may(p_telegram_id bigint, p_is_blocked boolean, p_amount_kopecks bigint, p_now timestamp with time zone) IS 'Not blocked, not below the minimum, none pending, not too many in 24 hours, no debt, and money enough.';

--
-- Name: _require_request(bigint, bigint, text, text); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal._require_request(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text) RETURNS void
    LANGUAGE plpgsql STABLE
    AS $_$
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_amount_kopecks between 1 and 1000000000000,
                        'p_amount_kopecks: 1 to 10^12');
  perform core._require(
    length(p_requisites) <= 4096 and p_requisites ~ '^v1:[A-Za-z0-9+/]+={0,2}$',
    'p_requisites: sealed by the application (v1: and base64, at most 4096 characters; '
    'requisites_are_sealed)');
  perform core._require_key(p_idempotency_key);
end
$_$;

--
-- Name: FUNCTION _require_request(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal._require_request(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text) IS 'Checks the arguments of request and draft. The requisites are never repeated in a refusal.';

--
-- Name: approve(bigint, bigint); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal.approve(p_admin_id bigint, p_withdrawal_id bigint) RETURNS TABLE(withdrawal_id bigint, status text, approvals integer, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_telegram_id bigint;
  v_now timestamptz;
  v_first record;
  v_withdrawal record;
  v_needed int;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_withdrawal_id is not null, 'p_withdrawal_id: the id from list_pending');
  perform account._require_admin(p_admin_id);
  v_telegram_id := withdrawal._lock(p_withdrawal_id);
  v_now := core.now();
  if v_telegram_id = p_admin_id then
    perform core._refuse('WD005', format('withdrawal_id %s (approval_not_own)', p_withdrawal_id));
  end if;

  select a.status_after, a.approvals_after into v_first
  from withdrawal.approval a
  where a.telegram_id = v_telegram_id and a.withdrawal_id = p_withdrawal_id
    and a.admin_id = p_admin_id;
  if found then
    return query
    select p_withdrawal_id, v_first.status_after::text, v_first.approvals_after::int, true;
    return;
  end if;

  select w.status, w.amount_kopecks into v_withdrawal
  from withdrawal.withdrawal w
  where w.telegram_id = v_telegram_id and w.withdrawal_id = p_withdrawal_id;
  if v_withdrawal.status <> 'pending' then
    perform withdrawal._refuse_ended(v_telegram_id, p_withdrawal_id);
  end if;

  v_needed := case when v_withdrawal.amount_kopecks
                        >= ops._setting_value('withdrawal_four_eyes_kopecks') then 2 else 1 end;
  approve.approvals := 1 + withdrawal._count_approvals(v_telegram_id, p_withdrawal_id);
  approve.status := case when approve.approvals >= v_needed then 'approved' else 'pending' end;
  insert into withdrawal.approval (
    telegram_id, withdrawal_id, admin_id, approved_at, status_after, approvals_after)
  values (v_telegram_id, p_withdrawal_id, p_admin_id, v_now,
          approve.status::withdrawal.status, approve.approvals);
  perform audit._record('withdrawal.approve', p_admin_id, 'withdrawal:' || p_withdrawal_id,
                        jsonb_build_object('status', approve.status,
                                           'approvals', approve.approvals));
  if approve.status = 'approved' then
    perform withdrawal._end(v_telegram_id, p_withdrawal_id, 'approved', p_admin_id, null,
                            v_needed, v_now);
  end if;
  return query select p_withdrawal_id, approve.status, approve.approvals, false;
end
$$;

--
-- Name: FUNCTION approve(p_admin_id bigint, p_withdrawal_id bigint); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal.approve(p_admin_id bigint, p_withdrawal_id bigint) IS 'Pays the held amount out; the transfer itself is made by hand, with the requisites of list_pending. From 50 000 roubles (setting withdrawal_four_eyes_kopecks) two different admins have to approve, both admins when the second does: until then it stays pending. Nobody approves their own. A debt since the request does not stop it: list_pending shows it. Its own key: the same admin''s second call is a replay.';

--
-- Name: cancel(bigint, bigint); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal.cancel(p_telegram_id bigint, p_withdrawal_id bigint) RETURNS TABLE(withdrawal_id bigint, status text, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_status withdrawal.status;
begin
  perform core._guard();
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_withdrawal_id is not null, 'p_withdrawal_id: the id from request');
  perform account._lock(p_telegram_id);

  select w.status into v_status
  from withdrawal.withdrawal w
  where w.telegram_id = p_telegram_id and w.withdrawal_id = p_withdrawal_id;
  if not found then
    perform core._refuse('WD001', format('withdrawal_id %s', p_withdrawal_id));
  elsif v_status not in ('pending', 'cancelled') then
    perform withdrawal._refuse_ended(p_telegram_id, p_withdrawal_id);
  elsif v_status = 'pending' then
    perform withdrawal._end(p_telegram_id, p_withdrawal_id, 'cancelled', p_telegram_id, null,
                            null, core.now());
    perform audit._record('withdrawal.cancel', p_telegram_id, 'withdrawal:' || p_withdrawal_id);
  end if;

  return query select p_withdrawal_id, 'cancelled', v_status = 'cancelled';
end
$$;

--
-- Name: FUNCTION cancel(p_telegram_id bigint, p_withdrawal_id bigint); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal.cancel(p_telegram_id bigint, p_withdrawal_id bigint) IS 'Gives the held amount back; possible for a blocked user too. Its own key: a second call is a replay.';

--
-- Name: draft(bigint, bigint, text, text); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal.draft(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text) RETURNS TABLE(draft_id uuid, expires_at timestamp with time zone, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_now timestamptz;
  v_first record;
begin
  perform core._guard('withdrawals');
  perform withdrawal._require_request(p_telegram_id, p_amount_kopecks, p_requisites,
                                      p_idempotency_key);
  v_is_blocked := account._lock(p_telegram_id);
  v_now := core.now();

  select d.draft_id, d.amount_kopecks into v_first
  from withdrawal.draft d
  where d.telegram_id = p_telegram_id and d.idempotency_key = p_idempotency_key;
  draft.is_replay := found;
  if not draft.is_replay then
    perform withdrawal._require_may(p_telegram_id, v_is_blocked, p_amount_kopecks, v_now);
    insert into withdrawal.draft (
      telegram_id, draft_id, amount_kopecks, requisites, idempotency_key, drafted_at, expires_at)
    values (p_telegram_id, gen_random_uuid(), p_amount_kopecks, p_requisites, p_idempotency_key,
            v_now, v_now + make_interval(
              secs => ops._setting_value('withdrawal_draft_seconds')));
  elsif v_first.amount_kopecks <> p_amount_kopecks then
    perform core._refuse('ID001', format('draft_id %s has the key', v_first.draft_id));
  end if;

  return query
  select d.draft_id, d.expires_at, draft.is_replay
  from withdrawal.draft d
  where d.telegram_id = p_telegram_id and d.idempotency_key = p_idempotency_key;
end
$$;

--
-- Name: FUNCTION draft(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal.draft(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text) IS 'Checks what request would check and moves no money; the confirm button carries draft_id and nothing else. It can be submitted for 15 minutes (setting withdrawal_draft_seconds), then its requisites are removed. Idempotent by p_idempotency_key; requisites are not compared.';

--
-- Name: latest(bigint, integer); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal.latest(p_telegram_id bigint, p_limit integer) RETURNS TABLE(withdrawal_id bigint, status text, amount_kopecks bigint, requested_at timestamp with time zone, ended_at timestamp with time zone, reason text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  if not exists (select 1 from account.account a where a.telegram_id = p_telegram_id) then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  return query
  select w.withdrawal_id, w.status::text, w.amount_kopecks::bigint, w.requested_at, w.ended_at,
         w.reason
  from withdrawal.withdrawal w
  where w.telegram_id = p_telegram_id
  order by w.withdrawal_id desc
  limit p_limit;
end
$$;

--
-- Name: FUNCTION latest(p_telegram_id bigint, p_limit integer); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal.latest(p_telegram_id bigint, p_limit integer) IS 'What became of a user''s requests; requisites are not shown. Reads only.';

--
-- Name: list_pending(bigint, integer); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal.list_pending(p_admin_id bigint, p_limit integer) RETURNS TABLE(withdrawal_id bigint, telegram_id bigint, username text, amount_kopecks bigint, requested_at timestamp with time zone, approvals integer, approvals_needed integer, requisites text, debt_kopecks bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_four_eyes_kopecks bigint := ops._setting_value('withdrawal_four_eyes_kopecks');
begin
  perform core._require_feature('admin_actions');
  perform core._require(p_limit between 1 and 1000, 'p_limit: 1 to 1000');
  perform account._only_admins(p_admin_id);

  return query
  select w.withdrawal_id, w.telegram_id::bigint, a.username, w.amount_kopecks::bigint,
         w.requested_at, withdrawal._count_approvals(w.telegram_id, w.withdrawal_id),
         case when w.amount_kopecks >= v_four_eyes_kopecks then 2 else 1 end, w.requisites,
         b.debt_kopecks::bigint
  from withdrawal.withdrawal w
  join account.account a on a.telegram_id = w.telegram_id
  join wallet.wallet b on b.telegram_id = w.telegram_id
  where w.status = 'pending'
  order by w.requested_at, w.withdrawal_id
  limit p_limit;
end
$$;

--
-- Name: FUNCTION list_pending(p_admin_id bigint, p_limit integer); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal.list_pending(p_admin_id bigint, p_limit integer) IS 'For admins only: requisites are sealed and only the application can open them. approvals counts those of admins who still are. debt_kopecks: what the user has come to owe since the request; approve pays out all the same, reject gives the amount back to the balance. Reads only.';

--
-- Name: look(bigint, bigint); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal.look(p_admin_id bigint, p_withdrawal_id bigint) RETURNS TABLE(withdrawal_id bigint, telegram_id bigint, username text, status text, amount_kopecks bigint, requested_at timestamp with time zone, approvals integer, approvals_needed integer, approvers jsonb, debt_kopecks bigint, ended_at timestamp with time zone, ended_by bigint, ended_by_name text, reason text, is_own boolean, is_approved_by_you boolean, requisites text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who asks');
  perform core._require(p_withdrawal_id is not null, 'p_withdrawal_id: the id from queue');
  perform account._require_admin(p_admin_id);

  return query
  select s.withdrawal_id, s.telegram_id, s.username, s.status, s.amount_kopecks, s.requested_at,
         s.approvals, s.approvals_needed, s.approvers, s.debt_kopecks, s.ended_at, s.ended_by,
         s.ended_by_name, s.reason, s.is_own, s.is_approved_by_you, w.requisites
  from withdrawal.show(p_admin_id, p_withdrawal_id) s
  join withdrawal.withdrawal w
    on w.telegram_id = s.telegram_id and w.withdrawal_id = s.withdrawal_id;
  perform audit._record('withdrawal.look', p_admin_id, 'withdrawal:' || p_withdrawal_id);
end
$$;

--
-- Name: FUNCTION look(p_admin_id bigint, p_withdrawal_id bigint); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal.look(p_admin_id bigint, p_withdrawal_id bigint) IS 'withdrawal.show and the requisites: sealed, only the application can open them; null once purged. Every call is a look of its own and leaves a row in the audit (withdrawal.look), a repeat, too.';

--
-- Name: options(); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal.options() RETURNS TABLE(minimum_kopecks bigint, per_day bigint, four_eyes_kopecks bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  select ops._setting_value('withdrawal_minimum_kopecks'),
         ops._setting_value('withdrawals_per_day'),
         ops._setting_value('withdrawal_four_eyes_kopecks')
$$;

--
-- Name: FUNCTION options(); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal.options() IS 'The smallest withdrawal, how many requests in 24 hours, and from what amount two admins have to approve. Reads only.';

--
-- Name: purge_due(bigint, integer); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal.purge_due(p_epoch bigint, p_limit integer) RETURNS TABLE(purged integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
  v_now timestamptz;
  v_users bigint[];
  v_user bigint;
  v_purged int := 0;
begin
  perform ops._enter_due('withdrawal.purge_due', p_epoch, p_limit);
  v_now := core.now();

  select array_agg(l.telegram_id) into v_users
  from (
    select a.telegram_id
    from account.account a
    where a.telegram_id = any (array(
      select o.telegram_id
      from (select w.telegram_id, w.requisites_purge_at as due_at from withdrawal.withdrawal w
            where w.requisites_purge_at <= v_now
            union all
            select d.telegram_id, d.expires_at from withdrawal.draft d
            where d.expires_at <= v_now and d.requisites is not null) o
      where not exists (
        select 1 from ops.dead e
        where e.job_name = 'withdrawal.purge_due' and e.subject = 'telegram_id:' || o.telegram_id
          and e.died_at > v_now - interval '1 hour')
      order by o.due_at
      limit p_limit))
    order by a.telegram_id
    for no key update skip locked
  ) l;
  v_now := core.now(); -- the candidates' was from before the locks

  begin
    v_purged := withdrawal._purge(v_users, v_now);
  exception when data_exception or integrity_constraint_violation then
    foreach v_user in array v_users loop
      begin
        v_purged := v_purged + withdrawal._purge(array[v_user], v_now);
      exception when data_exception or integrity_constraint_violation then
        perform ops._bury('withdrawal.purge_due', 'telegram_id:' || v_user, sqlerrm);
      end;
    end loop;
  end;

  return query select v_purged;
end
$$;

--
-- Name: FUNCTION purge_due(p_epoch bigint, p_limit integer); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal.purge_due(p_epoch bigint, p_limit integer) IS 'Removes the requisites of at most p_limit users'' withdrawals 90 days after their end (setting requisites_days), and of drafts that have expired. p_epoch: of the lease withdrawal.purge_due; null by hand.';

--
-- Name: queue(bigint, bigint, integer); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal.queue(p_admin_id bigint, p_after_id bigint, p_limit integer) RETURNS TABLE(withdrawal_id bigint, telegram_id bigint, username text, amount_kopecks bigint, requested_at timestamp with time zone, approvals integer, approvals_needed integer)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_four_eyes_kopecks bigint := ops._setting_value('withdrawal_four_eyes_kopecks');
  v_after timestamptz := timestamptz '-infinity';
begin
  perform core._require_feature('admin_actions');
  perform core._require(p_limit between 1 and 100, 'p_limit: 1 to 100');
  perform account._only_admins(p_admin_id);
  if p_after_id is not null then
    select w.requested_at into v_after
    from withdrawal.withdrawal w
    where w.withdrawal_id = p_after_id;
    if not found then
      perform core._refuse('WD001', format('withdrawal_id %s', p_after_id));
    end if;
  end if;

  return query
  select w.withdrawal_id, w.telegram_id::bigint, a.username, w.amount_kopecks::bigint,
         w.requested_at, withdrawal._count_approvals(w.telegram_id, w.withdrawal_id),
         case when w.amount_kopecks >= v_four_eyes_kopecks then 2 else 1 end
  from withdrawal.withdrawal w
  join account.account a on a.telegram_id = w.telegram_id
  where w.status = 'pending'
    and (w.requested_at, w.withdrawal_id) > (v_after, coalesce(p_after_id, 0))
  order by w.requested_at, w.withdrawal_id
  limit p_limit;
end
$$;

--
-- Name: FUNCTION queue(p_admin_id bigint, p_after_id bigint, p_limit integer); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal.queue(p_admin_id bigint, p_after_id bigint, p_limit integer) IS 'For admins only, without where to pay: withdrawal.look has it. p_after_id: the last row of the page before, which may have been decided since; null begins. Reads only.';

--
-- Name: reject(bigint, bigint, text); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal.reject(p_admin_id bigint, p_withdrawal_id bigint, p_reason text) RETURNS TABLE(withdrawal_id bigint, status text, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_telegram_id bigint;
  v_withdrawal record;
begin
  perform core._guard('admin_actions');
  perform core._require(p_admin_id is not null, 'p_admin_id: who acts');
  perform core._require(p_withdrawal_id is not null, 'p_withdrawal_id: the id from list_pending');
  perform core._require(length(p_reason) between 1 and 1000, 'p_reason: 1 to 1000 characters');
  perform account._require_admin(p_admin_id);
  v_telegram_id := withdrawal._lock(p_withdrawal_id);

  select w.status, w.ended_by into v_withdrawal
  from withdrawal.withdrawal w
  where w.telegram_id = v_telegram_id and w.withdrawal_id = p_withdrawal_id;
  reject.is_replay := v_withdrawal.status = 'rejected' and v_withdrawal.ended_by = p_admin_id;
  if not reject.is_replay then
    if v_withdrawal.status <> 'pending' then
      perform withdrawal._refuse_ended(v_telegram_id, p_withdrawal_id);
    end if;
    perform withdrawal._end(v_telegram_id, p_withdrawal_id, 'rejected', p_admin_id, p_reason,
                            null, core.now());
    perform audit._record('withdrawal.reject', p_admin_id, 'withdrawal:' || p_withdrawal_id,
                          jsonb_build_object('reason', p_reason));
  end if;

  return query select p_withdrawal_id, 'rejected', reject.is_replay;
end
$$;

--
-- Name: FUNCTION reject(p_admin_id bigint, p_withdrawal_id bigint, p_reason text); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal.reject(p_admin_id bigint, p_withdrawal_id bigint, p_reason text) IS 'Gives the held amount back and tells the user why (1 to 1000 characters). Its own key: the same admin''s second call is a replay.';

--
-- Name: request(bigint, bigint, text, text); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal.request(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text) RETURNS TABLE(withdrawal_id bigint, status text, available_kopecks bigint, held_kopecks bigint, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_first record;
begin
  perform core._guard('withdrawals');
  perform withdrawal._require_request(p_telegram_id, p_amount_kopecks, p_requisites,
                                      p_idempotency_key);
  v_is_blocked := account._lock(p_telegram_id);

  select w.withdrawal_id, w.amount_kopecks into v_first
  from withdrawal.withdrawal w
  where w.telegram_id = p_telegram_id and w.idempotency_key = p_idempotency_key;
  request.is_replay := found;
  if not request.is_replay then
    perform withdrawal._hold(p_telegram_id, v_is_blocked, p_amount_kopecks, p_requisites,
                             core.now(), p_idempotency_key, null);
  elsif v_first.amount_kopecks <> p_amount_kopecks then
    perform core._refuse('ID001', format('withdrawal_id %s has the key', v_first.withdrawal_id));
  end if;

  return query
  select w.withdrawal_id, 'pending', w.available_after_kopecks::bigint,
         w.held_after_kopecks::bigint, request.is_replay
  from withdrawal.withdrawal w
  where w.telegram_id = p_telegram_id and w.idempotency_key = p_idempotency_key;
end
$$;

--
-- Name: FUNCTION request(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal.request(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text) IS 'Holds the amount and tells the admins. p_requisites is where to pay, sealed by the application (cmd/migrate seal-requisites makes one for psql). One at a time, at most 3 in 24 hours, not below the minimum (settings), nothing while there is a debt. Idempotent by p_idempotency_key; requisites are not compared.';

--
-- Name: show(bigint, bigint); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal.show(p_admin_id bigint, p_withdrawal_id bigint) RETURNS TABLE(withdrawal_id bigint, telegram_id bigint, username text, status text, amount_kopecks bigint, requested_at timestamp with time zone, approvals integer, approvals_needed integer, approvers jsonb, debt_kopecks bigint, ended_at timestamp with time zone, ended_by bigint, ended_by_name text, reason text, is_own boolean, is_approved_by_you boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_four_eyes_kopecks bigint := ops._setting_value('withdrawal_four_eyes_kopecks');
begin
  perform core._require_feature('admin_actions');
  perform core._require(p_withdrawal_id is not null, 'p_withdrawal_id: the id from queue');
  perform account._only_admins(p_admin_id);

  return query
  select w.withdrawal_id, w.telegram_id::bigint, a.username, w.status::text,
         w.amount_kopecks::bigint, w.requested_at,
         withdrawal._count_approvals(w.telegram_id, w.withdrawal_id),
         coalesce(w.approvals_needed::int,
                  case when w.amount_kopecks >= v_four_eyes_kopecks then 2 else 1 end),
         y.approvers, b.debt_kopecks::bigint, w.ended_at, w.ended_by, e.username, w.reason,
         w.telegram_id = p_admin_id, y.is_yours
  from withdrawal.withdrawal w
  join account.account a on a.telegram_id = w.telegram_id
  join wallet.wallet b on b.telegram_id = w.telegram_id
  left join account.account e on e.telegram_id = w.ended_by
  cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_object(
             'telegram_id', p.admin_id, 'username', coalesce(u.username, ''),
             'approved_at', p.approved_at) order by p.approved_at), '[]') as approvers,
           coalesce(bool_or(p.admin_id = p_admin_id), false) as is_yours
    from withdrawal.approval p
    join account.admin m on m.telegram_id = p.admin_id and m.is_active
    join account.account u on u.telegram_id = p.admin_id
    where p.telegram_id = w.telegram_id and p.withdrawal_id = w.withdrawal_id) y
  where w.withdrawal_id = p_withdrawal_id;
  if not found then
    perform core._refuse('WD001', format('withdrawal_id %s', p_withdrawal_id));
  end if;
end
$$;

--
-- Name: FUNCTION show(p_admin_id bigint, p_withdrawal_id bigint); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal.show(p_admin_id bigint, p_withdrawal_id bigint) IS 'Who asked for how much, and how it stands: ended_by and ended_at say who decided and when. approvers: [{telegram_id, username, approved_at}] of those who are admins still. Reads only.';

--
-- Name: show_draft(bigint, uuid); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal.show_draft(p_telegram_id bigint, p_draft_id uuid) RETURNS TABLE(draft_id uuid, status text, amount_kopecks bigint, requisites text, expires_at timestamp with time zone, withdrawal_id bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_now timestamptz := core.now();
begin
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_draft_id is not null, 'p_draft_id: the id from withdrawal.draft');

  return query
  select d.draft_id,
         case when w.withdrawal_id is not null then 'submitted'
              when d.requisites is null or d.expires_at <= v_now then 'expired'
              else 'open' end,
         d.amount_kopecks::bigint, d.requisites, d.expires_at, w.withdrawal_id
  from withdrawal.draft d
  left join withdrawal.withdrawal w
    on w.telegram_id = d.telegram_id and w.draft_id = d.draft_id
  where d.telegram_id = p_telegram_id and d.draft_id = p_draft_id;
  if not found then
    perform core._refuse('WD001', format('draft_id %s', p_draft_id));
  end if;
end
$$;

--
-- Name: FUNCTION show_draft(p_telegram_id bigint, p_draft_id uuid); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal.show_draft(p_telegram_id bigint, p_draft_id uuid) IS 'status: open, submitted (withdrawal_id is what it became) or expired. Requisites are sealed, and null once submitted or purged. Another user''s draft is WD001. Reads only.';

--
-- Name: submit(bigint, uuid); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal.submit(p_telegram_id bigint, p_draft_id uuid) RETURNS TABLE(withdrawal_id bigint, status text, available_kopecks bigint, held_kopecks bigint, is_replay boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
  v_now timestamptz;
  v_draft record;
begin
  perform core._guard('withdrawals');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_draft_id is not null, 'p_draft_id: the id from withdrawal.draft');
  v_is_blocked := account._lock(p_telegram_id);
  v_now := core.now();

  submit.is_replay := exists (
    select 1 from withdrawal.withdrawal w
    where w.telegram_id = p_telegram_id and w.draft_id = p_draft_id);
  if not submit.is_replay then
    select d.amount_kopecks, d.requisites, d.expires_at into v_draft
    from withdrawal.draft d
    where d.telegram_id = p_telegram_id and d.draft_id = p_draft_id;
    if not found then
      perform core._refuse('WD001', format('draft_id %s', p_draft_id));
    elsif v_draft.requisites is null or v_draft.expires_at <= v_now then
      perform core._refuse('WD001', format('draft_id %s expired at %s', p_draft_id,
                                           v_draft.expires_at));
    end if;

    perform withdrawal._hold(p_telegram_id, v_is_blocked, v_draft.amount_kopecks,
                             v_draft.requisites, v_now, null, p_draft_id);
    update withdrawal.draft d
    set requisites = null
    where d.telegram_id = p_telegram_id and d.draft_id = p_draft_id;
  end if;

  return query
  select w.withdrawal_id, 'pending', w.available_after_kopecks::bigint,
         w.held_after_kopecks::bigint, submit.is_replay
  from withdrawal.withdrawal w
  where w.telegram_id = p_telegram_id and w.draft_id = p_draft_id;
end
$$;

--
-- Name: FUNCTION submit(p_telegram_id bigint, p_draft_id uuid); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal.submit(p_telegram_id bigint, p_draft_id uuid) IS 'withdrawal.request with what was drafted: every check is made again. Its own key: a second call gives the first answer with is_replay = true. WD001 for a draft that is unknown, another user''s or expired; DETAIL says which.';

--
-- Name: validate(bigint, bigint); Type: FUNCTION; Schema: withdrawal; Owner: -
--

CREATE FUNCTION withdrawal.validate(p_telegram_id bigint, p_amount_kopecks bigint) RETURNS TABLE(amount_kopecks bigint, left_kopecks bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
  v_is_blocked boolean;
begin
  perform core._require_feature('withdrawals');
  perform core._require_user_id(p_telegram_id);
  perform core._require(p_amount_kopecks between 1 and 1000000000000,
                        'p_amount_kopecks: 1 to 10^12');
  select a.is_blocked into v_is_blocked
  from account.account a
  where a.telegram_id = p_telegram_id;
  if not found then
    perform core._refuse('US001', format('telegram_id %s', p_telegram_id));
  end if;

  perform withdrawal._require_may(p_telegram_id, v_is_blocked, p_amount_kopecks, core.now());

  return query
  select p_amount_kopecks, w.available_kopecks - p_amount_kopecks
  from wallet.wallet w
  where w.telegram_id = p_telegram_id;
end
$$;

--
-- Name: FUNCTION validate(p_telegram_id bigint, p_amount_kopecks bigint); Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON FUNCTION withdrawal.validate(p_telegram_id bigint, p_amount_kopecks bigint) IS 'Refuses what withdrawal.draft and request would refuse, before anybody is asked where to pay; left_kopecks would stay on the balance. Holds nothing and promises nothing. Reads only.';

SET default_table_access_method = heap;

--
-- Name: account; Type: TABLE; Schema: account; Owner: -
--

CREATE TABLE account.account (
    telegram_id core.telegram_id NOT NULL,
    username text,
    language text NOT NULL,
    is_language_chosen boolean DEFAULT false NOT NULL,
    is_blocked boolean DEFAULT false NOT NULL,
    blocked_at timestamp with time zone,
    blocked_reason text,
    is_reachable boolean DEFAULT true NOT NULL,
    is_vip boolean DEFAULT false NOT NULL,
    discount_percent core.percent,
    discount_expires_at timestamp with time zone,
    referral_code text NOT NULL,
    referrer_id core.telegram_id,
    start_payload text,
    registered_at timestamp with time zone NOT NULL,
    CONSTRAINT account_language_known CHECK ((language = ANY (ARRAY['ru'::text, 'en'::text]))),
    CONSTRAINT account_not_own_referrer CHECK (((referrer_id)::bigint <> (telegram_id)::bigint)),
    CONSTRAINT account_username_length CHECK ((length(username) <= 64))
)
WITH (fillfactor='80');

--
-- Name: TABLE account; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON TABLE account.account IS 'One row per user, made by /start. Its row lock is the user''s lock.';

--
-- Name: COLUMN account.telegram_id; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.account.telegram_id IS 'Telegram''s id of the user.';

--
-- Name: COLUMN account.username; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.account.username IS 'Telegram''s @name at the last /start, without the @.';

--
-- Name: COLUMN account.language; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.account.language IS 'ru or en.';

--
-- Name: COLUMN account.is_language_chosen; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.account.is_language_chosen IS 'False until the user chose; then it is not asked again.';

--
-- Name: COLUMN account.is_blocked; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.account.is_blocked IS 'Blocked users buy nothing; their received money goes to the balance.';

--
-- Name: COLUMN account.blocked_at; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.account.blocked_at IS 'When the block in force began; null without one.';

--
-- Name: COLUMN account.blocked_reason; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.account.blocked_reason IS 'The admin''s words about the block in force.';

--
-- Name: COLUMN account.is_reachable; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.account.is_reachable IS 'False after Telegram said that the bot was blocked.';

--
-- Name: COLUMN account.is_vip; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.account.is_vip IS 'Gets the VIP discount.';

--
-- Name: COLUMN account.discount_percent; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.account.discount_percent IS 'Personal discount, 1 to 99; null for none.';

--
-- Name: COLUMN account.discount_expires_at; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.account.discount_expires_at IS 'When the personal discount ends; null for never.';

--
-- Name: COLUMN account.referral_code; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.account.referral_code IS '64 random bits in hex; in the link ?start=ref_<code>.';

--
-- Name: COLUMN account.referrer_id; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.account.referrer_id IS 'Who invited this user; set once, at registration.';

--
-- Name: COLUMN account.start_payload; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.account.start_payload IS 'What came with the first /start.';

--
-- Name: COLUMN account.registered_at; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.account.registered_at IS 'When the first /start came.';

--
-- Name: admin; Type: TABLE; Schema: account; Owner: -
--

CREATE TABLE account.admin (
    telegram_id core.telegram_id NOT NULL,
    is_active boolean NOT NULL,
    note text NOT NULL,
    changed_at timestamp with time zone NOT NULL
);

--
-- Name: TABLE admin; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON TABLE account.admin IS 'Who is or was an admin. Apart from the user''s row, so that two admins can credit each other.';

--
-- Name: COLUMN admin.telegram_id; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.admin.telegram_id IS 'The admin.';

--
-- Name: COLUMN admin.is_active; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.admin.is_active IS 'False after revoke_admin.';

--
-- Name: COLUMN admin.note; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.admin.note IS 'Why, as given at the last change.';

--
-- Name: COLUMN admin.changed_at; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.admin.changed_at IS 'When it last changed.';

--
-- Name: corporate_request_id; Type: SEQUENCE; Schema: account; Owner: -
--

CREATE SEQUENCE account.corporate_request_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

--
-- Name: SEQUENCE corporate_request_id; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON SEQUENCE account.corporate_request_id IS 'Numbers corporate requests; gaps mean nothing.';

--
-- Name: corporate_request; Type: TABLE; Schema: account; Owner: -
--

CREATE TABLE account.corporate_request (
    telegram_id core.telegram_id NOT NULL,
    request_id bigint DEFAULT nextval('account.corporate_request_id'::regclass) NOT NULL,
    company text NOT NULL,
    contact text NOT NULL,
    idempotency_key core.idempotency_key NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    closed_by core.telegram_id,
    CONSTRAINT corporate_request_closing_is_whole CHECK (((closed_at IS NULL) = (closed_by IS NULL))),
    CONSTRAINT corporate_request_company_length CHECK (((length(company) >= 2) AND (length(company) <= 200))),
    CONSTRAINT corporate_request_contact_length CHECK (((length(contact) >= 2) AND (length(contact) <= 200)))
);

--
-- Name: TABLE corporate_request; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON TABLE account.corporate_request IS 'Who asks for corporate access. A closed one is kept for the retention only; the audit has that it was.';

--
-- Name: COLUMN corporate_request.telegram_id; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.corporate_request.telegram_id IS 'Who asks.';

--
-- Name: COLUMN corporate_request.request_id; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.corporate_request.request_id IS 'The request''s number.';

--
-- Name: COLUMN corporate_request.company; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.corporate_request.company IS 'For whom, in the user''s words.';

--
-- Name: COLUMN corporate_request.contact; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.corporate_request.contact IS 'How to reach them, in the user''s words.';

--
-- Name: COLUMN corporate_request.idempotency_key; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.corporate_request.idempotency_key IS 'The user''s key.';

--
-- Name: COLUMN corporate_request.requested_at; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.corporate_request.requested_at IS 'When.';

--
-- Name: COLUMN corporate_request.closed_at; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.corporate_request.closed_at IS 'When an admin had dealt with it, or the user took it back.';

--
-- Name: COLUMN corporate_request.closed_by; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.corporate_request.closed_by IS 'The admin, or the user.';

--
-- Name: draft; Type: TABLE; Schema: account; Owner: -
--

CREATE TABLE account.draft (
    admin_id core.telegram_id NOT NULL,
    draft_id uuid NOT NULL,
    action text NOT NULL,
    arguments jsonb NOT NULL,
    idempotency_key core.idempotency_key NOT NULL,
    drafted_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone,
    CONSTRAINT draft_action_form CHECK ((action ~ '^[a-z_]{1,64}$'::text)),
    CONSTRAINT draft_arguments_are_an_object CHECK ((jsonb_typeof(arguments) = 'object'::text))
);

--
-- Name: TABLE draft; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON TABLE account.draft IS 'What an admin is about to do, while the confirm screen is up. The button carries the id only.';

--
-- Name: COLUMN draft.admin_id; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.draft.admin_id IS 'Who is about to do it.';

--
-- Name: COLUMN draft.draft_id; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.draft.draft_id IS 'Names it; the key of the action itself follows from it.';

--
-- Name: COLUMN draft.action; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.draft.action IS 'What is to be done, in the screens'' words.';

--
-- Name: COLUMN draft.arguments; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.draft.arguments IS 'To whom and how much, as the screens need it.';

--
-- Name: COLUMN draft.idempotency_key; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.draft.idempotency_key IS 'The admin''s key of the call.';

--
-- Name: COLUMN draft.drafted_at; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.draft.drafted_at IS 'When it was drafted.';

--
-- Name: COLUMN draft.expires_at; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.draft.expires_at IS 'Until then it can be confirmed.';

--
-- Name: COLUMN draft.done_at; Type: COMMENT; Schema: account; Owner: -
--

COMMENT ON COLUMN account.draft.done_at IS 'When it was done, for actions without a key of their own; null before, and for the others.';

--
-- Name: batch; Type: TABLE; Schema: audit; Owner: -
--

CREATE TABLE audit.batch (
    batch_id bigint NOT NULL,
    from_xid bigint NOT NULL,
    to_xid bigint NOT NULL,
    row_ids text[] NOT NULL,
    row_hashes bytea[] NOT NULL,
    sealed_rows bigint NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    CONSTRAINT batch_lists_match CHECK ((cardinality(row_ids) = cardinality(row_hashes))),
    CONSTRAINT batch_xids_grow CHECK ((from_xid < to_xid))
);

--
-- Name: TABLE batch; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON TABLE audit.batch IS 'The seal: a hash chain over batches of ledger rows and audit entries, written after the fact.';

--
-- Name: COLUMN batch.batch_id; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.batch.batch_id IS '1, 2, 3 … without a gap.';

--
-- Name: COLUMN batch.from_xid; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.batch.from_xid IS 'Rows of transactions from here on …';

--
-- Name: COLUMN batch.to_xid; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.batch.to_xid IS '… to before here, none of which could still commit.';

--
-- Name: COLUMN batch.row_ids; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.batch.row_ids IS 'The rows, in order: transfer:<telegram_id>/<version> or entry:<entry_id>.';

--
-- Name: COLUMN batch.row_hashes; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.batch.row_hashes IS 'SHA-256 of each row''s canonical form.';

--
-- Name: COLUMN batch.sealed_rows; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.batch.sealed_rows IS 'Rows sealed so far, this batch included.';

--
-- Name: COLUMN batch.previous_hash; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.batch.previous_hash IS 'The hash of the batch before; 32 zero bytes for the first.';

--
-- Name: COLUMN batch.hash; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.batch.hash IS 'SHA-256 over all of the above.';

--
-- Name: COLUMN batch.sealed_at; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.batch.sealed_at IS 'When it was sealed.';

--
-- Name: entry; Type: TABLE; Schema: audit; Owner: -
--

CREATE TABLE audit.entry (
    entry_id bigint NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    actor_id bigint,
    action text NOT NULL,
    subject_id text,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    recorded_xid bigint DEFAULT ((pg_current_xact_id())::text)::bigint NOT NULL,
    correlation_id text DEFAULT "left"(NULLIF(current_setting('atlas.correlation_id'::text, true), ''::text), 128),
    CONSTRAINT entry_action_length CHECK (((length(action) >= 1) AND (length(action) <= 128))),
    CONSTRAINT entry_subject_length CHECK ((length(subject_id) <= 256))
);

--
-- Name: TABLE entry; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON TABLE audit.entry IS 'What happened beside the ledger: refusals of authority, admins, switches, suspense.';

--
-- Name: COLUMN entry.entry_id; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.entry.entry_id IS 'The row''s number.';

--
-- Name: COLUMN entry.occurred_at; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.entry.occurred_at IS 'When.';

--
-- Name: COLUMN entry.actor_id; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.entry.actor_id IS 'Who; null for the system and the owner.';

--
-- Name: COLUMN entry.action; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.entry.action IS 'What: the function, or alarm.<name>.';

--
-- Name: COLUMN entry.subject_id; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.entry.subject_id IS 'On whom or what.';

--
-- Name: COLUMN entry.details; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.entry.details IS 'The rest.';

--
-- Name: COLUMN entry.recorded_xid; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.entry.recorded_xid IS 'The writing transaction.';

--
-- Name: COLUMN entry.correlation_id; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.entry.correlation_id IS 'Ties it to the update or event it came from.';

--
-- Name: entry_entry_id_seq; Type: SEQUENCE; Schema: audit; Owner: -
--

ALTER TABLE audit.entry ALTER COLUMN entry_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audit.entry_entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: transfer_id; Type: SEQUENCE; Schema: ledger; Owner: -
--

CREATE SEQUENCE ledger.transfer_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 64;

--
-- Name: SEQUENCE transfer_id; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON SEQUENCE ledger.transfer_id IS 'Numbers transfers; gaps mean nothing.';

--
-- Name: transfer; Type: TABLE; Schema: ledger; Owner: -
--

CREATE TABLE ledger.transfer (
    telegram_id core.telegram_id NOT NULL,
    version bigint NOT NULL,
    transfer_id bigint DEFAULT nextval('ledger.transfer_id'::regclass) NOT NULL,
    debit_account ledger.account NOT NULL,
    credit_account ledger.account NOT NULL,
    reason ledger.reason NOT NULL,
    amount_kopecks core.amount_kopecks NOT NULL,
    available_kopecks core.balance_kopecks NOT NULL,
    held_kopecks core.balance_kopecks NOT NULL,
    debt_kopecks core.balance_kopecks NOT NULL,
    created_at timestamp with time zone NOT NULL,
    recorded_xid bigint DEFAULT ((pg_current_xact_id())::text)::bigint NOT NULL,
    purchase_id uuid,
    payment_id bigint,
    withdrawal_id bigint,
    actor_id bigint,
    note text,
    idempotency_key core.idempotency_key,
    correlation_id text DEFAULT "left"(NULLIF(current_setting('atlas.correlation_id'::text, true), ''::text), 128)
);

--
-- Name: TABLE transfer; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON TABLE ledger.transfer IS 'One row is one movement from the debit account to the credit account, with the user''s balances after it. Append-only.';

--
-- Name: COLUMN transfer.telegram_id; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.telegram_id IS 'Whose money moved.';

--
-- Name: COLUMN transfer.version; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.version IS 'The user''s own row number: 1, 2, 3 … without a gap.';

--
-- Name: COLUMN transfer.transfer_id; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.transfer_id IS 'The row''s number in the whole ledger.';

--
-- Name: COLUMN transfer.debit_account; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.debit_account IS 'Where the money came from.';

--
-- Name: COLUMN transfer.credit_account; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.credit_account IS 'Where it went.';

--
-- Name: COLUMN transfer.reason; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.reason IS 'Why.';

--
-- Name: COLUMN transfer.amount_kopecks; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.amount_kopecks IS 'How much, always positive.';

--
-- Name: COLUMN transfer.available_kopecks; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.available_kopecks IS 'Available after this row.';

--
-- Name: COLUMN transfer.held_kopecks; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.held_kopecks IS 'Held after this row.';

--
-- Name: COLUMN transfer.debt_kopecks; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.debt_kopecks IS 'Debt after this row.';

--
-- Name: COLUMN transfer.created_at; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.created_at IS 'When, by the clock after the lock.';

--
-- Name: COLUMN transfer.recorded_xid; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.recorded_xid IS 'The writing transaction: rows below a snapshot''s xmin are settled.';

--
-- Name: COLUMN transfer.purchase_id; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.purchase_id IS 'The purchase it paid, if any.';

--
-- Name: COLUMN transfer.payment_id; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.payment_id IS 'The provider payment it came from, if any.';

--
-- Name: COLUMN transfer.withdrawal_id; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.withdrawal_id IS 'The withdrawal it belongs to, if any.';

--
-- Name: COLUMN transfer.actor_id; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.actor_id IS 'The admin who did it; null for the user and the system.';

--
-- Name: COLUMN transfer.note; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.note IS 'The admin''s words.';

--
-- Name: COLUMN transfer.idempotency_key; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.idempotency_key IS 'The caller''s key; the row itself is the first answer.';

--
-- Name: COLUMN transfer.correlation_id; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.transfer.correlation_id IS 'Ties it to the update or event it came from.';

--
-- Name: event; Type: VIEW; Schema: audit; Owner: -
--

CREATE VIEW audit.event AS
 SELECT e.occurred_at,
    e.actor_id,
    e.action,
    e.subject_id,
    e.correlation_id,
    e.details
   FROM audit.entry e
UNION ALL
 SELECT t.created_at AS occurred_at,
    t.actor_id,
    ('ledger.'::text || t.reason) AS action,
    (t.telegram_id)::text AS subject_id,
    t.correlation_id,
    jsonb_strip_nulls(jsonb_build_object('transfer_id', t.transfer_id, 'version', t.version, 'amount_kopecks', t.amount_kopecks, 'debit_account', t.debit_account, 'credit_account', t.credit_account, 'available_kopecks', t.available_kopecks, 'held_kopecks', t.held_kopecks, 'debt_kopecks', t.debt_kopecks, 'purchase_id', t.purchase_id, 'payment_id', t.payment_id, 'withdrawal_id', t.withdrawal_id, 'note', t.note, 'idempotency_key', t.idempotency_key)) AS details
   FROM ledger.transfer t;

--
-- Name: VIEW event; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON VIEW audit.event IS 'Everything that happened: audit entries, and every movement of money.';

--
-- Name: COLUMN event.occurred_at; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.event.occurred_at IS 'When.';

--
-- Name: COLUMN event.actor_id; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.event.actor_id IS 'Who; null for the user, the system or the owner.';

--
-- Name: COLUMN event.action; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.event.action IS 'What: a function, alarm.<name>, refused.<function>, ledger.<reason>.';

--
-- Name: COLUMN event.subject_id; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.event.subject_id IS 'On whom or what.';

--
-- Name: COLUMN event.correlation_id; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.event.correlation_id IS 'Ties it to the update or event it came from.';

--
-- Name: COLUMN event.details; Type: COMMENT; Schema: audit; Owner: -
--

COMMENT ON COLUMN audit.event.details IS 'The rest.';

--
-- Name: charge; Type: TABLE; Schema: billing; Owner: -
--

CREATE TABLE billing.charge (
    provider text NOT NULL,
    charge_id text NOT NULL,
    telegram_id bigint NOT NULL,
    payment_id bigint NOT NULL,
    CONSTRAINT charge_id_length CHECK (((length(charge_id) >= 1) AND (length(charge_id) <= 256)))
);

--
-- Name: TABLE charge; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON TABLE billing.charge IS 'Every provider charge id once: the one key that no user leads.';

--
-- Name: COLUMN charge.provider; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.charge.provider IS 'The provider.';

--
-- Name: COLUMN charge.charge_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.charge.charge_id IS 'The provider''s id of the money.';

--
-- Name: COLUMN charge.telegram_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.charge.telegram_id IS 'Whose payment it became; 0 for nobody''s.';

--
-- Name: COLUMN charge.payment_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.charge.payment_id IS 'The payment.';

--
-- Name: invoice; Type: TABLE; Schema: billing; Owner: -
--

CREATE TABLE billing.invoice (
    telegram_id core.telegram_id NOT NULL,
    purchase_id uuid NOT NULL,
    provider text NOT NULL,
    invoice_id text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    attached_at timestamp with time zone NOT NULL,
    CONSTRAINT invoice_amount_positive CHECK ((amount_minor > 0)),
    CONSTRAINT invoice_id_length CHECK (((length(invoice_id) >= 1) AND (length(invoice_id) <= 256)))
);

--
-- Name: TABLE invoice; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON TABLE billing.invoice IS 'Invoices at providers for a purchase.';

--
-- Name: COLUMN invoice.telegram_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.invoice.telegram_id IS 'The buyer.';

--
-- Name: COLUMN invoice.purchase_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.invoice.purchase_id IS 'The purchase.';

--
-- Name: COLUMN invoice.provider; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.invoice.provider IS 'Where the invoice is.';

--
-- Name: COLUMN invoice.invoice_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.invoice.invoice_id IS 'The provider''s id of it.';

--
-- Name: COLUMN invoice.amount_minor; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.invoice.amount_minor IS 'What it asks, in the currency''s minor unit (kopecks, whole Stars).';

--
-- Name: COLUMN invoice.currency; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.invoice.currency IS 'RUB or XTR.';

--
-- Name: COLUMN invoice.attached_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.invoice.attached_at IS 'When it was attached.';

--
-- Name: payment; Type: TABLE; Schema: billing; Owner: -
--

CREATE TABLE billing.payment (
    telegram_id bigint NOT NULL,
    payment_id bigint NOT NULL,
    provider text NOT NULL,
    charge_id text NOT NULL,
    purchase_id uuid,
    payer_id bigint,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    worth_kopecks bigint,
    credited_kopecks core.price_kopecks NOT NULL,
    outcome billing.payment_outcome NOT NULL,
    suspense_reason text,
    resolved_by bigint,
    resolved_at timestamp with time zone,
    resolution_note text,
    reversed_at timestamp with time zone,
    reversal_debt_kopecks bigint,
    reversal_raw jsonb,
    subscription_expires_at timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    raw jsonb,
    correlation_id text DEFAULT "left"(NULLIF(current_setting('atlas.correlation_id'::text, true), ''::text), 128),
    refund_begun_by bigint,
    refund_begun_at timestamp with time zone,
    refund_reason text,
    CONSTRAINT payment_amount_positive CHECK ((amount_minor > 0)),
    CONSTRAINT payment_credits_no_more_than_received CHECK (((credited_kopecks)::bigint <= worth_kopecks)),
    CONSTRAINT payment_refund_is_whole CHECK ((((refund_begun_by IS NULL) = (refund_begun_at IS NULL)) AND ((refund_begun_by IS NULL) = (refund_reason IS NULL)))),
    CONSTRAINT payment_resolution_is_whole CHECK (((resolved_by IS NULL) = (resolved_at IS NULL))),
    CONSTRAINT payment_reversed_says_when CHECK (((outcome = 'reversed'::billing.payment_outcome) = (reversed_at IS NOT NULL))),
    CONSTRAINT payment_suspense_has_reason CHECK (((outcome = 'suspense'::billing.payment_outcome) <= (suspense_reason IS NOT NULL))),
    CONSTRAINT payment_worth_not_negative CHECK ((worth_kopecks >= 0))
);

--
-- Name: TABLE payment; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON TABLE billing.payment IS 'Money that a provider brought, each with exactly one outcome.';

--
-- Name: COLUMN payment.telegram_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.telegram_id IS 'Whose it is; 0 while it is nobody''s.';

--
-- Name: COLUMN payment.payment_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.payment_id IS 'The payment''s number.';

--
-- Name: COLUMN payment.provider; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.provider IS 'Who brought it.';

--
-- Name: COLUMN payment.charge_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.charge_id IS 'The provider''s id of it.';

--
-- Name: COLUMN payment.purchase_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.purchase_id IS 'What the provider says it is for.';

--
-- Name: COLUMN payment.payer_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.payer_id IS 'Who the provider says has paid; null where it does not say.';

--
-- Name: COLUMN payment.amount_minor; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.amount_minor IS 'As received, in the currency''s minor unit.';

--
-- Name: COLUMN payment.currency; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.currency IS 'As received.';

--
-- Name: COLUMN payment.worth_kopecks; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.worth_kopecks IS 'In kopecks; null in suspense.';

--
-- Name: COLUMN payment.credited_kopecks; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.credited_kopecks IS 'What of it went to the balance.';

--
-- Name: COLUMN payment.outcome; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.outcome IS 'applied, credited, suspense or reversed.';

--
-- Name: COLUMN payment.suspense_reason; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.suspense_reason IS 'Why it is in suspense.';

--
-- Name: COLUMN payment.resolved_by; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.resolved_by IS 'The admin who took it out of suspense.';

--
-- Name: COLUMN payment.resolved_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.resolved_at IS 'When it was taken out of suspense.';

--
-- Name: COLUMN payment.resolution_note; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.resolution_note IS 'The admin''s words about it.';

--
-- Name: COLUMN payment.reversed_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.reversed_at IS 'When the provider took it back.';

--
-- Name: COLUMN payment.reversal_debt_kopecks; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.reversal_debt_kopecks IS 'What of the reversal was no longer there and became debt: part of the first answer.';

--
-- Name: COLUMN payment.reversal_raw; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.reversal_raw IS 'The provider''s own words about the reversal.';

--
-- Name: COLUMN payment.subscription_expires_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.subscription_expires_at IS 'The end of the subscription that it bought: part of the first answer.';

--
-- Name: COLUMN payment.received_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.received_at IS 'When it was settled here.';

--
-- Name: COLUMN payment.raw; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.raw IS 'The provider''s own words.';

--
-- Name: COLUMN payment.correlation_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.correlation_id IS 'Ties it to the event it came with.';

--
-- Name: COLUMN payment.refund_begun_by; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.refund_begun_by IS 'The admin who had the provider asked to give it back.';

--
-- Name: COLUMN payment.refund_begun_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.refund_begun_at IS 'When; it is over once the outcome is reversed.';

--
-- Name: COLUMN payment.refund_reason; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.payment.refund_reason IS 'The admin''s words.';

--
-- Name: payment_id; Type: SEQUENCE; Schema: billing; Owner: -
--

CREATE SEQUENCE billing.payment_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

--
-- Name: SEQUENCE payment_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON SEQUENCE billing.payment_id IS 'Numbers payments; gaps mean nothing.';

--
-- Name: provider; Type: TABLE; Schema: billing; Owner: -
--

CREATE TABLE billing.provider (
    provider text NOT NULL,
    currency text NOT NULL,
    minimum_kopecks core.price_kopecks NOT NULL,
    is_offered boolean NOT NULL,
    is_settled_by_event boolean NOT NULL,
    CONSTRAINT provider_currency_known CHECK ((currency = ANY (ARRAY['RUB'::text, 'XTR'::text])))
);

--
-- Name: TABLE provider; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON TABLE billing.provider IS 'Who may bring money.';

--
-- Name: COLUMN provider.provider; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.provider.provider IS 'telegram (cards), stars, cryptobot, manual.';

--
-- Name: COLUMN provider.currency; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.provider.currency IS 'The only currency accepted from it; anything else goes to suspense.';

--
-- Name: COLUMN provider.minimum_kopecks; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.provider.minimum_kopecks IS 'Prices below it are not offered there.';

--
-- Name: COLUMN provider.is_offered; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.provider.is_offered IS 'Switches the way to pay on and off; money that comes all the same is kept.';

--
-- Name: COLUMN provider.is_settled_by_event; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.provider.is_settled_by_event IS 'False: only an admin''s approval brings money (manual).';

--
-- Name: purchase; Type: TABLE; Schema: billing; Owner: -
--

CREATE TABLE billing.purchase (
    telegram_id core.telegram_id NOT NULL,
    purchase_id uuid NOT NULL,
    kind billing.purchase_kind NOT NULL,
    status billing.purchase_status NOT NULL,
    tariff text,
    months smallint,
    list_kopecks core.amount_kopecks NOT NULL,
    discount_kind billing.discount_kind NOT NULL,
    discount_percent core.percent NOT NULL,
    price_kopecks core.price_kopecks NOT NULL,
    promo_code text,
    promo_id bigint,
    idempotency_key core.idempotency_key NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    expiry_check_at timestamp with time zone,
    closed_at timestamp with time zone,
    paid_with text,
    payment_id bigint,
    before_tariff text,
    before_expires_at timestamp with time zone,
    before_period subscription.period,
    period_starts_at timestamp with time zone,
    after_expires_at timestamp with time zone,
    renews_expires_at timestamp with time zone,
    quoted_expires_at timestamp with time zone,
    available_after_kopecks core.balance_kopecks,
    provision_task_id bigint,
    correlation_id text DEFAULT "left"(NULLIF(current_setting('atlas.correlation_id'::text, true), ''::text), 128)
)
WITH (fillfactor='70');

--
-- Name: TABLE purchase; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON TABLE billing.purchase IS 'What a user is buying or has bought, at the price that was shown.';

--
-- Name: COLUMN purchase.telegram_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.telegram_id IS 'The buyer.';

--
-- Name: COLUMN purchase.purchase_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.purchase_id IS 'The opaque id that buttons and invoices carry.';

--
-- Name: COLUMN purchase.kind; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.kind IS 'subscription or topup.';

--
-- Name: COLUMN purchase.status; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.status IS 'open -> paid -> refunded, or open -> expired | cancelled.';

--
-- Name: COLUMN purchase.tariff; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.tariff IS 'Subscription: the tariff.';

--
-- Name: COLUMN purchase.months; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.months IS 'Subscription: calendar months.';

--
-- Name: COLUMN purchase.list_kopecks; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.list_kopecks IS 'Before the discount.';

--
-- Name: COLUMN purchase.discount_kind; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.discount_kind IS 'Which discount won.';

--
-- Name: COLUMN purchase.discount_percent; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.discount_percent IS 'And its size.';

--
-- Name: COLUMN purchase.price_kopecks; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.price_kopecks IS 'What is to be paid; fixed when opened.';

--
-- Name: COLUMN purchase.promo_code; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.promo_code IS 'The promo code it was opened with, canonical, whether or not it won.';

--
-- Name: COLUMN purchase.promo_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.promo_id IS 'The promo code that won; its use is in promo.use.';

--
-- Name: COLUMN purchase.idempotency_key; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.idempotency_key IS 'The opener''s key.';

--
-- Name: COLUMN purchase.opened_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.opened_at IS 'When it was opened.';

--
-- Name: COLUMN purchase.expires_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.expires_at IS 'Paid from balance only before this; a provider''s money is honoured later too.';

--
-- Name: COLUMN purchase.expiry_check_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.expiry_check_at IS 'When billing.expire_due looks at it; null once it has. Only the worker moves it, so that paying stays a HOT update.';

--
-- Name: COLUMN purchase.closed_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.closed_at IS 'When it was paid, cancelled or expired.';

--
-- Name: COLUMN purchase.paid_with; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.paid_with IS 'balance, free, or the provider.';

--
-- Name: COLUMN purchase.payment_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.payment_id IS 'The provider payment that paid it.';

--
-- Name: COLUMN purchase.before_tariff; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.before_tariff IS 'The subscription before it was paid: tariff.';

--
-- Name: COLUMN purchase.before_expires_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.before_expires_at IS 'The subscription before it was paid: end.';

--
-- Name: COLUMN purchase.before_period; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.before_period IS 'The subscription before it was paid: period.';

--
-- Name: COLUMN purchase.period_starts_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.period_starts_at IS 'Where the bought months begin; they end at after_expires_at.';

--
-- Name: COLUMN purchase.after_expires_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.after_expires_at IS 'The subscription after it was paid: end.';

--
-- Name: COLUMN purchase.renews_expires_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.renews_expires_at IS 'Auto-renewal: the end of the period it renews. At most one charge per period.';

--
-- Name: COLUMN purchase.quoted_expires_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.quoted_expires_at IS 'The end that was shown when it was opened: part of the opener''s first answer.';

--
-- Name: COLUMN purchase.available_after_kopecks; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.available_after_kopecks IS 'Available after it was paid: part of the first answer.';

--
-- Name: COLUMN purchase.provision_task_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.provision_task_id IS 'The provisioning job that it wrote.';

--
-- Name: COLUMN purchase.correlation_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.purchase.correlation_id IS 'Ties it to the update that opened it.';

--
-- Name: refund; Type: TABLE; Schema: billing; Owner: -
--

CREATE TABLE billing.refund (
    telegram_id core.telegram_id NOT NULL,
    purchase_id uuid NOT NULL,
    kind billing.refund_kind NOT NULL,
    refunded_kopecks core.price_kopecks NOT NULL,
    subscription_expires_at timestamp with time zone,
    change_id bigint,
    restored_from bigint,
    actor_id bigint,
    reason text,
    refunded_at timestamp with time zone NOT NULL,
    CONSTRAINT refund_by_admin_has_actor CHECK (((kind = 'refund'::billing.refund_kind) = (actor_id IS NOT NULL))),
    CONSTRAINT refund_restores_by_a_change CHECK ((restored_from < change_id))
);

--
-- Name: TABLE refund; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON TABLE billing.refund IS 'Purchases that were taken back, each once.';

--
-- Name: COLUMN refund.telegram_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.refund.telegram_id IS 'The buyer.';

--
-- Name: COLUMN refund.purchase_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.refund.purchase_id IS 'The purchase.';

--
-- Name: COLUMN refund.kind; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.refund.kind IS 'refund: by an admin, to the balance; reversal: by the provider.';

--
-- Name: COLUMN refund.refunded_kopecks; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.refund.refunded_kopecks IS 'What went back to the balance; 0 for a reversal.';

--
-- Name: COLUMN refund.subscription_expires_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.refund.subscription_expires_at IS 'The end of the subscription after it: part of the first answer.';

--
-- Name: COLUMN refund.change_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.refund.change_id IS 'The change of the subscription that it made; null if it was over already.';

--
-- Name: COLUMN refund.restored_from; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.refund.restored_from IS 'The place in the subscription''s chain before which the state was restored: from there to change_id all is undone. Null if the purchase''s own period was taken off the end.';

--
-- Name: COLUMN refund.actor_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.refund.actor_id IS 'The admin.';

--
-- Name: COLUMN refund.reason; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.refund.reason IS 'The admin''s words.';

--
-- Name: COLUMN refund.refunded_at; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.refund.refunded_at IS 'When.';

--
-- Name: tariff; Type: TABLE; Schema: billing; Owner: -
--

CREATE TABLE billing.tariff (
    tariff text NOT NULL,
    rank smallint NOT NULL,
    device_limit smallint NOT NULL,
    is_on_sale boolean DEFAULT true NOT NULL,
    CONSTRAINT tariff_device_limit_positive CHECK ((device_limit > 0)),
    CONSTRAINT tariff_name_is_simple CHECK ((tariff ~ '^[a-z][a-z0-9_]{0,31}$'::text))
);

--
-- Name: TABLE tariff; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON TABLE billing.tariff IS 'What is sold. Edit it here; open purchases keep their price.';

--
-- Name: COLUMN tariff.tariff; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.tariff.tariff IS 'Its name in the API.';

--
-- Name: COLUMN tariff.rank; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.tariff.rank IS 'A move to a higher rank converts the remaining time.';

--
-- Name: COLUMN tariff.device_limit; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.tariff.device_limit IS 'Distinct addresses at once.';

--
-- Name: COLUMN tariff.is_on_sale; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.tariff.is_on_sale IS 'False: nobody can open a purchase of it.';

--
-- Name: tariff_price; Type: TABLE; Schema: billing; Owner: -
--

CREATE TABLE billing.tariff_price (
    tariff text NOT NULL,
    months smallint NOT NULL,
    list_kopecks core.amount_kopecks NOT NULL,
    offer_id uuid DEFAULT gen_random_uuid() NOT NULL,
    CONSTRAINT tariff_price_months_in_range CHECK (((months >= 1) AND (months <= 36)))
);

--
-- Name: TABLE tariff_price; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON TABLE billing.tariff_price IS 'List prices. Every tariff needs a one-month price: remaining time converts by it.';

--
-- Name: COLUMN tariff_price.tariff; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.tariff_price.tariff IS 'The tariff.';

--
-- Name: COLUMN tariff_price.months; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.tariff_price.months IS 'Calendar months.';

--
-- Name: COLUMN tariff_price.list_kopecks; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.tariff_price.list_kopecks IS 'Price before any discount.';

--
-- Name: COLUMN tariff_price.offer_id; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.tariff_price.offer_id IS 'The opaque id that buttons carry instead of tariff and period.';

--
-- Name: topup_preset; Type: TABLE; Schema: billing; Owner: -
--

CREATE TABLE billing.topup_preset (
    amount_kopecks core.amount_kopecks NOT NULL
);

--
-- Name: TABLE topup_preset; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON TABLE billing.topup_preset IS 'Amounts that the top-up screen offers.';

--
-- Name: COLUMN topup_preset.amount_kopecks; Type: COMMENT; Schema: billing; Owner: -
--

COMMENT ON COLUMN billing.topup_preset.amount_kopecks IS 'The amount.';

--
-- Name: broadcast; Type: TABLE; Schema: broadcast; Owner: -
--

CREATE TABLE broadcast.broadcast (
    broadcast_id bigint NOT NULL,
    title text NOT NULL,
    kind broadcast.kind NOT NULL,
    segment broadcast.segment NOT NULL,
    offer broadcast.offer NOT NULL,
    text_a text NOT NULL,
    text_b text,
    starts_at timestamp with time zone,
    status broadcast.status DEFAULT 'draft'::broadcast.status NOT NULL,
    prepared_by core.telegram_id NOT NULL,
    prepared_at timestamp with time zone NOT NULL,
    idempotency_key core.idempotency_key NOT NULL,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    reached_id bigint DEFAULT 0 NOT NULL,
    expected_people bigint NOT NULL,
    moved_by core.telegram_id,
    moved_at timestamp with time zone,
    CONSTRAINT broadcast_ended_has_a_time CHECK (((status = ANY (ARRAY['done'::broadcast.status, 'cancelled'::broadcast.status])) = (ended_at IS NOT NULL))),
    CONSTRAINT broadcast_mover_has_a_time CHECK (((moved_by IS NULL) = (moved_at IS NULL))),
    CONSTRAINT broadcast_text_a_length CHECK (((length(text_a) >= 1) AND (length(text_a) <= 4096))),
    CONSTRAINT broadcast_text_b_length CHECK (((length(text_b) >= 1) AND (length(text_b) <= 4096))),
    CONSTRAINT broadcast_title_length CHECK (((length(title) >= 1) AND (length(title) <= 128)))
)
WITH (fillfactor='50');

--
-- Name: TABLE broadcast; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON TABLE broadcast.broadcast IS 'One text, or two against each other, for many people.';

--
-- Name: COLUMN broadcast.broadcast_id; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.broadcast_id IS 'The broadcast''s number.';

--
-- Name: COLUMN broadcast.title; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.title IS 'For the admins.';

--
-- Name: COLUMN broadcast.kind; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.kind IS 'What it is about.';

--
-- Name: COLUMN broadcast.segment; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.segment IS 'Whom it is for.';

--
-- Name: COLUMN broadcast.offer; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.offer IS 'Where its button leads.';

--
-- Name: COLUMN broadcast.text_a; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.text_a IS 'Plain text, as it is sent.';

--
-- Name: COLUMN broadcast.text_b; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.text_b IS 'What a random half gets instead; null: everybody gets text_a.';

--
-- Name: COLUMN broadcast.starts_at; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.starts_at IS 'Not before; null for at once.';

--
-- Name: COLUMN broadcast.status; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.status IS 'draft, running, paused, done or cancelled.';

--
-- Name: COLUMN broadcast.prepared_by; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.prepared_by IS 'The admin who wrote it.';

--
-- Name: COLUMN broadcast.prepared_at; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.prepared_at IS 'When it was written.';

--
-- Name: COLUMN broadcast.idempotency_key; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.idempotency_key IS 'The admin''s key of the call.';

--
-- Name: COLUMN broadcast.started_at; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.started_at IS 'When it was first started.';

--
-- Name: COLUMN broadcast.ended_at; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.ended_at IS 'When everybody had had their turn, or it was cancelled.';

--
-- Name: COLUMN broadcast.reached_id; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.reached_id IS 'Everybody up to this id has had their turn; the largest bigint once nobody is left.';

--
-- Name: COLUMN broadcast.expected_people; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.expected_people IS 'About how many it was for when it began, or was written.';

--
-- Name: COLUMN broadcast.moved_by; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.moved_by IS 'The admin who started, paused or cancelled it last.';

--
-- Name: COLUMN broadcast.moved_at; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.broadcast.moved_at IS 'And when.';

--
-- Name: broadcast_broadcast_id_seq; Type: SEQUENCE; Schema: broadcast; Owner: -
--

ALTER TABLE broadcast.broadcast ALTER COLUMN broadcast_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME broadcast.broadcast_broadcast_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: recipient; Type: TABLE; Schema: broadcast; Owner: -
--

CREATE TABLE broadcast.recipient (
    telegram_id core.telegram_id NOT NULL,
    broadcast_id bigint NOT NULL,
    variant text NOT NULL,
    outcome broadcast.outcome NOT NULL,
    attempt smallint NOT NULL,
    due_at timestamp with time zone,
    holder text,
    lease_token uuid,
    leased_until timestamp with time zone,
    finished_at timestamp with time zone,
    last_error text,
    pressed_at timestamp with time zone,
    CONSTRAINT recipient_ends_once CHECK (((outcome = ANY (ARRAY['sending'::broadcast.outcome, 'waiting'::broadcast.outcome])) = (finished_at IS NULL))),
    CONSTRAINT recipient_variant_known CHECK ((variant = ANY (ARRAY['a'::text, 'b'::text])))
)
WITH (fillfactor='70');

--
-- Name: TABLE recipient; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON TABLE broadcast.recipient IS 'Who has had their turn. The key is why nobody gets a broadcast twice.';

--
-- Name: COLUMN recipient.telegram_id; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.recipient.telegram_id IS 'The person.';

--
-- Name: COLUMN recipient.broadcast_id; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.recipient.broadcast_id IS 'The broadcast.';

--
-- Name: COLUMN recipient.variant; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.recipient.variant IS 'Which text: a or b.';

--
-- Name: COLUMN recipient.outcome; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.recipient.outcome IS 'sending: marked before it is sent, so that a crash leaves it unknown and never sent twice.';

--
-- Name: COLUMN recipient.attempt; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.recipient.attempt IS 'Attempts begun.';

--
-- Name: COLUMN recipient.due_at; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.recipient.due_at IS 'waiting: not before.';

--
-- Name: COLUMN recipient.holder; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.recipient.holder IS 'Which worker sends it, or did.';

--
-- Name: COLUMN recipient.lease_token; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.recipient.lease_token IS 'Names the attempt.';

--
-- Name: COLUMN recipient.leased_until; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.recipient.leased_until IS 'When an attempt that nobody ended becomes unknown.';

--
-- Name: COLUMN recipient.finished_at; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.recipient.finished_at IS 'When it ended.';

--
-- Name: COLUMN recipient.last_error; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.recipient.last_error IS 'Why the last attempt failed.';

--
-- Name: COLUMN recipient.pressed_at; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.recipient.pressed_at IS 'When the person first pressed its button.';

--
-- Name: tally; Type: TABLE; Schema: broadcast; Owner: -
--

CREATE TABLE broadcast.tally (
    broadcast_id bigint NOT NULL,
    sent_a bigint DEFAULT 0 NOT NULL,
    sent_b bigint DEFAULT 0 NOT NULL,
    unreachable bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL,
    pressed_a bigint DEFAULT 0 NOT NULL,
    pressed_b bigint DEFAULT 0 NOT NULL,
    marked_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    marked_people bigint DEFAULT 0 NOT NULL,
    since_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    since_people bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='20');

--
-- Name: TABLE tally; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON TABLE broadcast.tally IS 'How many people each broadcast has reached: nobody counts a million rows to draw a screen. Locked after the people whom it counts.';

--
-- Name: COLUMN tally.broadcast_id; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.tally.broadcast_id IS 'The broadcast.';

--
-- Name: COLUMN tally.sent_a; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.tally.sent_a IS 'People it has reached with the first text.';

--
-- Name: COLUMN tally.sent_b; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.tally.sent_b IS 'People it has reached with the second text.';

--
-- Name: COLUMN tally.unreachable; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.tally.unreachable IS 'People who have blocked the bot.';

--
-- Name: COLUMN tally.failed; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.tally.failed IS 'People whom it was refused for, every time, or who got no more attempts.';

--
-- Name: COLUMN tally.pressed_a; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.tally.pressed_a IS 'People with the first text who pressed its button.';

--
-- Name: COLUMN tally.pressed_b; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.tally.pressed_b IS 'People with the second text who pressed its button.';

--
-- Name: COLUMN tally.marked_at; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.tally.marked_at IS 'The last moment, of one about every ten seconds, that its pace is taken at.';

--
-- Name: COLUMN tally.marked_people; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.tally.marked_people IS 'How many people had had their turn then.';

--
-- Name: COLUMN tally.since_at; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.tally.since_at IS 'The moment before that: the pace is what came since.';

--
-- Name: COLUMN tally.since_people; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.tally.since_people IS 'How many people had had their turn then.';

--
-- Name: progress; Type: VIEW; Schema: broadcast; Owner: -
--

CREATE VIEW broadcast.progress AS
 SELECT b.broadcast_id,
    b.title,
    (b.kind)::text AS kind,
    (b.segment)::text AS segment,
    (b.text_b IS NOT NULL) AS is_ab,
    (b.status)::text AS status,
    b.prepared_by,
    b.prepared_at,
    b.starts_at,
    b.started_at,
    b.ended_at,
    (t.sent_a + t.sent_b) AS sent,
    t.sent_a,
    t.sent_b,
    t.unreachable,
    t.failed,
    ( SELECT count(*) AS count
           FROM broadcast.recipient r
          WHERE ((r.broadcast_id = b.broadcast_id) AND (r.outcome = 'unknown'::broadcast.outcome))) AS unknown,
    ( SELECT count(*) AS count
           FROM broadcast.recipient r
          WHERE ((r.broadcast_id = b.broadcast_id) AND (r.finished_at IS NULL))) AS unfinished,
    t.pressed_a,
    t.pressed_b,
    (
        CASE
            WHEN ((b.status = 'running'::broadcast.status) AND (core.now() < (t.marked_at + '00:01:00'::interval)) AND (core.now() > (t.since_at + '00:00:01'::interval))) THEN ((((((t.sent_a + t.sent_b) + t.unreachable) + t.failed) - t.since_people))::numeric / EXTRACT(epoch FROM (core.now() - t.since_at)))
            ELSE NULL::numeric
        END)::double precision AS people_per_second
   FROM (broadcast.broadcast b
     JOIN broadcast.tally t ON ((t.broadcast_id = b.broadcast_id)));

--
-- Name: VIEW progress; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON VIEW broadcast.progress IS 'How far each broadcast is, from its tally: it costs the same however many people it has reached. Unknown ones of more than retention_days ago are not counted any more.';

--
-- Name: COLUMN progress.broadcast_id; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.broadcast_id IS 'The broadcast.';

--
-- Name: COLUMN progress.title; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.title IS 'For the admins.';

--
-- Name: COLUMN progress.kind; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.kind IS 'info, maintenance, security or promo.';

--
-- Name: COLUMN progress.segment; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.segment IS 'Whom it is for.';

--
-- Name: COLUMN progress.is_ab; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.is_ab IS 'Whether two texts run against each other.';

--
-- Name: COLUMN progress.status; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.status IS 'draft, running, paused, done or cancelled.';

--
-- Name: COLUMN progress.prepared_by; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.prepared_by IS 'The admin who wrote it.';

--
-- Name: COLUMN progress.prepared_at; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.prepared_at IS 'When it was written.';

--
-- Name: COLUMN progress.starts_at; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.starts_at IS 'Not before; null for at once.';

--
-- Name: COLUMN progress.started_at; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.started_at IS 'When it was first started.';

--
-- Name: COLUMN progress.ended_at; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.ended_at IS 'When it was over.';

--
-- Name: COLUMN progress.sent; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.sent IS 'People it has reached.';

--
-- Name: COLUMN progress.sent_a; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.sent_a IS 'Of them, with the first text.';

--
-- Name: COLUMN progress.sent_b; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.sent_b IS 'Of them, with the second text.';

--
-- Name: COLUMN progress.unreachable; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.unreachable IS 'People who have blocked the bot.';

--
-- Name: COLUMN progress.failed; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.failed IS 'People whom Telegram refused it for, every time.';

--
-- Name: COLUMN progress.unknown; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.unknown IS 'People whom it may have reached: a worker died, or Telegram did not answer.';

--
-- Name: COLUMN progress.unfinished; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.unfinished IS 'People who are being written to, or wait for another attempt.';

--
-- Name: COLUMN progress.pressed_a; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.pressed_a IS 'People with the first text who pressed its button.';

--
-- Name: COLUMN progress.pressed_b; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.pressed_b IS 'People with the second text who pressed its button.';

--
-- Name: COLUMN progress.people_per_second; Type: COMMENT; Schema: broadcast; Owner: -
--

COMMENT ON COLUMN broadcast.progress.people_per_second IS 'How many had their turn a second, in the last ten to twenty seconds; null when nothing is sent.';

--
-- Name: refusal; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.refusal (
    sqlstate text NOT NULL,
    message text NOT NULL,
    hint text NOT NULL,
    CONSTRAINT refusal_sqlstate_is_five CHECK ((sqlstate ~ '^[A-Z0-9]{5}$'::text))
);

--
-- Name: TABLE refusal; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON TABLE core.refusal IS 'Every refusal''s constant message and advice; values go to DETAIL.';

--
-- Name: COLUMN refusal.sqlstate; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON COLUMN core.refusal.sqlstate IS 'What callers compare.';

--
-- Name: COLUMN refusal.message; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON COLUMN core.refusal.message IS 'The constant message.';

--
-- Name: COLUMN refusal.hint; Type: COMMENT; Schema: core; Owner: -
--

COMMENT ON COLUMN core.refusal.hint IS 'What to do next.';

--
-- Name: update; Type: TABLE; Schema: inbox; Owner: -
--

CREATE TABLE inbox.update (
    update_id bigint NOT NULL,
    chat_id bigint NOT NULL,
    payload json NOT NULL,
    received_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    attempt smallint DEFAULT 0 NOT NULL,
    holder text,
    lease_token uuid,
    leased_until timestamp with time zone,
    finished_at timestamp with time zone,
    last_error text
)
WITH (fillfactor='80');

--
-- Name: TABLE update; Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON TABLE inbox.update IS 'Telegram updates: stored before they are confirmed, handled once, in order per chat.';

--
-- Name: COLUMN update.update_id; Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON COLUMN inbox.update.update_id IS 'Telegram''s id: the same update twice is one row.';

--
-- Name: COLUMN update.chat_id; Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON COLUMN inbox.update.chat_id IS 'Whose turn it takes: the chat, else the person; 0 for none.';

--
-- Name: COLUMN update.payload; Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON COLUMN inbox.update.payload IS 'The update as it came; people''s words are sealed, and a pressed button comes without the text over it.';

--
-- Name: COLUMN update.received_at; Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON COLUMN inbox.update.received_at IS 'When it was stored.';

--
-- Name: COLUMN update.due_at; Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON COLUMN inbox.update.due_at IS 'Not before: moved by failures.';

--
-- Name: COLUMN update.attempt; Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON COLUMN inbox.update.attempt IS 'Attempts begun.';

--
-- Name: COLUMN update.holder; Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON COLUMN inbox.update.holder IS 'The process that has it.';

--
-- Name: COLUMN update.lease_token; Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON COLUMN inbox.update.lease_token IS 'Proof of the last claim.';

--
-- Name: COLUMN update.leased_until; Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON COLUMN inbox.update.leased_until IS 'When the claim runs out; null when it is free.';

--
-- Name: COLUMN update.finished_at; Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON COLUMN inbox.update.finished_at IS 'When it was handled or given up.';

--
-- Name: COLUMN update.last_error; Type: COMMENT; Schema: inbox; Owner: -
--

COMMENT ON COLUMN inbox.update.last_error IS 'The last failure.';

--
-- Name: reminder; Type: TABLE; Schema: notify; Owner: -
--

CREATE TABLE notify.reminder (
    period subscription.period NOT NULL,
    template text NOT NULL,
    longer_than_seconds bigint NOT NULL,
    at_most_seconds bigint NOT NULL,
    anchor notify.anchor NOT NULL,
    offset_seconds bigint NOT NULL,
    CONSTRAINT reminder_lengths_grow CHECK ((longer_than_seconds < at_most_seconds)),
    CONSTRAINT reminder_offset_positive CHECK ((offset_seconds > 0))
);

--
-- Name: TABLE reminder; Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON TABLE notify.reminder IS 'When users are reminded of what they have. Edit it here.';

--
-- Name: COLUMN reminder.period; Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON COLUMN notify.reminder.period IS 'paid, trial or grant.';

--
-- Name: COLUMN reminder.template; Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON COLUMN notify.reminder.template IS 'The message.';

--
-- Name: COLUMN reminder.longer_than_seconds; Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON COLUMN notify.reminder.longer_than_seconds IS 'Only for periods longer than this from start to end …';

--
-- Name: COLUMN reminder.at_most_seconds; Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON COLUMN notify.reminder.at_most_seconds IS '… and not longer than this.';

--
-- Name: COLUMN reminder.anchor; Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON COLUMN notify.reminder.anchor IS 'start or end.';

--
-- Name: COLUMN reminder.offset_seconds; Type: COMMENT; Schema: notify; Owner: -
--

COMMENT ON COLUMN notify.reminder.offset_seconds IS 'How long after the start, or before the end.';

--
-- Name: attempt; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.attempt (
    telegram_id bigint NOT NULL,
    action text NOT NULL,
    whole_at timestamp with time zone NOT NULL
);

--
-- Name: TABLE attempt; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON TABLE ops.attempt IS 'How much of a limit a person has used: buckets whose tokens grow back evenly.';

--
-- Name: COLUMN attempt.telegram_id; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.attempt.telegram_id IS 'The person.';

--
-- Name: COLUMN attempt.action; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.attempt.action IS 'What is limited: ops.rate_limit.';

--
-- Name: COLUMN attempt.whole_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.attempt.whole_at IS 'When the bucket is full again; each attempt moves it on by one token''s time.';

--
-- Name: lease; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.lease (
    name text NOT NULL,
    holder text,
    epoch bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    since timestamp with time zone,
    CONSTRAINT lease_holder_length CHECK (((length(holder) >= 1) AND (length(holder) <= 256))),
    CONSTRAINT lease_name_length CHECK (((length(name) >= 1) AND (length(name) <= 128)))
);

--
-- Name: TABLE lease; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON TABLE ops.lease IS 'Who leads what. The epoch grows with every change of leader and fences the old one.';

--
-- Name: COLUMN lease.name; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lease.name IS 'What is led: the job''s name.';

--
-- Name: COLUMN lease.holder; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lease.holder IS 'Who leads; null after a release.';

--
-- Name: COLUMN lease.epoch; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lease.epoch IS 'Number of the leadership.';

--
-- Name: COLUMN lease.expires_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lease.expires_at IS 'When it may be taken by another.';

--
-- Name: COLUMN lease.since; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lease.since IS 'When this leadership, or the last one, began; null before the first.';

--
-- Name: scheduled_job; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.scheduled_job (
    name text NOT NULL,
    schedule text NOT NULL,
    is_enabled boolean DEFAULT true NOT NULL,
    is_exclusive boolean NOT NULL,
    batch_size integer NOT NULL,
    timeout_seconds integer NOT NULL,
    next_run_at timestamp with time zone,
    last_started_at timestamp with time zone,
    last_finished_at timestamp with time zone,
    last_items integer,
    last_error text,
    consecutive_failures integer DEFAULT 0 NOT NULL,
    description text NOT NULL,
    CONSTRAINT scheduled_job_batch_size_in_range CHECK (((batch_size >= 1) AND (batch_size <= 10000))),
    CONSTRAINT scheduled_job_schedule_length CHECK (((length(schedule) >= 1) AND (length(schedule) <= 64))),
    CONSTRAINT scheduled_job_timeout_in_range CHECK (((timeout_seconds >= 1) AND (timeout_seconds <= 3600)))
)
WITH (fillfactor='50');

--
-- Name: TABLE scheduled_job; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON TABLE ops.scheduled_job IS 'The worker''s schedule; view ops.job shows it, ops.set_job changes it.';

--
-- Name: COLUMN scheduled_job.name; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job.name IS 'The job.';

--
-- Name: COLUMN scheduled_job.schedule; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job.schedule IS 'A cron expression (UTC), or "N seconds".';

--
-- Name: COLUMN scheduled_job.is_enabled; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job.is_enabled IS 'False: no worker runs it.';

--
-- Name: COLUMN scheduled_job.is_exclusive; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job.is_exclusive IS 'True: one worker at a time, under a lease of the job''s name.';

--
-- Name: COLUMN scheduled_job.batch_size; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job.batch_size IS 'Rows a call.';

--
-- Name: COLUMN scheduled_job.timeout_seconds; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job.timeout_seconds IS 'How long a run may take.';

--
-- Name: COLUMN scheduled_job.next_run_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job.next_run_at IS 'Exclusive jobs: not before; null for at once.';

--
-- Name: COLUMN scheduled_job.last_started_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job.last_started_at IS 'The last run''s start.';

--
-- Name: COLUMN scheduled_job.last_finished_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job.last_finished_at IS 'The last run''s end.';

--
-- Name: COLUMN scheduled_job.last_items; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job.last_items IS 'What the last run worked off.';

--
-- Name: COLUMN scheduled_job.last_error; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job.last_error IS 'The last run''s failure; null when it went well.';

--
-- Name: COLUMN scheduled_job.consecutive_failures; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job.consecutive_failures IS 'Failures since the last run that went well.';

--
-- Name: COLUMN scheduled_job.description; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job.description IS 'What it does.';

--
-- Name: task_id; Type: SEQUENCE; Schema: outbox; Owner: -
--

CREATE SEQUENCE outbox.task_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

--
-- Name: SEQUENCE task_id; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON SEQUENCE outbox.task_id IS 'Numbers tasks in the order of their making.';

--
-- Name: task; Type: TABLE; Schema: outbox; Owner: -
--

CREATE TABLE outbox.task (
    telegram_id core.telegram_id NOT NULL,
    task_id bigint DEFAULT nextval('outbox.task_id'::regclass) NOT NULL,
    kind outbox.kind NOT NULL,
    name text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    attempt smallint DEFAULT 0 NOT NULL,
    is_repeatable boolean DEFAULT false NOT NULL,
    purchase_id uuid,
    vpn_uuid uuid,
    amount_kopecks bigint,
    other_id bigint,
    arguments jsonb,
    holder text,
    lease_token uuid,
    leased_until timestamp with time zone,
    finished_at timestamp with time zone,
    outcome text,
    last_error text,
    correlation_id text DEFAULT "left"(NULLIF(current_setting('atlas.correlation_id'::text, true), ''::text), 128)
)
WITH (fillfactor='80');

--
-- Name: TABLE task; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON TABLE outbox.task IS 'Work that a committed transaction promised. A user''s tasks of a kind are worked in order.';

--
-- Name: COLUMN task.telegram_id; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.telegram_id IS 'Whose task.';

--
-- Name: COLUMN task.task_id; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.task_id IS 'job_id in vpn, message_id in notify.';

--
-- Name: COLUMN task.kind; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.kind IS 'provision, message or cashback.';

--
-- Name: COLUMN task.name; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.name IS 'provision: add or remove; message: the template; cashback: reward or clawback.';

--
-- Name: COLUMN task.due_at; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.due_at IS 'Not before.';

--
-- Name: COLUMN task.created_at; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.created_at IS 'When it was promised.';

--
-- Name: COLUMN task.attempt; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.attempt IS 'Attempts begun.';

--
-- Name: COLUMN task.is_repeatable; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.is_repeatable IS 'A message that is sent again when its outcome is unknown (keys only).';

--
-- Name: COLUMN task.purchase_id; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.purchase_id IS 'The purchase it follows from.';

--
-- Name: COLUMN task.vpn_uuid; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.vpn_uuid IS 'provision: the identity to add or remove.';

--
-- Name: COLUMN task.amount_kopecks; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.amount_kopecks IS 'message: an amount to show; cashback: what was paid.';

--
-- Name: COLUMN task.other_id; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.other_id IS 'cashback: who bought; provision: the request for new keys for everybody that it is of.';

--
-- Name: COLUMN task.arguments; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.arguments IS 'message: what else to show.';

--
-- Name: COLUMN task.holder; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.holder IS 'The worker that has it.';

--
-- Name: COLUMN task.lease_token; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.lease_token IS 'Proof of the last claim.';

--
-- Name: COLUMN task.leased_until; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.leased_until IS 'When the claim runs out; null when it is free.';

--
-- Name: COLUMN task.finished_at; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.finished_at IS 'When it ended.';

--
-- Name: COLUMN task.outcome; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.outcome IS 'done, failed, lost, unreachable or outdated; void: a reward and its claw-back that met.';

--
-- Name: COLUMN task.last_error; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.last_error IS 'The last failure.';

--
-- Name: COLUMN task.correlation_id; Type: COMMENT; Schema: outbox; Owner: -
--

COMMENT ON COLUMN outbox.task.correlation_id IS 'Ties it to the update or event it follows from.';

--
-- Name: subscription; Type: TABLE; Schema: subscription; Owner: -
--

CREATE TABLE subscription.subscription (
    telegram_id core.telegram_id NOT NULL,
    tariff text NOT NULL,
    period subscription.period DEFAULT 'paid'::subscription.period NOT NULL,
    started_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    auto_renew boolean DEFAULT false NOT NULL,
    activation subscription.activation NOT NULL,
    vpn_uuid uuid NOT NULL,
    key_uri text,
    expiry_check_at timestamp with time zone,
    renew_check_at timestamp with time zone,
    renew_declined_for timestamp with time zone,
    reminder_check_at timestamp with time zone
)
WITH (fillfactor='60');

--
-- Name: TABLE subscription; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON TABLE subscription.subscription IS 'A user''s one subscription.';

--
-- Name: COLUMN subscription.telegram_id; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.subscription.telegram_id IS 'The user.';

--
-- Name: COLUMN subscription.tariff; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.subscription.tariff IS 'The tariff in force.';

--
-- Name: COLUMN subscription.period; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.subscription.period IS 'paid, trial or grant.';

--
-- Name: COLUMN subscription.started_at; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.subscription.started_at IS 'When the trial or grant in force began, or the first purchase of an unbroken run.';

--
-- Name: COLUMN subscription.expires_at; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.subscription.expires_at IS 'The end.';

--
-- Name: COLUMN subscription.auto_renew; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.subscription.auto_renew IS 'Whether it renews itself from the balance.';

--
-- Name: COLUMN subscription.activation; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.subscription.activation IS 'Whether the key is on the node.';

--
-- Name: COLUMN subscription.vpn_uuid; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.subscription.vpn_uuid IS 'The VPN identity; a new one after expiry.';

--
-- Name: COLUMN subscription.key_uri; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.subscription.key_uri IS 'The key as the node gave it; null until then.';

--
-- Name: COLUMN subscription.expiry_check_at; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.subscription.expiry_check_at IS 'When expiry looks at it; never later than the end; null once it is over. Only the worker moves it forward, so that renewing stays a HOT update.';

--
-- Name: COLUMN subscription.renew_check_at; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.subscription.renew_check_at IS 'When auto-renewal looks at it; null while there is nothing to do. Moved like expiry_check_at.';

--
-- Name: COLUMN subscription.renew_declined_for; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.subscription.renew_declined_for IS 'The end for which the balance was too small and the user was told; a deposit lets it be tried again.';

--
-- Name: COLUMN subscription.reminder_check_at; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.subscription.reminder_check_at IS 'Reminders before it are dealt with; null when none is left. Moved like expiry_check_at.';

--
-- Name: component; Type: VIEW; Schema: ops; Owner: -
--

CREATE VIEW ops.component AS
 WITH clock AS (
         SELECT core.now() AS moment
        ), lane AS (
         SELECT
                CASE t.kind
                    WHEN 'provision'::outbox.kind THEN 'provisioning'::text
                    WHEN 'message'::outbox.kind THEN 'messages'::text
                    ELSE 'cashback'::text
                END AS name,
            count(*) AS waiting,
            min(t.due_at) AS oldest_due_at
           FROM (outbox.task t
             CROSS JOIN clock c)
          WHERE ((t.finished_at IS NULL) AND (t.due_at <= c.moment))
          GROUP BY t.kind
        UNION ALL
         SELECT 'inbox'::text,
            count(*) AS count,
            min(u.due_at) AS min
           FROM (inbox.update u
             CROSS JOIN clock c)
          WHERE ((u.finished_at IS NULL) AND (u.due_at <= c.moment))
        UNION ALL
         SELECT 'open purchases'::text,
            count(*) AS count,
            min(u.expiry_check_at) AS min
           FROM (billing.purchase u
             CROSS JOIN clock c)
          WHERE (u.expiry_check_at <= c.moment)
        UNION ALL
         SELECT 'expiry'::text,
            count(*) AS count,
            min(s.expiry_check_at) AS min
           FROM (subscription.subscription s
             CROSS JOIN clock c)
          WHERE (s.expiry_check_at <= c.moment)
        UNION ALL
         SELECT 'renewals'::text,
            count(*) AS count,
            min(s.renew_check_at) AS min
           FROM (subscription.subscription s
             CROSS JOIN clock c)
          WHERE (s.renew_check_at <= c.moment)
        UNION ALL
         SELECT 'reminders'::text,
            count(*) AS count,
            min(s.reminder_check_at) AS min
           FROM (subscription.subscription s
             CROSS JOIN clock c)
          WHERE (s.reminder_check_at <= c.moment)
        )
 SELECT 'bot'::text AS name,
        CASE
            WHEN (l.expires_at > c.moment) THEN 'up'::text
            WHEN (l.name IS NULL) THEN 'unknown'::text
            ELSE 'down'::text
        END AS status,
        CASE
            WHEN (l.expires_at > '-infinity'::timestamp with time zone) THEN l.expires_at
            ELSE NULL::timestamp with time zone
        END AS since,
        CASE
            WHEN (l.expires_at > c.moment) THEN (l.holder || ' polls Telegram'::text)
            ELSE 'nobody polls Telegram; with a webhook nobody has to'::text
        END AS detail
   FROM (clock c
     LEFT JOIN ops.lease l ON ((l.name = 'telegram.poll'::text)))
UNION ALL
 SELECT 'worker'::text AS name,
        CASE
            WHEN (max(j.last_finished_at) IS NULL) THEN 'unknown'::text
            WHEN (max(j.last_finished_at) < (c.moment - '00:01:00'::interval)) THEN 'down'::text
            WHEN bool_or((j.is_enabled AND (j.consecutive_failures > 0))) THEN 'failing'::text
            ELSE 'up'::text
        END AS status,
    max(j.last_finished_at) AS since,
    string_agg(((j.name || ': '::text) || j.last_error), '; '::text ORDER BY j.name) FILTER (WHERE (j.is_enabled AND (j.consecutive_failures > 0))) AS detail
   FROM (clock c
     CROSS JOIN ops.scheduled_job j)
  GROUP BY c.moment
UNION ALL
 SELECT
        CASE j.name
            WHEN 'vpn.sync_nodes'::text THEN 'vpn node'::text
            ELSE 'cryptobot'::text
        END AS name,
        CASE
            WHEN (j.last_finished_at IS NULL) THEN 'unknown'::text
            WHEN ((j.consecutive_failures > 0) OR (j.last_finished_at < (c.moment - '00:01:00'::interval))) THEN 'down'::text
            ELSE 'up'::text
        END AS status,
    j.last_finished_at AS since,
    j.last_error AS detail
   FROM (clock c
     CROSS JOIN ops.scheduled_job j)
  WHERE (j.name = ANY (ARRAY['vpn.sync_nodes'::text, 'pay.poll_cryptobot'::text]))
UNION ALL
 SELECT n.name,
        CASE
            WHEN (COALESCE(l.oldest_due_at, c.moment) < (c.moment - '00:01:00'::interval)) THEN 'behind'::text
            ELSE 'up'::text
        END AS status,
    l.oldest_due_at AS since,
    (COALESCE(l.waiting, (0)::bigint) || ' waiting'::text) AS detail
   FROM ((clock c
     CROSS JOIN ( VALUES ('inbox'::text), ('provisioning'::text), ('messages'::text), ('cashback'::text), ('open purchases'::text), ('expiry'::text), ('renewals'::text), ('reminders'::text)) n(name))
     LEFT JOIN lane l ON ((l.name = n.name)))
UNION ALL
 SELECT 'seal'::text AS name,
        CASE
            WHEN (u.oldest_at < (c.moment - '00:02:00'::interval)) THEN 'behind'::text
            ELSE 'up'::text
        END AS status,
    b.sealed_at AS since,
    (COALESCE(b.sealed_rows, (0)::bigint) || ' rows sealed'::text) AS detail
   FROM ((clock c
     LEFT JOIN ( SELECT s.to_xid,
            s.sealed_rows,
            s.sealed_at
           FROM audit.batch s
          ORDER BY s.batch_id DESC
         LIMIT 1) b ON (true))
     CROSS JOIN LATERAL ( SELECT LEAST(( SELECT min(t.created_at) AS min
                   FROM ledger.transfer t
                  WHERE (t.recorded_xid >= COALESCE(b.to_xid, (0)::bigint))), ( SELECT min(e.occurred_at) AS min
                   FROM audit.entry e
                  WHERE (e.recorded_xid >= COALESCE(b.to_xid, (0)::bigint)))) AS oldest_at) u);

--
-- Name: VIEW component; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON VIEW ops.component IS 'How each part is, judged by what it leaves in the database. No sign of life for a minute is down.';

--
-- Name: COLUMN component.name; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.component.name IS 'bot, worker, vpn node, cryptobot; the queues inbox, provisioning, messages, cashback, open purchases, expiry, renewals, reminders; seal.';

--
-- Name: COLUMN component.status; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.component.status IS 'up, down, failing (some jobs), behind (queues: a minute, so also users whom every run finds locked; seal: two), unknown (never seen).';

--
-- Name: COLUMN component.since; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.component.since IS 'bot: the end of its lease; queues: the oldest due; seal: the last batch; else the last run.';

--
-- Name: COLUMN component.detail; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.component.detail IS 'Who, how much, or what went wrong.';

--
-- Name: dependency; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.dependency (
    component text NOT NULL,
    is_critical boolean NOT NULL,
    state text DEFAULT 'unknown'::text NOT NULL,
    since timestamp with time zone,
    failing_since timestamp with time zone,
    reported_at timestamp with time zone,
    reported_by text,
    detail text,
    CONSTRAINT dependency_reported_by_length CHECK (((length(reported_by) >= 1) AND (length(reported_by) <= 256))),
    CONSTRAINT dependency_state_known CHECK ((state = ANY (ARRAY['unknown'::text, 'up'::text, 'down'::text])))
)
WITH (fillfactor='50');

--
-- Name: TABLE dependency; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON TABLE ops.dependency IS 'What the shop depends on, as workers saw it last; view ops.component_status shows it.';

--
-- Name: COLUMN dependency.component; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dependency.component IS 'What it is.';

--
-- Name: COLUMN dependency.is_critical; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dependency.is_critical IS 'Without it nothing works; without another the shop works on, with something missing.';

--
-- Name: COLUMN dependency.state; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dependency.state IS 'unknown until the first report, then up or down.';

--
-- Name: COLUMN dependency.since; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dependency.since IS 'Since when it is so.';

--
-- Name: COLUMN dependency.failing_since; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dependency.failing_since IS 'When it was first seen not to answer; null while it does.';

--
-- Name: COLUMN dependency.reported_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dependency.reported_at IS 'The last report.';

--
-- Name: COLUMN dependency.reported_by; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dependency.reported_by IS 'Who reported.';

--
-- Name: COLUMN dependency.detail; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dependency.detail IS 'What was wrong at the last report; null when nothing was.';

--
-- Name: component_status; Type: VIEW; Schema: ops; Owner: -
--

CREATE VIEW ops.component_status AS
 WITH seen AS (
         SELECT d.component,
            d.is_critical,
                CASE
                    WHEN (d.reported_at >= (core.now() - '00:01:00'::interval)) THEN d.state
                    ELSE 'unknown'::text
                END AS state,
            d.since,
            d.reported_at,
            d.reported_by,
            d.detail
           FROM ops.dependency d
        )
 SELECT 'service'::text AS component,
    true AS is_critical,
        CASE
            WHEN bool_or((s.is_critical AND (s.state <> 'up'::text))) THEN min(s.state) FILTER (WHERE (s.is_critical AND (s.state <> 'up'::text)))
            WHEN bool_or((s.state = 'down'::text)) THEN 'degraded'::text
            ELSE 'up'::text
        END AS state,
    max(s.since) AS since,
    max(s.reported_at) AS checked_at,
    NULL::text AS checked_by,
    string_agg(s.component, ', '::text ORDER BY s.component) FILTER (WHERE (s.state = 'down'::text)) AS detail
   FROM seen s
UNION ALL
 SELECT s.component,
    s.is_critical,
    s.state,
    s.since,
    s.reported_at AS checked_at,
    s.reported_by AS checked_by,
    s.detail
   FROM seen s;

--
-- Name: VIEW component_status; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON VIEW ops.component_status IS 'What the shop depends on, as the job ops.check_health saw it last, and what follows for the service. How its own parts are, by what they leave in the database, is ops.component.';

--
-- Name: COLUMN component_status.component; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.component_status.component IS 'service; database, redis, telegram, vpn, cryptopay.';

--
-- Name: COLUMN component_status.is_critical; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.component_status.is_critical IS 'Without it nothing works; without another the service is degraded.';

--
-- Name: COLUMN component_status.state; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.component_status.state IS 'up, down, unknown (not configured, or nobody has looked for a minute); service also degraded.';

--
-- Name: COLUMN component_status.since; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.component_status.since IS 'Of the last change.';

--
-- Name: COLUMN component_status.checked_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.component_status.checked_at IS 'When a worker looked last.';

--
-- Name: COLUMN component_status.checked_by; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.component_status.checked_by IS 'Which worker.';

--
-- Name: COLUMN component_status.detail; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.component_status.detail IS 'What was wrong when it was looked at last; service: what is down.';

--
-- Name: day_figure; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.day_figure (
    name text NOT NULL,
    day date NOT NULL,
    value bigint NOT NULL,
    computed_at timestamp with time zone NOT NULL,
    CONSTRAINT day_figure_name_form CHECK ((name ~ '^[a-z0-9_]{1,64}$'::text))
);

--
-- Name: TABLE day_figure; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON TABLE ops.day_figure IS 'Figures of one day (UTC), or as they were at the last look of that day; filled by ops.figures_due.';

--
-- Name: COLUMN day_figure.name; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.day_figure.name IS 'What is counted: users_new, revenue_<way>, refunded, payers_of_month, … and now_<what> for a look at all.';

--
-- Name: COLUMN day_figure.day; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.day_figure.day IS 'The day, in UTC.';

--
-- Name: COLUMN day_figure.value; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.day_figure.value IS 'How many; kopecks for money, milliseconds for time.';

--
-- Name: COLUMN day_figure.computed_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.day_figure.computed_at IS 'When it was reckoned.';

--
-- Name: dead; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.dead (
    dead_id bigint NOT NULL,
    job_name text NOT NULL,
    subject text NOT NULL,
    error text NOT NULL,
    died_at timestamp with time zone NOT NULL
);

--
-- Name: TABLE dead; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON TABLE ops.dead IS 'What a job or a handler gave up; view ops.dead_letter shows it.';

--
-- Name: COLUMN dead.dead_id; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dead.dead_id IS 'The row''s number.';

--
-- Name: COLUMN dead.job_name; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dead.job_name IS 'Who gave up.';

--
-- Name: COLUMN dead.subject; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dead.subject IS 'On what.';

--
-- Name: COLUMN dead.error; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dead.error IS 'Why.';

--
-- Name: COLUMN dead.died_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dead.died_at IS 'When.';

--
-- Name: dead_dead_id_seq; Type: SEQUENCE; Schema: ops; Owner: -
--

ALTER TABLE ops.dead ALTER COLUMN dead_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.dead_dead_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: dead_letter; Type: VIEW; Schema: ops; Owner: -
--

CREATE VIEW ops.dead_letter AS
 SELECT d.dead_id,
    d.job_name,
    d.subject,
    d.error,
    d.died_at
   FROM ops.dead d;

--
-- Name: VIEW dead_letter; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON VIEW ops.dead_letter IS 'What a job or a handler gave up; somebody has to look at each row, and then takes it out with ops.clear_dead_letter. A *_due job tries again after an hour.';

--
-- Name: COLUMN dead_letter.dead_id; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dead_letter.dead_id IS 'The row''s number.';

--
-- Name: COLUMN dead_letter.job_name; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dead_letter.job_name IS 'Who gave up.';

--
-- Name: COLUMN dead_letter.subject; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dead_letter.subject IS 'On what.';

--
-- Name: COLUMN dead_letter.error; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dead_letter.error IS 'Why.';

--
-- Name: COLUMN dead_letter.died_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.dead_letter.died_at IS 'When, last.';

--
-- Name: export; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.export (
    export_id bigint NOT NULL,
    kind ops.export_kind NOT NULL,
    batch_id bigint,
    admin_id core.telegram_id NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    cut pg_snapshot NOT NULL,
    expected_rows bigint NOT NULL,
    reached_id bigint DEFAULT 0 NOT NULL,
    reached_version bigint DEFAULT 0 NOT NULL,
    parts integer DEFAULT 0 NOT NULL,
    rows_sent bigint DEFAULT 0 NOT NULL,
    rows_read bigint DEFAULT 0 NOT NULL,
    attempt smallint DEFAULT 0 NOT NULL,
    due_at timestamp with time zone NOT NULL,
    holder text,
    lease_token uuid,
    leased_until timestamp with time zone,
    finished_at timestamp with time zone,
    outcome ops.export_outcome,
    last_error text,
    CONSTRAINT export_ended_has_an_outcome CHECK (((finished_at IS NULL) = (outcome IS NULL))),
    CONSTRAINT export_expected_not_negative CHECK ((expected_rows >= 0)),
    CONSTRAINT export_holder_length CHECK (((length(holder) >= 1) AND (length(holder) <= 256))),
    CONSTRAINT export_of_batch_names_it CHECK (((kind = 'promo_batch'::ops.export_kind) = (batch_id IS NOT NULL))),
    CONSTRAINT export_sends_what_it_has_read CHECK (((rows_sent >= 0) AND (rows_sent <= rows_read)))
)
WITH (fillfactor='50');

--
-- Name: TABLE export; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON TABLE ops.export IS 'Files that admins have asked for, and how far each is. The rows themselves are read when they are sent, and kept nowhere.';

--
-- Name: COLUMN export.export_id; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.export_id IS 'The export''s number.';

--
-- Name: COLUMN export.kind; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.kind IS 'What is in it.';

--
-- Name: COLUMN export.batch_id; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.batch_id IS 'promo_batch: of which batch.';

--
-- Name: COLUMN export.admin_id; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.admin_id IS 'Who asked, and gets it.';

--
-- Name: COLUMN export.requested_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.requested_at IS 'When; users who came later are not in it.';

--
-- Name: COLUMN export.cut; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.cut IS 'What was committed when it was asked for: the ledger is exported as it was then.';

--
-- Name: COLUMN export.expected_rows; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.expected_rows IS 'About how many rows it has.';

--
-- Name: COLUMN export.reached_id; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.reached_id IS 'All rows up to here are in parts that were sent: user, or promo code.';

--
-- Name: COLUMN export.reached_version; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.reached_version IS 'And of this user''s ledger up to here.';

--
-- Name: COLUMN export.parts; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.parts IS 'Parts sent.';

--
-- Name: COLUMN export.rows_sent; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.rows_sent IS 'Rows in them.';

--
-- Name: COLUMN export.rows_read; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.rows_read IS 'Rows read so far: those sent, and what the worker has in hand.';

--
-- Name: COLUMN export.attempt; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.attempt IS 'Attempts begun since the last part was sent.';

--
-- Name: COLUMN export.due_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.due_at IS 'Not before.';

--
-- Name: COLUMN export.holder; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.holder IS 'Which worker has it.';

--
-- Name: COLUMN export.lease_token; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.lease_token IS 'Names that worker''s hold; it stands until somebody else claims.';

--
-- Name: COLUMN export.leased_until; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.leased_until IS 'When another worker may claim it; null while nobody has it.';

--
-- Name: COLUMN export.finished_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.finished_at IS 'When it ended.';

--
-- Name: COLUMN export.outcome; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.outcome IS 'How it ended.';

--
-- Name: COLUMN export.last_error; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export.last_error IS 'Why the last attempt failed.';

--
-- Name: export_export_id_seq; Type: SEQUENCE; Schema: ops; Owner: -
--

ALTER TABLE ops.export ALTER COLUMN export_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.export_export_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: export_request; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.export_request (
    admin_id core.telegram_id NOT NULL,
    idempotency_key core.idempotency_key NOT NULL,
    export_id bigint NOT NULL
);

--
-- Name: TABLE export_request; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON TABLE ops.export_request IS 'Calls that asked for an export: the first, and those that joined it.';

--
-- Name: COLUMN export_request.admin_id; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export_request.admin_id IS 'Who asked.';

--
-- Name: COLUMN export_request.idempotency_key; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export_request.idempotency_key IS 'The admin''s key of the call.';

--
-- Name: COLUMN export_request.export_id; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.export_request.export_id IS 'What it was answered with.';

--
-- Name: feature; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.feature (
    name text NOT NULL,
    is_on boolean DEFAULT true NOT NULL,
    description text NOT NULL
);

--
-- Name: TABLE feature; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON TABLE ops.feature IS 'Switches; a function whose switch is off raises OP003 and changes nothing.';

--
-- Name: COLUMN feature.name; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.feature.name IS 'The switch.';

--
-- Name: COLUMN feature.is_on; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.feature.is_on IS 'Off: the functions named in the description refuse.';

--
-- Name: COLUMN feature.description; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.feature.description IS 'What it switches.';

--
-- Name: incident; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.incident (
    incident_id bigint NOT NULL,
    is_on boolean NOT NULL,
    text_ru text,
    text_en text,
    asked jsonb NOT NULL,
    set_at timestamp with time zone NOT NULL,
    set_by core.telegram_id NOT NULL,
    idempotency_key core.idempotency_key NOT NULL,
    CONSTRAINT incident_on_has_texts CHECK (((NOT is_on) OR ((text_ru IS NOT NULL) AND (text_en IS NOT NULL)))),
    CONSTRAINT incident_text_en_length CHECK (((length(text_en) >= 1) AND (length(text_en) <= 1000))),
    CONSTRAINT incident_text_ru_length CHECK (((length(text_ru) >= 1) AND (length(text_ru) <= 1000)))
);

--
-- Name: TABLE incident; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON TABLE ops.incident IS 'What people are told above their screens while something is wrong. The newest row is in force, the older ones are history.';

--
-- Name: COLUMN incident.incident_id; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.incident.incident_id IS 'The row''s number: the highest is in force.';

--
-- Name: COLUMN incident.is_on; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.incident.is_on IS 'Whether people are told.';

--
-- Name: COLUMN incident.text_ru; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.incident.text_ru IS 'What is told in Russian; null where nothing was written yet.';

--
-- Name: COLUMN incident.text_en; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.incident.text_en IS 'What is told in any other language.';

--
-- Name: COLUMN incident.asked; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.incident.asked IS 'The arguments of ops.set_incident: a repeat is compared with them.';

--
-- Name: COLUMN incident.set_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.incident.set_at IS 'When it was set.';

--
-- Name: COLUMN incident.set_by; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.incident.set_by IS 'The admin.';

--
-- Name: COLUMN incident.idempotency_key; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.incident.idempotency_key IS 'The admin''s key of the call.';

--
-- Name: incident_incident_id_seq; Type: SEQUENCE; Schema: ops; Owner: -
--

ALTER TABLE ops.incident ALTER COLUMN incident_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.incident_incident_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: job; Type: VIEW; Schema: ops; Owner: -
--

CREATE VIEW ops.job AS
 SELECT j.name,
    j.schedule,
    j.is_enabled,
    j.is_exclusive,
    j.batch_size,
    j.timeout_seconds,
    j.next_run_at,
    j.last_started_at,
    j.last_finished_at,
    j.last_items,
    j.last_error,
    j.consecutive_failures,
    j.description
   FROM ops.scheduled_job j;

--
-- Name: VIEW job; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON VIEW ops.job IS 'The worker''s schedule and how each job''s last run went. ops.set_job changes it.';

--
-- Name: COLUMN job.name; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job.name IS 'The job.';

--
-- Name: COLUMN job.schedule; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job.schedule IS 'A cron expression (UTC), or "N seconds".';

--
-- Name: COLUMN job.is_enabled; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job.is_enabled IS 'False: no worker runs it.';

--
-- Name: COLUMN job.is_exclusive; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job.is_exclusive IS 'True: one worker at a time, under a lease of the job''s name.';

--
-- Name: COLUMN job.batch_size; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job.batch_size IS 'Rows a call.';

--
-- Name: COLUMN job.timeout_seconds; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job.timeout_seconds IS 'How long a run may take.';

--
-- Name: COLUMN job.next_run_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job.next_run_at IS 'Exclusive jobs: not before; null for at once.';

--
-- Name: COLUMN job.last_started_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job.last_started_at IS 'The last run''s start.';

--
-- Name: COLUMN job.last_finished_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job.last_finished_at IS 'The last run''s end.';

--
-- Name: COLUMN job.last_items; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job.last_items IS 'What the last run worked off.';

--
-- Name: COLUMN job.last_error; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job.last_error IS 'The last run''s failure; null when it went well.';

--
-- Name: COLUMN job.consecutive_failures; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job.consecutive_failures IS 'Failures since the last run that went well.';

--
-- Name: COLUMN job.description; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job.description IS 'What it does.';

--
-- Name: scheduled_job_run; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.scheduled_job_run (
    run_id bigint NOT NULL,
    job_name text NOT NULL,
    holder text NOT NULL,
    epoch bigint,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone NOT NULL,
    items integer NOT NULL,
    error text,
    CONSTRAINT scheduled_job_run_items_not_negative CHECK ((items >= 0))
);

--
-- Name: TABLE scheduled_job_run; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON TABLE ops.scheduled_job_run IS 'Runs that did something or failed; view ops.job_run shows them.';

--
-- Name: COLUMN scheduled_job_run.run_id; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job_run.run_id IS 'The run''s number.';

--
-- Name: COLUMN scheduled_job_run.job_name; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job_run.job_name IS 'The job.';

--
-- Name: COLUMN scheduled_job_run.holder; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job_run.holder IS 'The worker.';

--
-- Name: COLUMN scheduled_job_run.epoch; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job_run.epoch IS 'Its leadership; null for a parallel job.';

--
-- Name: COLUMN scheduled_job_run.started_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job_run.started_at IS 'Start.';

--
-- Name: COLUMN scheduled_job_run.finished_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job_run.finished_at IS 'End.';

--
-- Name: COLUMN scheduled_job_run.items; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job_run.items IS 'What it worked off.';

--
-- Name: COLUMN scheduled_job_run.error; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.scheduled_job_run.error IS 'Why it failed; null when it went well.';

--
-- Name: job_run; Type: VIEW; Schema: ops; Owner: -
--

CREATE VIEW ops.job_run AS
 SELECT r.run_id,
    r.job_name,
    r.holder,
    r.epoch,
    r.started_at,
    r.finished_at,
    r.items,
    r.error
   FROM ops.scheduled_job_run r;

--
-- Name: VIEW job_run; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON VIEW ops.job_run IS 'Runs that did something or failed, 30 days back.';

--
-- Name: COLUMN job_run.run_id; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job_run.run_id IS 'The run''s number.';

--
-- Name: COLUMN job_run.job_name; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job_run.job_name IS 'The job.';

--
-- Name: COLUMN job_run.holder; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job_run.holder IS 'The worker.';

--
-- Name: COLUMN job_run.epoch; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job_run.epoch IS 'Its leadership; null for a parallel job.';

--
-- Name: COLUMN job_run.started_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job_run.started_at IS 'Start.';

--
-- Name: COLUMN job_run.finished_at; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job_run.finished_at IS 'End.';

--
-- Name: COLUMN job_run.items; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job_run.items IS 'What it worked off.';

--
-- Name: COLUMN job_run.error; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.job_run.error IS 'Why it failed; null when it went well.';

--
-- Name: lock_wait; Type: VIEW; Schema: ops; Owner: -
--

CREATE VIEW ops.lock_wait AS
 SELECT l.pid,
    l.user_name,
    l.application_name,
    l.waited,
    l.lock_mode,
    l.waits_for,
    l.query,
    l.blocking_pid,
    l.blocking_user_name,
    l.blocking_application_name,
    l.blocking_state,
    l.blocking_state_lasts,
    l.blocking_transaction_lasts,
    l.blocking_query
   FROM ops.lock_waits() l(pid, user_name, application_name, waited, lock_mode, waits_for, query, blocking_pid, blocking_user_name, blocking_application_name, blocking_state, blocking_state_lasts, blocking_transaction_lasts, blocking_query);

--
-- Name: VIEW lock_wait; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON VIEW ops.lock_wait IS 'Who waits for whom: one row per waiting session and session in its way, longest wait first.';

--
-- Name: COLUMN lock_wait.pid; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lock_wait.pid IS 'The waiting session.';

--
-- Name: COLUMN lock_wait.user_name; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lock_wait.user_name IS 'Its login.';

--
-- Name: COLUMN lock_wait.application_name; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lock_wait.application_name IS 'Its application_name.';

--
-- Name: COLUMN lock_wait.waited; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lock_wait.waited IS 'For how long.';

--
-- Name: COLUMN lock_wait.lock_mode; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lock_wait.lock_mode IS 'The lock it asks for.';

--
-- Name: COLUMN lock_wait.waits_for; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lock_wait.waits_for IS 'On what: a user, a row, a table, a transaction.';

--
-- Name: COLUMN lock_wait.query; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lock_wait.query IS 'Its query: 200 characters, without the texts in it.';

--
-- Name: COLUMN lock_wait.blocking_pid; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lock_wait.blocking_pid IS 'The session in its way; null: a prepared transaction.';

--
-- Name: COLUMN lock_wait.blocking_user_name; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lock_wait.blocking_user_name IS 'Its login.';

--
-- Name: COLUMN lock_wait.blocking_application_name; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lock_wait.blocking_application_name IS 'Its application_name.';

--
-- Name: COLUMN lock_wait.blocking_state; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lock_wait.blocking_state IS 'active, or "idle in transaction": somebody forgot to commit.';

--
-- Name: COLUMN lock_wait.blocking_state_lasts; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lock_wait.blocking_state_lasts IS 'Since when it is in that state.';

--
-- Name: COLUMN lock_wait.blocking_transaction_lasts; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lock_wait.blocking_transaction_lasts IS 'How long its transaction is open.';

--
-- Name: COLUMN lock_wait.blocking_query; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.lock_wait.blocking_query IS 'Its query now, or its last one.';

--
-- Name: rate_limit; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.rate_limit (
    action text NOT NULL,
    setting_name text NOT NULL,
    per_seconds integer NOT NULL,
    CONSTRAINT rate_limit_per_seconds_positive CHECK ((per_seconds > 0))
);

--
-- Name: TABLE rate_limit; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON TABLE ops.rate_limit IS 'What a person may do only so often; the figures are settings.';

--
-- Name: COLUMN rate_limit.action; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.rate_limit.action IS 'What is limited.';

--
-- Name: COLUMN rate_limit.setting_name; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.rate_limit.setting_name IS 'The setting that says how often.';

--
-- Name: COLUMN rate_limit.per_seconds; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.rate_limit.per_seconds IS 'In which time; so long an unused limit takes to be whole again.';

--
-- Name: scheduled_job_run_run_id_seq; Type: SEQUENCE; Schema: ops; Owner: -
--

ALTER TABLE ops.scheduled_job_run ALTER COLUMN run_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.scheduled_job_run_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: setting; Type: TABLE; Schema: ops; Owner: -
--

CREATE TABLE ops.setting (
    name text NOT NULL,
    value bigint NOT NULL,
    minimum bigint NOT NULL,
    maximum bigint NOT NULL,
    description text NOT NULL,
    CONSTRAINT setting_value_in_range CHECK (((value >= minimum) AND (value <= maximum)))
);

--
-- Name: TABLE setting; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON TABLE ops.setting IS 'Numbers of the business; unit last in the name.';

--
-- Name: COLUMN setting.name; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.setting.name IS 'The setting.';

--
-- Name: COLUMN setting.value; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.setting.value IS 'In force from the next call on.';

--
-- Name: COLUMN setting.minimum; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.setting.minimum IS 'Smallest value that makes sense.';

--
-- Name: COLUMN setting.maximum; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.setting.maximum IS 'Largest value that makes sense.';

--
-- Name: COLUMN setting.description; Type: COMMENT; Schema: ops; Owner: -
--

COMMENT ON COLUMN ops.setting.description IS 'What it does.';

--
-- Name: batch; Type: TABLE; Schema: promo; Owner: -
--

CREATE TABLE promo.batch (
    batch_id bigint NOT NULL,
    code_count integer NOT NULL,
    discount_percent core.percent NOT NULL,
    max_uses integer,
    per_user_limit integer NOT NULL,
    expires_at timestamp with time zone,
    issued_at timestamp with time zone NOT NULL,
    issued_by core.telegram_id NOT NULL,
    asked jsonb NOT NULL,
    idempotency_key core.idempotency_key NOT NULL,
    CONSTRAINT batch_code_count_in_range CHECK (((code_count >= 1) AND (code_count <= 100)))
);

--
-- Name: TABLE batch; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON TABLE promo.batch IS 'Generated promo codes that were made together, with one set of terms.';

--
-- Name: COLUMN batch.batch_id; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.batch.batch_id IS 'The batch''s number.';

--
-- Name: COLUMN batch.code_count; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.batch.code_count IS 'How many codes.';

--
-- Name: COLUMN batch.discount_percent; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.batch.discount_percent IS '1 to 100.';

--
-- Name: COLUMN batch.max_uses; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.batch.max_uses IS 'How often each can be used in all; null for no limit. As made: a code''s own row counts.';

--
-- Name: COLUMN batch.per_user_limit; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.batch.per_user_limit IS 'How often each by one user.';

--
-- Name: COLUMN batch.expires_at; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.batch.expires_at IS 'When they end; null for never.';

--
-- Name: COLUMN batch.issued_at; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.batch.issued_at IS 'When they were made.';

--
-- Name: COLUMN batch.issued_by; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.batch.issued_by IS 'The admin who made them.';

--
-- Name: COLUMN batch.asked; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.batch.asked IS 'The arguments of promo.issue_batch: a repeat is compared with them.';

--
-- Name: COLUMN batch.idempotency_key; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.batch.idempotency_key IS 'The admin''s key.';

--
-- Name: batch_batch_id_seq; Type: SEQUENCE; Schema: promo; Owner: -
--

ALTER TABLE promo.batch ALTER COLUMN batch_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME promo.batch_batch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: code; Type: TABLE; Schema: promo; Owner: -
--

CREATE TABLE promo.code (
    promo_id bigint NOT NULL,
    code text NOT NULL,
    discount_percent core.percent NOT NULL,
    max_uses integer,
    per_user_limit integer NOT NULL,
    expires_at timestamp with time zone,
    is_active boolean DEFAULT true NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    issued_by core.telegram_id NOT NULL,
    asked jsonb NOT NULL,
    idempotency_key core.idempotency_key,
    batch_id bigint,
    disabled_at timestamp with time zone,
    disabled_by core.telegram_id,
    CONSTRAINT code_discount_in_range CHECK ((((discount_percent)::smallint >= 1) AND ((discount_percent)::smallint <= 100))),
    CONSTRAINT code_has_key_or_batch CHECK (((idempotency_key IS NULL) <> (batch_id IS NULL))),
    CONSTRAINT code_is_canonical CHECK ((code ~ '^[A-Z0-9]{3,32}$'::text)),
    CONSTRAINT code_max_uses_in_range CHECK (((max_uses >= 1) AND (max_uses <= 1000000))),
    CONSTRAINT code_per_user_limit_in_range CHECK (((per_user_limit >= 1) AND (per_user_limit <= 1000)))
);

--
-- Name: TABLE code; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON TABLE promo.code IS 'Promo codes. Buyers read a code''s row and never lock it.';

--
-- Name: COLUMN code.promo_id; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.code.promo_id IS 'The code''s number: uses are bound to it, not to the text.';

--
-- Name: COLUMN code.code; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.code.code IS 'As users type it, canonical: A-Z and 0-9.';

--
-- Name: COLUMN code.discount_percent; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.code.discount_percent IS '1 to 100.';

--
-- Name: COLUMN code.max_uses; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.code.max_uses IS 'How often it can be used in all; null for no limit.';

--
-- Name: COLUMN code.per_user_limit; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.code.per_user_limit IS 'How often by one user.';

--
-- Name: COLUMN code.expires_at; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.code.expires_at IS 'From then on nobody can open a purchase with it; null for never.';

--
-- Name: COLUMN code.is_active; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.code.is_active IS 'False once it was disabled.';

--
-- Name: COLUMN code.issued_at; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.code.issued_at IS 'When it was made.';

--
-- Name: COLUMN code.issued_by; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.code.issued_by IS 'The admin who made it.';

--
-- Name: COLUMN code.asked; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.code.asked IS 'The arguments of promo.issue: a repeat is compared with them.';

--
-- Name: COLUMN code.idempotency_key; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.code.idempotency_key IS 'The admin''s key; null for a code of a batch.';

--
-- Name: COLUMN code.batch_id; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.code.batch_id IS 'The batch that it was made with; null for one made alone.';

--
-- Name: COLUMN code.disabled_at; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.code.disabled_at IS 'When it was disabled.';

--
-- Name: COLUMN code.disabled_by; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.code.disabled_by IS 'The admin who disabled it.';

--
-- Name: code_promo_id_seq; Type: SEQUENCE; Schema: promo; Owner: -
--

ALTER TABLE promo.code ALTER COLUMN promo_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME promo.code_promo_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: use; Type: TABLE; Schema: promo; Owner: -
--

CREATE TABLE promo.use (
    promo_id bigint NOT NULL,
    use_no bigint NOT NULL,
    telegram_id core.telegram_id NOT NULL,
    purchase_id uuid NOT NULL,
    reserved_at timestamp with time zone NOT NULL
);

--
-- Name: TABLE use; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON TABLE promo.use IS 'One row is one use: reserved while its purchase is open, consumed once it is paid. A code with a limit has the numbers 1 to max_uses and no others, so the primary key is the limit.';

--
-- Name: COLUMN use.promo_id; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.use.promo_id IS 'The code.';

--
-- Name: COLUMN use.use_no; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.use.use_no IS 'The use''s number, each once.';

--
-- Name: COLUMN use.telegram_id; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.use.telegram_id IS 'Who uses it.';

--
-- Name: COLUMN use.purchase_id; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.use.purchase_id IS 'For which purchase.';

--
-- Name: COLUMN use.reserved_at; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON COLUMN promo.use.reserved_at IS 'When it was reserved.';

--
-- Name: use_no; Type: SEQUENCE; Schema: promo; Owner: -
--

CREATE SEQUENCE promo.use_no
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 32;

--
-- Name: SEQUENCE use_no; Type: COMMENT; Schema: promo; Owner: -
--

COMMENT ON SEQUENCE promo.use_no IS 'Where a search for a free number begins: cached, so that buyers of a hot code do not meet.';

--
-- Name: level; Type: TABLE; Schema: referral; Owner: -
--

CREATE TABLE referral.level (
    level text NOT NULL,
    from_paying integer NOT NULL,
    percent core.percent NOT NULL,
    CONSTRAINT level_from_paying_not_negative CHECK ((from_paying >= 0))
);

--
-- Name: TABLE level; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON TABLE referral.level IS 'Cashback by the number of paying referrals.';

--
-- Name: COLUMN level.level; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.level.level IS 'silver, gold, platinum.';

--
-- Name: COLUMN level.from_paying; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.level.from_paying IS 'From how many paying referrals on.';

--
-- Name: COLUMN level.percent; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.level.percent IS 'Cashback in percent of what was paid.';

--
-- Name: paying; Type: TABLE; Schema: referral; Owner: -
--

CREATE TABLE referral.paying (
    telegram_id core.telegram_id NOT NULL,
    referred_id core.telegram_id NOT NULL,
    since timestamp with time zone NOT NULL
);

--
-- Name: TABLE paying; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON TABLE referral.paying IS 'Referred users with a paid purchase above 0, as processed so far; a refund does not uncount.';

--
-- Name: COLUMN paying.telegram_id; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.paying.telegram_id IS 'The referrer.';

--
-- Name: COLUMN paying.referred_id; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.paying.referred_id IS 'Who was invited and has paid.';

--
-- Name: COLUMN paying.since; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.paying.since IS 'When it was first processed.';

--
-- Name: referrer; Type: TABLE; Schema: referral; Owner: -
--

CREATE TABLE referral.referrer (
    telegram_id core.telegram_id NOT NULL,
    paying_count integer NOT NULL,
    earned_kopecks core.balance_kopecks NOT NULL,
    CONSTRAINT referrer_paying_not_negative CHECK ((paying_count >= 0))
)
WITH (fillfactor='80');

--
-- Name: TABLE referrer; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON TABLE referral.referrer IS 'Totals per referrer, kept under the user''s lock.';

--
-- Name: COLUMN referrer.telegram_id; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.referrer.telegram_id IS 'The referrer.';

--
-- Name: COLUMN referrer.paying_count; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.referrer.paying_count IS 'Rows in referral.paying.';

--
-- Name: COLUMN referrer.earned_kopecks; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.referrer.earned_kopecks IS 'Cashback paid, less what was clawed back.';

--
-- Name: reward; Type: TABLE; Schema: referral; Owner: -
--

CREATE TABLE referral.reward (
    telegram_id core.telegram_id NOT NULL,
    purchase_id uuid NOT NULL,
    referred_id core.telegram_id NOT NULL,
    status referral.reward_status NOT NULL,
    paid_kopecks core.amount_kopecks NOT NULL,
    percent core.percent NOT NULL,
    reward_kopecks core.price_kopecks NOT NULL,
    rewarded_at timestamp with time zone NOT NULL,
    clawed_back_at timestamp with time zone
);

--
-- Name: TABLE reward; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON TABLE referral.reward IS 'Cashback, at most one per purchase.';

--
-- Name: COLUMN reward.telegram_id; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.reward.telegram_id IS 'The referrer.';

--
-- Name: COLUMN reward.purchase_id; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.reward.purchase_id IS 'The purchase of the referred user.';

--
-- Name: COLUMN reward.referred_id; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.reward.referred_id IS 'Who bought.';

--
-- Name: COLUMN reward.status; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.reward.status IS 'paid, clawed_back or void.';

--
-- Name: COLUMN reward.paid_kopecks; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.reward.paid_kopecks IS 'What the purchase cost, after discount.';

--
-- Name: COLUMN reward.percent; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.reward.percent IS 'The level''s percent when it was processed; 0 when void.';

--
-- Name: COLUMN reward.reward_kopecks; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.reward.reward_kopecks IS 'Rounded down; 0 when void.';

--
-- Name: COLUMN reward.rewarded_at; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.reward.rewarded_at IS 'When it was processed.';

--
-- Name: COLUMN reward.clawed_back_at; Type: COMMENT; Schema: referral; Owner: -
--

COMMENT ON COLUMN referral.reward.clawed_back_at IS 'When a refund took it back.';

--
-- Name: change; Type: TABLE; Schema: subscription; Owner: -
--

CREATE TABLE subscription.change (
    telegram_id core.telegram_id NOT NULL,
    change_id bigint NOT NULL,
    kind subscription.change_kind NOT NULL,
    before_tariff text,
    before_expires_at timestamp with time zone,
    before_period subscription.period,
    after_tariff text,
    after_expires_at timestamp with time zone,
    after_period subscription.period,
    vpn_uuid uuid,
    duration interval,
    purchase_id uuid,
    actor_id bigint,
    reason text,
    is_told boolean DEFAULT true NOT NULL,
    idempotency_key core.idempotency_key,
    changed_at timestamp with time zone NOT NULL,
    correlation_id text DEFAULT "left"(NULLIF(current_setting('atlas.correlation_id'::text, true), ''::text), 128)
);

--
-- Name: TABLE change; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON TABLE subscription.change IS 'What changed a subscription beside purchases, which keep their own before and after: together one chain per user, in the order of change_id and provision_task_id.';

--
-- Name: COLUMN change.telegram_id; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.telegram_id IS 'The user.';

--
-- Name: COLUMN change.change_id; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.change_id IS 'Its place in the chain, from the sequence outbox.task_id.';

--
-- Name: COLUMN change.kind; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.kind IS 'trial, grant, revoke, refund, reversal or reissue.';

--
-- Name: COLUMN change.before_tariff; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.before_tariff IS 'Before: tariff; null for no subscription.';

--
-- Name: COLUMN change.before_expires_at; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.before_expires_at IS 'Before: end.';

--
-- Name: COLUMN change.before_period; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.before_period IS 'Before: period.';

--
-- Name: COLUMN change.after_tariff; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.after_tariff IS 'After: tariff; null for no subscription.';

--
-- Name: COLUMN change.after_expires_at; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.after_expires_at IS 'After: end.';

--
-- Name: COLUMN change.after_period; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.after_period IS 'After: period.';

--
-- Name: COLUMN change.vpn_uuid; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.vpn_uuid IS 'The VPN identity after it.';

--
-- Name: COLUMN change.duration; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.duration IS 'grant: how long.';

--
-- Name: COLUMN change.purchase_id; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.purchase_id IS 'refund, reversal: the purchase taken back.';

--
-- Name: COLUMN change.actor_id; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.actor_id IS 'The admin; null for the user and the system.';

--
-- Name: COLUMN change.reason; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.reason IS 'The admin''s words.';

--
-- Name: COLUMN change.is_told; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.is_told IS 'False: an admin wanted the user not to be told.';

--
-- Name: COLUMN change.idempotency_key; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.idempotency_key IS 'The caller''s key; the row itself is the first answer.';

--
-- Name: COLUMN change.changed_at; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.changed_at IS 'When.';

--
-- Name: COLUMN change.correlation_id; Type: COMMENT; Schema: subscription; Owner: -
--

COMMENT ON COLUMN subscription.change.correlation_id IS 'Ties it to the update or event it came from.';

--
-- Name: node; Type: TABLE; Schema: vpn; Owner: -
--

CREATE TABLE vpn.node (
    name text NOT NULL,
    is_draining boolean DEFAULT false NOT NULL,
    is_up boolean NOT NULL,
    users integer,
    reported_at timestamp with time zone NOT NULL,
    last_error text,
    CONSTRAINT node_name_form CHECK ((name ~ '^[a-z0-9][a-z0-9-]{0,31}$'::text)),
    CONSTRAINT node_users_not_negative CHECK ((users >= 0))
);

--
-- Name: TABLE node; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON TABLE vpn.node IS 'The VPN nodes that workers know, as vpn.sync_nodes saw them last.';

--
-- Name: COLUMN node.name; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.node.name IS 'Its name in VPN_NODES; the only one without a name is "node".';

--
-- Name: COLUMN node.is_draining; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.node.is_draining IS 'It gets no new keys; those that it has stay. vpn.set_node.';

--
-- Name: COLUMN node.is_up; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.node.is_up IS 'Whether it answered.';

--
-- Name: COLUMN node.users; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.node.users IS 'How many users it counted; null until it has answered once.';

--
-- Name: COLUMN node.reported_at; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.node.reported_at IS 'When it was asked last.';

--
-- Name: COLUMN node.last_error; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.node.last_error IS 'Why it did not answer, or could not be mended; null when all went well.';

--
-- Name: placement; Type: TABLE; Schema: vpn; Owner: -
--

CREATE TABLE vpn.placement (
    vpn_uuid uuid NOT NULL,
    telegram_id core.telegram_id NOT NULL,
    node text NOT NULL,
    placed_at timestamp with time zone NOT NULL
);

--
-- Name: TABLE placement; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON TABLE vpn.placement IS 'Which node an identity''s key leads to. No row: any node may have it.';

--
-- Name: COLUMN placement.vpn_uuid; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.placement.vpn_uuid IS 'The identity.';

--
-- Name: COLUMN placement.telegram_id; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.placement.telegram_id IS 'Whose it is.';

--
-- Name: COLUMN placement.node; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.placement.node IS 'The node. (Its row may be missing until it is reported.)';

--
-- Name: COLUMN placement.placed_at; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.placement.placed_at IS 'When the key was made.';

--
-- Name: reissue_request; Type: TABLE; Schema: vpn; Owner: -
--

CREATE TABLE vpn.reissue_request (
    request_id bigint NOT NULL,
    admin_id core.telegram_id NOT NULL,
    idempotency_key core.idempotency_key NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    expected bigint NOT NULL,
    reached_id bigint DEFAULT 0 NOT NULL,
    done bigint DEFAULT 0 NOT NULL,
    skipped bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL,
    finished_at timestamp with time zone,
    cancelled_at timestamp with time zone,
    cancelled_by core.telegram_id,
    CONSTRAINT reissue_request_canceller_has_a_time CHECK (((cancelled_by IS NULL) = (cancelled_at IS NULL))),
    CONSTRAINT reissue_request_ends_once CHECK (((finished_at IS NULL) OR (cancelled_at IS NULL))),
    CONSTRAINT reissue_request_expected_not_negative CHECK ((expected >= 0))
)
WITH (fillfactor='50');

--
-- Name: TABLE reissue_request; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON TABLE vpn.reissue_request IS 'Requests of admins that everybody be given a new key, one open at a time; vpn.reissue_due works it off.';

--
-- Name: COLUMN reissue_request.request_id; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.reissue_request.request_id IS 'The request''s number; the changes that it made have the key all:<number>.';

--
-- Name: COLUMN reissue_request.admin_id; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.reissue_request.admin_id IS 'Who asked for it.';

--
-- Name: COLUMN reissue_request.idempotency_key; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.reissue_request.idempotency_key IS 'The admin''s key of the call.';

--
-- Name: COLUMN reissue_request.requested_at; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.reissue_request.requested_at IS 'An identity that was made later is left as it is.';

--
-- Name: COLUMN reissue_request.expected; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.reissue_request.expected IS 'About how many people it was for when it was asked for.';

--
-- Name: COLUMN reissue_request.reached_id; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.reissue_request.reached_id IS 'Everybody up to this id has had their turn.';

--
-- Name: COLUMN reissue_request.done; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.reissue_request.done IS 'People whom it gave a new identity.';

--
-- Name: COLUMN reissue_request.skipped; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.reissue_request.skipped IS 'People who had a newer one when it was their turn.';

--
-- Name: COLUMN reissue_request.failed; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.reissue_request.failed IS 'People whom it could not give one: they are dead letters.';

--
-- Name: COLUMN reissue_request.finished_at; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.reissue_request.finished_at IS 'When everybody had had their turn.';

--
-- Name: COLUMN reissue_request.cancelled_at; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.reissue_request.cancelled_at IS 'When it was stopped; what was done stays.';

--
-- Name: COLUMN reissue_request.cancelled_by; Type: COMMENT; Schema: vpn; Owner: -
--

COMMENT ON COLUMN vpn.reissue_request.cancelled_by IS 'Who stopped it.';

--
-- Name: reissue_request_request_id_seq; Type: SEQUENCE; Schema: vpn; Owner: -
--

ALTER TABLE vpn.reissue_request ALTER COLUMN request_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME vpn.reissue_request_request_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

--
-- Name: wallet; Type: TABLE; Schema: wallet; Owner: -
--

CREATE TABLE wallet.wallet (
    telegram_id core.telegram_id NOT NULL,
    available_kopecks core.balance_kopecks DEFAULT 0 NOT NULL,
    held_kopecks core.balance_kopecks DEFAULT 0 NOT NULL,
    debt_kopecks core.balance_kopecks DEFAULT 0 NOT NULL,
    version bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='60');

--
-- Name: TABLE wallet; Type: COMMENT; Schema: wallet; Owner: -
--

COMMENT ON TABLE wallet.wallet IS 'Balances now; always equal to the last row of the user''s ledger.';

--
-- Name: COLUMN wallet.telegram_id; Type: COMMENT; Schema: wallet; Owner: -
--

COMMENT ON COLUMN wallet.wallet.telegram_id IS 'The user.';

--
-- Name: COLUMN wallet.available_kopecks; Type: COMMENT; Schema: wallet; Owner: -
--

COMMENT ON COLUMN wallet.wallet.available_kopecks IS 'What can be spent.';

--
-- Name: COLUMN wallet.held_kopecks; Type: COMMENT; Schema: wallet; Owner: -
--

COMMENT ON COLUMN wallet.wallet.held_kopecks IS 'What pending withdrawals hold.';

--
-- Name: COLUMN wallet.debt_kopecks; Type: COMMENT; Schema: wallet; Owner: -
--

COMMENT ON COLUMN wallet.wallet.debt_kopecks IS 'What a claw-back could not take.';

--
-- Name: COLUMN wallet.version; Type: COMMENT; Schema: wallet; Owner: -
--

COMMENT ON COLUMN wallet.wallet.version IS 'The last ledger row''s version; 0 before the first.';

--
-- Name: approval; Type: TABLE; Schema: withdrawal; Owner: -
--

CREATE TABLE withdrawal.approval (
    telegram_id core.telegram_id NOT NULL,
    withdrawal_id bigint NOT NULL,
    admin_id core.telegram_id NOT NULL,
    approved_at timestamp with time zone NOT NULL,
    status_after withdrawal.status NOT NULL,
    approvals_after smallint NOT NULL,
    CONSTRAINT approval_counts_itself CHECK ((approvals_after >= 1)),
    CONSTRAINT approval_not_own CHECK (((admin_id)::bigint <> (telegram_id)::bigint))
);

--
-- Name: TABLE approval; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON TABLE withdrawal.approval IS 'Who approved what, each admin once.';

--
-- Name: COLUMN approval.telegram_id; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.approval.telegram_id IS 'Whose withdrawal.';

--
-- Name: COLUMN approval.withdrawal_id; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.approval.withdrawal_id IS 'Which one.';

--
-- Name: COLUMN approval.admin_id; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.approval.admin_id IS 'Who approved it.';

--
-- Name: COLUMN approval.approved_at; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.approval.approved_at IS 'When.';

--
-- Name: COLUMN approval.status_after; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.approval.status_after IS 'What the withdrawal was then: part of the first answer.';

--
-- Name: COLUMN approval.approvals_after; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.approval.approvals_after IS 'Approvals of active admins then, this one included: part of the first answer.';

--
-- Name: draft; Type: TABLE; Schema: withdrawal; Owner: -
--

CREATE TABLE withdrawal.draft (
    telegram_id core.telegram_id NOT NULL,
    draft_id uuid NOT NULL,
    amount_kopecks core.amount_kopecks NOT NULL,
    requisites text,
    idempotency_key core.idempotency_key NOT NULL,
    drafted_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT draft_requisites_are_sealed CHECK (((requisites ~ '^v1:[A-Za-z0-9+/]+={0,2}$'::text) AND (length(requisites) <= 4096)))
);

--
-- Name: TABLE draft; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON TABLE withdrawal.draft IS 'What the withdrawal dialogue shows before its last confirmation.';

--
-- Name: COLUMN draft.telegram_id; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.draft.telegram_id IS 'Whose money.';

--
-- Name: COLUMN draft.draft_id; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.draft.draft_id IS 'The opaque id that the confirm button carries.';

--
-- Name: COLUMN draft.amount_kopecks; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.draft.amount_kopecks IS 'How much.';

--
-- Name: COLUMN draft.requisites; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.draft.requisites IS 'Where to, encrypted; null once submitted or purged.';

--
-- Name: COLUMN draft.idempotency_key; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.draft.idempotency_key IS 'The user''s key.';

--
-- Name: COLUMN draft.drafted_at; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.draft.drafted_at IS 'When it was drafted.';

--
-- Name: COLUMN draft.expires_at; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.draft.expires_at IS 'When it can no longer be submitted.';

--
-- Name: withdrawal; Type: TABLE; Schema: withdrawal; Owner: -
--

CREATE TABLE withdrawal.withdrawal (
    telegram_id core.telegram_id NOT NULL,
    withdrawal_id bigint NOT NULL,
    status withdrawal.status DEFAULT 'pending'::withdrawal.status NOT NULL,
    amount_kopecks core.amount_kopecks NOT NULL,
    requisites text,
    available_after_kopecks core.balance_kopecks NOT NULL,
    held_after_kopecks core.balance_kopecks NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    idempotency_key core.idempotency_key,
    draft_id uuid,
    approvals_needed smallint,
    ended_at timestamp with time zone,
    ended_by bigint,
    reason text,
    requisites_purge_at timestamp with time zone,
    correlation_id text DEFAULT "left"(NULLIF(current_setting('atlas.correlation_id'::text, true), ''::text), 128),
    CONSTRAINT withdrawal_approved_says_by_how_many CHECK (((status = 'approved'::withdrawal.status) = (approvals_needed IS NOT NULL))),
    CONSTRAINT withdrawal_ended_says_when CHECK (((status = 'pending'::withdrawal.status) = (ended_at IS NULL))),
    CONSTRAINT withdrawal_has_key_or_draft CHECK (((idempotency_key IS NULL) <> (draft_id IS NULL))),
    CONSTRAINT withdrawal_pending_has_requisites CHECK (((status <> 'pending'::withdrawal.status) OR (requisites IS NOT NULL))),
    CONSTRAINT withdrawal_requisites_are_sealed CHECK (((requisites ~ '^v1:[A-Za-z0-9+/]+={0,2}$'::text) AND (length(requisites) <= 4096)))
);

--
-- Name: TABLE withdrawal; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON TABLE withdrawal.withdrawal IS 'Requests to take money out. The amount is held from the request to the end.';

--
-- Name: COLUMN withdrawal.telegram_id; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.withdrawal.telegram_id IS 'Whose money.';

--
-- Name: COLUMN withdrawal.withdrawal_id; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.withdrawal.withdrawal_id IS 'The withdrawal''s number.';

--
-- Name: COLUMN withdrawal.status; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.withdrawal.status IS 'pending -> approved | rejected | cancelled.';

--
-- Name: COLUMN withdrawal.amount_kopecks; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.withdrawal.amount_kopecks IS 'How much.';

--
-- Name: COLUMN withdrawal.requisites; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.withdrawal.requisites IS 'Where to, encrypted by the application; null once purged.';

--
-- Name: COLUMN withdrawal.available_after_kopecks; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.withdrawal.available_after_kopecks IS 'Available after the request: part of the first answer.';

--
-- Name: COLUMN withdrawal.held_after_kopecks; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.withdrawal.held_after_kopecks IS 'Held after the request: part of the first answer.';

--
-- Name: COLUMN withdrawal.requested_at; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.withdrawal.requested_at IS 'When it was asked for.';

--
-- Name: COLUMN withdrawal.idempotency_key; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.withdrawal.idempotency_key IS 'The user''s key; null when it was submitted from a draft.';

--
-- Name: COLUMN withdrawal.draft_id; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.withdrawal.draft_id IS 'The draft that it was submitted from: the key of withdrawal.submit.';

--
-- Name: COLUMN withdrawal.approvals_needed; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.withdrawal.approvals_needed IS 'How many admins had to approve it when it was approved.';

--
-- Name: COLUMN withdrawal.ended_at; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.withdrawal.ended_at IS 'When it was approved, rejected or cancelled.';

--
-- Name: COLUMN withdrawal.ended_by; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.withdrawal.ended_by IS 'The admin, or the user who cancelled.';

--
-- Name: COLUMN withdrawal.reason; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.withdrawal.reason IS 'Why it was rejected.';

--
-- Name: COLUMN withdrawal.requisites_purge_at; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.withdrawal.requisites_purge_at IS 'When the requisites are removed; null before the end and after the purge.';

--
-- Name: COLUMN withdrawal.correlation_id; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON COLUMN withdrawal.withdrawal.correlation_id IS 'Ties it to the update it came from.';

--
-- Name: withdrawal_id; Type: SEQUENCE; Schema: withdrawal; Owner: -
--

CREATE SEQUENCE withdrawal.withdrawal_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

--
-- Name: SEQUENCE withdrawal_id; Type: COMMENT; Schema: withdrawal; Owner: -
--

COMMENT ON SEQUENCE withdrawal.withdrawal_id IS 'Numbers withdrawals; gaps mean nothing.';

--
-- Name: account account_pkey; Type: CONSTRAINT; Schema: account; Owner: -
--

ALTER TABLE ONLY account.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (telegram_id);

--
-- Name: admin admin_pkey; Type: CONSTRAINT; Schema: account; Owner: -
--

ALTER TABLE ONLY account.admin
    ADD CONSTRAINT admin_pkey PRIMARY KEY (telegram_id);

--
-- Name: corporate_request corporate_request_key_once; Type: CONSTRAINT; Schema: account; Owner: -
--

ALTER TABLE ONLY account.corporate_request
    ADD CONSTRAINT corporate_request_key_once UNIQUE (telegram_id, idempotency_key);

--
-- Name: corporate_request corporate_request_pkey; Type: CONSTRAINT; Schema: account; Owner: -
--

ALTER TABLE ONLY account.corporate_request
    ADD CONSTRAINT corporate_request_pkey PRIMARY KEY (telegram_id, request_id);

--
-- Name: draft draft_key_once; Type: CONSTRAINT; Schema: account; Owner: -
--

ALTER TABLE ONLY account.draft
    ADD CONSTRAINT draft_key_once UNIQUE (admin_id, idempotency_key);

--
-- Name: draft draft_pkey; Type: CONSTRAINT; Schema: account; Owner: -
--

ALTER TABLE ONLY account.draft
    ADD CONSTRAINT draft_pkey PRIMARY KEY (admin_id, draft_id);

--
-- Name: batch batch_pkey; Type: CONSTRAINT; Schema: audit; Owner: -
--

ALTER TABLE ONLY audit.batch
    ADD CONSTRAINT batch_pkey PRIMARY KEY (batch_id);

--
-- Name: entry entry_pkey; Type: CONSTRAINT; Schema: audit; Owner: -
--

ALTER TABLE ONLY audit.entry
    ADD CONSTRAINT entry_pkey PRIMARY KEY (entry_id);

--
-- Name: charge charge_pkey; Type: CONSTRAINT; Schema: billing; Owner: -
--

ALTER TABLE ONLY billing.charge
    ADD CONSTRAINT charge_pkey PRIMARY KEY (provider, charge_id);

--
-- Name: invoice invoice_pkey; Type: CONSTRAINT; Schema: billing; Owner: -
--

ALTER TABLE ONLY billing.invoice
    ADD CONSTRAINT invoice_pkey PRIMARY KEY (telegram_id, purchase_id, provider, invoice_id);

--
-- Name: payment payment_pkey; Type: CONSTRAINT; Schema: billing; Owner: -
--

ALTER TABLE ONLY billing.payment
    ADD CONSTRAINT payment_pkey PRIMARY KEY (telegram_id, payment_id);

--
-- Name: provider provider_pkey; Type: CONSTRAINT; Schema: billing; Owner: -
--

ALTER TABLE ONLY billing.provider
    ADD CONSTRAINT provider_pkey PRIMARY KEY (provider);

--
-- Name: purchase purchase_pkey; Type: CONSTRAINT; Schema: billing; Owner: -
--

ALTER TABLE ONLY billing.purchase
    ADD CONSTRAINT purchase_pkey PRIMARY KEY (telegram_id, purchase_id);

--
-- Name: refund refund_pkey; Type: CONSTRAINT; Schema: billing; Owner: -
--

ALTER TABLE ONLY billing.refund
    ADD CONSTRAINT refund_pkey PRIMARY KEY (telegram_id, purchase_id);

--
-- Name: tariff tariff_pkey; Type: CONSTRAINT; Schema: billing; Owner: -
--

ALTER TABLE ONLY billing.tariff
    ADD CONSTRAINT tariff_pkey PRIMARY KEY (tariff);

--
-- Name: tariff_price tariff_price_offer_once; Type: CONSTRAINT; Schema: billing; Owner: -
--

ALTER TABLE ONLY billing.tariff_price
    ADD CONSTRAINT tariff_price_offer_once UNIQUE (offer_id);

--
-- Name: tariff_price tariff_price_pkey; Type: CONSTRAINT; Schema: billing; Owner: -
--

ALTER TABLE ONLY billing.tariff_price
    ADD CONSTRAINT tariff_price_pkey PRIMARY KEY (tariff, months);

--
-- Name: tariff tariff_rank_unique; Type: CONSTRAINT; Schema: billing; Owner: -
--

ALTER TABLE ONLY billing.tariff
    ADD CONSTRAINT tariff_rank_unique UNIQUE (rank);

--
-- Name: topup_preset topup_preset_pkey; Type: CONSTRAINT; Schema: billing; Owner: -
--

ALTER TABLE ONLY billing.topup_preset
    ADD CONSTRAINT topup_preset_pkey PRIMARY KEY (amount_kopecks);

--
-- Name: broadcast broadcast_key_once; Type: CONSTRAINT; Schema: broadcast; Owner: -
--

ALTER TABLE ONLY broadcast.broadcast
    ADD CONSTRAINT broadcast_key_once UNIQUE (prepared_by, idempotency_key);

--
-- Name: broadcast broadcast_pkey; Type: CONSTRAINT; Schema: broadcast; Owner: -
--

ALTER TABLE ONLY broadcast.broadcast
    ADD CONSTRAINT broadcast_pkey PRIMARY KEY (broadcast_id);

--
-- Name: recipient recipient_pkey; Type: CONSTRAINT; Schema: broadcast; Owner: -
--

ALTER TABLE ONLY broadcast.recipient
    ADD CONSTRAINT recipient_pkey PRIMARY KEY (telegram_id, broadcast_id);

--
-- Name: tally tally_pkey; Type: CONSTRAINT; Schema: broadcast; Owner: -
--

ALTER TABLE ONLY broadcast.tally
    ADD CONSTRAINT tally_pkey PRIMARY KEY (broadcast_id);

--
-- Name: refusal refusal_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.refusal
    ADD CONSTRAINT refusal_pkey PRIMARY KEY (sqlstate);

--
-- Name: update update_pkey; Type: CONSTRAINT; Schema: inbox; Owner: -
--

ALTER TABLE ONLY inbox.update
    ADD CONSTRAINT update_pkey PRIMARY KEY (update_id);

--
-- Name: transfer transfer_pkey; Type: CONSTRAINT; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.transfer
    ADD CONSTRAINT transfer_pkey PRIMARY KEY (telegram_id, version);

--
-- Name: reminder reminder_pkey; Type: CONSTRAINT; Schema: notify; Owner: -
--

ALTER TABLE ONLY notify.reminder
    ADD CONSTRAINT reminder_pkey PRIMARY KEY (period, template, longer_than_seconds);

--
-- Name: attempt attempt_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (telegram_id, action);

--
-- Name: day_figure day_figure_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.day_figure
    ADD CONSTRAINT day_figure_pkey PRIMARY KEY (name, day);

--
-- Name: dead dead_once; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.dead
    ADD CONSTRAINT dead_once UNIQUE (job_name, subject);

--
-- Name: dead dead_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.dead
    ADD CONSTRAINT dead_pkey PRIMARY KEY (dead_id);

--
-- Name: dependency dependency_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.dependency
    ADD CONSTRAINT dependency_pkey PRIMARY KEY (component);

--
-- Name: export export_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.export
    ADD CONSTRAINT export_pkey PRIMARY KEY (export_id);

--
-- Name: export_request export_request_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.export_request
    ADD CONSTRAINT export_request_pkey PRIMARY KEY (admin_id, idempotency_key);

--
-- Name: feature feature_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.feature
    ADD CONSTRAINT feature_pkey PRIMARY KEY (name);

--
-- Name: incident incident_key_once; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.incident
    ADD CONSTRAINT incident_key_once UNIQUE (set_by, idempotency_key);

--
-- Name: incident incident_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.incident
    ADD CONSTRAINT incident_pkey PRIMARY KEY (incident_id);

--
-- Name: lease lease_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (name);

--
-- Name: rate_limit rate_limit_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.rate_limit
    ADD CONSTRAINT rate_limit_pkey PRIMARY KEY (action);

--
-- Name: scheduled_job scheduled_job_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.scheduled_job
    ADD CONSTRAINT scheduled_job_pkey PRIMARY KEY (name);

--
-- Name: scheduled_job_run scheduled_job_run_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.scheduled_job_run
    ADD CONSTRAINT scheduled_job_run_pkey PRIMARY KEY (run_id);

--
-- Name: setting setting_pkey; Type: CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.setting
    ADD CONSTRAINT setting_pkey PRIMARY KEY (name);

--
-- Name: task task_pkey; Type: CONSTRAINT; Schema: outbox; Owner: -
--

ALTER TABLE ONLY outbox.task
    ADD CONSTRAINT task_pkey PRIMARY KEY (telegram_id, task_id);

--
-- Name: batch batch_key_once; Type: CONSTRAINT; Schema: promo; Owner: -
--

ALTER TABLE ONLY promo.batch
    ADD CONSTRAINT batch_key_once UNIQUE (issued_by, idempotency_key);

--
-- Name: batch batch_pkey; Type: CONSTRAINT; Schema: promo; Owner: -
--

ALTER TABLE ONLY promo.batch
    ADD CONSTRAINT batch_pkey PRIMARY KEY (batch_id);

--
-- Name: code code_key_once; Type: CONSTRAINT; Schema: promo; Owner: -
--

ALTER TABLE ONLY promo.code
    ADD CONSTRAINT code_key_once UNIQUE (issued_by, idempotency_key);

--
-- Name: code code_pkey; Type: CONSTRAINT; Schema: promo; Owner: -
--

ALTER TABLE ONLY promo.code
    ADD CONSTRAINT code_pkey PRIMARY KEY (promo_id);

--
-- Name: code code_unique; Type: CONSTRAINT; Schema: promo; Owner: -
--

ALTER TABLE ONLY promo.code
    ADD CONSTRAINT code_unique UNIQUE (code);

--
-- Name: use use_pkey; Type: CONSTRAINT; Schema: promo; Owner: -
--

ALTER TABLE ONLY promo.use
    ADD CONSTRAINT use_pkey PRIMARY KEY (promo_id, use_no);

--
-- Name: level level_from_paying_unique; Type: CONSTRAINT; Schema: referral; Owner: -
--

ALTER TABLE ONLY referral.level
    ADD CONSTRAINT level_from_paying_unique UNIQUE (from_paying);

--
-- Name: level level_pkey; Type: CONSTRAINT; Schema: referral; Owner: -
--

ALTER TABLE ONLY referral.level
    ADD CONSTRAINT level_pkey PRIMARY KEY (level);

--
-- Name: paying paying_pkey; Type: CONSTRAINT; Schema: referral; Owner: -
--

ALTER TABLE ONLY referral.paying
    ADD CONSTRAINT paying_pkey PRIMARY KEY (telegram_id, referred_id);

--
-- Name: referrer referrer_pkey; Type: CONSTRAINT; Schema: referral; Owner: -
--

ALTER TABLE ONLY referral.referrer
    ADD CONSTRAINT referrer_pkey PRIMARY KEY (telegram_id);

--
-- Name: reward reward_pkey; Type: CONSTRAINT; Schema: referral; Owner: -
--

ALTER TABLE ONLY referral.reward
    ADD CONSTRAINT reward_pkey PRIMARY KEY (telegram_id, purchase_id);

--
-- Name: change change_pkey; Type: CONSTRAINT; Schema: subscription; Owner: -
--

ALTER TABLE ONLY subscription.change
    ADD CONSTRAINT change_pkey PRIMARY KEY (telegram_id, change_id);

--
-- Name: subscription subscription_pkey; Type: CONSTRAINT; Schema: subscription; Owner: -
--

ALTER TABLE ONLY subscription.subscription
    ADD CONSTRAINT subscription_pkey PRIMARY KEY (telegram_id);

--
-- Name: node node_pkey; Type: CONSTRAINT; Schema: vpn; Owner: -
--

ALTER TABLE ONLY vpn.node
    ADD CONSTRAINT node_pkey PRIMARY KEY (name);

--
-- Name: placement placement_pkey; Type: CONSTRAINT; Schema: vpn; Owner: -
--

ALTER TABLE ONLY vpn.placement
    ADD CONSTRAINT placement_pkey PRIMARY KEY (vpn_uuid);

--
-- Name: reissue_request reissue_request_key_once; Type: CONSTRAINT; Schema: vpn; Owner: -
--

ALTER TABLE ONLY vpn.reissue_request
    ADD CONSTRAINT reissue_request_key_once UNIQUE (admin_id, idempotency_key);

--
-- Name: reissue_request reissue_request_pkey; Type: CONSTRAINT; Schema: vpn; Owner: -
--

ALTER TABLE ONLY vpn.reissue_request
    ADD CONSTRAINT reissue_request_pkey PRIMARY KEY (request_id);

--
-- Name: wallet wallet_pkey; Type: CONSTRAINT; Schema: wallet; Owner: -
--

ALTER TABLE ONLY wallet.wallet
    ADD CONSTRAINT wallet_pkey PRIMARY KEY (telegram_id);

--
-- Name: approval approval_pkey; Type: CONSTRAINT; Schema: withdrawal; Owner: -
--

ALTER TABLE ONLY withdrawal.approval
    ADD CONSTRAINT approval_pkey PRIMARY KEY (telegram_id, withdrawal_id, admin_id);

--
-- Name: draft draft_key_once; Type: CONSTRAINT; Schema: withdrawal; Owner: -
--

ALTER TABLE ONLY withdrawal.draft
    ADD CONSTRAINT draft_key_once UNIQUE (telegram_id, idempotency_key);

--
-- Name: draft draft_pkey; Type: CONSTRAINT; Schema: withdrawal; Owner: -
--

ALTER TABLE ONLY withdrawal.draft
    ADD CONSTRAINT draft_pkey PRIMARY KEY (telegram_id, draft_id);

--
-- Name: withdrawal withdrawal_draft_once; Type: CONSTRAINT; Schema: withdrawal; Owner: -
--

ALTER TABLE ONLY withdrawal.withdrawal
    ADD CONSTRAINT withdrawal_draft_once UNIQUE (telegram_id, draft_id);

--
-- Name: withdrawal withdrawal_key_once; Type: CONSTRAINT; Schema: withdrawal; Owner: -
--

ALTER TABLE ONLY withdrawal.withdrawal
    ADD CONSTRAINT withdrawal_key_once UNIQUE (telegram_id, idempotency_key);

--
-- Name: withdrawal withdrawal_pkey; Type: CONSTRAINT; Schema: withdrawal; Owner: -
--

ALTER TABLE ONLY withdrawal.withdrawal
    ADD CONSTRAINT withdrawal_pkey PRIMARY KEY (telegram_id, withdrawal_id);

--
-- Name: account_referral_code; Type: INDEX; Schema: account; Owner: -
--

CREATE INDEX account_referral_code ON account.account USING btree (referral_code);

--
-- Name: account_referrer; Type: INDEX; Schema: account; Owner: -
--

CREATE INDEX account_referrer ON account.account USING btree (referrer_id, telegram_id) WHERE (referrer_id IS NOT NULL);

--
-- Name: account_registered; Type: INDEX; Schema: account; Owner: -
--

CREATE INDEX account_registered ON account.account USING brin (registered_at) WITH (autosummarize='on');

--
-- Name: account_username; Type: INDEX; Schema: account; Owner: -
--

CREATE INDEX account_username ON account.account USING btree (lower(username) text_pattern_ops) WHERE (username IS NOT NULL);

--
-- Name: corporate_request_closed; Type: INDEX; Schema: account; Owner: -
--

CREATE INDEX corporate_request_closed ON account.corporate_request USING btree (closed_at) WHERE (closed_at IS NOT NULL);

--
-- Name: corporate_request_one_open; Type: INDEX; Schema: account; Owner: -
--

CREATE UNIQUE INDEX corporate_request_one_open ON account.corporate_request USING btree (telegram_id) WHERE (closed_at IS NULL);

--
-- Name: corporate_request_waiting; Type: INDEX; Schema: account; Owner: -
--

CREATE INDEX corporate_request_waiting ON account.corporate_request USING btree (requested_at) WHERE (closed_at IS NULL);

--
-- Name: draft_expires; Type: INDEX; Schema: account; Owner: -
--

CREATE INDEX draft_expires ON account.draft USING btree (expires_at);

--
-- Name: entry_actor; Type: INDEX; Schema: audit; Owner: -
--

CREATE INDEX entry_actor ON audit.entry USING btree (actor_id, occurred_at) WHERE (actor_id IS NOT NULL);

--
-- Name: entry_occurred; Type: INDEX; Schema: audit; Owner: -
--

CREATE INDEX entry_occurred ON audit.entry USING btree (occurred_at);

--
-- Name: entry_recorded; Type: INDEX; Schema: audit; Owner: -
--

CREATE INDEX entry_recorded ON audit.entry USING brin (recorded_xid) WITH (pages_per_range='16', autosummarize='on');

--
-- Name: entry_subject; Type: INDEX; Schema: audit; Owner: -
--

CREATE INDEX entry_subject ON audit.entry USING btree (subject_id, occurred_at);

--
-- Name: invoice_attached; Type: INDEX; Schema: billing; Owner: -
--

CREATE INDEX invoice_attached ON billing.invoice USING btree (provider, attached_at);

--
-- Name: invoice_by_id; Type: INDEX; Schema: billing; Owner: -
--

CREATE INDEX invoice_by_id ON billing.invoice USING btree (provider, invoice_id);

--
-- Name: payment_by_id; Type: INDEX; Schema: billing; Owner: -
--

CREATE INDEX payment_by_id ON billing.payment USING btree (payment_id);

--
-- Name: payment_received; Type: INDEX; Schema: billing; Owner: -
--

CREATE INDEX payment_received ON billing.payment USING btree (provider, received_at, payment_id);

--
-- Name: payment_suspended; Type: INDEX; Schema: billing; Owner: -
--

CREATE INDEX payment_suspended ON billing.payment USING btree (received_at, payment_id) WHERE (outcome = 'suspense'::billing.payment_outcome);

--
-- Name: purchase_by_id; Type: INDEX; Schema: billing; Owner: -
--

CREATE INDEX purchase_by_id ON billing.purchase USING btree (purchase_id);

--
-- Name: purchase_expiry_check; Type: INDEX; Schema: billing; Owner: -
--

CREATE INDEX purchase_expiry_check ON billing.purchase USING btree (expiry_check_at) WHERE (expiry_check_at IS NOT NULL);

--
-- Name: purchase_key_once; Type: INDEX; Schema: billing; Owner: -
--

CREATE UNIQUE INDEX purchase_key_once ON billing.purchase USING btree (telegram_id, kind, idempotency_key);

--
-- Name: purchase_renews_period_once; Type: INDEX; Schema: billing; Owner: -
--

CREATE UNIQUE INDEX purchase_renews_period_once ON billing.purchase USING btree (telegram_id, renews_expires_at) WHERE (renews_expires_at IS NOT NULL);

--
-- Name: broadcast_running; Type: INDEX; Schema: broadcast; Owner: -
--

CREATE INDEX broadcast_running ON broadcast.broadcast USING btree (broadcast_id) WHERE (status = 'running'::broadcast.status);

--
-- Name: recipient_finished; Type: INDEX; Schema: broadcast; Owner: -
--

CREATE INDEX recipient_finished ON broadcast.recipient USING btree (finished_at) WHERE (finished_at IS NOT NULL);

--
-- Name: recipient_unfinished; Type: INDEX; Schema: broadcast; Owner: -
--

CREATE INDEX recipient_unfinished ON broadcast.recipient USING btree (broadcast_id, outcome) WHERE (finished_at IS NULL);

--
-- Name: recipient_unknown; Type: INDEX; Schema: broadcast; Owner: -
--

CREATE INDEX recipient_unknown ON broadcast.recipient USING btree (broadcast_id) WHERE (outcome = 'unknown'::broadcast.outcome);

--
-- Name: update_leased; Type: INDEX; Schema: inbox; Owner: -
--

CREATE INDEX update_leased ON inbox.update USING btree (leased_until) WHERE ((finished_at IS NULL) AND (leased_until IS NOT NULL));

--
-- Name: update_waiting; Type: INDEX; Schema: inbox; Owner: -
--

CREATE INDEX update_waiting ON inbox.update USING btree (update_id) WHERE (finished_at IS NULL);

--
-- Name: update_waiting_by_chat; Type: INDEX; Schema: inbox; Owner: -
--

CREATE INDEX update_waiting_by_chat ON inbox.update USING btree (chat_id, update_id) WHERE (finished_at IS NULL);

--
-- Name: transfer_by_admin; Type: INDEX; Schema: ledger; Owner: -
--

CREATE INDEX transfer_by_admin ON ledger.transfer USING btree (created_at) WHERE (actor_id IS NOT NULL);

--
-- Name: transfer_created; Type: INDEX; Schema: ledger; Owner: -
--

CREATE INDEX transfer_created ON ledger.transfer USING brin (created_at) WITH (autosummarize='on');

--
-- Name: transfer_key_once; Type: INDEX; Schema: ledger; Owner: -
--

CREATE UNIQUE INDEX transfer_key_once ON ledger.transfer USING btree (telegram_id, reason, idempotency_key) WHERE (idempotency_key IS NOT NULL);

--
-- Name: transfer_recorded; Type: INDEX; Schema: ledger; Owner: -
--

CREATE INDEX transfer_recorded ON ledger.transfer USING brin (recorded_xid) WITH (pages_per_range='16', autosummarize='on');

--
-- Name: attempt_whole; Type: INDEX; Schema: ops; Owner: -
--

CREATE INDEX attempt_whole ON ops.attempt USING btree (whole_at);

--
-- Name: export_by_admin; Type: INDEX; Schema: ops; Owner: -
--

CREATE INDEX export_by_admin ON ops.export USING btree (admin_id, export_id);

--
-- Name: export_due; Type: INDEX; Schema: ops; Owner: -
--

CREATE INDEX export_due ON ops.export USING btree (due_at) WHERE (finished_at IS NULL);

--
-- Name: export_finished; Type: INDEX; Schema: ops; Owner: -
--

CREATE INDEX export_finished ON ops.export USING btree (finished_at) WHERE (finished_at IS NOT NULL);

--
-- Name: export_one_open; Type: INDEX; Schema: ops; Owner: -
--

CREATE UNIQUE INDEX export_one_open ON ops.export USING btree (admin_id, kind, COALESCE(batch_id, (0)::bigint)) WHERE (finished_at IS NULL);

--
-- Name: export_request_by_export; Type: INDEX; Schema: ops; Owner: -
--

CREATE INDEX export_request_by_export ON ops.export_request USING btree (export_id);

--
-- Name: incident_ends; Type: INDEX; Schema: ops; Owner: -
--

CREATE INDEX incident_ends ON ops.incident USING btree (incident_id) WHERE (NOT is_on);

--
-- Name: scheduled_job_run_by_job; Type: INDEX; Schema: ops; Owner: -
--

CREATE INDEX scheduled_job_run_by_job ON ops.scheduled_job_run USING btree (job_name, started_at);

--
-- Name: scheduled_job_run_finished; Type: INDEX; Schema: ops; Owner: -
--

CREATE INDEX scheduled_job_run_finished ON ops.scheduled_job_run USING btree (finished_at);

--
-- Name: task_by_id; Type: INDEX; Schema: outbox; Owner: -
--

CREATE INDEX task_by_id ON outbox.task USING btree (task_id) WHERE (lease_token IS NOT NULL);

--
-- Name: task_cashback_once; Type: INDEX; Schema: outbox; Owner: -
--

CREATE UNIQUE INDEX task_cashback_once ON outbox.task USING btree (telegram_id, purchase_id, name) WHERE (kind = 'cashback'::outbox.kind);

--
-- Name: task_created; Type: INDEX; Schema: outbox; Owner: -
--

CREATE INDEX task_created ON outbox.task USING brin (created_at) WITH (autosummarize='on');

--
-- Name: task_due; Type: INDEX; Schema: outbox; Owner: -
--

CREATE INDEX task_due ON outbox.task USING btree (kind, due_at) WHERE (finished_at IS NULL);

--
-- Name: task_leased; Type: INDEX; Schema: outbox; Owner: -
--

CREATE INDEX task_leased ON outbox.task USING btree (leased_until) WHERE ((finished_at IS NULL) AND (leased_until IS NOT NULL));

--
-- Name: task_reissue; Type: INDEX; Schema: outbox; Owner: -
--

CREATE INDEX task_reissue ON outbox.task USING btree (other_id) WHERE ((kind = 'provision'::outbox.kind) AND (finished_at IS NULL) AND (other_id IS NOT NULL));

--
-- Name: task_undelivered; Type: INDEX; Schema: outbox; Owner: -
--

CREATE INDEX task_undelivered ON outbox.task USING btree (task_id) WHERE ((kind = 'provision'::outbox.kind) AND (name = 'add'::text) AND (last_error IS NOT NULL) AND ((finished_at IS NULL) OR (outcome = 'failed'::text)));

--
-- Name: task_waiting; Type: INDEX; Schema: outbox; Owner: -
--

CREATE INDEX task_waiting ON outbox.task USING btree (telegram_id, kind, task_id) WHERE (finished_at IS NULL);

--
-- Name: code_by_batch; Type: INDEX; Schema: promo; Owner: -
--

CREATE INDEX code_by_batch ON promo.code USING btree (batch_id, promo_id) WHERE (batch_id IS NOT NULL);

--
-- Name: code_single; Type: INDEX; Schema: promo; Owner: -
--

CREATE INDEX code_single ON promo.code USING btree (promo_id) WHERE (batch_id IS NULL);

--
-- Name: use_by_user; Type: INDEX; Schema: promo; Owner: -
--

CREATE INDEX use_by_user ON promo.use USING btree (telegram_id, promo_id);

--
-- Name: referrer_by_paying; Type: INDEX; Schema: referral; Owner: -
--

CREATE INDEX referrer_by_paying ON referral.referrer USING btree (paying_count, telegram_id);

--
-- Name: change_key_once; Type: INDEX; Schema: subscription; Owner: -
--

CREATE UNIQUE INDEX change_key_once ON subscription.change USING btree (telegram_id, kind, idempotency_key) WHERE (idempotency_key IS NOT NULL);

--
-- Name: change_one_trial; Type: INDEX; Schema: subscription; Owner: -
--

CREATE UNIQUE INDEX change_one_trial ON subscription.change USING btree (telegram_id) WHERE (kind = 'trial'::subscription.change_kind);

--
-- Name: subscription_expiry_check; Type: INDEX; Schema: subscription; Owner: -
--

CREATE INDEX subscription_expiry_check ON subscription.subscription USING btree (expiry_check_at) WHERE (expiry_check_at IS NOT NULL);

--
-- Name: subscription_reminder_check; Type: INDEX; Schema: subscription; Owner: -
--

CREATE INDEX subscription_reminder_check ON subscription.subscription USING btree (reminder_check_at) WHERE (reminder_check_at IS NOT NULL);

--
-- Name: subscription_renew_check; Type: INDEX; Schema: subscription; Owner: -
--

CREATE INDEX subscription_renew_check ON subscription.subscription USING btree (renew_check_at) WHERE (renew_check_at IS NOT NULL);

--
-- Name: placement_by_node; Type: INDEX; Schema: vpn; Owner: -
--

CREATE INDEX placement_by_node ON vpn.placement USING btree (node, telegram_id);

--
-- Name: reissue_request_one_open; Type: INDEX; Schema: vpn; Owner: -
--

CREATE UNIQUE INDEX reissue_request_one_open ON vpn.reissue_request USING btree ((true)) WHERE ((finished_at IS NULL) AND (cancelled_at IS NULL));

--
-- Name: draft_expires; Type: INDEX; Schema: withdrawal; Owner: -
--

CREATE INDEX draft_expires ON withdrawal.draft USING btree (expires_at) WHERE (requisites IS NOT NULL);

--
-- Name: withdrawal_by_id; Type: INDEX; Schema: withdrawal; Owner: -
--

CREATE INDEX withdrawal_by_id ON withdrawal.withdrawal USING btree (withdrawal_id);

--
-- Name: withdrawal_one_pending; Type: INDEX; Schema: withdrawal; Owner: -
--

CREATE UNIQUE INDEX withdrawal_one_pending ON withdrawal.withdrawal USING btree (telegram_id) WHERE (status = 'pending'::withdrawal.status);

--
-- Name: withdrawal_purge; Type: INDEX; Schema: withdrawal; Owner: -
--

CREATE INDEX withdrawal_purge ON withdrawal.withdrawal USING btree (requisites_purge_at) WHERE (requisites_purge_at IS NOT NULL);

--
-- Name: withdrawal_recent; Type: INDEX; Schema: withdrawal; Owner: -
--

CREATE INDEX withdrawal_recent ON withdrawal.withdrawal USING btree (telegram_id, requested_at);

--
-- Name: withdrawal_waiting; Type: INDEX; Schema: withdrawal; Owner: -
--

CREATE INDEX withdrawal_waiting ON withdrawal.withdrawal USING btree (requested_at, withdrawal_id) WHERE (status = 'pending'::withdrawal.status);

--
-- Name: batch batch_is_append_only; Type: TRIGGER; Schema: audit; Owner: -
--

CREATE TRIGGER batch_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit.batch FOR EACH STATEMENT EXECUTE FUNCTION audit._refuse_change();

--
-- Name: entry entry_is_append_only; Type: TRIGGER; Schema: audit; Owner: -
--

CREATE TRIGGER entry_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit.entry FOR EACH STATEMENT EXECUTE FUNCTION audit._refuse_change();

--
-- Name: transfer transfer_is_append_only; Type: TRIGGER; Schema: ledger; Owner: -
--

CREATE TRIGGER transfer_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.transfer FOR EACH STATEMENT EXECUTE FUNCTION audit._refuse_change();

--
-- Name: admin admin_is_user; Type: FK CONSTRAINT; Schema: account; Owner: -
--

ALTER TABLE ONLY account.admin
    ADD CONSTRAINT admin_is_user FOREIGN KEY (telegram_id) REFERENCES account.account(telegram_id);

--
-- Name: charge charge_of_provider; Type: FK CONSTRAINT; Schema: billing; Owner: -
--

ALTER TABLE ONLY billing.charge
    ADD CONSTRAINT charge_of_provider FOREIGN KEY (provider) REFERENCES billing.provider(provider);

--
-- Name: invoice invoice_of_provider; Type: FK CONSTRAINT; Schema: billing; Owner: -
--

ALTER TABLE ONLY billing.invoice
    ADD CONSTRAINT invoice_of_provider FOREIGN KEY (provider) REFERENCES billing.provider(provider);

--
-- Name: invoice invoice_of_purchase; Type: FK CONSTRAINT; Schema: billing; Owner: -
--

ALTER TABLE ONLY billing.invoice
    ADD CONSTRAINT invoice_of_purchase FOREIGN KEY (telegram_id, purchase_id) REFERENCES billing.purchase(telegram_id, purchase_id);

--
-- Name: refund refund_of_purchase; Type: FK CONSTRAINT; Schema: billing; Owner: -
--

ALTER TABLE ONLY billing.refund
    ADD CONSTRAINT refund_of_purchase FOREIGN KEY (telegram_id, purchase_id) REFERENCES billing.purchase(telegram_id, purchase_id);

--
-- Name: tariff_price tariff_price_of_tariff; Type: FK CONSTRAINT; Schema: billing; Owner: -
--

ALTER TABLE ONLY billing.tariff_price
    ADD CONSTRAINT tariff_price_of_tariff FOREIGN KEY (tariff) REFERENCES billing.tariff(tariff);

--
-- Name: recipient recipient_of_broadcast; Type: FK CONSTRAINT; Schema: broadcast; Owner: -
--

ALTER TABLE ONLY broadcast.recipient
    ADD CONSTRAINT recipient_of_broadcast FOREIGN KEY (broadcast_id) REFERENCES broadcast.broadcast(broadcast_id);

--
-- Name: tally tally_of_broadcast; Type: FK CONSTRAINT; Schema: broadcast; Owner: -
--

ALTER TABLE ONLY broadcast.tally
    ADD CONSTRAINT tally_of_broadcast FOREIGN KEY (broadcast_id) REFERENCES broadcast.broadcast(broadcast_id);

--
-- Name: export export_of_batch; Type: FK CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.export
    ADD CONSTRAINT export_of_batch FOREIGN KEY (batch_id) REFERENCES promo.batch(batch_id);

--
-- Name: export_request export_request_of_export; Type: FK CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.export_request
    ADD CONSTRAINT export_request_of_export FOREIGN KEY (export_id) REFERENCES ops.export(export_id) ON DELETE CASCADE;

--
-- Name: rate_limit rate_limit_of_setting; Type: FK CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.rate_limit
    ADD CONSTRAINT rate_limit_of_setting FOREIGN KEY (setting_name) REFERENCES ops.setting(name);

--
-- Name: scheduled_job_run scheduled_job_run_of_job; Type: FK CONSTRAINT; Schema: ops; Owner: -
--

ALTER TABLE ONLY ops.scheduled_job_run
    ADD CONSTRAINT scheduled_job_run_of_job FOREIGN KEY (job_name) REFERENCES ops.scheduled_job(name);

--
-- Name: code code_of_batch; Type: FK CONSTRAINT; Schema: promo; Owner: -
--

ALTER TABLE ONLY promo.code
    ADD CONSTRAINT code_of_batch FOREIGN KEY (batch_id) REFERENCES promo.batch(batch_id);

--
-- Name: approval approval_of_withdrawal; Type: FK CONSTRAINT; Schema: withdrawal; Owner: -
--

ALTER TABLE ONLY withdrawal.approval
    ADD CONSTRAINT approval_of_withdrawal FOREIGN KEY (telegram_id, withdrawal_id) REFERENCES withdrawal.withdrawal(telegram_id, withdrawal_id);

--
-- Name: SCHEMA account; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA account TO atlas_bot;
GRANT USAGE ON SCHEMA account TO atlas_payments;
GRANT USAGE ON SCHEMA account TO atlas_admin;
GRANT USAGE ON SCHEMA account TO atlas_worker;
GRANT USAGE ON SCHEMA account TO atlas_auditor;
GRANT USAGE ON SCHEMA account TO atlas_dba;

--
-- Name: SCHEMA audit; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA audit TO atlas_bot;
GRANT USAGE ON SCHEMA audit TO atlas_payments;
GRANT USAGE ON SCHEMA audit TO atlas_admin;
GRANT USAGE ON SCHEMA audit TO atlas_worker;
GRANT USAGE ON SCHEMA audit TO atlas_auditor;
GRANT USAGE ON SCHEMA audit TO atlas_dba;

--
-- Name: SCHEMA billing; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA billing TO atlas_bot;
GRANT USAGE ON SCHEMA billing TO atlas_payments;
GRANT USAGE ON SCHEMA billing TO atlas_admin;
GRANT USAGE ON SCHEMA billing TO atlas_worker;
GRANT USAGE ON SCHEMA billing TO atlas_auditor;
GRANT USAGE ON SCHEMA billing TO atlas_dba;

--
-- Name: SCHEMA broadcast; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA broadcast TO atlas_bot;
GRANT USAGE ON SCHEMA broadcast TO atlas_payments;
GRANT USAGE ON SCHEMA broadcast TO atlas_admin;
GRANT USAGE ON SCHEMA broadcast TO atlas_worker;
GRANT USAGE ON SCHEMA broadcast TO atlas_auditor;
GRANT USAGE ON SCHEMA broadcast TO atlas_dba;

--
-- Name: SCHEMA core; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA core TO atlas_bot;
GRANT USAGE ON SCHEMA core TO atlas_payments;
GRANT USAGE ON SCHEMA core TO atlas_admin;
GRANT USAGE ON SCHEMA core TO atlas_worker;
GRANT USAGE ON SCHEMA core TO atlas_auditor;
GRANT USAGE ON SCHEMA core TO atlas_dba;

--
-- Name: SCHEMA inbox; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA inbox TO atlas_bot;
GRANT USAGE ON SCHEMA inbox TO atlas_payments;
GRANT USAGE ON SCHEMA inbox TO atlas_admin;
GRANT USAGE ON SCHEMA inbox TO atlas_worker;
GRANT USAGE ON SCHEMA inbox TO atlas_auditor;
GRANT USAGE ON SCHEMA inbox TO atlas_dba;

--
-- Name: SCHEMA ledger; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA ledger TO atlas_bot;
GRANT USAGE ON SCHEMA ledger TO atlas_payments;
GRANT USAGE ON SCHEMA ledger TO atlas_admin;
GRANT USAGE ON SCHEMA ledger TO atlas_worker;
GRANT USAGE ON SCHEMA ledger TO atlas_auditor;
GRANT USAGE ON SCHEMA ledger TO atlas_dba;

--
-- Name: SCHEMA notify; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA notify TO atlas_bot;
GRANT USAGE ON SCHEMA notify TO atlas_payments;
GRANT USAGE ON SCHEMA notify TO atlas_admin;
GRANT USAGE ON SCHEMA notify TO atlas_worker;
GRANT USAGE ON SCHEMA notify TO atlas_auditor;
GRANT USAGE ON SCHEMA notify TO atlas_dba;

--
-- Name: SCHEMA ops; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA ops TO atlas_bot;
GRANT USAGE ON SCHEMA ops TO atlas_payments;
GRANT USAGE ON SCHEMA ops TO atlas_admin;
GRANT USAGE ON SCHEMA ops TO atlas_worker;
GRANT USAGE ON SCHEMA ops TO atlas_auditor;
GRANT USAGE ON SCHEMA ops TO atlas_dba;

--
-- Name: SCHEMA outbox; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA outbox TO atlas_bot;
GRANT USAGE ON SCHEMA outbox TO atlas_payments;
GRANT USAGE ON SCHEMA outbox TO atlas_admin;
GRANT USAGE ON SCHEMA outbox TO atlas_worker;
GRANT USAGE ON SCHEMA outbox TO atlas_auditor;
GRANT USAGE ON SCHEMA outbox TO atlas_dba;

--
-- Name: SCHEMA promo; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA promo TO atlas_bot;
GRANT USAGE ON SCHEMA promo TO atlas_payments;
GRANT USAGE ON SCHEMA promo TO atlas_admin;
GRANT USAGE ON SCHEMA promo TO atlas_worker;
GRANT USAGE ON SCHEMA promo TO atlas_auditor;
GRANT USAGE ON SCHEMA promo TO atlas_dba;

--
-- Name: SCHEMA public; Type: ACL; Schema: -; Owner: -
--

GRANT ALL ON SCHEMA public TO atlas_owner;

--
-- Name: SCHEMA referral; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA referral TO atlas_bot;
GRANT USAGE ON SCHEMA referral TO atlas_payments;
GRANT USAGE ON SCHEMA referral TO atlas_admin;
GRANT USAGE ON SCHEMA referral TO atlas_worker;
GRANT USAGE ON SCHEMA referral TO atlas_auditor;
GRANT USAGE ON SCHEMA referral TO atlas_dba;

--
-- Name: SCHEMA subscription; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA subscription TO atlas_bot;
GRANT USAGE ON SCHEMA subscription TO atlas_payments;
GRANT USAGE ON SCHEMA subscription TO atlas_admin;
GRANT USAGE ON SCHEMA subscription TO atlas_worker;
GRANT USAGE ON SCHEMA subscription TO atlas_auditor;
GRANT USAGE ON SCHEMA subscription TO atlas_dba;

--
-- Name: SCHEMA vpn; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA vpn TO atlas_bot;
GRANT USAGE ON SCHEMA vpn TO atlas_payments;
GRANT USAGE ON SCHEMA vpn TO atlas_admin;
GRANT USAGE ON SCHEMA vpn TO atlas_worker;
GRANT USAGE ON SCHEMA vpn TO atlas_auditor;
GRANT USAGE ON SCHEMA vpn TO atlas_dba;

--
-- Name: SCHEMA wallet; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA wallet TO atlas_bot;
GRANT USAGE ON SCHEMA wallet TO atlas_payments;
GRANT USAGE ON SCHEMA wallet TO atlas_admin;
GRANT USAGE ON SCHEMA wallet TO atlas_worker;
GRANT USAGE ON SCHEMA wallet TO atlas_auditor;
GRANT USAGE ON SCHEMA wallet TO atlas_dba;

--
-- Name: SCHEMA withdrawal; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA withdrawal TO atlas_bot;
GRANT USAGE ON SCHEMA withdrawal TO atlas_payments;
GRANT USAGE ON SCHEMA withdrawal TO atlas_admin;
GRANT USAGE ON SCHEMA withdrawal TO atlas_worker;
GRANT USAGE ON SCHEMA withdrawal TO atlas_auditor;
GRANT USAGE ON SCHEMA withdrawal TO atlas_dba;

--
-- Name: FUNCTION _close_corporate(p_telegram_id bigint, p_request_id bigint, p_closed_by bigint, p_action text); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account._close_corporate(p_telegram_id bigint, p_request_id bigint, p_closed_by bigint, p_action text) FROM PUBLIC;

--
-- Name: FUNCTION _corporate_card(p_telegram_id bigint, p_request_id bigint); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account._corporate_card(p_telegram_id bigint, p_request_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION _discount_percent(p_telegram_id bigint, p_now timestamp with time zone); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account._discount_percent(p_telegram_id bigint, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _find_referrer(p_telegram_id bigint, p_start_payload text, OUT referrer_id bigint, OUT bind_refusal text); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account._find_referrer(p_telegram_id bigint, p_start_payload text, OUT referrer_id bigint, OUT bind_refusal text) FROM PUBLIC;

--
-- Name: FUNCTION _lock(p_telegram_id bigint, OUT is_blocked boolean); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account._lock(p_telegram_id bigint, OUT is_blocked boolean) FROM PUBLIC;

--
-- Name: FUNCTION _new_referral_code(); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account._new_referral_code() FROM PUBLIC;

--
-- Name: FUNCTION _only_admins(p_admin_id bigint); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account._only_admins(p_admin_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION _require_admin(p_admin_id bigint); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account._require_admin(p_admin_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION _require_words(p_text text, p_name text); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account._require_words(p_text text, p_name text) FROM PUBLIC;

--
-- Name: FUNCTION _set_admin(p_telegram_id bigint, p_note text, p_is_active boolean); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account._set_admin(p_telegram_id bigint, p_note text, p_is_active boolean) FROM PUBLIC;

--
-- Name: FUNCTION _set_blocked(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_is_blocked boolean, p_draft_id uuid); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account._set_blocked(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_is_blocked boolean, p_draft_id uuid) FROM PUBLIC;

--
-- Name: FUNCTION _take_draft(p_admin_id bigint, p_draft_id uuid, p_action text); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account._take_draft(p_admin_id bigint, p_draft_id uuid, p_action text) FROM PUBLIC;

--
-- Name: FUNCTION _tell_referrer(p_telegram_id bigint, p_referrer_id bigint, p_now timestamp with time zone); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account._tell_referrer(p_telegram_id bigint, p_referrer_id bigint, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION block(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_draft_id uuid); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.block(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_draft_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION account.block(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_draft_id uuid) TO atlas_admin;
GRANT ALL ON FUNCTION account.block(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_draft_id uuid) TO atlas_dba;

--
-- Name: FUNCTION cancel_corporate(p_telegram_id bigint, p_request_id bigint); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.cancel_corporate(p_telegram_id bigint, p_request_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION account.cancel_corporate(p_telegram_id bigint, p_request_id bigint) TO atlas_bot;
GRANT ALL ON FUNCTION account.cancel_corporate(p_telegram_id bigint, p_request_id bigint) TO atlas_dba;

--
-- Name: FUNCTION card(p_admin_id bigint, p_telegram_id bigint); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.card(p_admin_id bigint, p_telegram_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION account.card(p_admin_id bigint, p_telegram_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION account.card(p_admin_id bigint, p_telegram_id bigint) TO atlas_dba;

--
-- Name: FUNCTION check_admin(p_admin_id bigint); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.check_admin(p_admin_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION account.check_admin(p_admin_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION account.check_admin(p_admin_id bigint) TO atlas_dba;

--
-- Name: FUNCTION close_corporate(p_admin_id bigint, p_telegram_id bigint, p_request_id bigint); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.close_corporate(p_admin_id bigint, p_telegram_id bigint, p_request_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION account.close_corporate(p_admin_id bigint, p_telegram_id bigint, p_request_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION account.close_corporate(p_admin_id bigint, p_telegram_id bigint, p_request_id bigint) TO atlas_dba;

--
-- Name: FUNCTION draft_action(p_admin_id bigint, p_action text, p_arguments jsonb, p_idempotency_key text); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.draft_action(p_admin_id bigint, p_action text, p_arguments jsonb, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION account.draft_action(p_admin_id bigint, p_action text, p_arguments jsonb, p_idempotency_key text) TO atlas_admin;
GRANT ALL ON FUNCTION account.draft_action(p_admin_id bigint, p_action text, p_arguments jsonb, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION find_users(p_admin_id bigint, p_query text, p_limit integer); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.find_users(p_admin_id bigint, p_query text, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION account.find_users(p_admin_id bigint, p_query text, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION account.find_users(p_admin_id bigint, p_query text, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION grant_admin(p_telegram_id bigint, p_note text); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.grant_admin(p_telegram_id bigint, p_note text) FROM PUBLIC;
GRANT ALL ON FUNCTION account.grant_admin(p_telegram_id bigint, p_note text) TO atlas_dba;

--
-- Name: FUNCTION latest_corporate(p_telegram_id bigint); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.latest_corporate(p_telegram_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION account.latest_corporate(p_telegram_id bigint) TO atlas_bot;
GRANT ALL ON FUNCTION account.latest_corporate(p_telegram_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION account.latest_corporate(p_telegram_id bigint) TO atlas_dba;

--
-- Name: FUNCTION list_corporate(p_admin_id bigint, p_limit integer); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.list_corporate(p_admin_id bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION account.list_corporate(p_admin_id bigint, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION account.list_corporate(p_admin_id bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION profile(p_telegram_id bigint); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.profile(p_telegram_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION account.profile(p_telegram_id bigint) TO atlas_bot;
GRANT ALL ON FUNCTION account.profile(p_telegram_id bigint) TO atlas_worker;
GRANT ALL ON FUNCTION account.profile(p_telegram_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION account.profile(p_telegram_id bigint) TO atlas_dba;

--
-- Name: FUNCTION register(p_telegram_id bigint, p_username text, p_language text, p_start_payload text); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.register(p_telegram_id bigint, p_username text, p_language text, p_start_payload text) FROM PUBLIC;
GRANT ALL ON FUNCTION account.register(p_telegram_id bigint, p_username text, p_language text, p_start_payload text) TO atlas_bot;
GRANT ALL ON FUNCTION account.register(p_telegram_id bigint, p_username text, p_language text, p_start_payload text) TO atlas_dba;

--
-- Name: FUNCTION request_corporate(p_telegram_id bigint, p_company text, p_contact text, p_idempotency_key text); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.request_corporate(p_telegram_id bigint, p_company text, p_contact text, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION account.request_corporate(p_telegram_id bigint, p_company text, p_contact text, p_idempotency_key text) TO atlas_bot;
GRANT ALL ON FUNCTION account.request_corporate(p_telegram_id bigint, p_company text, p_contact text, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION revoke_admin(p_telegram_id bigint, p_note text); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.revoke_admin(p_telegram_id bigint, p_note text) FROM PUBLIC;
GRANT ALL ON FUNCTION account.revoke_admin(p_telegram_id bigint, p_note text) TO atlas_dba;

--
-- Name: FUNCTION set_discount(p_admin_id bigint, p_telegram_id bigint, p_percent integer, p_expires_at timestamp with time zone, p_draft_id uuid); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.set_discount(p_admin_id bigint, p_telegram_id bigint, p_percent integer, p_expires_at timestamp with time zone, p_draft_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION account.set_discount(p_admin_id bigint, p_telegram_id bigint, p_percent integer, p_expires_at timestamp with time zone, p_draft_id uuid) TO atlas_admin;
GRANT ALL ON FUNCTION account.set_discount(p_admin_id bigint, p_telegram_id bigint, p_percent integer, p_expires_at timestamp with time zone, p_draft_id uuid) TO atlas_dba;

--
-- Name: FUNCTION set_language(p_telegram_id bigint, p_language text); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.set_language(p_telegram_id bigint, p_language text) FROM PUBLIC;
GRANT ALL ON FUNCTION account.set_language(p_telegram_id bigint, p_language text) TO atlas_bot;
GRANT ALL ON FUNCTION account.set_language(p_telegram_id bigint, p_language text) TO atlas_dba;

--
-- Name: FUNCTION set_reachable(p_telegram_id bigint, p_is_reachable boolean); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.set_reachable(p_telegram_id bigint, p_is_reachable boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION account.set_reachable(p_telegram_id bigint, p_is_reachable boolean) TO atlas_bot;
GRANT ALL ON FUNCTION account.set_reachable(p_telegram_id bigint, p_is_reachable boolean) TO atlas_worker;
GRANT ALL ON FUNCTION account.set_reachable(p_telegram_id bigint, p_is_reachable boolean) TO atlas_dba;

--
-- Name: FUNCTION set_vip(p_admin_id bigint, p_telegram_id bigint, p_is_vip boolean, p_draft_id uuid); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.set_vip(p_admin_id bigint, p_telegram_id bigint, p_is_vip boolean, p_draft_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION account.set_vip(p_admin_id bigint, p_telegram_id bigint, p_is_vip boolean, p_draft_id uuid) TO atlas_admin;
GRANT ALL ON FUNCTION account.set_vip(p_admin_id bigint, p_telegram_id bigint, p_is_vip boolean, p_draft_id uuid) TO atlas_dba;

--
-- Name: FUNCTION show_action(p_admin_id bigint, p_draft_id uuid); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.show_action(p_admin_id bigint, p_draft_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION account.show_action(p_admin_id bigint, p_draft_id uuid) TO atlas_admin;
GRANT ALL ON FUNCTION account.show_action(p_admin_id bigint, p_draft_id uuid) TO atlas_dba;

--
-- Name: FUNCTION unblock(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_draft_id uuid); Type: ACL; Schema: account; Owner: -
--

REVOKE ALL ON FUNCTION account.unblock(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_draft_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION account.unblock(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_draft_id uuid) TO atlas_admin;
GRANT ALL ON FUNCTION account.unblock(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_draft_id uuid) TO atlas_dba;

--
-- Name: FUNCTION _batch_end(p_from_xid bigint, p_settled_xid bigint, p_limit integer); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit._batch_end(p_from_xid bigint, p_settled_xid bigint, p_limit integer) FROM PUBLIC;

--
-- Name: FUNCTION _batch_hash(p_batch_id bigint, p_from_xid bigint, p_to_xid bigint, p_row_ids text[], p_row_hashes bytea[], p_previous_hash bytea); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit._batch_hash(p_batch_id bigint, p_from_xid bigint, p_to_xid bigint, p_row_ids text[], p_row_hashes bytea[], p_previous_hash bytea) FROM PUBLIC;

--
-- Name: FUNCTION _event_at(p_event_id text); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit._event_at(p_event_id text) FROM PUBLIC;

--
-- Name: FUNCTION _field(p_value text); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit._field(p_value text) FROM PUBLIC;

--
-- Name: FUNCTION _first_bad(); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit._first_bad() FROM PUBLIC;

--
-- Name: FUNCTION _first_bad_batch(); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit._first_bad_batch() FROM PUBLIC;

--
-- Name: FUNCTION _first_bad_row(); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit._first_bad_row() FROM PUBLIC;

--
-- Name: FUNCTION _last_batch(); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit._last_batch() FROM PUBLIC;

--
-- Name: FUNCTION _moment(p_at timestamp with time zone); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit._moment(p_at timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _record(p_action text, p_actor_id bigint, p_subject_id text, p_details jsonb); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit._record(p_action text, p_actor_id bigint, p_subject_id text, p_details jsonb) FROM PUBLIC;

--
-- Name: FUNCTION _refuse_change(); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit._refuse_change() FROM PUBLIC;

--
-- Name: FUNCTION _rows(p_from_xid bigint, p_to_xid bigint); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit._rows(p_from_xid bigint, p_to_xid bigint) FROM PUBLIC;

--
-- Name: FUNCTION head(); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.head() FROM PUBLIC;
GRANT ALL ON FUNCTION audit.head() TO atlas_auditor;
GRANT ALL ON FUNCTION audit.head() TO atlas_worker;
GRANT ALL ON FUNCTION audit.head() TO atlas_dba;

--
-- Name: FUNCTION list(p_admin_id bigint, p_actor_id bigint, p_subject_id text, p_before_id text, p_limit integer); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.list(p_admin_id bigint, p_actor_id bigint, p_subject_id text, p_before_id text, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION audit.list(p_admin_id bigint, p_actor_id bigint, p_subject_id text, p_before_id text, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION audit.list(p_admin_id bigint, p_actor_id bigint, p_subject_id text, p_before_id text, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION refused(p_actor_id bigint, p_action text, p_subject_id text, p_sqlstate text); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.refused(p_actor_id bigint, p_action text, p_subject_id text, p_sqlstate text) FROM PUBLIC;
GRANT ALL ON FUNCTION audit.refused(p_actor_id bigint, p_action text, p_subject_id text, p_sqlstate text) TO atlas_bot;
GRANT ALL ON FUNCTION audit.refused(p_actor_id bigint, p_action text, p_subject_id text, p_sqlstate text) TO atlas_payments;
GRANT ALL ON FUNCTION audit.refused(p_actor_id bigint, p_action text, p_subject_id text, p_sqlstate text) TO atlas_admin;
GRANT ALL ON FUNCTION audit.refused(p_actor_id bigint, p_action text, p_subject_id text, p_sqlstate text) TO atlas_worker;
GRANT ALL ON FUNCTION audit.refused(p_actor_id bigint, p_action text, p_subject_id text, p_sqlstate text) TO atlas_dba;

--
-- Name: FUNCTION seal(p_limit integer); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.seal(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION audit.seal(p_limit integer) TO atlas_worker;
GRANT ALL ON FUNCTION audit.seal(p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION verify(); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.verify() FROM PUBLIC;
GRANT ALL ON FUNCTION audit.verify() TO atlas_auditor;
GRANT ALL ON FUNCTION audit.verify() TO atlas_worker;
GRANT ALL ON FUNCTION audit.verify() TO atlas_dba;

--
-- Name: FUNCTION verify_against(p_sealed bigint, p_head text); Type: ACL; Schema: audit; Owner: -
--

REVOKE ALL ON FUNCTION audit.verify_against(p_sealed bigint, p_head text) FROM PUBLIC;
GRANT ALL ON FUNCTION audit.verify_against(p_sealed bigint, p_head text) TO atlas_auditor;
GRANT ALL ON FUNCTION audit.verify_against(p_sealed bigint, p_head text) TO atlas_worker;
GRANT ALL ON FUNCTION audit.verify_against(p_sealed bigint, p_head text) TO atlas_dba;

--
-- Name: FUNCTION _alarm_if_amount_differs(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._alarm_if_amount_differs(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text) FROM PUBLIC;

--
-- Name: FUNCTION _apply_payment(p_telegram_id bigint, p_owner_id bigint, p_is_blocked boolean, p_purchase_id uuid, p_payment_id bigint, p_provider text, p_worth_kopecks bigint, p_now timestamp with time zone); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._apply_payment(p_telegram_id bigint, p_owner_id bigint, p_is_blocked boolean, p_purchase_id uuid, p_payment_id bigint, p_provider text, p_worth_kopecks bigint, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _assign(p_payment_id bigint, p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._assign(p_payment_id bigint, p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text) FROM PUBLIC;

--
-- Name: FUNCTION _book_payment(p_telegram_id bigint, p_purchase_id uuid, p_payment_id bigint, p_revenue_kopecks bigint, p_credit_kopecks bigint, p_why text, p_now timestamp with time zone); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._book_payment(p_telegram_id bigint, p_purchase_id uuid, p_payment_id bigint, p_revenue_kopecks bigint, p_credit_kopecks bigint, p_why text, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _chain(p_telegram_id bigint); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._chain(p_telegram_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION _convert(p_remaining interval, p_from text, p_to text); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._convert(p_remaining interval, p_from text, p_to text) FROM PUBLIC;

--
-- Name: FUNCTION _expire(p_users bigint[], p_now timestamp with time zone); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._expire(p_users bigint[], p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _find_opened(p_telegram_id bigint, p_kind billing.purchase_kind, p_idempotency_key text, p_tariff text, p_months integer, p_promo_code text, p_amount_kopecks bigint); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._find_opened(p_telegram_id bigint, p_kind billing.purchase_kind, p_idempotency_key text, p_tariff text, p_months integer, p_promo_code text, p_amount_kopecks bigint) FROM PUBLIC;

--
-- Name: FUNCTION _fulfil(p_telegram_id bigint, p_purchase_id uuid, p_tariff text, p_months integer, p_price_kopecks bigint, p_paid_with text, p_payment_id bigint, p_available_kopecks bigint, p_now timestamp with time zone); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._fulfil(p_telegram_id bigint, p_purchase_id uuid, p_tariff text, p_months integer, p_price_kopecks bigint, p_paid_with text, p_payment_id bigint, p_available_kopecks bigint, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _identify_payment(p_provider text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, OUT telegram_id bigint, OUT owner_id bigint, OUT worth_kopecks bigint, OUT problem text); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._identify_payment(p_provider text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, OUT telegram_id bigint, OUT owner_id bigint, OUT worth_kopecks bigint, OUT problem text) FROM PUBLIC;

--
-- Name: FUNCTION _left_of(p_telegram_id bigint, p_place bigint, p_until_place bigint); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._left_of(p_telegram_id bigint, p_place bigint, p_until_place bigint) FROM PUBLIC;

--
-- Name: FUNCTION _lifetime(p_now timestamp with time zone); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._lifetime(p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _lock_charge(p_provider text, p_charge_id text, OUT telegram_id bigint, OUT payment_id bigint); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._lock_charge(p_provider text, p_charge_id text, OUT telegram_id bigint, OUT payment_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION _lock_suspense(p_payment_id bigint, OUT telegram_id bigint, OUT outcome billing.payment_outcome, OUT amount_minor bigint, OUT currency text, OUT rub_kopecks bigint, OUT worth_kopecks bigint, OUT resolved_by bigint, OUT resolved_at timestamp with time zone, OUT reversed_at timestamp with time zone, OUT received_at timestamp with time zone); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._lock_suspense(p_payment_id bigint, OUT telegram_id bigint, OUT outcome billing.payment_outcome, OUT amount_minor bigint, OUT currency text, OUT rub_kopecks bigint, OUT worth_kopecks bigint, OUT resolved_by bigint, OUT resolved_at timestamp with time zone, OUT reversed_at timestamp with time zone, OUT received_at timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _open(p_telegram_id bigint, p_tariff text, p_months integer, p_code text, p_idempotency_key text); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._open(p_telegram_id bigint, p_tariff text, p_months integer, p_code text, p_idempotency_key text) FROM PUBLIC;

--
-- Name: FUNCTION _payment_answer(p_provider text, p_charge_id text); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._payment_answer(p_provider text, p_charge_id text) FROM PUBLIC;

--
-- Name: FUNCTION _price(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text, p_now timestamp with time zone, OUT list_kopecks bigint, OUT discount_kind billing.discount_kind, OUT discount_percent integer, OUT price_kopecks bigint, OUT promo_id bigint); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._price(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text, p_now timestamp with time zone, OUT list_kopecks bigint, OUT discount_kind billing.discount_kind, OUT discount_percent integer, OUT price_kopecks bigint, OUT promo_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION _refuse_closed(p_telegram_id bigint, p_purchase_id uuid); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._refuse_closed(p_telegram_id bigint, p_purchase_id uuid) FROM PUBLIC;

--
-- Name: FUNCTION _refuse_to_pay(p_telegram_id bigint, p_purchase_id uuid, p_kind billing.purchase_kind, p_status billing.purchase_status, p_expires_at timestamp with time zone); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._refuse_to_pay(p_telegram_id bigint, p_purchase_id uuid, p_kind billing.purchase_kind, p_status billing.purchase_status, p_expires_at timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _require_choice(p_tariff text, p_months integer); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._require_choice(p_tariff text, p_months integer) FROM PUBLIC;

--
-- Name: FUNCTION _require_paid(p_telegram_id bigint, p_purchase_id uuid); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._require_paid(p_telegram_id bigint, p_purchase_id uuid) FROM PUBLIC;

--
-- Name: FUNCTION _require_provider(p_provider text); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._require_provider(p_provider text) FROM PUBLIC;

--
-- Name: FUNCTION _reverse(p_telegram_id bigint, p_payment_id bigint, p_raw jsonb, p_now timestamp with time zone); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._reverse(p_telegram_id bigint, p_payment_id bigint, p_raw jsonb, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _reverse_unknown(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text, p_raw jsonb); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._reverse_unknown(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text, p_raw jsonb) FROM PUBLIC;

--
-- Name: FUNCTION _settle(p_provider text, p_charge_id text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, p_raw jsonb); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._settle(p_provider text, p_charge_id text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, p_raw jsonb) FROM PUBLIC;

--
-- Name: FUNCTION _state_without(p_telegram_id bigint, p_purchase_id uuid, p_now timestamp with time zone, OUT tariff text, OUT expires_at timestamp with time zone, OUT period subscription.period, OUT restored_from bigint); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._state_without(p_telegram_id bigint, p_purchase_id uuid, p_now timestamp with time zone, OUT tariff text, OUT expires_at timestamp with time zone, OUT period subscription.period, OUT restored_from bigint) FROM PUBLIC;

--
-- Name: FUNCTION _take_back(p_telegram_id bigint, p_purchase_id uuid, p_kind billing.refund_kind, p_refunded_kopecks bigint, p_actor_id bigint, p_reason text, p_now timestamp with time zone); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._take_back(p_telegram_id bigint, p_purchase_id uuid, p_kind billing.refund_kind, p_refunded_kopecks bigint, p_actor_id bigint, p_reason text, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _take_money(p_telegram_id bigint, p_to ledger.account, p_amount_kopecks bigint, p_purchase_id uuid, p_payment_id bigint, p_now timestamp with time zone); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._take_money(p_telegram_id bigint, p_to ledger.account, p_amount_kopecks bigint, p_purchase_id uuid, p_payment_id bigint, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _undone_since(p_telegram_id bigint, p_purchase_id uuid); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing._undone_since(p_telegram_id bigint, p_purchase_id uuid) FROM PUBLIC;

--
-- Name: FUNCTION analytics(p_admin_id bigint); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.analytics(p_admin_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.analytics(p_admin_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION billing.analytics(p_admin_id bigint) TO atlas_dba;

--
-- Name: FUNCTION approve_manual(p_admin_id bigint, p_purchase_id uuid, p_amount_kopecks bigint, p_note text); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.approve_manual(p_admin_id bigint, p_purchase_id uuid, p_amount_kopecks bigint, p_note text) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.approve_manual(p_admin_id bigint, p_purchase_id uuid, p_amount_kopecks bigint, p_note text) TO atlas_admin;
GRANT ALL ON FUNCTION billing.approve_manual(p_admin_id bigint, p_purchase_id uuid, p_amount_kopecks bigint, p_note text) TO atlas_dba;

--
-- Name: FUNCTION attach_invoice(p_purchase_id uuid, p_provider text, p_invoice_id text, p_amount_minor bigint, p_currency text); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.attach_invoice(p_purchase_id uuid, p_provider text, p_invoice_id text, p_amount_minor bigint, p_currency text) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.attach_invoice(p_purchase_id uuid, p_provider text, p_invoice_id text, p_amount_minor bigint, p_currency text) TO atlas_bot;
GRANT ALL ON FUNCTION billing.attach_invoice(p_purchase_id uuid, p_provider text, p_invoice_id text, p_amount_minor bigint, p_currency text) TO atlas_dba;

--
-- Name: FUNCTION begin_refund(p_admin_id bigint, p_provider text, p_charge_id text, p_reason text); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.begin_refund(p_admin_id bigint, p_provider text, p_charge_id text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.begin_refund(p_admin_id bigint, p_provider text, p_charge_id text, p_reason text) TO atlas_payments;
GRANT ALL ON FUNCTION billing.begin_refund(p_admin_id bigint, p_provider text, p_charge_id text, p_reason text) TO atlas_admin;
GRANT ALL ON FUNCTION billing.begin_refund(p_admin_id bigint, p_provider text, p_charge_id text, p_reason text) TO atlas_dba;

--
-- Name: FUNCTION cancel_purchase(p_telegram_id bigint, p_purchase_id uuid); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.cancel_purchase(p_telegram_id bigint, p_purchase_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.cancel_purchase(p_telegram_id bigint, p_purchase_id uuid) TO atlas_bot;
GRANT ALL ON FUNCTION billing.cancel_purchase(p_telegram_id bigint, p_purchase_id uuid) TO atlas_dba;

--
-- Name: FUNCTION expire_due(p_epoch bigint, p_limit integer); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.expire_due(p_epoch bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.expire_due(p_epoch bigint, p_limit integer) TO atlas_worker;
GRANT ALL ON FUNCTION billing.expire_due(p_epoch bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION find_payments(p_provider text, p_charge_ids text[]); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.find_payments(p_provider text, p_charge_ids text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.find_payments(p_provider text, p_charge_ids text[]) TO atlas_payments;
GRANT ALL ON FUNCTION billing.find_payments(p_provider text, p_charge_ids text[]) TO atlas_auditor;
GRANT ALL ON FUNCTION billing.find_payments(p_provider text, p_charge_ids text[]) TO atlas_dba;

--
-- Name: FUNCTION inspect_purchase(p_admin_id bigint, p_purchase_id uuid); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.inspect_purchase(p_admin_id bigint, p_purchase_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.inspect_purchase(p_admin_id bigint, p_purchase_id uuid) TO atlas_admin;
GRANT ALL ON FUNCTION billing.inspect_purchase(p_admin_id bigint, p_purchase_id uuid) TO atlas_dba;

--
-- Name: FUNCTION list_payments(p_provider text, p_from timestamp with time zone, p_to timestamp with time zone, p_after_payment_id bigint, p_limit integer); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.list_payments(p_provider text, p_from timestamp with time zone, p_to timestamp with time zone, p_after_payment_id bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.list_payments(p_provider text, p_from timestamp with time zone, p_to timestamp with time zone, p_after_payment_id bigint, p_limit integer) TO atlas_payments;
GRANT ALL ON FUNCTION billing.list_payments(p_provider text, p_from timestamp with time zone, p_to timestamp with time zone, p_after_payment_id bigint, p_limit integer) TO atlas_auditor;
GRANT ALL ON FUNCTION billing.list_payments(p_provider text, p_from timestamp with time zone, p_to timestamp with time zone, p_after_payment_id bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION list_prices(); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.list_prices() FROM PUBLIC;
GRANT ALL ON FUNCTION billing.list_prices() TO atlas_bot;
GRANT ALL ON FUNCTION billing.list_prices() TO atlas_admin;
GRANT ALL ON FUNCTION billing.list_prices() TO atlas_auditor;
GRANT ALL ON FUNCTION billing.list_prices() TO atlas_dba;

--
-- Name: FUNCTION list_purchases(p_admin_id bigint, p_telegram_id bigint, p_before_id uuid, p_limit integer); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.list_purchases(p_admin_id bigint, p_telegram_id bigint, p_before_id uuid, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.list_purchases(p_admin_id bigint, p_telegram_id bigint, p_before_id uuid, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION billing.list_purchases(p_admin_id bigint, p_telegram_id bigint, p_before_id uuid, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION list_suspense(p_admin_id bigint, p_after_id bigint, p_limit integer); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.list_suspense(p_admin_id bigint, p_after_id bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.list_suspense(p_admin_id bigint, p_after_id bigint, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION billing.list_suspense(p_admin_id bigint, p_after_id bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION list_unpaid(p_admin_id bigint, p_telegram_id bigint, p_limit integer); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.list_unpaid(p_admin_id bigint, p_telegram_id bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.list_unpaid(p_admin_id bigint, p_telegram_id bigint, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION billing.list_unpaid(p_admin_id bigint, p_telegram_id bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION open_purchase(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text, p_idempotency_key text); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.open_purchase(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.open_purchase(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text, p_idempotency_key text) TO atlas_bot;
GRANT ALL ON FUNCTION billing.open_purchase(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION open_topup(p_telegram_id bigint, p_amount_kopecks bigint, p_idempotency_key text); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.open_topup(p_telegram_id bigint, p_amount_kopecks bigint, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.open_topup(p_telegram_id bigint, p_amount_kopecks bigint, p_idempotency_key text) TO atlas_bot;
GRANT ALL ON FUNCTION billing.open_topup(p_telegram_id bigint, p_amount_kopecks bigint, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION pay_from_balance(p_telegram_id bigint, p_purchase_id uuid); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.pay_from_balance(p_telegram_id bigint, p_purchase_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.pay_from_balance(p_telegram_id bigint, p_purchase_id uuid) TO atlas_bot;
GRANT ALL ON FUNCTION billing.pay_from_balance(p_telegram_id bigint, p_purchase_id uuid) TO atlas_dba;

--
-- Name: FUNCTION pending_invoices(p_provider text, p_before_at timestamp with time zone, p_before_invoice_id text, p_limit integer); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.pending_invoices(p_provider text, p_before_at timestamp with time zone, p_before_invoice_id text, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.pending_invoices(p_provider text, p_before_at timestamp with time zone, p_before_invoice_id text, p_limit integer) TO atlas_worker;
GRANT ALL ON FUNCTION billing.pending_invoices(p_provider text, p_before_at timestamp with time zone, p_before_invoice_id text, p_limit integer) TO atlas_payments;
GRANT ALL ON FUNCTION billing.pending_invoices(p_provider text, p_before_at timestamp with time zone, p_before_invoice_id text, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION precheck(p_telegram_id bigint, p_purchase_id uuid, p_amount_minor bigint, p_currency text); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.precheck(p_telegram_id bigint, p_purchase_id uuid, p_amount_minor bigint, p_currency text) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.precheck(p_telegram_id bigint, p_purchase_id uuid, p_amount_minor bigint, p_currency text) TO atlas_bot;
GRANT ALL ON FUNCTION billing.precheck(p_telegram_id bigint, p_purchase_id uuid, p_amount_minor bigint, p_currency text) TO atlas_payments;
GRANT ALL ON FUNCTION billing.precheck(p_telegram_id bigint, p_purchase_id uuid, p_amount_minor bigint, p_currency text) TO atlas_dba;

--
-- Name: FUNCTION quote(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.quote(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.quote(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text) TO atlas_bot;
GRANT ALL ON FUNCTION billing.quote(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text) TO atlas_admin;
GRANT ALL ON FUNCTION billing.quote(p_telegram_id bigint, p_tariff text, p_months integer, p_promo_code text) TO atlas_dba;

--
-- Name: FUNCTION refund_purchase(p_admin_id bigint, p_purchase_id uuid, p_reason text); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.refund_purchase(p_admin_id bigint, p_purchase_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.refund_purchase(p_admin_id bigint, p_purchase_id uuid, p_reason text) TO atlas_admin;
GRANT ALL ON FUNCTION billing.refund_purchase(p_admin_id bigint, p_purchase_id uuid, p_reason text) TO atlas_dba;

--
-- Name: FUNCTION resolve_suspense(p_admin_id bigint, p_payment_id bigint, p_telegram_id bigint, p_amount_kopecks bigint, p_note text); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.resolve_suspense(p_admin_id bigint, p_payment_id bigint, p_telegram_id bigint, p_amount_kopecks bigint, p_note text) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.resolve_suspense(p_admin_id bigint, p_payment_id bigint, p_telegram_id bigint, p_amount_kopecks bigint, p_note text) TO atlas_admin;
GRANT ALL ON FUNCTION billing.resolve_suspense(p_admin_id bigint, p_payment_id bigint, p_telegram_id bigint, p_amount_kopecks bigint, p_note text) TO atlas_dba;

--
-- Name: FUNCTION reverse_payment(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text, p_raw jsonb); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.reverse_payment(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text, p_raw jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.reverse_payment(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text, p_raw jsonb) TO atlas_payments;
GRANT ALL ON FUNCTION billing.reverse_payment(p_provider text, p_charge_id text, p_amount_minor bigint, p_currency text, p_raw jsonb) TO atlas_dba;

--
-- Name: FUNCTION settle_payment(p_provider text, p_charge_id text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, p_raw jsonb); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.settle_payment(p_provider text, p_charge_id text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, p_raw jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.settle_payment(p_provider text, p_charge_id text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, p_raw jsonb) TO atlas_payments;
GRANT ALL ON FUNCTION billing.settle_payment(p_provider text, p_charge_id text, p_purchase_id uuid, p_payer_id bigint, p_amount_minor bigint, p_currency text, p_raw jsonb) TO atlas_dba;

--
-- Name: FUNCTION show_payment(p_admin_id bigint, p_payment_id bigint); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.show_payment(p_admin_id bigint, p_payment_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.show_payment(p_admin_id bigint, p_payment_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION billing.show_payment(p_admin_id bigint, p_payment_id bigint) TO atlas_dba;

--
-- Name: FUNCTION show_purchase(p_telegram_id bigint, p_purchase_id uuid); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.show_purchase(p_telegram_id bigint, p_purchase_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.show_purchase(p_telegram_id bigint, p_purchase_id uuid) TO atlas_bot;
GRANT ALL ON FUNCTION billing.show_purchase(p_telegram_id bigint, p_purchase_id uuid) TO atlas_admin;
GRANT ALL ON FUNCTION billing.show_purchase(p_telegram_id bigint, p_purchase_id uuid) TO atlas_dba;

--
-- Name: FUNCTION topup_options(); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.topup_options() FROM PUBLIC;
GRANT ALL ON FUNCTION billing.topup_options() TO atlas_bot;
GRANT ALL ON FUNCTION billing.topup_options() TO atlas_admin;
GRANT ALL ON FUNCTION billing.topup_options() TO atlas_dba;

--
-- Name: FUNCTION ways_to_pay(p_telegram_id bigint, p_purchase_id uuid); Type: ACL; Schema: billing; Owner: -
--

REVOKE ALL ON FUNCTION billing.ways_to_pay(p_telegram_id bigint, p_purchase_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION billing.ways_to_pay(p_telegram_id bigint, p_purchase_id uuid) TO atlas_bot;
GRANT ALL ON FUNCTION billing.ways_to_pay(p_telegram_id bigint, p_purchase_id uuid) TO atlas_dba;

--
-- Name: FUNCTION _close_lost(p_now timestamp with time zone); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast._close_lost(p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _count(p_broadcast_id bigint, p_variant text, p_outcome broadcast.outcome, p_now timestamp with time zone); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast._count(p_broadcast_id bigint, p_variant text, p_outcome broadcast.outcome, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _end(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_outcome broadcast.outcome, p_error text, p_due_at timestamp with time zone); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast._end(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_outcome broadcast.outcome, p_error text, p_due_at timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _end_if_done(p_broadcast_id bigint, p_now timestamp with time zone); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast._end_if_done(p_broadcast_id bigint, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _expected(p_status broadcast.status, p_segment broadcast.segment, p_expected_people bigint, p_now timestamp with time zone); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast._expected(p_status broadcast.status, p_segment broadcast.segment, p_expected_people bigint, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _is_meant(p_segment broadcast.segment, p_expires_at timestamp with time zone, p_has_bought boolean, p_now timestamp with time zone); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast._is_meant(p_segment broadcast.segment, p_expires_at timestamp with time zone, p_has_bought boolean, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _lock(p_broadcast_id bigint); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast._lock(p_broadcast_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION _move(p_admin_id bigint, p_broadcast_id bigint, p_action text, p_from broadcast.status[], p_to broadcast.status); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast._move(p_admin_id bigint, p_broadcast_id bigint, p_action text, p_from broadcast.status[], p_to broadcast.status) FROM PUBLIC;

--
-- Name: FUNCTION _people(p_segment broadcast.segment, p_beyond bigint, p_limit integer, p_now timestamp with time zone); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast._people(p_segment broadcast.segment, p_beyond bigint, p_limit integer, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _require_attempt(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast._require_attempt(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid) FROM PUBLIC;

--
-- Name: FUNCTION _require_text(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast._require_text(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text) FROM PUBLIC;

--
-- Name: FUNCTION _size(p_segment broadcast.segment, p_now timestamp with time zone); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast._size(p_segment broadcast.segment, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _take(p_broadcast_id bigint, p_segment broadcast.segment, p_is_ab boolean, p_reached_id bigint, p_holder text, p_limit integer, p_now timestamp with time zone, p_until timestamp with time zone); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast._take(p_broadcast_id bigint, p_segment broadcast.segment, p_is_ab boolean, p_reached_id bigint, p_holder text, p_limit integer, p_now timestamp with time zone, p_until timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _usual_offer(p_kind text); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast._usual_offer(p_kind text) FROM PUBLIC;

--
-- Name: FUNCTION _write(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_offer text, p_starts_at timestamp with time zone, p_key text); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast._write(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_offer text, p_starts_at timestamp with time zone, p_key text) FROM PUBLIC;

--
-- Name: FUNCTION cancel(p_admin_id bigint, p_broadcast_id bigint); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast.cancel(p_admin_id bigint, p_broadcast_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION broadcast.cancel(p_admin_id bigint, p_broadcast_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION broadcast.cancel(p_admin_id bigint, p_broadcast_id bigint) TO atlas_dba;

--
-- Name: FUNCTION claim(p_holder text, p_limit integer, p_lease interval); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast.claim(p_holder text, p_limit integer, p_lease interval) FROM PUBLIC;
GRANT ALL ON FUNCTION broadcast.claim(p_holder text, p_limit integer, p_lease interval) TO atlas_worker;
GRANT ALL ON FUNCTION broadcast.claim(p_holder text, p_limit integer, p_lease interval) TO atlas_dba;

--
-- Name: FUNCTION compose(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_offer text, p_idempotency_key text); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast.compose(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_offer text, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION broadcast.compose(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_offer text, p_idempotency_key text) TO atlas_admin;
GRANT ALL ON FUNCTION broadcast.compose(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_offer text, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION failed(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast.failed(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION broadcast.failed(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean) TO atlas_worker;
GRANT ALL ON FUNCTION broadcast.failed(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean) TO atlas_dba;

--
-- Name: FUNCTION launch(p_admin_id bigint, p_broadcast_id bigint, p_starts_at timestamp with time zone, p_moved_at timestamp with time zone); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast.launch(p_admin_id bigint, p_broadcast_id bigint, p_starts_at timestamp with time zone, p_moved_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION broadcast.launch(p_admin_id bigint, p_broadcast_id bigint, p_starts_at timestamp with time zone, p_moved_at timestamp with time zone) TO atlas_admin;
GRANT ALL ON FUNCTION broadcast.launch(p_admin_id bigint, p_broadcast_id bigint, p_starts_at timestamp with time zone, p_moved_at timestamp with time zone) TO atlas_dba;

--
-- Name: FUNCTION list(p_admin_id bigint, p_state text, p_before_id bigint, p_limit integer); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast.list(p_admin_id bigint, p_state text, p_before_id bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION broadcast.list(p_admin_id bigint, p_state text, p_before_id bigint, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION broadcast.list(p_admin_id bigint, p_state text, p_before_id bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION note_press(p_telegram_id bigint, p_broadcast_id bigint); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast.note_press(p_telegram_id bigint, p_broadcast_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION broadcast.note_press(p_telegram_id bigint, p_broadcast_id bigint) TO atlas_bot;
GRANT ALL ON FUNCTION broadcast.note_press(p_telegram_id bigint, p_broadcast_id bigint) TO atlas_dba;

--
-- Name: FUNCTION pause(p_admin_id bigint, p_broadcast_id bigint); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast.pause(p_admin_id bigint, p_broadcast_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION broadcast.pause(p_admin_id bigint, p_broadcast_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION broadcast.pause(p_admin_id bigint, p_broadcast_id bigint) TO atlas_dba;

--
-- Name: FUNCTION prepare(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_starts_at timestamp with time zone, p_idempotency_key text); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast.prepare(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_starts_at timestamp with time zone, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION broadcast.prepare(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_starts_at timestamp with time zone, p_idempotency_key text) TO atlas_admin;
GRANT ALL ON FUNCTION broadcast.prepare(p_admin_id bigint, p_title text, p_kind text, p_segment text, p_text_a text, p_text_b text, p_starts_at timestamp with time zone, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION release(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_error text, p_wait interval); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast.release(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_error text, p_wait interval) FROM PUBLIC;
GRANT ALL ON FUNCTION broadcast.release(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_error text, p_wait interval) TO atlas_worker;
GRANT ALL ON FUNCTION broadcast.release(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid, p_error text, p_wait interval) TO atlas_dba;

--
-- Name: FUNCTION sent(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast.sent(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION broadcast.sent(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid) TO atlas_worker;
GRANT ALL ON FUNCTION broadcast.sent(p_broadcast_id bigint, p_telegram_id bigint, p_lease_token uuid) TO atlas_dba;

--
-- Name: FUNCTION show(p_admin_id bigint, p_broadcast_id bigint); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast.show(p_admin_id bigint, p_broadcast_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION broadcast.show(p_admin_id bigint, p_broadcast_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION broadcast.show(p_admin_id bigint, p_broadcast_id bigint) TO atlas_dba;

--
-- Name: FUNCTION start(p_admin_id bigint, p_broadcast_id bigint); Type: ACL; Schema: broadcast; Owner: -
--

REVOKE ALL ON FUNCTION broadcast.start(p_admin_id bigint, p_broadcast_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION broadcast.start(p_admin_id bigint, p_broadcast_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION broadcast.start(p_admin_id bigint, p_broadcast_id bigint) TO atlas_dba;

--
-- Name: FUNCTION _guard(p_feature text); Type: ACL; Schema: core; Owner: -
--

REVOKE ALL ON FUNCTION core._guard(p_feature text) FROM PUBLIC;

--
-- Name: FUNCTION _refuse(p_sqlstate text, p_detail text); Type: ACL; Schema: core; Owner: -
--

REVOKE ALL ON FUNCTION core._refuse(p_sqlstate text, p_detail text) FROM PUBLIC;

--
-- Name: FUNCTION _require(p_is_met boolean, p_rule text); Type: ACL; Schema: core; Owner: -
--

REVOKE ALL ON FUNCTION core._require(p_is_met boolean, p_rule text) FROM PUBLIC;

--
-- Name: FUNCTION _require_feature(p_feature text); Type: ACL; Schema: core; Owner: -
--

REVOKE ALL ON FUNCTION core._require_feature(p_feature text) FROM PUBLIC;

--
-- Name: FUNCTION _require_key(p_idempotency_key text); Type: ACL; Schema: core; Owner: -
--

REVOKE ALL ON FUNCTION core._require_key(p_idempotency_key text) FROM PUBLIC;

--
-- Name: FUNCTION _require_user_id(p_telegram_id bigint); Type: ACL; Schema: core; Owner: -
--

REVOKE ALL ON FUNCTION core._require_user_id(p_telegram_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION now(); Type: ACL; Schema: core; Owner: -
--

REVOKE ALL ON FUNCTION core.now() FROM PUBLIC;
GRANT ALL ON FUNCTION core.now() TO atlas_bot;
GRANT ALL ON FUNCTION core.now() TO atlas_payments;
GRANT ALL ON FUNCTION core.now() TO atlas_admin;
GRANT ALL ON FUNCTION core.now() TO atlas_worker;
GRANT ALL ON FUNCTION core.now() TO atlas_auditor;
GRANT ALL ON FUNCTION core.now() TO atlas_dba;

--
-- Name: FUNCTION _close_poison(p_now timestamp with time zone); Type: ACL; Schema: inbox; Owner: -
--

REVOKE ALL ON FUNCTION inbox._close_poison(p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION claim(p_holder text, p_limit integer, p_lease interval); Type: ACL; Schema: inbox; Owner: -
--

REVOKE ALL ON FUNCTION inbox.claim(p_holder text, p_limit integer, p_lease interval) FROM PUBLIC;
GRANT ALL ON FUNCTION inbox.claim(p_holder text, p_limit integer, p_lease interval) TO atlas_bot;
GRANT ALL ON FUNCTION inbox.claim(p_holder text, p_limit integer, p_lease interval) TO atlas_dba;

--
-- Name: FUNCTION done(p_update_id bigint, p_lease_token uuid); Type: ACL; Schema: inbox; Owner: -
--

REVOKE ALL ON FUNCTION inbox.done(p_update_id bigint, p_lease_token uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION inbox.done(p_update_id bigint, p_lease_token uuid) TO atlas_bot;
GRANT ALL ON FUNCTION inbox.done(p_update_id bigint, p_lease_token uuid) TO atlas_dba;

--
-- Name: FUNCTION exchange(p_holder text, p_done_ids bigint[], p_done_tokens uuid[], p_limit integer, p_lease interval); Type: ACL; Schema: inbox; Owner: -
--

REVOKE ALL ON FUNCTION inbox.exchange(p_holder text, p_done_ids bigint[], p_done_tokens uuid[], p_limit integer, p_lease interval) FROM PUBLIC;
GRANT ALL ON FUNCTION inbox.exchange(p_holder text, p_done_ids bigint[], p_done_tokens uuid[], p_limit integer, p_lease interval) TO atlas_bot;
GRANT ALL ON FUNCTION inbox.exchange(p_holder text, p_done_ids bigint[], p_done_tokens uuid[], p_limit integer, p_lease interval) TO atlas_dba;

--
-- Name: FUNCTION failed(p_update_id bigint, p_lease_token uuid, p_error text); Type: ACL; Schema: inbox; Owner: -
--

REVOKE ALL ON FUNCTION inbox.failed(p_update_id bigint, p_lease_token uuid, p_error text) FROM PUBLIC;
GRANT ALL ON FUNCTION inbox.failed(p_update_id bigint, p_lease_token uuid, p_error text) TO atlas_bot;
GRANT ALL ON FUNCTION inbox.failed(p_update_id bigint, p_lease_token uuid, p_error text) TO atlas_dba;

--
-- Name: FUNCTION give_back(p_holder text); Type: ACL; Schema: inbox; Owner: -
--

REVOKE ALL ON FUNCTION inbox.give_back(p_holder text) FROM PUBLIC;
GRANT ALL ON FUNCTION inbox.give_back(p_holder text) TO atlas_bot;
GRANT ALL ON FUNCTION inbox.give_back(p_holder text) TO atlas_dba;

--
-- Name: FUNCTION receive(p_update_ids bigint[], p_chat_ids bigint[], p_payloads text[]); Type: ACL; Schema: inbox; Owner: -
--

REVOKE ALL ON FUNCTION inbox.receive(p_update_ids bigint[], p_chat_ids bigint[], p_payloads text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION inbox.receive(p_update_ids bigint[], p_chat_ids bigint[], p_payloads text[]) TO atlas_bot;
GRANT ALL ON FUNCTION inbox.receive(p_update_ids bigint[], p_chat_ids bigint[], p_payloads text[]) TO atlas_dba;

--
-- Name: FUNCTION _post(p_telegram_id bigint, p_reason ledger.reason, p_debit ledger.account, p_credit ledger.account, p_amount_kopecks bigint, p_now timestamp with time zone, p_purchase_id uuid, p_payment_id bigint, p_actor_id bigint, p_note text, p_idempotency_key text, p_withdrawal_id bigint, OUT transfer_id bigint, OUT available_kopecks bigint, OUT held_kopecks bigint); Type: ACL; Schema: ledger; Owner: -
--

REVOKE ALL ON FUNCTION ledger._post(p_telegram_id bigint, p_reason ledger.reason, p_debit ledger.account, p_credit ledger.account, p_amount_kopecks bigint, p_now timestamp with time zone, p_purchase_id uuid, p_payment_id bigint, p_actor_id bigint, p_note text, p_idempotency_key text, p_withdrawal_id bigint, OUT transfer_id bigint, OUT available_kopecks bigint, OUT held_kopecks bigint) FROM PUBLIC;

--
-- Name: FUNCTION _refuse_unfunded(p_telegram_id bigint, p_amount_kopecks bigint); Type: ACL; Schema: ledger; Owner: -
--

REVOKE ALL ON FUNCTION ledger._refuse_unfunded(p_telegram_id bigint, p_amount_kopecks bigint) FROM PUBLIC;

--
-- Name: FUNCTION _arguments(p_telegram_id bigint, p_template text, p_purchase_id uuid, p_amount_kopecks bigint, p_arguments jsonb); Type: ACL; Schema: notify; Owner: -
--

REVOKE ALL ON FUNCTION notify._arguments(p_telegram_id bigint, p_template text, p_purchase_id uuid, p_amount_kopecks bigint, p_arguments jsonb) FROM PUBLIC;

--
-- Name: FUNCTION _close_lost(); Type: ACL; Schema: notify; Owner: -
--

REVOKE ALL ON FUNCTION notify._close_lost() FROM PUBLIC;

--
-- Name: FUNCTION _drop_outdated(p_users bigint[], p_tasks bigint[]); Type: ACL; Schema: notify; Owner: -
--

REVOKE ALL ON FUNCTION notify._drop_outdated(p_users bigint[], p_tasks bigint[]) FROM PUBLIC;

--
-- Name: FUNCTION _remind(p_users bigint[], p_now timestamp with time zone); Type: ACL; Schema: notify; Owner: -
--

REVOKE ALL ON FUNCTION notify._remind(p_users bigint[], p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION claim(p_holder text, p_limit integer, p_lease interval); Type: ACL; Schema: notify; Owner: -
--

REVOKE ALL ON FUNCTION notify.claim(p_holder text, p_limit integer, p_lease interval) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.claim(p_holder text, p_limit integer, p_lease interval) TO atlas_worker;
GRANT ALL ON FUNCTION notify.claim(p_holder text, p_limit integer, p_lease interval) TO atlas_dba;

--
-- Name: FUNCTION enqueue_due(p_epoch bigint, p_limit integer); Type: ACL; Schema: notify; Owner: -
--

REVOKE ALL ON FUNCTION notify.enqueue_due(p_epoch bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.enqueue_due(p_epoch bigint, p_limit integer) TO atlas_worker;
GRANT ALL ON FUNCTION notify.enqueue_due(p_epoch bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION failed(p_message_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean); Type: ACL; Schema: notify; Owner: -
--

REVOKE ALL ON FUNCTION notify.failed(p_message_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.failed(p_message_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean) TO atlas_worker;
GRANT ALL ON FUNCTION notify.failed(p_message_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean) TO atlas_dba;

--
-- Name: FUNCTION release(p_message_id bigint, p_lease_token uuid, p_error text, p_wait interval); Type: ACL; Schema: notify; Owner: -
--

REVOKE ALL ON FUNCTION notify.release(p_message_id bigint, p_lease_token uuid, p_error text, p_wait interval) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.release(p_message_id bigint, p_lease_token uuid, p_error text, p_wait interval) TO atlas_worker;
GRANT ALL ON FUNCTION notify.release(p_message_id bigint, p_lease_token uuid, p_error text, p_wait interval) TO atlas_dba;

--
-- Name: FUNCTION sent(p_message_id bigint, p_lease_token uuid); Type: ACL; Schema: notify; Owner: -
--

REVOKE ALL ON FUNCTION notify.sent(p_message_id bigint, p_lease_token uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION notify.sent(p_message_id bigint, p_lease_token uuid) TO atlas_worker;
GRANT ALL ON FUNCTION notify.sent(p_message_id bigint, p_lease_token uuid) TO atlas_dba;

--
-- Name: FUNCTION _alarm(p_alarm text, p_subject text, p_detail text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._alarm(p_alarm text, p_subject text, p_detail text) FROM PUBLIC;

--
-- Name: FUNCTION _bury(p_job_name text, p_subject text, p_error text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._bury(p_job_name text, p_subject text, p_error text) FROM PUBLIC;

--
-- Name: FUNCTION _describe_lock(p_pid integer, p_locktype text, p_relation oid, p_page integer, p_tuple smallint, p_classid oid, p_objid oid, p_objsubid smallint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._describe_lock(p_pid integer, p_locktype text, p_relation oid, p_page integer, p_tuple smallint, p_classid oid, p_objid oid, p_objsubid smallint) FROM PUBLIC;

--
-- Name: FUNCTION _end_export(p_export_id bigint, p_outcome ops.export_outcome, p_actor_id bigint, p_error text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._end_export(p_export_id bigint, p_outcome ops.export_outcome, p_actor_id bigint, p_error text) FROM PUBLIC;

--
-- Name: FUNCTION _enter_due(p_job_name text, p_epoch bigint, p_limit integer); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._enter_due(p_job_name text, p_epoch bigint, p_limit integer) FROM PUBLIC;

--
-- Name: FUNCTION _export_codes(p_batch_id bigint, p_after_id bigint, p_limit integer); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._export_codes(p_batch_id bigint, p_after_id bigint, p_limit integer) FROM PUBLIC;

--
-- Name: FUNCTION _export_columns(p_kind ops.export_kind, OUT header text[], OUT numbers text[]); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._export_columns(p_kind ops.export_kind, OUT header text[], OUT numbers text[]) FROM PUBLIC;

--
-- Name: FUNCTION _export_ledger(p_after_id bigint, p_after_version bigint, p_cut pg_snapshot, p_limit integer); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._export_ledger(p_after_id bigint, p_after_version bigint, p_cut pg_snapshot, p_limit integer) FROM PUBLIC;

--
-- Name: FUNCTION _export_size(p_kind ops.export_kind, p_batch_id bigint, p_now timestamp with time zone); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._export_size(p_kind ops.export_kind, p_batch_id bigint, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _export_subscriptions(p_after_id bigint, p_at timestamp with time zone, p_limit integer); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._export_subscriptions(p_after_id bigint, p_at timestamp with time zone, p_limit integer) FROM PUBLIC;

--
-- Name: FUNCTION _export_time(p_at timestamp with time zone); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._export_time(p_at timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _export_users(p_after_id bigint, p_until timestamp with time zone, p_limit integer); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._export_users(p_after_id bigint, p_until timestamp with time zone, p_limit integer) FROM PUBLIC;

--
-- Name: FUNCTION _figure(p_name text, p_from date, p_to date); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._figure(p_name text, p_from date, p_to date) FROM PUBLIC;

--
-- Name: FUNCTION _figures_now(p_now timestamp with time zone); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._figures_now(p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _figures_of_day(p_day date); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._figures_of_day(p_day date) FROM PUBLIC;

--
-- Name: FUNCTION _give_up_export(p_export_id bigint, p_error text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._give_up_export(p_export_id bigint, p_error text) FROM PUBLIC;

--
-- Name: FUNCTION _incident_since(); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._incident_since() FROM PUBLIC;

--
-- Name: FUNCTION _month(p_from date, p_to date); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._month(p_from date, p_to date) FROM PUBLIC;

--
-- Name: FUNCTION _open_export(p_admin_id bigint, p_kind ops.export_kind, p_batch_id bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._open_export(p_admin_id bigint, p_kind ops.export_kind, p_batch_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION _put_back_export(p_export_id bigint, p_error text, p_wait interval, p_attempts_back integer); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._put_back_export(p_export_id bigint, p_error text, p_wait interval, p_attempts_back integer) FROM PUBLIC;

--
-- Name: FUNCTION _reconcile_accounts(); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._reconcile_accounts() FROM PUBLIC;

--
-- Name: FUNCTION _reconcile_ledger(); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._reconcile_ledger() FROM PUBLIC;

--
-- Name: FUNCTION _reconcile_payments(); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._reconcile_payments() FROM PUBLIC;

--
-- Name: FUNCTION _reconcile_periods(); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._reconcile_periods() FROM PUBLIC;

--
-- Name: FUNCTION _reconcile_promo(); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._reconcile_promo() FROM PUBLIC;

--
-- Name: FUNCTION _reconcile_purchases(); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._reconcile_purchases() FROM PUBLIC;

--
-- Name: FUNCTION _reconcile_referrals(); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._reconcile_referrals() FROM PUBLIC;

--
-- Name: FUNCTION _reconcile_refunds(); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._reconcile_refunds() FROM PUBLIC;

--
-- Name: FUNCTION _reconcile_subscriptions(); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._reconcile_subscriptions() FROM PUBLIC;

--
-- Name: FUNCTION _reconcile_withdrawals(); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._reconcile_withdrawals() FROM PUBLIC;

--
-- Name: FUNCTION _require_export(p_export_id bigint, p_lease_token uuid); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._require_export(p_export_id bigint, p_lease_token uuid) FROM PUBLIC;

--
-- Name: FUNCTION _revive(p_job_name text, p_subject text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._revive(p_job_name text, p_subject text) FROM PUBLIC;

--
-- Name: FUNCTION _setting_value(p_name text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._setting_value(p_name text) FROM PUBLIC;

--
-- Name: FUNCTION _tell_admins(p_template text, p_arguments jsonb); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._tell_admins(p_template text, p_arguments jsonb) FROM PUBLIC;

--
-- Name: FUNCTION _tell_of_component(p_component text, p_was text, p_is text, p_down_since timestamp with time zone, p_detail text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._tell_of_component(p_component text, p_was text, p_is text, p_down_since timestamp with time zone, p_detail text) FROM PUBLIC;

--
-- Name: FUNCTION _user_of_message(p_subject text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._user_of_message(p_subject text) FROM PUBLIC;

--
-- Name: FUNCTION _without_values(p_query text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops._without_values(p_query text) FROM PUBLIC;

--
-- Name: FUNCTION acquire_lease(p_name text, p_holder text, p_ttl interval); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.acquire_lease(p_name text, p_holder text, p_ttl interval) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.acquire_lease(p_name text, p_holder text, p_ttl interval) TO atlas_bot;
GRANT ALL ON FUNCTION ops.acquire_lease(p_name text, p_holder text, p_ttl interval) TO atlas_worker;
GRANT ALL ON FUNCTION ops.acquire_lease(p_name text, p_holder text, p_ttl interval) TO atlas_dba;

--
-- Name: FUNCTION cancel_export(p_admin_id bigint, p_export_id bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.cancel_export(p_admin_id bigint, p_export_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.cancel_export(p_admin_id bigint, p_export_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION ops.cancel_export(p_admin_id bigint, p_export_id bigint) TO atlas_dba;

--
-- Name: FUNCTION claim_export(p_holder text, p_lease interval); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.claim_export(p_holder text, p_lease interval) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.claim_export(p_holder text, p_lease interval) TO atlas_worker;
GRANT ALL ON FUNCTION ops.claim_export(p_holder text, p_lease interval) TO atlas_dba;

--
-- Name: FUNCTION claim_run(p_job_name text, p_holder text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.claim_run(p_job_name text, p_holder text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.claim_run(p_job_name text, p_holder text) TO atlas_worker;
GRANT ALL ON FUNCTION ops.claim_run(p_job_name text, p_holder text) TO atlas_dba;

--
-- Name: FUNCTION clear_dead_letter(p_dead_id bigint, p_note text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.clear_dead_letter(p_dead_id bigint, p_note text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.clear_dead_letter(p_dead_id bigint, p_note text) TO atlas_dba;

--
-- Name: FUNCTION dashboard(p_admin_id bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.dashboard(p_admin_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.dashboard(p_admin_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION ops.dashboard(p_admin_id bigint) TO atlas_dba;

--
-- Name: FUNCTION drop_dead_letter(p_admin_id bigint, p_dead_id bigint, p_note text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.drop_dead_letter(p_admin_id bigint, p_dead_id bigint, p_note text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.drop_dead_letter(p_admin_id bigint, p_dead_id bigint, p_note text) TO atlas_admin;
GRANT ALL ON FUNCTION ops.drop_dead_letter(p_admin_id bigint, p_dead_id bigint, p_note text) TO atlas_dba;

--
-- Name: FUNCTION export_page(p_export_id bigint, p_lease_token uuid, p_after_id bigint, p_after_version bigint, p_limit integer); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.export_page(p_export_id bigint, p_lease_token uuid, p_after_id bigint, p_after_version bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.export_page(p_export_id bigint, p_lease_token uuid, p_after_id bigint, p_after_version bigint, p_limit integer) TO atlas_worker;
GRANT ALL ON FUNCTION ops.export_page(p_export_id bigint, p_lease_token uuid, p_after_id bigint, p_after_version bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION fail_export(p_export_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.fail_export(p_export_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.fail_export(p_export_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean) TO atlas_worker;
GRANT ALL ON FUNCTION ops.fail_export(p_export_id bigint, p_lease_token uuid, p_error text, p_is_unreachable boolean) TO atlas_dba;

--
-- Name: FUNCTION figures_due(p_epoch bigint, p_limit integer); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.figures_due(p_epoch bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.figures_due(p_epoch bigint, p_limit integer) TO atlas_worker;
GRANT ALL ON FUNCTION ops.figures_due(p_epoch bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION finish_run(p_job_name text, p_holder text, p_epoch bigint, p_started_at timestamp with time zone, p_items integer, p_error text, p_next_run_at timestamp with time zone); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.finish_run(p_job_name text, p_holder text, p_epoch bigint, p_started_at timestamp with time zone, p_items integer, p_error text, p_next_run_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.finish_run(p_job_name text, p_holder text, p_epoch bigint, p_started_at timestamp with time zone, p_items integer, p_error text, p_next_run_at timestamp with time zone) TO atlas_worker;
GRANT ALL ON FUNCTION ops.finish_run(p_job_name text, p_holder text, p_epoch bigint, p_started_at timestamp with time zone, p_items integer, p_error text, p_next_run_at timestamp with time zone) TO atlas_dba;

--
-- Name: FUNCTION incident(p_language text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.incident(p_language text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.incident(p_language text) TO atlas_bot;
GRANT ALL ON FUNCTION ops.incident(p_language text) TO atlas_worker;
GRANT ALL ON FUNCTION ops.incident(p_language text) TO atlas_admin;
GRANT ALL ON FUNCTION ops.incident(p_language text) TO atlas_dba;

--
-- Name: FUNCTION keep_export(p_export_id bigint, p_lease_token uuid, p_lease interval, p_rows_read bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.keep_export(p_export_id bigint, p_lease_token uuid, p_lease interval, p_rows_read bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.keep_export(p_export_id bigint, p_lease_token uuid, p_lease interval, p_rows_read bigint) TO atlas_worker;
GRANT ALL ON FUNCTION ops.keep_export(p_export_id bigint, p_lease_token uuid, p_lease interval, p_rows_read bigint) TO atlas_dba;

--
-- Name: FUNCTION list_components(p_admin_id bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.list_components(p_admin_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.list_components(p_admin_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION ops.list_components(p_admin_id bigint) TO atlas_dba;

--
-- Name: FUNCTION list_dead_letters(p_admin_id bigint, p_before bigint, p_limit integer); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.list_dead_letters(p_admin_id bigint, p_before bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.list_dead_letters(p_admin_id bigint, p_before bigint, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION ops.list_dead_letters(p_admin_id bigint, p_before bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION list_exports(p_admin_id bigint, p_before bigint, p_limit integer); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.list_exports(p_admin_id bigint, p_before bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.list_exports(p_admin_id bigint, p_before bigint, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION ops.list_exports(p_admin_id bigint, p_before bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION list_features(p_admin_id bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.list_features(p_admin_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.list_features(p_admin_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION ops.list_features(p_admin_id bigint) TO atlas_dba;

--
-- Name: FUNCTION list_jobs(p_admin_id bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.list_jobs(p_admin_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.list_jobs(p_admin_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION ops.list_jobs(p_admin_id bigint) TO atlas_dba;

--
-- Name: FUNCTION list_lock_waits(p_admin_id bigint, p_limit integer); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.list_lock_waits(p_admin_id bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.list_lock_waits(p_admin_id bigint, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION ops.list_lock_waits(p_admin_id bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION list_processes(p_admin_id bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.list_processes(p_admin_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.list_processes(p_admin_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION ops.list_processes(p_admin_id bigint) TO atlas_dba;

--
-- Name: FUNCTION lock_waits(); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.lock_waits() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.lock_waits() TO atlas_worker;
GRANT ALL ON FUNCTION ops.lock_waits() TO atlas_auditor;
GRANT ALL ON FUNCTION ops.lock_waits() TO atlas_dba;

--
-- Name: FUNCTION metrics(p_admin_id bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.metrics(p_admin_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.metrics(p_admin_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION ops.metrics(p_admin_id bigint) TO atlas_dba;

--
-- Name: FUNCTION purge_due(p_epoch bigint, p_limit integer); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.purge_due(p_epoch bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.purge_due(p_epoch bigint, p_limit integer) TO atlas_worker;
GRANT ALL ON FUNCTION ops.purge_due(p_epoch bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION rate_limits(); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.rate_limits() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.rate_limits() TO atlas_bot;
GRANT ALL ON FUNCTION ops.rate_limits() TO atlas_dba;

--
-- Name: FUNCTION rebuild_wallet(p_telegram_id bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.rebuild_wallet(p_telegram_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.rebuild_wallet(p_telegram_id bigint) TO atlas_dba;

--
-- Name: FUNCTION reconcile(); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.reconcile() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.reconcile() TO atlas_auditor;
GRANT ALL ON FUNCTION ops.reconcile() TO atlas_worker;
GRANT ALL ON FUNCTION ops.reconcile() TO atlas_dba;

--
-- Name: FUNCTION record_part(p_export_id bigint, p_lease_token uuid, p_part integer, p_rows bigint, p_reached_id bigint, p_reached_version bigint, p_is_last boolean); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.record_part(p_export_id bigint, p_lease_token uuid, p_part integer, p_rows bigint, p_reached_id bigint, p_reached_version bigint, p_is_last boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.record_part(p_export_id bigint, p_lease_token uuid, p_part integer, p_rows bigint, p_reached_id bigint, p_reached_version bigint, p_is_last boolean) TO atlas_worker;
GRANT ALL ON FUNCTION ops.record_part(p_export_id bigint, p_lease_token uuid, p_part integer, p_rows bigint, p_reached_id bigint, p_reached_version bigint, p_is_last boolean) TO atlas_dba;

--
-- Name: FUNCTION release_export(p_export_id bigint, p_lease_token uuid, p_error text, p_wait interval); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.release_export(p_export_id bigint, p_lease_token uuid, p_error text, p_wait interval) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.release_export(p_export_id bigint, p_lease_token uuid, p_error text, p_wait interval) TO atlas_worker;
GRANT ALL ON FUNCTION ops.release_export(p_export_id bigint, p_lease_token uuid, p_error text, p_wait interval) TO atlas_dba;

--
-- Name: FUNCTION release_lease(p_name text, p_holder text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.release_lease(p_name text, p_holder text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.release_lease(p_name text, p_holder text) TO atlas_bot;
GRANT ALL ON FUNCTION ops.release_lease(p_name text, p_holder text) TO atlas_worker;
GRANT ALL ON FUNCTION ops.release_lease(p_name text, p_holder text) TO atlas_dba;

--
-- Name: FUNCTION report_component(p_component text, p_state text, p_detail text, p_instance text, p_epoch bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.report_component(p_component text, p_state text, p_detail text, p_instance text, p_epoch bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.report_component(p_component text, p_state text, p_detail text, p_instance text, p_epoch bigint) TO atlas_worker;
GRANT ALL ON FUNCTION ops.report_component(p_component text, p_state text, p_detail text, p_instance text, p_epoch bigint) TO atlas_dba;

--
-- Name: FUNCTION request_export(p_admin_id bigint, p_kind text, p_batch_id bigint, p_idempotency_key text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.request_export(p_admin_id bigint, p_kind text, p_batch_id bigint, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.request_export(p_admin_id bigint, p_kind text, p_batch_id bigint, p_idempotency_key text) TO atlas_admin;
GRANT ALL ON FUNCTION ops.request_export(p_admin_id bigint, p_kind text, p_batch_id bigint, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION retry_dead_letter(p_admin_id bigint, p_dead_id bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.retry_dead_letter(p_admin_id bigint, p_dead_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.retry_dead_letter(p_admin_id bigint, p_dead_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION ops.retry_dead_letter(p_admin_id bigint, p_dead_id bigint) TO atlas_dba;

--
-- Name: FUNCTION run_job_now(p_admin_id bigint, p_name text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.run_job_now(p_admin_id bigint, p_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.run_job_now(p_admin_id bigint, p_name text) TO atlas_admin;
GRANT ALL ON FUNCTION ops.run_job_now(p_admin_id bigint, p_name text) TO atlas_dba;

--
-- Name: FUNCTION schema_version(); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.schema_version() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.schema_version() TO atlas_bot;
GRANT ALL ON FUNCTION ops.schema_version() TO atlas_worker;
GRANT ALL ON FUNCTION ops.schema_version() TO atlas_auditor;
GRANT ALL ON FUNCTION ops.schema_version() TO atlas_dba;

--
-- Name: FUNCTION service_status(); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.service_status() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.service_status() TO atlas_bot;
GRANT ALL ON FUNCTION ops.service_status() TO atlas_admin;
GRANT ALL ON FUNCTION ops.service_status() TO atlas_dba;

--
-- Name: FUNCTION set_feature(p_admin_id bigint, p_name text, p_is_on boolean); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.set_feature(p_admin_id bigint, p_name text, p_is_on boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.set_feature(p_admin_id bigint, p_name text, p_is_on boolean) TO atlas_admin;
GRANT ALL ON FUNCTION ops.set_feature(p_admin_id bigint, p_name text, p_is_on boolean) TO atlas_dba;

--
-- Name: FUNCTION set_incident(p_admin_id bigint, p_is_on boolean, p_text_ru text, p_text_en text, p_idempotency_key text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.set_incident(p_admin_id bigint, p_is_on boolean, p_text_ru text, p_text_en text, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.set_incident(p_admin_id bigint, p_is_on boolean, p_text_ru text, p_text_en text, p_idempotency_key text) TO atlas_admin;
GRANT ALL ON FUNCTION ops.set_incident(p_admin_id bigint, p_is_on boolean, p_text_ru text, p_text_en text, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION set_job(p_name text, p_schedule text, p_is_enabled boolean); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.set_job(p_name text, p_schedule text, p_is_enabled boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.set_job(p_name text, p_schedule text, p_is_enabled boolean) TO atlas_dba;

--
-- Name: FUNCTION set_setting(p_name text, p_value bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.set_setting(p_name text, p_value bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.set_setting(p_name text, p_value bigint) TO atlas_dba;

--
-- Name: FUNCTION show_dead_letter(p_admin_id bigint, p_dead_id bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.show_dead_letter(p_admin_id bigint, p_dead_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.show_dead_letter(p_admin_id bigint, p_dead_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION ops.show_dead_letter(p_admin_id bigint, p_dead_id bigint) TO atlas_dba;

--
-- Name: FUNCTION show_incident(p_admin_id bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.show_incident(p_admin_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.show_incident(p_admin_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION ops.show_incident(p_admin_id bigint) TO atlas_dba;

--
-- Name: FUNCTION statistics(p_admin_id bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.statistics(p_admin_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.statistics(p_admin_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION ops.statistics(p_admin_id bigint) TO atlas_dba;

--
-- Name: FUNCTION switch_job(p_admin_id bigint, p_name text, p_is_enabled boolean); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.switch_job(p_admin_id bigint, p_name text, p_is_enabled boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.switch_job(p_admin_id bigint, p_name text, p_is_enabled boolean) TO atlas_admin;
GRANT ALL ON FUNCTION ops.switch_job(p_admin_id bigint, p_name text, p_is_enabled boolean) TO atlas_dba;

--
-- Name: FUNCTION system(p_admin_id bigint); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.system(p_admin_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.system(p_admin_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION ops.system(p_admin_id bigint) TO atlas_dba;

--
-- Name: FUNCTION take_attempt(p_telegram_id bigint, p_action text); Type: ACL; Schema: ops; Owner: -
--

REVOKE ALL ON FUNCTION ops.take_attempt(p_telegram_id bigint, p_action text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.take_attempt(p_telegram_id bigint, p_action text) TO atlas_bot;
GRANT ALL ON FUNCTION ops.take_attempt(p_telegram_id bigint, p_action text) TO atlas_dba;

--
-- Name: FUNCTION _claim(p_kind outbox.kind, p_holder text, p_limit integer, p_lease interval); Type: ACL; Schema: outbox; Owner: -
--

REVOKE ALL ON FUNCTION outbox._claim(p_kind outbox.kind, p_holder text, p_limit integer, p_lease interval) FROM PUBLIC;

--
-- Name: FUNCTION _finish(p_telegram_id bigint, p_task_id bigint, p_outcome text, p_error text); Type: ACL; Schema: outbox; Owner: -
--

REVOKE ALL ON FUNCTION outbox._finish(p_telegram_id bigint, p_task_id bigint, p_outcome text, p_error text) FROM PUBLIC;

--
-- Name: FUNCTION _lock_leased(p_kind outbox.kind, p_task_id bigint, p_lease_token uuid, OUT telegram_id bigint, OUT is_leased boolean, OUT is_finished boolean, OUT given_back_until timestamp with time zone); Type: ACL; Schema: outbox; Owner: -
--

REVOKE ALL ON FUNCTION outbox._lock_leased(p_kind outbox.kind, p_task_id bigint, p_lease_token uuid, OUT telegram_id bigint, OUT is_leased boolean, OUT is_finished boolean, OUT given_back_until timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _require_claim(p_holder text, p_limit integer, p_lease interval); Type: ACL; Schema: outbox; Owner: -
--

REVOKE ALL ON FUNCTION outbox._require_claim(p_holder text, p_limit integer, p_lease interval) FROM PUBLIC;

--
-- Name: FUNCTION _retry(p_telegram_id bigint, p_task_id bigint, p_error text, p_wait interval, p_attempts_back integer); Type: ACL; Schema: outbox; Owner: -
--

REVOKE ALL ON FUNCTION outbox._retry(p_telegram_id bigint, p_task_id bigint, p_error text, p_wait interval, p_attempts_back integer) FROM PUBLIC;

--
-- Name: FUNCTION _canonical(p_text text); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._canonical(p_text text) FROM PUBLIC;

--
-- Name: FUNCTION _figures(p_promo_id bigint, p_most integer, OUT uses bigint, OUT counted bigint, OUT reserved bigint, OUT consumed bigint, OUT refunded bigint, OUT revenue_kopecks bigint, OUT discount_kopecks bigint); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._figures(p_promo_id bigint, p_most integer, OUT uses bigint, OUT counted bigint, OUT reserved bigint, OUT consumed bigint, OUT refunded bigint, OUT revenue_kopecks bigint, OUT discount_kopecks bigint) FROM PUBLIC;

--
-- Name: FUNCTION _fill_batch(p_batch_id bigint); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._fill_batch(p_batch_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION _is_full(p_promo_id bigint, p_from bigint, p_to bigint); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._is_full(p_promo_id bigint, p_from bigint, p_to bigint) FROM PUBLIC;

--
-- Name: FUNCTION _lock_code(p_code text, OUT promo_id bigint, OUT is_active boolean, OUT max_uses integer); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._lock_code(p_code text, OUT promo_id bigint, OUT is_active boolean, OUT max_uses integer) FROM PUBLIC;

--
-- Name: FUNCTION _move_below(p_promo_id bigint, p_max_uses integer); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._move_below(p_promo_id bigint, p_max_uses integer) FROM PUBLIC;

--
-- Name: FUNCTION _new_code(); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._new_code() FROM PUBLIC;

--
-- Name: FUNCTION _next_free(p_promo_id bigint, p_from bigint, p_to bigint); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._next_free(p_promo_id bigint, p_from bigint, p_to bigint) FROM PUBLIC;

--
-- Name: FUNCTION _oldest_open(p_telegram_id bigint, p_promo_id bigint); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._oldest_open(p_telegram_id bigint, p_promo_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION _refuse_taken(p_code text, p_admin_id bigint, p_idempotency_key text); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._refuse_taken(p_code text, p_admin_id bigint, p_idempotency_key text) FROM PUBLIC;

--
-- Name: FUNCTION _require_code(p_code text); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._require_code(p_code text) FROM PUBLIC;

--
-- Name: FUNCTION _require_terms(p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._require_terms(p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _reserve(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._reserve(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _retake(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._retake(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _take(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._take(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _take_over(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._take_over(p_telegram_id bigint, p_purchase_id uuid, p_promo_id bigint, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _terms(p_code text, p_now timestamp with time zone, OUT promo_id bigint, OUT discount_percent integer, OUT max_uses integer, OUT per_user_limit integer, OUT expires_at timestamp with time zone); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._terms(p_code text, p_now timestamp with time zone, OUT promo_id bigint, OUT discount_percent integer, OUT max_uses integer, OUT per_user_limit integer, OUT expires_at timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _usable(p_telegram_id bigint, p_code text, p_now timestamp with time zone, OUT discount_percent integer, OUT expires_at timestamp with time zone, OUT uses_left bigint); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo._usable(p_telegram_id bigint, p_code text, p_now timestamp with time zone, OUT discount_percent integer, OUT expires_at timestamp with time zone, OUT uses_left bigint) FROM PUBLIC;

--
-- Name: FUNCTION card(p_admin_id bigint, p_promo_id bigint); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo.card(p_admin_id bigint, p_promo_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION promo.card(p_admin_id bigint, p_promo_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION promo.card(p_admin_id bigint, p_promo_id bigint) TO atlas_dba;

--
-- Name: FUNCTION disable(p_admin_id bigint, p_code text); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo.disable(p_admin_id bigint, p_code text) FROM PUBLIC;
GRANT ALL ON FUNCTION promo.disable(p_admin_id bigint, p_code text) TO atlas_admin;
GRANT ALL ON FUNCTION promo.disable(p_admin_id bigint, p_code text) TO atlas_dba;

--
-- Name: FUNCTION find(p_admin_id bigint, p_code text); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo.find(p_admin_id bigint, p_code text) FROM PUBLIC;
GRANT ALL ON FUNCTION promo.find(p_admin_id bigint, p_code text) TO atlas_admin;
GRANT ALL ON FUNCTION promo.find(p_admin_id bigint, p_code text) TO atlas_dba;

--
-- Name: FUNCTION issue(p_admin_id bigint, p_code text, p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone, p_idempotency_key text); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo.issue(p_admin_id bigint, p_code text, p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION promo.issue(p_admin_id bigint, p_code text, p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone, p_idempotency_key text) TO atlas_admin;
GRANT ALL ON FUNCTION promo.issue(p_admin_id bigint, p_code text, p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION issue_batch(p_admin_id bigint, p_count integer, p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone, p_idempotency_key text); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo.issue_batch(p_admin_id bigint, p_count integer, p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION promo.issue_batch(p_admin_id bigint, p_count integer, p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone, p_idempotency_key text) TO atlas_admin;
GRANT ALL ON FUNCTION promo.issue_batch(p_admin_id bigint, p_count integer, p_discount_percent integer, p_max_uses integer, p_per_user_limit integer, p_expires_at timestamp with time zone, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION list(p_admin_id bigint, p_is_usable boolean, p_before bigint, p_limit integer); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo.list(p_admin_id bigint, p_is_usable boolean, p_before bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION promo.list(p_admin_id bigint, p_is_usable boolean, p_before bigint, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION promo.list(p_admin_id bigint, p_is_usable boolean, p_before bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION list_batch(p_admin_id bigint, p_batch_id bigint); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo.list_batch(p_admin_id bigint, p_batch_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION promo.list_batch(p_admin_id bigint, p_batch_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION promo.list_batch(p_admin_id bigint, p_batch_id bigint) TO atlas_dba;

--
-- Name: FUNCTION list_batches(p_admin_id bigint, p_before bigint, p_limit integer); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo.list_batches(p_admin_id bigint, p_before bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION promo.list_batches(p_admin_id bigint, p_before bigint, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION promo.list_batches(p_admin_id bigint, p_before bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION set_limit(p_admin_id bigint, p_code text, p_max_uses integer); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo.set_limit(p_admin_id bigint, p_code text, p_max_uses integer) FROM PUBLIC;
GRANT ALL ON FUNCTION promo.set_limit(p_admin_id bigint, p_code text, p_max_uses integer) TO atlas_admin;
GRANT ALL ON FUNCTION promo.set_limit(p_admin_id bigint, p_code text, p_max_uses integer) TO atlas_dba;

--
-- Name: FUNCTION validate(p_telegram_id bigint, p_code text); Type: ACL; Schema: promo; Owner: -
--

REVOKE ALL ON FUNCTION promo.validate(p_telegram_id bigint, p_code text) FROM PUBLIC;
GRANT ALL ON FUNCTION promo.validate(p_telegram_id bigint, p_code text) TO atlas_bot;
GRANT ALL ON FUNCTION promo.validate(p_telegram_id bigint, p_code text) TO atlas_admin;
GRANT ALL ON FUNCTION promo.validate(p_telegram_id bigint, p_code text) TO atlas_dba;

--
-- Name: FUNCTION _claw_back(p_telegram_id bigint, p_purchase_id uuid, p_now timestamp with time zone); Type: ACL; Schema: referral; Owner: -
--

REVOKE ALL ON FUNCTION referral._claw_back(p_telegram_id bigint, p_purchase_id uuid, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _due_tasks(p_now timestamp with time zone, p_limit integer); Type: ACL; Schema: referral; Owner: -
--

REVOKE ALL ON FUNCTION referral._due_tasks(p_now timestamp with time zone, p_limit integer) FROM PUBLIC;

--
-- Name: FUNCTION _level_of(p_paying_count integer, OUT level text, OUT percent integer); Type: ACL; Schema: referral; Owner: -
--

REVOKE ALL ON FUNCTION referral._level_of(p_paying_count integer, OUT level text, OUT percent integer) FROM PUBLIC;

--
-- Name: FUNCTION _next_level(p_paying_count integer, OUT level text, OUT from_paying integer, OUT percent integer); Type: ACL; Schema: referral; Owner: -
--

REVOKE ALL ON FUNCTION referral._next_level(p_paying_count integer, OUT level text, OUT from_paying integer, OUT percent integer) FROM PUBLIC;

--
-- Name: FUNCTION _reward(p_telegram_id bigint, p_purchase_id uuid, p_referred_id bigint, p_paid_kopecks bigint, p_now timestamp with time zone); Type: ACL; Schema: referral; Owner: -
--

REVOKE ALL ON FUNCTION referral._reward(p_telegram_id bigint, p_purchase_id uuid, p_referred_id bigint, p_paid_kopecks bigint, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _void(p_users bigint[], p_tasks bigint[], p_now timestamp with time zone); Type: ACL; Schema: referral; Owner: -
--

REVOKE ALL ON FUNCTION referral._void(p_users bigint[], p_tasks bigint[], p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _work(p_locked bigint[], p_users bigint[], p_tasks bigint[], p_now timestamp with time zone, OUT paid integer, OUT paid_kopecks bigint); Type: ACL; Schema: referral; Owner: -
--

REVOKE ALL ON FUNCTION referral._work(p_locked bigint[], p_users bigint[], p_tasks bigint[], p_now timestamp with time zone, OUT paid integer, OUT paid_kopecks bigint) FROM PUBLIC;

--
-- Name: FUNCTION detail(p_admin_id bigint, p_telegram_id bigint); Type: ACL; Schema: referral; Owner: -
--

REVOKE ALL ON FUNCTION referral.detail(p_admin_id bigint, p_telegram_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION referral.detail(p_admin_id bigint, p_telegram_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION referral.detail(p_admin_id bigint, p_telegram_id bigint) TO atlas_dba;

--
-- Name: FUNCTION invited(p_admin_id bigint, p_telegram_id bigint, p_before bigint, p_limit integer); Type: ACL; Schema: referral; Owner: -
--

REVOKE ALL ON FUNCTION referral.invited(p_admin_id bigint, p_telegram_id bigint, p_before bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION referral.invited(p_admin_id bigint, p_telegram_id bigint, p_before bigint, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION referral.invited(p_admin_id bigint, p_telegram_id bigint, p_before bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION levels(p_admin_id bigint); Type: ACL; Schema: referral; Owner: -
--

REVOKE ALL ON FUNCTION referral.levels(p_admin_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION referral.levels(p_admin_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION referral.levels(p_admin_id bigint) TO atlas_dba;

--
-- Name: FUNCTION overview(p_admin_id bigint); Type: ACL; Schema: referral; Owner: -
--

REVOKE ALL ON FUNCTION referral.overview(p_admin_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION referral.overview(p_admin_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION referral.overview(p_admin_id bigint) TO atlas_dba;

--
-- Name: FUNCTION pay_due(p_epoch bigint, p_limit integer); Type: ACL; Schema: referral; Owner: -
--

REVOKE ALL ON FUNCTION referral.pay_due(p_epoch bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION referral.pay_due(p_epoch bigint, p_limit integer) TO atlas_worker;
GRANT ALL ON FUNCTION referral.pay_due(p_epoch bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION search(p_admin_id bigint, p_query text, p_limit integer); Type: ACL; Schema: referral; Owner: -
--

REVOKE ALL ON FUNCTION referral.search(p_admin_id bigint, p_query text, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION referral.search(p_admin_id bigint, p_query text, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION referral.search(p_admin_id bigint, p_query text, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION stats(p_telegram_id bigint); Type: ACL; Schema: referral; Owner: -
--

REVOKE ALL ON FUNCTION referral.stats(p_telegram_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION referral.stats(p_telegram_id bigint) TO atlas_bot;
GRANT ALL ON FUNCTION referral.stats(p_telegram_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION referral.stats(p_telegram_id bigint) TO atlas_dba;

--
-- Name: FUNCTION top(p_admin_id bigint, p_after bigint, p_limit integer); Type: ACL; Schema: referral; Owner: -
--

REVOKE ALL ON FUNCTION referral.top(p_admin_id bigint, p_after bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION referral.top(p_admin_id bigint, p_after bigint, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION referral.top(p_admin_id bigint, p_after bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION _activate(p_telegram_id bigint, p_tariff text, p_expires_at timestamp with time zone, p_period subscription.period, p_vpn_uuid uuid, p_stops_renewal boolean, p_now timestamp with time zone); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription._activate(p_telegram_id bigint, p_tariff text, p_expires_at timestamp with time zone, p_period subscription.period, p_vpn_uuid uuid, p_stops_renewal boolean, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _add_months(p_start timestamp with time zone, p_months integer); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription._add_months(p_start timestamp with time zone, p_months integer) FROM PUBLIC;

--
-- Name: FUNCTION _change(p_telegram_id bigint, p_kind subscription.change_kind, p_tariff text, p_expires_at timestamp with time zone, p_period subscription.period, p_now timestamp with time zone, p_purchase_id uuid, p_actor_id bigint, p_reason text, p_duration interval, p_idempotency_key text, p_is_told boolean); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription._change(p_telegram_id bigint, p_kind subscription.change_kind, p_tariff text, p_expires_at timestamp with time zone, p_period subscription.period, p_now timestamp with time zone, p_purchase_id uuid, p_actor_id bigint, p_reason text, p_duration interval, p_idempotency_key text, p_is_told boolean) FROM PUBLIC;

--
-- Name: FUNCTION _expire(p_users bigint[], p_now timestamp with time zone); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription._expire(p_users bigint[], p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _extend(p_telegram_id bigint, p_tariff text, p_expires_at timestamp with time zone, p_vpn_uuid uuid, p_now timestamp with time zone); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription._extend(p_telegram_id bigint, p_tariff text, p_expires_at timestamp with time zone, p_vpn_uuid uuid, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _find_change(p_telegram_id bigint, p_kind subscription.change_kind, p_idempotency_key text, p_actor_id bigint, p_tariff text, p_duration interval, p_reason text, p_is_told boolean, OUT is_found boolean, OUT expires_at timestamp with time zone, OUT vpn_uuid uuid); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription._find_change(p_telegram_id bigint, p_kind subscription.change_kind, p_idempotency_key text, p_actor_id bigint, p_tariff text, p_duration interval, p_reason text, p_is_told boolean, OUT is_found boolean, OUT expires_at timestamp with time zone, OUT vpn_uuid uuid) FROM PUBLIC;

--
-- Name: FUNCTION _fulfil_renewals(p_users bigint[], p_purchases uuid[], p_now timestamp with time zone); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription._fulfil_renewals(p_users bigint[], p_purchases uuid[], p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _renew(p_users bigint[], p_now timestamp with time zone, OUT renewed integer, OUT declined integer); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription._renew(p_users bigint[], p_now timestamp with time zone, OUT renewed integer, OUT declined integer) FROM PUBLIC;

--
-- Name: FUNCTION _renewals(p_users bigint[], p_now timestamp with time zone); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription._renewals(p_users bigint[], p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _require_duration(p_duration interval); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription._require_duration(p_duration interval) FROM PUBLIC;

--
-- Name: FUNCTION _retire(p_telegram_id bigint, p_now timestamp with time zone, p_request_id bigint); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription._retire(p_telegram_id bigint, p_now timestamp with time zone, p_request_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION _start_after(p_now timestamp with time zone, p_tariff text, p_before_tariff text, p_before_expires_at timestamp with time zone, p_before_period subscription.period); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription._start_after(p_now timestamp with time zone, p_tariff text, p_before_tariff text, p_before_expires_at timestamp with time zone, p_before_period subscription.period) FROM PUBLIC;

--
-- Name: FUNCTION _switch_kind(p_telegram_id bigint, p_tariff text, p_now timestamp with time zone); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription._switch_kind(p_telegram_id bigint, p_tariff text, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _trial_refusal(p_telegram_id bigint, p_now timestamp with time zone); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription._trial_refusal(p_telegram_id bigint, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION current(p_telegram_id bigint); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription.current(p_telegram_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION subscription.current(p_telegram_id bigint) TO atlas_bot;
GRANT ALL ON FUNCTION subscription.current(p_telegram_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION subscription.current(p_telegram_id bigint) TO atlas_worker;
GRANT ALL ON FUNCTION subscription.current(p_telegram_id bigint) TO atlas_dba;

--
-- Name: FUNCTION expire_due(p_epoch bigint, p_limit integer); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription.expire_due(p_epoch bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION subscription.expire_due(p_epoch bigint, p_limit integer) TO atlas_worker;
GRANT ALL ON FUNCTION subscription.expire_due(p_epoch bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION grant_time(p_admin_id bigint, p_telegram_id bigint, p_tariff text, p_duration interval, p_reason text, p_idempotency_key text, p_is_told boolean); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription.grant_time(p_admin_id bigint, p_telegram_id bigint, p_tariff text, p_duration interval, p_reason text, p_idempotency_key text, p_is_told boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION subscription.grant_time(p_admin_id bigint, p_telegram_id bigint, p_tariff text, p_duration interval, p_reason text, p_idempotency_key text, p_is_told boolean) TO atlas_admin;
GRANT ALL ON FUNCTION subscription.grant_time(p_admin_id bigint, p_telegram_id bigint, p_tariff text, p_duration interval, p_reason text, p_idempotency_key text, p_is_told boolean) TO atlas_dba;

--
-- Name: FUNCTION renew_due(p_epoch bigint, p_limit integer); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription.renew_due(p_epoch bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION subscription.renew_due(p_epoch bigint, p_limit integer) TO atlas_worker;
GRANT ALL ON FUNCTION subscription.renew_due(p_epoch bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION renewal(p_telegram_id bigint); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription.renewal(p_telegram_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION subscription.renewal(p_telegram_id bigint) TO atlas_bot;
GRANT ALL ON FUNCTION subscription.renewal(p_telegram_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION subscription.renewal(p_telegram_id bigint) TO atlas_dba;

--
-- Name: FUNCTION revoke(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_idempotency_key text, p_is_told boolean); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription.revoke(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_idempotency_key text, p_is_told boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION subscription.revoke(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_idempotency_key text, p_is_told boolean) TO atlas_admin;
GRANT ALL ON FUNCTION subscription.revoke(p_admin_id bigint, p_telegram_id bigint, p_reason text, p_idempotency_key text, p_is_told boolean) TO atlas_dba;

--
-- Name: FUNCTION set_auto_renew(p_telegram_id bigint, p_is_on boolean); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription.set_auto_renew(p_telegram_id bigint, p_is_on boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION subscription.set_auto_renew(p_telegram_id bigint, p_is_on boolean) TO atlas_bot;
GRANT ALL ON FUNCTION subscription.set_auto_renew(p_telegram_id bigint, p_is_on boolean) TO atlas_dba;

--
-- Name: FUNCTION start_trial(p_telegram_id bigint, p_idempotency_key text); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription.start_trial(p_telegram_id bigint, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION subscription.start_trial(p_telegram_id bigint, p_idempotency_key text) TO atlas_bot;
GRANT ALL ON FUNCTION subscription.start_trial(p_telegram_id bigint, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION trial_offer(p_telegram_id bigint); Type: ACL; Schema: subscription; Owner: -
--

REVOKE ALL ON FUNCTION subscription.trial_offer(p_telegram_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION subscription.trial_offer(p_telegram_id bigint) TO atlas_bot;
GRANT ALL ON FUNCTION subscription.trial_offer(p_telegram_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION subscription.trial_offer(p_telegram_id bigint) TO atlas_dba;

--
-- Name: FUNCTION _backoff(p_attempt integer); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn._backoff(p_attempt integer) FROM PUBLIC;

--
-- Name: FUNCTION _close_poison(p_now timestamp with time zone); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn._close_poison(p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _give_up(p_telegram_id bigint, p_vpn_uuid uuid, p_purchase_id uuid, p_error text); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn._give_up(p_telegram_id bigint, p_vpn_uuid uuid, p_purchase_id uuid, p_error text) FROM PUBLIC;

--
-- Name: FUNCTION _is_stale(p_vpn_uuid uuid, p_current_uuid uuid, p_expires_at timestamp with time zone, p_now timestamp with time zone); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn._is_stale(p_vpn_uuid uuid, p_current_uuid uuid, p_expires_at timestamp with time zone, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _people(p_now timestamp with time zone); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn._people(p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _place(p_vpn_uuid uuid, p_telegram_id bigint, p_node text); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn._place(p_vpn_uuid uuid, p_telegram_id bigint, p_node text) FROM PUBLIC;

--
-- Name: FUNCTION _reissue(p_telegram_id bigint, p_admin_id bigint, p_idempotency_key text, p_now timestamp with time zone, p_request_id bigint); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn._reissue(p_telegram_id bigint, p_admin_id bigint, p_idempotency_key text, p_now timestamp with time zone, p_request_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION _reissue_people(p_request_id bigint, p_users bigint[], p_now timestamp with time zone, OUT done integer, OUT skipped integer); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn._reissue_people(p_request_id bigint, p_users bigint[], p_now timestamp with time zone, OUT done integer, OUT skipped integer) FROM PUBLIC;

--
-- Name: FUNCTION _reissue_room(p_request_id bigint); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn._reissue_room(p_request_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION cancel_reissue(p_admin_id bigint, p_request_id bigint); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.cancel_reissue(p_admin_id bigint, p_request_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.cancel_reissue(p_admin_id bigint, p_request_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION vpn.cancel_reissue(p_admin_id bigint, p_request_id bigint) TO atlas_dba;

--
-- Name: FUNCTION claim_jobs(p_holder text, p_limit integer, p_lease interval); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.claim_jobs(p_holder text, p_limit integer, p_lease interval) FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.claim_jobs(p_holder text, p_limit integer, p_lease interval) TO atlas_worker;
GRANT ALL ON FUNCTION vpn.claim_jobs(p_holder text, p_limit integer, p_lease interval) TO atlas_dba;

--
-- Name: FUNCTION complete_job(p_job_id bigint, p_lease_token uuid, p_key_uri text, p_node text); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.complete_job(p_job_id bigint, p_lease_token uuid, p_key_uri text, p_node text) FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.complete_job(p_job_id bigint, p_lease_token uuid, p_key_uri text, p_node text) TO atlas_worker;
GRANT ALL ON FUNCTION vpn.complete_job(p_job_id bigint, p_lease_token uuid, p_key_uri text, p_node text) TO atlas_dba;

--
-- Name: FUNCTION draining_nodes(); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.draining_nodes() FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.draining_nodes() TO atlas_worker;
GRANT ALL ON FUNCTION vpn.draining_nodes() TO atlas_dba;

--
-- Name: FUNCTION fail_job(p_job_id bigint, p_lease_token uuid, p_error text); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.fail_job(p_job_id bigint, p_lease_token uuid, p_error text) FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.fail_job(p_job_id bigint, p_lease_token uuid, p_error text) TO atlas_worker;
GRANT ALL ON FUNCTION vpn.fail_job(p_job_id bigint, p_lease_token uuid, p_error text) TO atlas_dba;

--
-- Name: FUNCTION list_nodes(); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.list_nodes() FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.list_nodes() TO atlas_worker;
GRANT ALL ON FUNCTION vpn.list_nodes() TO atlas_admin;
GRANT ALL ON FUNCTION vpn.list_nodes() TO atlas_auditor;
GRANT ALL ON FUNCTION vpn.list_nodes() TO atlas_dba;

--
-- Name: FUNCTION list_undelivered(p_admin_id bigint, p_is_tried boolean, p_after_user bigint, p_after_id bigint, p_limit integer); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.list_undelivered(p_admin_id bigint, p_is_tried boolean, p_after_user bigint, p_after_id bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.list_undelivered(p_admin_id bigint, p_is_tried boolean, p_after_user bigint, p_after_id bigint, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION vpn.list_undelivered(p_admin_id bigint, p_is_tried boolean, p_after_user bigint, p_after_id bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION move_keys(p_admin_id bigint, p_name text, p_limit integer); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.move_keys(p_admin_id bigint, p_name text, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.move_keys(p_admin_id bigint, p_name text, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION vpn.move_keys(p_admin_id bigint, p_name text, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION overview(p_admin_id bigint); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.overview(p_admin_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.overview(p_admin_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION vpn.overview(p_admin_id bigint) TO atlas_dba;

--
-- Name: FUNCTION reissue(p_telegram_id bigint, p_admin_id bigint, p_idempotency_key text); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.reissue(p_telegram_id bigint, p_admin_id bigint, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.reissue(p_telegram_id bigint, p_admin_id bigint, p_idempotency_key text) TO atlas_bot;
GRANT ALL ON FUNCTION vpn.reissue(p_telegram_id bigint, p_admin_id bigint, p_idempotency_key text) TO atlas_admin;
GRANT ALL ON FUNCTION vpn.reissue(p_telegram_id bigint, p_admin_id bigint, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION reissue_all(p_admin_id bigint, p_idempotency_key text); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.reissue_all(p_admin_id bigint, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.reissue_all(p_admin_id bigint, p_idempotency_key text) TO atlas_admin;
GRANT ALL ON FUNCTION vpn.reissue_all(p_admin_id bigint, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION reissue_due(p_epoch bigint, p_limit integer); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.reissue_due(p_epoch bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.reissue_due(p_epoch bigint, p_limit integer) TO atlas_worker;
GRANT ALL ON FUNCTION vpn.reissue_due(p_epoch bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION release_job(p_job_id bigint, p_lease_token uuid, p_error text); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.release_job(p_job_id bigint, p_lease_token uuid, p_error text) FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.release_job(p_job_id bigint, p_lease_token uuid, p_error text) TO atlas_worker;
GRANT ALL ON FUNCTION vpn.release_job(p_job_id bigint, p_lease_token uuid, p_error text) TO atlas_dba;

--
-- Name: FUNCTION report_node(p_name text, p_is_up boolean, p_users integer, p_error text); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.report_node(p_name text, p_is_up boolean, p_users integer, p_error text) FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.report_node(p_name text, p_is_up boolean, p_users integer, p_error text) TO atlas_worker;
GRANT ALL ON FUNCTION vpn.report_node(p_name text, p_is_up boolean, p_users integer, p_error text) TO atlas_dba;

--
-- Name: FUNCTION retry_job(p_admin_id bigint, p_telegram_id bigint, p_job_id bigint); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.retry_job(p_admin_id bigint, p_telegram_id bigint, p_job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.retry_job(p_admin_id bigint, p_telegram_id bigint, p_job_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION vpn.retry_job(p_admin_id bigint, p_telegram_id bigint, p_job_id bigint) TO atlas_dba;

--
-- Name: FUNCTION set_node(p_admin_id bigint, p_name text, p_is_draining boolean); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.set_node(p_admin_id bigint, p_name text, p_is_draining boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.set_node(p_admin_id bigint, p_name text, p_is_draining boolean) TO atlas_admin;
GRANT ALL ON FUNCTION vpn.set_node(p_admin_id bigint, p_name text, p_is_draining boolean) TO atlas_dba;

--
-- Name: FUNCTION show_job(p_admin_id bigint, p_telegram_id bigint, p_job_id bigint); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.show_job(p_admin_id bigint, p_telegram_id bigint, p_job_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.show_job(p_admin_id bigint, p_telegram_id bigint, p_job_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION vpn.show_job(p_admin_id bigint, p_telegram_id bigint, p_job_id bigint) TO atlas_dba;

--
-- Name: FUNCTION show_reissue(p_admin_id bigint); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.show_reissue(p_admin_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.show_reissue(p_admin_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION vpn.show_reissue(p_admin_id bigint) TO atlas_dba;

--
-- Name: FUNCTION wanted_users(); Type: ACL; Schema: vpn; Owner: -
--

REVOKE ALL ON FUNCTION vpn.wanted_users() FROM PUBLIC;
GRANT ALL ON FUNCTION vpn.wanted_users() TO atlas_worker;
GRANT ALL ON FUNCTION vpn.wanted_users() TO atlas_dba;

--
-- Name: FUNCTION _adjust(p_reason ledger.reason, p_debit ledger.account, p_credit ledger.account, p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text, OUT transfer_id bigint, OUT available_kopecks bigint, OUT held_kopecks bigint, OUT is_replay boolean); Type: ACL; Schema: wallet; Owner: -
--

REVOKE ALL ON FUNCTION wallet._adjust(p_reason ledger.reason, p_debit ledger.account, p_credit ledger.account, p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text, OUT transfer_id bigint, OUT available_kopecks bigint, OUT held_kopecks bigint, OUT is_replay boolean) FROM PUBLIC;

--
-- Name: FUNCTION balance(p_telegram_id bigint); Type: ACL; Schema: wallet; Owner: -
--

REVOKE ALL ON FUNCTION wallet.balance(p_telegram_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION wallet.balance(p_telegram_id bigint) TO atlas_bot;
GRANT ALL ON FUNCTION wallet.balance(p_telegram_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION wallet.balance(p_telegram_id bigint) TO atlas_worker;
GRANT ALL ON FUNCTION wallet.balance(p_telegram_id bigint) TO atlas_auditor;
GRANT ALL ON FUNCTION wallet.balance(p_telegram_id bigint) TO atlas_dba;

--
-- Name: FUNCTION balance_at(p_telegram_id bigint, p_at timestamp with time zone); Type: ACL; Schema: wallet; Owner: -
--

REVOKE ALL ON FUNCTION wallet.balance_at(p_telegram_id bigint, p_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION wallet.balance_at(p_telegram_id bigint, p_at timestamp with time zone) TO atlas_admin;
GRANT ALL ON FUNCTION wallet.balance_at(p_telegram_id bigint, p_at timestamp with time zone) TO atlas_auditor;
GRANT ALL ON FUNCTION wallet.balance_at(p_telegram_id bigint, p_at timestamp with time zone) TO atlas_dba;

--
-- Name: FUNCTION credit(p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text); Type: ACL; Schema: wallet; Owner: -
--

REVOKE ALL ON FUNCTION wallet.credit(p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION wallet.credit(p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text) TO atlas_admin;
GRANT ALL ON FUNCTION wallet.credit(p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION debit(p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text); Type: ACL; Schema: wallet; Owner: -
--

REVOKE ALL ON FUNCTION wallet.debit(p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION wallet.debit(p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text) TO atlas_admin;
GRANT ALL ON FUNCTION wallet.debit(p_telegram_id bigint, p_amount_kopecks bigint, p_admin_id bigint, p_note text, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION statement(p_telegram_id bigint, p_limit integer, p_before_version bigint); Type: ACL; Schema: wallet; Owner: -
--

REVOKE ALL ON FUNCTION wallet.statement(p_telegram_id bigint, p_limit integer, p_before_version bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION wallet.statement(p_telegram_id bigint, p_limit integer, p_before_version bigint) TO atlas_bot;
GRANT ALL ON FUNCTION wallet.statement(p_telegram_id bigint, p_limit integer, p_before_version bigint) TO atlas_admin;
GRANT ALL ON FUNCTION wallet.statement(p_telegram_id bigint, p_limit integer, p_before_version bigint) TO atlas_auditor;
GRANT ALL ON FUNCTION wallet.statement(p_telegram_id bigint, p_limit integer, p_before_version bigint) TO atlas_dba;

--
-- Name: FUNCTION _count_approvals(p_telegram_id bigint, p_withdrawal_id bigint); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal._count_approvals(p_telegram_id bigint, p_withdrawal_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION _end(p_telegram_id bigint, p_withdrawal_id bigint, p_status withdrawal.status, p_ended_by bigint, p_reason text, p_approvals_needed integer, p_now timestamp with time zone); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal._end(p_telegram_id bigint, p_withdrawal_id bigint, p_status withdrawal.status, p_ended_by bigint, p_reason text, p_approvals_needed integer, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _hold(p_telegram_id bigint, p_is_blocked boolean, p_amount_kopecks bigint, p_requisites text, p_now timestamp with time zone, p_idempotency_key text, p_draft_id uuid); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal._hold(p_telegram_id bigint, p_is_blocked boolean, p_amount_kopecks bigint, p_requisites text, p_now timestamp with time zone, p_idempotency_key text, p_draft_id uuid) FROM PUBLIC;

--
-- Name: FUNCTION _lock(p_withdrawal_id bigint); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal._lock(p_withdrawal_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION _purge(p_users bigint[], p_now timestamp with time zone); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal._purge(p_users bigint[], p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _refuse_ended(p_telegram_id bigint, p_withdrawal_id bigint); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal._refuse_ended(p_telegram_id bigint, p_withdrawal_id bigint) FROM PUBLIC;

--
-- Name: FUNCTION _require_may(p_telegram_id bigint, p_is_blocked boolean, p_amount_kopecks bigint, p_now timestamp with time zone); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal._require_may(p_telegram_id bigint, p_is_blocked boolean, p_amount_kopecks bigint, p_now timestamp with time zone) FROM PUBLIC;

--
-- Name: FUNCTION _require_request(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal._require_request(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text) FROM PUBLIC;

--
-- Name: FUNCTION approve(p_admin_id bigint, p_withdrawal_id bigint); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal.approve(p_admin_id bigint, p_withdrawal_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION withdrawal.approve(p_admin_id bigint, p_withdrawal_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION withdrawal.approve(p_admin_id bigint, p_withdrawal_id bigint) TO atlas_dba;

--
-- Name: FUNCTION cancel(p_telegram_id bigint, p_withdrawal_id bigint); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal.cancel(p_telegram_id bigint, p_withdrawal_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION withdrawal.cancel(p_telegram_id bigint, p_withdrawal_id bigint) TO atlas_bot;
GRANT ALL ON FUNCTION withdrawal.cancel(p_telegram_id bigint, p_withdrawal_id bigint) TO atlas_dba;

--
-- Name: FUNCTION draft(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal.draft(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION withdrawal.draft(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text) TO atlas_bot;
GRANT ALL ON FUNCTION withdrawal.draft(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION latest(p_telegram_id bigint, p_limit integer); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal.latest(p_telegram_id bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION withdrawal.latest(p_telegram_id bigint, p_limit integer) TO atlas_bot;
GRANT ALL ON FUNCTION withdrawal.latest(p_telegram_id bigint, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION withdrawal.latest(p_telegram_id bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION list_pending(p_admin_id bigint, p_limit integer); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal.list_pending(p_admin_id bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION withdrawal.list_pending(p_admin_id bigint, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION withdrawal.list_pending(p_admin_id bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION look(p_admin_id bigint, p_withdrawal_id bigint); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal.look(p_admin_id bigint, p_withdrawal_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION withdrawal.look(p_admin_id bigint, p_withdrawal_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION withdrawal.look(p_admin_id bigint, p_withdrawal_id bigint) TO atlas_dba;

--
-- Name: FUNCTION options(); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal.options() FROM PUBLIC;
GRANT ALL ON FUNCTION withdrawal.options() TO atlas_bot;
GRANT ALL ON FUNCTION withdrawal.options() TO atlas_admin;
GRANT ALL ON FUNCTION withdrawal.options() TO atlas_dba;

--
-- Name: FUNCTION purge_due(p_epoch bigint, p_limit integer); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal.purge_due(p_epoch bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION withdrawal.purge_due(p_epoch bigint, p_limit integer) TO atlas_worker;
GRANT ALL ON FUNCTION withdrawal.purge_due(p_epoch bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION queue(p_admin_id bigint, p_after_id bigint, p_limit integer); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal.queue(p_admin_id bigint, p_after_id bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION withdrawal.queue(p_admin_id bigint, p_after_id bigint, p_limit integer) TO atlas_admin;
GRANT ALL ON FUNCTION withdrawal.queue(p_admin_id bigint, p_after_id bigint, p_limit integer) TO atlas_dba;

--
-- Name: FUNCTION reject(p_admin_id bigint, p_withdrawal_id bigint, p_reason text); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal.reject(p_admin_id bigint, p_withdrawal_id bigint, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION withdrawal.reject(p_admin_id bigint, p_withdrawal_id bigint, p_reason text) TO atlas_admin;
GRANT ALL ON FUNCTION withdrawal.reject(p_admin_id bigint, p_withdrawal_id bigint, p_reason text) TO atlas_dba;

--
-- Name: FUNCTION request(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal.request(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION withdrawal.request(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text) TO atlas_bot;
GRANT ALL ON FUNCTION withdrawal.request(p_telegram_id bigint, p_amount_kopecks bigint, p_requisites text, p_idempotency_key text) TO atlas_dba;

--
-- Name: FUNCTION show(p_admin_id bigint, p_withdrawal_id bigint); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal.show(p_admin_id bigint, p_withdrawal_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION withdrawal.show(p_admin_id bigint, p_withdrawal_id bigint) TO atlas_admin;
GRANT ALL ON FUNCTION withdrawal.show(p_admin_id bigint, p_withdrawal_id bigint) TO atlas_dba;

--
-- Name: FUNCTION show_draft(p_telegram_id bigint, p_draft_id uuid); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal.show_draft(p_telegram_id bigint, p_draft_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION withdrawal.show_draft(p_telegram_id bigint, p_draft_id uuid) TO atlas_bot;
GRANT ALL ON FUNCTION withdrawal.show_draft(p_telegram_id bigint, p_draft_id uuid) TO atlas_dba;

--
-- Name: FUNCTION submit(p_telegram_id bigint, p_draft_id uuid); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal.submit(p_telegram_id bigint, p_draft_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION withdrawal.submit(p_telegram_id bigint, p_draft_id uuid) TO atlas_bot;
GRANT ALL ON FUNCTION withdrawal.submit(p_telegram_id bigint, p_draft_id uuid) TO atlas_dba;

--
-- Name: FUNCTION validate(p_telegram_id bigint, p_amount_kopecks bigint); Type: ACL; Schema: withdrawal; Owner: -
--

REVOKE ALL ON FUNCTION withdrawal.validate(p_telegram_id bigint, p_amount_kopecks bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION withdrawal.validate(p_telegram_id bigint, p_amount_kopecks bigint) TO atlas_bot;
GRANT ALL ON FUNCTION withdrawal.validate(p_telegram_id bigint, p_amount_kopecks bigint) TO atlas_dba;

--
-- Name: TABLE event; Type: ACL; Schema: audit; Owner: -
--

GRANT SELECT ON TABLE audit.event TO atlas_auditor;
GRANT SELECT ON TABLE audit.event TO atlas_dba;

--
-- Name: TABLE progress; Type: ACL; Schema: broadcast; Owner: -
--

GRANT SELECT ON TABLE broadcast.progress TO atlas_admin;
GRANT SELECT ON TABLE broadcast.progress TO atlas_worker;
GRANT SELECT ON TABLE broadcast.progress TO atlas_auditor;
GRANT SELECT ON TABLE broadcast.progress TO atlas_dba;

--
-- Name: TABLE component; Type: ACL; Schema: ops; Owner: -
--

GRANT SELECT ON TABLE ops.component TO atlas_admin;
GRANT SELECT ON TABLE ops.component TO atlas_worker;
GRANT SELECT ON TABLE ops.component TO atlas_auditor;
GRANT SELECT ON TABLE ops.component TO atlas_dba;

--
-- Name: TABLE component_status; Type: ACL; Schema: ops; Owner: -
--

GRANT SELECT ON TABLE ops.component_status TO atlas_admin;
GRANT SELECT ON TABLE ops.component_status TO atlas_worker;
GRANT SELECT ON TABLE ops.component_status TO atlas_auditor;
GRANT SELECT ON TABLE ops.component_status TO atlas_dba;

--
-- Name: TABLE dead_letter; Type: ACL; Schema: ops; Owner: -
--

GRANT SELECT ON TABLE ops.dead_letter TO atlas_worker;
GRANT SELECT ON TABLE ops.dead_letter TO atlas_auditor;
GRANT SELECT ON TABLE ops.dead_letter TO atlas_dba;

--
-- Name: TABLE job; Type: ACL; Schema: ops; Owner: -
--

GRANT SELECT ON TABLE ops.job TO atlas_worker;
GRANT SELECT ON TABLE ops.job TO atlas_auditor;
GRANT SELECT ON TABLE ops.job TO atlas_dba;

--
-- Name: TABLE job_run; Type: ACL; Schema: ops; Owner: -
--

GRANT SELECT ON TABLE ops.job_run TO atlas_worker;
GRANT SELECT ON TABLE ops.job_run TO atlas_auditor;
GRANT SELECT ON TABLE ops.job_run TO atlas_dba;

--
-- Name: TABLE lock_wait; Type: ACL; Schema: ops; Owner: -
--

GRANT SELECT ON TABLE ops.lock_wait TO atlas_worker;
GRANT SELECT ON TABLE ops.lock_wait TO atlas_auditor;
GRANT SELECT ON TABLE ops.lock_wait TO atlas_dba;

--
-- Name: DEFAULT PRIVILEGES FOR FUNCTIONS; Type: DEFAULT ACL; Schema: -; Owner: -
--

ALTER DEFAULT PRIVILEGES FOR ROLE atlas_owner REVOKE ALL ON FUNCTIONS  FROM PUBLIC;

--
-- PostgreSQL database dump complete
--
