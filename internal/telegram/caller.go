package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/mymmrac/telego/telegoapi"
)

// answerLimit bounds an answer of the Bot API (a batch of 100 updates is well below it).
const answerLimit = 32 << 20

// transportError is a call that got no proper answer. It never holds the URL, which contains the token.
type transportError struct {
	wasSent bool // at least a part of the request left this process
	status  int  // HTTP status, or 0
	err     error
}

func (e *transportError) Error() string {
	if e.status != 0 {
		return fmt.Sprintf("bot api: http status %d: %v", e.status, e.err)
	}
	return fmt.Sprintf("bot api: %v", e.err)
}

func (e *transportError) Unwrap() error { return e.err }

// caller makes the HTTP calls of telego: net/http, because its default client ignores cancellation.
type caller struct {
	client *http.Client
	token  string
}

// Call implements telegoapi.Caller.
func (c caller) Call(ctx context.Context, address string, data *telegoapi.RequestData) (*telegoapi.Response, error) {
	body := data.BodyStream
	if data.BodyRaw != nil {
		body = bytes.NewReader(data.BodyRaw)
	}
	// Both are set by the transport's goroutines, and read here after Do has returned.
	var wasSent atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { wasSent.Store(true) }})
	request, err := http.NewRequestWithContext(traced, http.MethodPost, address, body)
	if err != nil {
		return nil, &transportError{err: c.withoutToken(err)}
	}
	request.Header.Set(telegoapi.ContentTypeHeader, data.ContentType)

	response, err := c.client.Do(request)
	if err != nil {
		return nil, &transportError{wasSent: wasSent.Load(), err: c.withoutToken(err)}
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err != nil {
		return nil, &transportError{wasSent: true, status: response.StatusCode, err: c.withoutToken(err)}
	}
	var answer telegoapi.Response
	if err := json.Unmarshal(text, &answer); err != nil {
		// A proxy's page. Below 500 something refused the request before the Bot API saw it.
		isRefused := response.StatusCode >= 400 && response.StatusCode < 500
		return nil, &transportError{wasSent: !isRefused, status: response.StatusCode, err: errors.New("answer is not JSON")}
	}
	if response.StatusCode >= http.StatusInternalServerError {
		return nil, &transportError{wasSent: true, status: response.StatusCode, err: errors.New("server error")}
	}
	if !answer.Ok && answer.Error == nil {
		return nil, &transportError{wasSent: true, status: response.StatusCode, err: errors.New("answer without result and error")}
	}
	return &answer, nil
}

// withoutToken takes the URL out of an error of net/http, and the token wherever else it may be.
func (c caller) withoutToken(err error) error {
	var inURL *url.Error
	if errors.As(err, &inURL) {
		err = inURL.Err
	}
	if strings.Contains(err.Error(), c.token) {
		return errors.New(strings.ReplaceAll(err.Error(), c.token, "[redacted]"))
	}
	return err
}
