package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestHelpdesk runs and serves examples/helpdesk, shortened, and talks with it on
// its page in a real browser.
func TestHelpdesk(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../examples/helpdesk")); err != nil {
		t.Fatal(err)
	}
	run := exec.Command("hone", "run", filepath.Join(dir, "hone.yaml"), "--set", "train.bagging=off", "--set", "train.epochs=12", "--set", "evaluate.bootstrap=20",
		"--set", "outputs=[{name: intent, type: category, abstain: {error_rate: 0.3, none: out_of_scope}}]", "--json")
	out, err := run.Output()
	if err != nil {
		t.Fatalf("hone run: %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "the model is sure: of ") {
		t.Errorf("nothing is said of how often the model is sure: %s", out)
	}
	server := exec.Command("hone", "serve", filepath.Join(dir, "helpdesk.hone"), "--address", "127.0.0.1:0", "--json")
	pipe, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})
	var ready struct{ URL string }
	if err := json.NewDecoder(pipe).Decode(&ready); err != nil {
		t.Fatal(err)
	}

	b := openBrowser(t, ready.URL)
	const messages = "document.querySelectorAll('#log > *')"
	last := func(script string) string { return b.eval("[..." + messages + "].at(-1)" + script) }
	b.size(1000, 760, "light")
	b.wait(messages + ".length === 1")
	if got := last(".innerText"); !strings.Contains(got, "Ask me something") || !strings.Contains(got, "Where is my parcel right now?") {
		t.Errorf("the page greets with %q", got)
	}
	b.eval("document.getElementById('question').focus()")

	b.enter("Where can I see my parcel right now?")
	b.wait(messages + ".length === 3")
	if got := last(".querySelector('.text').textContent"); !strings.Contains(got, "12-digit number") {
		t.Errorf("where the parcel is is answered with %q", got)
	}
	if got := last(".querySelector('details').textContent"); !strings.Contains(got, "3 sources") || !strings.Contains(got, "entry 1, score 0.") {
		t.Errorf("its sources are %q", got)
	}
	b.eval("document.querySelector('#log details').open = true")
	b.enter("快递柜的门打不开怎么办")
	b.wait(messages + ".length === 5")
	if got := last(".querySelector('.text').textContent"); !strings.Contains(got, "远程再次开门") {
		t.Errorf("a locker that stays shut is answered with %q", got)
	}
	b.enter("why do cats purr")
	b.wait(messages + ".length === 7")
	if got := last(".innerText"); !strings.Contains(got, "I am not sure") || b.eval("Boolean([..."+messages+"].at(-1).querySelector('.text'))") != "false" {
		t.Errorf("what it cannot know is answered with %q", got)
	}
	b.picture("chat-light")
	last(".querySelector('.options button').click()")
	b.wait(messages + ".length === 9")
	if got := last(".querySelector('.text').textContent"); got == "" {
		t.Error("a question that is chosen gets no answer")
	}
	if got := b.eval("document.querySelector('#log').innerHTML.includes('<script')"); got != "false" {
		t.Error("a script got into the page")
	}
	b.enter("<img src=x onerror=document.title='caught'>")
	b.wait(messages + ".length === 11")
	if got := b.eval("document.title"); got != "helpdesk · hone" {
		t.Errorf("what was typed was run: the title is %q", got)
	}

	// In Chinese, on a phone, dark.
	b.eval("document.getElementById('language').click()")
	b.size(360, 700, "dark")
	b.enter("退款什么时候到账")
	b.wait(messages + ".length === 13")
	if got := b.eval("document.documentElement.lang + document.getElementById('send').textContent"); got != "zh提问" {
		t.Errorf("the page is in %q, expected zh, and to ask in Chinese", got)
	}
	b.eval("scrollTo(0, document.body.scrollHeight)")
	b.picture("chat-dark-phone")
	if got := b.eval("document.documentElement.scrollWidth <= 360"); got != "true" {
		t.Error("the page is wider than a phone")
	}
	// Everything that can be pressed or read has a name, and enough room.
	if got := b.eval("[...document.querySelectorAll('button, a, input')].filter(e => !(e.textContent.trim() || e.labels?.length)).length"); got != "0" {
		t.Errorf("%s controls have no name", got)
	}
	if got := b.eval("[...document.querySelectorAll('button, input')].filter(e => e.getBoundingClientRect().height < 32).length"); got != "0" {
		t.Errorf("%s controls are lower than 32 pixels", got)
	}
}
