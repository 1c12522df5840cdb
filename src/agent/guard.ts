/**
 * The last resort: a machine that is about to go, and no controller that cares for it. The agent closes its own node at once, waits a moment
 * for the controller to take it over, drains it itself otherwise, and gives it back when the notice is withdrawn.
 */
import { byUrgency, endOf, type NodeSignal } from '../api/node-signal.ts';
import type { Node } from '../api/objects.ts';
import { AGENT, cordonPatch, type MergePatch, readJournal, undoNodePatch } from '../engine/journal.ts';
import { type KubeClient, KubeError } from '../kube/client.ts';
import { nodes, objectPath } from '../kube/kinds.ts';
import { patch } from '../kube/patch.ts';
import { readOne } from '../kube/read.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';

export const selfDrainModes = ['Drain', 'Cordon', 'Never'] as const;
export type SelfDrainMode = (typeof selfDrainModes)[number];

/** Drains the node under the journal of `by`, with all that `drover drain` does. Rejects when it cannot; resolves when it is over. */
export type DrainOwnNode = (options: {
  readonly by: string;
  readonly reason: string;
  readonly goneAt: Millis;
  readonly signal: AbortSignal;
}) => Promise<{ readonly ok: boolean; readonly message: string }>;

export type GuardStep = 'Cordoned' | 'LetGo' | 'Drained' | 'NotDrained' | 'HandedBack';

export interface GuardOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeName: string;
  /** As it was at the start: an agent that was restarted goes on with what it began. */
  readonly node: Node;
  readonly mode: SelfDrainMode;
  readonly kinds: readonly string[];
  /** It acts on a notice that leaves no more than this. */
  readonly withinMs: Millis;
  /** How long the controller is waited for after the cordon. */
  readonly patienceMs: Millis;
  readonly drain: DrainOwnNode;
  readonly onStep: (step: GuardStep) => void;
}

export interface Guard {
  /**
   * @param settled every source of such notices has answered in this process: one that is not among `signals` is really withdrawn
   */
  review(signals: readonly NodeSignal[], settled: boolean): void;
  /** Stops a drain that is under way; the node stays closed, and the next start goes on with it. */
  stop(): Promise<void>;
}

const RETRY_MS = 500;
const CONFLICT_MS = 20;
const AFTER_FAILURE_MS = 5_000;

const nameOf = ({ source, id }: NodeSignal) => `${source} ${id}`;

