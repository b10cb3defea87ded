package mutants

// updates are mutants of the inbox, of limits and of what is given up.
func updates() []Mutant {
	return []Mutant{
		{
			Name: "end of an update whose lease was lost", Function: "inbox.exchange",
			Right: "and u.lease_token = d.lease_token and u.finished_at is null", Wrong: "and u.finished_at is null",
			Package: "contract", Test: "TestExchange",
		},
		{
			Name: "handled update that stays leased", Function: "inbox.exchange",
			Right: "set finished_at = core.now(), leased_until = null", Wrong: "set leased_until = u.leased_until",
			Package: "contract", Test: "TestExchange",
		},
		{
			Name: "claim by somebody who wants none", Function: "inbox.exchange", Right: "if p_limit > 0 then", Wrong: "if true then",
			Package: "contract", Test: "TestExchange",
		},
		{
			Name: "update of a stranger with somebody's language", Function: "inbox.exchange",
			Right: "on a.telegram_id = c.chat_id", Wrong: "on a.telegram_id = 1001",
			Package: "contract", Test: "TestExchange",
		},
		{
			Name: "chat whose updates overtake each other", Function: "inbox.claim",
			Right: "(e.update_id < u.update_id or e.leased_until > v_now)", Wrong: "(e.leased_until > v_now)",
			Package: "contract", Test: "TestClaimInOrderPerChat",
		},
		{
			Name: "attempt that nobody waits for", Function: "ops.take_attempt", Right: "\n    for no key update;", Wrong: ";",
			Package: "contract", Test: "TestTheLastAttemptIsTakenOnce",
		},
		{
			Name: "attempt that is not counted", Function: "ops.take_attempt", Right: "set whole_at = v_whole_at", Wrong: "set whole_at = v_now",
			Package: "contract", Test: "TestLimits",
		},
		{
			Name: "refused attempt that is counted", Function: "ops.take_attempt",
			Right:   "if v_early > interval '0' then\n",
			Wrong:   "if v_early > interval '0' then\n    update ops.attempt a set whole_at = v_whole_at\n    where a.telegram_id = p_telegram_id and a.action = p_action;\n",
			Package: "contract", Test: "TestLimits",
		},
		{
			Name: "unused attempts that pile up", Function: "ops.take_attempt",
			Right: "greatest(v_whole_at, v_now) + v_token", Wrong: "v_whole_at + v_token",
			Package: "contract", Test: "TestLimits",
		},
		{
			Name: "burst of old reminders", Function: "notify._drop_outdated", Right: "t.created_at < v_now - v_tolerance", Wrong: "false",
			Package: "contract", Test: "TestAReminderThatWaitedTooLongIsNotSent",
		},
		{
			Name: "reminder of an end that has moved", Function: "notify._drop_outdated",
			Right:   "and s.expires_at = (t.arguments ->> 'expires_at')::timestamptz",
			Package: "contract", Test: "TestAReminderOfAnEndThatHasMovedIsNotSent",
		},
		{
			Name: "news that are dropped like reminders", Function: "notify._drop_outdated",
			Right:   "and exists (select 1 from notify.reminder m where m.template = t.name)",
			Package: "contract", Test: "TestAReminderThatWaitedTooLongIsNotSent",
		},
		{
			Name: "lost message that is told of in a message", Function: "ops._bury", Right: " and p_job_name <> 'notify.send'",
			Package: "contract", Test: "TestALostMessageIsNotToldOf",
		},
		{
			Name: "dead letter that is told of each time", Function: "ops._bury", Right: "\n    return;",
			Package: "contract", Test: "TestAdminsAreToldOfADeadLetterOnce",
		},
		{
			Name: "as many alarms as dead letters", Function: "ops._bury", Right: "v_count <= v_told and",
			Package: "contract", Test: "TestManyDeadLettersAreToldOfAFewTimes",
		},
		{
			Name: "dead letters that fall silent without a word", Function: "ops._bury", Right: "when v_count = v_told", Wrong: "when false",
			Package: "contract", Test: "TestManyDeadLettersAreToldOfAFewTimes",
		},
	}
}

