package processes_test

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/botapi/person"
)

// act is what somebody types or presses, and what the answer says.
type act struct{ typed, pressed, sees string }

// withdrawal takes 600 roubles out.
var withdrawal = []act{
	{pressed: "Запросить вывод", sees: "Сколько вывести?"},
	{typed: "600", sees: "Куда отправить деньги?"},
	{typed: "Т-Банк 2200 7007 0000 4321", sees: "Куда: ••••4321"},
	{pressed: "Всё верно", sees: "Вывести 600 ₽?"},
	{pressed: "Вывести деньги", sees: "ждёт администратора"},
}

// promo opens a purchase with a code.
var promo = []act{
	{pressed: "Ввести промокод", sees: "Напишите промокод"},
	{typed: "half", sees: "Промокод HALF: −50 %"},
	{pressed: "Базовый", sees: "Промокод HALF учтём на следующем экране"},
	{pressed: "1 месяц — 149 ₽", sees: "К оплате: 74,50 ₽ вместо 149 ₽"},
}

// enter makes somebody who looks at a screen from which a dialogue begins.
func (b *bundle) enter(ctx context.Context, id int, command, button, sees string) (*person.Person, error) {
	p, err := b.people.Ensure(ctx, botapi.Person{ID: int64(id), FirstName: fmt.Sprint("P", id), LanguageCode: "ru"})
	if err != nil {
		return nil, err
	}
	if err := b.do(ctx, p, act{typed: command}); err != nil {
		return nil, err
	}
	return p, b.do(ctx, p, act{pressed: button, sees: sees})
}

// do types or presses, and waits for the newest message to be the answer.
func (b *bundle) do(ctx context.Context, p *person.Person, a act) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if a.typed != "" {
		if _, err := p.Send(ctx, a.typed); err != nil {
			return err
		}
	} else if _, err := p.Press(ctx, a.pressed); err != nil {
		return err
	}
	// Not always in the last one: a bot that was killed may have answered, and the next answers once more.
	_, err := p.WaitMessage(ctx, func(m botapi.ChatMessage) bool { return m.IsOutgoing && strings.Contains(m.Text, a.sees) })
	if err != nil {
		return fmt.Errorf("%q %q: %w", a.typed, a.pressed, err)
	}
	return nil
}

func (b *bundle) held(id int) int {
	b.Helper()
	return b.One("wallet.balance", A{"p_telegram_id": id})["held_kopecks"].(int)
}

// TestAWithdrawalGoesOnWhereItsBotWasKilled kills the bot between any two steps of a withdrawal, with a second one beside
// it or started afterwards. The person goes on where they were: the same amount, one request.
func TestAWithdrawalGoesOnWhereItsBotWasKilled(t *testing.T) {
	for gap := range len(withdrawal) - 1 {
		for _, isBeside := range []bool{true, false} {
			t.Run(fmt.Sprintf("after step %d, a second bot runs %t", gap+1, isBeside), func(t *testing.T) {
				b := setup(t)
				first := b.start("bot")
				b.eventually("the first bot polls", func() bool { return first.said(`"msg":"leading"`) })
				if isBeside {
					b.start("bot")
				}
				p, err := b.enter(t.Context(), anna, "/profile", "Вывести", "одновременно только одна")
				require.NoError(t, err)
				for i, a := range withdrawal {
					require.NoError(t, b.do(t.Context(), p, a))
					if i != gap {
						continue
					}
					require.NoError(t, first.Process.Signal(syscall.SIGKILL))
					first.end()
					if !isBeside {
						b.start("bot")
					}
				}
				require.Equal(t, 60000, b.held(anna))
				require.Equal(t, 1, b.count("withdrawal.withdrawal where status = 'pending' and amount_kopecks = 60000"))
			})
		}
	}
}

