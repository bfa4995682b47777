package cpu

// Whether one unit must run after another is asked for nearly every node of a
// program, of graphs as deep as the program. Levels answer it at once as a rule: a
// unit's level is above those of all that it follows, so that a search need not go
// below its target.

// rank is what a unit needs for that.
type rank struct {
	level  int
	before []*unit // units that follow this one
	asked  int     // the last question whose search came here
}

// follow makes u run after d, which must not follow u.
func (u *unit) follow(d *unit) {
	if !u.after[d] {
		u.after[d] = true
		d.rank.before = append(d.rank.before, u)
		u.raise(d.rank.level + 1)
	}
}

func (u *unit) raise(level int) {
	if level <= u.rank.level {
		return
	}
	u.rank.level = level
	for _, v := range u.rank.before {
		v.raise(level + 1)
	}
}

// rankUnits finds the levels anew, where units were merged or their order changed
// by other means than follow.
func (pl *plan) rankUnits() {
	for _, u := range pl.units {
		u.rank = rank{level: -1}
	}
	var visit func(u *unit) int
	visit = func(u *unit) int {
		if u.rank.level < 0 {
			level := 0
			for d := range u.after {
				level = max(level, visit(d)+1)
				d.rank.before = append(d.rank.before, u)
			}
			u.rank.level = level
		}
		return u.rank.level
	}
	for _, u := range pl.units {
		visit(u)
	}
	pl.asked = 0
}

// follows reports whether u is target or must run after it, by the levels.
func (pl *plan) follows(u, target *unit) bool {
	pl.asked++
	return u.follows(target, pl.asked)
}

func (u *unit) follows(target *unit, question int) bool {
	if u == target {
		return true
	}
	if u.rank.level <= target.rank.level || u.rank.asked == question {
		return false
	}
	u.rank.asked = question
	for d := range u.after {
		if d.follows(target, question) {
			return true
		}
	}
	return false
}
