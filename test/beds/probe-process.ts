/**
 * The probe's own process: `probe-process.ts RATE TIMEOUT_MS URL...`. Sends at fixed times whatever the answers do (open loop), each
 * request over a new connection, the URLs in turn. Prints a line when it begins; when its stdin ends it waits for the answers still
 * due and prints a ProbeReport.
 */
import { get } from 'node:http';
import { type ProbeFailure, type ProbeReport, percentile } from './probe.ts';

const [rate = 0, timeoutMs = 0] = process.argv.slice(2, 4).map(Number);
const urls = process.argv.slice(4);

const started = performance.now();
const latencies: number[] = [];
const failures: ProbeFailure[] = [];
let sent = 0;
let open = 0;
let ending = false;

function causeOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}

/** `due` is when the request should have gone: a latency counts from there, so that a stall of this process or the server shows. */
function send(url: string, due: number): void {
  open++;
  let over = false;
  const finish = (cause?: string) => {
    if (over) return;
    over = true;
    clearTimeout(limit);
    open--;
    if (cause === undefined) latencies.push(performance.now() - due);
    else failures.push({ atMs: Math.round(due - started), cause });
    if (ending && open === 0) report();
  };
  const request = get(url, { agent: false }, (answer) => {
    answer.on('error', (error) => finish(causeOf(error)));
    answer.on('end', () => finish(answer.statusCode === 200 ? undefined : `status ${answer.statusCode}`));
    answer.resume();
  });
  request.on('error', (error) => finish(causeOf(error)));
  const limit = setTimeout(() => {
    finish('time-out');
    request.destroy();
  }, timeoutMs);
}

function report(): void {
  latencies.sort((a, b) => a - b);
  const byCause: Record<string, number> = {};
  for (const { cause } of failures) byCause[cause] = (byCause[cause] ?? 0) + 1;
  failures.sort((a, b) => a.atMs - b.atMs);
  const [p50, p99, maxMs] = [percentile(latencies, 0.5), percentile(latencies, 0.99), percentile(latencies, 1)];
  const result: ProbeReport = { sent, ok: latencies.length, failed: failures.length, byCause, p50, p99, maxMs, failures };
  process.stdout.write(JSON.stringify(result));
}

/** Sends all that is due; after a stall that is several at once. */
function tick(): void {
  if (ending) return;
  for (let due = started + (sent * 1000) / rate; due <= performance.now(); due = started + (sent * 1000) / rate) {
    send(urls[sent % urls.length] ?? '', due);
    sent++;
  }
  setTimeout(tick, started + (sent * 1000) / rate - performance.now());
}

process.stdin.on('end', () => {
  ending = true;
  if (open === 0) report();
});
process.stdin.resume();
process.stdout.write('sending\n');
tick();
