package hal_test

import (
	"testing"
	"time"

	"reversald/hal"
)

func TestBelievable(t *testing.T) {
	floor := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	none := time.Time{}
	tests := []struct {
		name        string
		wall, floor time.Time
		want        bool
	}{
		{"at the floor", floor, floor, true},
		{"just before the floor", floor.Add(-1), floor, false},
		{"years later", floor.AddDate(10, 0, 0), floor, true},
		{"the rubbish of a clock chip", floor.AddDate(73, 0, 0), floor, false},
		{"no floor, a sensible year", floor, none, true},
		{"no floor, a flat battery", time.Unix(0, 0), none, false},
		{"no floor, a vendor's build date", time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC), none, false},
		{"a floor that is itself from a flat battery", time.Unix(60, 0), time.Unix(0, 0), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := hal.Believable(tt.wall, tt.floor); got != tt.want {
				t.Errorf("Believable(%v, %v) = %v", tt.wall, tt.floor, got)
			}
		})
	}
}
