package vpn

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/config"
)

// Remnawave is a Remnawave panel, version 3. A user of ours is named there by what follows from the uuid, and bears our
// tag; all others are left alone. It is safe for use from many goroutines.
type Remnawave struct {
	*caller

	squads []string
}

var _ Node = (*Remnawave)(nil)

const (
	remnawaveTag      = "ATLAS_SECURE" // at most 16 characters
	remnawavePageSize = 1000           // the most it gives
	usernameExists    = "A019"         // comes with status 400
	remnawaveActive   = "ACTIVE"
	remnawaveLimited  = "LIMITED" // by the panel's own traffic limit, which is its operator's business
)

// NewRemnawave makes a client of the panel at the address. Users are put into the internal squads, which say what they may
// connect to. Nothing is sent yet. Off loopback the address must be https.
func NewRemnawave(address string, token config.Secret, squads []string, options ...Option) (*Remnawave, error) {
	c, err := newCaller(address, options)
	if err != nil {
		return nil, err
	}
	if !token.IsSet() {
		return nil, errors.New("the panel's API token is missing")
	}
	if len(squads) == 0 {
		return nil, errors.New("squad: the uuid of an internal squad is missing; without one users can connect to nothing")
	}
	for _, squad := range squads {
		if !ours.MatchString(squad) {
			return nil, errors.New("squad: the uuid of an internal squad is expected")
		}
	}
	c.authorize = func(header http.Header) { header.Set("Authorization", "Bearer "+token.Reveal()) }
	c.refusal = func(text []byte) (code, reason string) {
		var answer struct {
			Message   string `json:"message"`
			ErrorCode string `json:"errorCode"`
		}
		_ = json.Unmarshal(text, &answer) // something else than a panel answers: its status says enough
		return answer.ErrorCode, answer.Message
	}
	return &Remnawave{c, squads}, nil
}

// panelUser is a user as the panel has it, and as it takes it: what is empty is left out.
type panelUser struct {
	ID              int64    `json:"id,omitempty"`
	Username        string   `json:"username,omitempty"`
	Status          string   `json:"status,omitempty"`
	VlessUUID       string   `json:"vlessUuid,omitempty"`
	ExpireAt        string   `json:"expireAt,omitempty"`
	TelegramID      int64    `json:"telegramId,omitempty"`
	DeviceLimit     *int     `json:"hwidDeviceLimit,omitempty"`
	Tag             string   `json:"tag,omitempty"`
	Squads          []string `json:"activeInternalSquads,omitempty"`
	SubscriptionURL string   `json:"subscriptionUrl,omitempty"`
}

// stored is an answer about one user. Its squads come in another form than they are sent in.
type stored struct {
	Response struct {
		panelUser

		Squads json.RawMessage `json:"activeInternalSquads"`
	} `json:"response"`
}

// username is what the panel calls the user of that uuid. Whoever reads it does not learn the uuid.
func username(uuid string) string {
	sum := sha256.Sum256([]byte(uuid))
	return "atlas_" + hex.EncodeToString(sum[:14])
}

