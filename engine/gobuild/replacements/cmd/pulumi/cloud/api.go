// Package cloud keeps what other commands share; the command `pulumi api` is refused.
package cloud

import (
	"errors"

	"github.com/spf13/cobra"
)

// What envelope.go names in the responses of `pulumi api`.
type (
	ParamSpec    struct{}
	ResponseSpec struct{}
	ErrorRef     struct{}
)

// NewAPICmd returns a command that says what to do to call Pulumi Cloud's API.
func NewAPICmd() *cobra.Command {
	return &cobra.Command{
		Use:                "api",
		Short:              "Call any Pulumi Cloud API endpoint (needs an installed Pulumi)",
		DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("this engine, built from Go modules, has no `pulumi api`: " +
				"install Pulumi (https://www.pulumi.com/docs/install/) and put it on PATH")
		},
	}
}
