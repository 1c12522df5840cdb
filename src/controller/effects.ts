/** Carries the engine's effects out: one request each, its answer told to the ledger. Nothing is decided here. */
import type { Node, Pod } from '../api/objects.ts';
import type { PodEffect } from '../engine/effect.ts';
import { cordonPatch, detachPatch, giveBackPatch, type MergePatch, undoNodePatch, unlistPatch } from '../engine/journal.ts';
import type { Maintenance } from '../engine/maintenance.ts';
import { REFUSED_RETRY_MS } from '../engine/drain.ts';
import type { NodeEffect } from '../engine/steps.ts';
import { type KubeClient, type EvictionAnswer, KubeError, pathOf } from '../kube/client.ts';
import { deletePod, evict } from '../kube/evict.ts';
import { MERGE_PATCH } from '../kube/patch.ts';
import type { Clock, Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { Ledger } from './ledger.ts';

export interface EffectOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly dryRun: boolean;
  /** Asked right before each request: a leader that has lost its lease changes nothing any more. */
  readonly mayAct: () => boolean;
  /** What was answered, for metrics, events and progress. */
  readonly onAnswer: (maintenance: Maintenance, effect: PodEffect | NodeEffect, answer: string, message: string) => void;
}

const WEBHOOK_RETRY_MS = 10_000;
const FORBIDDEN_RETRY_MS = 60_000;
const UNAVAILABLE_RETRY_MS = 2_000;
const CONFLICT_RETRY_MS = 1_000;
const OTHER_POD = 'the name belongs to another pod by now';

export interface Effects {
  pod(maintenance: Maintenance, effect: PodEffect): Promise<void>;
  node(maintenance: Maintenance, effect: Extract<NodeEffect, { node: Node }>): Promise<void>;
}

export function createEffects(options: EffectOptions): Effects {
  const { client, clock, ledger, dryRun, mayAct, onAnswer } = options;
  const query = dryRun ? { dryRun: 'All' } : {};

  const patchPod = async (pod: Pod, body: MergePatch | null) => {
    if (!body) return 'Done'; // nothing of ours is on it
    await client.json({
      method: 'PATCH',
      path: pathOf('api/v1/namespaces', pod.namespace, 'pods', pod.name),
      query,
      contentType: MERGE_PATCH,
      body,
    });
    return 'Done';
  };

  const run = async (maintenance: Maintenance, effect: Exclude<PodEffect, { do: 'TellOwner' }>): Promise<Verdict> => {
    const { pod } = effect;
    switch (effect.do) {
      case 'Evict': {
        const answer = await evict(client, pod, {
          ...(effect.graceSeconds !== undefined && { graceSeconds: effect.graceSeconds }),
          dryRun,
        });
        return verdictOf(answer, effect.budgetVersion, clock.now());
      }
      case 'Delete': {
        const answer = await deletePod(client, pod, {
          ...(effect.graceSeconds !== undefined && { graceSeconds: effect.graceSeconds }),
          dryRun,
        });
        return answer === 'OtherPod'
          ? { answer, message: OTHER_POD, retryAt: clock.now() + CONFLICT_RETRY_MS }
          : { answer: 'Done' };
      }
      case 'Detach':
        return { answer: await patchPod(pod, detachPatch(pod, effect.labels, maintenance.id, effect.readyAtStart, clock.now())) };
      case 'Unlist':
        return { answer: await patchPod(pod, unlistPatch(pod, effect.labels, clock.now())) };
      case 'GiveBack':
        return { answer: await patchPod(pod, giveBackPatch(pod, effect.refusedBecause)) };
    }
  };

  return {
    async pod(maintenance, effect) {
      if (!mayAct()) return;
      const { pod } = effect;
      if (effect.do === 'TellOwner') {
        // The engine wants it in every pass for as long as the pod blocks, and every answer leads to a pass.
        if (ledger.tell(pod)) onAnswer(maintenance, effect, 'Done', effect.message);
        return;
      }
      ledger.begin(pod, effect.do, effect.do === 'Evict' ? effect.budget : undefined);
      let verdict: Verdict;
      try {
        verdict = await run(maintenance, effect);
      } catch (error) {
        if (!(error instanceof KubeError)) {
          ledger.end(pod, { answer: 'Unavailable', message: String(error), retryAt: clock.now() + WEBHOOK_RETRY_MS });
          throw error;
        }
        verdict = verdictOfError(error, clock.now());
      }
      ledger.end(pod, verdict);
      onAnswer(maintenance, effect, verdict.answer, verdict.message ?? '');
    },

    async node(maintenance, effect) {
      if (!mayAct()) return;
      const { node } = effect;
      if (effect.do === 'DeleteNode') {
        const { uid, resourceVersion } = node;
        const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
        await client.json({ method: 'DELETE', path: pathOf('api/v1/nodes', node.name), query, body });
        return onAnswer(maintenance, effect, 'Done', '');
      }
      const { id, reason, reasonType, settings } = maintenance;
      const request = {
        by: id,
        reason,
        reasonType,
        now: clock.now(),
        excludeFromLoadBalancers: settings.excludeFromLoadBalancers,
        // One that comes back is not surplus because it is empty.
        keepFromAutoscaler: maintenance.action?.kind === 'Reboot' || maintenance.action?.kind === 'Hook',
      };
      const body =
        effect.do === 'Undo' ? undoNodePatch(node) : cordonPatch(node, effect.do === 'Mark' ? 'Marked' : 'Cordoned', request);
      if (body)
        await client.json({ method: 'PATCH', path: pathOf('api/v1/nodes', node.name), query, contentType: MERGE_PATCH, body });
      onAnswer(maintenance, effect, 'Done', '');
    },
  };
}

