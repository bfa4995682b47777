package tokenizer_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/hone-ml/hone/format/tokenizer"
	"github.com/hone-ml/hone/text"
)

// A tokenizer is trained, written and read, and says where in the text its
// tokens are.
func Example() {
	texts := []string{"low lower lowest", "new newer newest", "wide wider widest"}
	trained, err := text.TrainWordPiece(texts, text.TrainOptions{Size: 60, Around: true})
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := tokenizer.WriteFile(filepath.Join(dir, "tokenizer.json"), trained); err != nil {
		log.Fatal(err)
	}
	t, err := tokenizer.ReadFile(dir)
	if err != nil {
		log.Fatal(err)
	}
	s := "lower, newest"
	e, err := t.Encode(s)
	if err != nil {
		log.Fatal(err)
	}
	for i, o := range e.Offsets {
		fmt.Printf("%s=%q ", e.Tokens[i], s[o.From:o.To])
	}
	// Output: [CLS]="" lo="lo" ##wer="wer" [UNK]="," ne="ne" ##west="west" [SEP]=""
}
