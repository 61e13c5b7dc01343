// Helper is what RUN steps of the tests' Dockerfiles run: images there have no shell. Without
// arguments it is an SBOM scanner of BuildKit that finds nothing.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	if len(os.Args) == 1 {
		scan()
		return
	}
	amount, _ := strconv.Atoi(os.Args[2])
	switch os.Args[1] {
	case "sleep": // milliseconds
		fmt.Println("sleeping", amount)
		time.Sleep(time.Duration(amount) * time.Millisecond)
	case "eat": // MiB, and keeps them for a while
		var eaten [][]byte
		for range amount {
			piece := make([]byte, 1<<20)
			for i := range piece {
				piece[i] = byte(i)
			}
			eaten = append(eaten, piece)
			time.Sleep(2 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		fmt.Println(len(eaten))
	case "print": // lines
		for i := range amount {
			fmt.Println("line", i+1)
		}
	case "show": // a file
		text, err := os.ReadFile(os.Args[2])
		fmt.Println(string(text), err)
	case "exit": // code
		os.Exit(amount)
	}
}

// scan keeps to https://github.com/moby/buildkit/blob/master/docs/attestations/sbom-protocol.md.
func scan() {
	const sbom = `{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","predicate":{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"nothing"}}`
	if err := os.WriteFile(os.Getenv("BUILDKIT_SCAN_DESTINATION")+"/sbom.spdx.json", []byte(sbom), 0o644); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
