package haltest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"reversald/hal/haltest"
)

func TestClockMisbehaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
		c := haltest.NewClock(noon)
		check := func(what string, wall time.Time, sinceBoot time.Duration, trusted bool) {
			t.Helper()
			if !c.Wall().Equal(wall) || c.SinceBoot() != sinceBoot || c.Trusted(noon) != trusted {
				t.Errorf("%s: %v, %v since boot, trusted %v, want %v, %v, %v", what,
					c.Wall(), c.SinceBoot(), c.Trusted(noon), wall, sinceBoot, trusted)
			}
		}
		check("at first", noon, 0, true)
		time.Sleep(time.Hour)
		check("an hour later", noon.Add(time.Hour), time.Hour, true)
		c.Jump(-2 * time.Hour)
		check("after a jump back", noon.Add(-time.Hour), time.Hour, false)
		c.Reset1970()
		check("without a battery", time.Unix(0, 0), time.Hour, false)
		c.Set(noon.Add(50 * 365 * 24 * time.Hour))
		check("far ahead", noon.Add(50*365*24*time.Hour), time.Hour, false)
		c.Set(noon)
		boot := c.BootID()
		c.Reboot()
		check("after a boot", noon, 0, true)
		if c.BootID() == boot || boot == [16]byte{} {
			t.Errorf("boot ids %x and %x, want two", boot, c.BootID())
		}
		if wall := haltest.NewClock(time.Time{}).Wall(); !wall.Equal(time.Now()) {
			t.Errorf("a clock that was not put anywhere stands at %v", wall)
		}
	})
}
