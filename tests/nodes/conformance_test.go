package nodes

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"net/http"
	"net/http/httptest"

	"github.com/stretchr/testify/require"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/sandbox/remnawave"
	"atlas-secure/internal/vpn"
)

// each runs a test for every kind of node.
func each(t *testing.T, test func(t *testing.T, b *backend)) {
	t.Helper()
	t.Parallel()
	for name, start := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t, name+"-1"))
		})
	}
}

func user(number int) atlas.VPNUser {
	return atlas.VPNUser{
		UUID: fmt.Sprintf("66ad4540-b58c-4ad2-9926-%012d", number), DeviceLimit: 3, TelegramID: atlas.TelegramID(1000 + number),
		ExpiresAt: time.Now().In(time.FixedZone("east of here", 3*60*60)).Add(time.Hour).Truncate(time.Second),
	}
}

func uuids(users ...atlas.VPNUser) []string {
	list := []string{}
	for _, user := range users {
		list = append(list, user.UUID)
	}
	return list
}

// set mends a node and gives what that took.
func (b *backend) set(t *testing.T, spared []atlas.VPNUser, users ...atlas.VPNUser) vpn.Changes {
	t.Helper()
	changes, err := b.Set(t.Context(), func(context.Context) (vpn.Wanted, error) {
		wanted := vpn.Wanted{Users: users, Spared: map[string]bool{}}
		for _, user := range spared {
			wanted.Spared[user.UUID] = true
		}
		return wanted, nil
	})
	require.NoError(t, err)
	return changes
}

func TestUsersComeAndGo(t *testing.T) {
	each(t, func(t *testing.T, b *backend) {
		require.Empty(t, b.users())
		key, err := b.Add(t.Context(), user(1))
		require.NoError(t, err)
		again, err := b.Add(t.Context(), user(1))
		require.NoError(t, err)
		require.Equal(t, key, again, "adding is repeated after a lost answer")
		require.Regexp(t, "^(vless|http)://", key)
		other, err := b.Add(t.Context(), user(2))
		require.NoError(t, err)
		require.NotEqual(t, key, other)
		require.ElementsMatch(t, uuids(user(1), user(2)), b.users())

		for range 2 {
			require.NoError(t, b.Remove(t.Context(), user(1).UUID), "removing too")
		}
		require.NoError(t, b.Remove(t.Context(), user(3).UUID), "who never was there is removed")
		require.Equal(t, uuids(user(2)), b.users())
		_, err = b.Add(t.Context(), user(1))
		require.NoError(t, err)
		require.ElementsMatch(t, uuids(user(1), user(2)), b.users(), "back again")
	})
}

func TestSetMendsBothWays(t *testing.T) {
	each(t, func(t *testing.T, b *backend) {
		stranger, spared, kept, missing := user(1), user(2), user(3), user(4)
		for _, each := range []atlas.VPNUser{stranger, spared, kept} {
			_, err := b.Add(t.Context(), each)
			require.NoError(t, err)
		}
		pending := []atlas.VPNUser{spared, user(5)}
		require.Equal(t, vpn.Changes{Added: 1, Removed: 1}, b.set(t, pending, kept, missing))
		require.ElementsMatch(t, uuids(spared, kept, missing), b.users())
		require.Zero(t, b.set(t, pending, kept, missing), "nothing is left to mend")
		kept.DeviceLimit = 10
		want := vpn.Changes{}
		if b.limits {
			want.Changed = 1
		}
		require.Equal(t, want, b.set(t, pending, kept, missing))
		require.Zero(t, b.set(t, pending, kept, missing))
		require.Equal(t, vpn.Changes{Removed: 3}, b.set(t, nil))
		require.Empty(t, b.users())

		_, err := b.Set(t.Context(), func(context.Context) (vpn.Wanted, error) { return vpn.Wanted{}, errors.New("no database") })
		require.ErrorContains(t, err, "no database")
	})
}

