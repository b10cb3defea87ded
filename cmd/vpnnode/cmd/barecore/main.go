// Command barecore is an Xray core as other people run it: VLESS + REALITY, nothing of ours round it, and the core's own API
// for users. The tests talk to it; customers never do.
//
// It prints one line of JSON, what a configuration of it has to say, and runs until it is told to stop or its standard input
// ends.
package main

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/xtls/xray-core/app/commander"
	"github.com/xtls/xray-core/app/dispatcher"
	"github.com/xtls/xray-core/app/log"
	"github.com/xtls/xray-core/app/proxyman"
	"github.com/xtls/xray-core/app/proxyman/command"
	_ "github.com/xtls/xray-core/app/proxyman/inbound"  // makes inbound handlers from their configuration
	_ "github.com/xtls/xray-core/app/proxyman/outbound" // makes outbound handlers from their configuration
	xnet "github.com/xtls/xray-core/common/net"
	"github.com/xtls/xray-core/common/protocol"
	"github.com/xtls/xray-core/common/serial"
	"github.com/xtls/xray-core/core"
	"github.com/xtls/xray-core/proxy/freedom"
	"github.com/xtls/xray-core/proxy/vless"
	"github.com/xtls/xray-core/proxy/vless/inbound"
	"github.com/xtls/xray-core/transport/internet"
	"github.com/xtls/xray-core/transport/internet/reality"
	_ "github.com/xtls/xray-core/transport/internet/tcp" // the inbound's transport, and the way out

	"atlas-secure/vpnnode/internal/link"
	"atlas-secure/vpnnode/internal/target"
)

// serverName is what the REALITY target has a certificate for.
const serverName = "www.example.com"

// description is what the core's owner knows of it.
type description struct {
	API       string `json:"api"` // host:port
	Inbound   string `json:"inbound"`
	Host      string `json:"host"`
	Port      int    `json:"port"`
	PublicKey string `json:"public_key"`
	ShortID   string `json:"short_id"`
	Name      string `json:"server_name"`
}

func main() {
	api := flag.String("api", "", "host:port for the API; a free port of 127.0.0.1 by default")
	operator := flag.String("operator", "", "uuid of a user whom the operator has put into the configuration, as \"operator\"")
	flag.Parse()
	if err := run(*api, *operator); err != nil {
		fmt.Fprintln(os.Stderr, "barecore:", err)
		os.Exit(1)
	}
}

func run(api, operator string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go func() { // whoever started it has gone
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if api == "" {
		port, err := freePort(ctx)
		if err != nil {
			return err
		}
		api = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	site, err := target.Start(ctx, serverName)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, site.Close()) }()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("make the REALITY key: %w", err)
	}
	shortID := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	instance, err := core.NewWithContext(ctx, config(api, port, site.Addr(), key.Bytes(), shortID, operator))
	if err != nil {
		return fmt.Errorf("configure Xray: %w", err)
	}
	defer func() { err = errors.Join(err, instance.Close()) }()
	if err := instance.Start(); err != nil {
		return fmt.Errorf("start Xray: %w", err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(description{
		API: api, Inbound: "vless-in", Host: "127.0.0.1", Port: port, Name: serverName, ShortID: hex.EncodeToString(shortID),
		PublicKey: base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()),
	}); err != nil {
		return fmt.Errorf("say what it is: %w", err)
	}
	<-ctx.Done()
	return nil
}

func freePort(ctx context.Context) (int, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // a TCP listener
	return port, listener.Close()
}

func config(api string, port int, site string, key, shortID []byte, operator string) *core.Config {
	users := []*protocol.User{}
	if operator != "" {
		users = append(users, &protocol.User{Email: "operator", Account: serial.ToTypedMessage(
			&vless.Account{Id: operator, Flow: link.Vision, Encryption: "none"})})
	}
	disguise := &reality.Config{
		Dest: site, Type: "tcp", ServerNames: []string{serverName}, PrivateKey: key, ShortIds: [][]byte{shortID}, MasterKeyLog: "none",
	}
	return &core.Config{
		App: []*serial.TypedMessage{
			serial.ToTypedMessage(&log.Config{AccessLogType: log.LogType_None, ErrorLogType: log.LogType_None}),
			serial.ToTypedMessage(&commander.Config{
				Tag: "api", Listen: api, Service: []*serial.TypedMessage{serial.ToTypedMessage(&command.Config{})},
			}),
			serial.ToTypedMessage(&dispatcher.Config{}),
			serial.ToTypedMessage(&proxyman.InboundConfig{}),
			serial.ToTypedMessage(&proxyman.OutboundConfig{}),
		},
		Inbound: []*core.InboundHandlerConfig{{
			Tag: "vless-in",
			ReceiverSettings: serial.ToTypedMessage(&proxyman.ReceiverConfig{
				Listen:   xnet.NewIPOrDomain(xnet.LocalHostIP),
				PortList: &xnet.PortList{Range: []*xnet.PortRange{xnet.SinglePortRange(xnet.Port(port))}}, //nolint:gosec // a port
				StreamSettings: &internet.StreamConfig{
					ProtocolName: "tcp", SecurityType: serial.GetMessageType(disguise),
					SecuritySettings: []*serial.TypedMessage{serial.ToTypedMessage(disguise)},
				},
			}),
			ProxySettings: serial.ToTypedMessage(&inbound.Config{Decryption: "none", Clients: users}),
		}},
		Outbound: []*core.OutboundHandlerConfig{{Tag: "direct", ProxySettings: serial.ToTypedMessage(&freedom.Config{})}},
	}
}
