package e2e

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"atlas-secure/internal/sandbox/panel"
)

// The two who are on the page from the start.
const (
	anna  = 100_001
	boris = 100_002
)

// TestBrowserControlPanel sees the whole system work on the page: people and an admin side by side, the VPN node broken and
// mended, days that pass, and the books through all of it.
func TestBrowserControlPanel(t *testing.T) {
	t.Parallel()
	b := setupAlone(t, "panel")
	shots := newAlbum(t)
	t.Run("desktop", func(t *testing.T) {
		b := b.in(t)
		p := openPage(b, visit{name: "panel", width: 1280, height: 860}, shots)
		p.beginsSideBySide()
		p.breaksAndMendsTheNode()
		p.paysAnInvoice()
		p.receivesADocument()
		p.letsTimePass()
		p.killsTheBot()
		p.showsWhoIsHidden()
		p.saysWhenTheDatabaseIsAway()
	})
	t.Run("phone", func(t *testing.T) {
		b := b.in(t)
		p := openPage(b, visit{name: "panel-phone", width: 390, height: 844, isPhone: true, isDark: true}, shots)
		p.usesThePanelOnAPhone()
	})
	b.reconciled()
}

// as lets the next steps be somebody's.
func (p *page) as(id int64) *page {
	p.person = id
	return p
}

func (p *page) testid(name string) string { return fmt.Sprintf(`//*[@data-testid="%s"]`, name) }

func (p *page) waits(path string) {
	p.Helper()
	p.do("wait for "+path, chromedp.WaitVisible(path))
}

// orders presses a service's button and waits until the page shows the state.
func (p *page) orders(name string, action panel.Action, state string) {
	p.Helper()
	p.click(p.testid("service-"+name) + fmt.Sprintf(`//button[@data-action="%s"]`, action))
	p.waits(fmt.Sprintf(`//*[@data-testid="service-%s"][@data-state="%s"]`, name, state))
}

// passes presses a button that lets time pass, and waits until it has.
func (p *page) passes(by time.Duration) {
	p.Helper()
	p.click(fmt.Sprintf(`//button[@data-testid="advance"][@data-seconds="%d"]`, int(by.Seconds())))
	p.waits(`//*[@data-testid="clock-result"][contains(., "Moved on by")]`)
}

func (p *page) balances() {
	p.Helper()
	p.waits(`//*[@data-testid="books"][contains(., "Books balance")]`)
}

func (p *page) beginsSideBySide() {
	p.Helper()
	p.waits(p.testid("service-bot"))
	p.waits(p.testid(fmt.Sprintf("chat-%d", anna)))
	p.waits(p.testid(fmt.Sprintf("chat-%d", boris)))
	p.balances()
	p.as(boris).click(p.inChat(`//button[@data-testid="start"]`))
	p.sees("Choose your language")
	p.press("English", "this is Atlas Secure")
	p.as(anna).click(p.inChat(`//button[@data-testid="start"]`))
	p.sees("Choose your language")
	p.press("Русский", "это Atlas Secure")
	p.shot("side by side")
	p.credit(anna, pocket)
	p.waits(`//*[@data-testid="transfer"][@data-reason="admin_credit"][contains(., "Anna")]`)
}

// A purchase while the VPN node is down is paid, and its key comes when the node is mended.
func (p *page) breaksAndMendsTheNode() {
	p.Helper()
	p.orders("vpnnode", panel.Stop, panel.Stopped)
	p.as(anna).press("Купить VPN", "Выберите тариф")
	p.press("Базовый", "На какой срок")
	p.press("1 месяц", "Ваш баланс: 500")
	p.press("Оплатить с баланса", "На балансе осталось 351")
	p.sees("Ключ придёт сюда автоматически")
	p.waits(`//*[@data-testid="transfer"][@data-reason="purchase"][contains(., "149")]`)
	p.waits(`//*[@data-testid="queues"]/summary[contains(., "waiting")]`)
	p.shot("bought while the node is down")
	p.as(boris).sees("No answer: the VPN node")
	p.balances()

	p.orders("vpnnode", panel.Start, panel.Up)
	p.as(anna).sees("Ключ готов!")
	p.hasPicture("Ключ готов!")
	p.waits(`//*[@data-testid="queues"]/summary[contains(., "nothing waits")]`)
	p.shot("mended, the key has come")
}

// A bank that declines takes nothing; paid in Stars, the subscription is renewed.
func (p *page) paysAnInvoice() {
	p.Helper()
	p.as(anna).types("/buy")
	p.sees("Выберите тариф")
	p.press("Базовый", "На какой срок")
	p.press("1 месяц", "Ваш баланс: 351")
	p.click(p.inChat(`(//*[@data-testid="button"][contains(., "Stars")])[last()]`))
	p.waits(p.inChat(p.testid("invoice")))
	p.shot("invoice")
	p.click(p.inChat(`(//button[@data-testid="pay"])[last()]`))
	p.click(p.testid("pay-decline"))
	p.waits(`//*[@data-testid="pay-status"][contains(., "The bank declined")]`)
	p.shot("declined")
	p.click(p.testid("pay-confirm"))
	p.sees("You paid ★")
	p.waits(`//*[@data-testid="transfer"][@data-reason="provider_purchase"]`)
	p.do("wait until the dialog is closed", chromedp.WaitNotVisible(p.testid("pay-dialog")))
	p.shot("paid")
	p.balances()
}

