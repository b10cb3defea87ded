package vpn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/config"
	"atlas-secure/internal/obs"
)

const (
	callTimeout = 5 * time.Second
	listTimeout = 30 * time.Second // for the whole list of users
	dialTimeout = 3 * time.Second

	// defaultFailures calls in a row that find the node down make the client rest for defaultRest.
	defaultFailures = 3
	defaultRest     = 5 * time.Second

	maxAnswerBytes = 1 << 20
	maxReasonBytes = 200
)

// Client is a Node over HTTP. It is safe for use from many goroutines.
type Client struct {
	base    *url.URL
	key     config.Secret
	http    *http.Client
	breaker *gobreaker.CircuitBreaker[[]byte]
}

var _ Node = (*Client)(nil)

// Option changes a Client.
type Option func(*breakerSettings)

type breakerSettings struct {
	failures int
	rest     time.Duration
}

// WithBreaker says after how many calls in a row that find the node down the client leaves it alone, and for how long.
func WithBreaker(failures int, rest time.Duration) Option {
	return func(s *breakerSettings) { s.failures, s.rest = failures, rest }
}

// NewClient makes a client of the node's API at the address. Nothing is sent yet. Off loopback the address must be https,
// because the key goes with every call.
func NewClient(address string, key config.Secret, options ...Option) (*Client, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("address of the VPN node: an http or https address is expected")
	}
	if base.Scheme == "http" && !isLoopback(base.Hostname()) {
		return nil, fmt.Errorf("address of the VPN node: %s is not loopback, so it must be https", base.Host)
	}
	if !key.IsSet() {
		return nil, errors.New("the VPN node's API key is missing")
	}
	settings := breakerSettings{failures: defaultFailures, rest: defaultRest}
	for _, option := range options {
		option(&settings)
	}
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout: dialTimeout,
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     time.Minute,
		ForceAttemptHTTP2:   true,
	}
	return &Client{
		base: base,
		key:  key,
		http: &http.Client{
			Transport: transport,
			// A redirect would take the key elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		breaker: gobreaker.NewCircuitBreaker[[]byte](gobreaker.Settings{
			Name:         "vpn node",
			Timeout:      settings.rest,
			ReadyToTrip:  func(c gobreaker.Counts) bool { return int64(c.ConsecutiveFailures) >= int64(settings.failures) },
			IsSuccessful: func(err error) bool { return !errors.Is(err, ErrDown) },
			IsExcluded:   func(err error) bool { return errors.Is(err, context.Canceled) }, // says nothing about the node
		}),
	}, nil
}

// Close lets go of idle connections. The client can still be used.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Add implements Node.
func (c *Client) Add(ctx context.Context, user atlas.VPNUser) (keyURI string, err error) {
	var answer struct {
		UUID      string `json:"uuid"`
		VlessLink string `json:"vless_link"`
	}
	if err := c.call(ctx, callTimeout, http.MethodPost, "/add-user", user, &answer); err != nil {
		return "", fmt.Errorf("add a user: %w", err)
	}
	if !strings.EqualFold(answer.UUID, user.UUID) || !strings.HasPrefix(answer.VlessLink, "vless://") {
		return "", errors.New("add a user: the VPN node's answer is no key for this user")
	}
	return answer.VlessLink, nil
}

// Remove implements Node.
func (c *Client) Remove(ctx context.Context, uuid string) error {
	err := c.call(ctx, callTimeout, http.MethodPost, "/remove-user/"+url.PathEscape(uuid), nil, nil)
	var refused *RefusedError
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove a user: %w", err)
	}
	return nil
}

// Set implements Node.
func (c *Client) Set(ctx context.Context, users []atlas.VPNUser) error {
	if users == nil {
		users = []atlas.VPNUser{} // null is not a list
	}
	body := struct {
		Users []atlas.VPNUser `json:"users"`
	}{users}
	if err := c.call(ctx, listTimeout, http.MethodPut, "/users", body, nil); err != nil {
		return fmt.Errorf("set the list of users: %w", err)
	}
	return nil
}

// Health implements Node.
func (c *Client) Health(ctx context.Context) (Health, error) {
	var health Health
	if err := c.call(ctx, callTimeout, http.MethodGet, "/health", nil, &health); err != nil {
		return Health{}, fmt.Errorf("ask for the node's health: %w", err)
	}
	if health.Status != "ok" || health.InstanceID == "" {
		return Health{}, fmt.Errorf("ask for the node's health: %w: its status is %.20q", ErrDown, health.Status)
	}
	return health, nil
}

// call sends a request, unless the client is resting, and decodes the answer into the given value, if any.
func (c *Client) call(ctx context.Context, timeout time.Duration, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	text, err := c.breaker.Execute(func() ([]byte, error) { return c.send(ctx, method, path, body) })
	switch {
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return fmt.Errorf("%w: it failed repeatedly and is left alone for a moment", ErrDown)
	case err != nil:
		return err
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return errors.New("the VPN node's answer is not the JSON that is expected")
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path string, body any) ([]byte, error) {
	var content io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base.JoinPath(path).String(), content)
	if err != nil {
		return nil, errors.New("make the request: bad address")
	}
	request.Header.Set("X-API-Key", c.key.Reveal())
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if id := obs.CorrelationID(ctx); id != "" {
		request.Header.Set("X-Correlation-ID", id)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, unreachable(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return nil, unreachable(err)
	}
	return text, judge(response.StatusCode, text)
}

// unreachable drops the address from net/http's error: it may end with a uuid.
func unreachable(err error) error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		err = withURL.Err
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDown, err)
}

// judge tells what is wrong with the node from what is wrong with the call.
func judge(status int, text []byte) error {
	if status/100 == 2 {
		return nil
	}
	var answer struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(text, &answer) != nil || answer.Error == "" {
		answer.Error = http.StatusText(status)
	}
	refused := &RefusedError{Status: status, Reason: answer.Error[:min(len(answer.Error), maxReasonBytes)]}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Errorf("%w: %w", ErrDown, refused)
	default:
		return refused
	}
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
