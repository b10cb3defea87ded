package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
	"atlas-secure/internal/sandbox/panel"
)

// ask calls the panel's API and reads its answer; no body is a GET.
func (b *bundle) ask(path string, body, answer any) error {
	method, sent := http.MethodGet, []byte(nil)
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return err
		}
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(b.ctx, method, b.sandbox.HTTP.Chat+"/panel"+path, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %d %s", path, response.StatusCode, raw)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, answer)
}

// order does one of a service's actions.
func (b *bundle) order(name string, action panel.Action) {
	b.Helper()
	var services []panel.Service
	require.NoError(b, b.ask("/services/"+name, map[string]any{"action": action}, &services), "%s %s", name, action)
}

// advance moves the clock.
func (b *bundle) advance(by time.Duration) panel.Move {
	b.Helper()
	var move panel.Move
	require.NoError(b, b.ask("/clock", map[string]any{"advance_seconds": int(by.Seconds())}, &move))
	return move
}

// becomes waits until a service is in a state.
func (b *bundle) becomes(name, state string) {
	b.Helper()
	b.eventually(name+" is "+state, func() error {
		var services []panel.Service
		if err := b.ask("/services", nil, &services); err != nil {
			return err
		}
		for _, one := range services {
			if one.Name == name && one.State == state {
				return nil
			}
		}
		return fmt.Errorf("%v", services)
	})
}

// said are the bot's messages to a person, the oldest first.
func (b *bundle) said(c *customer) []botapi.ChatMessage {
	b.Helper()
	view, err := c.Chat(c.ctx)
	require.NoError(b, err)
	var said []botapi.ChatMessage
	for _, m := range view.Messages {
		if m.IsOutgoing {
			said = append(said, m)
		}
	}
	return said
}

// TestPanelThroughItsAPI breaks and mends each part, and lets days pass, as a script does.
func TestPanelThroughItsAPI(t *testing.T) {
	t.Parallel()
	b := setupAlone(t, "api")
	for _, step := range []struct {
		name string
		test func(*bundle)
	}{
		{"processes", (*bundle).breaksProcesses},
		{"servers", (*bundle).breaksServers},
		{"telegram", (*bundle).breaksTelegram},
		{"clock", (*bundle).letsDaysPass},
		{"crypto pay", (*bundle).breaksCryptoPay}, // by a clock that is weeks ahead
	} {
		t.Run(step.name, func(t *testing.T) { step.test(b.in(t)) })
	}
	var books panel.Books
	require.NoError(t, b.ask("/books", nil, &books))
	require.True(t, books.IsBalanced, books.Rows)
}

// Whatever is stopped, frozen or killed: what was said meanwhile is answered when it is back.
func (b *bundle) breaksProcesses() {
	for _, name := range []string{"bot", "worker", "vpnnode"} {
		buyer := b.rich("At the " + name)
		require.NoError(b, buyer.choose().err)
		message, pay := buyer.payButton()
		before := b.sandbox.pid(name)
		b.order(name, panel.Stop)
		b.becomes(name, panel.Stopped)
		require.Zero(b, b.sandbox.pid(name))
		require.False(b, isRunning(before))
		require.NoError(b, buyer.tapOnce(message, pay))
		b.order(name, panel.Start)
		b.keyArrives(buyer)
		b.paidOnce(buyer)

		b.order(name, panel.Freeze)
		b.becomes(name, panel.Frozen)
		b.order(name, panel.Continue)
		b.order(name, panel.Kill)
		b.becomes(name, panel.Up)
		require.NotEqual(b, before, b.sandbox.pid(name))
	}
	var services []panel.Service
	require.ErrorContains(b, b.ask("/services/nobody", map[string]any{"action": "stop"}, &services), "404")
	require.ErrorContains(b, b.ask("/services/bot", map[string]any{"action": "start"}, &services), "409")
	require.ErrorContains(b, b.ask("/services/bot", map[string]any{"action": "mend"}, &services), "400")
	require.ErrorContains(b, b.ask("/services/telegram", map[string]any{"action": "kill"}, &services), "409")
}

func (b *bundle) breaksServers() {
	b.order("redis", panel.Stop)
	without := b.rich("Without Redis")
	require.NoError(b, without.choose().press("Pay from the balance").err)
	b.keyArrives(without)
	b.order("redis", panel.Start)
	b.becomes("redis", panel.Up)

	b.order("postgres", panel.Freeze)
	var books panel.Books
	require.ErrorContains(b, b.ask("/books", nil, &books), "503")
	b.order("postgres", panel.Continue)
	b.eventually("the database answers", func() error { return b.ask("/books", nil, &books) })
	b.order("postgres", panel.Kill)
	b.becomes("postgres", panel.Up)
	b.forgetConnections()
	after := b.rich("After the crash")
	require.NoError(b, after.choose().press("Pay from the balance").err)
	b.keyArrives(after)
}

