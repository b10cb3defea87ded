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
	"time"

	"atlas-secure/internal/obs"
)

const (
	maxAnswerBytes = 1 << 20
	maxListBytes   = 256 << 20 // a million users
)

// caller sends JSON over HTTP to one node and tells what is wrong with the node from what is wrong with the call.
type caller struct {
	base      *url.URL
	http      *http.Client
	guard     guard
	authorize func(http.Header)
	refusal   func(text []byte) (code, reason string) // what an answer that is a refusal says
}

// request is one call. Its answer is decoded into the given value, if any.
type request struct {
	method, path string
	query        url.Values
	body, into   any
	isList       bool
}

// newCaller takes an address that is https, or loopback: a key goes with every call.
func newCaller(address string, options []Option) (*caller, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("address of the VPN node: an http or https address is expected")
	}
	if base.Scheme == "http" && !isLoopback(base.Hostname()) {
		return nil, fmt.Errorf("address of the VPN node: %s is not loopback, so it must be https", base.Host)
	}
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout: dialTimeout,
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     time.Minute,
		ForceAttemptHTTP2:   true,
	}
	return &caller{
		base: base,
		http: &http.Client{
			Transport: transport,
			// A redirect would take the key elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		guard: newGuard(options),
	}, nil
}

// Close lets go of idle connections. The node can still be used.
func (c *caller) Close() { c.http.CloseIdleConnections() }

// call sends a request, unless the node is resting.
func (c *caller) call(ctx context.Context, r request) error {
	timeout := callTimeout
	if r.isList {
		timeout = listTimeout
	}
	var text []byte
	if err := c.guard.do(ctx, timeout, func(ctx context.Context) (err error) {
		text, err = c.send(ctx, r)
		return err
	}); err != nil {
		return err
	}
	if r.into == nil {
		return nil
	}
	if err := json.Unmarshal(text, r.into); err != nil {
		return errors.New("the VPN node's answer is not the JSON that is expected")
	}
	return nil
}

func (c *caller) send(ctx context.Context, r request) ([]byte, error) {
	var content io.Reader = http.NoBody
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		content = bytes.NewReader(text)
	}
	address := c.base.JoinPath(r.path)
	address.RawQuery = r.query.Encode()
	sent, err := http.NewRequestWithContext(ctx, r.method, address.String(), content)
	if err != nil {
		return nil, errors.New("make the request: bad address")
	}
	c.authorize(sent.Header)
	if r.body != nil {
		sent.Header.Set("Content-Type", "application/json")
	}
	if id := obs.CorrelationID(ctx); id != "" {
		sent.Header.Set("X-Correlation-ID", id)
	}
	response, err := c.http.Do(sent)
	if err != nil {
		return nil, unreachable(withoutAddress(err))
	}
	defer func() { _ = response.Body.Close() }()
	limit := int64(maxAnswerBytes)
	if r.isList {
		limit = maxListBytes
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, limit))
	if err != nil {
		return nil, unreachable(withoutAddress(err))
	}
	return text, c.judge(response.StatusCode, text)
}

// withoutAddress drops the address from net/http's error: it may end with a uuid.
func withoutAddress(err error) error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		return withURL.Err
	}
	return err
}

func (c *caller) judge(status int, text []byte) error {
	if status/100 == 2 {
		return nil
	}
	code, reason := c.refusal(text)
	if reason == "" {
		reason = http.StatusText(status)
	}
	refused := &RefusedError{Status: status, Code: code, Reason: clipped(reason)}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Errorf("%w: %w", ErrDown, refused)
	default:
		return refused
	}
}

// isRefusal says whether the node refused the call with the status.
func isRefusal(err error, status int) bool {
	var refused *RefusedError
	return errors.As(err, &refused) && refused.Status == status
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
