// Package remnawave is a fake Remnawave panel: the users' part of the API of version 3, as its contract describes it, as
// far as the worker needs it. Users are in memory; no VPN stands behind them.
//
//	POST   /api/users                        username (unique), vlessUuid, expireAt, …
//	PATCH  /api/users                        by id or username; expireAt not in the past
//	DELETE /api/users/{id}
//	GET    /api/users/by-username/{username}
//	GET    /api/users/stream                 cursor, size (at most 1000), tag, telegramId
//
// Answers are {"response": …}, errors {"timestamp", "path", "message", "errorCode"}; every call needs the token as Bearer.
// A username that is taken is 400 with A019, as the real panel has it.
package remnawave

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// User is a user of the panel.
type User struct {
	ID              int64     `json:"id"`
	ShortUUID       string    `json:"shortUuid"`
	Username        string    `json:"username"`
	Status          string    `json:"status"`
	VlessUUID       string    `json:"vlessUuid"`
	ExpireAt        time.Time `json:"expireAt"`
	TelegramID      *int64    `json:"telegramId"`
	DeviceLimit     *int      `json:"hwidDeviceLimit"`
	Tag             *string   `json:"tag"`
	Squads          []Squad   `json:"activeInternalSquads"`
	SubscriptionURL string    `json:"subscriptionUrl"`
}

// Squad is what a user may connect to.
type Squad struct {
	UUID string `json:"uuid"`
	Name string `json:"name"`
}

// Panel is an http.Handler.
type Panel struct {
	token string
	mux   *http.ServeMux

	mu     sync.Mutex
	users  map[int64]User
	lastID int64
}

// New makes a panel without users.
func New(token string) *Panel {
	p := &Panel{token: token, mux: http.NewServeMux(), users: map[int64]User{}}
	p.mux.HandleFunc("POST /api/users", p.create)
	p.mux.HandleFunc("PATCH /api/users", p.update)
	p.mux.HandleFunc("DELETE /api/users/{id}", p.remove)
	p.mux.HandleFunc("GET /api/users/by-username/{username}", p.byUsername)
	p.mux.HandleFunc("GET /api/users/stream", p.stream)
	return p
}

// ServeHTTP implements http.Handler.
func (p *Panel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+p.token {
		fail(w, r, http.StatusUnauthorized, "E401", "Unauthorized")
		return
	}
	p.mux.ServeHTTP(w, r)
}

// Users are all there are, in order of their ids.
func (p *Panel) Users() []User {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sorted()
}

// Edit does by hand what an operator does on the panel's pages: it changes a user, or deletes the user if told so.
func (p *Panel) Edit(username string, change func(*User) (isDeleted bool)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	user, isThere := p.find(username)
	if !isThere {
		return fmt.Errorf("no user %s", username)
	}
	if change(&user) {
		delete(p.users, user.ID)
		return nil
	}
	p.users[user.ID] = user
	return nil
}

// body is what POST and PATCH take.
type body struct {
	ID          int64    `json:"id"`
	Username    string   `json:"username"`
	Status      string   `json:"status"`
	VlessUUID   string   `json:"vlessUuid"`
	ExpireAt    string   `json:"expireAt"`
	TelegramID  *int64   `json:"telegramId"`
	DeviceLimit *int     `json:"hwidDeviceLimit"`
	Tag         *string  `json:"tag"`
	Squads      []string `json:"activeInternalSquads"`
}

var (
	usernameForm = regexp.MustCompile(`^[a-zA-Z0-9_-]{3,36}$`)
	guidForm     = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	tagForm      = regexp.MustCompile(`^[A-Z0-9_]{1,16}$`)
)

// problem is what the panel's validation says of a body.
func (b body) problem() string {
	switch {
	case b.Username != "" && !usernameForm.MatchString(b.Username):
		return "username: 3 to 36 letters, numbers, underscores and dashes"
	case b.VlessUUID != "" && !guidForm.MatchString(b.VlessUUID):
		return "vlessUuid: Invalid Vless UUID format"
	case b.Tag != nil && !tagForm.MatchString(*b.Tag):
		return "tag: uppercase letters, numbers, underscores"
	case b.DeviceLimit != nil && *b.DeviceLimit < 0:
		return "hwidDeviceLimit: too small"
	case b.Status != "" && b.Status != "ACTIVE" && b.Status != "DISABLED":
		return "status: ACTIVE or DISABLED"
	}
	for _, squad := range b.Squads {
		if !guidForm.MatchString(squad) {
			return "activeInternalSquads: Invalid UUID"
		}
	}
	return ""
}