func (b *bundle) breaksCryptoPay() {
	buyer := b.newCustomer("Crypto", "en")
	require.NoError(b, buyer.meet().err)
	b.order("cryptopay", panel.Errors)
	require.NoError(b, buyer.say("/profile").press("Top up").press("250").press("Crypto").sees("does not answer right now").err)
	b.order("cryptopay", panel.LoseHooks)
	require.NoError(b, buyer.say("/profile").press("Top up").press("250").press("Crypto").sees("Open the invoice").err)
	m, err := buyer.WaitMessage(b.ctx, func(m botapi.ChatMessage) bool {
		_, found := person.FindButton(m, "Go to payment")
		return found
	})
	require.NoError(b, err)
	link, _ := person.FindButton(m, "Go to payment")
	response, err := http.Post(link.URL, "application/x-www-form-urlencoded", http.NoBody)
	require.NoError(b, err)
	require.NoError(b, response.Body.Close())
	require.NoError(b, buyer.sees("250 ₽ added").err, "the worker asks")
	b.order("cryptopay", panel.Mend)
	b.becomes("cryptopay", panel.Up)
}

func (b *bundle) breaksTelegram() {
	for _, mode := range []panel.Action{panel.Errors, panel.Flood, panel.Silence, panel.LoseReply, panel.Duplicates} {
		buyer := b.rich("Telegram: " + string(mode))
		require.NoError(b, buyer.choose().err)
		message, pay := buyer.payButton()
		b.order("telegram", mode)
		b.becomes("telegram", string(mode))
		require.NoError(b, buyer.tapOnce(message, pay))
		if mode != panel.Errors { // then the bot is not told of the press
			b.eventually("it is paid", func() error {
				if b.One("wallet.balance", A{"p_telegram_id": buyer.id()})["available_kopecks"] == pocket {
					return errors.New("not yet")
				}
				return nil
			})
		}
		b.order("telegram", panel.Mend)
		b.becomes("telegram", panel.Up)
		b.keyArrives(buyer)
		b.paidOnce(buyer)
	}
}

// Days pass as they would: each message once, at its time, with the clock of the chat where the database's is.
func (b *bundle) letsDaysPass() {
	guest, buyer := b.newCustomer("Guest", "en"), b.rich("Buyer")
	require.NoError(b, guest.meet().err)
	b.One("subscription.start_trial", A{"p_telegram_id": guest.id(), "p_idempotency_key": "trial"})
	guest.waitKey()
	require.NoError(b, guest.err)
	require.NoError(b, buyer.choose().press("Pay from the balance").err)
	b.keyArrives(buyer)
	began := time.Now()
	identity := b.One("subscription.current", A{"p_telegram_id": guest.id()})["vpn_uuid"]
	require.Contains(b, b.nodeUsers(), identity)

	move := b.advance(4 * 24 * time.Hour)
	require.False(b, move.HasJumped, move.Why)
	require.GreaterOrEqual(b, move.Stops, 4)
	require.WithinDuration(b, began.Add(4*24*time.Hour), move.Now, time.Minute)
	require.NoError(b, guest.sees("trial is over").err)
	said := b.said(guest)
	hours := []float64{6, 48, 66, 72} // of the trial's messages
	require.GreaterOrEqual(b, len(said), len(hours))
	for i, m := range said[len(said)-len(hours):] {
		require.InDelta(b, hours[i], time.Unix(m.Date, 0).Sub(began).Hours(), 0.5, m.Text)
	}
	require.Equal(b, "expired", b.One("subscription.current", A{"p_telegram_id": guest.id()})["status"])
	require.NotContains(b, b.nodeUsers(), identity)

	move = b.advance(28 * 24 * time.Hour)
	require.False(b, move.HasJumped, move.Why)
	for _, part := range []string{"three days", "24 hours", "three hours", "subscription has ended"} {
		require.NoError(b, buyer.sees(part).err)
	}
	require.Equal(b, "expired", b.One("subscription.current", A{"p_telegram_id": buyer.id()})["status"])

	// Days on which nobody works are a jump.
	b.order("worker", panel.Stop)
	move = b.advance(2 * 24 * time.Hour)
	require.True(b, move.HasJumped)
	require.Equal(b, "no worker is at work", move.Why)
	b.order("worker", panel.Start)
	after := b.rich("After a month")
	require.NoError(b, after.choose().press("Pay from the balance").err)
	b.keyArrives(after)
	require.NoError(b, after.say("/profile").press("Top up").press("250").press("Crypto").sees("Open the invoice").err,
		"the invoice's time is counted by the database's clock")
	b.reconciled()
}
