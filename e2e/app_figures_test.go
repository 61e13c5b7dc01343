package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
)

// pageFigures are what Lighthouse tells of a page's load: when something shows first, how long tasks kept it from answering
// beyond 50 ms each until now, and the bytes that came, scripts and all (https://web.dev/articles/fcp, https://web.dev/articles/tbt).
const pageFigures = `new Promise(done => {
	let blocked = 0;
	new PerformanceObserver(list => { for (const each of list.getEntries()) blocked += Math.max(0, each.duration - 50); }).observe({type: "longtask", buffered: true});
	setTimeout(() => {
		const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
		const bytes = of => of.reduce((sum, each) => sum + each.encodedBodySize, 0);
		done(JSON.stringify({
			FirstPaint: Math.round(performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0), Blocked: Math.round(blocked),
			Scripts: bytes(all.filter(each => each.name.endsWith(".js"))), Bytes: bytes(all),
		}));
	}, 0);
})`

// tellFigures writes down how the present page loaded: they depend on the machine, but for the bytes.
func (v *visitor) tellFigures(page string) {
	v.t.Helper()
	var figures struct{ FirstPaint, Blocked, Scripts, Bytes int }
	if err := json.Unmarshal([]byte(v.evaluate(pageFigures)), &figures); err != nil || figures.Bytes == 0 {
		v.t.Fatalf("%+v (%v)", figures, err)
	}
	v.t.Logf("%s: first contentful paint %d ms, total blocking time %d ms, %d bytes of JavaScript, %d in all",
		page, figures.FirstPaint, figures.Blocked, figures.Scripts, figures.Bytes)
}

// TestAppMemory holds that a page keeps nothing of the changes that it shows: an hour of one each six seconds.
func TestAppMemory(t *testing.T) {
	const before, updates, room = 100, 700, 4 << 20
	g := gateway(t)
	karen := signIn(t, g.URL, "karen")
	image := karen.createImage("hello", "https://git.example.com/hello.git")
	v := visit(t, g.URL)
	v.signInAt("/images/hello", karen.login)
	v.see("the image", "#main", "Not built yet")
	v.tellFigures("an image's page")
	heap := 0
	for n := 1; n <= updates; n++ {
		destination := fmt.Sprintf("registry.example.com/team/app-%d-", n)
		karen.do(`mutation($id: ID!, $to: String!) { updateImage(input: {id: $id, destination: $to}) { image { id } } }`,
			map[string]any{"id": image, "to": destination + "x"}, nil)
		if n%50 == 0 {
			v.see("the change", "#main dl code", destination)
		}
		if n == before {
			heap = v.heap()
		}
	}
	grown := v.heap() - heap
	t.Logf("%d changes of an image: the page's heap grew by %d bytes from %d", updates-before, grown, heap)
	if grown > room {
		t.Errorf("the page's heap grew by %d bytes in %d changes, want %d at most", grown, updates-before, room)
	}
	v.checkWitness("/images/hello", 2)
}

// heap is how many bytes the page's scripts hold, garbage left out.
func (v *visitor) heap() int {
	v.t.Helper()
	used, err := v.Heap(within(v.t, patience))
	if err != nil {
		v.t.Fatal(err)
	}
	return used
}
