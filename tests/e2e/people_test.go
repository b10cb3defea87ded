package e2e

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
)

// The prices of the plan that everybody here buys, and what they get first, in kopecks.
const (
	basicMonth = 14900
	pocket     = 50000
)

// lastPerson numbers people, so that tests do not meet each other's.
var lastPerson atomic.Int64

func init() { lastPerson.Store(600_000) }

// customer is somebody who talks with the bot in English. Its methods do nothing after the first error, which err keeps,
// so that a conversation is one chain; they may be called from any goroutine, but not from two at once.
type customer struct {
	*person.Person
	ctx context.Context
	err error
}

// newCustomer makes a person in the sandbox who has never talked with the bot.
func (b *bundle) newCustomer(name, language string) *customer {
	b.Helper()
	made, err := b.people.Ensure(b.ctx, botapi.Person{
		ID: lastPerson.Add(1), FirstName: name, LanguageCode: language,
	})
	require.NoError(b, err)
	return &customer{Person: made, ctx: b.ctx}
}

// id is the person's number as SQL takes it.
func (c *customer) id() int { return int(c.ID) }

// then runs a step, unless an earlier one failed.
func (c *customer) then(what string, step func() error) *customer {
	if c.err != nil {
		return c
	}
	if err := step(); err != nil {
		c.err = fmt.Errorf("%s %s: %w", c.FirstName, what, err)
	}
	return c
}

// say writes to the bot.
func (c *customer) say(text string) *customer {
	return c.then("says "+text, func() error {
		_, err := c.Send(c.ctx, text)
		return err
	})
}

// press presses the newest button that is called so, once there is one, and waits for the bot's answer.
func (c *customer) press(label string) *customer {
	return c.then("presses "+label, func() error {
		answer, err := c.Press(c.ctx, label)
		if err == nil && !answer.IsAnswered {
			err = fmt.Errorf("no answer to the button")
		}
		return err
	})
}

// sees waits for a message of the bot with this in its text.
func (c *customer) sees(part string) *customer {
	return c.then("sees "+part, func() error {
		_, err := c.WaitText(c.ctx, part)
		return err
	})
}

// meet is the first conversation: the bot asks for a language and shows its menu.
func (c *customer) meet() *customer {
	return c.say("/start").press("English").sees("this is Atlas Secure")
}

// choose leads to the confirm screen of a month of basic.
func (c *customer) choose() *customer {
	return c.say("/buy").press("Basic").press("1 month").sees("Your balance")
}

// payButton finds the button that pays from the balance: it carries the purchase's id and nothing else.
func (c *customer) payButton() (message int, data string) {
	c.then("looks for the Pay button", func() error {
		var button botapi.Button
		m, err := c.WaitMessage(c.ctx, func(m botapi.ChatMessage) (found bool) {
			button, found = person.FindButton(m, "Pay from the balance")
			return found
		})
		message, data = m.MessageID, button.CallbackData
		return err
	})
	return message, data
}

// waitKey waits for the message that brings the key, and gives the key.
func (c *customer) waitKey() (key string) {
	c.then("gets the key", func() error {
		m, err := c.WaitText(c.ctx, "Your key is ready")
		if err != nil {
			return err
		}
		key = keyIn(m)
		if key == "" || len(m.Photo) == 0 {
			return fmt.Errorf("a key message without key or picture: %q", m.Caption)
		}
		return nil
	})
	return key
}

// keyIn is the key that a message shows: the only thing in it that is marked as code.
func keyIn(m botapi.ChatMessage) string {
	text, entities := m.Text, m.Entities
	if text == "" {
		text, entities = m.Caption, m.CaptionEntities
	}
	for _, entity := range entities {
		if entity.Type == "code" {
			return utf16Slice(text, entity.Offset, entity.Length)
		}
	}
	return ""
}

// tapOnce presses a button without waiting for the bot.
func (c *customer) tapOnce(message int, data string) error {
	_, err := c.Tap(c.ctx, person.Tap{MessageID: message, Data: data})
	return err
}

// rich makes a customer who has met the bot and has money.
func (b *bundle) rich(name string) *customer {
	b.Helper()
	c := b.newCustomer(name, "en")
	require.NoError(b, c.meet().err)
	b.credit(c.id(), pocket)
	return c
}

// crowd makes several people who all stand before the Pay button, at the same time.
func (b *bundle) crowd(names string, count int) []*customer {
	b.Helper()
	crowd := make([]*customer, count)
	for i := range crowd {
		crowd[i] = b.newCustomer(fmt.Sprintf("%s %d", names, i), "en")
	}
	var steps errgroup.Group
	for _, c := range crowd {
		steps.Go(func() error { return c.meet().err })
	}
	require.NoError(b, steps.Wait())
	for _, c := range crowd {
		b.credit(c.id(), pocket)
		steps.Go(func() error { return c.choose().err })
	}
	require.NoError(b, steps.Wait())
	return crowd
}

// paidOnce checks that exactly one month was paid for and delivered: in the books, at the node and in the chat.
func (b *bundle) paidOnce(c *customer) {
	b.Helper()
	require.Equal(b, pocket-basicMonth, b.One("wallet.balance", A{"p_telegram_id": c.id()})["available_kopecks"], c.FirstName)
	var charges []Row
	for _, line := range b.All("wallet.statement", A{"p_telegram_id": c.id(), "p_limit": 100, "p_before_version": nil}) {
		if line["reason"] == "purchase" {
			charges = append(charges, line)
		}
	}
	require.Len(b, charges, 1, c.FirstName)
	require.Equal(b, -basicMonth, charges[0]["amount_kopecks"])

	current := b.One("subscription.current", A{"p_telegram_id": c.id()})
	require.Equal(b, "active", current["status"], c.FirstName)
	require.Equal(b, "basic", current["tariff"])
	paidAt, expiresAt := charges[0]["created_at"].(time.Time), current["expires_at"].(time.Time)
	require.WithinDuration(b, paidAt.AddDate(0, 1, 0), expiresAt, 4*24*time.Hour, "%s has one period", c.FirstName)
}

// keyArrives waits until the key is in the chat and at the node.
func (b *bundle) keyArrives(c *customer) {
	b.Helper()
	key := c.waitKey()
	require.NoError(b, c.err)
	current := b.One("subscription.current", A{"p_telegram_id": c.id()})
	require.Equal(b, "active", current["activation"], c.FirstName)
	require.Equal(b, key, current["key_uri"], "%s has the key that the database knows", c.FirstName)
	require.Contains(b, b.nodeUsers(), current["vpn_uuid"], "%s is at the node", c.FirstName)
}

// all runs a step for everybody at once.
func all(t testing.TB, crowd []*customer, step func(c *customer) error) {
	t.Helper()
	var steps errgroup.Group
	for _, c := range crowd {
		steps.Go(func() error { return step(c) })
	}
	require.NoError(t, steps.Wait())
}