// TestSetSparesWhoIsAddedMeanwhile: a worker adds somebody after the node's list was read and before the database was.
func TestSetSparesWhoIsAddedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, b *backend) {
		_, err := b.Add(t.Context(), user(1))
		require.NoError(t, err)
		isFirst := true
		_, err = b.Set(t.Context(), func(ctx context.Context) (vpn.Wanted, error) {
			if !isFirst { // our node is asked again
				return vpn.Wanted{Users: []atlas.VPNUser{user(2), user(3)}}, nil
			}
			isFirst = false
			list := []atlas.VPNUser{user(2)} // as it was before the purchase
			_, err := b.Add(ctx, user(3))
			return vpn.Wanted{Users: list}, err
		})
		require.NoError(t, err)
		require.ElementsMatch(t, uuids(user(2), user(3)), b.users())
	})
}

// TestSetDoesNotMindWhoIsRemovedMeanwhile: a worker removes somebody whom the list that was read still has.
func TestSetDoesNotMindWhoIsRemovedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, b *backend) {
		for _, each := range []atlas.VPNUser{user(1), user(2)} {
			_, err := b.Add(t.Context(), each)
			require.NoError(t, err)
		}
		_, err := b.Set(t.Context(), func(ctx context.Context) (vpn.Wanted, error) {
			return vpn.Wanted{Users: []atlas.VPNUser{user(2)}}, b.Remove(ctx, user(1).UUID)
		})
		require.NoError(t, err)
		require.Equal(t, uuids(user(2)), b.users())
	})
}

func TestARestartForgetsAndSetMends(t *testing.T) {
	each(t, func(t *testing.T, b *backend) {
		const many = 200
		list := []atlas.VPNUser{}
		for number := range many {
			list = append(list, user(number))
		}
		require.Equal(t, vpn.Changes{Added: many}, b.set(t, nil, list...))
		b.stop()
		_, err := b.Add(t.Context(), user(0))
		require.ErrorIs(t, err, vpn.ErrDown)
		b.start()
		awaitHealth(t, b)
		want := vpn.Changes{}
		if b.forgets {
			want.Added = many
		}
		require.Equal(t, want, b.set(t, nil, list...))
		require.ElementsMatch(t, uuids(list...), b.users())
	})
}

func TestANodeThatIsDownIsLeftAloneAndTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, b *backend) {
		b.stop()
		calls := map[string]func() error{
			"Add":    func() error { _, err := b.Add(t.Context(), user(1)); return err },
			"Remove": func() error { return b.Remove(t.Context(), user(1).UUID) },
			"Health": func() error { _, err := b.Health(t.Context()); return err },
			"Set": func() error {
				_, err := b.Set(t.Context(), func(context.Context) (vpn.Wanted, error) {
					t.Error("asked what is wanted of a node that cannot be read")
					return vpn.Wanted{}, nil
				})
				return err
			},
		}
		for name, call := range calls {
			err := call()
			require.ErrorIs(t, err, vpn.ErrDown, name)
			require.NotContains(t, err.Error(), user(1).UUID)
		}
		require.ErrorContains(t, calls["Health"](), "left alone", "after three failures it is not bothered")
		b.start()
		awaitHealth(t, b)
		for name, call := range calls {
			if name != "Set" {
				require.NoError(t, call(), name)
			}
		}
	})
}

func TestARefusalIsNotAnOutage(t *testing.T) {
	each(t, func(t *testing.T, b *backend) {
		bad := user(1)
		bad.UUID = strings.Repeat("z", 40)
		for range 5 { // more than make a node rest
			_, err := b.Add(t.Context(), bad)
			var refused *vpn.RefusedError
			require.ErrorAs(t, err, &refused)
			require.NotErrorIs(t, err, vpn.ErrDown)
			require.NotContains(t, err.Error(), bad.UUID)
		}
		_, err := b.Add(t.Context(), user(2))
		require.NoError(t, err, "nobody else suffers from it")

		wanted := []atlas.VPNUser{bad, user(3)}
		_, err = b.Set(t.Context(), func(context.Context) (vpn.Wanted, error) { return vpn.Wanted{Users: wanted}, nil })
		require.Error(t, err)
		require.NotErrorIs(t, err, vpn.ErrDown)
	})
}

func TestWhatIsWrongWithAllCallsIsAnOutage(t *testing.T) {
	each(t, func(t *testing.T, b *backend) {
		broken := open(t, b.broken)[0]
		_, err := broken.Add(t.Context(), user(1))
		require.ErrorIs(t, err, vpn.ErrDown, "a wrong key or inbound says nothing about the user")
		require.ErrorIs(t, broken.Remove(t.Context(), user(1).UUID), vpn.ErrDown, "nor that the user is gone")
		_, err = broken.Set(t.Context(), func(context.Context) (vpn.Wanted, error) { return vpn.Wanted{}, nil })
		require.ErrorIs(t, err, vpn.ErrDown)
		require.NotContains(t, fmt.Sprintf("%+v %#v", broken, broken), apiKey)
	})
}

