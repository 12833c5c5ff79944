package delivery

import "time"

// clock notices when the clock on the wall is set: next tries and expiry go by it.
type clock struct {
	engine *Engine
	wall   time.Time
	passed time.Time
}

// clockJump is how far the clock must have been set to be worth a line in the log.
const clockJump = time.Minute

func (e *Engine) newClock() *clock {
	return &clock{engine: e, wall: e.Now().Round(0), passed: time.Now()}
}

// look tells the operator if the clock was set since the last look.
func (c *clock) look() {
	wall, passed := c.engine.Now().Round(0), time.Now()
	jump := wall.Sub(c.wall) - passed.Sub(c.passed)
	c.wall, c.passed = wall, passed
	if jump.Abs() >= clockJump {
		c.engine.Logger.Warn("the clock was set while messages are being sent: next tries and the time when an edition expires go by it", "by", jump.Round(time.Second).String())
	}
}
