package vpn

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/config"
)

// Client is our own node, cmd/vpnnode. It is safe for use from many goroutines.
type Client struct{ *caller }

var _ Node = (*Client)(nil)

// NewClient makes a client of the node's API at the address. Nothing is sent yet. Off loopback the address must be https,
// because the key goes with every call.
func NewClient(address string, key config.Secret, options ...Option) (*Client, error) {
	c, err := newCaller(address, options)
	if err != nil {
		return nil, err
	}
	if !key.IsSet() {
		return nil, errors.New("the VPN node's API key is missing")
	}
	c.authorize = func(header http.Header) { header.Set("X-API-Key", key.Reveal()) }
	c.refusal = func(text []byte) (code, reason string) {
		var answer struct {
			Error string `json:"error"`
		}
		_ = json.Unmarshal(text, &answer) // something else than our node answers: its status says enough
		return "", answer.Error
	}
	return &Client{c}, nil
}

// Add implements Node.
func (c *Client) Add(ctx context.Context, user atlas.VPNUser) (keyURI string, err error) {
	var answer struct {
		UUID      string `json:"uuid"`
		VlessLink string `json:"vless_link"`
	}
	if err := c.call(ctx, request{method: http.MethodPost, path: "/add-user", body: user, into: &answer}); err != nil {
		return "", fmt.Errorf("add a user: %w", err)
	}
	if !strings.EqualFold(answer.UUID, user.UUID) || !strings.HasPrefix(answer.VlessLink, "vless://") {
		return "", errors.New("add a user: the VPN node's answer is no key for this user")
	}
	return answer.VlessLink, nil
}

// Remove implements Node.
func (c *Client) Remove(ctx context.Context, uuid string) error {
	err := c.call(ctx, request{method: http.MethodPost, path: "/remove-user/" + url.PathEscape(uuid)})
	if err != nil && !isRefusal(err, http.StatusNotFound) {
		return fmt.Errorf("remove a user: %w", err)
	}
	return nil
}

// maxRevisions of the node's list are looked at before Set gives up: somebody else changes it all the time.
const maxRevisions = 5

// Set implements Node. The node takes the list only if it is still the one that was looked at, so that nobody is lost who is
// added, and nobody is let in again who is removed, meanwhile.
func (c *Client) Set(ctx context.Context, wanted func(ctx context.Context) (Wanted, error)) (Changes, error) {
	for range maxRevisions {
		changes, err := c.set(ctx, wanted)
		if !isRefusal(err, http.StatusConflict) {
			return changes, err
		}
	}
	return Changes{}, fmt.Errorf("set the list of users: it was changed by somebody else %d times meanwhile", maxRevisions)
}

func (c *Client) set(ctx context.Context, wanted func(ctx context.Context) (Wanted, error)) (Changes, error) {
	var health struct {
		Revision string `json:"revision"`
	}
	if err := c.call(ctx, request{method: http.MethodGet, path: "/health", into: &health}); err != nil {
		return Changes{}, fmt.Errorf("ask for the list's revision: %w", err)
	}
	if health.Revision == "" {
		return Changes{}, errors.New("ask for the list's revision: this node knows none; install a newer one")
	}
	var list []atlas.VPNUser
	if err := c.call(ctx, request{method: http.MethodGet, path: "/users", into: &list, isList: true}); err != nil {
		return Changes{}, fmt.Errorf("read the list of users: %w", err)
	}
	users, err := wanted(ctx)
	if err != nil {
		return Changes{}, err
	}
	there := make(map[string]atlas.VPNUser, len(list))
	body := struct {
		Users    []atlas.VPNUser `json:"users"`
		Revision string          `json:"revision"`
	}{append([]atlas.VPNUser{}, users.Users...), health.Revision} // not null, which is not a list
	for _, user := range list {
		there[user.UUID] = user
		if users.Spared[user.UUID] {
			body.Users = append(body.Users, user)
		}
	}
	found := compare(there, users, func(uuid string) string { return uuid },
		func(has, user atlas.VPNUser) bool { return has.DeviceLimit == user.DeviceLimit })
	if found.changes().Total() == 0 {
		return Changes{}, nil
	}
	if err := c.call(ctx, request{method: http.MethodPut, path: "/users", body: body, isList: true}); err != nil {
		return Changes{}, fmt.Errorf("set the list of users: %w", err)
	}
	return found.changes(), nil
}

// Health implements Node.
func (c *Client) Health(ctx context.Context) (Health, error) {
	var health Health
	if err := c.call(ctx, request{method: http.MethodGet, path: "/health", into: &health}); err != nil {
		return Health{}, fmt.Errorf("ask for the node's health: %w", err)
	}
	if health.Status != "ok" || health.InstanceID == "" {
		return Health{}, fmt.Errorf("ask for the node's health: %w: its status is %.20q", ErrDown, health.Status)
	}
	return health, nil
}
