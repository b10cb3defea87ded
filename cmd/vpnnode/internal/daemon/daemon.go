// Package daemon runs a node together with its API.
package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"atlas-secure/vpnnode/internal/api"
	"atlas-secure/vpnnode/internal/config"
	"atlas-secure/vpnnode/internal/node"
)

// shutdownTime is for requests in hand and open connections, each. A connection that has not asked anything yet takes five
// seconds of it.
const shutdownTime = 10 * time.Second

// Daemon is a running node.
type Daemon struct {
	node     *node.Node
	server   *http.Server
	listener net.Listener
	served   chan error
	logger   *slog.Logger
}

// Run starts everything, and stops it in order when ctx is done.
func Run(ctx context.Context, cfg *config.Config, logger *slog.Logger) error {
	d, err := Start(ctx, cfg, logger)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		d.logger.Info("stopping", "operation", "stop")
	case failure := <-d.served:
		d.served <- failure // for Close to report
	}
	return d.Close(context.WithoutCancel(ctx))
}

// Start brings the node and the API up.
func Start(ctx context.Context, cfg *config.Config, logger *slog.Logger) (*Daemon, error) {
	started := time.Now()
	logger = logger.With("component", "vpnnode")
	n, err := node.Start(ctx, node.Config{
		ListenHost: cfg.XrayHost, ListenPort: cfg.XrayPort, PublicHost: cfg.PublicHost, PublicPort: cfg.PublicPort,
		RealityTarget: cfg.RealityTarget, ServerName: cfg.RealityName, AllowClosed: cfg.AllowsLoopback, StateDir: cfg.StateDir,
	}, logger)
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		return nil, fmt.Errorf("listen for the API: %w", errors.Join(err, n.Close(stopCtx)))
	}
	if cfg.TLS != nil {
		listener = tls.NewListener(listener, &tls.Config{
			MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*cfg.TLS}, NextProtos: []string{"h2", "http/1.1"},
		})
	}
	d := &Daemon{
		node:     n,
		listener: listener,
		logger:   logger,
		served:   make(chan error, 1),
		server: &http.Server{
			Handler:           api.New(n, cfg.APIKey, logger),
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       30 * time.Second,
			WriteTimeout:      60 * time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    16 << 10,
			ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
		},
	}
	go func() { d.served <- d.server.Serve(listener) }()
	logger.Info("ready", "operation", "start", "outcome", "ok", "duration", time.Since(started), "api", d.APIAddr(),
		"vpn", n.Address(), "instance_id", n.InstanceID())
	return d, nil
}

// APIAddr is where the API listens.
func (d *Daemon) APIAddr() string { return d.listener.Addr().String() }

// Close finishes the requests in hand, closes the users' connections and stops the core.
func (d *Daemon) Close(ctx context.Context) error {
	apiCtx, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	err := d.server.Shutdown(apiCtx)
	if served := <-d.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	nodeCtx, cancelNode := context.WithTimeout(ctx, shutdownTime)
	defer cancelNode()
	err = errors.Join(err, d.node.Close(nodeCtx))
	d.logger.Info("stopped", "operation", "stop", "outcome", outcome(err))
	return err
}

func outcome(err error) string {
	if err != nil {
		return "error"
	}
	return "ok"
}
