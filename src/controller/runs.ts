/** Carries out what creates and removes the pods and Jobs that act on nodes: one request each, and never a second beside it. */
import { type RunEffect, runKey } from '../engine/acting.ts';
import type { Maintenance } from '../engine/maintenance.ts';
import type { RunAttempt } from '../engine/world.ts';
import { type KubeClient, KubeError, pathOf } from '../kube/client.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';

export interface RunsOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Asked right before each request: a leader that has lost its lease changes nothing any more. */
  readonly mayAct: () => boolean;
  readonly onAnswer: (maintenance: Maintenance, effect: RunEffect, answer: string, message: string) => void;
}

export interface Runs {
  readonly attempts: ReadonlyMap<string, RunAttempt>;
  /** undefined: not now; there is one under way, or the last answer is too fresh. */
  carryOut(maintenance: Maintenance, effect: RunEffect): Promise<void> | undefined;
  /** When one that was put off may be tried; null: none was since the last call. */
  dueAt(): Millis | null;
}

const RETRY_MS = 2_000;
// A pod that cannot be created needs a person: a namespace, a right, a Pod Security label.
const REFUSED_RETRY_MS = 10_000;
// An answered creation shows within a second; after so long the watch is taken to be broken.
const UNSEEN_MS = 30_000;

const collections = { Pod: 'api/v1', Job: 'apis/batch/v1' } as const;

export function createRuns({ client, clock, log, mayAct, onAnswer }: RunsOptions): Runs {
  const attempts = new Map<string, RunAttempt>();
  const removals = new Map<string, RunAttempt>();
  let due: Millis | null = null;

  const pathTo = ({ run }: RunEffect, ...name: readonly string[]) =>
    pathOf(collections[run.kind], 'namespaces', run.namespace, run.kind === 'Pod' ? 'pods' : 'jobs', ...name);

  const request = async (effect: RunEffect): Promise<void> => {
    try {
      if (effect.do === 'CreateRun') await client.json({ method: 'POST', path: pathTo(effect), body: effect.body });
      else {
        const body = {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          propagationPolicy: 'Background',
          preconditions: { uid: effect.uid },
        };
        await client.json({ method: 'DELETE', path: pathTo(effect, effect.run.name), body });
      }
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      // There already, by a process that died before it heard so; or gone already.
      const isDone =
        effect.do === 'CreateRun'
          ? error.code === 409 && error.status?.reason === 'AlreadyExists'
          : error.code === 404 || error.code === 409;
      if (!isDone) throw error;
    }
  };

  return {
    attempts,
    carryOut(maintenance, effect) {
      const now = clock.now();
      const book = effect.do === 'CreateRun' ? attempts : removals;
      for (const [key, each] of book) if (!each.inFlight && now > each.retryAt + UNSEEN_MS) book.delete(key);
      const key = runKey(effect.run);
      const last = book.get(key);
      if (!mayAct() || last?.inFlight) return undefined;
      if (last && now < last.retryAt) {
        due = Math.min(due ?? last.retryAt, last.retryAt);
        return undefined;
      }
      // It was seen: that it may still show is no question any more.
      if (effect.do === 'RemoveRun') attempts.delete(key);
      book.set(key, { inFlight: true, mayShow: true, retryAt: Number.POSITIVE_INFINITY, failed: last?.failed ?? null });
      const end = (failed: string | null, code: number) => {
        // Without an answer, or with one from in front of the server, it may have been done.
        const mayShow = failed === null || code === 0 || code === 408 || code >= 500;
        const retryMs = failed === null ? UNSEEN_MS : code >= 400 && code < 500 ? REFUSED_RETRY_MS : RETRY_MS;
        book.set(key, { inFlight: false, mayShow, retryAt: clock.now() + retryMs, failed });
        onAnswer(maintenance, effect, failed === null ? 'Done' : 'Failed', failed ?? '');
      };
      return request(effect).then(
        () => end(null, 200),
        (error: unknown) => {
          end(error instanceof Error ? error.message : String(error), error instanceof KubeError ? error.code : 0);
          if (!(error instanceof KubeError)) throw error;
          log.warn(`cannot ${effect.do === 'CreateRun' ? 'create' : 'remove'} ${key}: ${error.message}`);
        },
      );
    },
    dueAt() {
      const at = due;
      due = null;
      return at;
    },
  };
}
