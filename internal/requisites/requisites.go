// Package requisites seals where a withdrawal is to be paid (a card or telephone number, a wallet's address), so that the
// database, its backups and its logs hold ciphertext only. The form is `v1:` and, in base64, a nonce of 12 bytes followed
// by AES-256-GCM's ciphertext and tag; withdrawal.request takes nothing else.
package requisites

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"atlas-secure/internal/config"
)

// Limits of what a person may write, in characters.
const (
	MinLength = 5
	MaxLength = 256
)

// version begins every sealed text and is authenticated with it.
const version = "v1:"

// The errors of this package. None quotes what it is about.
var (
	ErrLength  = fmt.Errorf("requisites must have %d to %d characters", MinLength, MaxLength)
	ErrText    = errors.New("requisites must be text without control characters")
	ErrSealed  = errors.New("not sealed requisites, or sealed with another key")
	ErrBadKey  = errors.New("the key of requisites must be 32 bytes in base64")
	errNonce   = errors.New("no randomness for a nonce")
	additional = []byte("atlas-secure requisites " + version)
	// ofUpdate is authenticated with a sealed update, so that neither passes for the other.
	ofUpdate = []byte("atlas-secure update " + version)
)

// Requisites are where to pay, in the words of the person. Whatever prints them shows [redacted].
type Requisites struct{ config.Secret }

// New checks a person's words: spaces around them are dropped.
func New(text string) (Requisites, error) {
	text = strings.TrimSpace(text)
	if !utf8.ValidString(text) || strings.ContainsFunc(text, isForbidden) {
		return Requisites{}, ErrText
	}
	if length := utf8.RuneCountInString(text); length < MinLength || length > MaxLength {
		return Requisites{}, ErrLength
	}
	return Requisites{config.NewSecret(text)}, nil
}

// shownOf is how many characters Masked shows at most, and that is never more than half of them.
const shownOf = 4

// Masked shows only the last characters, by which the person knows which ones were given.
func (r Requisites) Masked() string {
	text := []rune(r.Reveal())
	return "••••" + string(text[len(text)-min(shownOf, len(text)/2):])
}

func isForbidden(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

// Sealed is the ciphertext, as the database keeps it.
type Sealed string

// Sealer seals and opens with one key.
type Sealer struct{ aead cipher.AEAD }

// NewSealer takes the key in base64 (standard alphabet, 32 bytes).
func NewSealer(key config.Secret) (*Sealer, error) {
	raw, err := base64.StdEncoding.DecodeString(key.Reveal())
	if err != nil || len(raw) != config.RequisitesKeyBytes {
		return nil, ErrBadKey
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, ErrBadKey
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, ErrBadKey
	}
	return &Sealer{aead: aead}, nil
}

// Seal makes ciphertext, another one each time.
func (s *Sealer) Seal(plain Requisites) (Sealed, error) {
	return s.seal([]byte(plain.Reveal()), additional)
}

// SealUpdate makes ciphertext of an update of Telegram, which may be the message with the requisites.
func (s *Sealer) SealUpdate(update []byte) (Sealed, error) { return s.seal(update, ofUpdate) }

func (s *Sealer) seal(plain, context []byte) (Sealed, error) {
	nonce := make([]byte, s.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", errNonce
	}
	return Sealed(version + base64.StdEncoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, context))), nil
}

// Open gives the words back, for the one screen that shows them to an admin.
func (s *Sealer) Open(sealed Sealed) (Requisites, error) {
	plain, err := s.open(sealed, additional)
	if err != nil {
		return Requisites{}, err
	}
	return Requisites{config.NewSecret(string(plain))}, nil
}

// OpenUpdate gives an update back, to be worked off.
func (s *Sealer) OpenUpdate(sealed Sealed) ([]byte, error) { return s.open(sealed, ofUpdate) }

func (s *Sealer) open(sealed Sealed, context []byte) ([]byte, error) {
	encoded, isOurs := strings.CutPrefix(string(sealed), version)
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if !isOurs || err != nil || len(raw) < s.aead.NonceSize() {
		return nil, ErrSealed
	}
	nonce, ciphertext := raw[:s.aead.NonceSize()], raw[s.aead.NonceSize():]
	plain, err := s.aead.Open(nil, nonce, ciphertext, context)
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}
