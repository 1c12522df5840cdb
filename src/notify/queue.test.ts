import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../lib/clock.ts';
import { type Channel, DeliveryError } from './channel.ts';
import type { Notice } from './notice.ts';
import { createQueue, type QueueOptions } from './queue.ts';
import { aNotice, anAlert, AT } from './testing/channels.ts';

const SECOND = 1_000;
const news = (maintenance: string, topic: 'Started' | 'Drained' | 'HandedBack' = 'Started') => aNotice({ maintenance, topic });
const busy = (retryAfterMs?: number) => new DeliveryError('the service answered 503', { again: true, retryAfterMs });

function bench(answers: (number: number) => Error | null = () => null, more: Partial<QueueOptions> = {}) {
  const clock = createVirtualClock(AT);
  const sent: { readonly what: string; readonly at: number; readonly earlier: string | null }[] = [];
  const ends: string[] = [];
  const messages = new Map<string, string>();
  let inFlight = 0;
  let closed = false;
  const channel: Channel = {
    edits: true,
    resolves: false,
    async deliver(notice: Notice, earlier) {
      inFlight += 1;
      expect(inFlight).toBe(1);
      sent.push({ what: `${notice.thread} ${notice.topic}`, at: (clock.now() - AT) / SECOND, earlier });
      const answer = answers(sent.length);
      await clock.sleep(10);
      inFlight -= 1;
      if (answer) throw answer;
      return `message of ${notice.thread}`;
    },
    close() {
      closed = true;
      return Promise.resolve();
    },
  };
  const queue = createQueue({
    channel,
    clock,
    random: () => 0.5,
    retries: 3,
    perMinute: 600,
    messageOf: (thread) => messages.get(thread) ?? null,
    onDelivered: (notice, message) => void (message !== null && messages.set(notice.thread, message)),
    onAnswer: (notice, answer, why) => void ends.push(`${notice.thread} ${notice.topic} ${answer}${why && `: ${why}`}`),
    ...more,
  });
  return { clock, queue, sent, ends, isClosed: () => closed };
}

describe('a queue', () => {
  it('sends in order, one at a time, and hands in the message of the thread', async () => {
    const { clock, queue, sent, ends } = bench();
    for (const each of [news('a'), news('b'), anAlert({ maintenance: 'a' })]) queue.put(each);
    expect(queue.length).toBe(3);
    await clock.advance(SECOND);
    expect(sent.map(({ what, earlier }) => [what, earlier])).toEqual([
      ['a Started', null],
      ['b Started', null],
      ['a Waiting', 'message of a'],
    ]);
    expect(ends).toEqual(['a Started Delivered', 'b Started Delivered', 'a Waiting Delivered']);
    expect(queue.length).toBe(0);
  });

  it('tells only the newest of how a thread stands, and every alert', async () => {
    const { clock, queue, sent, ends } = bench();
    queue.put(news('z'));
    await clock.advance(1);
    for (const each of [news('a'), anAlert({ maintenance: 'a' }), news('a', 'Drained'), news('b'), news('a', 'HandedBack')])
      queue.put(each);
    await clock.advance(2 * SECOND);
    expect(sent.map(({ what }) => what)).toEqual(['z Started', 'a HandedBack', 'a Waiting', 'b Started']);
    expect(ends.filter((end) => end.endsWith('Coalesced'))).toEqual(['a Started Coalesced', 'a Drained Coalesced']);
  });

  it('tries again ever later, and gives up in the end', async () => {
    const { clock, queue, sent, ends } = bench(() => busy());
    queue.put(news('a'));
    await clock.advance(60 * SECOND);
    // Three quarters of 1, 2 and 4 s, with a chance of one half.
    expect(sent.map(({ at }) => at)).toEqual([0, 0.76, 2.27, 5.28]);
    expect(ends).toEqual(['a Started Failed: the service answered 503']);
  });

  it('waits as long as it is asked to, but not for hours', async () => {
    const { clock, queue, sent } = bench((number) =>
      number === 1 ? busy(20 * SECOND) : number === 2 ? busy(7_200 * SECOND) : null,
    );
    queue.put(news('a'));
    await clock.advance(1_000 * SECOND);
    expect(sent.map(({ at }) => at)).toEqual([0, 20.01, 620.02]);
  });

  it('does not try again what was refused, and goes on', async () => {
    const { clock, queue, sent, ends } = bench((number) => (number === 1 ? new DeliveryError('no', { again: false }) : null));
    queue.put(news('a'));
    queue.put(news('b'));
    await clock.advance(SECOND);
    expect(sent).toHaveLength(2);
    expect(ends).toEqual(['a Started Refused: no', 'b Started Delivered']);
  });

  it('does not try again what has been overtaken', async () => {
    const { clock, queue, sent, ends } = bench((number) => (number === 1 ? busy(30 * SECOND) : null));
    queue.put(news('a'));
    await clock.advance(SECOND);
    queue.put(news('a', 'Drained'));
    await clock.advance(60 * SECOND);
    expect(sent.map(({ what }) => what)).toEqual(['a Started', 'a Drained']);
    expect(ends).toEqual(['a Started Coalesced', 'a Drained Delivered']);
  });

  it('keeps to its rate after a burst of five', async () => {
    const { clock, queue, sent } = bench(undefined, { perMinute: 30 });
    for (let index = 0; index < 9; index += 1) queue.put(news(`n-${index}`));
    await clock.advance(20 * SECOND);
    expect(sent.map(({ at }) => Math.round(at))).toEqual([0, 0, 0, 0, 0, 2, 4, 6, 8]);
  });

  it('is bounded: what is oldest is lost, what has failed is kept', async () => {
    const { clock, queue, ends, sent } = bench(undefined, { perMinute: 1 });
    for (let index = 0; index < 6; index += 1) queue.put(news(`first-${index}`));
    await clock.advance(SECOND);
    queue.put(anAlert({ maintenance: 'alert' }));
    for (let index = 0; index < 100; index += 1) queue.put(news(`n-${index}`));
    expect(queue.length).toBe(100);
    expect(ends.filter((end) => end.endsWith('Dropped'))).toEqual(['first-5 Started Dropped', 'n-0 Started Dropped']);
    await clock.advance(61 * SECOND);
    expect(sent.at(-1)?.what).toBe('alert Waiting');
  });

  it('forgets what waits when another process leads, and works again later', async () => {
    const { clock, queue, sent } = bench((number) => (number === 1 ? busy(30 * SECOND) : null));
    queue.put(news('a'));
    queue.put(news('b'));
    await clock.advance(SECOND);
    queue.abandon();
    await clock.advance(60 * SECOND);
    expect([sent.length, queue.length]).toEqual([1, 0]);
    queue.put(news('c'));
    await clock.advance(SECOND);
    expect(sent.at(-1)?.what).toBe('c Started');
  });

  it('sends at its end what it can in its grace, and tells of the rest', async () => {
    const { clock, queue, ends, isClosed } = bench((number) => (number === 2 ? busy() : null));
    for (const name of ['a', 'b', 'c']) queue.put(news(name));
    const stopped = queue.stop(500);
    queue.put(news('late'));
    await clock.advance(SECOND);
    await stopped;
    expect(ends).toEqual(['late Started Dropped', 'a Started Delivered', 'c Started Dropped', 'b Started Dropped']);
    expect(isClosed()).toBe(true);
  });
});
