/** All channels that there are: those of the controller's configuration and those of the policies, each with its queue. */
import type { NotifyEntry, OwnNotify, PolicyNotify, Topic } from '../api/notify.ts';
import type { ChannelType } from '../api/notify-channel.ts';
import type { Random } from '../lib/backoff.ts';
import type { Millis } from '../lib/clock.ts';
import type { Notice } from './notice.ts';
import type { Channel } from './channel.ts';
import { type ChannelSetting, openChannel } from './open-channel.ts';
import { type Answer, createQueue, type Queue } from './queue.ts';

export interface Lane {
  /** "nightly/ops", or "ops" of the configuration. */
  readonly name: string;
  /** Unique among the lanes of one maintenance, and short: "policy:ops", "own:ops". */
  readonly id: string;
  /** null: of the configuration. */
  readonly policy: string | null;
  readonly type: ChannelType;
  readonly entry: NotifyEntry;
  readonly edits: boolean;
  /** See `Channel`. */
  readonly resolves: boolean;
  /** A namespace may name it. */
  readonly forNamespaces: boolean;
  /** Never throws, never waits. */
  put(notice: Notice): void;
  readonly length: number;
}

export interface NotifierOptions extends ChannelSetting {
  readonly random: Random;
  readonly own: readonly OwnNotify[];
  /** Default: `openChannel`. */
  readonly open?: (entry: NotifyEntry, setting: ChannelSetting) => Channel;
  readonly messageOf: (lane: Lane, thread: string) => string | null;
  readonly onDelivered: (lane: Lane, notice: Notice, message: string | null) => void;
  readonly onAnswer: (lane: Lane, notice: Notice, answer: Answer, why: string) => void;
  readonly onTry?: (lane: Lane, notice: Notice, why: string, waitMs: Millis) => void;
}

export interface Notifier {
  /** Channels that are as they were keep their queues. */
  setPolicies(policies: readonly { readonly name: string; readonly notify: readonly PolicyNotify[] }[]): void;
  /** Those of the policy, and those of the configuration. */
  lanesOf(policy: string | null): readonly Lane[];
  readonly lanes: readonly Lane[];
  /** Another process leads. */
  abandon(): void;
  /** Sends what there is for at most `graceMs` (default 5 s). */
  stop(graceMs?: Millis): Promise<void>;
}

interface Open {
  readonly lane: Lane;
  readonly queue: Queue;
  readonly written: string;
}

const STOP_GRACE_MS = 5_000;

export function createNotifier(options: NotifierOptions): Notifier {
  const open = new Map<string, Open>(); // by name
  const ending = new Set<Promise<void>>();

  const add = (name: string, id: string, policy: string | null, entry: NotifyEntry) => {
    const written = JSON.stringify(entry);
    const known = open.get(name);
    if (known?.written === written) return;
    if (known) close(known);
    const channel = (options.open ?? openChannel)(entry, options);
    const lane: Lane = {
      name,
      id,
      policy,
      type: entry.channel.type,
      entry,
      edits: channel.edits,
      resolves: channel.resolves,
      forNamespaces: 'forNamespaces' in entry && entry.forNamespaces,
      put: (notice) => queue.put(notice),
      get length() {
        return queue.length;
      },
    };
    const { onTry } = options;
    const queue = createQueue({
      channel,
      clock: options.clock,
      random: options.random,
      retries: entry.retries,
      perMinute: entry.perMinute,
      messageOf: (thread) => options.messageOf(lane, thread),
      onDelivered: (notice, message) => options.onDelivered(lane, notice, message),
      onAnswer: (notice, answer, why) => options.onAnswer(lane, notice, answer, why),
      ...(onTry && { onTry: (notice: Notice, why: string, waitMs: Millis) => onTry(lane, notice, why, waitMs) }),
    });
    open.set(name, { lane, queue, written });
  };
  const close = ({ queue, lane }: Open, graceMs = STOP_GRACE_MS) => {
    open.delete(lane.name);
    const ended = queue.stop(graceMs);
    ending.add(ended);
    void ended.finally(() => ending.delete(ended));
  };
  for (const entry of options.own) add(entry.name, `own:${entry.name}`, null, entry);
  const own = [...open.values()].map(({ lane }) => lane);

  return {
    setPolicies(policies) {
      const wanted = new Set<string>();
      for (const { name, notify } of policies) {
        for (const entry of notify) {
          const laneName = `${name}/${entry.name}`;
          wanted.add(laneName);
          add(laneName, `policy:${entry.name}`, name, entry);
        }
      }
      for (const each of open.values()) if (each.lane.policy !== null && !wanted.has(each.lane.name)) close(each);
    },
    lanesOf(policy) {
      if (policy === null) return own;
      return [...open.values()].flatMap(({ lane }) => (lane.policy === policy || lane.policy === null ? [lane] : []));
    },
    get lanes() {
      return [...open.values()].map(({ lane }) => lane);
    },
    abandon() {
      for (const { queue } of open.values()) queue.abandon();
    },
    async stop(graceMs = STOP_GRACE_MS) {
      for (const each of open.values()) close(each, graceMs);
      await Promise.all(ending);
    },
  };
}

/** Is it to be told there? Of a reason, both its type and its words may be asked for. */
export function isWanted({ entry, resolves }: Lane, topic: Topic, reasonType: string, reason: string): boolean {
  const { on, reasons } = entry;
  if (reasons && !reasons.some((each) => each === reasonType || reason === each || reason.startsWith(`${each}:`))) return false;
  return on.includes(topic) || (resolves && resolving.has(topic));
}

const resolving: ReadonlySet<Topic> = new Set(['Drained', 'HandedBack', 'Cancelled']);
