package cryptopay

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/pkg/errors"
)

// hook is a webhook that waits to be delivered.
type hook struct {
	ID     int64           `json:"id"`
	Body   json.RawMessage `json:"body"`
	Tries  int             `json:"tries"`
	Forged bool            `json:"forged,omitempty"` // signed with another token
}

func (h *hook) key() string { return fmt.Sprintf("hook/%d", h.ID) }

// newHook makes the webhook of a paid invoice. Called with mu held; the caller writes it.
func (s *Server) newHook(payload any, forged bool) (*hook, error) {
	s.last.Hook++
	body, err := json.Marshal(map[string]any{
		"update_id": s.last.Hook, "update_type": "invoice_paid", "request_date": s.opts.Now().UTC(), "payload": payload,
	})
	return &hook{ID: s.last.Hook, Body: body, Forged: forged}, errors.Wrap(err, "encode webhook")
}

// pay marks an invoice as paid and sends the webhook, both written before anything is answered.
func (s *Server) pay(i *invoice, amount string) error {
	if err := s.expire(i); err != nil {
		return err
	}
	if i.Status != statusActive {
		return refused("INVOICE_" + i.Status)
	}
	next := i.paid(s.opts.Now(), amount)
	h, err := s.newHook(next, false)
	if err != nil {
		return err
	}
	// A fault is taken at payment, and so is known before anything is written.
	dropped := s.takeFaultLocked("webhook", FaultDrop) != nil
	doubled := s.takeFaultLocked("webhook", FaultDuplicate) != nil
	values := map[string]any{next.key(): next, "last": s.last}
	if !dropped {
		values[h.key()] = h
	}
	if err := s.save(values); err != nil {
		return err
	}
	*i = next
	if dropped {
		return nil
	}
	s.hooks[h.ID] = h
	s.deliver(h)
	if doubled {
		s.deliver(&hook{ID: h.ID, Body: h.Body})
	}
	return nil
}

// deliver posts a webhook until it is taken or given up. Called with mu held.
func (s *Server) deliver(h *hook) {
	if s.closed {
		return
	}
	s.tasks.Go(func() {
		wait := s.opts.Retry
		if delay := s.webhookDelay(); delay > 0 && !s.sleep(delay) {
			return
		}
		for ; h.Tries < maxTries; h.Tries++ {
			s.mu.Lock()
			address := s.webhook
			s.mu.Unlock()
			if address == "" {
				break // like an application without webhooks
			}
			err := s.post(address, h)
			if err == nil {
				break
			}
			s.log.Info("webhook failed", "operation", "webhook", "outcome", err.Error())
			if !s.sleep(wait) {
				return
			}
			wait = min(2*wait, maxRetry)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.hooks, h.ID)
		if err := s.save(map[string]any{h.key(): nil}); err != nil {
			s.log.Error("webhook not recorded", "operation", "webhook", "error", err)
		}
	})
}

// sleep is false when the server closes meanwhile.
func (s *Server) sleep(wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-s.ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (s *Server) post(address string, h *hook) error {
	request, err := http.NewRequestWithContext(s.ctx, http.MethodPost, address, bytes.NewReader(h.Body))
	if err != nil {
		return errors.Wrap(err, "make webhook request")
	}
	token := s.opts.Token
	if h.Forged {
		token = "0:forged"
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("crypto-pay-api-signature", sign(token, h.Body))
	response, err := s.client.Do(request)
	if err != nil {
		return errors.Wrap(err, "webhook")
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxBody))
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return errors.Errorf("webhook answered %s", response.Status)
	}
	return nil
}

// sign is hex(HMAC-SHA256(SHA256(token), body)), as Crypto Pay documents it.
func sign(token string, body []byte) string {
	key := sha256.Sum256([]byte(token))
	mac := hmac.New(sha256.New, key[:])
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