export function createGuard(options: GuardOptions): Guard {
  const { client, clock, log, nodeName, mode, kinds, withinMs, patienceMs, onStep } = options;
  const id = `${AGENT}/${nodeName}`;
  let mayBeOurs = readJournal(options.node)?.by === id;
  let acting: { readonly for: string; readonly abort: AbortController; readonly done: Promise<void> } | null = null;
  let dealtWith = '';
  let stopped = false;
  let cancelTimer = () => {};
  let last: { readonly signals: readonly NodeSignal[]; readonly settled: boolean } | null = null;

  const read = () => readOne(client, nodes, { name: nodeName });

  /** Again and again until it works: the machine has no time for anything else. Ends when `signal` aborts. */
  async function insist<T>(what: string, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    for (let told = ''; ; ) {
      signal.throwIfAborted();
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        if (told !== error.message && error.code !== 409) log.warn(`cannot ${what}: ${error.message}`);
        told = error.message;
        // A conflict is another writer's patch of a moment ago, most of the time the kubelet's.
        await clock.sleep(error.code === 409 ? CONFLICT_MS : RETRY_MS, signal);
      }
    }
  }

  const change = async (body: MergePatch) => {
    await patch(client, objectPath(nodes, { namespace: '', name: nodeName }), body, 'merge', { timeoutMs: 5_000 });
  };

  /** Is the node in other hands: those of the controller or of a `drover drain`, or (`closed`: by us) those of who opened it again? */
  const isTaken = (node: Node, closed: boolean): boolean => {
    const journal = readJournal(node);
    if (journal && journal.by !== id) {
      log.info(`left to ${journal.by}`, { node: nodeName });
      return true;
    }
    if (!closed || (journal && node.unschedulable)) return false;
    log.info('left alone: somebody has opened the node again', { node: nodeName });
    return true;
  };

  async function cordon(notice: NodeSignal, signal: AbortSignal): Promise<'Ours' | 'Taken'> {
    return insist(`cordon ${nodeName}`, signal, async () => {
      const node = await read();
      if (isTaken(node, false)) return 'Taken';
      const journal = readJournal(node);
      if (journal?.by === id && journal.stage === 'Cordoned' && node.unschedulable) return 'Ours';
      // Before the request: its answer may be lost.
      mayBeOurs = true;
      const request = {
        by: id,
        reason: reasonOf(notice),
        reasonType: notice.kind,
        now: clock.now(),
        excludeFromLoadBalancers: false,
      };
      await change(cordonPatch(node, 'Cordoned', request));
      log.info(`cordoned: ${request.reason}`, { node: nodeName });
      onStep('Cordoned');
      return 'Ours';
    });
  }

  async function act(notice: NodeSignal, signal: AbortSignal): Promise<void> {
    if ((await cordon(notice, signal)) === 'Taken') return onStep('LetGo');
    if (mode === 'Cordon') return;
    await clock.sleep(patienceMs, signal);
    const node = await insist(`read ${nodeName}`, signal, read);
    if (isTaken(node, true)) return onStep('LetGo');
    log.info('no controller has taken the node over: drains it itself', { node: nodeName });
    const { ok, message } = await options.drain({ by: AGENT, reason: reasonOf(notice), goneAt: endOf(notice), signal });
    signal.throwIfAborted();
    log[ok ? 'info' : 'warn'](ok ? 'drained' : `not drained: ${message}`, { node: nodeName });
    onStep(ok ? 'Drained' : 'NotDrained');
  }

  /** Takes its own cordon back; what the controller has taken over is the controller's to give back. */
  async function release(signal: AbortSignal): Promise<void> {
    await insist(`hand ${nodeName} back`, signal, async () => {
      const node = await read();
      const body = readJournal(node)?.by === id ? undoNodePatch(node) : null;
      if (body) {
        await change(body);
        log.info('handed back: the notice is withdrawn', { node: nodeName });
        onStep('HandedBack');
      }
      mayBeOurs = false;
    });
  }

  const reviewAgain = () => {
    if (last) review(last.signals, last.settled);
  };

  function start(name: string, work: (signal: AbortSignal) => Promise<void>): void {
    const abort = new AbortController();
    let failed = false;
    const done = work(abort.signal)
      .then(() => {
        dealtWith = name;
      })
      .catch((error: unknown) => {
        if (abort.signal.aborted) return;
        failed = true;
        log.error(`the agent could not act: ${error instanceof Error ? error.message : String(error)}`, { node: nodeName });
      })
      .finally(() => {
        acting = null;
        if (stopped) return;
        if (failed) cancelTimer = clock.after(AFTER_FAILURE_MS, reviewAgain);
        else reviewAgain();
      });
    acting = { for: name, abort, done };
  }

  function review(signals: readonly NodeSignal[], settled: boolean): void {
    last = { signals, settled };
    if (stopped) return;
    const notices =
      mode === 'Never' ? [] : byUrgency(signals.filter(({ kind, goneAt }) => kinds.includes(kind) && goneAt !== undefined));
    if (acting) {
      const holds = acting.for === '' ? notices.length === 0 : notices.some((notice) => nameOf(notice) === acting?.for);
      if (!holds && (notices.length > 0 || settled)) acting.abort.abort(new Error('the notice has changed'));
      return;
    }
    const [notice] = notices;
    if (!notice) {
      if (mayBeOurs && settled) start('', release);
      return;
    }
    if (dealtWith === nameOf(notice)) return;
    cancelTimer();
    const left = endOf(notice) - clock.now();
    if (left <= withinMs) start(nameOf(notice), (signal) => act(notice, signal));
    else cancelTimer = clock.after(left - withinMs, reviewAgain);
  }

  return {
    review,
    async stop() {
      stopped = true;
      cancelTimer();
      acting?.abort.abort(new Error('stopping'));
      await acting?.done;
    },
  };
}

function reasonOf({ kind, message, goneAt }: NodeSignal): string {
  return `${kind}: ${message}${goneAt === undefined || message.includes(goneAt) ? '' : ` (gone at ${goneAt})`}`;
}
