package main

import (
	"errors"

	"github.com/hone-ml/hone/engine/tensor"
	"github.com/hone-ml/hone/train"
)

// A network is a kind of model that cases measure. A new one is a file of its own
// with these methods, a field of Case for its sizes, a line in Case.network, and in
// peers.py a line in MODELS and the methods train_… and predict_… of who takes
// part.
type network interface {
	train.Task
	// write writes the files of the case's rows; write of Case adds the order of
	// rows and the first weights.
	write(c *Case) error
	// tensors are the inputs and targets of all rows, as the task declares them.
	tensors(c *Case) ([]*tensor.Tensor, error)
}

// A counted network tells what a step costs by itself, where the operations of its
// program do not.
type counted interface{ work(c *Case) work }

// network is the case's.
func (c *Case) network() network {
	switch {
	case c.Bag != nil:
		return c.Bag
	case c.Transformer != nil:
		return c.Transformer
	case c.Table != nil:
		return tables{c.Table.model().Task(), mlp{c}}
	}
	return mlp{c}
}

// tables is the default tabular network. Its rows are those of a network of dense
// layers, with categories.
type tables struct {
	train.Task
	rows mlp
}

func (t tables) write(c *Case) error { return t.rows.write(c) }

func (t tables) tensors(c *Case) ([]*tensor.Tensor, error) {
	all, err := t.rows.tensors(c)
	if err != nil {
		return nil, err
	}
	x, y := all[0], all[1]
	codes, err := c.read(tensor.Int32, "codes", c.Rows, len(c.Table.Categories))
	if err != nil {
		return nil, err
	}
	all = nil
	for j := range c.Table.Edges {
		all = append(all, column(x, j, c.Rows, 1))
	}
	for j := range c.Table.Categories {
		all = append(all, column(codes, j, c.Rows))
	}
	return append(all, y), nil
}

// writeStart writes the order of rows and the first weights.
func (c *Case) writeStart() error {
	order, err := c.order()
	errs := []error{err, c.save("order", words(order))}
	_, state, err := c.program()
	if err != nil {
		return err
	}
	for _, v := range state.Trainable() {
		errs = append(errs, c.save(parameterFile(v), v.Value.Floats()))
	}
	return errors.Join(errs...)
}
