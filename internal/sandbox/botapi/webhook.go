package botapi

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/pkg/errors"
)

// maxWebhookRetry bounds the wait between two deliveries.
const maxWebhookRetry = 30 * time.Second

var secretPattern = regexp.MustCompile(`^[A-Za-z0-9_-]*$`)

// webhook is where a bot's updates go.
type webhook struct {
	URL            string `json:"url,omitempty"`
	Secret         string `json:"secret,omitempty"`
	MaxConnections int    `json:"max_connections,omitempty"`
	LastErrorDate  int64  `json:"last_error_date,omitempty"`
	LastError      string `json:"last_error,omitempty"`
}

// delivery is a running webhook: updates of one chat go one after the other, chats beside each other.
type delivery struct {
	hook   webhook
	client *http.Client
	ctx    context.Context
	cancel context.CancelFunc
	busy   map[int64]bool // chats that wait for an answer or for their next try
	wait   map[int64]time.Duration
	turn   chan struct{} // one place: look again
}

// setWebhook is setWebhook and deleteWebhook: the latter, or an empty address, removes it.
func (s *Server) setWebhook(c *call) (any, error) {
	hook := webhook{}
	if c.method == "setwebhook" {
		hook.URL = c.args.text("url")
	}
	if hook.URL != "" {
		if err := checkWebhook(hook.URL); err != nil {
			return nil, err
		}
		hook.Secret = c.args.text("secret_token")
		if len(hook.Secret) > 256 {
			return nil, badRequest("secret token is too long")
		}
		if !secretPattern.MatchString(hook.Secret) {
			return nil, badRequest("secret token contains unallowed characters")
		}
		hook.MaxConnections = c.args.integer("max_connections", 40, 1, 100)
	}
	if err := c.allow(); err != nil {
		return nil, err
	}
	old := c.bot.Hook
	if c.args.bool("drop_pending_updates") {
		c.bot.forget(c.change, c.bot.NextUpdate)
	}
	c.note = webhookNote(old, hook)
	if hook.URL == old.URL && hook.Secret == old.Secret && hook.MaxConnections == old.MaxConnections {
		return true, nil
	}
	if hook.URL != "" && c.bot.poll != nil {
		c.bot.poll.stop(errPollByWebhook)
	}
	c.bot.Hook = hook
	c.saveBot(c.bot)
	s.stopWebhook(c.bot)
	s.startWebhook(c.bot)
	return true, nil
}

func webhookNote(old, hook webhook) string {
	switch {
	case hook.URL == "" && old.URL == "":
		return "Webhook is already deleted"
	case hook.URL == "":
		return "Webhook was deleted"
	case hook.URL == old.URL && hook.Secret == old.Secret && hook.MaxConnections == old.MaxConnections:
		return "Webhook is already set"
	}
	return "Webhook was set"
}

// checkWebhook wants https, as Telegram does, but lets plain http to this machine pass.
func checkWebhook(address string) error {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" {
		return badRequest("invalid webhook URL specified")
	}
	ip := net.ParseIP(parsed.Hostname())
	local := parsed.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	switch {
	case parsed.Scheme == "http" && local, parsed.Scheme == "https" && local:
		return nil
	case parsed.Scheme != "https":
		return badRequest("bad webhook: An HTTPS URL must be provided for webhook")
	case !slices.Contains([]string{"", "443", "80", "88", "8443"}, parsed.Port()):
		return badRequest("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
	}
	return nil
}

func (s *Server) getWebhookInfo(c *call) (any, error) {
	info := map[string]any{
		"url": c.bot.Hook.URL, "has_custom_certificate": false, "pending_update_count": len(c.bot.updates),
	}
	if c.bot.Hook.URL != "" {
		info["max_connections"] = c.bot.Hook.MaxConnections
	}
	if c.bot.Hook.LastErrorDate != 0 {
		info["last_error_date"], info["last_error_message"] = c.bot.Hook.LastErrorDate, c.bot.Hook.LastError
	}
	if len(c.bot.Allowed) > 0 {
		info["allowed_updates"] = c.bot.Allowed
	}
	return info, nil
}

