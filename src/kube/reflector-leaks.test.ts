import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Clock, createSleep } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { anonymousAccess } from './access.ts';
import { pods } from './kinds.ts';
import { reflect } from './reflector.ts';
import { connect } from './request.ts';
import { fakeServer } from './testing/fake-server.ts';

const CUTS = 2000;

/** Time runs as fast as somebody waits for it: every backoff is over at once, every watchdog (longer than a backoff) stays armed. */
function hastyClock() {
  const armed = new Set<object>();
  let now = 0;
  const after: Clock['after'] = (delayMs, callback) => {
    const timer = {};
    armed.add(timer);
    if (delayMs <= 30_000) {
      setImmediate(() => {
        if (!armed.delete(timer)) return;
        now += delayMs;
        callback();
      });
    }
    return () => void armed.delete(timer);
  };
  const clock: Clock = { now: () => now, after, soon: (callback) => void setImmediate(callback), sleep: createSleep(after) };
  return { clock, armed };
}

describe('a reflector', () => {
  it(`leaves no socket, listener or timer behind after ${CUTS} cuts, and loses no event`, async () => {
    const line = (type: string, resourceVersion: number, annotations = {}) =>
      `${JSON.stringify({ type, object: { metadata: { namespace: 's', name: 'p', uid: 'u', resourceVersion: String(resourceVersion), annotations } } })}\n`;
    let atOnce = 0;
    let live = 0;
    await using server = await fakeServer((request, response) => {
      atOnce = Math.max(atOnce, ++live);
      response.on('close', () => live--);
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const query = new URL(request.url ?? '', 'http://x').searchParams;
      const isList = query.get('sendInitialEvents') === 'true';
      // A reset may overtake the event before it; whoever asks from before it gets it again.
      const version = isList ? 1 : Number(query.get('resourceVersion')) + 1;
      response.write(
        isList ? line('ADDED', 1) + line('BOOKMARK', 1, { 'k8s.io/initial-events-end': 'true' }) : line('MODIFIED', version),
      );
      if (version >= CUTS) return;
      // In turn: the end of the answer, a reset, and a frame that stops in the middle.
      if (version % 3 === 0) response.end();
      else if (version % 3 === 1) setImmediate(() => request.socket.resetAndDestroy());
      else response.end('{"type":"MODIF');
    });
    const { clock, armed } = hastyClock();
    const log = { ...silentLog };
    const client = connect(anonymousAccess(server.url), { userAgent: 'x', log });
    const seen: string[] = [];
    const warnings: string[] = [];
    const onWarning = (warning: Error) => warnings.push(warning.message);
    process.on('warning', onWarning);
    const reflector = reflect({
      client,
      kind: pods,
      clock,
      log,
      random: () => 0.5,
      onChange: ({ object }) => seen.push(object.resourceVersion),
    });
    while (reflector.resourceVersion !== String(CUTS)) await nextTurn();
    expect(seen).toEqual(Array.from({ length: CUTS }, (_, index) => String(index + 1)));
    expect(reflector.counters).toMatchObject({ brokenFrames: 0, silences: 0 });
    expect(server.accepted).toBeGreaterThanOrEqual(CUTS);
    expect(server.open.size).toBe(1);
    expect(atOnce).toBeLessThanOrEqual(2);
    // The watchdog of the open watch.
    expect(armed.size).toBe(1);
    await reflector.stop();
    while (server.open.size > 0) await nextTurn();
    expect(armed.size).toBe(0);
    expect(warnings).toEqual([]);
    process.off('warning', onWarning);
  }, 60_000);
});