// TestAnAnswerIsNotTakenTwice kills a bot that has taken the amount and not yet asked for the requisites. The next bot
// gets the same words once more, asks the question that was not seen, and does not take an amount for requisites.
func TestAnAnswerIsNotTakenTwice(t *testing.T) {
	b := setup(t)
	first := b.start("bot")
	p, err := b.enter(t.Context(), anna, "/profile", "Вывести", "одновременно только одна")
	require.NoError(t, err)
	require.NoError(t, b.do(t.Context(), p, withdrawal[0]))
	require.NoError(t, b.people.AddFault(t.Context(), botapi.Fault{Method: "sendMessage", Action: "delay", DelayMS: 60000, Count: 1}))
	_, err = p.Send(t.Context(), "600.50")
	require.NoError(t, err)
	key := fmt.Sprintf("atlas:local:dialogue:{%d}", anna)
	b.eventually("the amount is taken", func() bool {
		kept, _ := b.redis.Client.Get(t.Context(), key).Result()
		return strings.Contains(kept, `"step":"requisites"`)
	})
	require.NoError(t, first.Process.Signal(syscall.SIGKILL))
	first.end()
	b.owner.Later("31 seconds") // its lease is over
	b.start("bot")
	b.until("the words are worked off by the second", "select count(*) = 1 from inbox.update where attempt = 2 and finished_at is not null")
	require.NoError(t, b.do(t.Context(), p, act{typed: "1234", sees: "Это не похоже на реквизиты"}))
	view, err := p.Chat(t.Context())
	require.NoError(t, err)
	require.Contains(t, person.Transcript(view), "600,50 ₽; на балансе останется")
	require.NotContains(t, person.Transcript(view), "Куда: ")
	for _, a := range withdrawal[2:] {
		a.sees = strings.ReplaceAll(a.sees, "600 ₽", "600,50 ₽")
		require.NoError(t, b.do(t.Context(), p, a))
	}
	require.Equal(t, 60050, b.held(anna))
	require.Equal(t, 1, b.count("withdrawal.draft"))
}

// TestH3RedisIsEmptiedInADialogue empties Redis while fifty people stand at every step of two dialogues with two bots.
// Whatever they do next is answered with a word that it has to begin anew, no money moves, and beginning anew works.
func TestH3RedisIsEmptiedInADialogue(t *testing.T) {
	b := setup(t)
	b.One("promo.issue", A{"p_admin_id": boss, "p_code": "HALF", "p_discount_percent": 50, "p_max_uses": nil,
		"p_per_user_limit": 1, "p_expires_at": nil, "p_idempotency_key": "half"})
	b.start("bot")
	b.start("bot")
	const people, first = 50, 2000
	type stand struct {
		person *person.Person
		script []act
		at     int // how many acts are done
	}
	stands := make([]stand, people)
	for i := range stands {
		b.User(first + i)
		b.One("account.set_language", A{"p_telegram_id": first + i, "p_language": "ru"})
		b.Credit(first+i, 100000)
	}
	begin := func(ctx context.Context, i int) (stand, error) {
		s := stand{script: withdrawal}
		var err error
		if i%2 == 0 {
			s.person, err = b.enter(ctx, first+i, "/profile", "Вывести", "одновременно только одна")
		} else {
			s.script = promo
			s.person, err = b.enter(ctx, first+i, "/start", "Купить VPN", "Выберите тариф")
		}
		return s, err
	}
	var crowd errgroup.Group
	crowd.SetLimit(people / 5)
	for i := range stands {
		crowd.Go(func() error {
			s, err := begin(t.Context(), i)
			s.at = 1 + i/2%(len(s.script)-1)
			for _, a := range s.script[:s.at] {
				if err == nil {
					err = b.do(t.Context(), s.person, a)
				}
			}
			stands[i] = s
			return err
		})
	}
	require.NoError(t, crowd.Wait())
	require.NoError(t, b.redis.Client.FlushAll(t.Context()).Err())

	for _, s := range stands {
		crowd.Go(func() error {
			next := s.script[s.at]
			next.sees = "Давайте начнём заново"
			if next.typed != "" { // nothing says that these words were an answer
				next.sees = "начните заново из меню"
			}
			return b.do(t.Context(), s.person, next)
		})
	}
	require.NoError(t, crowd.Wait())
	for _, table := range []string{"withdrawal.withdrawal", "billing.purchase", "promo.use", "ledger.transfer where reason <> 'admin_credit'"} {
		require.Zero(t, b.count(table), table)
	}

	for i := range 10 {
		crowd.Go(func() error {
			s, err := begin(t.Context(), i)
			for _, a := range s.script {
				if err == nil {
					err = b.do(t.Context(), s.person, a)
				}
			}
			return err
		})
	}
	require.NoError(t, crowd.Wait())
	require.Equal(t, 5, b.count("withdrawal.withdrawal where amount_kopecks = 60000"))
	require.Equal(t, 5, b.count("promo.use"))
}