// broadcasts are mutants of what goes to many, and of keys that move.
func broadcasts() []Mutant {
	return []Mutant{
		{
			Name: "broadcast that two workers take at once", Function: "broadcast.claim", Right: "\n  for no key update;", Wrong: ";",
			Package: "contract", Test: "TestTwoWorkersTakeOneBroadcastInTurn",
		},
		{
			Name: "claim that does not see the pause", Function: "broadcast.claim", Right: "\n  for no key update;", Wrong: ";",
			Package: "contract", Test: "TestAPauseHoldsAgainstAClaim",
		},
		{
			Name: "broadcast before its time", Function: "broadcast.claim",
			Right: "(b.starts_at is null or b.starts_at <= core.now())", Wrong: "true",
			Package: "contract", Test: "TestBroadcastPauseAndCancel",
		},
		{
			Name: "broadcast that begins anew", Function: "broadcast._take", Right: "else v_new[cardinality(v_new)] end",
			Wrong:   "else b.reached_id end",
			Package: "contract", Test: "TestBroadcastReachesEverybodyOnce",
		},
		{
			Name: "unknown outcome that is tried again", Function: "broadcast._close_lost",
			Right:   "set outcome = 'unknown', finished_at = p_now, leased_until = null",
			Wrong:   "set outcome = 'waiting', due_at = p_now, leased_until = null",
			Package: "contract", Test: "TestBroadcastIsNeverRepeated",
		},
		{
			Name: "attempt that any token ends", Function: "broadcast._end",
			Right:   "    and r.lease_token = p_lease_token\n    and (r.outcome",
			Wrong:   "    and (r.outcome",
			Package: "contract", Test: "TestBroadcastIsNeverRepeated",
		},
		{
			Name: "waiting that costs an attempt", Function: "broadcast.release", Right: "attempt = r.attempt - 1", Wrong: "attempt = r.attempt",
			Package: "contract", Test: "TestBroadcastRelease",
		},
		{
			Name: "cancelled broadcast with people who wait", Function: "broadcast.cancel", Right: "and r.outcome = 'waiting'", Wrong: "and false",
			Package: "contract", Test: "TestBroadcastPauseAndCancel",
		},
		{
			Name: "broadcast that two admins move at once", Function: "broadcast._lock", Right: "\n  for no key update;", Wrong: ";",
			Package: "contract", Test: "TestAPauseAndACancelMeet",
		},
		{
			Name: "broadcast to who has blocked the bot", Function: "broadcast._people", Right: "and a.is_reachable ",
			Package: "contract", Test: "TestBroadcastSegments",
		},
		{
			Name: "other texts under the same key", Function: "broadcast._write",
			Right:   "is distinct from (p_title, p_kind, p_segment, p_offer, p_text_a,",
			Wrong:   "is distinct from (p_title, p_kind, p_segment, p_offer, v_first.text_a,",
			Package: "contract", Test: "TestBroadcastKey",
		},
		{
			Name: "key that two admins move at once", Function: "vpn.move_keys", Right: "\n    for no key update of a skip locked",
			Package: "contract", Test: "TestTwoAdminsMoveKeysSideBySide",
		},
		{
			Name: "keys that come back to the node", Function: "vpn.move_keys", Right: "and n.is_draining",
			Package: "contract", Test: "TestKeysMoveFromADrainingNode",
		},
		{
			Name: "key of somebody whose time is over", Function: "vpn.move_keys",
			Right: "where p.node = p_name and s.expires_at > core.now()", Wrong: "where p.node = p_name",
			More:    []Edit{{Right: "and s.vpn_uuid = v_user.vpn_uuid and s.expires_at > v_now", Wrong: "and s.vpn_uuid = v_user.vpn_uuid"}},
			Package: "contract", Test: "TestNobodyIsMovedWhoseTimeIsOver",
		},
		{
			Name: "moved key that nobody makes", Function: "vpn.move_keys", Right: "values (v_user.telegram_id, 'provision', 'add'",
			Wrong:   "values (v_user.telegram_id, 'provision', 'remove'",
			Package: "contract", Test: "TestKeysMoveFromADrainingNode",
		},
	}
}
