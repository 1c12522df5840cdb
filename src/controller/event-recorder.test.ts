import { describe, expect, it } from 'vitest';
import { NOW, SECOND } from '../../test/builders.ts';
import { type KubeClient, KubeError, type KubeRequest } from '../kube/client.ts';
import { createVirtualClock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { silentLog } from '../lib/log.ts';
import { createEventRecorder, eventBody } from './event-recorder.ts';
import type { EventSpec } from './events.ts';

const spec = (key: string, overrides: Partial<EventSpec> = {}): EventSpec => ({
  regarding: { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'u-1' },
  type: 'Normal',
  reason: 'Draining',
  message: `message ${key}`,
  dedupKey: key,
  ...overrides,
});

type Answer = 'ok' | 'hang' | KubeError;
const failure = (code: number, retryAfterMs?: number) =>
  new KubeError(`answer ${code}`, { code, ...(retryAfterMs !== undefined && { retryAfterMs }) });

/** Answers in turn, then ok. */
function bench(answers: Answer[] = []) {
  const clock = createVirtualClock(NOW);
  const sent: { at: number; request: KubeRequest; message: string; name: string }[] = [];
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (message) => warnings.push(message) };
  const unused = () => Promise.reject(new Error('not used'));
  const client: KubeClient = {
    server: 'https://test',
    json<T>(request: KubeRequest): Promise<T> {
      const { message, metadata } = request.body as ReturnType<typeof eventBody>;
      sent.push({ at: clock.now() - NOW, request, message, name: metadata.name });
      const answer = answers.shift() ?? 'ok';
      if (answer === 'ok') return Promise.resolve({} as T);
      if (answer !== 'hang') return Promise.reject(answer);
      return new Promise((_, reject) =>
        request.signal?.addEventListener('abort', () => reject(new KubeError('aborted', { code: 0 }))),
      );
    },
    stream: unused,
    close: () => {},
  };
  const recorder = createEventRecorder({ client, clock, log, component: 'drover', instance: 'drover-abc' });
  return { clock, sent, warnings, recorder };
}

