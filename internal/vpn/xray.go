package vpn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"atlas-secure/internal/atlas"
	"atlas-secure/internal/vpn/xrayapi"
)

// Xray is a bare Xray core that is spoken to through its API (HandlerService). The core names a user by an email: here it is
// the uuid, and only users who are named by a uuid are ours. It is safe for use from many goroutines.
//
// The core counts no devices, and its API asks for no key: it must listen on loopback, at the end of a tunnel if need be.
type Xray struct {
	link    Reality
	inbound string
	http    *http.Client
	guard   guard

	alter *connect.Client[xrayapi.AlterInboundRequest, xrayapi.AlterInboundResponse]
	users *connect.Client[xrayapi.GetInboundUserRequest, xrayapi.GetInboundUserResponse]
	count *connect.Client[xrayapi.GetInboundUserRequest, xrayapi.GetInboundUsersCountResponse]
}

var _ Node = (*Xray)(nil)

const handlerService = "/xray.app.proxyman.command.HandlerService/"

// What the core calls the messages that it takes inside others.
const (
	typeAddUser    = "xray.app.proxyman.command.AddUserOperation"
	typeRemoveUser = "xray.app.proxyman.command.RemoveUserOperation"
	typeAccount    = "xray.proxy.vless.Account"
)

// NewXray makes a client of the core's API at host:port, for one VLESS inbound of it. Keys are links to that inbound, as the
// parameters describe it: the core does not tell. Nothing is sent yet.
func NewXray(address, inbound string, link Reality, options ...Option) (*Xray, error) {
	host, _, err := net.SplitHostPort(address)
	switch {
	case err != nil:
		return nil, errors.New("address of the Xray API: host:port is expected")
	case !isLoopback(host):
		return nil, fmt.Errorf("address of the Xray API: %s is not loopback. The API asks for no key: bring it here through a tunnel", host)
	case inbound == "":
		return nil, errors.New("the tag of the Xray inbound is missing")
	}
	if err := link.check(); err != nil {
		return nil, err
	}
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{
		DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext, Protocols: protocols, IdleConnTimeout: time.Minute,
	}}
	base := "http://" + address + handlerService
	calling := []connect.ClientOption{connect.WithGRPC(), connect.WithReadMaxBytes(maxListBytes)}
	return &Xray{
		link: link, inbound: inbound, http: client, guard: newGuard(options),
		alter: connect.NewClient[xrayapi.AlterInboundRequest, xrayapi.AlterInboundResponse](client, base+"AlterInbound", calling...),
		users: connect.NewClient[xrayapi.GetInboundUserRequest, xrayapi.GetInboundUserResponse](client, base+"GetInboundUsers", calling...),
		count: connect.NewClient[xrayapi.GetInboundUserRequest, xrayapi.GetInboundUsersCountResponse](client, base+"GetInboundUsersCount", calling...),
	}, nil
}

// Close lets go of idle connections. The node can still be used.
func (x *Xray) Close() { x.http.CloseIdleConnections() }

// Add implements Node. The core has nothing to set of a user who is in.
func (x *Xray) Add(ctx context.Context, user atlas.VPNUser) (keyURI string, err error) {
	account, err := typed(typeAccount, &xrayapi.Account{Id: user.UUID, Flow: x.link.Flow, Encryption: "none"})
	if err == nil {
		err = x.change(ctx, user.UUID, typeAddUser, &xrayapi.AddUserOperation{User: &xrayapi.User{Email: user.UUID, Account: account}})
	}
	if err != nil && !saysAboutUser(err, "already exists") {
		return "", fmt.Errorf("add a user: %w", err)
	}
	return x.link.Key(user.UUID), nil
}

// Remove implements Node. Connections that are open stay until they end: the core has no call that closes them.
func (x *Xray) Remove(ctx context.Context, uuid string) error {
	err := x.change(ctx, uuid, typeRemoveUser, &xrayapi.RemoveUserOperation{Email: uuid})
	if err != nil && !saysAboutUser(err, "not found") {
		return fmt.Errorf("remove a user: %w", err)
	}
	return nil
}

