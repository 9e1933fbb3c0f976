package diy

import (
	"context"
	"errors"
	"net/url"

	"gocloud.dev/blob"
)

// s3CopyObjectInput takes the place of the AWS type in bucket.go; no driver fills one.
type s3CopyObjectInput struct {
	CopySource *string
}

// absentS3 refuses s3:// as a backend, with what to do.
type absentS3 struct{}

func (absentS3) OpenBucketURL(context.Context, *url.URL) (*blob.Bucket, error) {
	return nil, errors.New("this engine, built from Go modules, has no driver for s3://: " +
		"install Pulumi (https://www.pulumi.com/docs/install/) and put it on PATH")
}

func init() {
	blob.DefaultURLMux().RegisterBucket("s3", absentS3{})
}
