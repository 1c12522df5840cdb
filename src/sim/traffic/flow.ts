/**
 * Requests to one Service at a steady rate, whatever happens to them (an open loop: a stall costs as many requests as came meanwhile).
 * Nothing is simulated request by request in time: those that were due since the last look are settled just before anything changes
 * that they could notice, so a request costs no timer and meets the cluster as it was when it was sent.
 */
import type { Clock, Millis } from '../../lib/clock.ts';
import type { Latency } from '../apiserver/api.ts';
import type { Backend } from './backends.ts';
import type { Proxy } from './proxy.ts';
import { createTally, type Tally } from './tally.ts';

export interface FlowSettings {
  /** Requests per second. */
  readonly rate: number;
  /** How long a warm pod works on a request. Default 5 to 25 ms. */
  readonly serviceTime: Latency;
  /** How long the client waits for an answer. Default 5 s. */
  readonly timeoutMs: Millis;
  /** Share (0 to 1) of the requests that go over connections which stay open and so outlive their endpoint. Default 0. */
  readonly keepAlive: number;
  /** How many such connections there are. Default 16. */
  readonly connections: number;
  /** A pod that has just become ready is `factor` times slower, which wears off over `forMs`. Default: none. */
  readonly slowStart: { readonly forMs: Millis; readonly factor: number };
}

export const defaultFlow: FlowSettings = {
  rate: 10,
  serviceTime: { least: 5, spread: 20 },
  timeoutMs: 5_000,
  keepAlive: 0,
  connections: 16,
  slowStart: { forMs: 0, factor: 1 },
};

export interface Flow {
  readonly tally: Tally;
  /** Settles what was due until now. */
  catchUp(): void;
}

export interface FlowOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly settings: FlowSettings;
  /** Requests take turns through them: clients on several nodes. */
  readonly proxies: readonly Proxy[];
  readonly isNodeUp: (name: string) => boolean;
}

interface Request {
  readonly backend: Backend;
  readonly life: number;
  readonly sentAt: Millis;
  readonly endsAt: Millis;
}

interface Connection {
  readonly backend: Backend;
  readonly life: number;
}

export function createFlow({ clock, random, settings, proxies, isNodeUp }: FlowOptions): Flow {
  const tally = createTally();
  const inFlight = createQueue<Request>();
  const connections: (Connection | undefined)[] = Array.from({ length: settings.connections });
  const interval = 1_000 / settings.rate;
  let due = clock.now() + random() * interval;
  let turn = 0;

  function pick(): Backend | undefined {
    turn = (turn + 1) % proxies.length;
    return proxies[turn]?.pick(random());
  }

  function send(at: Millis): void {
    tally.send(at);
    const slot = settings.keepAlive > 0 && random() < settings.keepAlive ? Math.floor(random() * connections.length) : -1;
    const open = connections[slot];
    // The end of its process closes a connection, and its client sees that before it sends the next request.
    const backend = open && open.backend.life === open.life ? open.backend : pick();
    if (slot >= 0) connections[slot] = undefined;
    if (!backend) return tally.fail(at, 'NoEndpoint');
    // A machine that is off tells nobody: not that the connection is gone, nor that nothing listens.
    if (!isNodeUp(backend.node)) return tally.fail(at, 'TimedOut');
    if (backend.state !== 'serving') return tally.fail(at, 'Refused');
    if (slot >= 0) connections[slot] = { backend, life: backend.life };
    const takes = serviceTime(backend, at);
    if (takes > settings.timeoutMs) return tally.fail(at, 'TooSlow');
    inFlight.push({ backend, life: backend.life, sentAt: at, endsAt: at + takes });
  }

  function serviceTime(backend: Backend, at: Millis): Millis {
    const { serviceTime, slowStart } = settings;
    const warm = serviceTime.least + random() * serviceTime.spread;
    const age = at - backend.servingSince;
    return age >= slowStart.forMs ? warm : warm * (slowStart.factor - ((slowStart.factor - 1) * age) / slowStart.forMs);
  }

  function settle({ backend, life, sentAt, endsAt }: Request): void {
    if (!isNodeUp(backend.node)) return tally.fail(sentAt, 'TimedOut');
    const wasCut = backend.life > life + 1 || (backend.life === life + 1 && backend.endedAt < endsAt);
    if (wasCut) tally.fail(sentAt, 'Reset');
    else tally.succeed(endsAt - sentAt);
  }

  return {
    tally,
    catchUp() {
      const now = clock.now();
      for (; due <= now; due += interval) send(due);
      // In the order in which they were sent: a slow one holds up the account of those behind it, not their answers.
      for (let first = inFlight.first(); first && first.endsAt <= now; first = inFlight.first()) {
        inFlight.shift();
        settle(first);
      }
    },
  };
}

interface Queue<T> {
  push(item: T): void;
  first(): T | undefined;
  shift(): void;
}

// Array.shift moves everything that is behind.
function createQueue<T>(): Queue<T> {
  let items: T[] = [];
  let head = 0;
  return {
    push: (item) => void items.push(item),
    first: () => items[head],
    shift() {
      head += 1;
      if (head < 1_024 || head * 2 < items.length) return;
      items = items.slice(head);
      head = 0;
    },
  };
}