// ours is how the core names users who are Atlas's; an operator's own users, by other names, are left alone.
var ours = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// Set implements Node.
func (x *Xray) Set(ctx context.Context, wanted func(ctx context.Context) (Wanted, error)) (Changes, error) {
	there := map[string]string{}
	if err := x.guard.do(ctx, listTimeout, func(ctx context.Context) error {
		answer, err := x.users.CallUnary(ctx, connect.NewRequest(&xrayapi.GetInboundUserRequest{Tag: x.inbound}))
		if err != nil {
			return judgeGRPC(err, "")
		}
		for _, user := range answer.Msg.GetUsers() {
			if name := user.GetEmail(); ours.MatchString(name) {
				there[name] = name
			}
		}
		return nil
	}); err != nil {
		return Changes{}, fmt.Errorf("read the list of users: %w", err)
	}
	users, err := wanted(ctx)
	if err != nil {
		return Changes{}, err
	}
	found := compare(there, users, func(uuid string) string { return uuid }, func(string, atlas.VPNUser) bool { return true })
	return mend(ctx, found,
		func(ctx context.Context, user atlas.VPNUser) error {
			_, err := x.Add(ctx, user)
			return err
		},
		func(context.Context, pair[string]) error { return nil }, // nobody is there otherwise than wanted
		x.Remove)
}

// Health implements Node.
func (x *Xray) Health(ctx context.Context) (Health, error) {
	health := Health{Status: "ok"}
	err := x.guard.do(ctx, callTimeout, func(ctx context.Context) error {
		answer, err := x.count.CallUnary(ctx, connect.NewRequest(&xrayapi.GetInboundUserRequest{Tag: x.inbound}))
		if err != nil {
			return judgeGRPC(err, "")
		}
		health.Users = int(answer.Msg.GetCount())
		return nil
	})
	if err != nil {
		return Health{}, fmt.Errorf("ask for the node's health: %w", err)
	}
	return health, nil
}

// change sends an operation about one user to the inbound.
func (x *Xray) change(ctx context.Context, uuid, name string, operation proto.Message) error {
	message, err := typed(name, operation)
	if err != nil {
		return err
	}
	return x.guard.do(ctx, callTimeout, func(ctx context.Context) error {
		_, err := x.alter.CallUnary(ctx, connect.NewRequest(&xrayapi.AlterInboundRequest{Tag: x.inbound, Operation: message}))
		return judgeGRPC(err, uuid)
	})
}

func typed(name string, message proto.Message) (*xrayapi.TypedMessage, error) {
	value, err := proto.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	return &xrayapi.TypedMessage{Type: name, Value: value}, nil
}

// judgeGRPC tells what is wrong with the node from what is wrong with the call. The core has one code for all that its
// handlers refuse, Unknown; what it is about is in the text only.
func judgeGRPC(err error, uuid string) error {
	var answered *connect.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case !errors.As(err, &answered):
		return unreachable(withoutAddress(err))
	}
	refused := &RefusedError{Code: answered.Code().String(), Reason: clipped(answered.Message(), uuid)}
	if answered.Code() != connect.CodeUnknown || strings.Contains(refused.Reason, "failed to get handler") ||
		strings.Contains(refused.Reason, "is not a UserManager") {
		return fmt.Errorf("%w: %w", ErrDown, refused) // no such inbound, no such service: nothing about this user
	}
	return refused
}

// saysAboutUser says whether the core refused because of the user's being there, or not.
func saysAboutUser(err error, what string) bool {
	var refused *RefusedError
	return errors.As(err, &refused) && !errors.Is(err, ErrDown) &&
		refused.Code == connect.CodeUnknown.String() && strings.Contains(refused.Reason, "User (uuid) "+what)
}
