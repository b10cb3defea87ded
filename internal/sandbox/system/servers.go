package system

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"atlas-secure/internal/pay/cryptobot"
	"atlas-secure/internal/sandbox/botapi"
	"atlas-secure/internal/sandbox/chat"
	"atlas-secure/internal/sandbox/cryptopay"
	"atlas-secure/internal/sandbox/panel"
)

// Person is somebody who is on the chat page from the start.
type Person struct {
	ID       int64
	Name     string
	Username string
	Language string
	IsAdmin  bool
}

// People are the first two; more can be added on the page.
func People() []Person {
	return []Person{
		{ID: 100001, Name: "Anna", Username: "anna", Language: "ru"},
		{ID: 100002, Name: "Boris", Username: "boris", Language: "en", IsAdmin: true},
	}
}

const headerTimeout = 10 * time.Second

// outside is the outside world: Telegram with its people, and Crypto Pay.
type outside struct {
	bots    *botapi.Server
	crypto  *cryptopay.Server
	servers []*http.Server
	failed  chan error
}

// openOutside starts both fakes, the chat page and the control panel on their listeners.
func openOutside(
	opts *Options, info *Info, log *slog.Logger, m *machine, chats, invoices net.Listener,
) (_ *outside, err error) {
	o := &outside{failed: make(chan error, 2)}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.close(context.Background()))
		}
	}()
	o.crypto, err = cryptopay.New(cryptopay.Options{
		StateDir: opts.path(cryptoPayDir), Token: info.CryptoPayToken, BaseURL: info.HTTP.CryptoPay,
		WebhookURL: info.HTTP.Bot + cryptobot.Path, Logger: log, Now: m.clock.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("the fake Crypto Pay: %w", err)
	}
	people := People()
	ids := make([]int64, 0, len(people))
	for _, person := range people {
		ids = append(ids, person.ID)
	}
	links := []chat.Link{
		{Name: "Invoices", URL: info.HTTP.CryptoPay}, {Name: "API", URL: "/api/"}, {Name: "Panel API", URL: "/panel/"},
		{Name: "Bot", URL: info.HTTP.Bot + "/metrics"}, {Name: "Worker", URL: info.HTTP.Worker + "/metrics"},
	}
	pages := http.NewServeMux()
	pages.Handle("/panel/", panel.Handler(m))
	pages.Handle("/", chat.Handler(chat.Options{People: ids, Links: links, HasPanel: true}))
	o.bots, err = botapi.New(botapi.Options{
		StateDir: opts.path(chatsDir), Logger: log, Now: m.clock.Now,
		Bots:     []botapi.Bot{{Token: info.BotToken, Username: "atlas_secure_bot", FirstName: "Atlas Secure"}},
		Fallback: pages,
		Links:    map[string]string{"cryptopay": info.HTTP.CryptoPay, "bot": info.HTTP.Bot, "worker": info.HTTP.Worker},
	})
	if err != nil {
		return nil, fmt.Errorf("the Bot API emulator: %w", err)
	}
	for _, person := range people {
		if _, err := o.bots.EnsurePerson(botapi.Person{
			ID: person.ID, FirstName: person.Name, Username: person.Username, LanguageCode: person.Language,
			IsAdmin: person.IsAdmin,
		}); err != nil {
			return nil, fmt.Errorf("the chat page's people: %w", err)
		}
	}
	m.others = []*other{cryptoPayModes(o.crypto), telegramModes(o.bots)}
	o.serve(chats, panel.Guard(o.bots))
	o.serve(invoices, o.crypto)
	return o, nil
}

func (o *outside) serve(listener net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout}
	o.servers = append(o.servers, server)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			o.failed <- fmt.Errorf("the HTTP server at %s: %w", listener.Addr(), err)
		}
	}()
}

// close ends the long polls first, then the servers.
func (o *outside) close(ctx context.Context) error {
	var problems []error
	if o.bots != nil {
		problems = append(problems, o.bots.Close())
	}
	for _, server := range o.servers {
		problems = append(problems, server.Shutdown(ctx))
	}
	if o.crypto != nil {
		problems = append(problems, o.crypto.Close())
	}
	return errors.Join(problems...)
}
