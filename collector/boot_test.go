package collector

import (
	"testing"
	"time"
)

func TestBootOfThisMachine(t *testing.T) {
	c := made(t)(NewBoot(thisMachine()))
	boot := values(t, c, "boot_time_seconds")[""]
	if now := float64(time.Now().Unix()); boot <= 0 || boot > now+1 {
		t.Errorf("boot time %v, now is %v", boot, now)
	}
	lintExposition(t, c)
}
