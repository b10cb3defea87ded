package mutants

// everybody are mutants of a new key for everybody.
func everybody() []Mutant {
	const due, people = "vpn.reissue_due", "vpn._reissue_people"
	return []Mutant{
		{
			Name: "new key for everybody without locks", Function: due, Right: "for no key update skip locked",
			Package: "isolation", Test: "TestScenarios/h4_everybody",
		},
		{
			Name: "new key for everybody that waits for the busy", Function: due,
			Right: "for no key update skip locked", Wrong: "for no key update",
			Package: "isolation", Test: "TestScenarios/h4_everybody",
		},
		{
			Name: "new key for everybody but who was busy", Function: due,
			Right: "where l.id < v_user or v_user is null order by", Wrong: "order by",
			Package: "isolation", Test: "TestScenarios/h4_everybody",
		},
		{
			Name: "new key for everybody but who renews in the last second", Function: due,
			Right: "s.activation <> 'none'", Wrong: "s.expires_at > core.now()",
			Package: "isolation", Test: "TestScenarios/h4_everybody",
		},
		{
			Name: "new key for everybody after it was stopped", Function: due,
			Right: "and r.cancelled_at is null\n  for no key update", Wrong: "for no key update",
			Package: "isolation", Test: "TestScenarios/h4_everybody",
		},
		{
			Name: "new key for everybody that does not wait for who stops it", Function: due,
			Right: "and r.cancelled_at is null\n  for no key update", Wrong: "and r.cancelled_at is null",
			Package: "isolation", Test: "TestScenarios/h4_everybody",
		},
		{
			Name: "new key for everybody that begins anew each time", Function: due,
			Right: "reached_id = coalesce(v_locked[cardinality(v_locked)], r.reached_id),", Wrong: "reached_id = r.reached_id,",
			Package: "contract", Test: "TestEverybodyGetsANewKey",
		},
		{
			Name: "new key for everybody that never ends", Function: due,
			Right: "finished_at = case when cardinality(v_people) = 0 then v_now end", Wrong: "finished_at = null",
			Package: "contract", Test: "TestEverybodyGetsANewKey",
		},
		{
			Name: "new key for everybody that stops at one who cannot have one", Function: due,
			Right: "exception when data_exception or integrity_constraint_violation then\n        perform ops._bury", Wrong: "exception when division_by_zero then\n        perform ops._bury",
			Package: "contract", Test: "TestF3PoisonedNewKeyForEverybody",
		},
		{
			Name: "new key for everybody before those that are bought", Function: "vpn._reissue_room",
			Right: "select (v_most - count(*)::int) / 2", Wrong: "select (v_most + 0 * count(*)::int) / 2",
			Package: "contract", Test: "TestKeysThatWerePaidForDoNotWaitForEverybody",
		},
		{
			Name: "new key for everybody of which only half is counted", Function: "subscription._retire",
			Right: "s.vpn_uuid, p_request_id", Wrong: "s.vpn_uuid, null",
			Package: "contract", Test: "TestKeysThatWerePaidForDoNotWaitForEverybody",
		},
		{
			Name: "second new key for who has a new one", Function: people,
			Right: "if v_user.is_new then", Wrong: "if false then",
			Package: "contract", Test: "TestEverybodyGetsANewKey",
		},
		{
			Name: "renewal that counts as a new key", Function: people, Right: "select min(t.created_at)", Wrong: "select max(t.created_at)",
			Package: "contract", Test: "TestEverybodyGetsANewKey",
		},
		{
			Name: "new key for who has no subscription any more", Function: people,
			Right: " and s.expires_at > p_now", Wrong: "",
			Package: "contract", Test: "TestEverybodyGetsANewKey",
		},
		{
			Name: "new key for everybody that is nobody's doing", Function: people,
			Right: "v_request.admin_id, 'all:'", Wrong: "null, 'all:'",
			Package: "contract", Test: "TestEverybodyGetsANewKey",
		},
		{
			Name: "old key that goes before the new one is there", Function: "vpn._reissue",
			Right: "  perform subscription._retire(p_telegram_id, p_now, p_request_id);\n", Wrong: "",
			More: []Edit{{
				Right: "  insert into outbox.task (telegram_id, kind, name, due_at, created_at, vpn_uuid, other_id)",
				Wrong: "  perform subscription._retire(p_telegram_id, p_now, p_request_id);\n" +
					"  insert into outbox.task (telegram_id, kind, name, due_at, created_at, vpn_uuid, other_id)",
			}},
			Package: "contract", Test: "TestReissue",
		},
		{
			Name: "two requests for everybody at once", Function: "vpn.reissue_all",
			Right: "on conflict do nothing;", Wrong: "on conflict on constraint reissue_request_key_once do nothing;",
			Without: "drop index vpn.reissue_request_one_open",
			Package: "isolation", Test: "TestScenarios/h4_everybody",
		},
		{
			Name: "request for everybody that is made again by its repeat", Function: "vpn.reissue_all",
			Right: "on conflict do nothing;", Wrong: ";",
			Package: "contract", Test: "TestEverybodyGetsANewKey",
		},
		{
			Name: "second stop that takes the first one's place", Function: "vpn.cancel_reissue",
			Right: "if not cancel_reissue.is_replay then", Wrong: "if true then",
			Package: "contract", Test: "TestOneRequestForEverybodyAtATime",
		},
		{
			Name: "stop that does not wait for what is being done", Function: "vpn.cancel_reissue",
			Right: "\n  for no key update;", Wrong: ";",
			Package: "isolation", Test: "TestScenarios/h4_everybody",
		},
	}
}