// A file that the bot sends is to be saved under its own name.
func (p *page) receivesADocument() {
	p.Helper()
	content := "telegram_id;имя\n100001;Анна\n"
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	require.NoError(p, form.WriteField("chat_id", strconv.Itoa(boris)))
	require.NoError(p, form.WriteField("caption", "Users: 1"))
	part, err := form.CreateFormFile("document", "users-2026-11-28.csv")
	require.NoError(p, err)
	_, err = io.WriteString(part, content)
	require.NoError(p, err)
	require.NoError(p, form.Close())
	response, err := http.Post(p.sandbox.HTTP.Chat+"/bot"+p.sandbox.BotToken+"/sendDocument", form.FormDataContentType(), &body)
	require.NoError(p, err)
	require.NoError(p, response.Body.Close())
	require.Equal(p, http.StatusOK, response.StatusCode)

	link := p.as(boris).inChat(`//a[@data-testid="document"]`)
	p.waits(link)
	name, err := chromedp.Run(p.tab, chromedp.AttributeValue(link, "download"))
	require.NoError(p, err)
	require.Equal(p, "users-2026-11-28.csv", name.Value)
	saved, err := chromedp.Run(p.tab, chromedp.Evaluate[string](
		`fetch(document.querySelector('[data-testid=document]').href).then((answer) => answer.text())`, chromedp.EvalAwaitPromise))
	require.NoError(p, err)
	require.Equal(p, content, saved)
	p.shot("a document")
}

// Four days of a trial, and the month that was bought.
func (p *page) letsTimePass() {
	p.Helper()
	p.addPerson("Вера", "ru")
	vera := p.person
	p.click(p.inChat(`//button[@data-testid="start"]`))
	p.sees("Choose your language")
	p.press("Русский", "это Atlas Secure")
	p.One("subscription.start_trial", A{"p_telegram_id": int(vera), "p_idempotency_key": "trial"})
	p.sees("Ключ готов!")
	p.waits(p.testid(fmt.Sprintf("chat-%d", boris))) // the admin's stays beside hers
	p.shot("a trial begins")
	p.passes(4 * 24 * time.Hour)
	p.sees("Пробный период скоро закончится")
	p.sees("Пробный период закончился")
	p.waits(`//*[@data-testid="ahead"][contains(., "ahead of this machine")]`)
	p.shot("four days later")

	p.click(p.testid(fmt.Sprintf("tab-%d", anna)))
	p.do("let 60 days pass", chromedp.SetValue(chromedp.CSS(`[data-testid="advance-amount"]`), "60")) // she has renewed
	p.click(p.testid("advance-typed"))
	p.waits(`//*[@data-testid="clock-result"][contains(., "Moved on by 60 days")]`)
	p.as(anna).sees("Через три дня закончится подписка")
	p.sees("Подписка «Базовый» закончилась")
	p.balances()
	p.shot("a month later")
}

func (p *page) killsTheBot() {
	p.Helper()
	before := p.sandbox.pid("bot")
	p.click(p.testid("service-bot") + `//button[@data-action="kill"]`)
	p.eventually("another bot runs", func() error {
		if now := p.sandbox.pid("bot"); now == before || !isRunning(now) {
			return fmt.Errorf("process %d", now)
		}
		return nil
	})
	p.types("/profile")
	p.sees("Баланс: 351")
}

// A chat for which there is no room says that there is news.
func (p *page) showsWhoIsHidden() {
	p.Helper()
	vera := p.customerCalled("Вера")
	hidden := fmt.Sprintf(`//*[@data-testid="chat-%d"]`, vera.ID)
	p.do("wait until Vera's chat is hidden", chromedp.WaitNotVisible(hidden))
	require.NoError(p, vera.say("/help").err)
	p.waits(fmt.Sprintf(`//*[@data-testid="tab-%d"]//*[@data-testid="unread"]`, vera.ID))
	p.click(p.testid(fmt.Sprintf("tab-%d", vera.ID)))
	p.waits(hidden)
	p.do("wait until it is read", chromedp.WaitNotPresent(p.testid("unread")))
}

func (p *page) saysWhenTheDatabaseIsAway() {
	p.Helper()
	for _, name := range []string{"components", "queues", "jobs", "letters"} {
		p.click(p.testid(name) + `/summary`)
	}
	p.waits(p.testid("jobs") + `//li[contains(., "vpn.provision")]`)
	p.shot("everything unfolded")
	p.click(p.testid("service-postgres") + `//button[@data-action="stop"]`)
	p.waits(`//*[@data-testid="panel-trouble"][contains(., "does not answer")]`)
	p.waits(`//*[@data-testid="books"][contains(., "no answer")]`)
	p.shotOf(p.tab, "the database is away") // of which the browser complains
	p.click(p.testid("service-postgres") + `//button[@data-action="start"]`)
	p.balances()
	p.forgetConnections()
}

func (p *page) usesThePanelOnAPhone() {
	p.Helper()
	p.balances()
	p.shot("chats")
	p.click(p.testid("panel-toggle"))
	p.waits(p.testid("clock"))
	p.shot("panel")
	p.orders("telegram", panel.Flood, string(panel.Flood))
	p.shot("Telegram answers 429")
	p.orders("telegram", panel.Mend, panel.Up)
	p.passes(time.Hour)
	p.shot("an hour later")
	p.click(`(//*[@data-testid="transfer"]//button)[1]`)
	p.do("wait until the panel is away", chromedp.WaitNotVisible(p.testid("panel")))
	p.as(anna).waits(p.inChat(`//textarea[@data-testid="composer-input"]`))
	p.types("/profile")
	p.sees("Баланс: 351")
	p.shot("back in a chat")
}

// customerCalled is who goes by the name.
func (p *page) customerCalled(name string) *customer {
	p.Helper()
	people, err := p.people.People(p.ctx)
	require.NoError(p, err)
	for _, one := range people {
		if one.FirstName == name {
			return &customer{Person: one, ctx: p.ctx}
		}
	}
	p.Fatalf("nobody is called %s", name)
	return nil
}
