package hal

import (
	"context"
	"fmt"
)

// None is the Signer of a terminal whose messages carry no MAC. It can do MACNone and has no keys;
// anything else is refused with ErrSignerAlgorithm, because a profile that asks for a MAC and does
// not get one must not find out from the host.
type None struct{}

var _ Signer = None{}

// Sign implements Signer.
func (None) Sign(ctx context.Context, r MACRequest) ([]byte, error) {
	return nil, none(ctx, "sign", r)
}

// Verify implements Signer.
func (None) Verify(ctx context.Context, r MACRequest, _ []byte) error {
	return none(ctx, "verify", r)
}

// LoadWorkingKeys implements Signer.
func (None) LoadWorkingKeys(context.Context, WorkingKeys) (uint64, error) {
	return 0, fmt.Errorf("load working keys: %w: no signer", ErrSignerNoKey)
}

// Info implements Signer.
func (None) Info(context.Context) (SignerInfo, error) { return SignerInfo{Kind: "none"}, nil }

// Close implements Signer. There is nothing to close, so None goes on.
func (None) Close() error { return nil }

func none(ctx context.Context, op string, r MACRequest) error {
	r, err := r.checked()
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if r.Algorithm != MACNone {
		return fmt.Errorf("%s: %w: %v without a signer", op, ErrSignerAlgorithm, r.Algorithm)
	}
	return ctx.Err()
}
