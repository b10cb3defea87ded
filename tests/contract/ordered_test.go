package contract_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/tests/contract/desk"
)

// between runs a call in a transaction that stays open, lets another session make a second one, and ends the first only
// when the second waits for it. It gives the second's answer.
func (b *bundle) between(first func(d *desk.Desk), second func(d *desk.Desk) ([]Row, error)) []Row {
	b.Helper()
	ctx := context.Background()
	one, err := b.harness.DBA.Begin(ctx)
	require.NoError(b, err)
	defer func() { _ = one.Rollback(ctx) }()
	first(b.On(b, one))

	other, err := b.harness.DBA.Acquire(ctx)
	require.NoError(b, err)
	defer other.Release()
	type answer struct {
		rows []Row
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		rows, err := second(b.On(b, other))
		answered <- answer{rows, err}
	}()
	b.waitsForLock(int(other.Conn().PgConn().PID()))
	require.NoError(b, one.Commit(ctx))
	a := <-answered
	require.NoError(b, a.err)
	return a.rows
}

// TestTheLastAttemptIsTakenOnce: whoever asks while another takes it waits, and then is too early.
func TestTheLastAttemptIsTakenOnce(t *testing.T) {
	b := setup(t)
	b.owner.At(time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC))
	take := A{"p_telegram_id": anna, "p_action": "payment"}
	for range 4 {
		require.Equal(t, Row{"wait_milliseconds": 0}, b.One("ops.take_attempt", take))
	}
	second := b.between(
		func(d *desk.Desk) { require.Equal(t, Row{"wait_milliseconds": 0}, d.One("ops.take_attempt", take)) },
		func(d *desk.Desk) ([]Row, error) { return d.Try("ops.take_attempt", take) })
	require.Equal(t, []Row{{"wait_milliseconds": 12000}}, second)
}

// TestTwoWorkersTakeOneBroadcastInTurn: the second goes on where the first was.
func TestTwoWorkersTakeOneBroadcastInTurn(t *testing.T) {
	b := setup(t)
	b.crowd(4)
	b.broadcast("1", "all")
	var first []Row
	second := b.between(
		func(d *desk.Desk) { first = d.All("broadcast.claim", desk.ClaimArgs("one", 3)) },
		func(d *desk.Desk) ([]Row, error) { return d.Try("broadcast.claim", desk.ClaimArgs("other", 3)) })
	require.Equal(t, []any{boss, anna, bert}, people(first))
	require.Equal(t, []any{2001, 2002, 2003}, people(second))
}

// TestAPauseHoldsAgainstAClaim: whoever asks for people while a broadcast is paused waits, and then gets nobody.
func TestAPauseHoldsAgainstAClaim(t *testing.T) {
	b := setup(t)
	id := b.broadcast("1", "all")
	second := b.between(
		func(d *desk.Desk) { d.One("broadcast.pause", moved(id)) },
		func(d *desk.Desk) ([]Row, error) { return d.Try("broadcast.claim", desk.ClaimArgs("w", 3)) })
	require.Empty(t, second)
}

// TestAPauseAndACancelMeet: what the pause finds is what the cancel left.
func TestAPauseAndACancelMeet(t *testing.T) {
	b := setup(t)
	id := b.broadcast("1", "all")
	ctx := context.Background()
	one, err := b.harness.DBA.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = one.Rollback(ctx) }()
	b.On(t, one).One("broadcast.cancel", moved(id))
	other, err := b.harness.DBA.Acquire(ctx)
	require.NoError(t, err)
	defer other.Release()
	refused := make(chan error, 1)
	go func() {
		_, err := b.On(t, other).Try("broadcast.pause", moved(id))
		refused <- err
	}()
	b.waitsForLock(int(other.Conn().PgConn().PID()))
	require.NoError(t, one.Commit(ctx))
	require.ErrorContains(t, <-refused, "BR002")
	require.Equal(t, "cancelled", b.progress(id)["status"])
}

// TestTwoAdminsMoveKeysSideBySide: whom one is moving the other passes by, and waits for nobody.
func TestTwoAdminsMoveKeysSideBySide(t *testing.T) {
	b := setup(t)
	b.Credit(bert, 50000)
	for _, user := range []int{anna, bert} {
		b.Buy(user, "basic", 1, "1")
	}
	b.placed("fi-1", "vless://a")
	b.placed("fi-1", "vless://b")
	b.drain("fi-1")
	move := func(limit int) A { return A{"p_admin_id": boss, "p_name": "fi-1", "p_limit": limit} }
	ctx := context.Background()
	one, err := b.harness.DBA.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = one.Rollback(ctx) }()
	require.Equal(t, 1, b.On(t, one).One("vpn.move_keys", move(1))["moved"])

	two, err := b.harness.DBA.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = two.Rollback(ctx) }()
	_, err = two.Exec(ctx, "set local lock_timeout = '1s'")
	require.NoError(t, err)
	require.Equal(t, 1, b.On(t, two).One("vpn.move_keys", move(10))["moved"])
	require.NoError(t, two.Commit(ctx))
	require.NoError(t, one.Commit(ctx))
	require.Equal(t, Row{"moved": 0, "keys": 0}, b.One("vpn.move_keys", move(10)))
	require.Equal(t, 4, b.count("outbox.task where kind = 'provision'"), "one new key each")
}
