package gate

import (
	"context"
	"errors"
	"fmt"

	"github.com/xtls/xray-core/app/dispatcher"
	"github.com/xtls/xray-core/common"
	xnet "github.com/xtls/xray-core/common/net"
	"github.com/xtls/xray-core/common/session"
	"github.com/xtls/xray-core/features/routing"
	"github.com/xtls/xray-core/transport"
	"github.com/xtls/xray-core/transport/internet/stat"
)

type contextKey struct{}

// NewContext carries the gate to the core that is made with core.NewWithContext.
func NewContext(ctx context.Context, g *Gate) context.Context {
	return context.WithValue(ctx, contextKey{}, g)
}

func init() {
	common.Must(common.RegisterConfig((*Config)(nil), func(ctx context.Context, _ any) (any, error) {
		g, ok := ctx.Value(contextKey{}).(*Gate)
		if !ok {
			return nil, errors.New("the core was made without a gate in its context")
		}
		inner, err := common.CreateObject(ctx, &dispatcher.Config{})
		if err != nil {
			return nil, fmt.Errorf("make Xray's own dispatcher: %w", err)
		}
		return &Dispatcher{Dispatcher: inner.(routing.Dispatcher), gate: g}, nil //nolint:forcetypeassert // what the dispatcher makes
	}))
}

// Dispatcher is Xray's dispatcher with the gate in front of it.
type Dispatcher struct {
	routing.Dispatcher
	gate *Gate
}

// Dispatch takes a stream of a multiplexed connection (UDP comes this way).
func (d *Dispatcher) Dispatch(ctx context.Context, dest xnet.Destination) (*transport.Link, error) {
	if err := d.admit(ctx); err != nil {
		return nil, err
	}
	return d.Dispatcher.Dispatch(ctx, dest)
}

// DispatchLink takes a connection that carries one stream.
func (d *Dispatcher) DispatchLink(ctx context.Context, dest xnet.Destination, link *transport.Link) error {
	if err := d.admit(ctx); err != nil {
		return err
	}
	return d.Dispatcher.DispatchLink(ctx, dest, link)
}

// admit closes a connection that may not pass, so that a multiplexed one cannot try again.
func (d *Dispatcher) admit(ctx context.Context) error {
	inbound := session.InboundFromContext(ctx)
	if inbound == nil || inbound.User == nil || inbound.Conn == nil {
		return ErrUnknownUser
	}
	// Not inbound.Source: inside a multiplexed connection the client names that itself.
	conn := stat.TryUnwrapStatsConn(inbound.Conn)
	if err := d.gate.enter(ctx, inbound.User.Email, conn); err != nil {
		_ = inbound.Conn.Close()
		return err
	}
	return nil
}
