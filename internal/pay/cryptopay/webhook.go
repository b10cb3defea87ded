package cryptopay

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/pkg/errors"
)

// SignatureHeader carries hex(HMAC-SHA256(SHA256(token), body)) of a webhook.
const SignatureHeader = "crypto-pay-api-signature"

// UpdateInvoicePaid is the only type of update so far.
const UpdateInvoicePaid = "invoice_paid"

// Update is a webhook's content. ID is not unique: deduplicate by Invoice.ID.
type Update struct {
	ID          int64     `json:"update_id"`
	Type        string    `json:"update_type"`
	RequestDate time.Time `json:"request_date,omitzero"`
	Invoice     Invoice   `json:"payload"`
}

// Sign makes the signature of a body.
func Sign(token string, body []byte) string {
	key := sha256.Sum256([]byte(token))
	mac := hmac.New(sha256.New, key[:])
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// ReadWebhook reads and checks a webhook's request. The errors are ErrTooLarge, ErrBadSignature and ErrMalformed, or the
// error of reading; nothing of the body is in them. An update of a type that is not UpdateInvoicePaid may be ignored.
func (c *Client) ReadWebhook(w http.ResponseWriter, r *http.Request) (Update, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return Update{}, ErrTooLarge
	case err != nil:
		return Update{}, errors.Wrap(err, "crypto pay webhook: read")
	}
	return c.ParseWebhook(r.Header.Get(SignatureHeader), body)
}

// ParseWebhook checks the signature, in constant time, before it looks at the body.
func (c *Client) ParseWebhook(signature string, body []byte) (Update, error) {
	if !hmac.Equal([]byte(signature), []byte(Sign(c.token.Reveal(), body))) {
		return Update{}, ErrBadSignature
	}
	var update Update
	if err := json.Unmarshal(body, &update); err != nil || update.Type == "" {
		return Update{}, ErrMalformed
	}
	if update.Type == UpdateInvoicePaid && update.Invoice.ID == 0 {
		return Update{}, ErrMalformed
	}
	return update, nil
}
