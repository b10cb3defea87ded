// Package state keeps what a node must not forget between restarts: the REALITY keys and the port that are in every link
// it has given out. The users are not here; whoever owns them sends the list again.
package state

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	fileName     = "reality.json"
	shortIDBytes = 8
)

// State is the content of the file. Printing it does not show the private key.
type State struct {
	key      *ecdh.PrivateKey
	ShortIDs [][]byte
	Port     uint16 // what port 0 became the first time; 0: not chosen yet
}

type document struct {
	PrivateKey string   `json:"private_key"`
	ShortIDs   []string `json:"short_ids"`
	Port       uint16   `json:"port,omitempty"`
}

// PrivateKey is the X25519 key of the server.
func (s *State) PrivateKey() []byte { return s.key.Bytes() }

// PublicKey is the part of it that links carry.
func (s *State) PublicKey() []byte { return s.key.PublicKey().Bytes() }

// Format keeps the private key out of logs.
func (s *State) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "[redacted]") }

// Open reads the state from the directory, or makes keys and writes them there when there is no file yet. A file that
// cannot be read is an error: new keys would silently break every link.
func Open(dir string) (*State, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the state directory: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, fileName)) //nolint:gosec // the operator names the directory
	if errors.Is(err, fs.ErrNotExist) {
		return create(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	return parse(text)
}

func create(dir string) (*State, error) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the REALITY key: %w", err)
	}
	shortID := make([]byte, shortIDBytes)
	if _, err := rand.Read(shortID); err != nil {
		return nil, fmt.Errorf("make the short id: %w", err)
	}
	made := &State{key: key, ShortIDs: [][]byte{shortID}}
	return made, made.Save(dir)
}

func parse(text []byte) (*State, error) {
	var doc document
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("read the state: %s is not valid", fileName)
	}
	raw, err := base64.RawURLEncoding.DecodeString(doc.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("read the state: private_key in %s is not base64url", fileName)
	}
	key, err := ecdh.X25519().NewPrivateKey(raw)
	if err != nil {
		return nil, fmt.Errorf("read the state: private_key in %s is not an X25519 key", fileName)
	}
	read := &State{key: key, Port: doc.Port}
	for _, text := range doc.ShortIDs {
		shortID, err := hex.DecodeString(text)
		if err != nil || len(shortID) > shortIDBytes {
			return nil, fmt.Errorf("read the state: bad short id in %s", fileName)
		}
		read.ShortIDs = append(read.ShortIDs, shortID)
	}
	if len(read.ShortIDs) == 0 {
		return nil, fmt.Errorf("read the state: no short id in %s", fileName)
	}
	return read, nil
}

// Save replaces the file in one step, readable by the owner only.
func (s *State) Save(dir string) (err error) {
	doc := document{PrivateKey: base64.RawURLEncoding.EncodeToString(s.key.Bytes()), Port: s.Port}
	for _, shortID := range s.ShortIDs {
		doc.ShortIDs = append(doc.ShortIDs, hex.EncodeToString(shortID))
	}
	text, err := json.MarshalIndent(doc, "", "  ") //nolint:gosec // the key is what this file is for
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	file, err := os.CreateTemp(dir, fileName+".*") // made with mode 0600
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write the state: %w", errors.Join(err, os.Remove(file.Name())))
		}
	}()
	_, err = file.Write(append(text, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), filepath.Join(dir, fileName))
}
