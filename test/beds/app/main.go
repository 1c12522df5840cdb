// The program in every pod of the real-nodes bed: an HTTP server whose start and end can be made as good or bad as a test needs.
// Run as "app pause" it is the sandbox container instead.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	if len(os.Args) > 1 && os.Args[1] == "pause" {
		<-stop
		return
	}
	listen := flag.String("listen", fromEnv("LISTEN", ":8080"), "address to serve on (LISTEN)")
	readyAfter := flag.Duration("ready-after", millis("READY_AFTER", 0), "time from start until /readyz says yes (READY_AFTER, ms)")
	work := flag.Duration("work", millis("WORK", 0), "time that each request takes (WORK, ms)")
	onTerm := flag.String("on-term", fromEnv("ON_TERM", "exit"), "at SIGTERM: exit at once, or drain = serve for -grace first (ON_TERM)")
	grace := flag.Duration("grace", millis("GRACE", 5000), "how long drain goes on serving (GRACE, ms)")
	flag.Parse()
	if *onTerm != "exit" && *onTerm != "drain" {
		fail(fmt.Errorf("ON_TERM is %q; it must be exit or drain", *onTerm))
	}

	host, err := os.Hostname()
	if err != nil {
		fail(err)
	}
	started := time.Now()
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if left := *readyAfter - time.Since(started); left > 0 {
			http.Error(w, fmt.Sprintf("ready in %s", left), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(*work)
		fmt.Fprintln(w, host)
	})
	server := &http.Server{Addr: *listen, Handler: mux}
	go func() {
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			fail(err)
		}
	}()

	<-stop
	if *onTerm == "drain" {
		time.Sleep(*grace)
		if err := server.Shutdown(context.Background()); err != nil {
			fail(err)
		}
	}
}

func fromEnv(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func millis(name string, otherwise int) time.Duration {
	value := fromEnv(name, strconv.Itoa(otherwise))
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		fail(fmt.Errorf("%s is %q; it must be a number of milliseconds", name, value))
	}
	return time.Duration(n) * time.Millisecond
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "app:", err)
	os.Exit(1)
}
