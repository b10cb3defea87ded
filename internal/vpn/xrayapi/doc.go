// Package xrayapi has the few messages of an Xray core's API that the worker speaks. Xray's own package of them brings the
// whole core along: these are their equals on the wire.
//
// The .pb.go file comes from the .proto file, made with protoc 3.21 and protoc-gen-go 1.36.12:
//
//	protoc --go_out=. --go_opt=paths=source_relative internal/vpn/xrayapi/xrayapi.proto
package xrayapi