interface Verdict {
  readonly answer: string;
  readonly message?: string;
  readonly retryAt?: Millis;
  readonly budgetVersion?: string;
}

/** Which answers are final, and when to try again after the others. A refusal by a budget is woken by that budget's status. */
function verdictOf(answer: EvictionAnswer, budgetVersion: string | undefined, now: Millis): Verdict {
  switch (answer.kind) {
    case 'Evicted':
    case 'Gone':
      return { answer: 'Done' };
    case 'BudgetRefused':
    case 'BudgetStale': {
      const retryAt = now + (answer.kind === 'BudgetStale' ? answer.retryAfterMs : REFUSED_RETRY_MS);
      return { answer: answer.kind, message: answer.message, retryAt, ...(budgetVersion !== undefined && { budgetVersion }) };
    }
    case 'Throttled':
      return { answer: answer.kind, message: answer.message, retryAt: now + answer.retryAfterMs };
    case 'Unavailable':
      return { answer: answer.kind, message: answer.message, retryAt: now + (answer.retryAfterMs ?? UNAVAILABLE_RETRY_MS) };
    case 'Forbidden':
      return { answer: answer.kind, message: answer.message, retryAt: now + FORBIDDEN_RETRY_MS };
    case 'OtherPod':
    case 'SeveralBudgets':
    case 'NamespaceTerminating':
    case 'Refused':
      return { answer: answer.kind, message: answer.message, retryAt: now + WEBHOOK_RETRY_MS };
  }
}

function verdictOfError(error: KubeError, now: Millis): Verdict {
  if (error.code === 404) return { answer: 'Done' };
  // The pod of that name is another one, or it has just been changed by someone else: the watch tells which.
  if (error.code === 409) return { answer: 'OtherPod', message: error.message, retryAt: now + CONFLICT_RETRY_MS };
  if (error.code === 403 || error.code === 401)
    return { answer: 'Forbidden', message: error.message, retryAt: now + FORBIDDEN_RETRY_MS };
  if (error.code === 429)
    return { answer: 'Throttled', message: error.message, retryAt: now + (error.retryAfterMs ?? UNAVAILABLE_RETRY_MS) };
  if (error.code === 0 || error.code === 408 || error.code >= 500) {
    return { answer: 'Unavailable', message: error.message, retryAt: now + (error.retryAfterMs ?? UNAVAILABLE_RETRY_MS) };
  }
  return { answer: 'Refused', message: error.message, retryAt: now + WEBHOOK_RETRY_MS };
}
