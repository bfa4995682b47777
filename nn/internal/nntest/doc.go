// Package nntest is what the tests of the packages under nn share: the values
// that PyTorch recorded (nn/testdata) and running a program by input names.
// Nothing that ships imports it. To compare one more layer, loss or optimiser,
// add a case to nn/testdata/record.py and its counterpart to the test.
package nntest
