import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface ProbeOptions {
  /** One URL, or several to send to in turn. */
  readonly url: string | readonly string[];
  /** Requests a second, all URLs together. */
  readonly rate: number;
  /** Default 2,000: a request without a whole answer by then is lost. */
  readonly timeoutMs?: number;
}

export interface ProbeFailure {
  /** When the request was due, in milliseconds from the probe's start. */
  readonly atMs: number;
  /** ECONNREFUSED, ECONNRESET, ..., "status 503", "time-out" */
  readonly cause: string;
}

/** sent = ok + failed. Latencies in milliseconds, of the answers that came, from the time each request was due. */
export interface ProbeReport {
  readonly sent: number;
  readonly ok: number;
  readonly failed: number;
  readonly byCause: Readonly<Record<string, number>>;
  readonly p50: number;
  readonly p99: number;
  readonly maxMs: number;
  readonly failures: readonly ProbeFailure[];
}

export interface Probe {
  /** Sends no more, waits for the answers still due, and tells. */
  stop(): Promise<ProbeReport>;
}

/** Nearest rank in sorted values; 0 when there are none. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/**
 * Starts an open-loop HTTP probe in a process of its own, so that neither a busy test nor a slow server slows it down; resolves
 * when it has begun to send. Ends with this process. @throws Error with its stderr when it fails, from here or from `stop`
 */
export function startProbe({ url, rate, timeoutMs = 2000 }: ProbeOptions): Promise<Probe> {
  const urls = typeof url === 'string' ? [url] : url;
  if (urls.length === 0 || !(rate > 0)) throw new Error('a probe needs a URL and a rate above 0');
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const program = fileURLToPath(new URL('./probe-process.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', tsx, program, String(rate), String(timeoutMs), ...urls]);
  let [output, problem] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (problem += text));
  const ended = new Promise<ProbeReport>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      // the first line said that it had begun
      if (code === 0) resolve(JSON.parse(output.slice(output.indexOf('\n'))) as ProbeReport);
      else reject(new Error(`the probe ended with ${code}: ${problem.trim()}`));
    });
  });
  const stop = () => {
    child.stdin.end();
    return ended;
  };
  return new Promise((resolve, reject) => {
    child.stdout.once('data', () => resolve({ stop }));
    ended.catch(reject);
  });
}