// startWebhook begins the deliveries of a bot that has a webhook. Called with mu held.
func (s *Server) startWebhook(b *bot) {
	if b.Hook.URL == "" || s.closed {
		return
	}
	d := &delivery{
		hook: b.Hook, busy: map[int64]bool{}, wait: map[int64]time.Duration{}, turn: make(chan struct{}, 1),
		client: &http.Client{
			Timeout:       s.opts.WebhookTimeout,
			Transport:     &http.Transport{MaxIdleConnsPerHost: b.Hook.MaxConnections, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	d.ctx, d.cancel = context.WithCancel(s.ctx)
	b.delivery = d
	s.tasks.Go(func() { s.deliver(b, d) })
}

func (s *Server) stopWebhook(b *bot) {
	if b.delivery != nil {
		b.delivery.cancel()
		b.delivery = nil
	}
}

// deliver hands out the oldest update of every chat that is not busy, until the webhook is removed.
func (s *Server) deliver(b *bot, d *delivery) {
	defer d.client.CloseIdleConnections()
	for {
		s.mu.Lock()
		arrived := b.arrived
		for _, u := range b.updates {
			if len(d.busy) >= d.hook.MaxConnections {
				break
			}
			if !d.busy[u.Chat] {
				d.busy[u.Chat] = true
				s.tasks.Go(func() { s.deliverOne(b, d, u) })
			}
		}
		s.mu.Unlock()
		select {
		case <-d.ctx.Done():
			return
		case <-arrived:
		case <-d.turn:
		}
	}
}

// deliverOne posts one update and then frees its chat: after a failure only when the wait is over.
func (s *Server) deliverOne(b *bot, d *delivery, u *update) {
	var failure error
	for range 1 + u.copies() {
		if failure = d.post(u); failure != nil {
			break
		}
	}
	if d.ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	c := s.newChange()
	var pause time.Duration
	if failure == nil {
		delete(d.wait, u.Chat)
		b.delivered(c, u)
	} else {
		pause = min(max(2*d.wait[u.Chat], s.opts.WebhookRetry), maxWebhookRetry)
		d.wait[u.Chat] = pause
		b.Hook.LastErrorDate, b.Hook.LastError = s.now(), failure.Error()
		c.saveBot(b)
	}
	if err := s.commit(c); err != nil {
		s.log.Error("delivery not recorded", "operation", "webhook", "error", err)
	}
	s.mu.Unlock()

	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-d.ctx.Done():
		return
	case <-timer.C:
	}
	s.mu.Lock()
	delete(d.busy, u.Chat)
	s.mu.Unlock()
	select {
	case d.turn <- struct{}{}:
	default: // it will look anyway
	}
}

// delivered removes one update; others before it may still be on their way.
func (b *bot) delivered(c *change, u *update) {
	b.updates = slices.DeleteFunc(b.updates, func(other *update) bool { return other.ID == u.ID })
	b.Confirmed = max(b.Confirmed, u.ID)
	c.drop(updateRecord(b, u.ID))
	c.saveBot(b)
}

func (d *delivery) post(u *update) error {
	request, err := http.NewRequestWithContext(d.ctx, http.MethodPost, d.hook.URL, bytes.NewReader(u.wire()))
	if err != nil {
		return errors.Wrap(err, "make webhook request")
	}
	request.Header.Set("Content-Type", "application/json")
	if d.hook.Secret != "" {
		request.Header.Set("X-Telegram-Bot-Api-Secret-Token", d.hook.Secret)
	}
	response, err := d.client.Do(request)
	if err != nil {
		return errors.Errorf("Connection failed: %s", errors.Cause(err))
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return errors.Errorf("Wrong response from the webhook: %s", response.Status)
	}
	return nil
}
