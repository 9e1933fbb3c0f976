package cloud

import (
	"context"
	"errors"
	"net/url"

	gosecrets "gocloud.dev/secrets"
)

// absentKMS refuses awskms:// as a secrets provider, with what to do.
type absentKMS struct{}

func (absentKMS) OpenKeeperURL(context.Context, *url.URL) (*gosecrets.Keeper, error) {
	return nil, errors.New("this engine, built from Go modules, has no driver for awskms://: " +
		"install Pulumi (https://www.pulumi.com/docs/install/) and put it on PATH")
}

func init() {
	gosecrets.DefaultURLMux().RegisterKeeper("awskms", absentKMS{})
}
