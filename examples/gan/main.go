// A generative adversarial network (Goodfellow et al. 2014): a generator makes
// points of noise, a discriminator tells them from real ones, and each learns
// from the other. The real points are a ring of eight Gaussians, some of which
// a generator likes to forget.
//
// Package train knows one loss and one optimiser. Here are two of each, so the
// loop is written out: three programs over two states, each of which trains
// one network and reads the other, or reads alone.
//
//	go run ./examples/gan
package main

import (
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"

	"github.com/hone-ml/hone/engine/cpu"
	"github.com/hone-ml/hone/engine/graph"
	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/nn"
	"github.com/hone-ml/hone/nn/optim"
)

const (
	batch, noise = 128, 8
	rate         = 2e-3
)

func main() {
	if _, _, err := run(os.Stdout, 4000); err != nil {
		log.Fatal(err)
	}
}

// A network is layers and the state that holds their parameters, which all
// programs share.
type network struct {
	layers nn.Layer
	state  *graph.State
}

func newNetwork(outputs int) network {
	return network{nn.Sequential(nn.Dense(64, nn.ReLU), nn.Dense(64, nn.ReLU), nn.Dense(outputs)), graph.NewState()}
}

// apply builds the network into the program of x.
func (n network) apply(x *graph.Node) *graph.Node {
	return n.layers.Apply(&nn.Context{B: x.Builder(), State: n.state}, x)
}

// train adds to the program what lessens the loss by this network's parameters.
func (n network) train(loss, lr *graph.Node) {
	optim.Apply(optim.Adam(rate, optim.Betas(0.5, 0.999)), n.state, loss, lr, n.state.Trainable(), optim.Options{})
	loss.Builder().Output("loss", loss)
}

// run trains for a number of steps and returns how many modes are covered and
// the share of generated points that lie within 3 sigma of one.
func run(w io.Writer, steps int) (covered int, share float64, err error) {
	generator, discriminator := newNetwork(2), newNetwork(1)
	learnToTell, err1 := compile("discriminator", func(b *graph.Builder, z, lr *graph.Node) {
		real := discriminator.apply(b.Input("real", tensor.Float32, graph.N(batch), graph.N(2)))
		fake := discriminator.apply(generator.apply(z))
		// −log D(real) − log(1 − D(fake)), where D is the sigmoid of the output
		discriminator.train(graph.Mean(graph.Add(graph.Softplus(graph.Neg(real)), graph.Softplus(fake))), lr)
	})
	learnToFool, err2 := compile("generator", func(b *graph.Builder, z, lr *graph.Node) {
		fake := discriminator.apply(generator.apply(z))
		// −log D(fake) rather than log(1 − D(fake)), which is flat where D is sure
		generator.train(graph.Mean(graph.Softplus(graph.Neg(fake))), lr)
	})
	generate, err3 := compile("generate", func(b *graph.Builder, z, _ *graph.Node) { b.Output("points", generator.apply(z)) })
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return 0, 0, err
		}
	}
	step, lr, real := tensor.New(tensor.Int32), tensor.Scalar(0), tensor.Zeros(batch, 2)
	lossD, lossG, points := tensor.Zeros(), tensor.Zeros(), tensor.Zeros()
	r := rand.New(rand.NewPCG(1, 2))
	for i := 1; i <= steps; i++ {
		step.Ints()[0], lr.Floats()[0] = int32(i), rate*(1-float32(i)/float32(steps))
		drawRing(r, real)
		if err := learnToTell.Run([]*tensor.Tensor{step, lr, real}, []*tensor.Tensor{lossD}); err != nil {
			return 0, 0, err
		}
		if err := learnToFool.Run([]*tensor.Tensor{step, lr}, []*tensor.Tensor{lossG}); err != nil {
			return 0, 0, err
		}
		if i%500 != 0 && i != steps {
			continue
		}
		var c census
		for k := range 20 {
			step.Ints()[0] = int32(-k - 1) // noise that training does not see
			if err := generate.Run([]*tensor.Tensor{step, lr}, []*tensor.Tensor{points}); err != nil {
				return 0, 0, err
			}
			c.count(points)
		}
		covered, share = c.result()
		fmt.Fprintf(w, "step %4d: discriminator loss %.3f, generator loss %.3f, %d of %d modes\n", i, lossD.Floats()[0], lossG.Floats()[0], covered, modes)
	}
	fmt.Fprintf(w, "Modes covered: %d of %d, within 3 sigma of one: %.1f %%\n", covered, modes, 100*share)
	return covered, share, nil
}

// compile makes a program that gets the step, which noise z follows from, and
// a learning rate.
func compile(name string, build func(b *graph.Builder, z, lr *graph.Node)) (graph.Executable, error) {
	b := graph.New(name)
	step, lr := b.Input("step", tensor.Int32), b.Input("learning rate", tensor.Float32)
	seed := b.Constant(tensor.New(tensor.Int32, 2)) // any two numbers
	build(b, graph.Normal(seed, step, graph.N(batch), graph.N(noise)), lr)
	p, err := b.Program()
	if err != nil {
		return nil, err
	}
	return cpu.Compile(p)
}