describe('the event recorder', () => {
  it('writes the first event at once and at most ten a second after it', async () => {
    const { clock, sent, recorder } = bench();
    for (let index = 0; index < 25; index += 1) recorder.record(spec(`${index}`));
    await clock.advance(0);
    expect(sent).toHaveLength(1);
    await clock.advance(SECOND);
    expect(sent.map((each) => each.at)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000]);
    await clock.advance(2 * SECOND);
    expect(recorder.totals).toEqual({ written: 25, dropped: 0, failed: 0 });
  });

  it('starts again after it has been idle', async () => {
    const { clock, sent, recorder } = bench();
    recorder.record(spec('a'));
    await clock.advance(5 * SECOND);
    recorder.record(spec('b'));
    await clock.advance(0);
    expect(sent.map((each) => each.at)).toEqual([0, 5_000]);
  });

  it('drops a repeat within five minutes, and writes one after them', async () => {
    const { clock, sent, recorder } = bench();
    recorder.record(spec('a'));
    await clock.advance(299 * SECOND);
    recorder.record(spec('a', { message: 'the same, put differently' }));
    await clock.advance(SECOND);
    recorder.record(spec('a', { message: 'again' }));
    await clock.advance(SECOND);
    expect(sent.map((each) => each.message)).toEqual(['message a', 'again']);
    expect(sent[0]?.name).not.toBe(sent[1]?.name);
  });

  it('loses the oldest beyond a thousand, and counts and says so', async () => {
    const { clock, sent, recorder, warnings } = bench(['hang']);
    for (let index = 0; index <= 1_010; index += 1) recorder.record(spec(`${index}`));
    await clock.advance(0);
    expect(recorder.queued).toBe(1_000);
    expect(recorder.totals.dropped).toBe(10);
    expect(warnings).toEqual(['more events than can be written: the oldest are dropped']);
    const stopped = recorder.stop(0);
    await clock.advance(0);
    await stopped;
    expect(sent.map((each) => each.message)).toEqual(['message 0']);
    expect(recorder.totals.dropped).toBe(1_011);
  });

  it.each([0, 429, 500, 503])('tries once more after %s', async (code) => {
    const { clock, sent, recorder } = bench([failure(code)]);
    recorder.record(spec('a'));
    await clock.advance(SECOND);
    expect(sent.map((each) => each.at)).toEqual([0, 1_000]);
    expect(sent[0]?.name).toBe(sent[1]?.name);
    expect(recorder.totals).toEqual({ written: 1, dropped: 0, failed: 0 });
  });

  it('waits as long as the server asks, within reason', async () => {
    const { clock, sent, recorder } = bench([failure(429, 7_000), 'ok', failure(429, 999_000)]);
    recorder.record(spec('a'));
    await clock.advance(8 * SECOND);
    recorder.record(spec('b'));
    await clock.advance(40 * SECOND);
    expect(sent.map((each) => each.at)).toEqual([0, 7_000, 8_000, 38_000]);
  });

  it('gives up after the second failure, says so without throwing, and lets the same be told later', async () => {
    const { clock, sent, recorder, warnings } = bench([failure(500), failure(500)]);
    recorder.record(spec('a'));
    await clock.advance(2 * SECOND);
    expect(recorder.totals.failed).toBe(1);
    expect(warnings).toEqual(['cannot write an event: answer 500']);
    recorder.record(spec('a'));
    await clock.advance(0);
    expect(sent).toHaveLength(3);
    expect(recorder.totals.written).toBe(1);
  });

  it.each([403, 404, 422])('does not repeat what would be answered alike: %s', async (code) => {
    const { clock, sent, recorder } = bench([failure(code)]);
    recorder.record(spec('a'));
    await clock.advance(10 * SECOND);
    expect(sent).toHaveLength(1);
    expect(recorder.totals.failed).toBe(1);
  });

  it('takes an event that is there already for written', async () => {
    const { clock, sent, recorder } = bench([failure(500), failure(409), failure(409)]);
    recorder.record(spec('a'));
    await clock.advance(2 * SECOND);
    recorder.record(spec('b'));
    await clock.advance(2 * SECOND);
    expect(sent).toHaveLength(3);
    expect(recorder.totals).toEqual({ written: 2, dropped: 0, failed: 0 });
  });

  it('says a lasting failure once a minute', async () => {
    const { clock, recorder, warnings } = bench(Array.from({ length: 700 }, () => failure(403)));
    for (let index = 0; index < 700; index += 1) recorder.record(spec(`${index}`));
    await clock.advance(69 * SECOND);
    expect(warnings).toHaveLength(2);
  });

  it('writes what is queued when it is stopped, and takes no more', async () => {
    const { clock, sent, recorder } = bench();
    for (const key of ['a', 'b', 'c']) recorder.record(spec(key));
    const stopped = recorder.stop();
    recorder.record(spec('d'));
    await clock.advance(SECOND);
    await stopped;
    expect(sent.map((each) => each.message)).toEqual(['message a', 'message b', 'message c']);
  });

  it('does not let a server that hangs hold up the stop', async () => {
    const { clock, recorder } = bench(['hang']);
    for (const key of ['a', 'b', 'c']) recorder.record(spec(key));
    const stopped = recorder.stop();
    await clock.advance(2 * SECOND);
    await stopped;
    expect(recorder.totals).toEqual({ written: 0, dropped: 3, failed: 0 });
    expect(clock.next()).toBeUndefined();
  });

  it('stops at once when it has nothing to do', async () => {
    const { clock, recorder } = bench();
    await recorder.stop();
    expect(clock.next()).toBeUndefined();
  });
});

describe('eventBody', () => {
  const body = (event: EventSpec) => eventBody(event, NOW, 'drover', 'drover-abc');

  it('is a core event in the namespace of its object, in default for a node', () => {
    expect(body(spec('a'))).toMatchObject({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace: 'default' },
      involvedObject: { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'u-1' },
      source: { component: 'drover' },
      firstTimestamp: '2026-01-01T12:00:00Z',
      lastTimestamp: '2026-01-01T12:00:00Z',
      count: 1,
    });
    expect(body(spec('a', { regarding: { kind: 'Pod', namespace: 'shop', name: 'web', uid: 'u' } })).metadata.namespace).toBe(
      'shop',
    );
  });

  it('has a name that follows from what it tells', () => {
    const name = body(spec('a')).metadata.name;
    expect(name).toMatch(/^node-1\.[0-9a-f]{16}$/);
    expect(body(spec('a')).metadata.name).toBe(name);
    expect(body(spec('b')).metadata.name).not.toBe(name);
  });

  it('keeps names and messages within what the API server takes', () => {
    const regarding = { kind: 'Node', name: `${'a'.repeat(235)}-${'b'.repeat(17)}`, uid: 'u' };
    const long = body(spec('a', { regarding, message: 'x'.repeat(5_000) }));
    expect(long.metadata.name).toMatch(/^a{235}\.[0-9a-f]{16}$/);
    expect(long.message).toHaveLength(1_024);
  });
});