// expiry is the end as the panel keeps it.
func expiry(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// Add implements Node. Most who are added are new; one who is there is set to be as wanted.
func (r *Remnawave) Add(ctx context.Context, user atlas.VPNUser) (keyURI string, err error) {
	if user.ExpiresAt.IsZero() {
		return "", errors.New("add a user: the panel needs the end of the subscription")
	}
	answer, err := r.save(ctx, http.MethodPost, r.panelUser(user))
	if isRefusal(err, http.StatusConflict) || hasCode(err, usernameExists) {
		changed := r.panelUser(user)
		changed.VlessUUID = "" // cannot be changed
		answer, err = r.save(ctx, http.MethodPatch, changed)
	}
	if err != nil {
		return "", fmt.Errorf("add a user: %w", err)
	}
	return keyOf(answer, user)
}

func (r *Remnawave) panelUser(user atlas.VPNUser) panelUser {
	return panelUser{
		Username: username(user.UUID), Status: remnawaveActive, VlessUUID: user.UUID, ExpireAt: expiry(user.ExpiresAt),
		TelegramID: int64(user.TelegramID), DeviceLimit: &user.DeviceLimit, Tag: remnawaveTag, Squads: r.squads,
	}
}

func (r *Remnawave) save(ctx context.Context, method string, user panelUser) (answer stored, err error) {
	err = r.call(ctx, request{method: method, path: "/api/users", body: user, into: &answer})
	return answer, err
}

func keyOf(answer stored, user atlas.VPNUser) (string, error) {
	address, err := url.Parse(answer.Response.SubscriptionURL)
	if err != nil || address.Host == "" || !strings.HasPrefix(address.Scheme, "http") ||
		answer.Response.Username != username(user.UUID) {
		return "", errors.New("add a user: the panel's answer is no subscription of this user")
	}
	return answer.Response.SubscriptionURL, nil
}

// Remove implements Node.
func (r *Remnawave) Remove(ctx context.Context, uuid string) error {
	var answer stored
	err := r.call(ctx, request{method: http.MethodGet, path: "/api/users/by-username/" + username(uuid), into: &answer})
	if err == nil {
		err = r.remove(ctx, answer.Response.panelUser)
	}
	if err != nil && !isRefusal(err, http.StatusNotFound) {
		return fmt.Errorf("remove a user: %w", err)
	}
	return nil
}

func (r *Remnawave) remove(ctx context.Context, user panelUser) error {
	err := r.call(ctx, request{method: http.MethodDelete, path: "/api/users/" + strconv.FormatInt(user.ID, 10)})
	if isRefusal(err, http.StatusNotFound) {
		return nil
	}
	return err
}

// Set implements Node.
func (r *Remnawave) Set(ctx context.Context, wanted func(ctx context.Context) (Wanted, error)) (Changes, error) {
	there, err := r.list(ctx)
	if err != nil {
		return Changes{}, fmt.Errorf("read the list of users: %w", err)
	}
	users, err := wanted(ctx)
	if err != nil {
		return Changes{}, err
	}
	return mend(ctx, compare(there, users, username, isAsWanted),
		func(ctx context.Context, user atlas.VPNUser) error {
			_, err := r.Add(ctx, user)
			return err
		},
		func(ctx context.Context, other pair[panelUser]) error {
			changed := r.panelUser(other.user)
			changed.ID, changed.Username, changed.VlessUUID = other.has.ID, "", ""
			if _, err := r.save(ctx, http.MethodPatch, changed); err != nil {
				return fmt.Errorf("change a user: %w", err)
			}
			return nil
		},
		r.remove)
}

func isAsWanted(has panelUser, user atlas.VPNUser) bool {
	isIn := has.Status == remnawaveActive || has.Status == remnawaveLimited
	end, err := time.Parse(time.RFC3339, has.ExpireAt)
	return isIn && err == nil && expiry(end) == expiry(user.ExpiresAt) &&
		has.DeviceLimit != nil && *has.DeviceLimit == user.DeviceLimit
}

// list reads all users with our tag, page by page.
func (r *Remnawave) list(ctx context.Context) (map[string]panelUser, error) {
	there := map[string]panelUser{}
	for cursor := ""; ; {
		page, err := r.page(ctx, cursor, remnawavePageSize)
		if err != nil {
			return nil, err
		}
		for _, user := range page.Users {
			if strings.HasPrefix(user.Username, "atlas_") {
				there[user.Username] = user.panelUser
			}
		}
		if !page.HasMore {
			return there, nil
		}
		if page.NextCursor == "" || page.NextCursor == cursor {
			return nil, errors.New("the panel's list of users does not end")
		}
		cursor = page.NextCursor
	}
}

type panelPage struct {
	Users []struct {
		panelUser

		Squads json.RawMessage `json:"activeInternalSquads"`
	} `json:"users"`
	NextCursor string `json:"nextCursor"`
	HasMore    bool   `json:"hasMore"`
}

func (r *Remnawave) page(ctx context.Context, cursor string, size int) (panelPage, error) {
	var answer struct {
		Response panelPage `json:"response"`
	}
	query := url.Values{"tag": {remnawaveTag}, "size": {strconv.Itoa(size)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	err := r.call(ctx, request{method: http.MethodGet, path: "/api/users/stream", query: query, into: &answer, isList: true})
	return answer.Response, err
}

// Health implements Node. The panel's own health says nothing of our token, so a user is asked for. It does not count ours.
func (r *Remnawave) Health(ctx context.Context) (Health, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, err := r.page(ctx, "", 1); err != nil {
		return Health{}, fmt.Errorf("ask for the node's health: %w", err)
	}
	return Health{Status: "ok"}, nil
}

func hasCode(err error, code string) bool {
	var refused *RefusedError
	return errors.As(err, &refused) && refused.Code == code
}
