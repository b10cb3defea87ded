package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/bot/screen"
	"atlas-secure/internal/i18n"
	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/internal/sqlapi"
	"atlas-secure/tests/harness"
)

// vpnScreens draws the admins' screens about keys as a whole.
func vpnScreens(text *i18n.Text, screens map[string]screen.Screen, soon time.Time) {
	draft, left := atlas.DraftID(purchaseID), int64(0)
	now := sqlapi.KeysOverview{People: 1_000_000, IsEstimate: true, Waiting: 200, Failed: 12}
	screens["vpn keys"] = screen.VPNKeys(text, now, nil)
	for _, seconds := range []int64{0, 59, 60, 61, 5400, 5401, 86400} {
		now.ReissueSeconds, left = seconds, seconds
		screens["confirm new keys "+time.Duration(seconds).String()] = screen.ConfirmReissueAll(text, now, draft)
	}
	for _, status := range []string{"running", "done", "cancelled"} {
		r := sqlapi.MassReissue{
			RequestID: 12, Status: status, AdminID: 12, Username: strings.Repeat("<x_", 10), RequestedAt: soon, Expected: 1_000_000,
			Done: 999_999, Skipped: 1, Failed: 2, Waiting: 200, Removing: 200, EndedBy: 1<<52 - 1, SecondsLeft: &left,
		}
		if status != "running" {
			r.EndedAt, r.SecondsLeft = &soon, nil
			screens["ended new keys toast "+status] = screen.Screen{
				Text: "-", Toast: screen.ReissueEnded(text, r), Rows: screens["vpn keys"].Rows,
			}
		}
		screens["vpn keys "+status] = screen.VPNKeys(text, now, &r)
		screens["stop new keys "+status] = screen.ConfirmReissueStop(text, r, draft)
		screens["new keys toast "+status] = screen.Screen{Text: "-", Toast: screen.ReissueUnderWay(text, r), Rows: screens["vpn keys"].Rows}
	}
}

// atKeys opens the screen of keys.
func (b *bundle) atKeys(t *testing.T, boss *person.Person) {
	t.Helper()
	b.send(t, boss, "/admin")
	b.waitLast(t, boss, "Withdrawals waiting")
	b.press(t, boss, "🔑 VPN keys")
	b.waitLast(t, boss, "Subscriptions in force")
}

// reissueSome runs the worker's job once.
func (b *bundle) reissueSome(t *testing.T, limit int) int {
	t.Helper()
	done, err := b.openDB(t, harness.WorkerLogin).VPN.ReissueDue(b.ctx, nil, limit)
	require.NoError(t, err)
	return done
}