// TestXrayKeysCarryTraffic goes through keys of a bare core with a real client.
func TestXrayKeysCarryTraffic(t *testing.T) {
	t.Parallel()
	b := startXray(t, "core")
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("through")) }))
	t.Cleanup(page.Close)
	fetch := func(key string) error {
		out, err := exec.CommandContext(t.Context(), filepath.Join(programs, "fetch"), "-timeout", "1m", key, page.URL).Output()
		if err == nil {
			require.Equal(t, "through", string(out))
		}
		return err
	}
	key, err := b.Add(t.Context(), user(1))
	require.NoError(t, err)
	require.NoError(t, fetch(key))
	require.NoError(t, b.Remove(t.Context(), user(1).UUID))
	require.Error(t, fetch(key), "a removed user's key carries nothing")
	require.Equal(t, vpn.Changes{Added: 1}, b.set(t, nil, user(1)))
	require.NoError(t, fetch(key))
}

func TestRemnawaveKeepsTheEndAndLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	panel := remnawave.New(apiKey)
	server := httptest.NewServer(panel)
	t.Cleanup(server.Close)
	b := &backend{Named: open(t, nodeAddress("remnawave+http", "panel", apiKey, server.Listener.Addr().String())+"?squad="+squad)[0]}
	post := func(body string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api/users", strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+apiKey)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusCreated, response.StatusCode)
	}
	post(`{"username":"somebody","expireAt":"2099-01-01T00:00:00Z"}`)
	post(`{"username":"tagged_alike","tag":"ATLAS_SECURE","expireAt":"2099-01-01T00:00:00Z"}`)

	anna := user(1)
	_, err := b.Add(t.Context(), anna)
	require.NoError(t, err)
	anna.ExpiresAt = anna.ExpiresAt.AddDate(0, 1, 0)
	anna.DeviceLimit = 10
	_, err = b.Add(t.Context(), anna)
	require.NoError(t, err)
	mine := func() remnawave.User { return panel.Users()[2] }
	require.WithinDuration(t, anna.ExpiresAt, mine().ExpireAt, 0, "a renewal moves the end")
	require.Equal(t, 10, *mine().DeviceLimit)
	require.EqualValues(t, 1001, *mine().TelegramID)
	require.Equal(t, squad, mine().Squads[0].UUID)
	require.NotContains(t, mine().Username, anna.UUID, "a name that is no key")

	for what, change := range map[string]func(*remnawave.User) bool{
		"status": func(u *remnawave.User) bool { u.Status = "EXPIRED"; return false },
		"end":    func(u *remnawave.User) bool { u.ExpireAt = u.ExpireAt.AddDate(1, 0, 0); return false },
		"limit":  func(u *remnawave.User) bool { u.DeviceLimit = nil; return false },
	} {
		require.NoError(t, panel.Edit(mine().Username, change))
		require.Equal(t, vpn.Changes{Changed: 1}, b.set(t, nil, anna), what)
		require.Zero(t, b.set(t, nil, anna), what)
		require.Equal(t, "ACTIVE", mine().Status)
	}
	require.NoError(t, panel.Edit(mine().Username, func(u *remnawave.User) bool { u.Status = "LIMITED"; return false }))
	require.Zero(t, b.set(t, nil, anna), "the panel's own limit of traffic is its operator's business")
	require.NoError(t, panel.Edit(mine().Username, func(*remnawave.User) bool { return true }))
	require.Equal(t, vpn.Changes{Added: 1}, b.set(t, nil, anna), "deleted by hand")
	require.Equal(t, vpn.Changes{Removed: 1}, b.set(t, nil))
	require.Len(t, panel.Users(), 2, "two who are none of ours")

	many := []atlas.VPNUser{}
	for number := range 1500 {
		many = append(many, user(number))
	}
	require.Equal(t, vpn.Changes{Added: 1500}, b.set(t, nil, many...))
	require.Zero(t, b.set(t, nil, many...), "more than a page")
}
