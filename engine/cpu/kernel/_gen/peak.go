package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// emitPeak writes independent multiply-adds, as many at a time as hide the
// latency of one on every processor.
func emitPeak() {
	const chains = 12
	text("multiplyAdds", "func(rounds int)", "for rounds > 0", "\tfor range rounds {", fmt.Sprintf("\t\t%d vectors of independent multiply-adds", chains), "\t}")
	n := Load(Param("rounds"), GP64())
	x := zero()
	var acc [chains]vec
	for i := range acc {
		acc[i] = zero()
	}
	Label("loop")
	for _, v := range acc {
		VFMADD231PS(x, x, v)
	}
	DECQ(n)
	JNE(LabelRef("loop"))
	VZEROUPPER()
	RET()
}