// TestNewKeyForEverybody asks, sees how far it is, is told that it is under way, stops it, is told that it is stopped.
func TestNewKeyForEverybody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	for _, name := range []string{"Anna", "Bert", "Carl"} {
		p := b.started(t, name, "en")
		b.credit(t, p, 149)
		b.buys(t, p, "basic")
	}
	boss, second := b.admin(t, "Boss", "en"), b.admin(t, "Second", "en")
	b.atKeys(t, boss)
	require.Contains(t, b.lastMessage(t, boss).Text, "Subscriptions in force: 3 people\nKeys on their way: 3\nGiven up, no key: 0")
	b.press(t, boss, "A new key for everybody…")
	m := b.waitLast(t, boss, "A new key for everybody?")
	require.Contains(t, m.Text, "Subscriptions in force: 3 people\nIt takes at least: less than a minute.")
	require.Zero(t, b.count(t, `select count(*)::int from vpn.reissue_request`), "nothing is done by asking")
	b.atKeys(t, second)
	b.press(t, second, "A new key for everybody…")
	b.waitLast(t, second, "A new key for everybody?")

	yes := b.data(t, boss, "Yes, for everybody")
	require.Equal(t, "It has begun", b.press(t, boss, "Yes, for everybody").Text)
	b.waitLast(t, boss, "Everybody is being given a new key\nSince ")
	require.Contains(t, b.press(t, second, "Yes, for everybody").Text, "Already under way since ")
	b.waitLast(t, second, "New keys: 0 of about 3")
	require.Equal(t, 1, b.count(t, `select count(*)::int from vpn.reissue_request`))
	require.Equal(t, "Done already", b.forge(t, boss, m.MessageID, yes).Text)
	require.Contains(t, b.forge(t, second, b.lastMessage(t, second).MessageID, "a_vpn_all").Text, "Already under way since ",
		"nobody is asked what cannot be done")

	require.Equal(t, 2, b.reissueSome(t, 2))
	b.press(t, boss, "Refresh")
	m = b.waitLast(t, boss, "New keys: 2 of about 3\nOf these on their way: 2\nOld keys that the nodes have still: 2. If these stay, a node is down: it waits for it.\nAt this pace it takes less than a minute more")
	stop := b.data(t, boss, "Stop…")
	b.press(t, boss, "Stop…")
	b.waitLast(t, boss, "Stop?\n")
	b.press(t, second, "Refresh")
	b.waitLast(t, second, "New keys: 2 of about 3")
	b.press(t, second, "Stop…")
	b.waitLast(t, second, "Stop?\n")
	require.Equal(t, "Stopped", b.press(t, second, "Yes, stop").Text)
	b.waitLast(t, second, "A new key for everybody was stopped\nBy ")
	require.Contains(t, b.press(t, boss, "Yes, stop").Text, "Already stopped by ")
	b.waitLast(t, boss, "A new key for everybody was stopped\nBy ")
	require.Contains(t, b.forge(t, boss, m.MessageID, stop).Text, "Already stopped by ")
	require.Zero(t, b.reissueSome(t, 2))

	t.Log("the next goes to its end")
	b.press(t, boss, "A new key for everybody…")
	b.waitLast(t, boss, "A new key for everybody?")
	b.press(t, boss, "Yes, for everybody")
	b.waitLast(t, boss, "New keys: 0 of about 3")
	for range 2 {
		b.reissueSome(t, 10)
	}
	b.press(t, boss, "Refresh")
	m = b.waitLast(t, boss, "Everybody has been given a new key")
	require.Contains(t, m.Text, "New keys: 3 of about 3")
	id := b.count(t, `select max(request_id)::int from vpn.reissue_request`)
	require.Contains(t, b.forge(t, boss, m.MessageID, fmt.Sprint("a_vpn_stop:", id)).Text, "Everybody had their turn by ")
	b.reconciled(t)
}

// TestTwoAdminsAskForNewKeysAtOnce: one request, and the other admin is told whose it is.
func TestTwoAdminsAskForNewKeysAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	b.startBot(t)
	one, two := b.admin(t, "One", "en"), b.admin(t, "Two", "en")
	var both errgroup.Group
	for _, p := range []*person.Person{one, two} {
		b.atKeys(t, p)
		b.press(t, p, "A new key for everybody…")
		b.waitLast(t, p, "A new key for everybody?")
	}
	for _, p := range []*person.Person{one, two} {
		at, data := b.button(t, p, "Yes, for everybody")
		both.Go(func() error { return b.tap(p, at, data) })
	}
	require.NoError(t, both.Wait())
	require.Equal(t, 1, b.count(t, `select count(*)::int from vpn.reissue_request`))
	for _, p := range []*person.Person{one, two} {
		b.waitLast(t, p, "Everybody is being given a new key")
	}
}

// TestOddButtonsOfKeys: old, forged and late ones change nothing.
func TestOddButtonsOfKeys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.startBot(t)
	anna, boss := b.started(t, "Anna", "en"), b.admin(t, "Boss", "en")
	b.atKeys(t, boss)
	b.press(t, boss, "A new key for everybody…")
	m := b.waitLast(t, boss, "A new key for everybody?")
	yes := b.data(t, boss, "Yes, for everybody")
	for _, data := range []string{"a_vpn", "a_vpn_all", yes, "a_vpn_stop:1", strings.Replace(yes, "_all", "_stop", 1)} {
		require.Contains(t, b.forge(t, anna, b.lastMessage(t, anna).MessageID, data).Text, "earlier", data)
	}
	require.Equal(t, 5, b.refusals(t, anna))
	for _, data := range []string{"a_vpn_all_yes", "a_vpn_all_yes:1", "a_vpn_stop", "a_vpn_stop:x", "a_vpn_stop:0", strings.Replace(yes, "_all", "_stop", 1)} {
		require.Contains(t, b.forge(t, boss, m.MessageID, data).Text, "earlier", data)
	}
	_, err := b.db.Owner.Exec(b.ctx, `update account.draft set expires_at = drafted_at`)
	require.NoError(t, err)
	b.forge(t, boss, m.MessageID, yes)
	b.sees(t, boss, "this press did nothing")
	require.Zero(t, b.count(t, `select count(*)::int from vpn.reissue_request`))
	b.forge(t, boss, m.MessageID, "a_vpn_stop:999999")
	b.sees(t, boss, "Subscriptions in force")
}
