package race_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// TestH4EverybodyIsGivenANewKey: a crowd buys, renews, runs out and takes new keys of its own while everybody is given one.
func TestH4EverybodyIsGivenANewKey(t *testing.T) { everybodysKeys(setup(t)) }

func everybodysKeys(b *bundle) {
	const each = 20
	users := b.customers(3*each, 20*desk.Basic1)
	for i, user := range users {
		switch i % 3 { // the last third has nothing yet
		case 0:
			b.Buy(user, "basic", 1, "first")
		case 1:
			b.One("subscription.grant_time", A{"p_admin_id": boss, "p_telegram_id": user, "p_tariff": "basic", "p_duration": "1 minute",
				"p_reason": "short", "p_idempotency_key": "short"})
		}
	}
	b.One("ops.set_setting", A{"p_name": "reissue_tasks_at_once", "p_value": 12})
	before := map[int]any{}
	for _, row := range b.owner.Query("select telegram_id, vpn_uuid::text as vpn_uuid from subscription.subscription where expires_at > core.now()") {
		before[row["telegram_id"].(int)] = row["vpn_uuid"]
	}
	require.Len(b, before, 2*each)
	request := b.One("vpn.reissue_all", A{"p_admin_id": boss, "p_idempotency_key": "all"})
	require.Equal(b, Row{"request_id": 1, "people": 2 * each, "is_replay": false}, request)

	stop := b.watch()
	b.meanwhile(users)
	stop()
	last := b.One("vpn.show_reissue", A{"p_admin_id": boss})
	require.Equal(b, Row{"status": "done", "failed": 0}, Row{"status": last["status"], "failed": last["failed"]})

	require.Empty(b, b.owner.Query(`select telegram_id from subscription.change where kind = 'reissue' and idempotency_key = 'all:1'
		group by telegram_id having count(*) > 1`), "nobody twice")
	require.Equal(b, last["done"], b.count("subscription.change where idempotency_key = 'all:1'"))
	require.Positive(b, last["done"])
	for _, row := range b.owner.Query(`
		select s.telegram_id, s.vpn_uuid::text as vpn_uuid,
		       (select min(t.created_at) from outbox.task t where t.telegram_id = s.telegram_id and t.vpn_uuid = s.vpn_uuid and t.name = 'add')
		         > r.requested_at as is_new,
		       (select count(*) from outbox.task t where t.telegram_id = s.telegram_id and t.name = 'add' and not exists (
		          select from outbox.task o where o.name = 'remove' and o.vpn_uuid = t.vpn_uuid) and t.vpn_uuid <> s.vpn_uuid) as others
		from subscription.subscription s cross join vpn.reissue_request r
		where s.expires_at > core.now()`) {
		user := row["telegram_id"].(int)
		require.Equal(b, Row{"is_new": true, "others": 0}, Row{"is_new": row["is_new"], "others": row["others"]}, "%d: one identity, and a new one", user)
		require.NotEqual(b, before[user], row["vpn_uuid"], "%d", user)
	}
	for user, old := range before {
		require.Equal(b, 1, b.count("outbox.task where telegram_id = $1 and name = 'remove' and vpn_uuid = $2", user, old),
			"%d's old key goes, once", user)
	}
	require.Zero(b, b.count("outbox.task where kind = 'provision' and finished_at is null"))
	b.Reconciled()
}

// meanwhile lets people, jobs and the node do what they do until everybody has had their turn.
func (b *bundle) meanwhile(users []int) {
	b.Helper()
	var isOver atomic.Bool
	var all sync.WaitGroup
	var mu sync.Mutex
	faults := []string{}
	try := func(i int, function string, args A) []Row {
		pool := b.bots[i%len(b.bots)]
		if strings.HasSuffix(function, "_due") || strings.HasSuffix(function, "_job") || strings.HasSuffix(function, "_jobs") {
			pool = b.workers[i%len(b.workers)]
		}
		rows, err := b.On(b, pool).Try(function, args)
		switch desk.Code(err) {
		case "", "SU001", "PU003", "40001", "40P01": // it has ended meanwhile, or is to be tried again
		default:
			mu.Lock()
			faults = append(faults, fmt.Sprintf("%s %v: %v", function, args, err))
			mu.Unlock()
		}
		return rows
	}
	spawn := func(n int, do func(i, round int, random *rand.Rand)) {
		for i := range n {
			random := rand.New(rand.NewPCG(b.random.Uint64(), uint64(i)))
			all.Go(func() {
				for round := 0; !isOver.Load(); round++ {
					do(i, round, random)
				}
			})
		}
	}
	spawn(2, func(i, _ int, random *rand.Rand) {
		try(i, "vpn.reissue_due", A{"p_epoch": nil, "p_limit": 1 + random.IntN(5)})
		try(i, "subscription.expire_due", A{"p_epoch": nil, "p_limit": 5})
	})
	work := func(i, limit int) {
		for _, job := range try(i, "vpn.claim_jobs", desk.ClaimArgs(fmt.Sprint("w", i), limit).With("p_lease", "5 minutes")) {
			key := any("vless://" + job["vpn_uuid"].(string))
			if job["action"] == "remove" {
				key = nil
			}
			try(i, "vpn.complete_job", A{"p_job_id": job["job_id"], "p_lease_token": job["lease_token"], "p_key_uri": key, "p_node": nil})
		}
	}
	spawn(2, func(i, _ int, _ *rand.Rand) { work(i, 5) })
	spawn(3, func(i, round int, random *rand.Rand) {
		user, key := users[random.IntN(len(users))], fmt.Sprint(i, " ", round)
		if random.IntN(3) == 0 {
			try(i, "vpn.reissue", A{"p_telegram_id": user, "p_admin_id": nil, "p_idempotency_key": key})
			return
		}
		if round > 6 { // there is money for so many
			return
		}
		for _, open := range try(i, "billing.open_purchase", A{"p_telegram_id": user, "p_tariff": "basic", "p_months": 1,
			"p_promo_code": nil, "p_idempotency_key": key}) {
			try(i, "billing.pay_from_balance", A{"p_telegram_id": user, "p_purchase_id": open["purchase_id"]})
		}
	})
	b.until("some have had their turn", "select coalesce(max(r.done + r.skipped), 0) > 10 from vpn.reissue_request r")
	b.owner.Later("61 seconds") // what was granted for a minute is over
	b.until("everybody has had their turn", "select r.finished_at is not null from vpn.reissue_request r")
	isOver.Store(true)
	all.Wait()
	require.Empty(b, faults)
	try(0, "subscription.expire_due", A{"p_epoch": nil, "p_limit": 100})
	b.eventually("the node has done all", func() bool {
		work(0, 100)
		return b.count("outbox.task where kind = 'provision' and finished_at is null") == 0
	})
	require.Empty(b, faults)
}
