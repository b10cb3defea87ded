package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/mymmrac/telego"
	"github.com/mymmrac/telego/telegoapi"
)

// DefaultURL is Telegram's own Bot API server.
const DefaultURL = "https://api.telegram.org"

// Client is telego's bot with a transport of ours, and updates as raw JSON.
type Client struct {
	*telego.Bot
	caller caller
	url    string

	mu   sync.Mutex
	name string // the bot's own, once Telegram has told it
}

// NewClient makes a client of the Bot API at url (DefaultURL if empty). It calls nothing.
func NewClient(token, url string) (*Client, error) {
	if url == "" {
		url = DefaultURL
	}
	url = strings.TrimRight(url, "/")
	c := caller{client: newHTTPClient(), token: token}
	bot, err := telego.NewBot(token, telego.WithAPICaller(c), telego.WithAPIServer(url), telego.WithDiscardLogger())
	if err != nil {
		return nil, fmt.Errorf("bot api client: %w", err)
	}
	return &Client{Bot: bot, caller: c, url: url}, nil
}

func newHTTPClient() *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{
		// Deadlines come with each call's context: a long poll may take a minute, a button's answer may not.
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         dialer.DialContext,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 64,
			IdleConnTimeout:     90 * time.Second,
			TLSHandshakeTimeout: 5 * time.Second,
		},
		// A redirect would carry the token to wherever it points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// CloseIdle closes the connections that no call is using.
func (c *Client) CloseIdle() { c.caller.client.CloseIdleConnections() }

// Name is the bot's username, without an @. Telegram is asked once; an answer that did not come is asked for again by the
// next caller.
func (c *Client) Name(ctx context.Context) (string, error) {
	c.mu.Lock()
	name := c.name
	c.mu.Unlock()
	if name != "" {
		return name, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	me, err := c.GetMe(ctx)
	if err != nil {
		return "", fmt.Errorf("getMe: %w", err)
	}
	c.mu.Lock()
	c.name = me.Username
	c.mu.Unlock()
	return me.Username, nil
}

// RawUpdate is an update as Telegram wrote it.
type RawUpdate struct {
	ID   int64
	JSON json.RawMessage
}

// pollGrace is what a long poll may take beyond the time that Telegram was asked to wait.
const pollGrace = 10 * time.Second

// PollUpdates asks for up to 100 updates from offset on, waiting up to wait for the first one.
func (c *Client) PollUpdates(ctx context.Context, offset int64, wait time.Duration, kinds []string) ([]RawUpdate, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+pollGrace)
	defer cancel()
	body, err := json.Marshal(map[string]any{
		"offset": offset, "limit": 100, "timeout": int(wait.Seconds()), "allowed_updates": kinds,
	})
	if err != nil {
		return nil, fmt.Errorf("getUpdates: %w", err)
	}
	data := &telegoapi.RequestData{ContentType: telegoapi.ContentTypeJSON, BodyRaw: body}
	answer, err := c.caller.Call(ctx, c.url+"/bot"+c.Token()+"/getUpdates", data)
	if err != nil {
		return nil, fmt.Errorf("getUpdates: %w", err)
	}
	if !answer.Ok {
		return nil, fmt.Errorf("getUpdates: %w", answer.Error)
	}
	var texts []json.RawMessage
	if err := json.Unmarshal(answer.Result, &texts); err != nil {
		return nil, fmt.Errorf("getUpdates: %w", err)
	}
	updates := make([]RawUpdate, 0, len(texts))
	for _, text := range texts {
		update, err := ParseUpdate(text)
		if err != nil {
			return nil, fmt.Errorf("getUpdates: %w", err)
		}
		updates = append(updates, update)
	}
	return updates, nil
}

// ParseUpdate reads no more of an update than its number: what it says is decoded when it is worked off.
func ParseUpdate(text []byte) (RawUpdate, error) {
	var head struct {
		ID *int64 `json:"update_id"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return RawUpdate{}, fmt.Errorf("update: %w", err)
	}
	if head.ID == nil {
		return RawUpdate{}, errors.New("update: no update_id")
	}
	return RawUpdate{ID: *head.ID, JSON: text}, nil
}
