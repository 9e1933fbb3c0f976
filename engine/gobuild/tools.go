//go:build tools

// Package engine pins the Pulumi engine's command line; go.mod and go.sum beside it are its lock.
package engine

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