func (p *Panel) create(w http.ResponseWriter, r *http.Request) {
	b, isFine := read(w, r)
	if !isFine {
		return
	}
	expireAt, err := time.Parse(time.RFC3339, b.ExpireAt)
	if err != nil || b.Username == "" {
		fail(w, r, http.StatusBadRequest, "E400", "username and expireAt are required")
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, isTaken := p.find(b.Username); isTaken {
		fail(w, r, http.StatusBadRequest, "A019", "User username already exists")
		return
	}
	p.lastID++
	user := User{
		ID: p.lastID, Username: b.Username, Status: cmp.Or(b.Status, "ACTIVE"), ShortUUID: fmt.Sprintf("short%d", p.lastID),
		VlessUUID: cmp.Or(b.VlessUUID, fmt.Sprintf("00000000-0000-4000-8000-%012d", p.lastID)), ExpireAt: expireAt.UTC(),
		SubscriptionURL: fmt.Sprintf("http://%s/sub/short%d", r.Host, p.lastID), Squads: []Squad{},
	}
	p.store(w, http.StatusCreated, user, b)
}

func (p *Panel) update(w http.ResponseWriter, r *http.Request) {
	b, isFine := read(w, r)
	if !isFine {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	user, isThere := p.users[b.ID]
	if b.ID == 0 {
		user, isThere = p.find(b.Username)
	}
	if !isThere {
		fail(w, r, http.StatusNotFound, "A025", "User not found")
		return
	}
	if b.ExpireAt != "" {
		expireAt, err := time.Parse(time.RFC3339, b.ExpireAt)
		if err != nil || expireAt.Before(time.Now()) {
			fail(w, r, http.StatusBadRequest, "E400", "expireAt: Expiration date cannot be in the past")
			return
		}
		user.ExpireAt = expireAt.UTC()
	}
	user.Status = cmp.Or(b.Status, user.Status)
	p.store(w, http.StatusOK, user, b)
}

// store takes over what both methods treat alike, and answers.
func (p *Panel) store(w http.ResponseWriter, status int, user User, b body) {
	if b.TelegramID != nil {
		user.TelegramID = b.TelegramID
	}
	if b.DeviceLimit != nil {
		user.DeviceLimit = b.DeviceLimit
	}
	if b.Tag != nil {
		user.Tag = b.Tag
	}
	if b.Squads != nil {
		user.Squads = []Squad{}
		for _, squad := range b.Squads {
			user.Squads = append(user.Squads, Squad{UUID: squad, Name: "squad"})
		}
	}
	p.users[user.ID] = user
	answer(w, status, map[string]any{"response": user})
}

func (p *Panel) remove(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, isThere := p.users[id]; err != nil || !isThere {
		fail(w, r, http.StatusNotFound, "A025", "User not found")
		return
	}
	delete(p.users, id)
	w.WriteHeader(http.StatusNoContent)
}

func (p *Panel) byUsername(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	user, isThere := p.find(r.PathValue("username"))
	if !isThere {
		fail(w, r, http.StatusNotFound, "A063", "User with specified params not found")
		return
	}
	answer(w, http.StatusOK, map[string]any{"response": user})
}

const (
	defaultSize = 250
	maxSize     = 1000
)

func (p *Panel) stream(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	size, cursor := defaultSize, int64(0)
	var err error
	if text := query.Get("size"); text != "" {
		size, err = strconv.Atoi(text)
	}
	if text := query.Get("cursor"); text != "" && err == nil {
		cursor, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil || size < 1 || size > maxSize {
		fail(w, r, http.StatusBadRequest, "E400", "size: 1 to 1000; cursor: a number")
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	page := []User{}
	var next any
	for _, user := range p.sorted() {
		if user.ID <= cursor || !matches(query.Get("tag"), user.Tag) || !matches(query.Get("telegramId"), user.TelegramID) {
			continue
		}
		if len(page) == size {
			next = strconv.FormatInt(page[size-1].ID, 10)
			break
		}
		page = append(page, user)
	}
	answer(w, http.StatusOK, map[string]any{"response": map[string]any{
		"users": page, "nextCursor": next, "hasMore": next != nil,
	}})
}

func matches[T any](filter string, value *T) bool {
	return filter == "" || value != nil && fmt.Sprint(*value) == filter
}

func (p *Panel) find(username string) (User, bool) {
	for _, user := range p.users {
		if user.Username == username {
			return user, true
		}
	}
	return User{}, false
}

func (p *Panel) sorted() []User {
	return slices.SortedFunc(maps.Values(p.users), func(a, b User) int { return cmp.Compare(a.ID, b.ID) })
}

const maxBody = 1 << 20

func read(w http.ResponseWriter, r *http.Request) (body, bool) {
	var b body
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&b); err != nil {
		fail(w, r, http.StatusBadRequest, "E400", "Validation failed")
		return b, false
	}
	if problem := b.problem(); problem != "" {
		fail(w, r, http.StatusBadRequest, "E400", problem)
		return b, false
	}
	return b, true
}

func fail(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	answer(w, status, map[string]any{
		"timestamp": time.Now().UTC().Format(time.RFC3339), "path": r.URL.Path, "message": message, "errorCode": code,
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller has gone: nobody to tell
}
