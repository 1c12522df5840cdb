import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { percentile, startProbe } from './probe.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Serves until `count` requests have come; `answer` is given the number of each. */
function serve(count: number, answer: (index: number, end: (status: number) => void, drop: () => void) => void) {
  const ports = new Set<number>();
  let seen = 0;
  let reached: () => void;
  const enough = new Promise<void>((resolve) => (reached = resolve));
  const made = createServer((request, response) => {
    ports.add(request.socket.remotePort ?? 0);
    answer(
      seen++,
      (status) => response.writeHead(status).end('x'),
      () => request.socket.destroy(),
    );
    if (seen === count) reached();
  });
  server = made;
  return new Promise<{ url: string; enough: Promise<void>; ports: Set<number> }>((resolve) => {
    made.listen(0, '127.0.0.1', () =>
      resolve({ url: `http://127.0.0.1:${(made.address() as AddressInfo).port}/`, enough, ports }),
    );
  });
}

describe('probe', { timeout: 60_000 }, () => {
  it('counts every request once, by cause, and makes a new connection for each', async () => {
    const { url, enough, ports } = await serve(30, (index, end, drop) => {
      if (index % 10 === 3) end(503);
      else if (index % 10 === 7) drop();
      else end(200);
    });
    const probe = await startProbe({ url, rate: 200 });
    await enough;
    const report = await probe.stop();
    expect(report.sent).toBe(report.ok + report.failed);
    expect(report.ok).toBeGreaterThanOrEqual(24);
    expect(report.byCause['status 503']).toBeGreaterThanOrEqual(3);
    expect(report.byCause.ECONNRESET).toBeGreaterThanOrEqual(3);
    expect(report.failures).toHaveLength(report.failed);
    expect(ports.size).toBe(report.sent);
  });

  it('goes on sending while nothing is answered, and counts those as lost', async () => {
    const { url, enough } = await serve(20, () => {});
    const probe = await startProbe({ url, rate: 200, timeoutMs: 300 });
    await enough;
    const report = await probe.stop();
    expect(report.byCause).toEqual({ 'time-out': report.sent });
    expect(report.sent).toBeGreaterThanOrEqual(20);
  });

  it('sends to several URLs in turn', async () => {
    const { url, enough } = await serve(10, (_, end) => end(200));
    const closed = 'http://127.0.0.1:1/';
    const probe = await startProbe({ url: [url, closed], rate: 200 });
    await enough;
    const report = await probe.stop();
    expect(report.byCause).toEqual({ ECONNREFUSED: report.failed });
    expect(Math.abs(report.ok - report.failed)).toBeLessThanOrEqual(1);
  });

  it('refuses to start without a rate or a URL', () => {
    expect(() => startProbe({ url: [], rate: 1 })).toThrow('needs a URL');
    expect(() => startProbe({ url: 'http://127.0.0.1:1/', rate: 0 })).toThrow('rate above 0');
  });
});

describe('percentile', () => {
  it('is the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => index + 1);
    expect([0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([50, 99, 100]);
    expect(percentile([], 0.5)).toBe(0);
  });
});
